#include <array>
#include <cmath>
#include <optional>

#include "belfry/base/text.hpp"
#include "belfry/probe/plugin.hpp"

namespace belfry {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string_view stripped(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kBlanks);
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

struct Unit {
  std::string_view name;
  double factor;
};
// The units whose size is beyond doubt. Plugins write KB and mean 1024 bytes (monitoring-plugins'
// check_disk, check_swap); KiB says so itself.
constexpr double kKi = 1024.0;
constexpr std::array kUnits{Unit{"s", 1},
                            Unit{"ms", 1e-3},
                            Unit{"us", 1e-6},
                            Unit{"ns", 1e-9},
                            Unit{"B", 1},
                            Unit{"KB", kKi},
                            Unit{"MB", kKi* kKi},
                            Unit{"GB", kKi* kKi* kKi},
                            Unit{"TB", kKi* kKi* kKi* kKi},
                            Unit{"PB", kKi* kKi* kKi* kKi* kKi},
                            Unit{"KiB", kKi},
                            Unit{"MiB", kKi* kKi},
                            Unit{"GiB", kKi* kKi* kKi},
                            Unit{"TiB", kKi* kKi* kKi* kKi},
                            Unit{"kb", kKi},
                            Unit{"kB", kKi},
                            Unit{"bps", 1},
                            Unit{"Kbps", 1e3},
                            Unit{"kbps", 1e3},
                            Unit{"Mbps", 1e6},
                            Unit{"Gbps", 1e9}};

double factor_of(std::string_view unit) {
  for (const Unit& known : kUnits) {
    if (known.name == unit) {
      return known.factor;
    }
  }
  return 1;
}

/// A number as plugins print it: some follow the locale and write a comma.
std::optional<double> number(std::string_view text) {
  std::string plain(text);
  const std::size_t comma = plain.find(',');
  if (comma != std::string::npos && plain.find('.') == std::string::npos) {
    plain[comma] = '.';
  }
  if (plain.starts_with('+')) {
    plain.erase(0, 1);
  }
  const auto v = parse_float(plain);
  return v && std::isfinite(*v) ? v : std::nullopt;
}

/// Length of the number that `text` begins with: digits, sign, one point, an exponent.
std::size_t number_length(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  while (digit(i) || (i < text.size() && (text[i] == '.' || text[i] == ','))) {
    ++i;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    const std::size_t sign =
        i + 1 < text.size() && (text[i + 1] == '-' || text[i + 1] == '+') ? i + 2 : i + 1;
    if (digit(sign)) {
      i = sign;
      while (digit(i)) {
        ++i;
      }
    }
  }
  return i;
}

/// Takes the label off the front of `text`, up to and with its `=`. False: there is none.
bool take_label(std::string_view& text, std::string& label) {
  if (text.starts_with('\'')) {
    std::size_t i = 1;
    while (i < text.size()) {
      if (text[i] != '\'') {
        label.push_back(text[i++]);
      } else if (i + 1 < text.size() && text[i + 1] == '\'') {
        label.push_back('\'');  // doubled: one of its own
        i += 2;
      } else {
        break;
      }
    }
    if (i + 1 < text.size() && text[i + 1] == '=') {
      text.remove_prefix(i + 2);
      return true;
    }
    label.clear();  // a quote that does not close is a letter like others
  }
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return false;
  }
  label = stripped(text.substr(0, equals));
  text.remove_prefix(equals + 1);
  return true;
}

/// `value[unit];warn;crit;min;max` as far as it goes.
bool read_value(std::string_view text, PerfValue& out) {
  std::array<std::string_view, 5> parts;
  std::size_t n = 0;
  while (n < parts.size()) {
    const std::size_t end = text.find(';');
    parts[n++] = text.substr(0, end);
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  out.warn = parts[1];
  out.crit = parts[2];
  out.min = parts[3];
  out.max = parts[4];
  if (parts[0] == "U" || parts[0].empty()) {
    out.known = false;
    return !parts[0].empty();
  }
  const std::size_t length = number_length(parts[0]);
  const auto v = number(parts[0].substr(0, length));
  if (!v) {
    return false;
  }
  out.value = *v;
  out.unit = parts[0].substr(length);
  out.base = *v * factor_of(out.unit);
  return true;
}

}  // namespace

std::optional<double> PerfValue::percent() const {
  if (unit == "%") {
    return value;
  }
  const auto high = number(max);
  const double low = number(min).value_or(0);
  if (!known || !high || *high <= low) {
    return std::nullopt;
  }
  return 100 * (value - low) / (*high - low);
}

void parse_perfdata(std::string_view text, PluginOutput& out) {
  text = stripped(text);
  while (!text.empty()) {
    PerfValue one;
    if (!take_label(text, one.label)) {
      ++out.bad;
      return;
    }
    const std::size_t end = text.find_first_of(kBlanks);
    const bool good = read_value(text.substr(0, end), one);
    text = end == std::string_view::npos ? std::string_view{} : stripped(text.substr(end));
    if (!good || one.label.empty() || one.label.size() > kPerfLabelMax ||
        out.perf.size() >= kPerfValuesMax) {
      ++out.bad;
    } else {
      out.perf.push_back(std::move(one));
    }
  }
}

PluginOutput parse_plugin_output(std::string_view text) {
  PluginOutput out;
  bool numbers = false;  // behind a bar in the long text everything is perfdata
  for (bool is_first = true; !text.empty() || is_first; is_first = false) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (numbers) {
      parse_perfdata(line, out);
      continue;
    }
    const std::size_t bar = line.find('|');
    if (bar != std::string_view::npos) {
      parse_perfdata(line.substr(bar + 1), out);
      line = line.substr(0, bar);
      numbers = !is_first;
    }
    if (is_first) {
      out.first = stripped(line);
    } else if (const std::string_view more = stripped(line); !more.empty()) {
      out.long_text += out.long_text.empty() ? "" : "\n";
      out.long_text += more;
    }
  }
  return out;
}

Status status_of_exit(int code) {
  return code == 0   ? Status::Up
         : code == 1 ? Status::Degraded
         : code == 2 ? Status::Down
                     : Status::Unknown;
}

std::string_view plugin_state(Status status) {
  constexpr std::string_view kNames[]{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return kNames[static_cast<std::size_t>(status)];
}

}  // namespace belfry
