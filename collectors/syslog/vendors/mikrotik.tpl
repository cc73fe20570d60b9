# MikroTik RouterOS: topics stand where others have a program.
vendor mikrotik

on interface,info
  {interface} link {state}
  {interface} link {state} ({speed...})
on system,info,account system,error,critical system,info system,critical,info
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
