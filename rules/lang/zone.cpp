// Zones through Abseil, which reads the system's tzdata and keeps what it loaded.
#include "zone.hpp"

#include <absl/time/civil_time.h>

#include <algorithm>
#include <vector>

#include "belfry/base/text.hpp"
#include "report.hpp"

namespace belfry::rules {

namespace {

constexpr std::size_t kZoneBytesMax = 64;

/// Where operators sit; only to say "did you mean".
constexpr std::string_view kZones =
    "UTC Africa/Abidjan Africa/Algiers Africa/Cairo Africa/Casablanca Africa/Dakar "
    "Africa/Johannesburg Africa/Lagos Africa/Nairobi Africa/Tunis "
    "America/Argentina/Buenos_Aires America/Bogota America/Chicago America/Denver "
    "America/Halifax America/Lima America/Los_Angeles America/Mexico_City "
    "America/New_York America/Santiago America/Sao_Paulo America/Toronto "
    "America/Vancouver Asia/Bangkok Asia/Dubai Asia/Hong_Kong Asia/Jakarta "
    "Asia/Jerusalem Asia/Kolkata Asia/Manila Asia/Seoul Asia/Shanghai Asia/Singapore "
    "Asia/Taipei Asia/Tokyo Australia/Melbourne Australia/Perth Australia/Sydney "
    "Europe/Amsterdam Europe/Athens Europe/Berlin Europe/Brussels Europe/Bucharest "
    "Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul "
    "Europe/Lisbon Europe/London Europe/Luxembourg Europe/Madrid Europe/Oslo "
    "Europe/Paris Europe/Prague Europe/Rome Europe/Stockholm Europe/Vienna Europe/Warsaw "
    "Europe/Zurich";

std::vector<std::string_view> well_known() {
  std::vector<std::string_view> names;
  for (std::size_t begin = 0; begin < kZones.size();) {
    const std::size_t end = std::min(kZones.find(' ', begin), kZones.size());
    names.push_back(kZones.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

int digits(std::string_view text, std::size_t from, std::size_t n) {
  return static_cast<int>(parse_int(text.substr(from, n)).value_or(-1));
}

}  // namespace

/// Abseil's table of zones is behind a lock; a thread mostly asks for the zone it asked for before.
bool find_zone(const std::string& name, absl::TimeZone& out) {
  struct Known {
    std::string name;
    absl::TimeZone zone;
    bool found = false;
  };
  thread_local Known known;
  if (!known.found || known.name != name) {
    known.found = absl::LoadTimeZone(name, &known.zone);
    known.name = name;
  }
  out = known.zone;
  return known.found;
}

bool known_zone(std::string_view name) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '+' || c == '-';
  };
  // Names only: never a way to a file of the system's choosing, nor an offset in disguise.
  absl::TimeZone zone;
  return !name.empty() && name.size() <= kZoneBytesMax && name[0] != '/' && name != "localtime" &&
         !name.starts_with("Fixed/") && std::all_of(name.begin(), name.end(), part) &&
         find_zone(std::string(name), zone);
}

std::string near_zone(std::string_view name) {
  const std::vector<std::string_view> names = well_known();
  const std::string wanted = to_lower(name);
  for (const std::string_view known : names) {
    if (to_lower(known.substr(known.rfind('/') + 1)) == wanted || to_lower(known) == wanted) {
      return fmt::format("did you mean '{}'?", known);
    }
  }
  return did_you_mean(name, names, "a name of the IANA list, e.g. \"Europe/Paris\" or \"UTC\"");
}

bool says_zone(std::string_view time) {
  return time.size() > 16 && time.find_first_of("Z+-", 16) != std::string_view::npos;
}

std::optional<LocalTime> local_time(std::string_view time, std::string_view zone) {
  if (time.size() < 16) {
    return std::nullopt;
  }
  const int year = digits(time, 0, 4), month = digits(time, 5, 2), day = digits(time, 8, 2);
  const int hour = digits(time, 11, 2), minute = digits(time, 14, 2);
  const int second = time.size() >= 19 ? digits(time, 17, 2) : 0;
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  const bool there = year >= 1678 && year < 2262 && civil.month() == month && civil.day() == day &&
                     civil.hour() == hour && civil.minute() == minute && civil.second() == second;
  absl::TimeZone rules;
  if (!there || !find_zone(std::string(zone), rules)) {
    return std::nullopt;
  }
  std::int64_t fraction = 0, scale = 100'000'000;
  for (std::size_t i = 20; i < time.size() && i < 29; ++i, scale /= 10) {
    fraction += (time[i] - '0') * scale;
  }
  const absl::TimeZone::TimeInfo info = rules.At(civil);
  const auto at = [&](absl::Time t) { return Instant{absl::ToUnixNanos(t) + fraction}; };
  switch (info.kind) {
    case absl::TimeZone::TimeInfo::SKIPPED:
      return LocalTime{Instant{absl::ToUnixNanos(info.trans)},
                       Instant{absl::ToUnixNanos(info.trans)}, true};
    case absl::TimeZone::TimeInfo::REPEATED:
      return LocalTime{at(info.pre), at(info.post), false};
    case absl::TimeZone::TimeInfo::UNIQUE:
      break;
  }
  return LocalTime{at(info.pre), at(info.pre), false};
}

}  // namespace belfry::rules
