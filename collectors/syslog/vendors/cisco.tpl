# Cisco IOS, IOS XE, IOS XR, NX-OS; FRR and Quagga write some of them too.
vendor cisco

on LINK-UPDOWN UPDOWN CHANGED LINK_STATE
  Interface {interface}, changed state to {state...}
  Line protocol on Interface {interface}, changed state to {state...}
  Line protocol on {interface}, changed state to {state...}
  {interface}, changed state to {state...}
on IF_DOWN_LINK_FAILURE IF_DOWN_ADMIN_DOWN IF_DOWN_NONE IF_DOWN_PARENT_ADMIN_DOWN IF_DOWN_PORT_CHANNEL_MEMBERS_DOWN IF_DOWN_INITIALIZING IF_DOWN_CFG_CHANGE IF_DOWN_ERROR_DISABLED IF_DOWN_OFFLINE IF_DOWN_INACTIVE IF_DOWN_SUSPENDED_BY_SPEED IF_DOWN
  Interface {interface} is down ({reason...}){state=down}
  Interface {interface} is down{state=down}
on IF_UP IF_ADMIN_UP
  Interface {interface} is up{state=up}
  Interface {interface} is {state...}
on IF_DUPLEX IF_RX_FLOW_CONTROL IF_TX_FLOW_CONTROL SPEED IF_TRUNK_UP IF_TRUNK_DOWN IF_ERRDIS_RECOVERY IF_HARDWARE
  Interface {interface}, {_...}
  Interface {interface} {_...}
on PORT_INDIVIDUAL_DOWN PORT_INDIVIDUAL
  individual port {interface} is {state}
on PORT_UP PORT_DOWN
  {parent}: {interface} is {state}
on FOP_CHANGED
  {parent}: first operational port changed from {old_interface} to {interface}
on BUNDLE UNBUNDLE
  Interface {interface} {action} port-channel {parent}
  Interface {interface} {action...}
on MINLINKS_NOTMET MINLINKS_MET
  {_...}Port-channel {parent} is {state}
on ERR_DISABLE ERR_RECOVER
  {reason} error detected on {interface}, putting {_...}
  {reason} error disabled on {interface}
  Attempting to recover from {reason} err-disable state on {interface}
on SPANTREE-BLOCK_BPDUGUARD BLOCK_BPDUGUARD
  Received BPDU on port {interface} with {_...}
  Received BPDU on {interface} with {_...}
on ROOTCHANGE TOPOTRAP
  Root Changed for {_} {vlan}: New Root Port is {interface}. {_...}
  Topology Change Trap for vlan {vlan}
on ILGLCFG DTPILGLCFG NONTRUNKPORTFAIL
  {_...} on Port {interface}
  {_...} on {interface}
on ADJCHANGE ADJCHG NBRCHANGE ADJ NBR_CHANGE BGP-ADJCHANGE
  {_} [{_}] ({vrf}) neighbor {neighbour} {state} - {reason...}
  {_} [{_}] ({vrf}) neighbor {neighbour} {state}
  neighbor {neighbour}({_...}) in vrf {vrf} {state} {reason...}
  neighbor {neighbour}({_...}) in vrf {vrf} {state}
  neighbor {neighbour} vpn vrf {vrf} {state} {reason...}
  neighbor {neighbour} vpn vrf {vrf} {state}
  neighbor {neighbour} IPv4 Unicast topology {_...} {state} {reason...}
  neighbor {neighbour} {state} - {reason...}
  neighbor {neighbour} {state} {reason...}
  neighbor {neighbour} {state}
  Process {process}, Nbr {neighbour} on {interface} from {old_state} to {state}, {reason...}
  Process {process}, Nbr {neighbour} on {interface} from {old_state} to {state}
  Process {process}, Nbr {neighbour} on {interface} in area {area} from {old_state} to {state}, {reason...}
  Process {process}, Area {area}, Nbr {neighbour} on {interface} from {old_state} to {state}, {reason...}
  Adjacency to {neighbour} ({interface}) ({level}) {state}, {reason...}
  Adjacency to {neighbour} ({interface}) ({level}) {state}
  Adjacency to {neighbour} ({interface}) {state}, {reason...}
  Adjacency to {neighbour} ({interface}) {state}
  ISIS: Adjacency to {neighbour} ({interface}) {state}, {reason...}
  EIGRP-{_} {process}: Neighbor {neighbour} ({interface}) is {state}: {reason...}
  {_} {process}: Neighbor {neighbour} ({interface}) is {state}: {reason...}
  {_...}eighbor {neighbour} ({interface}) is {state}: {reason...}
  {_...}eighbor {neighbour} on interface {interface} has {state...}
  {_...}eighbor {neighbour} {state...}
on NBRSTATE BFD_SESS_DOWN BFD_SESS_UP BFD_SESS_CREATED BFD_SESS_DESTROYED SESSION_STATE_DOWN SESSION_STATE_UP SESSION_REMOVED BFDSESS_DOWN BFDSESS_UP
  BFD session to neighbor {neighbour} on interface {interface} has gone {state}. Reason: {reason...}
  BFD session to neighbor {neighbour} on interface {interface} {_...}
  BFD session {_} to neighbor {neighbour} on interface {interface} has gone {state}. Reason: {reason...}
  BFD session {_} to neighbor {neighbour} on interface {interface} {state...}
  BFD-SYSLOG: bfd_session_{_}, neigh {neighbour} {_...}handle:{_} {_...}
  {_...}neighbor {neighbour} on interface {interface} {_...}
on MAXPFX MAXPFXEXCEED
  No. of IPv4 Unicast prefixes received from {neighbour} has reached {prefixes}, max {limit}{afi=ipv4_unicast}
  No. of IPv6 Unicast prefixes received from {neighbour} has reached {prefixes}, max {limit}{afi=ipv6_unicast}
  No. of {afi...} prefixes received from {neighbour} has reached {prefixes}, max {limit}
  Number of prefixes received from {neighbour} (afi {_}): {prefixes} exceeds limit {limit}
  Number of prefixes received from {neighbour} (afi {_}) reaches {prefixes}, max {limit}
  No. of prefix received from {neighbour} (afi {_}) reaches {prefixes}, max {limit}
on NOTIFICATION BGP-NOTIFICATION
  sent to neighbor {neighbour} {_...}({reason...})
  received from neighbor {neighbour} {_...}({reason...})
  sent to neighbor {neighbour} {reason...}
  received from neighbor {neighbour} {reason...}
on BADAUTH
  {reason} MD5 digest from {neighbour:port} to {address:port}
  {reason...} from {neighbour:port} to {address:port}
on STATECHANGE STATUSCHANGE HSRP_STATECHANGE
  {interface} Grp {group} state {old_state} -> {state}
  {interface} Group {group} state {old_state} -> {state}
  Vl{vlan} {_...}state {old_state} -> {state}
on DUPADDR
  Duplicate address {address} on {interface}, sourced by {mac}
on NBRUPDOWN
  LDP Neighbor {neighbour} is {state}{protocol=ldp}
on NBRCHG
  LDP Neighbor {neighbour} ({_}) is {state} ({reason...})
  LDP Neighbor {neighbour} is {state} ({reason...})
  neighbor {neighbour} {state} on interface {interface}{_...}
  {_...}eighbor {neighbour} {state...}
on PIM-NBRCHG
  neighbor {neighbour} {state} on interface {interface} {_...}
on CONFIG_I CONFIG_E CONFIG_STARTUP
  Configured from console by {user} on {line} ({address})
  Configured from console by {user} on {line}
  Configured from {source} by {user} on {line} ({address})
  Configured from {source} by {user} on {line}
  Configured from {source} by {user}
  Enter configuration mode from console by {user} on {line} ({address})
  Startup config saved from {source} by {user} on {line} ({address})
on DB_COMMIT CONFIG-DB_COMMIT
  Configuration committed by user '{user}'. {_...}
on LOGIN_SUCCESS LOGIN_FAILED LOGIN-LOGIN_SUCCESS SEC_LOGIN
  Login Success [user: {user}] [Source: {address}] [localport: {port}]{_...}
  Login failed [user: {user}] [Source: {address}] [localport: {port}] [Reason: {reason...}]{_...}
  Login {_} [user: {user}] [Source: {address}]{_...}
on LOGOUT
  User {user} has exited tty session {line}({address})
on SSH2_USERAUTH SSH2_SESSION SSH2_CLOSE
  User '{user}' authentication for SSH2 Session from {address} {_...}
  SSH2 Session request from {address} {_...}
  SSH2 Session from {address} (tty = {line}) for user '{user}' {_...}
on CFGLOG_LOGGEDCMD
  User:{user}  logged command:{command...}
on VSHD_SYSLOG_CONFIG_I
  Configured from {source} by {user} on {line}
on SYSTEM_MSG
  pam_unix({_}): session {state} for user {user} by {_...}
  pam_unix({_}): session {state} for user {user} {_...}
  pam_aaa:Authentication failed for user {user} from {address} {_...}
  {_...}for user {user} from {address} {_...}
on MAC_MOVE L2FM_MAC_MOVE MACFLAP_NOTIF MACMOVE
  Mac {mac} in vlan {vlan} has moved from {old_interface} to {interface}
  Host {mac} in vlan {vlan} is flapping between port {old_interface} and port {interface}
on SECURITY_VIOLATION PSECURE_VIOLATION
  Security violation occurred, caused by MAC address {mac} on port {interface}
on IPACCESSLOGP IPACCESSLOGDP IPACCESSLOGNP IPACCESSLOGS IPACCESSLOGRP
  list {policy} {action} {protocol} {src_address}({src_port}) {_...}-> {dst_address}({dst_port}), {_...}
  list {policy} {action} {protocol} {src_address} {_...}-> {dst_address} {_...}
  list {policy} {action} {src_address} {_...}
on CDP-DUPLEX_MISMATCH DUPLEX_MISMATCH NATIVE_VLAN_MISMATCH
  duplex mismatch discovered on {interface} {_...}with {neighbour} {_...}
  Native VLAN mismatch discovered on {interface} {_...}, with {neighbour} {_...}
on CPURISINGTHRESHOLD CPUHOG MALLOCFAIL
  Threshold: Total CPU Utilization(Total/Intr): {value}/{_...}
on TRANSCEIVER SFP_ABSENT TRANSCEIVER_INSERTED
  Transceiver {_...} in {interface}
  {_...}on interface {interface} {_...}
on RX_POWER_LOW HARDWARE-RX THRESHOLD_VIOLATION SFF8472
  {interface}: {reason...}; {_...}
  {interface}: {reason...}
on PSU_FAIL FRU_PS_ACCESS PS_FAIL PS_DOWN PS_OK PSFAIL
  Power supply {supply} {state...}
  {_...}ower supply {supply} {state...}
on DHCP_SNOOPING_MATCH_MAC_FAIL DHCP_SNOOPING_DENY INVALID_ARP
  {_...}on {interface}, vlan {vlan}{_...}
on RESTART RELOAD RELOAD_REQUEST
  Reload requested by {user} on {line}. {reason...}
  Reload requested by {user}{_...}

# Unified Communications Manager names its node in the body.
on UC_AUDITLOG UC_CALLMANAGER UC_RTMT UC_DB UC_DRF UC_TFTP UC_CTI UC_LICENSE UC_SERVICEMANAGER UC_CERT UC_IPVMS UC_SNMP UC_SYSAGENT UC_LPM UC_AMC UC_EM UC_CDRREP UC_JAVAAPPLICATIONS CCM_RTMT CCM_CALLMANAGER CCM_DB CCM_TFTP CCM_CDRREP CCM_SUMI CCM_JAVA_APPS CCM_UNKNOWN CCM_TSM CUC
  {_...}UserID ={user}]{_...}ClientAddress ={address}]{_...}Node ID={host}]{_...}
  {_...}Node ID={host}]{_...}
  {_...}[NodeID={host}]{_...}
  {_...}Node ID:{host}
