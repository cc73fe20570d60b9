# Palo Alto Networks PAN-OS: columns of its documentation's order, from 0.
vendor paloalto

on @csv:TRAFFIC
  7 = src_address
  8 = dst_address
  9 = nat_src_address
  10 = nat_dst_address
  11 = policy
  12 = user
  13 = dst_user
  14 = application
  16 = src_zone
  17 = dst_zone
  18 = src_interface
  19 = dst_interface
  22 = session
  24 = src_port
  25 = dst_port
  29 = protocol
  30 = action
  46 = reason
  52 = host!
on @csv:THREAT
  4 = threat_type
  7 = src_address
  8 = dst_address
  11 = policy
  12 = user
  13 = dst_user
  14 = application
  16 = src_zone
  17 = dst_zone
  18 = src_interface
  19 = dst_interface
  22 = session
  24 = src_port
  25 = dst_port
  29 = protocol
  30 = action
  32 = threat
on @csv:SYSTEM
  4 = event_type
  8 = event
  9 = object
  13 = severity
  14 = description
  22 = host!
on @csv:CONFIG
  7 = address
  9 = command
  10 = user
  11 = client
  12 = result
  13 = path
on @csv:HIPMATCH
  7 = user
  9 = machine
  11 = src_address
on @csv:GLOBALPROTECT
  8 = event
  9 = stage
  12 = user
  14 = machine
  15 = address
  31 = status
  47 = host!
on @csv:DECRYPTION
  7 = src_address
  8 = dst_address
  11 = policy
  12 = user
