# MikroTik RouterOS: topics stand where others have a program.
vendor mikrotik
programs interface,info system,info system,info,account system,error,critical system,critical system,warning firewall,info dhcp,info route,bgp,info route,ospf,info ospf,info bgp,info wireless,info caps,info pppoe,info pppoe,ppp,info ppp,info l2tp,info account,info script,info

on interface,info
  {interface} link {state}
  {interface} link {state} ({speed...})
on system,info,account system,error,critical
  user {user} logged {state} from {address} via {service}
  user {user} logged {state} via {service}
  login failure for user {user} from {address} via {service}
  login failure for user {user} via {service}
on dhcp,info
  {server} {state} {address} {_} {mac}{_...}
on wireless,info caps,info
  {mac}@{interface}: {state...}
on pppoe,ppp,info ppp,info pppoe,info l2tp,info
  {interface}: {state...}
  {user} logged {state}, {_...}
on firewall,info
  {policy...}: in:{src_interface} out:{dst_interface}, {_...}proto {protocol}, {src_address}:{src_port}->{dst_address}:{dst_port}, {_...}
