// The driver itself: instants, seqs, batches. What the fold says is tested beside the correlator
// and by the property test.
#include "belfry/replay/rehearsal.hpp"

#include <gtest/gtest.h>

#include "belfry/rules/compile.hpp"

namespace belfry::replay {
namespace {

constexpr const char* kRules = R"bell(event syslog { msg: text head, node: device }
table device key name { name: string }
signal down(node: device) {
  raise syslog "down"
  clear syslog "up"
}
rule broken { when down for 1s  open { title "{node}" } }
)bell";

std::shared_ptr<const rules::Program> program() {
  const std::vector<rules::SourceFile> files{{"r.bell", kRules}};
  const rules::Compiled compiled = rules::compile(files);
  EXPECT_NE(compiled.program, nullptr) << rules::render(compiled.diagnostics, files, false);
  return compiled.program;
}

constexpr Instant at(double seconds) { return Instant::from_seconds(1'000'000 + seconds); }

std::vector<RehearsalChange> told(std::size_t batch, bool restart) {
  const auto rules = program();
  const auto inventory = InventoryBuilder(rules->schema).build(1);
  std::vector<RehearsalChange> out;
  RehearsalOptions options;
  options.batch_events_max = batch;
  Rehearsal rehearsal(
      rules, *inventory, at(0), [&](const RehearsalChange& change) { out.push_back(change); },
      options);
  const auto say = [&](double seconds, std::string_view node, std::string_view text) {
    Event& event = rehearsal.begin();
    event.type = "syslog";
    event.node = node;
    event.message = text;
    rehearsal.commit(at(seconds));
  };
  say(0, "a", "down");
  say(0.5, "b", "down");
  if (restart) {
    EXPECT_TRUE(rehearsal.restart_from_snapshot());
  }
  say(3, "a", "up");
  rehearsal.begin();
  rehearsal.drop();
  rehearsal.advance(at(10));
  EXPECT_EQ(rehearsal.now(), at(10));
  EXPECT_EQ(rehearsal.last_seq(), Seq{3});
  EXPECT_EQ(rehearsal.matches(), 3U);
  return out;
}

TEST(Rehearsal, EveryChangeHasItsOwnInstant) {
  const auto changes = told(1, false);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].at, at(1));
  EXPECT_EQ(changes[1].at, at(1.5));
  EXPECT_EQ(changes[1].seq, Seq{3}) << "what timers do before an event has its seq";
  EXPECT_EQ(changes[2].at, at(3));
  EXPECT_EQ(changes[2].change.after.state, IncidentState::Closed);
}

TEST(Rehearsal, BatchesAndRestartsDoNotShow) {
  const auto one = told(1, false);
  for (const auto& other : {told(2, false), told(100, false), told(1, true), told(100, true)}) {
    ASSERT_EQ(other.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(other[i].at, one[i].at);
      EXPECT_EQ(other[i].change.after.id, one[i].change.after.id);
    }
  }
}

}  // namespace
}  // namespace belfry::replay
