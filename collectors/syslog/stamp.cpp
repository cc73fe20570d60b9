#include "stamp.hpp"

#include <array>

#include "chars.hpp"

namespace belfry::syslog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kYearMin = 1970, kYearMax = 2261;  // what an Instant holds, and what a device means

/// Days since 1970-01-01 (proleptic Gregorian); fields in range.
constexpr std::int64_t days_from_civil(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int of_era = y - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return static_cast<std::int64_t>(era) * 146'097 + days - 719'468;
}
static_assert(days_from_civil(1970, 1, 1) == 0 && days_from_civil(2024, 3, 1) == 19'783);

constexpr int year_of(Instant at) {
  std::int64_t days = at.ns / (86'400 * kSecond);
  int year = 1970 + static_cast<int>(days / 366);
  while (days_from_civil(year + 1, 1, 1) <= days) {
    ++year;
  }
  return year;
}

constexpr bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
constexpr int days_in(int year, int month) {
  constexpr std::array<int, 13> kDays{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[static_cast<std::size_t>(month)];
}

/// 1-12, 0 when there is none. Any case.
int month_at(std::string_view text) {
  if (text.size() < 3) {
    return 0;
  }
  const auto lower = [&text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]) | 0x20U);
  };
  switch (lower(0) << 16 | lower(1) << 8 | lower(2)) {
    case 'j' << 16 | 'a' << 8 | 'n':
      return 1;
    case 'f' << 16 | 'e' << 8 | 'b':
      return 2;
    case 'm' << 16 | 'a' << 8 | 'r':
      return 3;
    case 'a' << 16 | 'p' << 8 | 'r':
      return 4;
    case 'm' << 16 | 'a' << 8 | 'y':
      return 5;
    case 'j' << 16 | 'u' << 8 | 'n':
      return 6;
    case 'j' << 16 | 'u' << 8 | 'l':
      return 7;
    case 'a' << 16 | 'u' << 8 | 'g':
      return 8;
    case 's' << 16 | 'e' << 8 | 'p':
      return 9;
    case 'o' << 16 | 'c' << 8 | 't':
      return 10;
    case 'n' << 16 | 'o' << 8 | 'v':
      return 11;
    case 'd' << 16 | 'e' << 8 | 'c':
      return 12;
    default:
      return 0;
  }
}

/// What was read so far of one stamp.
struct Parts {
  int year = 0;  // 0 = not given
  int month = 0, day = 0;
  std::int64_t time_ns = 0;  // of the day
  std::int64_t offset_s = 0;
  std::size_t at = 0;  // bytes read
};

/// `:00.123`, `,123`, `:123` (Comware): digits after a separator as ns; any number of digits.
std::size_t read_fraction(std::string_view text, std::size_t at, std::int64_t& ns) {
  if (at + 1 >= text.size() || (text[at] != '.' && text[at] != ',' && text[at] != ':') ||
      !is_digit(text[at + 1])) {
    return at;
  }
  ++at;
  std::int64_t unit = kSecond / 10;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    ns += (text[at] - '0') * unit;
    unit /= 10;
  }
  return at;
}

/// `9:05:07`, `09:05:07.123`, `02:15:52 PM.454`.
bool read_time(std::string_view text, Parts& p) {
  std::size_t at = p.at;
  int hour = digits_at(text, at, 2);
  at += 2;
  if (hour < 0) {
    hour = digits_at(text, at - 2, 1);
    --at;
  }
  if (hour < 0 || hour > 23 || at + 3 > text.size() || text[at] != ':') {
    return false;
  }
  if (p.year != 0 && at + 3 < text.size() && text[at + 3] == 'Z') {  // ISO 8601 without seconds
    const int minutes = digits_at(text, at + 1, 2);
    p.time_ns = (hour * 60 + minutes) * 60 * kSecond;
    p.at = at + 3;
    return minutes >= 0 && minutes <= 59;
  }
  if (at + 6 > text.size() || text[at + 3] != ':') {
    return false;
  }
  const int minute = digits_at(text, at + 1, 2);
  const int second = digits_at(text, at + 4, 2);
  if (minute < 0 || minute > 59 || second < 0 || second > 60) {
    return false;
  }
  at = read_fraction(text, at + 6, p.time_ns);
  const std::string_view rest = text.substr(at);
  if (rest.size() >= 3 && rest[0] == ' ' && (rest[1] == 'A' || rest[1] == 'P') && rest[2] == 'M' &&
      (rest.size() == 3 || !is(rest[3], kAlpha | kDigit))) {
    hour = hour % 12 + (rest[1] == 'P' ? 12 : 0);
    at = read_fraction(text, at + 3, p.time_ns);
  }
  p.time_ns += ((hour * 60 + minute) * 60 + second) * kSecond;
  p.at = at;
  return true;
}

struct Zone {
  std::string_view name;
  int minutes;
};
// The abbreviations that routers are configured with; CST and IST as IOS documents them.
constexpr std::array<Zone, 36> kZones{{
    {"UTC", 0},    {"GMT", 0},    {"Z", 0},      {"CET", 60},   {"CEST", 120}, {"EST", -300},
    {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480},
    {"PDT", -420}, {"WET", 0},    {"WEST", 60},  {"BST", 60},   {"EET", 120},  {"EEST", 180},
    {"MSK", 180},  {"MSD", 240},  {"JST", 540},  {"KST", 540},  {"HKT", 480},  {"SGT", 480},
    {"IST", 330},  {"AEST", 600}, {"AEDT", 660}, {"ACST", 570}, {"ACDT", 630}, {"AWST", 480},
    {"NZST", 720}, {"NZDT", 780}, {"AST", -240}, {"ADT", -180}, {"HST", -600}, {"AKST", -540},
}};

/// ` UTC`, ` CEST`, `Z`, `+02:00`, ` -0700`: the zone after a time, when there is one.
void read_zone(std::string_view text, Parts& p) {
  std::size_t at = skip_spaces(text, p.at);
  if (at >= text.size() || at > p.at + 1) {
    return;
  }
  const char c = text[at];
  if ((c == '+' || c == '-') && at + 4 < text.size()) {
    const int hours = digits_at(text, at + 1, 2);
    const std::size_t minutes_at = text[at + 3] == ':' ? at + 4 : at + 3;
    const int minutes = digits_at(text, minutes_at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
      return;
    }
    p.offset_s = (hours * 60 + minutes) * 60 * (c == '-' ? -1 : 1);
    p.at = minutes_at + 2;
    return;
  }
  std::size_t n = 0;
  while (at + n < text.size() && text[at + n] >= 'A' && text[at + n] <= 'Z') {
    ++n;
  }
  if (n == 0 || n > 4 || (at + n < text.size() && is(text[at + n], kAlpha | kDigit) && n > 1)) {
    return;
  }
  const std::size_t end = at + n;
  if (end < text.size() && text[end] != ':' && text[end] != ' ' && text[end] != '\t') {
    return;
  }
  for (const Zone& zone : kZones) {
    if (text.substr(at, n) == zone.name) {
      p.offset_s = zone.minutes * 60;
      p.at = end;
      return;
    }
  }
  // A zone that somebody made up, between the time and a mnemonic: `14:15:17 DST: %SYS-5-...`.
  if (n > 1 && text.substr(end).starts_with(": %")) {
    p.at = end;
  }
}

Stamp finish(const Parts& p, Instant received) {
  constexpr std::int64_t kDay = 86'400 * kSecond;
  const auto instant = [&p](int year) {
    return Instant{days_from_civil(year, p.month, p.day) * kDay + p.time_ns - p.offset_s * kSecond};
  };
  if (p.year != 0) {
    if (p.year < kYearMin || p.year > kYearMax || p.day > days_in(p.year, p.month)) {
      return {};
    }
    return {instant(p.year), p.at};
  }
  if (p.day > days_in(2024, p.month)) {
    return {};
  }
  // No year: the latest one that does not put the sender more than a day ahead of us.
  int year = year_of(received);
  if (instant(year).ns > received.ns + kDay) {
    --year;
  } else if (instant(year + 1).ns <= received.ns + kDay) {
    ++year;
  }
  if (p.month == 2 && p.day == 29) {
    while (!leap(year) && year > kYearMin) {
      --year;
    }
  }
  return {instant(year), p.at};
}

/// `[d]d` at p.at, space-padded or not.
bool read_day(std::string_view text, Parts& p) {
  std::size_t at = p.at;
  if (at < text.size() && text[at] == ' ') {
    ++at;
  }
  int day = digits_at(text, at, 2);
  std::size_t n = 2;
  if (day < 0) {
    day = digits_at(text, at, 1);
    n = 1;
  }
  if (day < 1 || day > 31) {
    return false;
  }
  p.day = day;
  p.at = at + n;
  return true;
}

/// ` yyyy` at p.at when no digit follows.
bool read_year(std::string_view text, Parts& p) {
  if (p.at >= text.size() || text[p.at] != ' ') {
    return false;
  }
  const int year = digits_at(text, p.at + 1, 4);
  if (year < kYearMin || year > kYearMax ||
      (p.at + 5 < text.size() && text[p.at + 5] != ' ' && text[p.at + 5] != ':')) {
    return false;
  }
  p.year = year;
  p.at += 5;
  return true;
}

/// `Mar  9 14:15:17`, `Mar 09 2017 10:25:04`, `Apr 26 12:00:01:123 2013`, with zones.
Stamp read_month_first(std::string_view text, Instant received, Parts p) {
  if (p.at + 12 > text.size() || text[p.at + 3] != ' ') {
    return {};
  }
  p.month = month_at(text.substr(p.at));
  p.at += 4;
  if (p.month == 0 || !read_day(text, p) || p.at >= text.size() || text[p.at] != ' ') {
    return {};
  }
  if (p.year == 0) {
    read_year(text, p);
  }
  while (p.at < text.size() && text[p.at] == ' ') {
    ++p.at;
  }
  if (!read_time(text, p)) {
    return {};
  }
  read_zone(text, p);
  if (p.year == 0 && read_year(text, p)) {
    read_zone(text, p);
  }
  return finish(p, received);
}

/// `2025-03-09T14:15:17.123+01:00`, `2025-03-09 14:15:17,111`, `2025/03/09 14:15:17`.
Stamp read_iso(std::string_view text, Instant received) {
  Parts p;
  p.year = digits_at(text, 0, 4);
  p.month = digits_at(text, 5, 2);
  p.day = digits_at(text, 8, 2);
  if (text.size() < 17 || text[4] != text[7] || p.year <= 0 || p.month < 1 || p.month > 12 ||
      p.day < 1) {
    return {};
  }
  if (text[10] != 'T' && text[10] != ' ' && text[10] != 't') {
    return {};
  }
  p.at = 11;
  if (!read_time(text, p)) {
    return {};
  }
  read_zone(text, p);
  return finish(p, received);
}

/// `1741529717`, `1741529717.123456`: seconds since the epoch, 9-10 digits.
Stamp read_epoch(std::string_view text, std::size_t digits) {
  std::int64_t seconds = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    seconds = seconds * 10 + (text[i] - '0');
  }
  std::int64_t fraction = 0;
  const std::size_t end = read_fraction(text, digits, fraction);
  if (end < text.size() && !is_space(text[end])) {
    return {};
  }
  // Up to year 2261, as everywhere.
  return {Instant{(seconds > 9'000'000'000 ? 0 : seconds) * kSecond + fraction}, end};
}

/// Uptime in front of a Cisco tag: `7:04:`, `00:12:34:`, `1w2d:`, `2d03h:`, `1y2w:`; the colon
/// stays.
Stamp read_uptime(std::string_view text) {
  std::size_t at = 0;
  unsigned groups = 0;
  while (at < text.size() && is_digit(text[at]) && groups < 3) {
    std::size_t n = 0;
    while (at < text.size() && is_digit(text[at])) {
      ++at;
      ++n;
    }
    if (n > 4 || at >= text.size()) {
      return {};
    }
    ++groups;
    const char c = text[at];
    if (c == 'y' || c == 'w' || c == 'd' || c == 'h') {
      ++at;
    } else if (c == ':' && at + 1 < text.size() && is_digit(text[at + 1])) {
      ++at;
    } else {
      break;
    }
  }
  if (groups < 2 || at + 1 >= text.size() || text[at] != ':' || text[at + 1] != ' ') {
    return {};
  }
  return {Instant{0}, at};
}

/// Stamps that begin with a digit.
Stamp read_digit_first(std::string_view text, Instant received) {
  std::size_t n = 0;
  while (n < text.size() && n < 12 && is_digit(text[n])) {
    ++n;
  }
  if (n >= text.size()) {
    return n == 10 ? read_epoch(text, n) : Stamp{};
  }
  const char next = text[n];
  if (n == 4 && (next == '-' || next == '/')) {
    return read_iso(text, received);
  }
  if (n == 4 && next == ' ') {  // NX-OS: year first
    Parts p;
    p.year = digits_at(text, 0, 4);
    p.at = 5;
    return p.year >= kYearMin ? read_month_first(text, received, p) : Stamp{};
  }
  if (n == 2 && next == '/' && text.size() > 18 && text[5] == '/' && text[10] == ':') {
    Parts p;  // NetScaler: 11/25/2025:03:00:00 GMT
    p.month = digits_at(text, 0, 2);
    p.day = digits_at(text, 3, 2);
    p.year = digits_at(text, 6, 4);
    p.at = 11;
    if (p.month < 1 || p.month > 12 || p.day < 1 || p.year < kYearMin || !read_time(text, p)) {
      return {};
    }
    read_zone(text, p);
    return finish(p, received);
  }
  if ((n == 9 || n == 10) && (next == '.' || is_space(next))) {
    return read_epoch(text, n);
  }
  if (n <= 2 && next == ' ' && at_month(text.substr(n + 1))) {  // 09 Mar 2025 14:15:17
    Parts p;
    p.day = digits_at(text, 0, n);
    p.month = month_at(text.substr(n + 1));
    p.at = n + 4;
    read_year(text, p);
    if (p.day < 1 || p.at >= text.size() || text[p.at] != ' ') {
      return {};
    }
    ++p.at;
    if (!read_time(text, p)) {
      return {};
    }
    read_zone(text, p);
    return finish(p, received);
  }
  return read_uptime(text);
}

}  // namespace

bool at_month(std::string_view text) {
  return month_at(text) != 0 && (text.size() == 3 || !is(text[3], kAlpha | kDigit));
}

Stamp read_stamp(std::string_view text, Instant received) {
  if (text.size() < 5) {
    return {};
  }
  if (is_digit(text[0])) {
    return read_digit_first(text, received);
  }
  if (!is(text[0], kAlpha) || text.size() < 14) {
    return {};
  }
  if (text[3] == ' ' && month_at(text) != 0) {
    return read_month_first(text, received, {});
  }
  // `Sun Mar 09 14:15:58 2025`, `Sun, Mar 9 ...`; but `gw1 Mar 9 ...` begins with a host.
  constexpr std::string_view kDays = "MonTueWedThuFriSatSun";
  const std::size_t day = kDays.find(text.substr(0, 3));
  if (day == std::string_view::npos || day % 3 != 0) {
    return {};
  }
  const std::size_t after = text[3] == ',' ? 5 : 4;
  if ((text[3] == ' ' || (text[3] == ',' && text[4] == ' ')) && at_month(text.substr(after))) {
    Parts p;
    p.at = after;
    return read_month_first(text, received, p);
  }
  return {};
}

bool read_rfc5424_stamp(std::string_view t, Instant& at) {
  if (t.size() < 20 || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':') {
    return false;
  }
  const int year = digits_at(t, 0, 4), month = digits_at(t, 5, 2), day = digits_at(t, 8, 2);
  const int hour = digits_at(t, 11, 2), minute = digits_at(t, 14, 2), second = digits_at(t, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return false;
  }
  std::size_t i = 19;
  std::int64_t fraction = 0;
  if (t[i] == '.') {
    i = read_fraction(t, i, fraction);
    if (i == 19 || i > 26) {  // 1-6 digits
      return false;
    }
  }
  std::int64_t offset_s = 0;
  const std::string_view zone = t.substr(i);
  if (zone != "Z") {
    const int hours = digits_at(zone, 1, 2), minutes = digits_at(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || hours < 0 ||
        hours > 23 || minutes < 0 || minutes > 59) {
      return false;
    }
    offset_s = (hours * 60 + minutes) * 60 * (zone[0] == '-' ? -1 : 1);
  }
  if (year >= kYearMin && year <= kYearMax) {
    const std::int64_t seconds =
        days_from_civil(year, month, day) * 86'400 + (hour * 60 + minute) * 60 + second - offset_s;
    at.ns = seconds * kSecond + fraction;
  }
  return true;
}

}  // namespace belfry::syslog
