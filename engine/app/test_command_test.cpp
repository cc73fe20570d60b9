// `belfry test` itself: what its words mean, and that a failure can be read.
#include <gtest/gtest.h>

#include <filesystem>

#include "sources.hpp"
#include "test_report.hpp"
#include "test_runner.hpp"

namespace belfry {
namespace {

constexpr const char* kRules =
    R"bell(event trap   { oid: oid head, node: device, var: varbinds, via: string }
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
table device  key name { name: string, role: string }
table session key node, peer { node: device, peer: ip, name: string, ifname: string }
defaults { settle 10s  hold 2m  recover 2m  reopen within 30m }
signal if_down(node: device, ifname: string) {
  raise trap   IF-MIB::linkDown with ifname = var.ifDescr
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear trap   IF-MIB::linkUp   with ifname = var.ifDescr
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}
signal bgp_down(node: device, peer: ip) {
  raise syslog "%BGP-5-ADJCHANGE: neighbor {peer} Down{_}"
  clear syslog "%BGP-5-ADJCHANGE: neighbor {peer} Up"
}
rule interface_down { when if_down for 20s  open { title "{node.name} {ifname} down" severity critical } }
rule bgp_session_down {
  when bgp_down for 30s
  open { title "BGP {peer} ({session[node, peer].name}) down on {node.name}" severity major }
}
cause interface_down(node, ifname) of bgp_session_down(node, peer)
  where session[node, peer].ifname == ifname
)bell";

struct Ran {
  std::shared_ptr<const rules::Program> program;
  std::vector<TestOutcome> outcomes;
  TestCoverage coverage;
};

Ran run(const std::string& tests, std::optional<std::uint64_t> shuffle = {}) {
  const std::vector<rules::SourceFile> files{{"t.bell", kRules + tests}};
  const rules::Compiled compiled = rules::compile(files);
  EXPECT_NE(compiled.program, nullptr) << rules::render(compiled.diagnostics, files, false);
  Ran out;
  out.program = compiled.program;
  if (compiled.program != nullptr) {
    const TestRun run{compiled.program, &files, shuffle, &out.coverage};
    for (const auto& test : compiled.program->tests) {
      out.outcomes.push_back(run_test(run, *test));
    }
  }
  return out;
}

std::string text(const TestOutcome& o) {
  std::string out = o.first_failure + "\n";
  for (const std::string& line : o.timeline) {
    out += line + "\n";
  }
  return out;
}

constexpr const char* kExplained = R"bell(test "interface failure explains the BGP session" {
  given session { node: "r1", peer: 10.0.0.2, ifname: "et0", name: "TRANSIT-A" }
  +0s   trap   { node: "r1", oid: IF-MIB::linkDown, var: { ifDescr: "et0" } }
  +4s   syslog { node: "r1", msg: "%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down Interface flap" }
  +60s  expect open interface_down("r1", "et0") { symptoms: 1, count: 1, severity: critical, title: "r1 et0 down" }
  +60s  expect no bgp_session_down
  +60s  expect symptom bgp_session_down("r1", 10.0.0.2) { cause: "interface_down(r1, et0)" }
  +60s  expect 1 open
  +5m   trap   { node: "r1", oid: IF-MIB::linkUp, var: { ifDescr: "et0" } }
  +5m   syslog { node: "r1", msg: "%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Up" }
  +6m   expect closed interface_down("r1", "et0")
  +6m   expect 0 open
}
)bell";

TEST(TestCommand, AnExplainedIncident) {
  const Ran ran = run(kExplained);
  ASSERT_EQ(ran.outcomes.size(), 1U);
  EXPECT_TRUE(ran.outcomes[0].passed) << text(ran.outcomes[0]);
  EXPECT_EQ(ran.outcomes[0].line, 23U);
  EXPECT_EQ(ran.outcomes[0].events, 4U);
  EXPECT_EQ(ran.coverage.rules.size(), 2U);
  EXPECT_EQ(ran.coverage.causes.size(), 1U);
  EXPECT_EQ(ran.coverage.clauses.size(), 4U);
}

TEST(TestCommand, OrderAtOneInstantIsNoMatter) {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    const Ran ran = run(kExplained, seed);
    EXPECT_TRUE(ran.outcomes[0].passed) << "shuffle " << seed << "\n" << text(ran.outcomes[0]);
  }
}

TEST(TestCommand, AlonePagesAfterForAndSettle) {
  const Ran ran = run(R"bell(test "alone" {
  given session { node: "r1", peer: 10.0.0.2, ifname: "et0", name: "TRANSIT-A" }
  +0s   syslog { node: "r1", msg: "%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down Hold timer expired" }
  +39s  expect no bgp_session_down
  +40s  expect open bgp_session_down { title: "BGP 10.0.0.2 (TRANSIT-A) down on r1" }
})bell");
  EXPECT_TRUE(ran.outcomes[0].passed) << text(ran.outcomes[0]);
}

TEST(TestCommand, RepeatedSteps) {
  const Ran ran = run(R"bell(test "three times" {
  +0s x 3 every 2s syslog { node: "r1", msg: "%LINK-3-UPDOWN: Interface et0, changed state to down" }
  +19s  expect 0 open
  +20s  expect open interface_down { count: 3, flaps: 1 }
})bell");
  EXPECT_TRUE(ran.outcomes[0].passed) << text(ran.outcomes[0]);
}

TEST(TestCommand, AFailureSaysWhatWasThere) {
  const Ran ran = run(R"bell(test "wrong" {
  +0s  syslog { node: "r1", msg: "%LINK-3-UPDOWN: Interface et0, changed state to down" }
  +60s expect 2 open
  +60s expect open interface_down("r1", "et0") { severity: minor, count: 7 }
  +60s expect closed interface_down
  +60s expect no interface_down
  +60s expect open bgp_session_down
})bell");
  const TestOutcome& o = ran.outcomes[0];
  EXPECT_FALSE(o.passed);
  const std::string all = text(o);
  EXPECT_NE(all.find("! +60s expect 2 open   got 1: interface_down(r1, et0)"), std::string::npos)
      << all;
  EXPECT_NE(all.find(R"(got interface_down(r1, et0) { severity: "critical", count: "1" })"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("expect closed interface_down   got open interface_down(r1, et0)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("expect no interface_down   got 1: interface_down(r1, et0)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("expect open bgp_session_down   got none\n"
                     "        bgp_down: raised 0 times, cleared 0\n"),
            std::string::npos)
      << all;
}

TEST(TestCommand, AnEventThatMatchesNothingIsMarked) {
  const Ran ran = run(R"bell(test "misspelt" {
  +0s  syslog { node: "r1", msg: "%LINK-3-UPDOWN: Interface et0, changed state to dwon" }
  +60s expect open interface_down
})bell");
  const std::string all = text(ran.outcomes[0]);
  EXPECT_NE(all.find("changed state to dwon\" }   (matches no line)\n"), std::string::npos) << all;
  EXPECT_NE(all.find("if_down: raised 0 times, cleared 0"), std::string::npos) << all;
}

TEST(TestCommand, AFailureSaysWhyNothingExplains) {
  const Ran ran = run(R"bell(test "other port" {
  given session { node: "r1", peer: 10.0.0.2, ifname: "et9", name: "TRANSIT-A" }
  +0s  syslog { node: "r1", msg: "%LINK-3-UPDOWN: Interface et0, changed state to down" }
  +0s  syslog { node: "r1", msg: "%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down x" }
  +60s expect 1 open
})bell");
  const std::string all = text(ran.outcomes[0]);
  EXPECT_NE(all.find("bgp_session_down(r1, 10.0.0.2) is not explained by interface_down(r1, et0)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("          where session[node, peer].ifname == ifname\n"
                     "                        |     |     |         |\n"
                     "                        r1    |     et9       et0 -> false\n"
                     "                              10.0.0.2\n"),
            std::string::npos)
      << all;
}

/// Rows of works in `given`, their times as offsets from the beginning of the test.
TEST(TestCommand, StillDownAfterTheWindowBecomesARealIncident) {
  const Ran ran = run(R"bell(
table circuit key id            { id: string, ref: string }
table port    key node, ifname  { node: device, ifname: string, circuit: circuit? }
table works   key id            { id: string, carrier: string, refs: set<string>, start: time, end: time }
maintenance carrier_works {
  each   w in works
  covers interface_down(node, ifname) where port[node, ifname].circuit.ref in w.refs
  grace  15m
}
test "still down after the window" {
  given works   { id: "CHG-77", carrier: "telco", refs: { "T-1001" }, start: +0s, end: +1h }
  given port    { node: "r1", ifname: "et0", circuit: "c1" }
  given circuit { id: "c1", ref: "T-1001" }
  +10m  trap { node: "r1", oid: IF-MIB::linkDown, var: { ifDescr: "et0" } }
  +10m  trap { node: "r1", oid: IF-MIB::linkDown, var: { ifDescr: "et1" } }
  +30m  expect planned interface_down("r1", "et0") { maintenance: "CHG-77" }
  +30m  expect open interface_down("r1", "et1")
  +30m  expect 1 open
  +74m  expect 1 planned
  +76m  expect open interface_down("r1", "et0") { maintenance: "CHG-77" }
}
test "in the dark" {
  given works   { id: "CHG-77", carrier: "telco", refs: { "T-1001" }, start: +0s, end: +1h }
  given port    { node: "r1", ifname: "et0", circuit: "c1" }
  given circuit { id: "c1", ref: "T-1001" }
  +10m  trap { node: "r1", oid: IF-MIB::linkDown, var: { ifDescr: "et0" } }
  +30m  expect open interface_down("r1", "et0")
})bell");
  ASSERT_EQ(ran.outcomes.size(), 2U);
  EXPECT_TRUE(ran.outcomes[0].passed) << text(ran.outcomes[0]);
  EXPECT_FALSE(ran.outcomes[1].passed);
  EXPECT_NE(text(ran.outcomes[1]).find("got planned interface_down(r1, et0)"), std::string::npos)
      << text(ran.outcomes[1]);
  EXPECT_NE(text(ran.outcomes[1]).find(" maintenance CHG-77"), std::string::npos)
      << text(ran.outcomes[1]);
}

TEST(TestCommand, AConditionOfTwoLinesHasItsValuesBelowEach) {
  const Ran ran =
      run(R"bell(signal site_lost(site: string) { raise syslog "site {site} lost" expire 1h }
rule site_down { when site_lost  open { title "x" severity major } }
cause site_down(site) of interface_down(node, ifname)
  where node.role == site
    and ifname != "et9"
test "another site" {
  given device { name: "r1", role: "par1" }
  +0s  syslog { node: "r1", msg: "%LINK-3-UPDOWN: Interface et0, changed state to down" }
  +0s  syslog { node: "r1", msg: "site lyo lost" }
  +60s expect 1 open
})bell");
  const std::string all = text(ran.outcomes[0]);
  EXPECT_NE(all.find("          where node.role == site\n"
                     "                |    |       |\n"
                     "                r1   par1    lyo\n"
                     "          and ifname != \"et9\"\n"
                     "              |\n"
                     "              et0 -> false\n"),
            std::string::npos)
      << all;
}

constexpr const char* kFirstWins = R"bell(signal up_down(node: device) {
  raise syslog "up"
  clear syslog "down"
}
signal other(node: device, via: string) { raise syslog "other" expire 1h }
rule first { when up_down and other(node, "a")  open { title "x"  severity major  priority desk(impact) impact outage } }
enum impact { none, outage }
enum priority { P4, P1 }
policy desk(i: impact) -> priority { P1 if i == outage  else P4 }
)bell";

TEST(TestCommand, ShuffleFindsWhatDependsOnTheOrder) {
  // With room for one key, who comes first decides.
  const std::string text = R"bell(signal a(node: device) { raise syslog "hello" expire 1h }
rule a_up { when a  limit 1  open { title "x" severity major } }
test "r1 is up" {
  +0s  syslog { node: "r1", msg: "hello" }
  +0s  syslog { node: "r2", msg: "hello" }
  +60s expect open a_up("r1")
})bell";
  const Ran written = run(text);
  ASSERT_TRUE(written.outcomes[0].passed) << ::belfry::text(written.outcomes[0]);
  const Ran shuffled = run(text, 1);
  EXPECT_FALSE(shuffled.outcomes[0].passed);
  const std::string all = ::belfry::text(shuffled.outcomes[0]);
  EXPECT_NE(all.find("ends differently in another order"), std::string::npos) << all;
  EXPECT_NE(all.find("- a_up(r1) open"), std::string::npos) << all;
  EXPECT_NE(all.find("+ a_up(r2) open"), std::string::npos) << all;
}

TEST(TestCommand, PrioritiesAndPolicyLinesAreCovered) {
  const Ran ran = run(std::string(kFirstWins) + R"bell(test "both" {
  +0s  syslog { node: "r1", msg: "up" }
  +0s  syslog { node: "r1", via: "a", msg: "other" }
  +60s expect open first { priority: P1, impact: outage }
})bell");
  EXPECT_TRUE(ran.outcomes[0].passed) << text(ran.outcomes[0]);
  EXPECT_TRUE(ran.coverage.policy_lines.contains({0, 0}));
  EXPECT_FALSE(ran.coverage.policy_lines.contains({0, 1}));
  const std::vector<CoveredLine> lines = covered_lines(*ran.program, ran.coverage);
  const std::string report = coverage_text(lines);
  EXPECT_NE(report.find("  policy desk\n"), std::string::npos) << report;
  EXPECT_NE(report.find("clear up_down\n"), std::string::npos) << report;
  EXPECT_NE(report.find("policy 1/2"), std::string::npos) << report;
  EXPECT_NE(coverage_json(lines).find(R"("policy":{"hit":1,"of":2})"), std::string::npos);
}

TEST(TestCommand, JunitHasASuitePerFile) {
  TimedOutcome good, bad;
  good.outcome.file = bad.outcome.file = "a.bell";
  good.outcome.name = "fine";
  bad.outcome.name = "a < b & \"c\"";
  bad.outcome.passed = false;
  bad.outcome.first_failure = "got 2";
  bad.outcome.timeline = {"  ! +1s expect 1 open   got 2"};
  bad.seconds = 1.5;
  EXPECT_EQ(junit_xml({good, bad}), R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="belfry" tests="2" failures="1" errors="0" time="1.500">
  <testsuite name="a.bell" tests="2" failures="1" errors="0" skipped="0" time="1.500">
    <testcase classname="a.bell" name="fine" file="a.bell" line="0" time="0.000"/>
    <testcase classname="a.bell" name="a &lt; b &amp; &quot;c&quot;" file="a.bell" line="0" time="1.500">
      <failure message="got 2">  ! +1s expect 1 open   got 2
</failure>
    </testcase>
  </testsuite>
</testsuites>
)xml");
}

/// Every shipped pack with its own tests, in the order written and in others.
TEST(TestCommand, ShippedPacksPass) {
  const std::filesystem::path packs = std::filesystem::path(BELFRY_ROOT) / "rules" / "packs";
  for (const auto& pack : std::filesystem::directory_iterator(packs)) {
    if (!pack.is_directory()) {
      continue;
    }
    const auto files = read_rules({pack.path().string()});
    ASSERT_TRUE(files.has_value()) << pack.path();
    const rules::Compiled compiled = rules::compile(*files);
    ASSERT_NE(compiled.program, nullptr) << rules::render(compiled.diagnostics, *files, false);
    EXPECT_FALSE(compiled.program->tests.empty()) << pack.path() << " has no tests";
    for (const std::optional<std::uint64_t> shuffle :
         {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(1)}) {
      for (const auto& test : compiled.program->tests) {
        const TestOutcome o = run_test({compiled.program, &*files, shuffle, nullptr}, *test);
        EXPECT_TRUE(o.passed) << o.file << ":" << o.line << " " << o.name << "\n" << text(o);
      }
    }
  }
}

}  // namespace
}  // namespace belfry
