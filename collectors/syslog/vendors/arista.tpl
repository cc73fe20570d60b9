# Arista EOS: Cisco's manner, its own words.
vendor arista

on ADJCHANGE BGP-ADJCHANGE
  peer {neighbour} (VRF {vrf} AS {as}) old state {old_state} event {reason} new state {state}
  peer {neighbour} (AS {as}) old state {old_state} event {reason} new state {state}
on STATE_CHANGE BFD-STATE_CHANGE
  peer (vrf:{vrf}, ip:{neighbour}, intf:{interface}, srcIp:{address}, type:{_}) changed state from {old_state} to {state} diag {reason...}
  peer (vrf:{vrf}, ip:{neighbour}, intf:{interface}, {_...}) changed state from {old_state} to {state}{_...}
on OSPF_ADJACENCY_ESTABLISHED OSPF_ADJACENCY_TEARDOWN OSPF_STATE_CHANGE
  NGB {neighbour}, interface {_} adjacency {state}{_...}
  NGB {neighbour}, {_...}
on ISIS_ADJACENCY_CHANGE ADJCHG
  {_...}Neighbor State Change for {neighbour} on {interface} to {state}{_...}
  L{level} Neighbor State Change for SystemID {neighbour} on {interface} to {state}
on PROCESS_TERMINATED PROCESS_RESTART PROCESS_STARTED
  '{process}' (PID={pid}, status={status}) has terminated.
  '{process}' starting with PID={pid} {_...}
  Restarting '{process}' immediately (it had PID={pid})
on MAINT_UNIT_STATE_CHANGE
  Maintenance unit state changed for unit {unit}. Old State {old_state}, New State {state}
on INTF_COMP_REMOVED BUNDLE_CHANGE LAG-INTF
  Interface {interface} {action} {_...}Port-Channel{parent}
on TRANSCEIVER_INSERTED TRANSCEIVER_REMOVED XCVR
  Transceiver for interface {interface} {state...}
on PEER_LINK_STATE MLAG-INTF_INACTIVE_PEER_DOWN INTF_INACTIVE_REMOTE_DOWN
  MLAG interface {interface} {_...}
on NEIGHBOR_NEW NEIGHBOR_LOST LLDP_NEIGHBOR_NEW LLDP_NEIGHBOR_LOST LLDP_NEIGHBOR_TIMEOUT
  LLDP neighbor with chassisId {neighbour} and portId {_} {_...} on interface {interface}
on SWITCHPORT_MAC_FLAP MAC_FLAP HOST_FLAPPING
  {_...}ost {mac} in VLAN {vlan} is flapping between interface {old_interface} and interface {interface}{_...}
