# H3C and HPE Comware.
vendor h3c

on LINK_UPDOWN PHY_UPDOWN LINKUPDOWN LINK_PHY_UPDOWN IF_LINKDOWN
  Line protocol state on the interface {interface} changed to {state}.
  Line protocol on the interface {interface} is {state}.
  Physical state on the interface {interface} changed to {state}.
  {interface} link status is {state}.
  {interface} is {state}.
  {interface} changed {_...}state to {state}.
on BGP_STATE_CHANGED BGP_PEER_STATE_CHG BGP_STATE_CHANGED_REASON
  BGP.{vrf}: {neighbour} state has changed from {old_state} to {state}{_...}
  BGP.{vrf}: {neighbour} State is changed from {old_state} to {state}{_...}
on OSPF_NBR_CHG OSPF_NBR_CHG_REASON OSPFV3_NBR_CHG
  OSPF {process} Neighbor {neighbour}({interface}) changed from {old_state} to {state}{_...}
  OSPF {process} Neighbor {neighbour} ({interface}) from {old_state} to {state}{_...}
  OSPFv3 {process} Neighbor {neighbour}({interface}) received {_} and its state from {old_state} to {state}.
on ISIS_NBR_CHG ISIS_ADJ_CHG
  IS-IS {process}, {level} adjacency {neighbour} ({interface}), state changed to {state}, Reason: {reason...}
  IS-IS {process}, {level} adjacency {neighbour} ({interface}), state changed to {state}{_...}
on BFD_CHANGE_FSM BFD_CHANGE_SESS
  Sess[{address}/{neighbour}, LD/RD:{_}, Interface:{interface}, SessType:{_}, LinkType:{_}], Ver:{_}, Sta: {old_state}->{state}, Diag: {reason...}
  Sess[{address}/{neighbour},{_...}Interface:{interface},{_...}Sta: {old_state}->{state},{_...}
on SHELL_LOGIN SHELL_LOGOUT LOGIN LOGOUT LOGIN_FAILED SHELL_LOGIN_FAIL SSHS_LOG
  {user} logged in from {address}.
  {user} logged out from {address}.
  {user} failed to log in from {address}.
  {user} login from {line}
on SHELL_CMD CMD
  -Line={line}-IPAddr={address}-User={user}; Command is {command...}
on LAGG_INACTIVE_PHYSTATE LAGG_ACTIVE LAGG_INACTIVE_PARTNER LAGG_INACTIVE_OTHER
  Member port {interface} of aggregation group {parent} changed to the {state} state{_...}
  Member port {interface} of aggregation group {parent} {_...}
on MAC_FLAPPING LPDETECT_LOOPED MAC_NOTIFICATION
  MAC address {mac} in VLAN {vlan} has moved from port {old_interface} to port {interface}{_...}
on STP_BPDU_PROTECTION
  BPDU-Protection port {interface} received BPDUs.
on LLDP_CREATE_NEIGHBOR LLDP_DELETE_NEIGHBOR LLDP_LESS_THAN_NEIGHBOR_LIMIT
  {_...}ort {interface} ({_...}eighbor's chassis ID is {neighbour}, {_...}
on CFGMAN_CFGCHANGED CFGMAN_OPTCOMPLETION
  -EventIndex={_}-CommandSource={source}-{_...}
