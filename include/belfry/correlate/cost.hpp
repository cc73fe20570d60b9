#pragma once
// What a rule set costs in memory and timers, before anything runs (`belfry check --cost`).
#include <memory>
#include <string>
#include <vector>

#include "belfry/rules/program.hpp"

namespace belfry {

struct StateCost {
  /// Of a key that is up: records, edges, windows when full. Windows of distinct values: with
  /// one value, each more is `bytes_per_value`.
  std::size_t bytes_per_key = 0;
  std::size_t bytes_per_value = 0;
  std::size_t timers_per_key = 0;    ///< at most running at once
  std::vector<std::string> windows;  ///< each: how it is kept and how exact it is
};

/// By place in Program::signals (signals and measures, then rules). REQUIRES: program != nullptr.
std::vector<StateCost> state_costs(const std::shared_ptr<const rules::Program>& program);

}  // namespace belfry
