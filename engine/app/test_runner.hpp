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
  /// Order of events of different signal keys at one instant; nullopt = as written.
  std::optional<std::uint64_t> shuffle;
  TestCoverage* coverage = nullptr;
};

/// With `shuffle` the test runs in the order written too: what stands at the end must be the same.
TestOutcome run_test(const TestRun& run, const rules::Test& test);

}  // namespace belfry
