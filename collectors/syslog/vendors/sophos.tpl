# Sophos Firewall (XG, SFOS) and UTM.
vendor sophos
starts device="
starts device_name="

on @pairs
  device_name = host
  src_ip = src_address
  src_port = src_port
  dst_ip = dst_address
  dst_port = dst_port
  protocol = protocol
  in_interface = src_interface
  out_interface = dst_interface
  src_mac = src_mac
  user_name = user
  user = user
  fw_rule_id = policy
  log_subtype = action
  status = status
  srcip = src_address
  dstip = dst_address
  action = action
