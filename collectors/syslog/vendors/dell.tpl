# Dell OS9 (Force10): `%STKUNIT0-M:CP %IFMGR-5-OSTATE_DN: ...`; OS10 speaks as Cisco does.
vendor dell

on OSTATE_DN OSTATE_UP ASTATE_DN ASTATE_UP
  Changed interface state to {state}: {interface:joined}
  Changed interface Admin state to {state}: {interface:joined}
  Changed Vlan interface state to {state}: {interface:joined}
on ADJCHANGE
  Connection with neighbor {neighbour} {state...}
  {_...}neighbor {neighbour} {state...}
on CHMGR-5-PORT_IN PORT_IN
  {_...}
