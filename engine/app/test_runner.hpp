#pragma once
// Runs one `test` block of Bell on the fold in virtual time: rows from `given`, events at their
// offsets, every `expect` after all events and timers of its instant.
//
// What the words mean: `open` is an incident that is open or clearing and hangs under nothing;
// `symptom`, `planned` as the state says; `no RULE` none is open; `closed RULE` one was closed and
// none of that key lives. `expect N open` counts over all rules.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "belfry/rules/compile.hpp"
#include "belfry/rules/tests.hpp"

namespace belfry {

/// What the tests of a run touched, as indices of the program.
struct TestCoverage {
  std::set<rules::Index> clauses, rules, causes;
  std::set<std::pair<rules::Index, rules::Index>> policy_lines;  ///< policy, line
};

struct TestOutcome {
  std::string name, file;
  std::uint32_t line = 0;
  bool passed = true;
  /// The timeline: one line per step, `got ...` on those that failed, and what stood there.
  std::vector<std::string> timeline;
  std::string first_failure;
  std::size_t events = 0, changes = 0;
  /// How every incident stood after the last step: rule, key, state, cause.
  std::vector<std::string> stood;
};

struct TestRun {
  std::shared_ptr<const rules::Program> program;
  const std::vector<rules::SourceFile>* files = nullptr;
  /// Seed of other orders of events of different signal keys at one instant; nullopt = only as
  /// written.
  std::optional<std::uint64_t> shuffle;
  TestCoverage* coverage = nullptr;
};

/// Orders that `--shuffle` tries, one seed each.
inline constexpr std::uint64_t kShuffleRounds = 8;

/// With `shuffle` the test runs in the order written, then in others: every expectation must hold
/// and what stands at the end (rule, key, state, cause) must be the same.
TestOutcome run_test(const TestRun& run, const rules::Test& test);

}  // namespace belfry
