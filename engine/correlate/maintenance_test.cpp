// Maintenance in virtual time (LANGUAGE 6.10): when an incident is planned, and when it becomes
// real.
#include <gmock/gmock.h>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kWorks = R"(
table works key id { id: string, refs: set<string>, start: time, end: time } from "works.csv"
rule interface_down {
  when if_down
  reopen within 10s
  open { title "{node.name} {ifname} down"  severity minor }
}
rule session_down {
  when bgp_down
  open { title "{peer} down on {node.name}" }
}
cause interface_down(node, ifname) of session_down(node, peer) where session[node, peer].ifname == ifname
maintenance carrier {
  each w in works
  covers interface_down(node, ifname) where port[node, ifname].circuit.id in w.refs
  grace 15s
}
)";

/// r1 et0 is on circuit c1; a window is a row of `works`.
class Maintenance : public ::testing::Test {
 protected:
  static void world(Timeline& t) {
    t.row("device", {"r1", "A", "core", "", "solution"});
    t.row("port", {"r1", "et0", "c1"}).row("port", {"r1", "et1", "c2"});
    t.row("circuit", {"c1", "", ""}).row("circuit", {"c2", "", ""});
    t.row("session", {"r1", "p1", "P", "et0"});
  }
  Maintenance() { world(t); }
  std::string state() const { return t.state("interface_down", "r1, et0"); }
  const Incident& last() const { return t.last("interface_down", "r1, et0"); }
  std::string note() const { return t.all().empty() ? std::string() : t.all().back().note; }

  Timeline t{std::string(kWorks)};
};

TEST_F(Maintenance, AFaultInAWindowIsPlannedUntilItsEndAndGrace) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  EXPECT_EQ(t.said(), "planned interface_down(r1, et0) due\n");
  EXPECT_EQ(note(), "during CHG-77");
  EXPECT_EQ(last().maintenance, "CHG-77");
  EXPECT_EQ((last().planned_until - last().began_at), std::chrono::seconds(65));
  t.go(74.99);
  EXPECT_EQ(t.said(), "");
  t.link(80, "r1", "et0", true);
  EXPECT_EQ(t.said(),
            "open interface_down(r1, et0) window-ended\n"
            "closed interface_down(r1, et0) pattern-ended\n");
}

// Kibana #215634: an alert that was muted by a maintenance window stayed mute when the window ended
// while the fault lasted.
TEST_F(Maintenance, StillDownAtTheEndBecomesARealIncident) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  const IncidentId id = last().id;
  t.restart();
  t.go(75);
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(last().id, id);
  EXPECT_EQ(note(), "during CHG-77, which is over");
  EXPECT_EQ(last().opened_at - last().began_at, std::chrono::seconds(65));
  EXPECT_EQ(last().maintenance, "CHG-77");
}

TEST_F(Maintenance, AWindowEnteredAfterTheFaultGivesTheSameAnswerAsOneEnteredBefore) {
  Timeline late{std::string(kWorks)};
  world(late);
  late.start();
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  for (Timeline* each : {&t, &late}) {
    each->link(10, "r1", "et0", false);
  }
  EXPECT_EQ(late.state("interface_down", "r1, et0"), "open");
  late.row("works", {"CHG-77", "c1", "0", "60"});
  late.new_inventory(20);
  EXPECT_EQ(late.all().back().reason, IncidentReason::Planned);
  EXPECT_EQ(late.all().back().note, "during CHG-77");
  t.new_inventory(20);
  for (const double at : {20.0, 50.0, 74.99, 75.0, 90.0}) {
    for (Timeline* each : {&t, &late}) {
      each->go(at);
    }
    const Incident a = t.live("interface_down", "r1, et0");
    const Incident b = late.live("interface_down", "r1, et0");
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.state, b.state) << at;
    EXPECT_EQ(a.maintenance, b.maintenance) << at;
    EXPECT_EQ(a.planned_until, b.planned_until) << at;
  }
  EXPECT_EQ(state(), "open");
}

TEST_F(Maintenance, WhatBeganBeforeStaysOpenWithANote) {
  t.row("works", {"CHG-77", "c1", "20", "60"}).start();
  t.link(10, "r1", "et0", false);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) due\n");
  t.restart();
  t.go(19.99);
  EXPECT_EQ(t.said(), "");
  t.go(20);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) updated\n");
  EXPECT_EQ(note(), "began before CHG-77: it stays open");
  t.restart();
  t.new_inventory(30);
  t.go(200);
  EXPECT_EQ(t.said(), "");
}

TEST_F(Maintenance, WindowsJoin) {
  // The second begins in the grace of the first, the third at the very end of the second's.
  t.row("works", {"CHG-1", "c1", "0", "20"});
  t.row("works", {"CHG-2", "c1", "30", "40"});
  t.row("works", {"CHG-3", "c1", "55", "65"});
  t.row("works", {"CHG-4", "c1", "81", "95"}).start();
  t.link(10, "r1", "et0", false);
  EXPECT_EQ(last().maintenance, "CHG-3");
  t.go(79.99);
  EXPECT_EQ(state(), "planned");
  t.said();
  t.go(80);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) window-ended\n");
  t.go(120);  // CHG-4 does not touch them: it began before that one
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) updated\n");
}

TEST_F(Maintenance, MovedShortenedAndDeletedWindowsAreLookedAtAtOnce) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  t.said();
  t.drop_row("works", "CHG-77");
  t.row("works", {"CHG-77", "c1", "0", "90"});
  t.new_inventory(20);
  EXPECT_EQ(t.said(), "planned interface_down(r1, et0) updated\n");
  t.go(100);
  EXPECT_EQ(state(), "planned");
  t.drop_row("works", "CHG-77");
  t.row("works", {"CHG-77", "c1", "0", "50"});
  t.new_inventory(101);  // shortened: over since 65
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) window-ended\n");
  EXPECT_EQ(note(), "during CHG-77, which is over");
  t.drop_row("works", "CHG-77");
  t.row("works", {"CHG-77", "c1", "5", "200"});
  t.new_inventory(102);
  EXPECT_EQ(t.said(), "planned interface_down(r1, et0) planned\n");
  t.drop_row("works", "CHG-77");
  t.new_inventory(103);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) window-ended\n");
  EXPECT_EQ(note(), "CHG-77 covers it no more");
}

TEST_F(Maintenance, OnlyWhatItCoversAndOnlyWhileItLasts) {
  t.row("works", {"CHG-77", "c1", "20", "60"});
  t.row("works", {"CHG-80", "c2", "", "60"});   // no start
  t.row("works", {"CHG-81", "c2", "60", "0"});  // ends before it begins
  t.start();
  t.link(10, "r1", "et1", false);
  EXPECT_EQ(t.state("interface_down", "r1, et1"), "open");
  t.link(74.999, "r1", "et0", false);  // in the grace
  EXPECT_EQ(state(), "planned");
  t.go(75);
  EXPECT_EQ(state(), "open");
  t.link(76, "r1", "et0", true);
  t.link(90, "r1", "et0", false);  // after `reopen`: another incident
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(last().maintenance, "");
}

TEST_F(Maintenance, PlannedExplains) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  t.bgp(11, "r1", "p1", false);
  t.go(30);
  EXPECT_EQ(t.state("session_down", "r1, p1"), "symptom");
  t.go(75);
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(t.state("session_down", "r1, p1"), "symptom");
  EXPECT_EQ(last().symptoms, 1U);
}

TEST_F(Maintenance, ALateCauseTakesAPlannedOneAndAReleasedOneIsPlannedAgain) {
  Timeline s(std::string(kWorks) +
             "maintenance p { each w in works covers session_down(node, peer) where peer in w.refs "
             "}");
  world(s);
  s.row("works", {"CHG-9", "p1", "0", "500"}).start();
  s.bgp(1, "r1", "p1", false);
  s.go(20);
  EXPECT_EQ(s.state("session_down", "r1, p1"), "planned");
  s.link(21, "r1", "et0", false);
  EXPECT_EQ(s.state("session_down", "r1, p1"), "symptom");
  s.link(40, "r1", "et0", true);
  s.go(200);
  EXPECT_EQ(s.state("session_down", "r1, p1"), "planned");
  s.go(500);
  EXPECT_EQ(s.state("session_down", "r1, p1"), "open");
}

TEST_F(Maintenance, ARulesVersionBringsAndTakesWindows) {
  const std::string without(kWorks);
  const std::string with = without +
                           "maintenance ups \"UPS swap\" { from 2001-09-09T01:46:00Z to "
                           "2001-09-09T01:47:40Z covers any(node: device) where node.role == "
                           "\"core\" }";
  t.start();  // the timeline begins at 2001-09-09T01:46:40Z
  t.link(10, "r1", "et0", false);
  t.said();
  t.new_rules(20, with);
  EXPECT_EQ(t.said(), "planned interface_down(r1, et0) planned\n");
  EXPECT_EQ(note(), "during ups");
  t.restart();
  t.new_rules(30, without);
  EXPECT_EQ(t.said(), "open interface_down(r1, et0) window-ended\n");
  t.new_rules(40, with);
  t.go(59.99);
  EXPECT_EQ(state(), "planned");
  t.go(60);
  EXPECT_EQ(state(), "open");
}

TEST_F(Maintenance, NewRulesAndTheirRowsAreOneInput) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  t.said();
  // The column changes its name with the rows: between the two nothing must open.
  std::string renamed(kWorks);
  renamed.replace(renamed.find("refs: set"), 4, "circs");
  renamed.replace(renamed.find("w.refs"), 6, "w.circs");
  t.new_rules(20, renamed);
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(state(), "planned");
}

TEST_F(Maintenance, AVersionOfWorksTouchesNothingElse) {
  // The first raise leaves the window at 10.001, its timer comes at 10.010. A version that touches
  // every key sees it gone at once; one of works alone does not look.
  const std::string bell = std::string(kWorks) +
                           "rule busy { when count(bgp_down) >= 2 within 10001ms by node open { "
                           "title \"{node.name}\" } }";
  for (const bool only_works : {true, false}) {
    Timeline s(bell);
    world(s);
    s.start();
    s.bgp(0, "r1", "p1", false);
    s.bgp(1, "r1", "p2", false);
    EXPECT_EQ(s.state("busy", "r1"), "open");
    s.row("works", {"CHG-77", "c1", "0", "60"});
    if (!only_works) {
      s.row("device", {"r9", "A", "core", "", "solution"});
    }
    s.new_inventory(10.005);
    EXPECT_EQ(s.state("busy", "r1"), only_works ? "open" : "closed");
    s.go(10.01);
    EXPECT_EQ(s.state("busy", "r1"), "closed");
  }
}

TEST_F(Maintenance, WorksThatSomethingElseReadsTouchEverything) {
  Timeline s(std::string(kWorks) +
             "rule other { when if_down where works[\"CHG-1\"].id is some open { title \"x\" } }");
  world(s);
  s.start();
  s.link(1, "r1", "et1", false);
  EXPECT_EQ(s.state("other", "r1, et1"), "none");
  s.row("works", {"CHG-1", "c9", "0", "60"});
  s.new_inventory(2);
  EXPECT_EQ(s.state("other", "r1, et1"), "open");
}

TEST_F(Maintenance, ManyWindowsAreBounded) {
  for (int i = 0; i < 5000; ++i) {  // all end later than what follows
    t.row("works", {"LATE-" + std::to_string(i), "c1", "100", "200"});
  }
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.link(10, "r1", "et0", false);
  EXPECT_EQ(last().maintenance, "CHG-77");
  t.go(75);
  EXPECT_EQ(state(), "open");
  t.go(100);
  EXPECT_EQ(note(), "began before LATE-0: it stays open");
}

TEST_F(Maintenance, ClearingAndBackAfterTheWindowIsReal) {
  std::string bell(kWorks);
  bell.replace(bell.find("reopen within 10s"), 17, "clear after 30s");
  Timeline s(bell);
  world(s);
  s.row("works", {"CHG-77", "c1", "0", "60"}).start();
  s.link(10, "r1", "et0", false);
  s.link(70, "r1", "et0", true);
  s.link(80, "r1", "et0", false);
  EXPECT_EQ(s.said(),
            "planned interface_down(r1, et0) due\n"
            "clearing interface_down(r1, et0) pattern-ended\n"
            "open interface_down(r1, et0) returned\n");
  EXPECT_EQ(s.all().back().note, "during CHG-77, which is over");
}

TEST_F(Maintenance, SilencesAndWindowsAddUp) {
  t.row("works", {"CHG-77", "c1", "0", "60"}).start();
  t.silence(5, "interface_down", 100);
  t.link(10, "r1", "et0", false);
  t.go(99.99);
  EXPECT_EQ(state(), "planned");
  t.go(100);
  EXPECT_EQ(state(), "open");
}

/// A version re-evaluates by what it says now, whatever came when: random windows, entered at
/// random times, end in the same state as when all were known from the start.
TEST_F(Maintenance, OrderOfEntryDoesNotMatter) {
  std::uint64_t random = 7;
  const auto below = [&](std::uint64_t n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (random >> 33) % n;
  };
  for (int round = 0; round < 40; ++round) {
    struct Row {
      std::string id, start, end;
      double known;
    };
    std::vector<Row> rows;
    for (std::uint64_t n = 1 + below(4); n > 0; --n) {
      const std::uint64_t start = below(100);
      rows.push_back({"CHG-" + std::to_string(n), std::to_string(start),
                      std::to_string(start + below(60)), static_cast<double>(20 + below(100))});
    }
    Timeline before{std::string(kWorks)}, after{std::string(kWorks)};
    world(before);
    world(after);
    for (const Row& row : rows) {
      before.row("works", {row.id, "c1", row.start, row.end});
    }
    before.start();
    after.start();
    const double began = static_cast<double>(below(100)) / 5;
    before.link(began, "r1", "et0", false);
    after.link(began, "r1", "et0", false);
    std::sort(rows.begin(), rows.end(),
              [](const Row& a, const Row& b) { return a.known < b.known; });
    for (const Row& row : rows) {
      after.row("works", {row.id, "c1", row.start, row.end});
      after.new_inventory(row.known);
    }
    for (double at = 120; at < 260; at += 7) {
      before.go(at);
      after.go(at);
      const Incident a = before.live("interface_down", "r1, et0");
      const Incident b = after.live("interface_down", "r1, et0");
      EXPECT_EQ(a.state, b.state) << round << " at " << at;
      EXPECT_EQ(a.began_at, b.began_at);
    }
  }
}

}  // namespace
}  // namespace belfry::correlate::test
