# Extreme EXOS: `<Warn:vlan.msgs.portLinkStateDown> Port 1:2 link down`.
vendor extreme

on vlan.msgs.portLinkStateUp vlan.msgs.portLinkStateDown vlan.msgs.portLinkStateUpDown
  {_...}Port {interface} link {state} {_...}
  {_...}Port {interface} link {state}
on AAA.authPass AAA.authFail AAA.logout AAA.login aaa.authPass aaa.authFail
  {_...}user {user} ({address}){_...}
  {_...}user {user} from {address}{_...}
  {_...}user {user} {_...}
on LACP.AddPortToAggr LACP.RemPortFromAggr
  {_...}port {interface} {_...}aggregator {parent}{_...}
on ospf.neighbor.ChgState OSPF.NbrStateChg
  {_...}eighbor {neighbour} {_...}from {old_state} to {state}{_...}
