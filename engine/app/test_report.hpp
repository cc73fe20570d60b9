#pragma once
// What `belfry test` says of a run, for people and machines: coverage by line, JUnit XML.
#include <string>
#include <vector>

#include "test_runner.hpp"

namespace belfry {

struct TimedOutcome {
  TestOutcome outcome;
  double seconds = 0;
};

/// One entry per line of text: a MIB name with two OIDs is two clauses, `any(...)` several causes.
struct CoveredLine {
  std::string kind, what, file;
  std::uint32_t line = 0;
  bool hit = false;
};
std::vector<CoveredLine> covered_lines(const rules::Program& program, const TestCoverage& coverage);
/// The lines that no test reached, then counts by kind.
std::string coverage_text(const std::vector<CoveredLine>& lines);
/// A JSON object per line, then one with the counts.
std::string coverage_json(const std::vector<CoveredLine>& lines);

/// A test suite per file.
std::string junit_xml(const std::vector<TimedOutcome>& outcomes);

}  // namespace belfry
