#pragma once
// A site's prelude and rules in the manner of LANGUAGE 7, for tests of this folder.
#include <string>

namespace belfry::rules::texts {

inline const std::string kPrelude = R"bell(
event trap   { oid: oid head, node: device, var: varbinds, via: string }
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
event probe  { check: string head, node: device, status: status, value: float?, label: labels, vantage: string }
event beat   { node: device, seq: int }

enum status   { up, degraded, down }
enum impact   { none, at_risk, degraded, outage }
enum tier     { corporate, solution, premium }
enum priority { P4, P3, P2, P1 }

table site     key name       { name: string, room_limit: float }                       from "inventory/sites.csv"
table device   key name       { name: string, ip: ip, site: site, role: string, pool: string?, tier: tier } from "inventory/devices.csv"
table customer key id         { id: string, name: string, tier: tier, manager: string } from "inventory/customers.csv"
table circuit  key id         { id: string, carrier: string, ref: string, spans: set<string>, customer: customer } from "inventory/circuits.csv"
table port     key node, ifname { node: device, ifname: string, circuit: circuit? }      from "inventory/ports.csv"
table session  key node, peer { node: device, peer: ip, name: string, ifname: string, customer: customer? } from "inventory/bgp.csv"
table works    key id         { id: string, carrier: string, refs: set<string>, start: time, end: time } from "feeds/notices.csv"

relation behind(device, device)   transitive from "inventory/uplinks.csv"
relation over(circuit, string)    from circuit.spans
relation housed(device, site)     from device.site
relation serves(device, customer) from "inventory/services.csv"

calendar office_hours { mon-fri 09:00-18:00 "Europe/Paris" except "fr_holidays" }

defaults { settle 10s  hold 2m  recover 2m  reopen within 30m  limit 100000 }

policy desk(impact: impact, tier: tier) -> priority {
  P1 if impact == outage   and tier >= solution
  P1 if impact == degraded and tier == premium
  P2 if impact == outage   or  tier == premium
  P3 if impact == degraded
  else P4
}
escalation run_24x7 {
  after 0m   notify "desk"
  after 15m  page   "run"             unless acked
  after 45m  page   "build"           unless mitigated
  after 60m  notify "service-manager" if tier == premium
}
escalation backbone { after 0m notify "desk"  after 10m page "run-network"  unless acked  after 40m page "build-network" unless mitigated }
escalation core_systems { after 0m notify "desk" }
)bell";

inline const std::string kHolidays =
    "date,name\n2026-07-14,Bastille day\n# no school\n2026-11-11\n";

inline const std::string kNetwork = R"bell(
signal if_down(node: device, ifname: string) "interface down" {
  raise trap   IF-MIB::linkDown  with ifname = var.ifDescr
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear trap   IF-MIB::linkUp    with ifname = var.ifDescr
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}

signal bgp_down(node: device, peer: ip) "BGP session down" {
  raise trap   BGP4-MIB::bgpBackwardTransition with peer = var.bgpPeerRemoteAddr
  raise syslog "%BGP-5-ADJCHANGE: neighbor {peer} Down{_}"
  clear trap   BGP4-MIB::bgpEstablished        with peer = var.bgpPeerRemoteAddr
  clear syslog "%BGP-5-ADJCHANGE: neighbor {peer} Up"
}

signal circuit_down(c: circuit) "circuit down" {
  raise when if_down(node, ifname) by c = port[node, ifname].circuit
}

rule fibre_cut "probable fibre cut" {
  when share(circuit_down(c), c.over(span)) >= 60% and distinct(circuit_down.c) >= 5 within 60s by span
  one by share, distinct
  settle 10s
  clear after 5m
  open {
    title    "Probable fibre cut on {span}: {affected.count} circuits, {customers.count} customers"
    severity critical
    impact   outage
    customer affected.customer
    escalate backbone
    runbook  "runbooks/fibre-cut.md"
  }
}

rule interface_down {
  when if_down for 20s
  open {
    title    "{node.name} {ifname} down"
    severity critical if port[node, ifname].circuit is some else minor
    customer port[node, ifname].circuit.customer
    escalate backbone
  }
}

cause fibre_cut(span) of interface_down(node, ifname) where port[node, ifname].circuit.over(span)
cause interface_down(node, ifname) of bgp_session_down(node, peer) where session[node, peer].ifname == ifname

rule bgp_session_down {
  when bgp_down for 30s
  open {
    title    "BGP {peer} ({session[node, peer].name}) down on {node.name}"
    severity major
    impact   at_risk
    customer session[node, peer].customer
    runbook  "runbooks/bgp.md"
    escalate backbone
  }
}

rule link_flap {
  when flaps(if_down) >= 5 within 10m by node, ifname
  clear quiet 30m
  open { title "{node.name} {ifname} flapping ({count}x in 10m)"  severity minor  impact at_risk  escalate backbone }
}
cause link_flap(node, ifname) of interface_down(node, ifname)

signal host_down(node: device) {
  raise probe "icmp" where status == down
  clear probe "icmp" where status == up
}

rule unreachable {
  when host_down for 60s
  open {
    title    "{node.name} unreachable, {symptoms.count} devices behind it"
    severity critical
    impact   outage if node.role == "switch" else degraded
    customer node.serves
    priority desk(impact, node.tier)
    escalate run_24x7 if node.tier >= solution else backbone
  }
}
cause unreachable(up) of unreachable(node) where node.behind(up)

test "interface failure explains the BGP session" {
  given session { node: "r1", peer: 10.0.0.2, ifname: "xe-0/0/1", name: "TRANSIT-A" }
  +0s   trap   { node: "r1", oid: IF-MIB::linkDown, var: { ifDescr: "xe-0/0/1" } }
  +4s   syslog { node: "r1", msg: "%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down Interface flap" }
  +60s  expect open interface_down("r1", "xe-0/0/1") { symptoms: 1 }
  +60s  expect no bgp_session_down
  +6m   expect closed interface_down("r1", "xe-0/0/1")
}
test "flaps" {
  +0s x 6 every 60s trap { node: "sw1", oid: IF-MIB::linkDown, var: { ifDescr: "ge-0/0/7" } }
  +6m expect 1 open
  +6m expect open link_flap("sw1", "ge-0/0/7")
  +6m expect no fibre_cut
}
test "dead switch" {
  given uplinks { "h1": "sw9", "h2": "sw9" }
  +0s   probe { check: "icmp", node: "h1",  status: down }
  +2m   expect open unreachable("sw9") { symptoms: 2 }
}
)bell";

}  // namespace belfry::rules::texts
