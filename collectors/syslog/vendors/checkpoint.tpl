# Check Point: Log Exporter's pairs, SmartCenter's `name:"value";` comes as structured data.
vendor checkpoint
programs CheckPoint

on @pairs
  src = src_address
  dst = dst_address
  s_port = src_port
  service = dst_port
  proto = protocol
  action = action
  rule = policy
  rule_name = policy
  ifname = interface
  user = user
  origin = address
on @sd
  src = src_address
  dst = dst_address
  s_port = src_port
  service = dst_port
  proto = protocol
  action = action
  rule_name = policy
  ifname = interface
  user = user
  origin = address
