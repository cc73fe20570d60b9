#pragma once
// What a monitoring plugin says: its exit code, its text, and the numbers behind the bar.
//
//   DISK WARNING - / 91% full | /=91GB;90;95;0;100 'var log'=3%
//   more text                                          ^ label=value[unit];warn;crit;min;max
//   more text | inodes=7%
//
// Total: any bytes in, an output out; what is no perfdata is counted in `bad`, never guessed at.
// Bounds: kPerfValuesMax numbers, labels of kPerfLabelMax bytes; what is beyond counts as bad.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/probe/status.hpp"

namespace belfry {

inline constexpr std::size_t kPerfValuesMax = 256;
inline constexpr std::size_t kPerfLabelMax = 256;

struct PerfValue {
  std::string label;  ///< without its quotes
  bool known = true;  ///< false: the plugin wrote `U`, it could not tell
  double value = 0;   ///< as written
  std::string unit;   ///< as written: `s`, `ms`, `%`, `B`, `c`, ... ; empty = a bare number
  double base = 0;    ///< in seconds, bytes or bits per second where the unit says how, else value
  std::string warn, crit;  ///< ranges as written (`10`, `5:20`, `@~:7`); empty = none
  std::string min, max;    ///< as written; empty = none
  /// 100 * (value - min) / (max - min), where max tells; nullopt elsewhere.
  std::optional<double> percent() const;
};

struct PluginOutput {
  std::string_view first;       ///< first line, without perfdata and blanks at its ends
  std::string long_text;        ///< the lines behind it, without perfdata
  std::vector<PerfValue> perf;  ///< in order; a label may come twice
  std::size_t bad = 0;          ///< pieces of perfdata that are none
};

/// `first` points into `text`.
PluginOutput parse_plugin_output(std::string_view text);
/// The perfdata of one line alone; appends to out.perf and out.bad.
void parse_perfdata(std::string_view text, PluginOutput& out);

/// 0 up, 1 degraded, 2 down; anything else is unknown: then the check itself failed.
Status status_of_exit(int code);
/// Nagios' word for it: OK, WARNING, CRITICAL, UNKNOWN.
std::string_view plugin_state(Status status);

}  // namespace belfry
