#pragma once
// `belfry test`: runs the `test` blocks of rule files in virtual time on the same fold as the
// server.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace belfry {

struct TestArguments {
  std::vector<std::string> paths;
  std::string only;  ///< part of a test's name; empty = all
  bool json = false;
  bool coverage = false;
  bool verbose = false;                  ///< the timeline of passed tests too
  std::string junit;                     ///< file; empty = none
  std::optional<std::uint64_t> shuffle;  ///< seed
};

/// 0 = all passed, 1 = a test failed or there was none, 2 = rules that do not compile or cannot be
/// read.
int test_command(const TestArguments& arguments);

}  // namespace belfry
