# Cisco ASA, Firepower, FWSM: keys are message numbers.
vendor cisco

on 302013 302015 302017 302020 302303
  Built {direction} {protocol} connection {session} for {src_interface}:{src_address}/{src_port} ({_...}) to {dst_interface}:{dst_address}/{dst_port} {_...}
  Built {direction} {protocol} connection {session} for {src_interface}:{src_address}/{src_port} {_...}
  Built {direction} {protocol} connection for faddr {dst_address}/{_...}
on 302014 302016 302018 302021 302304
  Teardown {protocol} connection {session} for {src_interface}:{src_address}/{src_port} to {dst_interface}:{dst_address}/{dst_port} {_...}
  Teardown {protocol} connection {session} for {src_interface}:{src_address}/{src_port} {_...}
  Teardown {protocol} connection for faddr {dst_address}/{_...}
on 305011 305012
  Built {_} {protocol} translation from {src_interface}:{src_address}/{src_port} to {dst_interface}:{nat_src_address}/{nat_src_port}
  Teardown {_} {protocol} translation from {src_interface}:{src_address}/{src_port} to {dst_interface}:{nat_src_address}/{nat_src_port} {_...}
on 106023
  Deny {protocol} src {src_interface}:{src_address}/{src_port} dst {dst_interface}:{dst_address}/{dst_port} by access-group "{policy}"{_...}{action=deny}
  Deny {protocol} src {src_interface}:{src_address} dst {dst_interface}:{dst_address} {_...}{action=deny}
on 106100
  access-list {policy} {action} {protocol} {src_interface}/{src_address}({src_port}) -> {dst_interface}/{dst_address}({dst_port}) {_...}
on 106001 106006 106007 106010 106014 106015 106021
  Inbound {protocol} connection denied from {src_address}/{src_port} to {dst_address}/{dst_port} {_...} on interface {interface}{action=deny}
  Deny inbound {protocol} from {src_address}/{src_port} to {dst_address}/{dst_port} on interface {interface}{action=deny}
  Deny inbound {protocol} src {src_interface}:{src_address} dst {dst_interface}:{dst_address} {_...}{action=deny}
  Deny {protocol} (no connection) from {src_address}/{src_port} to {dst_address}/{dst_port} flags {_...} on interface {interface}{action=deny}
  Deny {protocol} reverse path check from {src_address} to {dst_address} on interface {interface}{action=deny}
on 113004 113005 113012 113014 113015
  AAA user {_...} server = {server} : user = {user}
  AAA user {_...}user = {user}{_...}
on 113019
  Group = {group}, Username = {user}, IP = {address}, {_...}Reason: {reason...}
on 113039 722022 722023 722028 722033 722034 722037 722041 722051 716001 716002
  Group <{group}> User <{user}> IP <{address}> {_...}
on 611101 611102 611103 605004 605005
  User authentication {state}: IP address: {address}, Uname: {user}
  User authentication {state}: Uname: {user}
  User logged out: Uname: {user}
  Login {state} from {address}/{port} to {interface}:{_} for user "{user}"
on 111008 111010
  User '{user}' executed the '{command...}' command.
  User '{user}', running '{_...}' from IP {address}, executed '{command...}'
on 411001 411002 411003 411004
  Line protocol on Interface {interface}, changed state to {state}
  Configuration status on interface {interface} changed state to {state}
on 713119 713120 713123 713259 713050
  Group = {group}, IP = {neighbour}, {reason...}
  Group = {group}, Username = {user}, IP = {neighbour}, {reason...}
on 402119 402116 750001 750002 750003 750006 750007
  Local:{address:port} Remote:{neighbour:port} Username:{user} {_...}
on 105005 105008 105009 104001 104002 105002 105003 105004 105006 105007
  ({unit}) Lost Failover communications with mate on interface {interface}
  ({unit}) {_...} interface {interface} {state...}
  ({unit}) {reason...}
on 336010
  EIGRP-{_} {process}: Neighbor {neighbour} ({interface}) is {state}: {reason...}
on 318107 409023
  {_...}Nbr {neighbour} on {interface} from {old_state} to {state}, {reason...}
on 733100 733101
  [{source}] drop rate-{_} exceeded. {reason...}
on 710003 710005
  {protocol} access denied by ACL from {src_address}/{src_port} to {interface}:{dst_address}/{dst_port}
  {protocol} request discarded from {src_address}/{src_port} to {interface}:{dst_address}/{dst_port}
