#include "decode_plugin.hpp"

#include <boost/json.hpp>
#include <optional>

#include "belfry/base/json.hpp"
#include "belfry/probe/plugin.hpp"

namespace belfry {
namespace {

struct Line {
  std::optional<std::string> id;
  std::string text;
  std::optional<int> exit;
};

std::optional<Line> read_line(std::string_view line) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({line.data(), line.size()}, error);
  if (error || !value.is_object()) {
    return std::nullopt;
  }
  const boost::json::object& object = value.get_object();
  Line out;
  const auto* text = object.if_contains("stdout");
  if (text == nullptr || !text->is_string()) {
    return std::nullopt;
  }
  out.text.assign(text->get_string().data(), text->get_string().size());
  if (const auto* id = object.if_contains("id"); id != nullptr && id->is_string()) {
    out.id.emplace(id->get_string().data(), id->get_string().size());
  }
  if (const auto* code = object.if_contains("exit"); code != nullptr && code->is_int64()) {
    const std::int64_t n = code->get_int64();
    out.exit = n >= 0 && n <= 255 ? static_cast<int>(n) : 255;
  }
  return out;
}

void write_number(JsonWriter& json, const PerfValue& one) {
  json.object().field("label", one.label);
  if (one.known) {
    json.field("value", one.value);
  } else {
    json.key("value").null();
  }
  json.field("unit", one.unit);
  const auto optional = [&json](std::string_view name, const std::string& text) {
    if (!text.empty()) {
      json.field(name, text);
    }
  };
  optional("warn", one.warn);
  optional("crit", one.crit);
  optional("min", one.min);
  optional("max", one.max);
  json.end();
}

void write(const Line& line, std::string& out) {
  const PluginOutput read = parse_plugin_output(line.text);
  JsonWriter json;
  json.object();
  if (line.id) {
    json.field("id", *line.id);
  }
  if (line.exit) {
    const Status status = status_of_exit(*line.exit);
    json.field("exit", *line.exit).field("state", plugin_state(status));
    json.field("status", name(status));
  } else {
    json.key("exit").null().key("state").null().key("status").null();
  }
  json.field("output", read.first).field("long_output", read.long_text);
  json.key("perfdata").array();
  for (const PerfValue& one : read.perf) {
    write_number(json, one);
  }
  json.end().field("perfdata_refused", static_cast<std::uint64_t>(read.bad)).end();
  out += json.text() + "\n";
}

}  // namespace

void decode_plugins(std::string_view input, std::string& out) {
  if (!input.starts_with('{')) {
    write({std::nullopt, std::string(input), std::nullopt}, out);
    return;
  }
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (line.empty()) {
      continue;
    }
    if (const auto one = read_line(line)) {
      write(*one, out);
    } else {
      out += "{\"refused\":\"expected a JSON object with 'stdout'\"}\n";
    }
  }
}

}  // namespace belfry
