# Citrix ADC (NetScaler): the feature and the name stand in the head of the body.
vendor citrix

on EVENT TCP SSLVPN SSLLOG AAA UI GUI CLI
  {feature} {event} {_} {_} : Device "server_{_}({member})" - State {state}{_...}
  {feature} {event} {_} {_} : Device "{member}" - State {state}{_...}
  {feature} {event} {_} {_} :  User {user} - {_...}Client_ip {address} {_...}
  {feature} {event} {_} {_} : User {user} - {_...}
