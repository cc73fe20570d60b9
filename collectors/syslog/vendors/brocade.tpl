# Brocade, Foundry, Ruckus ICX: NetIron and FastIron.
vendor brocade
programs System-Foundry

on System
  Interface {interface:joined}, state {state}
  Interface {interface:joined}, state {state} - {reason...}
  dot1x: port {interface}, {_...}
  Stack unit {unit} {_...}
on BGP
  Peer (VRF: {vrf}) {neighbour} {state} ({reason...})
  Peer {neighbour} {state} ({reason...})
on OSPF
  nbr state changed, rid {_}, nbr addr {neighbour}, nbr rid {_}, state {state}
  {_...}nbr addr {neighbour}, {_...}state {state}
  interface state changed, rid {_}, intf addr {address}, state {state}
on ISIS
  {level} ADJACENCY {state} {neighbour} on circuit {_} {interface}{_...}
on Security
  {_} login by {user} from src IP {address}{_...}
  {_} logout by {user} from src IP {address}{_...}
  {user} login to {_...}
on STP
  VLAN {vlan} Port {interface} STP State -> {state} ({reason...})
  VLAN {vlan} {_...}
on MPLS
  LSP {lsp} {_...}is {state}{_...}
on VRRP
  intf state changed, intf {interface}, vrid {group}, state {state}
