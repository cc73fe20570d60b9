#include "belfry/snmp/text.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "ber.hpp"

namespace belfry::snmp {
namespace {

constexpr std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

/// Printable UTF-8; line breaks and tabs are found in real texts and are shown as they are.
bool is_text(std::string_view bytes) {
  for (const char c : bytes) {
    const std::uint8_t b = byte(c);
    if ((b < 0x20 && b != '\t' && b != '\n' && b != '\r') || b == 0x7f) {
      return false;
    }
  }
  return is_utf8(bytes);
}

struct Wrapped {
  std::uint8_t tag = 0;  ///< 0: just octets
  std::uint64_t bits = 0;
};

Wrapped unwrap(const Varbind& v) {
  Wrapped out;
  if (v.type != VarType::Opaque || v.bytes.size() < 3 || byte(v.bytes[0]) != kOpaqueWrap) {
    return out;
  }
  const std::size_t size = byte(v.bytes[2]);
  if (v.bytes.size() < 3 + size || size > 9) {
    return out;
  }
  const std::uint8_t tag = byte(v.bytes[1]);
  if (tag != kWrapCounter64 && (tag < kWrapFloat || tag > kWrapUInt64)) {
    return out;
  }
  out.tag = tag;
  const bool negative = tag == kWrapInt64 && size > 0 && byte(v.bytes[3]) >= 0x80;
  out.bits = negative ? ~std::uint64_t{0} : 0;
  for (const char c : v.bytes.substr(3, size)) {
    out.bits = (out.bits << 8) | byte(c);
  }
  return out;
}

float float_of(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

std::string dotted(std::string_view four) {
  std::string out;
  for (const char c : four) {
    out += (out.empty() ? "" : ".") + std::to_string(byte(c));
  }
  return out;
}

std::string_view wrapped_word(std::uint8_t tag) {
  switch (tag) {
    case kWrapFloat:
      return "float";
    case kWrapDouble:
      return "double";
    case kWrapInt64:
      return "integer64";
    case kWrapUInt64:
      return "unsigned64";
    case kWrapCounter64:
      return "counter64";
    default:
      return "opaque";
  }
}

std::string wrapped_text(const Varbind& v) {
  const Wrapped w = unwrap(v);
  switch (w.tag) {
    case 0:
      return to_hex(v.bytes);
    case kWrapFloat:
      return fmt::format("{}", float_of(w.bits));
    case kWrapDouble:
      return fmt::format("{}", std::bit_cast<double>(w.bits));
    case kWrapInt64:
      return std::to_string(static_cast<std::int64_t>(w.bits));
    default:
      return std::to_string(w.bits);
  }
}

void write_value(JsonWriter& json, const Varbind& v) {
  switch (v.type) {
    case VarType::Integer:
    case VarType::Counter32:
    case VarType::Gauge32:
    case VarType::TimeTicks:
    case VarType::UInteger32:
      json.value(v.number);
      return;
    case VarType::Counter64:
      json.value(static_cast<std::uint64_t>(v.number));
      return;
    case VarType::Null:
    case VarType::NoSuchObject:
    case VarType::NoSuchInstance:
    case VarType::EndOfMibView:
      json.null();
      return;
    case VarType::Opaque: {
      const Wrapped w = unwrap(v);
      if (w.tag == kWrapFloat) {
        json.value(static_cast<double>(float_of(w.bits)));
      } else if (w.tag == kWrapDouble) {
        json.value(std::bit_cast<double>(w.bits));
      } else if (w.tag == kWrapInt64) {
        json.value(static_cast<std::int64_t>(w.bits));
      } else if (w.tag != 0) {
        json.value(w.bits);
      } else {
        json.value(to_hex(v.bytes));
      }
      return;
    }
    default:
      json.value(value_text(v));
  }
}

std::string_view version_word(std::uint8_t version) {
  return version == 0 ? "v1" : version == 1 ? "v2c" : version == 3 ? "v3" : "unknown";
}

struct TypeWord {
  std::string_view word;
  VarType type;
};
constexpr TypeWord kTypeWords[]{
    {"integer", VarType::Integer},
    {"string", VarType::OctetString},
    {"hex", VarType::OctetString},
    {"oid", VarType::ObjectId},
    {"ip", VarType::IpAddress},
    {"counter32", VarType::Counter32},
    {"gauge32", VarType::Gauge32},
    {"timeticks", VarType::TimeTicks},
    {"counter64", VarType::Counter64},
    {"unsigned32", VarType::UInteger32},
    {"opaque", VarType::Opaque},
    {"float", VarType::Opaque},
    {"double", VarType::Opaque},
    {"integer64", VarType::Opaque},
    {"unsigned64", VarType::Opaque},
    {"null", VarType::Null},
    {"no-such-object", VarType::NoSuchObject},
    {"no-such-instance", VarType::NoSuchInstance},
    {"end-of-mib-view", VarType::EndOfMibView},
};

bool parse_counter64(std::string_view text, std::int64_t& out) {
  std::uint64_t v = 0;
  if (text.empty()) {
    return false;
  }
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (c < '0' || c > '9' || v > (UINT64_MAX - digit) / 10) {
      return false;
    }
    v = v * 10 + digit;
  }
  out = static_cast<std::int64_t>(v);
  return true;
}

/// Content octets (shortest two's complement), so that the varbind could go onto the wire.
std::string_view integer_octets(std::int64_t v, Arena& arena) {
  char* out = arena.allocate(8);
  std::size_t size = 8;
  while (size > 1) {
    const std::int64_t rest = v >> ((size - 1) * 8 - 1);
    if (rest != 0 && rest != -1) {
      break;
    }
    --size;
  }
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>((v >> ((size - 1 - i) * 8)) & 0xff);
  }
  return {out, size};
}

bool ip_octets(std::string_view text, Arena& arena, std::string_view& out) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) {
    return false;
  }
  char* at = arena.allocate(4);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto n = parse_int(parts[i]);
    if (!n || *n < 0 || *n > 255) {
      return false;
    }
    at[i] = static_cast<char>(*n);
  }
  out = {at, 4};
  return true;
}

/// An Opaque that holds another type: 9f TAG length content.
bool wrapped_from_text(std::string_view word, std::string_view text, Arena& arena,
                       std::string_view& out) {
  const auto real = parse_float(text);
  const auto whole = parse_int(text);
  std::int64_t bits = 0;
  std::size_t size = 8;
  std::uint8_t tag = kWrapDouble;
  bool good = real.has_value();
  if (word == "float") {
    tag = kWrapFloat;
    size = 4;
    bits = std::bit_cast<std::int32_t>(static_cast<float>(real.value_or(0)));
  } else if (word == "double") {
    bits = std::bit_cast<std::int64_t>(real.value_or(0));
  } else if (word == "integer64") {
    tag = kWrapInt64;
    good = whole.has_value();
    bits = whole.value_or(0);
  } else {
    tag = kWrapUInt64;
    good = parse_counter64(text, bits);
  }
  char* at = arena.allocate(3 + size);
  at[0] = static_cast<char>(kOpaqueWrap);
  at[1] = static_cast<char>(tag);
  at[2] = static_cast<char>(size);
  for (std::size_t i = 0; i < size; ++i) {
    at[3 + i] = static_cast<char>((bits >> ((size - 1 - i) * 8)) & 0xff);
  }
  out = {at, 3 + size};
  return good;
}

bool content_from_text(std::string_view word, std::string_view text, Arena& arena, Varbind& v) {
  switch (v.type) {
    case VarType::Integer:
    case VarType::Counter32:
    case VarType::Gauge32:
    case VarType::TimeTicks:
    case VarType::UInteger32: {
      const auto n = parse_int(text);
      const bool fits =
          n && (v.type == VarType::Integer ? *n >= -std::int64_t{UINT32_MAX} && *n <= UINT32_MAX
                                           : *n >= 0 && *n <= UINT32_MAX);
      v.number = fits ? *n : 0;
      v.bytes = integer_octets(v.number, arena);
      return fits;
    }
    case VarType::Counter64: {
      const bool fits = parse_counter64(text, v.number);
      v.bytes = integer_octets(v.number, arena);
      return fits;
    }
    case VarType::Opaque:
      if (word != "opaque") {
        return wrapped_from_text(word, text, arena, v.bytes);
      }
      [[fallthrough]];
    case VarType::OctetString: {
      if (word == "string") {
        v.bytes = arena.copy(text);
        return true;
      }
      const auto octets = from_hex(text);
      v.bytes = octets ? arena.copy(*octets) : std::string_view{};
      return octets.has_value();
    }
    case VarType::ObjectId: {
      const auto octets = oid_from_text(text);
      v.bytes = octets ? arena.copy(*octets) : std::string_view{};
      return octets.has_value();
    }
    case VarType::IpAddress:
      return ip_octets(text, arena, v.bytes);
    default:
      return true;
  }
}

}  // namespace

std::string_view type_word(const Varbind& v) {
  switch (v.type) {
    case VarType::Integer:
      return "integer";
    case VarType::OctetString:
      return is_text(v.bytes) ? "string" : "hex";
    case VarType::ObjectId:
      return "oid";
    case VarType::IpAddress:
      return "ip";
    case VarType::Counter32:
      return "counter32";
    case VarType::Gauge32:
      return "gauge32";
    case VarType::TimeTicks:
      return "timeticks";
    case VarType::Counter64:
      return "counter64";
    case VarType::UInteger32:
      return "unsigned32";
    case VarType::Opaque:
      return wrapped_word(unwrap(v).tag);
    case VarType::Null:
      return "null";
    case VarType::NoSuchObject:
      return "no-such-object";
    case VarType::NoSuchInstance:
      return "no-such-instance";
    case VarType::EndOfMibView:
      return "end-of-mib-view";
  }
  return "unknown";
}

std::string value_text(const Varbind& v) {
  switch (v.type) {
    case VarType::OctetString:
      return is_text(v.bytes) ? std::string(v.bytes) : to_hex(v.bytes);
    case VarType::ObjectId:
      return oid_to_text(v.bytes);
    case VarType::IpAddress:
      return dotted(v.bytes);
    case VarType::Opaque:
      return wrapped_text(v);
    case VarType::Counter64:
      return std::to_string(static_cast<std::uint64_t>(v.number));
    case VarType::Null:
    case VarType::NoSuchObject:
    case VarType::NoSuchInstance:
    case VarType::EndOfMibView:
      return {};
    default:
      return std::to_string(v.number);
  }
}

void write_varbind(JsonWriter& json, const Varbind& varbind, const MibTable& mibs) {
  json.object().field("oid", oid_to_text(varbind.oid));
  if (const std::string known = mibs.named(varbind.oid); !known.empty()) {
    json.field("name", known);
  }
  json.field("type", type_word(varbind)).key("value");
  write_value(json, varbind);
  if (const std::string shown = mibs.shown(varbind); !shown.empty()) {
    json.field("text", shown);
  }
  json.end();
}

namespace {

std::string text_or_hex(std::string_view bytes) {
  return is_text(bytes) ? std::string(bytes) : to_hex(bytes);
}

void write_v3(JsonWriter& json, const Usm::Opened& v3) {
  json.field("user", text_or_hex(v3.user)).field("level", v3.level);
  json.field("engine", to_hex(v3.engine)).field("context", text_or_hex(v3.context_name));
}

}  // namespace

std::string trap_json(const Event& event, Verdict verdict, const Usm::Opened* v3) {
  const std::shared_ptr<const MibTable> mibs = MibTable::current();
  JsonWriter json;
  json.object().field("notification", verdict == Verdict::Ok);
  if (verdict != Verdict::Ok) {
    json.field("refused", name(verdict));
    if (event.snmp_version == 3) {
      json.field("version", version_word(3));
    }
    json.end();
    return json.take();
  }
  json.field("version", version_word(event.snmp_version));
  if (event.snmp_version == 3 && v3 != nullptr) {
    write_v3(json, *v3);
  } else {
    json.field("community", text_or_hex(event.community));
  }
  json.field("inform", event.inform);
  json.field("trap_oid", oid_to_text(event.trap_oid));
  if (const std::string known = mibs->named(event.trap_oid); !known.empty()) {
    json.field("trap_name", known);
  }
  json.field("uptime", static_cast<std::uint64_t>(event.uptime));
  if (!event.agent.empty()) {
    json.field("agent", event.agent);
  }
  json.key("varbinds").array();
  for (const Varbind& varbind : event.varbinds) {
    write_varbind(json, varbind, *mibs);
  }
  json.end().end();
  return json.take();
}

std::optional<Varbind> varbind_from_text(std::string_view oid, std::string_view type,
                                         std::string_view value, Arena& arena) {
  const auto octets = oid_from_text(oid);
  if (!octets) {
    return std::nullopt;
  }
  if (type.empty()) {
    const auto n = parse_int(value);
    type = n && *n >= INT32_MIN && *n <= INT32_MAX ? "integer" : "string";
  }
  for (const TypeWord& known : kTypeWords) {
    if (known.word != type) {
      continue;
    }
    Varbind out;
    out.oid = arena.copy(*octets);
    out.type = known.type;
    return content_from_text(type, value, arena, out) ? std::optional(out) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace belfry::snmp
