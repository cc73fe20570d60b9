#include "belfry/base/time.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace belfry {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// Longest names first, so that `ms` is not read as minutes.
constexpr std::array kUnits{Unit{"ms", 1'000'000},
                            Unit{"us", 1'000},
                            Unit{"ns", 1},
                            Unit{"s", 1'000'000'000},
                            Unit{"m", 60'000'000'000},
                            Unit{"h", 3'600'000'000'000},
                            Unit{"d", 86'400'000'000'000},
                            Unit{"w", 604'800'000'000'000}};

std::chrono::sys_time<Duration> sys(Instant at) {
  return std::chrono::sys_time<Duration>(Duration(at.ns));
}

/// Reads exactly `digits` digits at `text`, moving it on; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) {
    return -1;
  }
  int v = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return -1;
    }
    v = v * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return v;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string to_rfc3339(Instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(sys(at));
  const year_month_day ymd(day);
  const hh_mm_ss time(floor<milliseconds>(sys(at) - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

Instant from_civil_utc(int year, int month, int day, int hour, int minute, int second) {
  using namespace std::chrono;
  const sys_days date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                        std::chrono::day(static_cast<unsigned>(day));
  const auto at = date + hours(hour) + minutes(minute) + seconds(second);
  return {duration_cast<Duration>(at.time_since_epoch()).count()};
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  const int year = take_digits(text, 4);
  const bool date = year >= 1678 && year < 2262 && take(text, '-');
  const int month = date ? take_digits(text, 2) : -1;
  const int day = month > 0 && take(text, '-') ? take_digits(text, 2) : -1;
  if (day < 1 || month > 12 || day > 31 || (!take(text, 'T') && !take(text, ' '))) {
    return std::nullopt;
  }
  const int hour = take_digits(text, 2);
  const int minute = take(text, ':') ? take_digits(text, 2) : -1;
  const int second = take(text, ':') ? take_digits(text, 2) : -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  std::int64_t fraction_ns = 0;
  if (take(text, '.')) {
    std::int64_t scale = 100'000'000;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9';
         text.remove_prefix(1), ++digits) {
      fraction_ns += (text.front() - '0') * scale;
      scale /= 10;
    }
    if (digits == 0) {
      return std::nullopt;
    }
  }
  Duration offset{0};
  if (!take(text, 'Z')) {
    const bool minus = !text.empty() && text.front() == '-';
    if (!take(text, '+') && !take(text, '-')) {
      return std::nullopt;
    }
    const int hours = take_digits(text, 2);
    take(text, ':');
    const int minutes = take_digits(text, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
      return std::nullopt;
    }
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    offset = minus ? -offset : offset;
  }
  if (!text.empty()) {
    return std::nullopt;
  }
  return from_civil_utc(year, month, day, hour, minute, second) + Duration(fraction_ns) - offset;
}

std::string to_text(Duration d) {
  if (d.count() < 0) {
    return d.count() == std::numeric_limits<std::int64_t>::min() ? "-292y" : "-" + to_text(-d);
  }
  constexpr std::array kShown{Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000},
                              Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
                              Unit{"ms", 1'000'000}};
  std::int64_t left = d.count();
  std::string out;
  int parts = 0;
  for (const Unit& unit : kShown) {
    const std::int64_t n = left / unit.ns;
    if (n == 0) {
      if (parts == 1) {
        break;
      }
      continue;
    }
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", n, unit.name);
    left -= n * unit.ns;
    if (++parts == 2) {
      break;
    }
  }
  return out.empty() ? "0s" : out;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t n = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text[digits] - '0', &n)) {
        return std::nullopt;
      }
    }
    text.remove_prefix(digits);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (unit == nullptr && text.starts_with(candidate.name)) {
        unit = &candidate;
      }
    }
    if (digits == 0 || unit == nullptr || __builtin_mul_overflow(n, unit->ns, &n) ||
        __builtin_add_overflow(total, n, &total)) {
      return std::nullopt;
    }
    text.remove_prefix(unit->name.size());
  }
  return Duration(total);
}

}  // namespace belfry
