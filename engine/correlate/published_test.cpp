// Published bugs of the engines before us, each as a test that would have caught it (LANGUAGE 12),
// and stories that a desk would tell. kibana#215634 is in maintenance_test.cpp.
#include <gtest/gtest.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

Timeline& with_session(Timeline& t) {
  t.row("device", {"r1", "PAR", "router", "", "premium"});
  t.row("session", {"r1", "10.0.0.2", "TRANSIT-A", "et0"});
  return t.start();
}

std::size_t opened(const Timeline& t) {
  std::size_t n = 0;
  for (const IncidentChange& change : t.all()) {
    n += change.reason == IncidentReason::Due || change.reason == IncidentReason::Reopened ? 1 : 0;
  }
  return n;
}

/// The symptom notifies because its cause was evaluated a moment later.
TEST(Published, Alertmanager2229_LateCause) {
  for (const double late : {0.0, 1.0, 25.0, 29.0, 45.0, 300.0}) {
    Timeline t(kLinks);
    with_session(t);
    t.bgp(0, "r1", "10.0.0.2", false);
    t.link(late, "r1", "et0", false);
    t.go(600);
    EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "symptom") << late;
    EXPECT_EQ(opened(t), late < 40 ? 1U : 2U) << late << ": due at 30 s, settled at 40 s";
  }
}

/// After a restart the inhibited alert is heard before what inhibits it.
TEST(Published, Alertmanager4064_RestartWithInhibition) {
  for (const double at : {1.0, 10.0, 25.0, 35.0, 60.0}) {
    Timeline t(kLinks);
    with_session(t);
    t.link(0, "r1", "et0", false);
    t.bgp(4, "r1", "10.0.0.2", false);
    t.go(at);
    t.restart();
    t.bgp(at + 0.1, "r1", "10.0.0.2", false);
    t.go(600);
    EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "symptom") << at;
    EXPECT_EQ(opened(t), 1U) << at;
  }
}

/// A longer `for` in new rules leaves what fires firing.
TEST(Published, Prometheus18243_ForChangeOnReload) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.go(25);
  std::string longer = kLinks;
  longer.replace(longer.find("for 20s"), 7, "for 60s");
  t.new_rules(30, longer);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "closed");
  t.go(60);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "open") << "60 s since the link went down";
}

/// A threshold that counts what was resolved long ago.
TEST(Published, Keep5115_ResolvedAlertsInAThreshold) {
  Timeline t(R"(
rule port_down { when if_down  open { title "port" } }
rule many { when count(port_down) >= 3 within 10m by node  open { title "{count}" } }
)");
  t.start();
  for (const char* port : {"a", "b", "c", "d"}) {
    t.link(10, "r1", port, false);
    t.link(20, "r1", port, true);
  }
  t.link(21, "r1", "a", false);
  EXPECT_EQ(t.state("many", "r1"), "none") << "one port is down, whatever was before";
  t.link(22, "r1", "b", false);
  t.link(23, "r1", "c", false);
  EXPECT_EQ(t.last("many", "r1").title, "3");
}

/// The child's timers ran on while its parent carried it, so that it alarms at once when released.
TEST(Published, Librenms20359_ChildTimersUnderSuppression) {
  Timeline t(R"(
rule unreachable { when host_down for 60s  recover 10s  open { title "x" } }
cause unreachable(up) of unreachable(node) where node.behind(up)
)");
  t.pair("behind", "h1", "sw9").start();
  t.probe(0, "icmp", "sw9", "down");
  t.probe(1, "icmp", "h1", "down");
  t.go(7200);
  t.said();
  t.probe(7200, "icmp", "sw9", "up");
  t.probe(7201, "icmp", "h1", "down");
  EXPECT_EQ(t.said(),
            "closed unreachable(sw9) pattern-ended\n"
            "pending unreachable(h1) released\n");
  t.go(7269.99);
  EXPECT_EQ(t.said(), "") << "for 60s and settle 10s from the release on";
  t.go(7270);
  EXPECT_EQ(t.state("unreachable", "h1"), "open");
  const Incident h1 = t.last("unreachable", "h1");
  EXPECT_EQ((h1.opened_at.ns - h1.began_at.ns) / 1'000'000'000, 7269) << "escalation begins here";
}

/// Delivered out of order: the clear is handled before its raise, and the pair "flaps".
TEST(Published, OpenNms2266_ClearBeforeRaise) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", true);
  t.link(0, "r1", "et0", false);
  t.go(7200);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) due\n") << "the last word counts";
  t.link(7200, "r1", "et0", true);
  t.link(7200, "r1", "et0", true);
  EXPECT_EQ(t.said(), "closed interface_down(r1, et0) pattern-ended\n");
  EXPECT_EQ(t.last("interface_down", "r1, et0").flaps, 1U);
}

/// grouping-by() as a heartbeat watch keeps every beat.
TEST(Published, SyslogNg_HeartbeatsTakeNoMemory) {
  Timeline t(R"(
signal alive(node: device) { raise beat }
rule lost { when missing alive for 3m by node where node.role == "probe"  open { title "" } }
)");
  for (int i = 0; i < 10; ++i) {
    t.row("device", {"p" + std::to_string(i), "PAR", "probe", "", "premium"});
  }
  t.start();
  const auto beat = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      t.beat(i * 0.1, "p" + std::to_string(i % 10));
    }
  };
  beat(0, 100);
  const Correlator::Sizes before = t.fold().sizes();
  beat(100, 20'000);
  const Correlator::Sizes after = t.fold().sizes();
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.signal_keys, 10U);
  EXPECT_EQ(after.timers, before.timers);
  EXPECT_EQ(t.said(), "");
}

constexpr const char* kFibre = R"(
signal circuit_down(c: circuit) { raise when if_down(node, ifname) by c = port[node, ifname].circuit }
rule fibre_cut {
  when share(circuit_down(c), c.over(span)) >= 60% and distinct(circuit_down.c) >= 3 within 60s by span
  one by share, distinct
  settle 10s
  clear after 5m
  open { title "cut of {span}"  severity critical }
}
rule interface_down { when if_down for 20s  open { title "{node.name} {ifname} down" } }
cause fibre_cut(span) of interface_down(node, ifname) where port[node, ifname].circuit.over(span)
)";

TEST(Stories, AFibreCutThatLastsTwoHoursIsOneIncidentForTwoHours) {
  Timeline t(kFibre);
  for (int i = 1; i <= 5; ++i) {
    const std::string n = std::to_string(i);
    t.row("circuit", {"c" + n, "X", ""});
    t.row("port", {"r" + n, "et0", "c" + n});
  }
  t.start();
  for (int i = 1; i <= 5; ++i) {
    t.link(2 * i, "r" + std::to_string(i), "et0", false);
  }
  for (double at = 60; at < 7200; at += 600) {
    t.link(at, "r1", "et0", false);  // somebody repeats it
    EXPECT_EQ(t.count(IncidentState::Open), 1U) << at;
    EXPECT_EQ(t.state("fibre_cut", "X"), "open") << at;
  }
  for (int i = 1; i <= 5; ++i) {
    t.link(7200 + i, "r" + std::to_string(i), "et0", true);
  }
  t.go(9000);
  EXPECT_EQ(opened(t), 1U);
  EXPECT_EQ(t.state("fibre_cut", "X"), "closed");
}

TEST(Stories, AChainOfThreeThatFailsInTheWrongOrderPagesOnce) {
  Timeline t(R"(
rule unreachable { when host_down for 60s  open { title "x" } }
cause unreachable(up) of unreachable(node) where node.behind(up)
)");
  t.pair("behind", "c", "b").pair("behind", "b", "a").start();
  t.probe(0, "icmp", "c", "down");
  t.probe(20, "icmp", "b", "down");
  t.probe(40, "icmp", "a", "down");
  t.go(3600);
  EXPECT_EQ(opened(t), 1U);
  EXPECT_EQ(t.state("unreachable", "a"), "open");
  EXPECT_EQ(t.count(IncidentState::Symptom), 2U);
}

TEST(Stories, AnInterfaceBack45sBeforeItsSessionPagesNothing) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(200);
  t.said();
  t.link(200, "r1", "et0", true);
  t.bgp(245, "r1", "10.0.0.2", true);
  t.go(3600);
  EXPECT_EQ(t.said(),
            "closed interface_down(r1, et0) pattern-ended\n"
            "pending bgp_session_down(r1, 10.0.0.2) released\n"
            "closed bgp_session_down(r1, 10.0.0.2) pattern-ended\n");
}

TEST(Stories, HalfOfASitesResolversSilentOpensAndDoesNotOscillate) {
  Timeline t(R"(
signal dns_silent(node: device, vantage: string) {
  raise probe "dns" where status == down
  clear probe "dns" where status == up
}
rule dns_unresponsive {
  when distinct(dns_silent.vantage) >= 2 within 90s by node
  open { title "DNS {node.name} silent" }
}
rule dns_pool_down {
  when share(dns_unresponsive(node), node.housed(site)) >= 50% within 5m by site
  open { title "DNS at {site.name}: {affected.count} resolvers silent" }
}
cause dns_pool_down(site) of dns_unresponsive(node) where node.housed(site)
)");
  t.row("site", {"PAR"});
  for (const char* node : {"ns1", "ns2", "ns3", "ns4"}) {
    t.row("device", {node, "PAR", "resolver", "", "premium"});
  }
  t.start();
  for (double at = 0; at < 3600; at += 30) {
    for (const char* node : {"ns1", "ns2", "ns3", "ns4"}) {
      const bool down = node[2] < '3';
      for (const char* vantage : {"par", "lyo"}) {
        t.probe(at, "dns", node, down ? "down" : "up", vantage);
      }
    }
  }
  EXPECT_EQ(t.state("dns_pool_down", "PAR"), "open");
  EXPECT_EQ(t.count(IncidentState::Open), 1U);
  EXPECT_EQ(t.count(IncidentState::Symptom), 2U);
  EXPECT_EQ(opened(t), 1U) << "what explains it does not take its cause away";
  EXPECT_LE(t.all().size(), 5U);
}

TEST(Stories, ARestartAfterTwelveMinutesWith8000HeartbeatsOpensNothing) {
  Timeline t(R"(
signal alive(node: device) { raise beat }
rule heartbeat_lost { when missing alive for 3m by node where node.role == "probe"  open { title "" } }
)");
  constexpr int kDevices = 8000;
  for (int i = 0; i < kDevices; ++i) {
    t.row("device", {"p" + std::to_string(i), "PAR", "probe", "", "premium"});
  }
  t.start();
  const auto beat_all = [&](double at, int from) {
    for (int i = from; i < kDevices; ++i) {
      t.beat(at, "p" + std::to_string(i));
    }
  };
  beat_all(10, 0);
  beat_all(70, 0);
  t.restart();
  t.deaf(71, 71 + 720);
  EXPECT_EQ(t.said(), "") << "we were away, not they";
  beat_all(850, 1);  // all but one come back
  t.go(970.99);
  EXPECT_EQ(t.said(), "");
  t.go(971);
  EXPECT_EQ(t.said(), "open heartbeat_lost(p0) due\n") << "full length after we were back";
}

}  // namespace
}  // namespace belfry::correlate::test
