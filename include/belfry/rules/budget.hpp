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

}  // namespace belfry::rules
