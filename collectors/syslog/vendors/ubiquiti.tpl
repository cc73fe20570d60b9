# Ubiquiti UniFi and EdgeSwitch.
vendor ubiquiti
programs hostapd mcad syswrapper ubnt-daemon ubntbox logread stahtd

on hostapd
  {interface}: STA {mac} IEEE 802.11: {state...}
  {interface}: STA {mac} {_...}
  {interface}: {event} {mac}{_...}
on mcad
  {_...}ace_reporter.{_...}
