# WatchGuard Fireware.
vendor watchguard
programs firewall http-proxy https-proxy iked-wg

on @pairs
  src_user = user
  policy_name = policy
  geo_src = src_country
