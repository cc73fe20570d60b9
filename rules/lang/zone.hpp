#pragma once
// Local times of rule files: which instants a date and time of day means in a zone.
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "belfry/base/time.hpp"

namespace belfry::rules {

/// What a wall clock's reading means. A time that summer time skips is the instant of the jump; one
/// that comes twice has two instants.
struct LocalTime {
  Instant first, second;  ///< the same but for a time that comes twice
  bool skipped = false;
  bool repeated() const { return first != second; }
};

/// The rules of a zone; false when tzdata has none of that name.
bool find_zone(const std::string& name, absl::TimeZone& out);
/// The name is one of tzdata's; names that mean another zone elsewhere (`localtime`) are not.
bool known_zone(std::string_view name);
/// The nearest of the well-known zones, as a help text: "did you mean 'Europe/Paris'?".
std::string near_zone(std::string_view name);

/// A time literal ends in `Z` or an offset.
bool says_zone(std::string_view time);
/// `2026-03-14T22:00`, with seconds and fraction as one likes, in that zone; nullopt when there is
/// no such day or hour. REQUIRES: known_zone(zone).
std::optional<LocalTime> local_time(std::string_view time, std::string_view zone);

}  // namespace belfry::rules
