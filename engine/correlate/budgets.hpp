#pragma once
// Budgets: what a rule may use at run time, and what is remembered of those that used more
// (LANGUAGE 6.17). Steps are counted by evaluate(), bytes from counts, so a replay agrees.
#include <compare>
#include <cstdint>
#include <memory>

#include "belfry/model/change.hpp"

namespace belfry::correlate {

/// What can be cut off alone. Owner: a rule or a signal, with all it remembers.
struct Unit {
  enum class Kind : std::uint8_t { Line, Owner, Cause } kind = Kind::Owner;
  std::uint32_t index = 0;  ///< clause, signal or cause of the program
  auto operator<=>(const Unit&) const = default;
};

struct OverBudget {
  enum class What : std::uint8_t { Steps, Memory } what = What::Steps;
  std::uint32_t strikes = 0;  ///< that count together
  std::int64_t last = 0;      ///< newest strike
  std::uint64_t times = 0;    ///< all strikes
  bool cut = false;
  bool changed = false;  ///< to be said at the end of the round
  std::uint32_t nth = 0;
  std::unique_ptr<Incident> shown;
};

/// Estimates, for the memory of an owner: its records without texts.
inline constexpr std::uint64_t kLinkBytes = 32;
inline constexpr std::uint64_t kValueBytes = 48;
inline constexpr std::uint64_t kVantageBytes = 48;
inline constexpr std::uint64_t kIncidentBytes = 1024;

}  // namespace belfry::correlate
