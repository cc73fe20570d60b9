#include "verifier.hpp"

#include <gtest/gtest.h>

#include "belfry/rules/compile.hpp"

namespace belfry {
namespace {

constexpr std::string_view kRules = R"(
event trap  { oid: oid head, node: device, var: varbinds }
event probe { check: string head, node: device, status: status }
enum status { up, degraded, down }
table device key name { name: string } from "devices.csv"
signal session_down(node: device) {
  raise trap 1.3.6.1.4.1.9999.0.1
  clear trap 1.3.6.1.4.1.9999.0.2
  clear probe "session" where status == up
}
signal host_down(node: device) {
  raise probe "icmp" where status == down
  clear probe "icmp" where status == up
}
signal any_down(node: device) { raise when session_down by node }
rule session { when any_down for 1s  open { title "{node.name}" severity major } }
rule host { when host_down  open { title "{node.name}" severity major } }
)";

std::shared_ptr<const rules::Program> compiled() {
  const std::vector<rules::SourceFile> files{{"t.bell", std::string(kRules)}};
  auto out = rules::compile(files);
  EXPECT_TRUE(out.program) << (out.diagnostics.empty() ? "" : out.diagnostics[0].message);
  return out.program;
}

Incident incident(unsigned id, Instant at) {
  Incident out;
  out.id = IncidentId{id};
  out.rule = "session";
  out.nodes = {"r1"};
  out.began_at = at;
  out.evidence = {{Seq{1}, at, "trap"}};
  return out;
}

TEST(Verifier, OnlyAlarmsThatProbesClearButDoNotRaise) {
  const auto program = compiled();
  ASSERT_NE(program, nullptr);
  const auto checks = clearing_checks(*program);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks.at("session"), (std::vector<std::string>{"session"}));
}

TEST(Verifier, DoubtsWhatIsSilentAndAsksAgainAfterTheSameTime) {
  const auto program = compiled();
  ASSERT_NE(program, nullptr);
  const Instant began{1'000'000'000'000};
  std::vector<Incident> open{incident(1, began)};
  const auto list = [&open](const std::string&) { return open; };
  Verifier verifier(15min);
  EXPECT_TRUE(verifier.due(*program, list, began + 14min).empty());
  EXPECT_EQ(verifier.due(*program, list, began + 15min),
            (std::vector<Verifier::Ask>{{"r1", "session"}}));
  EXPECT_TRUE(verifier.due(*program, list, began + 20min).empty());
  EXPECT_EQ(verifier.due(*program, list, began + 31min).size(), 1U);
  open[0].evidence.push_back({Seq{2}, began + 40min, "trap again"});
  EXPECT_TRUE(verifier.due(*program, list, began + 50min).empty()) << "it was heard of";
  EXPECT_EQ(verifier.due(*program, list, began + 56min).size(), 1U);
}

TEST(Verifier, ABoundForOneLook) {
  const auto program = compiled();
  ASSERT_NE(program, nullptr);
  std::vector<Incident> open;
  for (unsigned i = 0; i < 500; ++i) {
    open.push_back(incident(i + 1, Instant{0}));
  }
  Verifier verifier(1min);
  const Instant now{3'600'000'000'000};
  std::size_t all = 0, looks = 0;
  while (const std::size_t n = verifier
                                   .due(
                                       *program, [&](const std::string&) { return open; }, now)
                                   .size()) {
    EXPECT_LE(n, Verifier::kAsksOfOneLook);
    all += n;
    ++looks;
  }
  EXPECT_EQ(all, 500U);
  EXPECT_EQ(looks, 3U);
}

}  // namespace
}  // namespace belfry
