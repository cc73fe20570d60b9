// Budgets at run time: what is over its steps or its memory is cut off, an incident names it and
// its line, the others go on (LANGUAGE 6.17).
#include <gtest/gtest.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

CorrelatorOptions with_steps(std::uint32_t steps) {
  CorrelatorOptions options;
  options.budgets.steps = steps;
  return options;
}

CorrelatorOptions with_memory(std::uint64_t bytes) {
  CorrelatorOptions options;
  options.budgets.bytes_per_key = 0;
  options.budgets.bytes_min = bytes;
  return options;
}

/// `where` takes few steps for a core router, and more than 60 for any other.
constexpr const char* kHeavy = R"(
rule heavy {
  when if_down
  where node.role == "core" or node.role == "r1" or node.role == "r2" or node.role == "r3" or node.role == "r4"
     or node.role == "r5" or node.role == "r6" or node.role == "r7" or node.role == "r8" or node.role == "r9"
     or node.role == "r10" or node.role == "r11" or node.role == "r12" or node.role == "r13"
  open { title "heavy" }
}
rule plain { when if_down open { title "plain" } }
rule after { when heavy(node, ifname) open { title "after" } }
)";

void start_heavy(Timeline& t) {
  t.row("device", {"c1", "PAR", "core", "", "premium"});
  t.row("device", {"a1", "PAR", "access", "", "premium"});
  t.start();
}

/// Lines of `said` that have `word`.
std::string lines_with(const std::string& said, const std::string& word) {
  std::string out;
  for (const std::string_view line : split(said, '\n')) {
    if (line.find(word) != std::string_view::npos) {
      out += std::string(line) + "\n";
    }
  }
  return out;
}

const IncidentChange& newest(const Timeline& t, const std::string& rule) {
  static const IncidentChange kNone{};
  for (auto it = t.all().rbegin(); it != t.all().rend(); ++it) {
    if (it->after.rule == rule && it->after.key[0] == "(over-budget)") {
      return *it;
    }
  }
  return kNone;
}

TEST(Budgets, ARuleOverItsStepsIsCutOffAndTheOthersGoOn) {
  Timeline t(kHeavy, with_steps(50));
  start_heavy(t);
  t.link(1, "c1", "et0", false);
  EXPECT_EQ(t.state("heavy", "c1, et0"), "open");
  EXPECT_EQ(t.state("after", "c1, et0"), "open");
  t.said();

  t.link(2, "a1", "et0", false);
  EXPECT_EQ(t.state("plain", "a1, et0"), "open");
  IncidentChange said = newest(t, "heavy");
  EXPECT_EQ(said.after.state, IncidentState::Open);
  EXPECT_EQ(said.reason, IncidentReason::OverBudget);
  EXPECT_NE(said.after.title.find("rule heavy (test.bell:"), std::string::npos);
  EXPECT_NE(said.after.title.find("more than 50 steps"), std::string::npos);
  EXPECT_TRUE(said.after.key[1].starts_with("test.bell:"));
  EXPECT_EQ(t.fold().sizes().over_budget, 1U);
  EXPECT_EQ(t.fold().sizes().cut_off, 0U);
  EXPECT_EQ(t.state("heavy", "c1, et0"), "open");

  t.link(3, "a1", "et1", false);
  t.said();
  t.link(4, "a1", "et2", false);
  said = newest(t, "heavy");
  EXPECT_NE(said.after.title.find("is cut off"), std::string::npos);
  EXPECT_EQ(said.after.severity, Severity::Major);
  EXPECT_EQ(said.after.count, 3U);
  EXPECT_FALSE(said.note.empty());
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
  // As with `mode off`: its incident ends, and what stands on it too.
  const std::string told = t.said();
  EXPECT_EQ(lines_with(told, "heavy(c1"), "closed heavy(c1, et0) over-budget\n");
  EXPECT_EQ(lines_with(told, "after(c1"), "closed after(c1, et0) pattern-ended\n");

  t.link(5, "c1", "et1", false);
  EXPECT_EQ(t.state("heavy", "c1, et1"), "none");
  EXPECT_EQ(t.state("plain", "c1, et1"), "open");
  EXPECT_EQ(t.fold().sizes().rule_keys, 6U) << "plain's five, and one of `after` that may reopen";
}

TEST(Budgets, StrikesThatAreFarApartDoNotAddUp) {
  Timeline t(kHeavy, with_steps(50));
  start_heavy(t);
  t.link(1, "a1", "et0", false);
  t.link(2, "a1", "et1", false);
  t.link(3700, "a1", "et2", false);
  t.link(3701, "a1", "et3", false);
  EXPECT_EQ(t.fold().sizes().cut_off, 0U);
  EXPECT_EQ(t.fold().live().back().rule, "heavy");
  t.link(3702, "a1", "et4", false);
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
}

TEST(Budgets, ARestartKeepsAndAVersionOfTheRulesLifts) {
  Timeline t(kHeavy, with_steps(50));
  start_heavy(t);
  t.link(1, "a1", "et0", false);
  t.restart();
  t.link(2, "a1", "et1", false);
  t.restart();
  t.link(3, "a1", "et2", false);
  EXPECT_EQ(t.fold().sizes().cut_off, 1U) << "strikes are kept";
  t.restart();
  t.new_rules(4, kHeavy);
  t.new_inventory(5);
  t.link(6, "c1", "et0", false);
  EXPECT_EQ(t.state("heavy", "c1, et0"), "none") << "the same texts are no version";
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
  t.said();

  std::string lighter(kHeavy);
  lighter.replace(lighter.find("or node.role == \"r1\""),
                  lighter.find("  open {") - lighter.find("or node.role == \"r1\""), "\n");
  t.new_rules(7, lighter);
  EXPECT_EQ(newest(t, "heavy").after.state, IncidentState::Closed);
  EXPECT_EQ(t.state("heavy", "c1, et0"), "open") << "it sees the signals that are up";
  EXPECT_EQ(t.fold().sizes().over_budget, 0U);
  t.link(8, "a1", "et3", false);
  EXPECT_EQ(t.fold().sizes().over_budget, 0U);
}

TEST(Budgets, TheSameWithARestartAfterEveryStep) {
  const auto play = [](bool restarts) {
    Timeline t(kHeavy, with_steps(50));
    start_heavy(t);
    for (int i = 0; i < 12; ++i) {
      t.link(i, i % 3 == 0 ? "c1" : "a1", "et" + std::to_string(i / 2), i % 5 == 4);
      if (restarts) {
        t.restart();
      }
    }
    return t.said();
  };
  EXPECT_EQ(play(true), play(false));
}

TEST(Budgets, ARuleWithTooManyLinksGivesItsMemoryBack) {
  Timeline t(R"(
rule many { when count(if_down) >= 100000 within 1h by site = node.site  limit 2 open { title "many" } }
rule plain { when if_down open { title "plain" } }
)",
             with_memory(16 * 1024));
  t.row("device", {"r1", "PAR", "core", "", "premium"}).start();
  int n = 0;
  while (t.fold().sizes().cut_off == 0 && n < 2000) {
    t.link(n, "r1", "et" + std::to_string(n), false);
    ++n;
  }
  EXPECT_GT(n, 400) << "32 bytes a link";
  EXPECT_LT(n, 600);
  EXPECT_EQ(newest(t, "many").after.count, 0U);
  EXPECT_NE(newest(t, "many").after.title.find("rule many (test.bell:"), std::string::npos);
  EXPECT_EQ(t.fold().sizes().rule_keys, static_cast<std::uint64_t>(n)) << "plain's alone";
  const std::string last = "r1, et" + std::to_string(n - 1);
  EXPECT_EQ(t.state("plain", last), "open") << "the event that found out reaches the others";
  t.restart();
  t.link(n, "r1", "more", false);
  EXPECT_EQ(t.state("plain", "r1, more"), "open");
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
}

TEST(Budgets, ASignalWithTooManyVantagesIsCutOff) {
  Timeline t(R"(
defaults { limit 10 }
signal seen(node: device) {
  raise probe "dns" where status == down per vantage
  clear probe "dns" where status == up per vantage
}
rule dns { when seen open { title "dns" } }
)",
             with_memory(16 * 1024));
  t.start();
  int n = 0;
  for (; t.fold().sizes().cut_off == 0 && n < 2000; ++n) {
    t.probe(n, "dns", "h1", "down", "v" + std::to_string(n));
  }
  EXPECT_GT(n, 100);
  EXPECT_LT(n, 400);
  EXPECT_EQ(t.fold().sizes().signal_keys, 0U);
  EXPECT_EQ(t.state("dns", "h1"), "closed");
  EXPECT_NE(newest(t, "seen").after.title.find("signal seen (test.bell:"), std::string::npos);
  t.probe(n, "dns", "h1", "down", "v1");
  EXPECT_EQ(t.fold().sizes().signal_keys, 0U);
}

TEST(Budgets, ALineOverItsStepsAtTheDoorIsCutOffAlone) {
  std::string condition = "n == 0 or n == 1";
  for (int i = 2; i < 22; ++i) {
    std::string sum = "n + " + std::to_string(i);
    for (int k = 0; k < 120; ++k) {
      sum = "(" + sum + " + 1)";
    }
    condition += " or " + sum + " < 0";
  }
  Timeline t("signal loud(node: device, n: int) {\n  raise syslog \"LOUD about {n}\" where " +
             condition +
             "\n  raise syslog \"TOLD about {n}\"\n  expire 1h\n}\n"
             "rule loud_rule { when loud open { title \"loud\" } }\n");
  t.start();
  t.syslog(1, "r1", "LOUD about 0");
  EXPECT_EQ(t.state("loud_rule", "r1, 0"), "open");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(t.fold().sizes().cut_off, 0U);
    t.syslog(2 + i, "r1", "LOUD about " + std::to_string(100 + i));
    EXPECT_EQ(t.fold().sizes().over_budget, 1U);
  }
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
  const Incident said = newest(t, "loud").after;
  EXPECT_NE(said.title.find("a line of signal loud (test.bell:"), std::string::npos);
  EXPECT_NE(said.title.find("2000 steps"), std::string::npos);
  t.syslog(6, "r1", "LOUD about 1");
  EXPECT_EQ(t.state("loud_rule", "r1, 1"), "none");
  t.syslog(7, "r1", "TOLD about 2");
  EXPECT_EQ(t.state("loud_rule", "r1, 2"), "open") << "its other line goes on";
  EXPECT_EQ(t.state("loud_rule", "r1, 0"), "open") << "what it raised stays";
}

TEST(Budgets, ACauseThatLooksAtTooManyIsCutOffAndItsSymptomsAreFree) {
  Timeline t(R"(
defaults { settle 0s }
rule up { when if_down open { title "up" } }
rule down { when bgp_down open { title "down" } }
cause up(a, ifname) of down(node, peer) where a.role == node.role
)",
             with_steps(120));
  t.row("device", {"r1", "PAR", "core", "", "premium"});
  t.row("device", {"r2", "PAR", "core", "", "premium"}).start();
  t.link(1, "r1", "et0", false);
  t.bgp(2, "r2", "10.0.0.1", false);
  EXPECT_EQ(t.state("down", "r2, 10.0.0.1"), "symptom");
  for (int i = 1; i <= 40; ++i) {
    t.link(2 + i, "r1", "et" + std::to_string(i), false);
  }
  EXPECT_EQ(t.fold().sizes().cut_off, 1U);
  t.go(2000);
  EXPECT_EQ(t.state("down", "r2, 10.0.0.1"), "open") << "nothing explains it any more";
  EXPECT_NE(newest(t, "down").after.title.find("cause up of down (test.bell:"), std::string::npos);
  EXPECT_EQ(t.state("up", "r1, et40"), "open");
}

TEST(Budgets, AFullRuleSaysWhereItStands) {
  Timeline t(R"(rule down { when if_down limit 3 open { title "down" } })");
  t.start();
  for (int i = 0; i < 6; ++i) {
    t.link(i, "r1", "et" + std::to_string(i), false);
  }
  const std::string title = t.last("down", "(overflow)").title;
  EXPECT_NE(title.find("rule down (test.bell:"), std::string::npos);
  EXPECT_NE(title.find("more than 3 keys"), std::string::npos);
}

TEST(Budgets, AnOverflowOfARuleThatIsGoneEndsWithIt) {
  Timeline t(R"(rule down { when if_down limit 3 open { title "down" } })");
  t.start();
  for (int i = 0; i < 6; ++i) {
    t.link(i, "r1", "et" + std::to_string(i), false);
  }
  EXPECT_EQ(t.state("down", "(overflow)"), "open");
  t.new_rules(10, R"(rule other { when bgp_down open { title "other" } })");
  EXPECT_EQ(t.state("down", "(overflow)"), "closed");
}

}  // namespace
}  // namespace belfry::correlate::test
