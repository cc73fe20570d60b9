// LANGUAGE 6.11 to 6.17: windows and keys, promise by promise.
#include <gtest/gtest.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

constexpr const char* kAlarm = R"(
signal alarm(node: device) { raise syslog "alarm on"  clear syslog "alarm off" }
signal ready(node: device) { raise syslog "ready on"  clear syslog "ready off" }
)";
std::string with_alarm(const std::string& rules) { return kAlarm + rules; }

TEST(Promises, P11_CountsCountEventsAndClearsTakeNothingOut) {
  Timeline t(with_alarm(R"(
rule often { when count(alarm) >= 4 within 60s by node  open { title "{count}" } }
rule flapping { when flaps(alarm) >= 2 within 60s by node  open { title "{flaps}" } }
)"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.syslog(1, "r1", "alarm off");
  t.syslog(2, "r1", "alarm on", 2);
  EXPECT_EQ(t.said(), "open flapping(r1) due\n");
  t.syslog(3, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open often(r1) due\n");
  EXPECT_EQ(t.last("often", "r1").title, "4");
  t.syslog(4, "r1", "alarm off");
  EXPECT_EQ(t.said(), "") << "cleared is not uncounted";
}

TEST(Promises, P11_KeysAreThoseThatAreActiveNow) {
  Timeline t(R"(
rule ports { when distinct(if_down.ifname) >= 3 within 10s by node  open { title "{distinct}" } }
)");
  t.start();
  t.link(0, "r1", "a", false);
  t.link(8, "r1", "b", false);
  t.link(16, "r1", "c", false);
  EXPECT_EQ(t.said(), "") << "too far apart when three are down";
  t.link(17, "r1", "a", false);
  EXPECT_EQ(t.said(), "open ports(r1) due\n");
  t.go(7200);
  EXPECT_EQ(t.said(), "") << "reached: it lasts as long as three are down";
  t.link(7201, "r1", "b", true);
  EXPECT_EQ(t.said(), "closed ports(r1) pattern-ended\n");
}

TEST(Promises, P11_TheWindowIsOpenAtItsFarEnd) {
  Timeline t(
      with_alarm(R"(rule often { when count(alarm) >= 2 within 10s by node  open { title "" } })"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.syslog(10, "r1", "alarm on");
  EXPECT_EQ(t.said(), "");
  t.syslog(19.999, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open often(r1) due\n");
}

TEST(Promises, P11_AnAggregateTakesTheWindowOfItsChain) {
  Timeline t(with_alarm(R"(
rule both { when count(alarm) >= 2 and count(ready) >= 2 within 10s by node  open { title "" } }
)"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.syslog(20, "r1", "ready on");
  t.syslog(21, "r1", "ready on");
  t.syslog(22, "r1", "alarm on");
  EXPECT_EQ(t.said(), "");
  t.syslog(23, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open both(r1) due\n");
}

TEST(Promises, P12_SmallThresholdsAreExact) {
  Timeline t(with_alarm(
      R"(rule often { when count(alarm) >= 64 within 64s by node  open { title "" } })"));
  t.start();
  for (int i = 0; i < 64; ++i) {
    t.syslog(i, "r1", "alarm on");
  }
  EXPECT_EQ(t.said(), "open often(r1) due\n");
  t.go(63.99);
  EXPECT_EQ(t.said(), "");
  t.go(64);
  EXPECT_EQ(t.said(), "closed often(r1) pattern-ended\n");
}

TEST(Promises, P12_LargeThresholdsAreExactToASlice) {
  Timeline t(with_alarm(
      R"(rule often { when count(alarm) >= 65 within 64s by node  open { title "" } })"));
  t.start();
  t.syslog(0.5, "r1", "alarm on", 65);
  EXPECT_EQ(t.said(), "open often(r1) due\n");
  t.go(63.4);
  EXPECT_EQ(t.said(), "");
  t.go(64.5);
  EXPECT_EQ(t.said(), "closed often(r1) pattern-ended\n")
      << "never longer than T, at most T/64 short";
}

TEST(Promises, P13_ThenHoldsFromBWhileBIsActive) {
  Timeline t(
      with_alarm(R"(rule both { when alarm(x) then ready(x) within 30s  open { title "" } })"));
  t.start();
  t.syslog(0, "n", "alarm on");
  t.syslog(1, "n", "alarm off");
  t.syslog(30, "n", "ready on");
  EXPECT_EQ(t.said(), "open both(n) due\n");
  t.syslog(90, "n", "ready off");
  EXPECT_EQ(t.said(), "closed both(n) pattern-ended\n");
  t.syslog(91, "n", "ready on");
  t.syslog(92, "n", "alarm on");
  EXPECT_EQ(t.said(), "") << "b before a";
  t.syslog(92, "n", "ready on");
  EXPECT_EQ(t.said(), "open both(n) reopened\n") << "raised again at the same instant, after a";
}

TEST(Promises, P13_AggregatesStandInSequences) {
  Timeline t(with_alarm(R"(
rule both { when (count(alarm) >= 2 within 10s) then ready within 30s  by node  open { title "" } }
)"));
  t.start();
  t.syslog(0, "n", "alarm on");
  t.syslog(1, "n", "ready on");
  EXPECT_EQ(t.said(), "");
  t.syslog(2, "n", "alarm on");
  t.syslog(3, "n", "ready on");
  EXPECT_EQ(t.said(), "open both(n) due\n");
}

TEST(Promises, P13_ThenNotHoldsFromTheEndOfTheWaitUntilB) {
  Timeline t(with_alarm(
      R"(rule alone { when alarm(x) then not ready(x) within 30s  open { title "" } })"));
  t.start();
  t.syslog(0, "n", "alarm on");
  t.syslog(20, "n", "alarm on");  // not an edge: the wait goes on
  t.go(29.99);
  EXPECT_EQ(t.said(), "");
  t.go(30);
  EXPECT_EQ(t.said(), "open alone(n) due\n");
  t.syslog(40, "n", "ready on");
  EXPECT_EQ(t.said(), "closed alone(n) pattern-ended\n");
  t.syslog(50, "m", "alarm on");
  t.syslog(80, "m", "ready on");  // up to and including a+T
  t.go(200);
  EXPECT_EQ(t.said(), "");
  t.syslog(300, "k", "alarm on");
  t.syslog(310, "k", "alarm off");
  t.go(400);
  EXPECT_EQ(t.said(), "") << "a is over";
}

TEST(Promises, P13_ASequenceThatEndsInAnEventNeedsAClear) {
  const auto compiles = [](const std::string& clause) {
    const std::vector<rules::SourceFile> files{
        {"x.bell", kPrelude + with_alarm("rule r { when alarm(x) then beat(x) within 30s " +
                                         clause + " open { title \"\" } }")}};
    return rules::compile(files).program != nullptr;
  };
  EXPECT_FALSE(compiles(""));
  EXPECT_TRUE(compiles("clear after 5m"));
  EXPECT_TRUE(compiles("clear quiet 5m"));
  EXPECT_TRUE(compiles("clear manual"));
}

constexpr const char* kLost = R"(
signal alive(node: device) { raise beat }
rule lost { when missing alive for 3m by node where node.role == "probe"  open { title "" } }
)";

TEST(Promises, P14_MissingIsOfDeclaredRowsFromTheirVersionOn) {
  Timeline t(kLost);
  t.row("device", {"p1", "PAR", "probe", "", "premium"});
  t.row("device", {"r1", "PAR", "router", "", "premium"}).start();
  t.beat(1, "stranger");
  t.row("device", {"p2", "PAR", "probe", "", "premium"});
  t.new_inventory(60);
  t.go(180);
  EXPECT_EQ(t.said(), "open lost(p1) due\n");
  t.go(240);
  EXPECT_EQ(t.said(), "open lost(p2) due\n");
  t.go(10000);
  EXPECT_EQ(t.said(), "") << "neither the stranger nor the router is awaited";
}

TEST(Promises, P14_WhatBeatBeforeItWasDeclaredIsHeard) {
  Timeline t(kLost);
  t.start();
  t.beat(0, "p1");
  t.row("device", {"p1", "PAR", "probe", "", "premium"});
  t.new_inventory(10);
  for (double at = 60; at < 1000; at += 60) {
    t.beat(at, "p1");
  }
  EXPECT_EQ(t.said(), "") << "a beat is a beat, also of a signal that was up before its row came";
  t.drop_row("device", "p1");
  t.new_inventory(1000);
  t.row("device", {"p1", "PAR", "probe", "", "premium"});
  t.new_inventory(1100);
  t.go(1279.99);
  EXPECT_EQ(t.said(), "") << "a row that comes back is counted from the version that brought it";
  t.go(1280);
  EXPECT_EQ(t.said(), "open lost(p1) due\n");
}

TEST(Promises, P15_ADerivedSignalIsActiveWhileAnyContributorIs) {
  Timeline t(R"(
signal circuit_down(c: circuit) { raise when if_down(node, ifname) by c = port[node, ifname].circuit }
rule cut { when circuit_down  open { title "" } }
)");
  t.row("circuit", {"c1", "X", ""});
  t.row("port", {"r1", "et0", "c1"});
  t.row("port", {"r2", "et9", "c1"}).start();
  t.link(0, "r1", "et0", false);
  t.link(1, "r2", "et9", false);
  t.link(2, "r1", "et0", true);
  EXPECT_EQ(t.said(), "open cut(c1) due\n");
  t.link(3, "r2", "et9", true);
  EXPECT_EQ(t.said(), "closed cut(c1) pattern-ended\n");
}

TEST(Promises, P15_ClearAllClearsEveryMatchingKey) {
  Timeline t(R"(
signal card(node: device, slot: string) {
  raise syslog "card {slot} bad"
  clear syslog "card {slot} good"
  clear all syslog "restarted"
}
rule bad { when card  open { title "" } }
)");
  t.start();
  t.syslog(0, "r1", "card 1 bad");
  t.syslog(0, "r1", "card 2 bad");
  t.syslog(0, "r2", "card 1 bad");
  t.said();
  t.syslog(1, "r1", "restarted");
  EXPECT_EQ(t.said(), "closed bad(r1, 1) pattern-ended\nclosed bad(r1, 2) pattern-ended\n");
}

TEST(Promises, P15_PerVantageIsUpOnlyWhenEveryRaiserCleared) {
  Timeline t(R"(rule down { when host_down  open { title "" } })");
  t.start();
  t.probe(0, "icmp", "h1", "down", "par");
  t.probe(1, "icmp", "h1", "down", "lyo");
  t.probe(2, "icmp", "h1", "up", "par");
  t.probe(3, "icmp", "h1", "up", "ams");
  EXPECT_EQ(t.said(), "open down(h1) due\n");
  t.probe(4, "icmp", "h1", "up", "lyo");
  EXPECT_EQ(t.said(), "closed down(h1) pattern-ended\n");
}

TEST(Promises, P16_OneByOpensTheGreatestAndTheOthersHangUnderIt) {
  Timeline t(R"(
rule cut {
  when share(if_down(node, ifname), port[node, ifname].circuit.over(span)) >= 50% within 60s by span
  one by share
  settle 10s
  open { title "{share}" }
}
)");
  const std::vector<std::string> spans{"X", "X Y", "X Y", "Y", "Y"};
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const std::string n = std::to_string(i + 1);
    t.row("circuit", {"c" + n, spans[i], ""});
    t.row("port", {"r" + n, "et0", "c" + n});
  }
  t.start();
  for (const char* node : {"r1", "r2", "r3"}) {
    t.link(1, node, "et0", false);  // X: 3 of 3, Y: 2 of 4
  }
  t.go(60);
  EXPECT_EQ(t.state("cut", "X"), "open");
  EXPECT_EQ(t.state("cut", "Y"), "symptom");
  EXPECT_EQ(t.last("cut", "Y").causes, std::vector<IncidentId>{t.last("cut", "X").id});
}

TEST(Promises, P17_OnlyIdleKeysAreEvicted) {
  Timeline t(R"(rule flap { when flaps(if_down) >= 2 within 10m limit 2 open { title "" } })");
  t.start();
  for (int i = 0; i < 10; ++i) {  // each leaves a window behind and nothing else
    t.link(i, "r1", "et" + std::to_string(i), false);
    t.link(i + 0.5, "r1", "et" + std::to_string(i), true);
  }
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(t.fold().sizes().rule_keys, 2U);
  t.link(20, "r1", "et9", false);  // its window was kept: the newest were
  EXPECT_EQ(t.said(), "open flap(r1, et9) due\n");
  t.link(20, "r1", "et9", true);
  t.link(21, "r1", "a", false);
  t.link(22, "r1", "b", false);
  EXPECT_EQ(t.state("flap", "(overflow)"), "open") << "an incident is not idle";
}

TEST(Promises, P17_WhatFallsBesideIsCountedInOneIncident) {
  Timeline t(R"(rule down { when if_down limit 3 open { title "" } })");
  t.start();
  for (int i = 0; i < 6; ++i) {
    t.link(i, "r1", "et" + std::to_string(i), false);
  }
  EXPECT_EQ(t.state("down", "(overflow)"), "open");
  EXPECT_EQ(t.count(IncidentState::Open), 4U);
  for (int i = 0; i < 6; ++i) {
    t.link(10 + i, "r1", "et" + std::to_string(i), true);
  }
  t.go(10000);
  EXPECT_EQ(t.state("down", "(overflow)"), "closed");
  EXPECT_EQ(t.last("down", "(overflow)").count, 3U);
}

TEST(Promises, P17_AKeyThatIsMadeLaterMeetsWhatWasUpAlready) {
  Timeline t(R"(
rule many { when distinct(if_down.ifname) >= 2 by node  limit 1  open { title "{distinct}" } }
)");
  t.start();
  t.link(0, "r1", "a", false);
  t.link(1, "r2", "a", false);  // no place for r2
  t.restart();
  t.link(2, "r1", "a", true);
  t.link(3, "r2", "b", false);
  EXPECT_EQ(t.last("many", "r2").title, "2") << "a is down too";
}

TEST(Promises, P17_NobodyIsToldOfAShadow) {
  Timeline t(R"(rule down { when if_down mode shadow limit 1 open { title "" } })");
  t.start();
  t.link(0, "r1", "a", false);
  t.link(1, "r1", "b", false);
  EXPECT_EQ(t.said(), "");
}

}  // namespace
}  // namespace belfry::correlate::test
