# VMware ESXi and vCenter.
vendor vmware
programs Hostd Vpxa vpxd vmkernel vmkwarning hostd-probe Fdm VobUserMain vobd esxupdate Rhttpproxy

on vobd vmkernel
  {_...}[{event}] {_...}uplink: {interface}{_...}
  {_...}vmnic{nic} link {state}{_...}
on Hostd vpxd
  {_...}User {user}@{address} logged {state}{_...}
  {_...}Event {_} : User {user}@{address} logged {state}{_...}
