// Calendars: weekly hours in a zone. The zone's rules come from the system's tzdata through Abseil,
// which keeps what it loaded.
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>

#include "belfry/rules/eval.hpp"

namespace belfry::rules {

bool lies_in(const Calendar& calendar, Instant at) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(calendar.zone, &zone)) {
    return false;  // the compiler refused unknown zones: tzdata changed under us
  }
  const absl::CivilSecond local = absl::ToCivilSecond(absl::FromUnixNanos(at.ns), zone);
  const absl::CivilDay day(local);
  const auto weekday = static_cast<unsigned>(absl::GetWeekday(day));  // 0 = Monday
  if ((calendar.days >> weekday & 1U) == 0) {
    return false;
  }
  const auto number = static_cast<std::int32_t>(day - absl::CivilDay(1970, 1, 1));
  if (std::binary_search(calendar.days_off.begin(), calendar.days_off.end(), number)) {
    return false;
  }
  // Wall-clock hours: what summer time skips or repeats counts as the clock on the wall says.
  const auto since = std::chrono::seconds(local - absl::CivilSecond(day));
  return since >= calendar.from && since < calendar.to;
}

}  // namespace belfry::rules
