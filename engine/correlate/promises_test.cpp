// LANGUAGE 6.1 to 6.10, promise by promise. Names begin with the number. More of 6.10 is in
// maintenance_test.cpp; 6.11 to 6.17 are in windows_test.cpp, 6.18 to 6.20 in versions_test.cpp.
#include <gtest/gtest.h>

#include "belfry/base/hash.hpp"
#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

Timeline& with_session(Timeline& t) {
  t.row("device", {"r1", "PAR", "router", "", "premium"});
  t.row("session", {"r1", "10.0.0.2", "TRANSIT-A", "et0"});
  return t.start();
}

constexpr const char* kAlarm = R"(
signal alarm(node: device) { raise syslog "alarm on"  clear syslog "alarm off" }
)";
std::string with_alarm(const std::string& rules) { return kAlarm + rules; }

constexpr const char* kHosts = R"(
rule unreachable {
  when host_down for 60s
  open { title "{node.name} unreachable, {symptoms.count} behind"  severity critical }
}
cause unreachable(up) of unreachable(node) where node.behind(up)
)";

TEST(Promises, P01_TheOrderOfInputsDecides) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm  open { title "alarm" } })"));
  t.start();
  t.syslog(1, "r1", "alarm on");
  t.syslog(1, "r1", "alarm off");
  EXPECT_EQ(t.said(), "open alarmed(r1) due\nclosed alarmed(r1) pattern-ended\n");
  t.syslog(1, "r1", "alarm off");
  t.syslog(1, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open alarmed(r1) reopened\n");
}

TEST(Promises, P02_DeadlinesAreFullTicksAndEventsComeFirst) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm for 1s  open { title "alarm" } })"));
  t.start();
  t.syslog(0.0031, "r1", "alarm on");
  t.go(1.0099);
  EXPECT_EQ(t.said(), "");
  t.syslog(1.01, "r1", "alarm off");  // at the very tick
  t.go(2);
  EXPECT_EQ(t.said(), "");
  t.syslog(3, "r1", "alarm on");
  t.go(4);
  EXPECT_EQ(t.said(), "open alarmed(r1) due\n");
}

TEST(Promises, P02_AtOneInstantCausesFirstThenNameThenKey) {
  Timeline t(with_alarm(R"(
rule a_symptom { when alarm for 1s  open { title "a" } }
rule b_alone   { when alarm for 1s  open { title "b" } }
rule z_cause   { when alarm for 1s  open { title "z" } }
cause z_cause(node) of a_symptom(node)
)"));
  t.start();
  t.syslog(0, "r2", "alarm on");
  t.syslog(0, "r1", "alarm on");
  t.go(1);
  EXPECT_EQ(t.said(),
            "open b_alone(r1) due\n"
            "open b_alone(r2) due\n"
            "open z_cause(r1) due\n"
            "open z_cause(r2) due\n"
            "symptom a_symptom(r1) explained\n"
            "symptom a_symptom(r2) explained\n"
            "open z_cause(r1) updated\n"
            "open z_cause(r2) updated\n");
}

TEST(Promises, P02_ResultsDoNotDependOnWhenTheClockIsRead) {
  const auto play = [](double step) {
    Timeline t(kLinks);
    with_session(t);
    for (int i = 0; i < 6; ++i) {
      t.bgp(11.3 * i, "r1", "10.0.0.2", i % 3 == 2);
      t.link(11.3 * i + 4, "r1", "et0", i % 2 == 1);
      for (double at = 11.3 * i + 4; step > 0 && at < 11.3 * (i + 1); at += step) {
        t.go(at);
      }
    }
    t.go(9000);
    return t.said();
  };
  EXPECT_EQ(play(0.37), play(0));
  EXPECT_EQ(play(2.11), play(0));
}

TEST(Promises, P03_MissingAndExpireStartAnewAfterDeafness) {
  Timeline t(R"(
signal alive(node: device) { raise beat }
signal noise(node: device) { raise syslog "noise"  expire 60s }
rule lost  { when missing alive for 3m by node where node.role == "probe"  open { title "lost" } }
rule noisy { when noise  open { title "noisy" } }
)");
  t.row("device", {"p1", "PAR", "probe", "", "premium"}).start();
  t.beat(0, "p1");
  t.syslog(0, "r1", "noise");
  EXPECT_EQ(t.said(), "open noisy(r1) due\n");
  t.deaf(10, 1000);
  t.go(1059.99);
  EXPECT_EQ(t.said(), "");
  t.go(1060);
  EXPECT_EQ(t.said(), "closed noisy(r1) pattern-ended\n");
  t.go(1179.99);
  EXPECT_EQ(t.said(), "");
  t.go(1180);
  EXPECT_EQ(t.said(), "open lost(p1) due\n");
}

TEST(Promises, P04_TheIdNamesWhatBeganIt) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm for 10s  open { title "alarm" } })"));
  t.start();
  t.syslog(5, "r1", "alarm on");
  t.go(20);
  const Incident opened = t.last("alarmed", "r1");
  EXPECT_EQ(opened.opened_at.ns - opened.began_at.ns, 10'000'000'000);
  ByteWriter named;
  named.raw("alarmed\0r1\0", 11);
  named.fixed64(static_cast<std::uint64_t>(opened.began_at.ns));
  named.fixed64(opened.began_seq.value);
  EXPECT_EQ(opened.id.value, hash64(named.bytes()));
  t.restart();
  t.syslog(30, "r1", "alarm off");
  t.syslog(40, "r1", "alarm on");
  t.go(60);
  EXPECT_EQ(t.last("alarmed", "r1").id, opened.id) << "reopened: the same incident";
  EXPECT_EQ(t.all().back().nth, 3U);
}

TEST(Promises, P05_ACauseExplainsFromPendingToClosed) {
  Timeline t(R"(
rule interface_down { when if_down for 20s  clear after 60s  open { title "if" } }
rule bgp_session_down { when bgp_down for 30s  open { title "bgp" } }
cause interface_down(node, ifname) of bgp_session_down(node, peer)
  where session[node, peer].ifname == ifname
)");
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  t.link(29.5, "r1", "et0", false);  // pending when the session is due
  t.go(49);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "none");
  t.go(50);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "symptom");
  t.link(100, "r1", "et0", true);
  t.go(159);
  EXPECT_EQ(t.state("interface_down", "r1, et0"), "clearing");
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "symptom");
  t.go(160);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "pending");
}

TEST(Promises, P05_BeingExplainedChangesNoSignal) {
  Timeline t(R"(
rule unreachable { when host_down for 60s  open { title "x" } }
rule site_dark {
  when share(unreachable(node), node.housed(site)) >= 50% within 5m by site
  open { title "dark" }
}
cause site_dark(site) of unreachable(node) where node.housed(site)
)");
  t.row("site", {"PAR"});
  for (const char* node : {"a", "b"}) {
    t.row("device", {node, "PAR", "host", "", "premium"});
  }
  t.start();
  t.probe(0, "icmp", "a", "down");
  t.go(3600);
  EXPECT_EQ(t.state("site_dark", "PAR"), "open");
  EXPECT_EQ(t.state("unreachable", "a"), "symptom");
  EXPECT_EQ(t.last("site_dark", "PAR").opened_at.ns - t.last("site_dark", "PAR").began_at.ns, 0)
      << "the top of a chain waits for nothing";
}

TEST(Promises, P06_LateCauseAdopts) {
  Timeline t(kLinks);
  with_session(t);
  t.bgp(0, "r1", "10.0.0.2", false);
  t.go(45);
  t.said();
  t.link(50, "r1", "et0", false);
  t.go(70);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) due\n"
            "symptom bgp_session_down(r1, 10.0.0.2) adopted\n"
            "open interface_down(r1, et0) updated\n");
}

TEST(Promises, P06_WaitsForAPendingCauseAtMostHold) {
  Timeline t(R"(
rule slow { when if_down for 10m  open { title "slow" } }
rule quick { when bgp_down  hold 30s  open { title "quick" } }
cause slow(node, ifname) of quick(node, peer) where session[node, peer].ifname == ifname
)");
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(10, "r1", "10.0.0.2", false);
  t.go(39.99);
  EXPECT_EQ(t.said(), "");
  t.go(40);
  EXPECT_EQ(t.said(), "open quick(r1, 10.0.0.2) due\n");
  t.go(600);
  EXPECT_EQ(t.state("quick", "r1, 10.0.0.2"), "symptom");
}

TEST(Promises, P06_WhatNothingCanExplainDoesNotSettle) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm  settle 1m  open { title "alarm" } })"));
  t.start();
  t.syslog(1, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open alarmed(r1) due\n");
}

TEST(Promises, P06_HangsUnderTheEarliestAndListsAll) {
  Timeline t(with_alarm(R"(
signal fire(node: device)  { raise syslog "fire on"   clear syslog "fire off" }
signal water(node: device) { raise syslog "water on"  clear syslog "water off" }
rule alarmed { when alarm  open { title "alarm" } }
rule burns   { when fire   open { title "fire" } }
rule floods  { when water  open { title "water" } }
cause burns(node) of alarmed(node)
cause floods(node) of alarmed(node)
)"));
  t.start();
  t.syslog(0, "r1", "water on");
  t.syslog(1, "r1", "fire on");
  t.syslog(2, "r1", "alarm on");
  const std::vector<IncidentId> both{t.last("floods", "r1").id, t.last("burns", "r1").id};
  EXPECT_EQ(t.last("alarmed", "r1").causes, both);
  EXPECT_EQ(t.live("floods", "r1").symptoms, 1U);
  EXPECT_EQ(t.live("burns", "r1").symptoms, 0U);
  t.syslog(3, "r1", "water off");
  EXPECT_EQ(t.state("alarmed", "r1"), "symptom") << "released only when nothing explains it";
  EXPECT_EQ(t.live("burns", "r1").symptoms, 1U);
}

TEST(Promises, P07_AReleasedSymptomRunsItsForAgainAndWaitsForRecover) {
  Timeline t(kLinks);
  with_session(t);
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.link(200, "r1", "et0", true);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "pending");
  t.go(319.99);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "pending");
  t.go(320);
  EXPECT_EQ(t.state("bgp_session_down", "r1, 10.0.0.2"), "open");
  EXPECT_EQ(t.last("bgp_session_down", "r1, 10.0.0.2").opened_at.ns -
                t.last("interface_down", "r1, et0").closed_at.ns,
            120'000'000'000);
}

TEST(Promises, P07_AProbeFedSymptomWaitsForANewerProbe) {
  Timeline t(kHosts);
  t.pair("behind", "h1", "sw9").start();
  t.probe(0, "icmp", "sw9", "down");
  t.probe(1, "icmp", "h1", "down");
  t.go(100);
  t.probe(100, "icmp", "sw9", "up");
  t.go(1000);
  EXPECT_EQ(t.state("unreachable", "h1"), "pending");
  t.probe(1001, "icmp", "h1", "down");
  EXPECT_EQ(t.state("unreachable", "h1"), "open");
}

TEST(Promises, P08_ARuleMayCauseItselfThroughATransitiveRelationOnly) {
  Timeline t(kHosts);
  t.pair("behind", "c", "b").pair("behind", "b", "a").start();
  for (const char* node : {"a", "b", "c"}) {
    t.probe(0, "icmp", node, "down");
  }
  t.go(300);
  EXPECT_EQ(t.state("unreachable", "a"), "open") << "nothing explains itself";
  EXPECT_EQ(t.state("unreachable", "b"), "symptom");
  EXPECT_EQ(t.state("unreachable", "c"), "symptom");
}

TEST(Promises, P08_ACycleOfRulesDoesNotCompile) {
  const std::string wrong = with_alarm(R"(
rule one { when alarm  open { title "1" } }
rule two { when alarm  open { title "2" } }
cause one(node) of two(node)
cause two(node) of one(node)
)");
  const std::vector<rules::SourceFile> files{{"cycle.bell", kPrelude + wrong}};
  const rules::Compiled result = rules::compile(files);
  EXPECT_EQ(result.program, nullptr);
  const std::string text = rules::render(result.diagnostics, files, false);
  EXPECT_NE(text.find("one"), std::string::npos) << text;
  EXPECT_NE(text.find("two"), std::string::npos) << text;
}

TEST(Promises, P09_ClosedByHandStaysClosedUntilThePatternWasFalseOnce) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm  open { title "alarm" } })"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.said();
  EXPECT_TRUE(t.close(30, "alarmed", "r1").ok);
  t.syslog(60, "r1", "alarm on");
  t.restart();
  t.syslog(61, "r1", "alarm on");
  EXPECT_EQ(t.said(), "closed alarmed(r1) by-hand\n");
  t.syslog(70, "r1", "alarm off");
  t.syslog(80, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open alarmed(r1) reopened\n");
}

TEST(Promises, P09_AClearAfterClosingIsAMember) {
  Timeline t(with_alarm(R"(rule alarmed { when alarm  open { title "alarm" } })"),
             {.keep_members = true});
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.close(30, "alarmed", "r1");
  t.syslog(40, "r1", "alarm off");
  const std::vector<IncidentMembers> members = t.fold().members();
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].members.size(), 2U);
}

/// Tests begin at 2001-09-09T01:46:40Z.
TEST(Promises, P10_PlannedIffItBeganInAWindowWheneverThatBecameKnown) {
  const std::string rule = with_alarm(R"(rule alarmed { when alarm  open { title "alarm" } })");
  const std::string window = rule + R"(
maintenance works {
  from 2001-09-09T01:47:00 to 2001-09-09T01:49:40 "UTC"
  covers alarmed(node)
  grace 10s
}
)";
  Timeline early(window), late(rule);
  for (Timeline* t : {&early, &late}) {
    t->start();
    t->syslog(10, "before", "alarm on");
    t->syslog(30, "r1", "alarm on");
    if (t == &late) {
      EXPECT_EQ(t->state("alarmed", "r1"), "open");
      t->new_rules(100, window);
    }
    t->go(150);
    EXPECT_EQ(t->state("alarmed", "r1"), "planned");
    EXPECT_EQ(t->state("alarmed", "before"), "open");
    t->go(189.99);
    EXPECT_EQ(t->state("alarmed", "r1"), "planned");
    t->go(190);
    EXPECT_EQ(t->state("alarmed", "r1"), "open");
    EXPECT_EQ(t->all().back().reason, IncidentReason::WindowEnded);
  }
}

}  // namespace
}  // namespace belfry::correlate::test
