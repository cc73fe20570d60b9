# F5 BIG-IP.
vendor f5
programs tmm tmm1 tmm2 tmm3 mcpd bigd chmand sod lacpd-f5 gtmd big3d apmd logger-f5 tmsh iControlPortal.cgi

on 01010028 01070638 01070727 01070728 01070640 01070641 01060001 01071681
  Pool {pool} member {member} monitor status {state}.{_...}
  Pool {pool} member {member} {_...}status {state}.{_...}
on mcpd tmm
  {_}:{_}: Pool {pool} member {member} monitor status {state}.{_...}
  {_}:{_}: Pool member {member} monitor status {state}.{_...}
  {_}:{_}: Node {member} address {address} monitor status {state}.{_...}
  {_}:{_}: Virtual Server {service} {_...}
  {_}:{_}: Link: {interface} is {state}
  {_}:{_}: Interface {interface}, link admin status: {admin_state}, link status: {state}{_...}
on chmand
  {_}:{_}: Link: {interface} is {state}
  {_}:{_}: {component...}: {reason...}
on bigd
  {_}:{_}: Monitor {monitor} {_...}
on httpd sshd
  {_}:{_}: AUDIT - user {user} - {_...}
on @pairs
  src_ip = src_address
  vip = dst_address
  virtual_server = service
  user = user
  http_host = dst_name
  node = member
  pool = pool
