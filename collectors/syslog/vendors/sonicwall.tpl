# SonicWall: pairs behind `id=`.
vendor sonicwall
starts id=firewall
starts id=sonicwall
starts id=SSL

on @pairs
  fw = address
  src = src
  dst = dst
  srcMac = src_mac
  dstMac = dst_mac
  proto = protocol
  rule = policy
  fw_action = action
  usr = user
  user = user
  sess = session
  app = application
  msg = text
