#pragma once
// Budgets of evaluation. Steps are counted, never timed, so that every replay comes to the same.
#include <cstdint>

namespace belfry::rules {

/// Steps of one evaluation of one expression: a millisecond. More than any sane title or condition,
/// less than a hang; what is over gives none.
inline constexpr std::uint32_t kEvaluationStepsMax = 100'000;
/// Steps of one condition or key of a raise or clear line on one event, at the door. Only columns
/// and relations of large sets take thousands.
inline constexpr std::uint32_t kLineStepsMax = 2'000;

/// What a rule may use at run time before the fold cuts it off. Part of what decides: the same in
/// every run over the same journal.
struct Budgets {
  /// Of one rule for one key in one piece of work; of one symptom's looks at one cause.
  std::uint32_t steps = kEvaluationStepsMax;
  /// So often over its steps, no further apart than `strike_memory_ns`: cut off. The first two may
  /// have been one odd event.
  std::uint32_t strikes = 3;
  std::int64_t strike_memory_ns = 3'600'000'000'000;
  /// Bytes for each key of `limit`: an incident with its proofs, full windows and a hundred links.
  std::uint64_t bytes_per_key = 4096;
  /// However small `limit` is: a site's rule of a few keys may count a million.
  std::uint64_t bytes_min = 64ULL << 20;
};

}  // namespace belfry::rules
