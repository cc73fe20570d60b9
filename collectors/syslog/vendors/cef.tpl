# ArcSight's CEF, IBM's LEEF: the producer is named in their head, the names are those of the formats.
vendor any

on @cef
  dvchost = host!
  deviceHostName = host!
  dvc = address
  src = src_address
  spt = src_port
  shost = src_name
  smac = src_mac
  suser = user
  duser = dst_user
  dst = dst_address
  dpt = dst_port
  dhost = dst_name
  dmac = dst_mac
  deviceInboundInterface = src_interface
  deviceOutboundInterface = dst_interface
  proto = protocol
  app = application
  act = action
  reason = reason
  outcome = outcome
  request = url
  fname = file
  externalId = session
  rt = stamp

on @leef
  src = src_address
  srcPort = src_port
  dst = dst_address
  dstPort = dst_port
  usrName = user
  proto = protocol
  srcMAC = src_mac
  dstMAC = dst_mac
  policy = policy
  identHostName = src_name
  srcPreNAT = src_address
  srcPostNAT = nat_src_address
  dstPostNAT = nat_dst_address
  url = url
  action = action
  reason = reason
