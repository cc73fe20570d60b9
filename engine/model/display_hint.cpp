// DISPLAY-HINTs (RFC 2579 3.1). An octet string's is a list of specifications
//   [*] length format [separator [terminator]]
// the last of which is used again until the octets end.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "belfry/base/text.hpp"
#include "belfry/model/mib_table.hpp"

namespace belfry {
namespace {

constexpr std::size_t kShownBytesMax = 4096;
constexpr std::size_t kLengthMax = 65'535;

struct Specification {
  bool repeat = false;
  std::size_t length = 0;
  char format = 'a';
  char separator = '\0', terminator = '\0';
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The next one; nullopt when the hint is not one.
std::optional<Specification> next(std::string_view& hint) {
  Specification out;
  if (hint.starts_with('*')) {
    out.repeat = true;
    hint.remove_prefix(1);
  }
  if (hint.empty() || !is_digit(hint[0])) {
    return std::nullopt;
  }
  while (!hint.empty() && is_digit(hint[0])) {
    out.length = std::min(out.length * 10 + static_cast<std::size_t>(hint[0] - '0'), kLengthMax);
    hint.remove_prefix(1);
  }
  if (hint.empty() || std::string_view("dxoat").find(hint[0]) == std::string_view::npos) {
    return std::nullopt;
  }
  out.format = hint[0];
  hint.remove_prefix(1);
  if (!hint.empty() && !is_digit(hint[0]) && hint[0] != '*') {
    out.separator = hint[0];
    hint.remove_prefix(1);
    if (out.repeat && !hint.empty() && !is_digit(hint[0]) && hint[0] != '*') {
      out.terminator = hint[0];
      hint.remove_prefix(1);
    }
  }
  return out;
}

std::string number_text(char format, std::uint64_t value, std::size_t octets) {
  return format == 'x'   ? fmt::format("{:0{}x}", value, octets * 2)
         : format == 'o' ? fmt::format("{:o}", value)
                         : std::to_string(value);
}

/// One application: takes up to `length` octets.
bool apply_one(const Specification& s, std::string_view& octets, std::string& out) {
  const std::string_view part = octets.substr(0, s.length);
  octets.remove_prefix(part.size());
  if (s.format == 'a' || s.format == 't') {
    out += printable(part, kShownBytesMax);
    return true;
  }
  if (part.size() > sizeof(std::uint64_t)) {
    return false;
  }
  std::uint64_t value = 0;
  for (const char c : part) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  out += number_text(s.format, value, part.size());
  return true;
}

}  // namespace

std::string apply_hint(std::string_view hint, std::string_view octets) {
  std::string out;
  std::string_view rest = hint;
  std::optional<Specification> s;
  while (!octets.empty() && out.size() < kShownBytesMax) {
    if (!rest.empty() && !(s = next(rest))) {
      return {};
    }
    const bool last = rest.empty();
    if (!s || (last && s->length == 0 && !s->repeat)) {
      return {};  // it would take nothing for ever
    }
    std::size_t times = 1;
    if (s->repeat) {
      times = static_cast<unsigned char>(octets[0]);
      octets.remove_prefix(1);
    }
    for (std::size_t i = 0; i < times && (!octets.empty() || i == 0) && out.size() < kShownBytesMax;
         ++i) {
      if (!apply_one(*s, octets, out)) {
        return {};
      }
      const bool end = octets.empty() || (s->terminator != '\0' && i + 1 == times);
      if (s->separator != '\0' && !end) {
        out.push_back(s->separator);
      }
    }
    if (s->terminator != '\0' && !octets.empty()) {
      out.push_back(s->terminator);
    }
  }
  return out;
}

std::string apply_hint(std::string_view hint, std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
  const std::string sign = value < 0 ? "-" : "";
  if (hint == "x") {
    return sign + fmt::format("{:x}", magnitude);
  }
  if (hint == "o") {
    return sign + fmt::format("{:o}", magnitude);
  }
  if (hint == "b") {
    return sign + fmt::format("{:b}", magnitude);
  }
  const auto places = hint.starts_with("d-") ? parse_int(hint.substr(2)) : std::nullopt;
  if (!places || *places < 1 || *places > 18) {
    return {};
  }
  std::string digits = std::to_string(magnitude);
  const auto width = static_cast<std::size_t>(*places) + 1;
  if (digits.size() < width) {
    digits.insert(0, width - digits.size(), '0');
  }
  digits.insert(digits.size() - static_cast<std::size_t>(*places), ".");
  return sign + digits;
}

}  // namespace belfry
