#include "replay_reader.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <vector>

#include "belfry/base/text.hpp"
#include "belfry/model/mib_table.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/text.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry {
namespace {

namespace json = boost::json;

Result<json::object> parse(std::string_view line) {
  if (line.size() > kReplayLineBytesMax) {
    return fail(Code::Invalid, "{} bytes: expected at most {}", line.size(), kReplayLineBytesMax);
  }
  boost::system::error_code error;
  json::value value = json::parse({line.data(), line.size()}, error);
  if (error) {
    return fail(Code::Invalid, "not JSON ({}): expected one object per line", error.message());
  }
  if (!value.is_object()) {
    return fail(Code::Invalid, "expected a JSON object");
  }
  return std::move(value.as_object());
}

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

/// Text of a string or number; empty when it is missing, null or something else.
std::string text_of(const json::object& object, std::string_view name) {
  const json::value* v = object.if_contains({name.data(), name.size()});
  if (v == nullptr) {
    return {};
  }
  if (v->is_string()) {
    return std::string(view(v->get_string()));
  }
  if (v->is_int64() || v->is_uint64() || v->is_double()) {
    return json::serialize(*v);
  }
  return {};
}

std::string_view kept(const json::object& object, std::string_view name, Arena& arena) {
  return arena.copy(text_of(object, name));
}

/// Epoch seconds to microseconds, the precision a double has today.
Instant from_epoch(double seconds) {
  return {static_cast<std::int64_t>(std::llround(seconds * 1e6)) * 1000};
}

/// 1970 to 2262: what an Instant can hold with room for timers.
constexpr double kEpochSecondsMax = 9.0e9;

Result<Instant> seconds_field(const json::value& v, std::string_view name) {
  if (v.is_number()) {
    const double seconds = v.to_number<double>();
    if (seconds > 0 && seconds < kEpochSecondsMax) {
      return from_epoch(seconds);
    }
  } else if (v.is_string()) {
    if (const auto at = parse_rfc3339(view(v.get_string()))) {
      return *at;
    }
  }
  return fail(Code::Invalid, "{}: expected epoch seconds or an RFC 3339 time", name);
}

Result<Instant> time_of(const json::object& o) {
  if (const json::value* ns = o.if_contains("at_ns")) {
    if (ns->is_int64() && ns->get_int64() > 0) {
      return Instant{ns->get_int64()};
    }
    return fail(Code::Invalid, "at_ns: expected a positive integer of nanoseconds");
  }
  for (const std::string_view name : {"at", "timestamp", "stamp"}) {
    const json::value* v = o.if_contains({name.data(), name.size()});
    if (v != nullptr && !v->is_null()) {
      return seconds_field(*v, name);
    }
  }
  return fail(Code::Invalid, "no time: expected `at` (epoch seconds) or `at_ns` (nanoseconds)");
}

std::uint8_t small_number(const json::object& o, const char* name, std::uint8_t otherwise) {
  const json::value* v = o.if_contains(name);
  const bool fits = v != nullptr && v->is_int64() && v->get_int64() >= 0 && v->get_int64() < 255;
  return fits ? static_cast<std::uint8_t>(v->get_int64()) : otherwise;
}

/// The fields every kind of line may set beside what was decoded.
void common(const json::object& o, Arena& arena, Event& out) {
  const auto set = [&](std::string_view& field, std::string_view name) {
    const std::string_view text = kept(o, name, arena);
    if (!text.empty()) {
      field = text;
    }
  };
  set(out.node, "node");
  set(out.from, "from");
  set(out.via, "via");
  set(out.ifname, "ifname");
  set(out.id, "id");
  if (const json::value* v = o.if_contains("repeat"); v != nullptr && v->is_int64()) {
    out.repeat = static_cast<std::uint32_t>(std::clamp<std::int64_t>(v->get_int64(), 1, 1 << 30));
  }
}

Result<void> raw_syslog(const json::object& o, Instant at, Arena& arena, Event& out) {
  syslog::decode(kept(o, "raw", arena), arena, at, out);
  return {};
}

Result<void> snmp_packet(const json::object& o, Arena& arena, Event& out) {
  const auto bytes = from_hex(text_of(o, "packet_hex"));
  if (!bytes) {
    return fail(Code::Invalid, "packet_hex: expected hexadecimal digits");
  }
  const snmp::Verdict verdict = snmp::decode(arena.copy(*bytes), arena, out);
  if (verdict != snmp::Verdict::Ok) {
    return fail(Code::Invalid, "packet_hex: refused: {}", name(verdict));
  }
  return {};
}

void decoded_syslog(const json::object& o, Arena& arena, Event& out) {
  out.kind = EventKind::Syslog;
  out.type = "syslog";
  out.message = kept(o, o.contains("message") ? "message" : "msg", arena);
  out.raw = out.message;
  out.host = kept(o, "host", arena);
  out.app = kept(o, "app", arena);
  out.pid = kept(o, "pid", arena);
  out.msgid = kept(o, "msgid", arena);
  out.tag = kept(o, "tag", arena);
  out.vendor = kept(o, "vendor", arena);
  out.facility = small_number(o, "facility", 255);
  out.severity = small_number(o, "severity", 255);
  if (const auto* entities = o.if_contains("entities"); entities && entities->is_object()) {
    std::vector<Attr> attrs;
    for (const auto& item : entities->get_object()) {
      if (item.value().is_string()) {
        const std::string& value = text_of(entities->get_object(), item.key());
        attrs.push_back({arena.copy(std::string(item.key())), Value::string(arena.copy(value))});
      }
    }
    out.attrs = arena.copy(std::span<const Attr>(attrs));
  }
  if (out.tag.empty() && out.message.starts_with('%')) {
    const std::size_t end = out.message.find_first_of(": ");
    out.tag = end == std::string_view::npos ? std::string_view() : out.message.substr(1, end - 1);
  }
}

Result<std::string> oid_octets(const std::string& text) {
  if (auto oid = oid_from_text(text)) {
    return *oid;
  }
  const std::size_t colons = text.find("::");
  const std::string module = colons == std::string::npos ? "" : text.substr(0, colons);
  const std::string word = colons == std::string::npos ? text : text.substr(colons + 2);
  const auto trap = MibTable::current()->trap_oids(module, word);
  if (!trap.empty()) {
    return trap.front();
  }
  return fail(Code::Invalid, "'{}' is no OID: expected 1.3.6.1... or a known name", text);
}

Result<void> decoded_trap(const json::object& o, Arena& arena, Event& out) {
  out.kind = EventKind::Trap;
  out.type = "trap";
  if (const std::string refused = text_of(o, "refused"); !refused.empty()) {
    return fail(Code::Invalid, "a refused packet ({}) is no event", refused);
  }
  const std::string oid = text_of(o, "trap_oid");
  if (!oid.empty()) {
    BELFRY_TRY(const std::string octets, oid_octets(oid));
    out.trap_oid = arena.copy(octets);
  }
  out.agent = kept(o, "agent", arena);
  if (const json::value* v = o.if_contains("uptime"); v != nullptr && v->is_int64()) {
    out.uptime = static_cast<std::uint32_t>(v->get_int64());
  }
  const json::value* list = o.if_contains("varbinds");
  if (list == nullptr) {
    return {};
  }
  if (!list->is_array() || list->get_array().size() > snmp::kVarbindsMax) {
    return fail(Code::Invalid, "varbinds: expected an array of {{oid, type, value}}");
  }
  std::vector<Varbind> varbinds;
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) {
      return fail(Code::Invalid, "varbinds: expected objects with oid, type and value");
    }
    const json::object& v = item.get_object();
    const std::string name = text_of(v, "oid"), type = text_of(v, "type");
    const auto made = snmp::varbind_from_text(name, type, text_of(v, "value"), arena);
    if (!made) {
      return fail(Code::Invalid, "varbind {}: '{}' is no {}", name, text_of(v, "value"),
                  type.empty() ? "value" : type);
    }
    varbinds.push_back(*made);
  }
  out.varbinds = arena.copy(std::span<const Varbind>(varbinds));
  return {};
}

/// What a declared field's type makes of a JSON string or number.
Value typed(const json::value& v, const rules::EventType::Field* field, const Schema& schema,
            Arena& arena) {
  const Type want = field == nullptr ? Type::None : field->type;
  if (v.is_bool()) {
    return Value::boolean(v.get_bool());
  }
  if (v.is_int64()) {
    return want == Type::Float ? Value::real(static_cast<double>(v.get_int64()))
                               : Value::integer(v.get_int64());
  }
  if (v.is_number()) {
    return Value::real(v.to_number<double>());
  }
  if (!v.is_string()) {
    return Value::none();
  }
  const std::string_view text = arena.copy(view(v.get_string()));
  switch (want) {
    case Type::Enum:
      for (std::size_t i = 0; i < schema.enums[field->of].words.size(); ++i) {
        const std::string& word = schema.enums[field->of].words[i];
        if (word == text) {
          return Value::enumerator(field->of, static_cast<std::int64_t>(i), word);
        }
      }
      return Value::none();
    case Type::Row:
      return Value::row(field->of, text);
    case Type::Time:
      if (const auto at = parse_rfc3339(text)) {
        return Value::time(*at);
      }
      return Value::none();
    case Type::Duration:
      if (const auto d = parse_duration(text)) {
        return Value::duration(*d);
      }
      return Value::none();
    case Type::Ip:
    case Type::Cidr:
    case Type::Mac:
      return Value::of_text(want, text);
    default:
      return Value::string(text);
  }
}

Result<void> flatten(const std::string& prefix, const json::object& o, const rules::EventType* type,
                     const Schema& schema, std::size_t depth, Arena& arena,
                     std::vector<Attr>& out) {
  if (depth > kReplayDepthMax) {
    return fail(Code::Invalid, "objects nested deeper than {}", kReplayDepthMax);
  }
  for (const auto& item : o) {
    const std::string name = prefix + std::string(item.key().data(), item.key().size());
    if (item.value().is_object()) {
      BELFRY_CHECK_OK(
          flatten(name + ".", item.value().get_object(), type, schema, depth + 1, arena, out));
      continue;
    }
    const rules::EventType::Field* field = nullptr;
    for (std::size_t i = 0; type != nullptr && i < type->fields.size(); ++i) {
      if (type->fields[i].name == name) {
        field = &type->fields[i];
      }
    }
    const Value value = typed(item.value(), field, schema, arena);
    if (!value.is_none()) {
      out.push_back({arena.copy(name), value});
    }
  }
  return {};
}

Result<void> typed_event(const json::object& o, const rules::Program& program, Arena& arena,
                         Event& out) {
  const std::string word = text_of(o, "type");
  const rules::EventType* type = nullptr;
  std::vector<std::string_view> known;
  for (const rules::EventType& t : program.event_types) {
    known.push_back(t.name);
    type = t.name == word ? &t : type;
  }
  if (type == nullptr && word != "syslog" && word != "trap") {
    return fail(Code::Invalid, "no event type is called '{}': expected {}", word,
                fmt::join(known, ", "));
  }
  if (word == "syslog") {
    decoded_syslog(o, arena, out);
    return {};
  }
  if (word == "trap") {
    return decoded_trap(o, arena, out);
  }
  out.kind = word == "probe"  ? EventKind::Probe
             : word == "beat" ? EventKind::Beat
                              : EventKind::Alert;
  out.type = type->name;
  std::vector<Attr> attrs;
  BELFRY_CHECK_OK(flatten("", o, type, *program.schema, 0, arena, attrs));
  out.attrs = arena.copy(std::span<const Attr>(attrs));
  out.message = kept(o, o.contains("message") ? "message" : "msg", arena);
  out.raw = out.message;
  return {};
}

}  // namespace

Result<Instant> replay_time(std::string_view line) {
  BELFRY_TRY(const json::object o, parse(line));
  return time_of(o);
}

Result<void> replay_event(std::string_view line, const rules::Program& program, Instant at,
                          Arena& arena, Event& out) {
  BELFRY_TRY(const json::object o, parse(line));
  Result<void> made;
  if (o.contains("raw")) {
    made = raw_syslog(o, at, arena, out);
  } else if (o.contains("packet_hex")) {
    made = snmp_packet(o, arena, out);
  } else if (o.contains("type")) {
    made = typed_event(o, program, arena, out);
  } else if (o.contains("trap_oid") || o.contains("varbinds") || o.contains("notification")) {
    made = decoded_trap(o, arena, out);
  } else if (o.contains("message") || o.contains("valid")) {
    decoded_syslog(o, arena, out);
  } else {
    return fail(Code::Invalid,
                "what kind of event is it? expected raw, packet_hex, message (syslog), trap_oid "
                "(trap) or type");
  }
  BELFRY_CHECK_OK(made);
  common(o, arena, out);
  return {};
}

}  // namespace belfry
