# Huawei VRP.
vendor huawei

on LINK_STATE LINKUPDOWN IF_STATE IF_PVCDOWN IF_PVCUP LINKNO LINK_DOWN LINK_UP PORT_STATE_DOWN
  The line protocol {_} on the interface {interface} has entered the {state} state.
  The line protocol {_...} on {interface} has turned into {state} state.
  Interface {interface} has turned into {state} state.{_...}
  The link state of interface {interface} changed to {state}{_...}
  Line protocol on interface {interface} has turned into {state} state.
  {_...}nterface {interface} has {_...}entered the {state} state{_...}
on linkDown linkUp linkDown_active linkUp_active IF_LINKDOWN hwIfMonitor
  {_...}nterface {_...}Name={interface}{_...}
  {_...}ifDescr={interface},{_...}
on STATE_CHG_UPDOWN STATE_CHG_NEIGHBOR NBR_CHG NBR_CHG_DOWN NBR_DOWN_REASON NBR_CHANGE_E NBR_CHANGE_Q NBR_CHG_DOWN_REASON
  The status of the peer {neighbour} changed from {old_state} to {state}. (InstanceName={vrf}, StateChangeReason={reason...})
  Neighbor state changed. {_...}NeighborAddress={neighbour}, {_...}
  Neighbor changes event: neighbor status changed. (ProcessId={process}, NeighborAddress={neighbour}, NeighborEvent={cause}, NeighborPreviousState={old_state}, NeighborCurrentState={state})
  OSPF neighbor {_...}eighbor router ID={neighbour}{_...}
  {_...}NeighborRouterId={neighbour},{_...}
on ADJ_CHANGE ADJ_CHG ADJACENCY_CHANGE ADJ_UP ADJ_DOWN
  {_...}eighbor={neighbour}, {_...}nterface={interface}{_...}
  ISIS-{_}-ADJ_CHANGE: The neighbor of ISIS was changed. (IsisProcessId={process}, Neighbor={neighbour}, InterfaceName={interface}, CurrentState={state}, ChangeType={reason...})
  The neighbor of ISIS was changed. (IsisProcessId={process}, Neighbor={neighbour}, InterfaceName={interface}, CurrentState={state}, ChangeType={reason...})
on STATUS_CHANGE SESSION_STATE BFD_DOWN_TRAP STACHG_TODWN STACHG_TOUP STACHG_TODWN_active
  BFD session changed to {state}. (SlotNumber={slot}, Discriminator={_}, Diagnostic={reason}, Applications={_}, ProcessPST={_}, BindInterfaceName={interface}, {_...}
  BFD session changed to {state}. {_...}
on LOGIN LOGOUT LOGINFAILED LOGINFAIL LOGIN_SUCC LOGIN_FAIL AUTHEN_FAIL USERLOGIN SSH_USER_LOGIN SSH_USER_LOGOUT LOCKACCOUNT
  The user succeeded in logging in to {_}. (UserType={_}, UserName={user}, Ip={address}, VpnName={vrf}){_...}
  {_...}UserName={user}, {_...}I{_}={address}, {_...}
  {_...}ser {_...}(UserName={user}, {_...}IPAddress={address}{_...}
  User {user}(IP:{address} ID:{_}) login {state...}
on CMDRECORD CMD CMDCONFIRM_UNIFORMRECORD
  Recorded command information. (Task={_}, Ip={address}, VpnName={vrf}, User={user}, AuthenticationMethod={_}, Command="{command...}")
  {_...}Ip={address}, {_...}User={user}, {_...}Command="{command...}"{_...}
on TRUNK_MEM_CHANGE PORTDOWN LACPDOWN LAG_DOWN_REASON_SYSLOG OPTICAL_MODULE
  {_...}MemberIfName={interface}, {_...}
  {_...}nterface {interface} {_...}
on MACFLAPPING MACFLP LOOPBACKDETECTED L2_MAC_FLAPPING
  {_...}MacAddress={mac}, {_...}VLAN={vlan}, {_...}
  {_...}mac address {mac}{_...}

vendor any
