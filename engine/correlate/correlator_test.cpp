// Behaviour of the correlator, one promise of LANGUAGE 6 per test, as Bell text and a timeline.
#include <gtest/gtest.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

Timeline& with_session(Timeline& t) {
  t.row("device", {"r1", "PAR", "router", "", "premium"});
  t.row("session", {"r1", "10.0.0.2", "TRANSIT-A", "et0"});
  return t.start();
}

TEST(Correlator, OpensAfterForAndClosesWithItsPattern) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.go(19.9);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "none");
  t.go(20);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) due\n");
  const Incident opened = t.last("interface_down", "r1, et0");
  EXPECT_EQ(opened.title, "r1 et0 down");
  EXPECT_EQ(opened.severity, Severity::Minor);
  EXPECT_EQ(opened.nodes, std::vector<std::string>{"r1"});
  EXPECT_EQ(opened.tier, "premium");
  ASSERT_EQ(opened.evidence.size(), 1U);
  EXPECT_EQ(opened.evidence[0].text, "%LINK-3-UPDOWN: Interface et0, changed state to down");
  t.link(300, "r1", "et0", true);
  EXPECT_EQ(t.said(), "closed interface_down(r1, et0) pattern-ended\n");
  EXPECT_EQ(t.last("interface_down", "r1, et0").id, opened.id);
}

TEST(Correlator, ManySourcesAreOneFact) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.link(0.08, "r1", "et0", false);
  t.link(1, "r1", "et0", false);
  t.go(60);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) due\n");
  const Incident incident = t.live("interface_down", "r1, et0");
  EXPECT_EQ(incident.count, 3U);
  EXPECT_EQ(incident.flaps, 1U);
  t.link(70, "r1", "et0", false);
  EXPECT_EQ(t.said(), "") << "a repeat is no change";
  EXPECT_EQ(t.live("interface_down", "r1, et0").count, 4U);
}

TEST(Correlator, DeadlinesAreFullTicksAndEventsComeFirst) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0.0031, "r1", "et0", false);
  t.go(20.009);
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(t.fold().next_deadline().ns % 10'000'000, 0);
  t.link(20.01, "r1", "et0", true);  // at the very tick: the event is first
  t.go(21);
  EXPECT_EQ(t.said(), "");
  t.link(30, "r1", "et1", false);
  t.go(50);
  EXPECT_EQ(t.said(), "open interface_down(r1, et1) due\n");
}

TEST(Correlator, ClearBeforeRaise) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", true);
  t.link(0, "r1", "et0", false);
  t.go(20);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "open");
}

TEST(Correlator, InterfaceExplainsSession) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(60);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) due\n"
            "symptom bgp_session_down(r1, 10.0.0.2) explained\n"
            "open interface_down(r1, et0) updated\n");
  EXPECT_EQ(t.live("interface_down", "r1, et0").symptoms, 1U);
  EXPECT_EQ(t.last("bgp_session_down", "r1, 10.0.0.2").causes,
            std::vector<IncidentId>{t.last("interface_down", "r1, et0").id});
}

TEST(Correlator, SessionAloneOpensAfterSettle) {
  Timeline t(kLinks);
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  t.go(39.99);
  EXPECT_EQ(t.said(), "");
  t.go(40);
  EXPECT_EQ(t.said(), "open bgp_session_down(r1, 10.0.0.2) due\n");
  EXPECT_EQ(t.last("bgp_session_down", "r1, 10.0.0.2").title,
            "BGP 10.0.0.2 (TRANSIT-A) down on r1");
}

TEST(Correlator, LateCauseAdopts) {
  Timeline t(kLinks);
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  t.go(45);
  EXPECT_EQ(t.said(), "open bgp_session_down(r1, 10.0.0.2) due\n");
  t.link(50, "r1", "et0", false);
  t.go(69.99);
  EXPECT_EQ(t.said(), "") << "a pending cause adopts nothing";
  t.go(70);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) due\n"
            "symptom bgp_session_down(r1, 10.0.0.2) adopted\n"
            "open interface_down(r1, et0) updated\n");
}

TEST(Correlator, PendingCauseHoldsItsSymptom) {
  Timeline t(kLinks);
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  t.link(29, "r1", "et0", false);  // due at 49; the session is due at 30 and would open at 40
  t.go(48);
  EXPECT_EQ(t.said(), "");
  t.go(49);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) due\n"
            "symptom bgp_session_down(r1, 10.0.0.2) explained\n"
            "open interface_down(r1, et0) updated\n");
}

TEST(Correlator, BouncingCauseHoldsAtMostHold) {
  Timeline t(kLinks);
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  double at = 25;
  for (; at < 149; at += 10) {  // pending again and again, never due
    t.link(at, "r1", "et0", false);
    t.link(at + 9.5, "r1", "et0", true);
  }
  const std::string said = t.said();
  EXPECT_EQ(said, "open bgp_session_down(r1, 10.0.0.2) due\n");
}

TEST(Correlator, InterfaceBackBeforeItsSessionPagesNothing) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(200);
  t.said();
  t.link(200, "r1", "et0", true);
  EXPECT_EQ(t.said(),
            "closed interface_down(r1, et0) pattern-ended\n"
            "pending bgp_session_down(r1, 10.0.0.2) released\n");
  t.bgp(245, "r1", "10.0.0.2", true);
  t.go(400);
  EXPECT_EQ(t.said(), "closed bgp_session_down(r1, 10.0.0.2) pattern-ended\n");
}

TEST(Correlator, ReleasedOpensAfterRecover) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.link(200, "r1", "et0", true);
  t.go(319.99);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "pending");
  t.go(320);  // recover 2m outlasts for 30s + settle 10s
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "open");
}

TEST(Correlator, ReleasedGoesBackUnderACauseThatReturns) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.link(200, "r1", "et0", true);
  t.said();
  t.link(210, "r1", "et0", false);
  t.go(400);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) reopened\n"
            "symptom bgp_session_down(r1, 10.0.0.2) explained\n"
            "open interface_down(r1, et0) updated\n");
}

constexpr const char* kHosts = R"(
rule unreachable {
  when host_down for 60s
  open { title "{node.name} unreachable, {symptoms.count} behind"  severity critical }
}
cause unreachable(up) of unreachable(node) where node.behind(up)
)";

TEST(Correlator, DeadSwitchWhateverArrivesFirst) {
  const std::vector<std::vector<std::string>> orders{
      {"h1", "sw9", "h2"}, {"sw9", "h1", "h2"}, {"h2", "h1", "sw9"}};
  for (const std::vector<std::string>& order : orders) {
    Timeline t(kHosts);
    t.pair("behind", "h1", "sw9").pair("behind", "h2", "sw9").start();
    double at = 0;
    for (const std::string& node : order) {
      t.probe(at, "icmp", node, "down");
      at += 4;
    }
    t.go(120);
    EXPECT_EQ(t.count(IncidentState::Open), 1U);
    EXPECT_EQ(t.state("unreachable", "sw9"), "open");
    EXPECT_EQ(t.live("unreachable", "sw9").symptoms, 2U);
  }
}

TEST(Correlator, ChainOfThreePagesOnce) {
  Timeline t(kHosts);
  t.pair("behind", "c", "b").pair("behind", "b", "a").start();
  t.probe(0, "icmp", "c", "down");
  t.probe(20, "icmp", "b", "down");
  t.probe(40, "icmp", "a", "down");
  t.go(300);
  EXPECT_EQ(t.count(IncidentState::Open), 1U);
  EXPECT_EQ(t.count(IncidentState::Symptom), 2U);
  std::size_t opened = 0;
  for (const IncidentChange& change : t.all()) {
    opened += change.reason == IncidentReason::Due ? 1 : 0;
  }
  EXPECT_EQ(opened, 1U);
  // The middle comes back first: its symptom stays explained by the top.
  t.said();
  t.probe(310, "icmp", "b", "up");
  t.go(320);
  EXPECT_EQ(t.state("unreachable", "c"), "symptom");
}

TEST(Correlator, ProbeFedSymptomWaitsForAFreshProbe) {
  Timeline t(kHosts);
  t.pair("behind", "h1", "sw9").start();
  t.probe(0, "icmp", "sw9", "down");
  t.probe(1, "icmp", "h1", "down");
  t.go(100);
  t.probe(100, "icmp", "sw9", "up");
  EXPECT_EQ(t.state("unreachable", "h1"), "pending");
  t.go(1000);
  EXPECT_EQ(t.state("unreachable", "h1"), "pending") << "nobody has asked it since";
  t.probe(1001, "icmp", "h1", "down");
  EXPECT_EQ(t.state("unreachable", "h1"), "open");
}

TEST(Correlator, AProbeProvesThatAnAlarmIsOverWhoseClearWasLost) {
  Timeline t(R"(
signal session_lost(node: device) {
  raise syslog "session lost"
  clear syslog "session back"
  clear probe "session" where status == up
}
rule session { when session_lost  settle 0s  open { title "{node.name}"  severity major } }
)");
  t.start();
  t.syslog(0, "r1", "session lost");
  t.go(1);
  EXPECT_EQ(t.state("session", "r1"), "open");
  t.probe(100, "session", "r1", "unknown");
  t.probe(200, "session", "r1", "down");
  EXPECT_EQ(t.state("session", "r1"), "open") << "what failed, or confirms it, closes nothing";
  t.probe(300, "session", "r1", "up", "elsewhere");
  EXPECT_EQ(t.state("session", "r1"), "closed");
  const Incident closed = t.last("session", "r1");
  ASSERT_EQ(closed.evidence.size(), 2U);
  EXPECT_EQ(closed.evidence[0].text, "session lost");
  EXPECT_EQ(closed.evidence[1].at.ns - closed.began_at.ns, 300'000'000'000);
}

constexpr const char* kFlap = R"(
rule interface_down { when if_down for 20s  open { title "{node.name} {ifname} down"  severity minor } }
rule link_flap {
  when flaps(if_down) >= 5 within 10m by node, ifname
  clear quiet 30m
  open { title "{node.name} {ifname} flapping {flaps}x"  severity minor }
}
cause link_flap(node, ifname) of interface_down(node, ifname)
)";

TEST(Correlator, FiveFlapsAreOneIncident) {
  Timeline t(kFlap);
  t.start();
  for (int i = 0; i < 6; ++i) {
    t.link(60.0 * i, "sw1", "ge7", false);
    t.link(60.0 * i + 5, "sw1", "ge7", true);
  }
  t.go(360);
  EXPECT_EQ(t.said(), "open link_flap(sw1, ge7) due\n");
  EXPECT_EQ(t.last("link_flap", "sw1, ge7").title, "sw1 ge7 flapping 5x");
  EXPECT_EQ(t.live("link_flap", "sw1, ge7").flaps, 6U);
  t.go(2099.99);
  EXPECT_EQ(t.state("link_flap", "sw1, ge7"), "clearing");
  t.go(2100);  // 30 minutes after the last raise at 300
  EXPECT_EQ(t.state("link_flap", "sw1, ge7"), "closed");
  EXPECT_EQ(t.state("interface_down", "sw1, ge7"), "none");
}

TEST(Correlator, WindowIsOpenAtItsFarEnd) {
  Timeline t(
      R"(rule many { when count(if_down) >= 3 within 10s by node  open { title "{count}" } })");
  t.start();
  t.link(0, "r1", "a", false);
  t.link(5, "r1", "a", false);
  t.link(10, "r1", "a", false);  // (0, 10] holds two
  EXPECT_EQ(t.said(), "");
  t.link(14.9, "r1", "a", false);
  EXPECT_EQ(t.said(), "open many(r1) due\n");
  EXPECT_EQ(t.last("many", "r1").title, "3");
  t.go(14.99);
  EXPECT_EQ(t.said(), "");
  t.go(15);
  EXPECT_EQ(t.said(), "closed many(r1) pattern-ended\n");
}

TEST(Correlator, RepeatsCountAsManyRaises) {
  Timeline t(
      R"(rule many { when count(if_down) >= 100 within 64s by node  open { title "{count}" } })");
  t.start();
  t.syslog(0, "r1", "%LINK-3-UPDOWN: Interface a, changed state to down", 99);
  EXPECT_EQ(t.said(), "");
  t.link(1, "r1", "a", false);
  EXPECT_EQ(t.said(), "open many(r1) due\n");
  t.go(63.99);
  EXPECT_EQ(t.said(), "");
  t.go(64);  // the slice of the 99 leaves
  EXPECT_EQ(t.said(), "closed many(r1) pattern-ended\n");
}

constexpr const char* kFibre = R"(
signal circuit_down(c: circuit) { raise when if_down(node, ifname) by c = port[node, ifname].circuit }
rule fibre_cut "probable fibre cut" {
  when share(circuit_down(c), c.over(span)) >= 60% and distinct(circuit_down.c) >= 3 within 60s by span
  one by share, distinct
  settle 10s
  clear after 5m
  open {
    title    "Probable fibre cut on {span}: {affected.count} circuits, {customers.count} customers"
    severity critical
    impact   outage
    customer affected.customer
  }
}
rule interface_down {
  when if_down for 20s
  open { title "{node.name} {ifname} down"  severity minor  customer port[node, ifname].circuit.customer }
}
cause fibre_cut(span) of interface_down(node, ifname) where port[node, ifname].circuit.over(span)
)";

void fibre_network(Timeline& t) {
  // Span X carries c1..c4, span Y carries c3, c4, c5, c6.
  const std::vector<std::string> spans{"X", "X", "X Y", "X Y", "Y", "Y"};
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const std::string n = std::to_string(i + 1);
    t.row("customer", {"k" + n, "Customer " + n, i == 1 ? "premium" : "corporate"});
    t.row("circuit", {"c" + n, spans[i], "k" + n});
    t.row("port", {"r" + n, "et0", "c" + n});
  }
  t.start();
}

TEST(Correlator, FibreCutCarriesItsInterfaces) {
  Timeline t(kFibre);
  fibre_network(t);
  for (int i = 1; i <= 4; ++i) {
    t.link(i, "r" + std::to_string(i), "et0", false);
  }
  t.go(60);
  EXPECT_EQ(t.state("fibre_cut", "X"), "open");
  EXPECT_EQ(t.count(IncidentState::Open), 1U);
  EXPECT_EQ(t.live("fibre_cut", "X").symptoms, 4U);
  const Incident cut = t.last("fibre_cut", "X");
  EXPECT_EQ(cut.customers, (std::vector<std::string>{"k1", "k2", "k3", "k4"}));
  EXPECT_EQ(cut.tier, "premium");
  EXPECT_EQ(cut.nodes, (std::vector<std::string>{"r1", "r2", "r3", "r4"}));
  EXPECT_EQ(cut.title, "Probable fibre cut on X: 4 circuits, 4 customers");
}

TEST(Correlator, FibreCutLastsAsLongAsTheFibreIsCut) {
  Timeline t(kFibre);
  fibre_network(t);
  for (int i = 1; i <= 4; ++i) {
    t.link(i, "r" + std::to_string(i), "et0", false);
  }
  t.go(7200);
  EXPECT_EQ(t.state("fibre_cut", "X"), "open");
  t.said();
  t.link(7200, "r1", "et0", true);
  t.go(7300);
  EXPECT_EQ(t.state("fibre_cut", "X"), "open") << "three of four still";
  t.link(7300, "r2", "et0", true);
  EXPECT_EQ(t.state("fibre_cut", "X"), "clearing");
  t.go(7599);
  EXPECT_EQ(t.state("interface_down", "r3, et0"), "symptom") << "a clearing cause explains";
  t.go(7600);
  EXPECT_EQ(t.state("fibre_cut", "X"), "closed");
  EXPECT_EQ(t.state("interface_down", "r3, et0"), "pending");
}

TEST(Correlator, RaisesTooFarApartAreNoCut) {
  Timeline t(kFibre);
  fibre_network(t);
  for (int i = 1; i <= 4; ++i) {
    t.link(50.0 * i, "r" + std::to_string(i), "et0", false);
  }
  t.go(1000);
  EXPECT_EQ(t.state("fibre_cut", "X"), "none");
  EXPECT_EQ(t.count(IncidentState::Open), 4U);
}

TEST(Correlator, OneByOpensTheGreatest) {
  Timeline t(kFibre);
  fibre_network(t);
  for (const int i : {3, 4, 5, 1, 2}) {  // X: 4 of 4, Y: 3 of 4
    t.link(1, "r" + std::to_string(i), "et0", false);
  }
  t.go(60);
  EXPECT_EQ(t.state("fibre_cut", "X"), "open");
  EXPECT_EQ(t.state("fibre_cut", "Y"), "symptom");
  EXPECT_EQ(t.count(IncidentState::Open), 1U);
}

TEST(Correlator, ReopensWithinReopenWithTheSameId) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.go(20);
  const IncidentId first = t.last("interface_down", "r1, et0").id;
  t.link(100, "r1", "et0", true);
  t.link(1800, "r1", "et0", false);
  t.go(1900);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) due\n"
            "closed interface_down(r1, et0) pattern-ended\n"
            "open interface_down(r1, et0) reopened\n");
  EXPECT_EQ(t.last("interface_down", "r1, et0").id, first);
  t.link(2000, "r1", "et0", true);
  t.link(3800.1, "r1", "et0", false);
  t.go(4000);
  EXPECT_NE(t.last("interface_down", "r1, et0").id, first);
}

TEST(Correlator, ClosedByHandStaysClosedUntilThePatternWasFalse) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.go(30);
  EXPECT_TRUE(t.close(30, "interface_down", "r1, et0").ok);
  EXPECT_EQ(t.close(31, "interface_down", "r1, et0").code, Code::Conflict);
  t.link(60, "r1", "et0", false);
  t.go(90);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) due\nclosed interface_down(r1, et0) by-hand\n");
  t.link(100, "r1", "et0", true);
  t.link(110, "r1", "et0", false);
  t.go(140);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) reopened\n");
}

TEST(Correlator, ClosingACauseByHandReleases) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(60);
  t.said();
  t.close(60, "interface_down", "r1, et0");
  EXPECT_EQ(t.said(),
            "closed interface_down(r1, et0) by-hand\n"
            "pending bgp_session_down(r1, 10.0.0.2) released\n");
}

constexpr const char* kAlerts = R"(
signal firing(node: device, name: string) {
  raise alert where state == "firing"
  clear alert where state == "resolved"
  expire 10m
}
rule alerting { when firing  open { title "{name} on {node.name}" } }
)";

TEST(Correlator, AnAlertHoldsUntilItsLeaseEndsAndEachPostRenewsIt) {
  Timeline t(kAlerts);
  t.start();
  t.alert(0, "DiskFull", "r1", "firing", 240);
  t.alert(60, "DiskFull", "r1", "firing", 300);
  t.go(299.99);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "open");
  t.restart();
  t.go(300);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "closed");
}

TEST(Correlator, AnAlertWithoutALeaseFallsBackToTheSignalsExpiry) {
  Timeline t(kAlerts);
  t.start();
  t.alert(0, "DiskFull", "r1", "firing", 240);
  t.alert(60, "DiskFull", "r1", "firing");  // by another way, which knows of no end
  t.go(300);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "open");
  t.go(660);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "closed");
  t.alert(700, "DiskFull", "r1", "firing", 5000);  // the shorter of both counts
  t.go(1299.99);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "open");
  t.go(1300);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "closed");
}

TEST(Correlator, ALeaseStartsAnewAfterDeafness) {
  Timeline t(kAlerts);
  t.start();
  t.alert(0, "DiskFull", "r1", "firing", 240);
  t.deaf(100, 400);
  t.go(639.99);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "open");
  t.go(640);
  EXPECT_EQ(t.state("alerting", "r1, DiskFull"), "closed");
}

TEST(Correlator, ExpiryClearsAndStartsAnewAfterDeafness) {
  Timeline t(R"(
signal noise(node: device) { raise syslog "noise"  expire 60s }
rule noisy { when noise  open { title "noisy" } }
)");
  t.start();
  t.syslog(0, "r1", "noise");
  t.syslog(50, "r1", "noise");
  t.go(109.99);
  EXPECT_EQ(t.state("noisy", "r1"), "open");
  t.go(110);
  EXPECT_EQ(t.state("noisy", "r1"), "closed");
  t.syslog(200, "r1", "noise");
  t.deaf(210, 1000);
  EXPECT_EQ(t.state("noisy", "r1"), "open");
  t.go(1059.99);
  EXPECT_EQ(t.state("noisy", "r1"), "open");
  t.go(1060);
  EXPECT_EQ(t.state("noisy", "r1"), "closed");
}

TEST(Correlator, PerVantageIsUpOnlyWhenEveryRaiserCleared) {
  Timeline t(R"(
signal silent(node: device) {
  raise probe "dns" where status == down per vantage
  clear probe "dns" where status == up per vantage
}
rule dns { when silent  open { title "dns" } }
)");
  t.start();
  t.probe(0, "dns", "ns1", "down", "par");
  t.probe(1, "dns", "ns1", "down", "lyo");
  t.probe(2, "dns", "ns1", "up", "par");
  EXPECT_EQ(t.state("dns", "ns1"), "open");
  t.probe(3, "dns", "ns1", "up", "ams");
  EXPECT_EQ(t.state("dns", "ns1"), "open");
  t.probe(4, "dns", "ns1", "up", "lyo");
  EXPECT_EQ(t.state("dns", "ns1"), "closed");
}

TEST(Correlator, RulesChainAndShareIsOfThePopulation) {
  Timeline t(R"(
rule unreachable { when host_down for 60s  open { title "x" } }
rule site_dark {
  when share(unreachable(node), node.housed(site)) >= 50% within 5m by site
  open { title "{site.name}: {affected.count} of it" }
}
cause site_dark(site) of unreachable(node) where node.housed(site)
)");
  t.row("site", {"PAR"});
  for (const char* node : {"a", "b", "c", "d"}) {
    t.row("device", {node, "PAR", "host", "", "premium"});
  }
  t.start();
  t.probe(0, "icmp", "a", "down");
  t.probe(1, "icmp", "b", "down");
  t.go(200);
  EXPECT_EQ(t.state("site_dark", "PAR"), "open");
  EXPECT_EQ(t.last("site_dark", "PAR").title, "PAR: 2 of it");
  EXPECT_EQ(t.count(IncidentState::Symptom), 2U) << "being explained does not change its signal";
  t.probe(300, "icmp", "a", "up");
  EXPECT_EQ(t.state("site_dark", "PAR"), "closed");
}

TEST(Correlator, MissingCoversDevicesNeverSeen) {
  Timeline t(R"(
signal alive(node: device) { raise beat }
rule heartbeat_lost { when missing alive for 3m by node where node.role == "probe"  open { title "{silence}" } }
)");
  t.row("device", {"p1", "PAR", "probe", "", "premium"});
  t.row("device", {"p2", "PAR", "probe", "", "premium"});
  t.row("device", {"r1", "PAR", "router", "", "premium"});
  t.start();
  t.beat(60, "p1");
  t.beat(61, "stranger");
  t.go(180);
  EXPECT_EQ(t.said(), "open heartbeat_lost(p2) due\n");
  t.beat(200, "p2");
  EXPECT_EQ(t.said(), "closed heartbeat_lost(p2) pattern-ended\n");
  t.go(240);
  EXPECT_EQ(t.said(), "open heartbeat_lost(p1) due\n");
  t.deaf(250, 2000);
  EXPECT_EQ(t.said(), "");
  t.go(2179.99);
  EXPECT_EQ(t.said(), "");
  t.go(2180);
  EXPECT_EQ(t.said(), "open heartbeat_lost(p2) due\n");
}

TEST(Correlator, Sequences) {
  Timeline t(R"(
signal a(node: device) { raise syslog "a up"  clear syslog "a gone" }
signal b(node: device) { raise syslog "b up"  clear syslog "b gone" }
rule both { when a(x) then b(x) within 30s  open { title "both" } }
rule alone { when a(x) then not b(x) within 30s  open { title "alone" } }
)");
  t.start();
  t.syslog(0, "n", "a up");
  t.syslog(30, "n", "b up");
  EXPECT_EQ(t.said(), "open both(n) due\n");
  t.syslog(40, "n", "b gone");
  EXPECT_EQ(t.said(), "closed both(n) pattern-ended\n");
  t.syslog(50, "n", "b up");
  EXPECT_EQ(t.said(), "") << "a is too old";
  t.syslog(60, "m", "a up");
  t.go(90);
  EXPECT_EQ(t.said(), "open alone(m) due\n");
  t.syslog(91, "m", "b up");
  EXPECT_EQ(t.said(), "closed alone(m) pattern-ended\n");
}

TEST(Correlator, ReloadOfTheSameRulesKeepsEverything) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.link(10, "r1", "et1", false);
  const std::uint64_t before = t.fold().state_hash();
  t.new_rules(10, kLinks);
  EXPECT_EQ(t.fold().state_hash(), before);
  t.go(60);
  EXPECT_EQ(t.live("interface_down", "r1, et0").symptoms, 1U);
  EXPECT_EQ(t.state("interface_down", "r1, et1"), "open");
}

TEST(Correlator, RemovedRuleClosesItsIncidents) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(60);
  t.said();
  t.new_rules(60, R"(rule bgp_session_down { when bgp_down for 30s  open { title "BGP" } })");
  EXPECT_EQ(t.said(),
            "closed interface_down(r1, et0) rule-removed\n"
            "pending bgp_session_down(r1, 10.0.0.2) released\n");
}

TEST(Correlator, RemovedRowClosesItsIncidentsAfterSettle) {
  Timeline t(kHosts);
  t.row("device", {"h1", "PAR", "host", "", "premium"}).start();
  t.probe(0, "icmp", "h1", "down");
  t.go(100);
  t.said();
  t.drop_row("device", "h1");
  t.new_inventory(100);
  t.go(109.99);
  EXPECT_EQ(t.said(), "");
  t.go(110);
  EXPECT_EQ(t.said(), "closed unreachable(h1) inventory-removed\n");
}

TEST(Correlator, InventoryThatExplainsAdopts) {
  Timeline t(kLinks);
  t.row("device", {"r1", "PAR", "router", "", "premium"}).start();
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(60);
  EXPECT_EQ(t.count(IncidentState::Open), 2U);
  t.row("session", {"r1", "10.0.0.2", "TRANSIT-A", "et0"});
  t.new_inventory(70);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "symptom");
}

TEST(Correlator, FullRuleMakesOneOverflowIncident) {
  Timeline t(R"(rule down { when if_down limit 3 open { title "down" } })");
  t.start();
  for (int i = 0; i < 6; ++i) {
    t.link(i, "r1", "et" + std::to_string(i), false);
  }
  EXPECT_EQ(t.state("down", "(overflow)"), "open");
  EXPECT_EQ(t.count(IncidentState::Open), 4U);
  EXPECT_EQ(t.fold().sizes().rule_keys, 3U);
}

TEST(Correlator, IdleKeysAreEvictedFirst) {
  Timeline t(R"(rule flap { when flaps(if_down) >= 5 within 10m limit 3 open { title "flap" } })");
  t.start();
  for (int i = 0; i < 10; ++i) {
    t.link(i, "r1", "et" + std::to_string(i), false);
    t.link(i + 0.5, "r1", "et" + std::to_string(i), true);
  }
  EXPECT_EQ(t.state("flap", "(overflow)"), "none");
  EXPECT_EQ(t.fold().sizes().rule_keys, 3U);
}

TEST(Correlator, NothingIsLeftWhenAllIsOver) {
  Timeline t(kFibre);
  fibre_network(t);
  for (int i = 1; i <= 6; ++i) {
    t.link(i, "r" + std::to_string(i), "et0", false);
  }
  t.go(1000);
  for (int i = 1; i <= 6; ++i) {
    t.link(1000 + i, "r" + std::to_string(i), "et0", true);
  }
  t.go(10000);
  const Correlator::Sizes sizes = t.fold().sizes();
  EXPECT_EQ(sizes.signal_keys, 0U);
  EXPECT_EQ(sizes.rule_keys, 0U);
  EXPECT_EQ(sizes.incidents, 0U);
  EXPECT_EQ(sizes.strings, 0U);
  EXPECT_EQ(t.fold().next_deadline(), kNever);
}

/// The same stream with a restart after every step says the same.
TEST(Correlator, SnapshotInTheMiddleOfEverything) {
  const auto play = [](Timeline& t, bool restarts) {
    const auto pause = [&] {
      if (restarts) {
        t.restart();
      }
    };
    fibre_network(t);
    for (int i = 1; i <= 5; ++i) {
      t.link(i, "r" + std::to_string(i), "et0", false);
      pause();
    }
    for (double at = 6; at < 200; at += 4.5) {
      t.go(at);
      pause();
    }
    for (int i = 1; i <= 5; ++i) {
      t.link(200 + 30 * i, "r" + std::to_string(i), "et0", true);
      pause();
      t.go(210 + 30 * i);
      pause();
    }
    for (double at = 400; at < 3000; at += 97) {
      t.go(at);
      pause();
    }
    return t.said();
  };
  Timeline plain(kFibre), restarted(kFibre);
  const std::string expected = play(plain, false);
  EXPECT_EQ(play(restarted, true), expected);
  EXPECT_NE(expected, "");
}

/// The parts that the reference interpreter does not have, restarted after every input.
TEST(Correlator, SnapshotOfSequencesMissingVantagesAndExpiry) {
  constexpr const char* kMixed = R"(
signal a(node: device) { raise syslog "a up"  clear syslog "a gone" }
signal b(node: device) { raise syslog "b up"  clear syslog "b gone" }
signal noise(node: device, word: string) { raise syslog "noise {word}"  expire 7s }
signal alive(node: device) { raise beat }
signal silent(node: device) {
  raise probe "dns" where status == down per vantage
  clear probe "dns" where status == up per vantage
}
rule both { when a(x) then b(x) within 30s  clear after 5s  open { title "both" } }
rule alone { when a(x) then not b(x) within 30s  open { title "alone" } }
rule loud { when count(noise) >= 100 within 64s by node  clear quiet 10s  open { title "{count}" } }
rule words { when distinct(noise.word) >= 2 within 5s by node  open { title "{distinct}" } }
rule dns { when silent for 3s  open { title "dns" } }
rule lost { when missing alive for 20s by node where node.role == "probe"  open { title "{silence}" } }
cause dns(node) of words(node)
cause both(node) of alone(node)
)";
  const auto play = [&](bool restarts) {
    Timeline t(kMixed);
    t.row("device", {"p1", "PAR", "probe", "", "premium"});
    t.row("device", {"p2", "PAR", "probe", "", "premium"}).start();
    std::uint64_t random = 12345;
    const auto below = [&](std::uint64_t n) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      return (random >> 33) % n;
    };
    double at = 0;
    for (int i = 0; i < 400; ++i) {
      at += 0.13 * static_cast<double>(below(40));
      const std::string node = below(2) == 0 ? "p1" : "p2";
      switch (below(7)) {
        case 0:
          t.syslog(at, node, below(2) == 0 ? "a up" : "a gone");
          break;
        case 1:
          t.syslog(at, node, below(2) == 0 ? "b up" : "b gone");
          break;
        case 2:
        case 3:
          t.syslog(at, node, "noise w" + std::to_string(below(3)),
                   static_cast<std::uint32_t>(1 + below(30)));
          break;
        case 4:
          t.beat(at, node);
          break;
        case 5:
          t.probe(at, "dns", node, below(2) == 0 ? "down" : "up", "v" + std::to_string(below(2)));
          break;
        default:
          t.go(at);
          break;
      }
      if (restarts) {
        t.restart();
      }
    }
    t.go(at + 5000);
    return t.said();
  };
  const std::string expected = play(false);
  EXPECT_EQ(play(true), expected);
  for (const char* rule : {"both(", "alone(", "loud(", "words(", "dns(", "lost("}) {
    EXPECT_NE(expected.find(rule), std::string::npos) << rule;
  }
}

TEST(Correlator, SilencedIsPlannedUntilItEnds) {
  Timeline t(kLinks);
  with_session(t);
  t.silence(0, "interface_down(r1, *", 100);
  t.link(10, "r1", "et0", false);
  t.go(50);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "planned");
  t.restart();
  t.go(99.99);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "planned");
  t.go(100);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "open");
}

TEST(Correlator, BadSnapshotsAreRefused) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.go(30);
  ByteWriter bytes;
  t.fold().save(bytes);
  for (std::size_t cut = 0; cut < bytes.bytes().size(); cut += 7) {
    Timeline fresh(kLinks);
    with_session(fresh);
    const std::string part = bytes.bytes().substr(0, cut);
    ByteReader reader(part);
    EXPECT_FALSE(fresh.fold().load(reader).has_value()) << cut;
  }
}

TEST(Correlator, MembersAreAllEventsOfAllItsKeys) {
  Timeline t(kFibre, {.keep_members = true});
  fibre_network(t);
  for (int i = 1; i <= 4; ++i) {
    t.link(i, "r" + std::to_string(i), "et0", false);
  }
  t.go(100);
  t.link(101, "r1", "et0", true);
  for (const IncidentMembers& members : t.fold().members()) {
    if (members.id == t.last("fibre_cut", "X").id) {
      EXPECT_EQ(members.members.size(), 5U);
      ASSERT_EQ(members.alarms.size(), 4U);
      EXPECT_EQ(members.alarms[0].signal, "if_down");
      EXPECT_EQ(members.alarms[0].key, "r1, et0");
      EXPECT_EQ(members.alarms[0].events.size(), 2U);
    }
  }
}

}  // namespace
}  // namespace belfry::correlate::test
