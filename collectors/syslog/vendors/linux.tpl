# Linux and BSD hosts: sshd, sudo, su, PAM, cron, kernel, DHCP, DNS, NTP, mail.
vendor linux
programs systemd systemd-networkd systemd-logind systemd-resolved NetworkManager CRON crond kernel-linux

on sshd sshd-session
  Accepted {method} for {user} from {address} port {port}{_...}
  Failed {method} for invalid user {user} from {address} port {port}{_...}
  Failed {method} for {user} from {address} port {port}{_...}
  Invalid user {user} from {address} port {port}
  Invalid user {user} from {address}
  Connection closed by invalid user {user} {address} port {port}{_...}
  Connection closed by authenticating user {user} {address} port {port}{_...}
  Disconnected from user {user} {address} port {port}
  Disconnected from invalid user {user} {address} port {port}{_...}
  Received disconnect from {address} port {port}:{reason...}
  Received disconnect from {address}: {reason...}
  Connection closed by {address} port {port}{_...}
  Connection reset by {address} port {port}{_...}
  Did not receive identification string from {address}{_...}
  User {user} from {address} not allowed because {reason...}
  error: maximum authentication attempts exceeded for {user} from {address} port {port}{_...}
  pam_{_}: authentication failure; {_...}rhost={address} user={user}
  pam_{_}: authentication failure; {_...}rhost={address}
  pam_{_}: session {state} for user {user} by {_...}
  pam_{_}: session {state} for user {user}{_...}
  input_userauth_request: invalid user {user}{_...}
  reverse mapping checking getaddrinfo for {_} [{address}] failed{_...}
on sudo
  {user} : TTY={line} ; PWD={path} ; USER={dst_user} ; COMMAND={command...}
  {user} : {reason...} ; TTY={line} ; PWD={path} ; USER={dst_user} ; COMMAND={command...}
  pam_{_}: session {state} for user {user} by {_...}
  pam_{_}: session {state} for user {user}{_...}
on su
  (to {dst_user}) {user} on {line}
  'su {dst_user}' failed for {user} on {line}
  FAILED SU (to {dst_user}) {user} on {line}
  FAILED su for {dst_user} by {user}
  Successful su for {dst_user} by {user}
  BAD SU {user} to {dst_user} on {line}
  pam_{_}: session {state} for user {user} by {_...}
on login systemd-logind systemd gdm CRON cron crond
  FAILED LOGIN {_} FROM {address} FOR {user}, {reason...}
  New session {session} of user {user}.
  Removed session {session}.
  ({user}) CMD ({command...})
  pam_{_}: session {state} for user {user} by {_...}
  pam_{_}: session {state} for user {user}{_...}
  {unit}: Main process exited, code={_}, status={status}
  {unit}: Failed with result '{reason}'.
  Started {unit...}.
  Stopped {unit...}.
  Failed to start {unit...}.
on useradd userdel usermod groupadd passwd
  new user: name={user}, {_...}
  delete user '{user}'{_...}
  pam_{_}: password changed for {user}
on kernel
  {_...}bond{_}: link status definitely {state} for interface {interface}{_...}
  {interface:last}: NIC Link is {state}{_...}
  {interface:last}: Link is {state}{_...}
  {interface:last}: link is {state}{_...}
  {interface:last}: carrier {state}{_...}
  {interface:last}: link becomes ready{state=up}
  {_...}IN={src_interface} OUT={dst_interface} {_...}SRC={src_address} DST={dst_address} {_...}PROTO={protocol} SPT={src_port} DPT={dst_port} {_...}
  {_...}IN={src_interface} OUT= {_...}SRC={src_address} DST={dst_address} {_...}PROTO={protocol} SPT={src_port} DPT={dst_port} {_...}
  {_...}IN={src_interface} OUT= {_...}SRC={src_address} DST={dst_address} {_...}PROTO={protocol} {_...}
  Out of memory: Killed process {pid} ({process}) {_...}
  {_...}Out of memory: Kill{_} process {pid} ({process}) {_...}
  EXT4-fs error (device {device}): {reason...}
  {_...}I/O error, dev {device}, sector {_...}
  {_...} {device}: {_...}I/O error{_...}
on dhcpd
  DHCPACK on {address} to {mac} ({client}) via {interface}
  DHCPACK on {address} to {mac} via {interface}
  DHCPREQUEST for {address} from {mac} ({client}) via {interface}
  DHCPREQUEST for {address} {_...}from {mac} via {interface}
  DHCPDISCOVER from {mac} ({client}) via {interface}
  DHCPDISCOVER from {mac} via {interface}{_...}
  DHCPOFFER on {address} to {mac} {_...}via {interface}
on named
  client @{_} {address}#{port} ({name}): {reason...}
  client {address}#{port} ({name}): {reason...}
  zone {zone}: {reason...}
  transfer of '{zone}' from {neighbour}#{port}: {reason...}
on ntpd chronyd
  Selected source {neighbour} {_...}
  Selected source {neighbour}
  Source {neighbour} {state...}
on keepalived Keepalived_vrrp
  ({group}) Entering {state} STATE
  VRRP_Instance({group}) Entering {state} STATE
  VRRP_Instance({group}) Transition to {state} STATE
on haproxy
  Server {pool}/{member} is {state}{_...}
  {address}:{port} [{_}] {service} {pool}/{member} {_...}
on postfix/smtpd postfix/smtp postfix
  connect from {client}[{address}]
  disconnect from {client}[{address}]{_...}
  lost connection after {_} from {client}[{address}]
  NOQUEUE: reject: RCPT from {client}[{address}]: {reason...}
on bgpd zebra ospfd isisd watchfrr bird bird6
  {_...}%ADJCHANGE: neighbor {neighbour}({_...}) in vrf {vrf} {state}{_...}
  {_...}%ADJCHANGE: neighbor {neighbour} {state}{_...}
  {_...}AdjChg: Nbr {neighbour}({vrf}) on {interface}:{_}: {old_state} -> {state} ({reason...})
  {process}: State changed to {state}
  {process}: BGP session {state...}
  {process}: Received: {reason...}
on radiusd freeradius
  Login incorrect ({reason...}): [{user...}] (from client {client} port {port} cli {mac})
  Login incorrect{_...}: [{user...}] (from client {client} {_...}
  Login OK: [{user...}] (from client {client} port {port} cli {mac})
  Login OK: [{user...}] (from client {client} {_...}
  ({_}) Login incorrect ({reason...}): [{user...}] (from client {client} {_...}
  ({_}) Login OK: [{user...}] (from client {client} {_...}
on charon ipsec pluto
  {_}[IKE] IKE_SA {tunnel}[{_}] {state} between {address}[{_...}]...{neighbour}[{_...}]
  {_...}IKE_SA {tunnel}[{_}] {state} between {address}[{_...}]...{neighbour}[{_...}]
  {_...}CHILD_SA {tunnel} {_...}
on openvpn
  {user}/{address:port} {_...}
on smartd
  Device: {device} [{_...}], {reason...}
  Device: {device}, {reason...}
on apcupsd upsmon nut upsd
  UPS {device} {state...}
  Communications with UPS {device} {state...}
