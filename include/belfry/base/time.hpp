#pragma once
// Instants and durations: int64 nanoseconds (UTC since the epoch; a duration may be negative).
// Time is a value handed in: nothing below the pipeline reads a clock.
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// A point in time, ns since 1970-01-01T00:00:00Z. Range: years 1678 to 2262.
struct Instant {
  std::int64_t ns = 0;
  constexpr auto operator<=>(const Instant&) const = default;
  constexpr Instant operator+(Duration d) const { return {ns + d.count()}; }
  constexpr Instant operator-(Duration d) const { return {ns - d.count()}; }
  constexpr Duration operator-(Instant other) const { return Duration(ns - other.ns); }
  static constexpr Instant from_seconds(double seconds) {
    return {static_cast<std::int64_t>(seconds * 1e9)};
  }
  constexpr double seconds() const { return static_cast<double>(ns) / 1e9; }
};

inline constexpr Instant kNever{INT64_MAX};  ///< later than everything: "no deadline"

/// `2026-03-14T22:00:00.123Z`, UTC, milliseconds.
std::string to_rfc3339(Instant at);
/// Reads RFC 3339 with zone (`Z` or `+hh:mm`), fraction optional; nullopt when it is not one.
std::optional<Instant> parse_rfc3339(std::string_view text);
/// `1h 30m`, `12s`, `250ms`: at most the two greatest units, for people.
std::string to_text(Duration d);
/// `500ms 30s 5m 2h 7d 1w` and sums such as `1h30m`; nullopt when it is not one or overflows.
std::optional<Duration> parse_duration(std::string_view text);
/// Civil UTC time to an instant; fields must be in range (month 1-12, day 1-31).
Instant from_civil_utc(int year, int month, int day, int hour, int minute, int second);

}  // namespace belfry
