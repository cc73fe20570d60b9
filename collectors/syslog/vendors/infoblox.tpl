# Infoblox NIOS; its DNS and DHCP speak as BIND and ISC do (linux.tpl).
vendor infoblox

on httpd
  {_} {_} [{user}]: {action} - - {_...}ip={address} {_...}
  {_} {_} [{user}]: {action} - {_...}
