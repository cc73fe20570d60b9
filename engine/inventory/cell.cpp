#include "cell.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <vector>

#include "belfry/base/text.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/mib_names.hpp"
#include "belfry/model/oid.hpp"

namespace belfry::inventory {
namespace {

// A row whose key is a row whose key is a row: no schema needs more.
constexpr int kKeyDepthMax = 4;

/// As Value has it: dotted quad, RFC 5952. Empty: not an address.
std::string canonical_ip(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), bytes.data()) == 1) {
      return inet_ntop(family, bytes.data(), out.data(), out.size());
    }
  }
  return {};
}

std::string canonical_cidr(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = canonical_ip(text.substr(0, slash));
  const bool v6 = address.find(':') != std::string::npos;
  const auto length = slash == std::string::npos
                          ? std::optional<std::int64_t>(v6 ? 128 : 32)
                          : parse_int(std::string_view(text).substr(slash + 1));
  if (address.empty() || !length || *length < 0 || *length > (v6 ? 128 : 32)) {
    return {};
  }
  return fmt::format("{}/{}", address, *length);
}

/// `aa:bb:cc:dd:ee:ff` out of that, `aa-bb-...`, `aabb.ccdd.eeff` or twelve digits.
std::string canonical_mac(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':' || c == '-' || c == '.') {
      continue;
    }
    digits.push_back(c);
  }
  if (digits.size() != 12 ||
      digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return {};
  }
  digits = to_lower(digits);
  std::string out = digits.substr(0, 2);
  for (std::size_t i = 2; i < digits.size(); i += 2) {
    out += ":" + digits.substr(i, 2);
  }
  return out;
}

std::string oid_octets(std::string_view text) {
  if (const auto octets = oid_from_text(text)) {
    return *octets;
  }
  const std::size_t colons = text.find("::");
  return (colons == std::string_view::npos
              ? mib_oid({}, text)
              : mib_oid(text.substr(0, colons), text.substr(colons + 2)))
      .value_or("");
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "1"}) {
    if (iequals(text, yes)) {
      return true;
    }
  }
  for (const std::string_view no : {"false", "no", "0"}) {
    if (iequals(text, no)) {
      return false;
    }
  }
  return std::nullopt;
}

std::optional<double> parse_ratio(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto number = parse_float(percent ? trim(text.substr(0, text.size() - 1)) : text);
  return number && percent ? *number / 100 : number;
}

}  // namespace

std::string CellReader::expected(CellType type) const {
  switch (type.type) {
    case Type::Bool:
      return "true or false";
    case Type::Int:
      return "a whole number";
    case Type::Float:
      return "a number";
    case Type::Duration:
      return "a duration such as 30s or 1h30m";
    case Type::Time:
      return "a time such as 2026-03-14T22:00:00Z";
    case Type::Ip:
      return "an IP address";
    case Type::Cidr:
      return "a network such as 10.0.0.0/8";
    case Type::Oid:
      return "an OID such as 1.3.6.1 or IF-MIB::linkDown";
    case Type::Mac:
      return "a MAC address";
    case Type::Enum:
      return type.of < schema_.enums.size()
                 ? fmt::format("one of {}", fmt::join(schema_.enums[type.of].words, ", "))
                 : "an enum word";
    case Type::Row:
      return type.of < schema_.tables.size()
                 ? fmt::format("a row of {}", schema_.tables[type.of].name)
                 : "a row";
    default:
      return "text";
  }
}

std::optional<Value> CellReader::reject(CellType type, std::string_view text, std::string hint) {
  problem_ = fmt::format("'{}': expected {}{}", printable(text, 80), expected(type), hint);
  return std::nullopt;
}

std::optional<Value> CellReader::read_enum(CellType type, std::string_view text) {
  if (type.of >= schema_.enums.size()) {
    return reject(type, text);
  }
  const auto& words = schema_.enums[type.of].words;
  std::vector<std::string_view> views;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) {
      return Value::enumerator(type.of, static_cast<std::int64_t>(i), arena_.copy(text));
    }
    views.emplace_back(words[i]);
  }
  const std::string_view near = nearest(text, views);
  return reject(type, text, near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
}

std::optional<Value> CellReader::read_row(CellType type, std::string_view text) {
  if (type.of >= schema_.tables.size() || depth_ >= kKeyDepthMax) {
    return reject(type, text);
  }
  const TableSchema& table = schema_.tables[type.of];
  const auto parts = table.key.size() == 1 ? std::vector<std::string_view>{text} : split(text, '|');
  if (parts.size() != table.key.size()) {
    return reject(type, text, fmt::format(": {} key parts separated by '|'", table.key.size()));
  }
  std::vector<Value> key;
  ++depth_;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ColumnSchema& column = table.columns[table.key[i]];
    const auto part = read({column.type, column.of}, trim(parts[i]));
    if (!part) {
      --depth_;
      return std::nullopt;
    }
    key.push_back(*part);
  }
  --depth_;
  return Value::row(type.of, arena_.copy(Inventory::join_key(key)));
}

std::optional<Value> CellReader::read_text(CellType type, std::string_view text) {
  std::string canonical;
  switch (type.type) {
    case Type::Ip:
      canonical = canonical_ip(std::string(text));
      break;
    case Type::Cidr:
      canonical = canonical_cidr(std::string(text));
      break;
    case Type::Mac:
      canonical = canonical_mac(text);
      break;
    case Type::Oid:
      canonical = oid_octets(text);
      break;
    default:
      return Value::string(arena_.copy(text));
  }
  return canonical.empty() ? reject(type, text)
                           : std::optional(Value::of_text(type.type, arena_.copy(canonical)));
}

std::optional<Value> CellReader::read(CellType type, std::string_view text) {
  const auto give = [&](auto parsed, auto make) {
    return parsed ? std::optional<Value>(make(*parsed)) : reject(type, text);
  };
  switch (type.type) {
    case Type::Bool:
      return give(parse_bool(text), Value::boolean);
    case Type::Int:
      return give(parse_int(text), Value::integer);
    case Type::Float:
      return give(parse_ratio(text), Value::real);
    case Type::Duration:
      return give(parse_duration(text), Value::duration);
    case Type::Time:
      return give(parse_rfc3339(text), Value::time);
    case Type::Enum:
      return read_enum(type, text);
    case Type::Row:
      return read_row(type, text);
    default:
      return read_text(type, text);
  }
}

std::optional<Value> CellReader::read_set(CellType item, std::string_view text) {
  const char separator = text.find(';') != std::string_view::npos ? ';' : ' ';
  std::vector<Value> items;
  for (const std::string_view part : split(text, separator)) {
    if (trim(part).empty()) {
      continue;
    }
    const auto value = read(item, trim(part));
    if (!value) {
      return std::nullopt;
    }
    items.push_back(*value);
  }
  const std::span<ValueSet> set = arena_.array<ValueSet>(1);
  set[0].items = arena_.copy(std::span<const Value>(items));
  Value out;
  out.type = Type::Set;
  out.set = set.data();
  return out;
}

}  // namespace belfry::inventory
