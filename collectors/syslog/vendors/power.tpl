# Power and cooling: APC and Schneider Electric, Eaton.
vendor apc
programs Device-UPS

on UPS
  {state...}. 0x{_}
  {state...}
on Environment
  {reason...} on probe {component}{_...}
on PDU
  {reason...} on outlet {component}{_...}
