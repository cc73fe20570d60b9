# HPE ProCurve and ArubaOS-Switch, Aruba CX.
vendor hpe
programs FFI ports-procurve hpe-restd hpe-config ops-switchd intfd

on ports
  port {interface} is now {state}
  port {interface} is Blocked by {reason}{state=blocked}
  port {interface} {_...}
  trunk {interface} is now {state...}
on chassis
  {component...} {state...}
on auth mgr ssl tftp
  User '{user}' {_...} from {address}{_...}
  User '{user}' {_...}
on Event
  {_}|LOG_{_}|{_}|{_}|Link status for interface {interface} is {state}{_...}
