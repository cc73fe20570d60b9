# Nokia SR OS: `2052 Base BGP-WARNING-bgpEstablished-2001 [Peer 1: 10.0.0.1]: ...`.
vendor nokia
programs sr_bgp_mgr sr_isis_mgr sr_ospf_mgr sr_chassis_mgr sr_xdp_lc sr_mgmt_server sr_aaa_mgr sr_lldp_mgr sr_bfd_mgr

on BGP
  {_...}[Peer {vr}: {neighbour}]: {_...}from higher state {old_state} to lower state {state} due to event {reason...}
  {_...}[Peer {vr}: {neighbour}]: {_...}moved into {state} state
  {_...}[Peer {vr}: {neighbour}]: {reason...}
on OSPF OSPF_NG
  {_...}Neighbor {neighbour} on {interface} router state changed to {state} (event {reason...})
  {_...}eighbor {neighbour} on {interface} {_...}
on ISIS
  {_...}Adjacency status changed to {state} for interface: {interface} {_...}
  {_...}nterface: {interface} {_...}
on LDP
  {_...}[{neighbour}]: {reason...}
on PORT SNMP LAG LOGICAL IP VRTR
  {_...}Interface {interface} is {state...}
  {_...}[{interface}]: {reason...}
on CHASSIS SYSTEM EQUIPMENT
  {_...}[{component...}]: {reason...}
on USER SECURITY
  {_...}[{user}]: User from {address} {action...}
  {_...}[{user}]: {action...}
on BFD
  {_...}[BFD]: {_...}session {_...}remote address {neighbour}{_...}
  {_...}node {neighbour} {state...}
