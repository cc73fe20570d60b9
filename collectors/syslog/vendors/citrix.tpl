# Citrix ADC (NetScaler): feature and event stand behind the packet engine.
vendor citrix
starts 0-PPE-

on 0-PPE-0 0-PPE-1 0-PPE-2 0-PPE-3 0-PPE-4 0-PPE-5 0-PPE-6 0-PPE-7
  {_} : {_} {feature} {event} {_} {_} : Device "{member...}" - State {state}{_...}
  {_} : {_} {feature} {event} {_} {_} : User {user} - {_...}Client_ip {address} {_...}
  {_} : {_} {feature} {event} {_} {_} : User {user} - {reason...}
  {_} : {_} {feature} {event} {_} {_} : {reason...}
