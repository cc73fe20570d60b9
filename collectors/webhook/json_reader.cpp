#include "json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"

namespace belfry::webhook {
namespace {

struct LevelWord {
  std::string_view word;
  std::uint8_t code;
};
// Our own severities first, each as the syslog code that severity_of_syslog() maps back to it;
// then syslog's keywords that are not among them. `cleared` has no syslog code: debug is nearest.
constexpr std::array kLevels{
    LevelWord{"critical", 2}, LevelWord{"major", 3},         LevelWord{"minor", 4},
    LevelWord{"warning", 5},  LevelWord{"indeterminate", 6}, LevelWord{"cleared", 7},
    LevelWord{"emerg", 0},    LevelWord{"alert", 1},         LevelWord{"crit", 2},
    LevelWord{"err", 3},      LevelWord{"error", 3},         LevelWord{"warn", 4},
    LevelWord{"notice", 5},   LevelWord{"info", 6},          LevelWord{"debug", 7}};

}  // namespace

std::string_view kind_word(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

std::optional<std::uint8_t> level_code(std::string_view word) {
  const auto* found = std::find_if(kLevels.begin(), kLevels.end(),
                                   [word](const LevelWord& l) { return iequals(l.word, word); });
  return found == kLevels.end() ? std::nullopt : std::optional(found->code);
}

std::optional<Instant> instant_of(const json::value& v) {
  constexpr double kSecondsMax = 9'000'000'000;  // int64 nanoseconds end in 2262
  if (v.is_string()) {
    return parse_rfc3339(text(v.get_string()));
  }
  if (v.is_number()) {
    const double seconds = v.to_number<double>();
    if (seconds > -kSecondsMax && seconds < kSecondsMax) {
      return Instant::from_seconds(seconds);
    }
  }
  return std::nullopt;
}

Result<json::value> parse(std::string_view body, const WebhookOptions& options) {
  json::parse_options parse;
  parse.max_depth = options.depth_max + 2;
  json::error_code error;
  json::parser parser({}, parse);
  const std::size_t read = parser.write_some(body.data(), body.size(), error);
  const bool rest = !error && !trim(body.substr(read)).empty();
  if (error || rest) {
    const std::string_view before = body.substr(0, read);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t start = before.rfind('\n');
    return fail(Code::Invalid, "line {}, column {}: expected JSON: {}", line,
                read - (start == std::string_view::npos ? 0 : start + 1) + 1,
                rest ? "there is more after the value" : error.message());
  }
  return parser.release();
}

}  // namespace belfry::webhook
