// Calendars: weekly hours in a zone.
#include "calendar.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <string>

#include "belfry/base/text.hpp"
#include "belfry/rules/eval.hpp"
#include "zone.hpp"

namespace belfry::rules {

namespace {

/// A calendar that does not open within this time does not open.
constexpr int kDaysAhead = 3 * 366;

bool open_day(const Calendar& calendar, absl::CivilDay day) {
  const auto weekday = static_cast<unsigned>(absl::GetWeekday(day));  // 0 = Monday
  const auto number = static_cast<std::int32_t>(day - absl::CivilDay(1970, 1, 1));
  return (calendar.days >> weekday & 1U) != 0 &&
         !std::binary_search(calendar.days_off.begin(), calendar.days_off.end(), number);
}

}  // namespace

std::optional<std::int32_t> day_number(std::string_view date) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') {
    return std::nullopt;
  }
  const auto year = parse_int(date.substr(0, 4)), month = parse_int(date.substr(5, 2)),
             day = parse_int(date.substr(8, 2));
  if (!year || !month || !day || *year < 1678 || *year > 2261) {
    return std::nullopt;
  }
  const absl::CivilDay civil(*year, *month, *day);
  if (civil.month() != *month || civil.day() != *day) {
    return std::nullopt;  // 31 June: normalised away
  }
  return static_cast<std::int32_t>(civil - absl::CivilDay(1970, 1, 1));
}

bool lies_in(const Calendar& calendar, Instant at) {
  absl::TimeZone zone;
  if (!find_zone(calendar.zone, zone)) {
    return false;  // the compiler refused unknown zones: tzdata changed under us
  }
  const absl::CivilSecond local = absl::ToCivilSecond(absl::FromUnixNanos(at.ns), zone);
  const absl::CivilDay day(local);
  if (!open_day(calendar, day)) {
    return false;
  }
  // Wall-clock hours: what summer time skips or repeats counts as the clock on the wall says.
  const auto since = std::chrono::seconds(local - absl::CivilSecond(day));
  return since >= calendar.from && since < calendar.to;
}

Instant opens_at(const Calendar& calendar, Instant at) {
  absl::TimeZone zone;
  if (lies_in(calendar, at)) {
    return at;
  }
  if (!find_zone(calendar.zone, zone)) {
    return kNever;
  }
  absl::CivilDay day(absl::ToCivilSecond(absl::FromUnixNanos(at.ns), zone));
  const auto hours = std::chrono::duration_cast<std::chrono::seconds>(calendar.from).count();
  for (int ahead = 0; ahead < kDaysAhead; ++ahead, ++day) {
    if (!open_day(calendar, day)) {
      continue;
    }
    const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(day) + hours);
    // An hour that summer time skips opens when the clock goes on; one that comes twice, twice.
    for (const absl::Time opens :
         {info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre, info.post}) {
      const Instant instant{absl::ToUnixNanos(opens)};
      if (instant > at && lies_in(calendar, instant)) {
        return instant;
      }
    }
  }
  return kNever;
}

}  // namespace belfry::rules
