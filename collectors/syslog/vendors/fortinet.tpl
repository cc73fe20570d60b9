# Fortinet FortiGate, FortiWeb, FortiMail, FortiManager.
vendor fortinet
starts date=
starts devname=
starts logver=

on @pairs
  devname = host
  srcip = src_address
  srcport = src_port
  srcintf = src_interface
  dstip = dst_address
  dstport = dst_port
  dstintf = dst_interface
  transip = nat_src_address
  transport = nat_src_port
  policyid = policy
  policyname = policy
  poluuid = policy_id
  sessionid = session
  proto = protocol
  service = service
  action = action
  status = status
  vd = vdom
  user = user
  admin = user
  ui = source
  remip = neighbour
  locip = address
  vpntunnel = tunnel
  tunnelid = tunnel_id
  interface = interface
  intf = interface
  reason = reason
  attack = threat
  virus = threat
  hostname = dst_name
  src = src_address
  dst = dst_address
  src_port = src_port
  dst_port = dst_port
  http_host = dst_name
  policy = policy
  cfgpath = path
  cfgattr = change
  logdesc = event
