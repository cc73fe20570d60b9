// LANGUAGE 6.18 to 6.20: change under way, and what is kept of an incident.
#include <gtest/gtest.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

constexpr const char* kAlarm = R"(
signal alarm(node: device) { raise syslog "alarm on"  clear syslog "alarm off" }
)";
std::string with_alarm(const std::string& rules) { return kAlarm + rules; }

TEST(Promises, P18_TextsChangeAtTheNextChangeOnly) {
  Timeline t(
      with_alarm(R"(rule r { when alarm  clear after 1m  open { title "old" severity minor } })"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.said();
  t.new_rules(
      10,
      with_alarm(R"(rule r { when alarm  clear after 1m  open { title "new" severity major } })"));
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(t.live("r", "r1").title, "old");
  t.syslog(20, "r1", "alarm off");
  t.syslog(30, "r1", "alarm on");
  EXPECT_EQ(t.last("r", "r1").title, "new");
}

TEST(Promises, P18_WasRenamesWithoutAWord) {
  Timeline t(with_alarm(R"(
rule old { when alarm  open { title "{node.name}" } }
rule upon { when old  open { title "upon" } }
)"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.said();
  const IncidentId id = t.last("old", "r1").id;
  t.new_rules(10, with_alarm(R"(
rule fresh { when alarm  was old  open { title "{node.name}" } }
rule upon { when fresh  open { title "upon" } }
)"));
  EXPECT_EQ(t.said(), "") << "what listens to it goes on listening";
  t.syslog(20, "r1", "alarm off");
  EXPECT_EQ(t.last("fresh", "r1").id, id);
  EXPECT_EQ(t.said(), "closed fresh(r1) pattern-ended\nclosed upon(r1) pattern-ended\n");
}

TEST(Promises, P18_PromotionStartsALiveLifeFromTheSharedState) {
  constexpr const char* kShadow = R"(
rule often { when count(alarm) >= 3 within 60s by node  mode shadow  open { title "{count}" } }
rule upon { when often  open { title "upon" } }
)";
  constexpr const char* kLive = R"(
rule often { when count(alarm) >= 3 within 60s by node  open { title "{count}" } }
rule upon { when often  open { title "upon" } }
)";
  Timeline t(with_alarm(kShadow));
  t.start();
  for (int i = 0; i < 3; ++i) {
    t.syslog(i, "r1", "alarm on");
  }
  EXPECT_EQ(t.said(), "") << "in shadow";
  t.new_rules(10, with_alarm(kLive));
  EXPECT_EQ(t.said(), "open often(r1) due\nopen upon(r1) due\n");
  EXPECT_EQ(t.last("often", "r1").title, "3");
  t.new_rules(20, with_alarm(kShadow));
  EXPECT_EQ(t.said(), "closed often(r1) rule-removed\nclosed upon(r1) pattern-ended\n");
}

TEST(Promises, P18_ARemovedOrSwitchedOffRuleClosesItsIncidents) {
  for (const char* without : {"", R"(rule r { when alarm  mode off  open { title "" } })"}) {
    Timeline t(with_alarm(R"(
rule r { when alarm  open { title "" } }
rule s { when alarm  open { title "" } }
cause s(node) of r(node)
)"));
    t.start();
    t.syslog(0, "r1", "alarm on");
    EXPECT_EQ(t.live("s", "r1").symptoms, 1U);
    t.said();
    t.new_rules(10,
                with_alarm(std::string(without) + R"(rule s { when alarm  open { title "" } })"));
    EXPECT_EQ(t.said(), "closed r(r1) rule-removed\nopen s(r1) updated\n");
    EXPECT_EQ(t.live("s", "r1").symptoms, 0U);
  }
}

TEST(Promises, P18_ARuleThatGoesTakesItsOverflowWithIt) {
  Timeline t(R"(rule down { when if_down limit 1 open { title "" } })");
  t.start();
  t.link(0, "r1", "a", false);
  t.link(0, "r1", "b", false);
  EXPECT_EQ(t.state("down", "(overflow)"), "open");
  t.new_rules(10, "");
  EXPECT_EQ(t.state("down", "(overflow)"), "closed");
  EXPECT_EQ(t.state("down", "r1, a"), "closed");
}

TEST(Promises, P18_AShorterWindowKeepsItsTimesAndALongerOneHasNoMore) {
  const auto rule = [](const char* window) {
    return with_alarm(std::string("rule r { when count(alarm) >= 3 within ") + window +
                      " by node  open { title \"\" } }");
  };
  Timeline t(rule("60s"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.syslog(50, "r1", "alarm on");
  t.new_rules(51, rule("10s"));
  t.syslog(52, "r1", "alarm on");
  EXPECT_EQ(t.said(), "");
  t.syslog(53, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open r(r1) due\n");
  t.go(65);
  t.new_rules(65, rule("60s"));
  t.said();
  t.syslog(66, "r1", "alarm on");
  t.syslog(67, "r1", "alarm on");
  EXPECT_EQ(t.said(), "") << "what had left the shorter window is forgotten";
}

TEST(Promises, P18_AChangedKeyBeginsAnew) {
  const auto rule = [](const char* key) {
    return with_alarm(std::string("rule r { when count(alarm) >= 3 within 60s by at = ") + key +
                      "  open { title \"\" } }");
  };
  Timeline t(rule("node.role"));
  t.row("device", {"r1", "PAR", "X", "X", "premium"}).start();
  t.syslog(0, "r1", "alarm on");
  t.syslog(1, "r1", "alarm on");
  t.new_rules(2, rule("(node.pool ?? \"\")"));
  t.syslog(3, "r1", "alarm on");
  EXPECT_EQ(t.said(), "") << "what was counted by role is not counted by pool";
  t.syslog(4, "r1", "alarm on");
  t.syslog(5, "r1", "alarm on");
  EXPECT_EQ(t.said(), "open r(X) due\n");
}

TEST(Promises, P18_AChangedForIsAskedAgain) {
  const auto rule = [](const char* wait) {
    return with_alarm(std::string("rule r { when alarm for ") + wait + "  open { title \"\" } }");
  };
  Timeline t(rule("20s"));
  t.start();
  t.syslog(0, "r1", "alarm on");
  t.go(25);
  t.said();
  t.new_rules(30, rule("60s"));
  EXPECT_EQ(t.said(), "closed r(r1) pattern-ended\n");
  t.go(60);
  EXPECT_EQ(t.said(), "open r(r1) reopened\n") << "60 s since the alarm";
  t.new_rules(70, rule("10s"));
  EXPECT_EQ(t.said(), "");
  t.new_rules(80, rule("20s"));
  t.syslog(90, "r2", "alarm on");
  t.new_rules(105, rule("10s"));
  EXPECT_EQ(t.said(), "open r(r2) due\n") << "it has lasted for 15 s";
}

TEST(Promises, P18_AHeartbeatRuleThatIsNewAlarmsNobodyWhoBeats) {
  Timeline t("signal alive(node: device) { raise beat }");
  t.row("device", {"p1", "PAR", "probe", "", "premium"}).start();
  t.beat(0, "p1");
  t.new_rules(100, R"(
signal alive(node: device) { raise beat }
rule lost { when missing alive for 3m by node where node.role == "probe"  open { title "" } }
)");
  for (double at = 150; at < 2000; at += 100) {
    t.beat(at, "p1");
  }
  EXPECT_EQ(t.said(), "");
}

TEST(Promises, P19_AnInventoryThatExplainsAdopts) {
  Timeline t(kLinks);
  t.row("device", {"r1", "PAR", "router", "", "premium"}).start();
  t.link(0, "r1", "et0", false);
  t.bgp(4, "r1", "10.0.0.2", false);
  t.go(60);
  t.said();
  t.row("session", {"r1", "10.0.0.2", "TRANSIT-A", "et0"});
  t.new_inventory(70);
  EXPECT_EQ(t.said(),
            "symptom bgp_session_down(r1, 10.0.0.2) adopted\n"
            "open interface_down(r1, et0) updated\n");
}

TEST(Promises, P19_SharesAreOfThePopulationOfNow) {
  Timeline t(R"(
rule dark { when share(host_down(node), node.housed(site)) >= 50% by site  open { title "" } }
)");
  t.row("site", {"PAR"});
  for (const char* node : {"a", "b", "c"}) {
    t.row("device", {node, "PAR", "host", "", "premium"});
  }
  t.start();
  t.probe(0, "icmp", "a", "down");
  EXPECT_EQ(t.said(), "");
  t.drop_row("device", "c");
  t.new_inventory(10);
  EXPECT_EQ(t.said(), "open dark(PAR) due\n");
}

TEST(Promises, P19_TitlesStayAndRemovedRowsCloseAfterSettle) {
  Timeline t(with_alarm(R"(rule r { when alarm  settle 30s  open { title "{node.role}" } })"));
  t.row("device", {"r1", "PAR", "router", "", "premium"}).start();
  t.syslog(0, "r1", "alarm on");
  t.said();
  t.drop_row("device", "r1");
  t.row("device", {"r1", "PAR", "core", "", "premium"});
  t.new_inventory(10);
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(t.live("r", "r1").title, "router");
  t.drop_row("device", "r1");
  t.new_inventory(20);
  t.go(49.99);
  EXPECT_EQ(t.said(), "");
  t.restart();
  t.go(50);
  EXPECT_EQ(t.said(), "closed r(r1) inventory-removed\n");
}

TEST(Promises, P20_TheProofIsTheFirstAndTheLastEightEvents) {
  Timeline t(with_alarm(R"(rule r { when alarm  open { title "" } })"));
  t.start();
  for (int i = 0; i < 40; ++i) {
    t.syslog(i, "r1", "alarm on");
  }
  t.restart();
  t.syslog(50, "r1", "alarm off");
  const Incident closed = t.last("r", "r1");
  ASSERT_EQ(closed.evidence.size(), 16U);
  EXPECT_EQ(closed.evidence[0].at.ns, closed.began_at.ns);
  EXPECT_EQ((closed.evidence[8].at.ns - closed.began_at.ns) / 1'000'000'000, 32);
  EXPECT_EQ((closed.evidence[15].at.ns - closed.began_at.ns) / 1'000'000'000, 39);
  std::size_t bytes = 0;
  for (const Evidence& evidence : closed.evidence) {
    bytes += evidence.text.size();
  }
  EXPECT_LE(bytes, 4096U);
}

TEST(Promises, P20_LongEventsAreCut) {
  Timeline t(R"(
signal long(node: device) { raise syslog "long {_}" }
rule r { when long  clear manual  open { title "" } }
)");
  t.start();
  for (int i = 0; i < 20; ++i) {
    t.syslog(i, "r1", "long " + std::string(2000, 'x'));
  }
  t.close(30, "r", "r1");
  std::size_t bytes = 0;
  for (const Evidence& evidence : t.last("r", "r1").evidence) {
    bytes += evidence.text.size();
  }
  EXPECT_GT(bytes, 3000U);
  EXPECT_LE(bytes, 4096U);
}

}  // namespace
}  // namespace belfry::correlate::test
