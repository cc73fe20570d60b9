# Juniper Junos and Junos Evolved, ScreenOS.
vendor juniper
programs rpd mgd dcd mib2d alarmd craftd chassisd kmd l2ald lacpd bfdd cosd pfed jddosd ppmd dfwd RT_FLOW RT_IDP RT_UTM RT_IDS dcpfe rmopd eswd vrrpd l2cpd lldpd snmpd-subagent jlaunchd fpc0 fpc1 fpc2 fpc3 evo-cda evo-pfemand xntpd-junos sflowd jsscd jdhcpd authd dot1xd iked

on RPD_BGP_NEIGHBOR_STATE_CHANGED
  BGP peer {neighbour} ({_} AS {as}) changed state from {old_state} to {state} (event {reason}) {_...}
on BGP_PREFIX_LIMIT_EXCEEDED BGP_PREFIX_THRESH_EXCEEDED
  {neighbour} ({_} AS {as}): Configured maximum prefix-limit({limit}) exceeded for {afi} nlri: {prefixes} (instance {vrf})
  {neighbour} ({_} AS {as}): Configured maximum prefix-limit threshold({limit}) exceeded for {afi} nlri: {prefixes} (instance {vrf})
  {neighbour} ({_} AS {as}): {_...}({limit}) exceeded {_...}: {prefixes} {_...}
on bgp_recv bgp_pp_recv bgp_process_open bgp_listen_accept bgp_hold_timeout bgp_send bgp_read_v4_message bgp_read_message bgp_traffic_timeout
  read from peer {neighbour} ({_} AS {as}) failed: {reason...}
  {_...}NOTIFICATION {_} to {neighbour:port} ({_...}): code {_...}
  NOTIFICATION {_} to {neighbour:port} ({_...}): code {reason...}
  NOTIFICATION {_} from {neighbour:port} ({_...}): code {reason...}
  peer {neighbour} ({_} AS {as}) {reason...}
  {_...}peer {neighbour} ({_} AS {as}){reason...}
  {_...}from {neighbour:port} {reason...}
on RPD_OSPF_NBRDOWN RPD_OSPF_NBRUP
  OSPF neighbor {neighbour} (realm ospf-v2 {interface} area {area}) state changed from {old_state} to {state} due to {cause} (event reason: {reason...}){protocol=ospfv2}
  OSPF neighbor {neighbour} (realm {protocol} {interface} area {area}) state changed from {old_state} to {state} due to {cause} (event reason: {reason...})
  OSPF neighbor {neighbour} (realm ospf-v2 {interface} area {area}) state changed from {old_state} to {state}{protocol=ospfv2}
  OSPF neighbor {neighbour} ({interface}) state changed from {old_state} to {state} due to {cause} {_...}
on RPD_OSPF3_NBRDOWN RPD_OSPF3_NBRUP
  OSPF3 neighbor {neighbour} (realm {_} {interface} area {area}) state changed from {old_state} to {state} due to {cause} (event reason: {reason...}){protocol=ospfv3}
on RPD_ISIS_ADJDOWN RPD_ISIS_ADJUP RPD_ISIS_ADJUPNOIP
  IS-IS lost {level} adjacency to {neighbour} on {interface}, reason: {reason...}{state=down}
  IS-IS new {level} adjacency to {neighbour} on {interface}{state=up}
on RPD_LDP_NBRDOWN RPD_LDP_NBRUP RPD_LDP_SESSIONDOWN RPD_LDP_SESSIONUP
  LDP neighbor {neighbour} ({interface}) is {state}{protocol=ldp}
  LDP session {neighbour} is {state}, reason: {reason...}{protocol=ldp}
  LDP session {neighbour} is {state}{protocol=ldp}
on RPD_RSVP_NBRDOWN RPD_RSVP_NBRUP
  RSVP neighbor {neighbour} {state} on interface {interface}{_...}{protocol=rsvp}
on RPD_PIM_NBRDOWN RPD_PIM_NBRUP
  Instance {vrf}: PIM neighbor {neighbour} ({interface}) {state...}{protocol=pim}
  Instance {vrf}: PIM {_...}neighbor {neighbour} {_...} interface {interface}{_...}{protocol=pim}
on RPD_MPLS_LSP_DOWN RPD_MPLS_LSP_UP RPD_MPLS_LSP_CHANGE RPD_MPLS_PATH_DOWN RPD_MPLS_PATH_UP
  MPLS LSP {lsp} {state} on {_...}
  MPLS LSP {lsp} {state...}
  MPLS path {_...} {state} on LSP {lsp} {_...}
on BFDD_TRAP_SHOP_STATE_DOWN BFDD_TRAP_SHOP_STATE_UP BFDD_TRAP_MHOP_STATE_DOWN BFDD_TRAP_MHOP_STATE_UP BFDD_TRAP_STATE_DOWN BFDD_TRAP_STATE_UP BFDD_STATE_UP_TO_DOWN
  local discriminator: {_}, new state: {state}, interface: {interface}, peer addr: {neighbour}
  local discriminator: {_}, new state: {state}, peer addr: {neighbour}
on SNMP_TRAP_LINK_DOWN SNMP_TRAP_LINK_UP
  ifIndex {ifindex}, ifAdminStatus {admin_state}({_}), ifOperStatus {state}({_}), ifName {interface}
on LACP_INTF_DOWN LACP_INTF_MUX_STATE_CHANGED LACPD_TIMEOUT
  {parent}: Interface marked down due to lacp timeout on member {interface}{state=down}
  {parent}: Lacp state changed from {old_state} to {state}, {_...}
  {interface}: lacp current while timer expired {_...}
on ESWD_BPDU_BLOCK_ERROR_DISABLED ESWD_STP_STATE_CHANGE_INFO L2CPD_RECEIVE_BPDU_BLOCK_ENABLED ESWD_ST_CTL_ERROR_DISABLED
  {interface}: bpdu-block disabled port{state=down}
  STP state for interface {interface} {_...} changed from {old_state} to {state}
  {_...}interface {interface}{_...}
on CHASSISD_SNMP_TRAP7 CHASSISD_SNMP_TRAP10 CHASSISD_SNMP_TRAP6 CHASSISD_FRU_OFFLINE_NOTICE CHASSISD_IFDEV_DETACH_FPC
  SNMP trap generated: {reason...} (jnxFruContentsIndex {_}, {_...}jnxFruName {component...}, jnxFruType {_...}
  SNMP trap generated: {reason...} (jnxContentsContainerIndex {_...}jnxOperatingDescr {component...})
  {reason...}
on UI_COMMIT UI_COMMIT_COMPLETED UI_COMMIT_PROGRESS UI_LOAD_EVENT UI_CFG_AUDIT_SET UI_CFG_AUDIT_OTHER UI_LOGIN_EVENT UI_LOGOUT_EVENT UI_CMDLINE_READ_LINE UI_DBASE_LOGIN_EVENT UI_DBASE_LOGOUT_EVENT UI_AUTH_EVENT UI_JUNOSCRIPT_CMD UI_CHILD_START UI_NETCONF_CMD
  User '{user}' requested '{action}' operation (comment: {comment...})
  User '{user}' is performing a '{command...}'
  User '{user}' login, class '{class}' {_...}ssh-connection '{address} {_...}'{_...}
  User '{user}', command '{command...}'
  User '{user}' set: [{path...}] {_...}
  User '{user}' {action...}
  Authenticated user '{user}' {_...}
on SSHD_LOGIN_FAILED SSHD_LOGIN_ATTEMPTS_THRESHOLD LOGIN_INFORMATION LOGIN_FAILED
  Login failed for user '{user}' from host '{address}'
  User {user} logged in from host {address} on device {line}
on tcp_auth_ok
  Packet from {neighbour:port} {reason...}
on RT_FLOW_SESSION_CREATE RT_FLOW_SESSION_CREATE_LS
  session created {src_address}/{src_port}->{dst_address}/{dst_port} {_} {service} {nat_src_address}/{nat_src_port}->{nat_dst_address}/{nat_dst_port} {_} {nat_rule} {_} {_} {protocol} {policy} {src_zone} {dst_zone} {session} {_} {interface} {_...}
  session created {src_address}/{src_port}->{dst_address}/{dst_port} {service} {nat_src_address}/{nat_src_port}->{nat_dst_address}/{nat_dst_port} {_...}
on RT_FLOW_SESSION_CLOSE RT_FLOW_SESSION_CLOSE_LS
  session closed {reason...}: {src_address}/{src_port}->{dst_address}/{dst_port} 0x{_} {service} {nat_src_address}/{nat_src_port}->{nat_dst_address}/{nat_dst_port} {_...}
  session closed {reason...}: {src_address}/{src_port}->{dst_address}/{dst_port} {service} {nat_src_address}/{nat_src_port}->{nat_dst_address}/{nat_dst_port} {_...}
on RT_FLOW_SESSION_DENY
  session denied {src_address}/{src_port}->{dst_address}/{dst_port} {_} {service} {protocol}({_}) {policy} {src_zone} {dst_zone} {_...}{action=deny}
  session denied {src_address}/{src_port}->{dst_address}/{dst_port} {service} {protocol}({_}) {policy} {src_zone} {dst_zone} {_...}{action=deny}
on KMD_VPN_DOWN_ALARM_USER KMD_VPN_UP_ALARM_USER KMD_PM_SA_ESTABLISHED
  VPN {tunnel} from {neighbour} is {state}.{_...}
  Local gateway: {address}, Remote gateway: {neighbour}, {_...}
on VRRPD_NEW_MASTER_TRAP VRRPD_NEWMASTER_TRAP VRRPD_NEW_BACKUP_TRAP VRRPD_NEWBACKUP_TRAP
  Interface {interface} (local addr: {address}) became VRRP {state} for group {group} with master reason {reason...}
  Interface {interface} (local address {address}) became VRRP {state} for group {group}{_...}
on alarmd
  {component...} color={color}, class={class}, reason={reason...}
on craftd
  {severity} alarm {state}, {reason...}
  {severity} alarm {state}; {reason...}
on JPRDS_NH
  {_...}JNH[{unit}] failed to grab new region for NH#{nexthop}
on expr_nh_unilist_install
  {_...}Creation of handle for nh {nexthop} failed
on jlaunchd init
  System reaching processes ceiling {level} watermark: {_...}

on @sd
  source-address = src_address
  source-port = src_port
  destination-address = dst_address
  destination-port = dst_port
  nat-source-address = nat_src_address
  nat-source-port = nat_src_port
  nat-destination-address = nat_dst_address
  nat-destination-port = nat_dst_port
  service-name = service
  application = application
  policy-name = policy
  rule-name = policy
  source-zone-name = src_zone
  destination-zone-name = dst_zone
  session-id-32 = session
  protocol-id = protocol
  packet-incoming-interface = interface
  interface-name = interface
  source-interface-name = src_interface
  username = user
  client-ip = address
  source-ip = address
  peer-name = neighbour
  peer-address = neighbour
  neighbor-address = neighbour
  neighbor-addr = neighbour
  area = area
  old-state = old_state
  new-state = state
  snmp-interface-index = ifindex
  admin-status = admin_state
  operational-status = state
  reason = reason
  command = command
  action = action
  threat-name = threat
  attack-name = threat

vendor juniper-screenos
starts NetScreen device_id=
on @pairs
  device_id = device
  src = src_address
  dst = dst_address
  src_port = src_port
  dst_port = dst_port
  policy_id = policy
  action = action
  session_id = session
  service = service
