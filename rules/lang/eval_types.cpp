#include "eval_types.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/oid.hpp"

namespace belfry::rules {
namespace {

constexpr std::size_t kAddressTextMax = 64;  // INET6_ADDRSTRLEN is 46

struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v6 = false;
};

bool parse_address(std::string_view text, Address& out) {
  std::array<char, kAddressTextMax> copy{};
  if (text.empty() || text.size() >= copy.size()) {
    return false;
  }
  std::copy(text.begin(), text.end(), copy.begin());
  out.v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(out.v6 ? AF_INET6 : AF_INET, copy.data(), out.bytes.data()) != 1) {
    return false;
  }
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (out.v6 && std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) {
    std::copy(out.bytes.begin() + 12, out.bytes.end(), out.bytes.begin());
    out.v6 = false;
  }
  return true;
}

std::string_view address_text(const Address& address, std::array<char, kAddressTextMax>& buffer) {
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), buffer.data(),
            static_cast<socklen_t>(buffer.size()));
  return buffer.data();
}

/// The text in the arena; without one there is no owner, so none.
Value owned(Type type, std::string_view text, Arena* arena) {
  return arena == nullptr ? Value::none() : Value::of_text(type, arena->copy(text));
}

Value cidr_value(std::string_view text, Arena* arena) {
  const std::size_t slash = text.find('/');
  Address net;
  if (!parse_address(text.substr(0, slash), net)) {
    return Value::none();
  }
  std::int64_t bits = net.v6 ? 128 : 32;
  if (slash != std::string_view::npos) {
    const auto given = parse_int(text.substr(slash + 1));
    if (!given || *given < 0 || *given > bits) {
      return Value::none();
    }
    bits = *given;
  }
  for (std::size_t i = 0; i < net.bytes.size(); ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if (static_cast<std::int64_t>(i * 8 + bit) >= bits) {
        net.bytes[i] = static_cast<unsigned char>(net.bytes[i] & ~(0x80U >> bit));
      }
    }
  }
  std::array<char, kAddressTextMax> buffer{};
  std::array<char, kAddressTextMax + 8> out{};
  const auto end =
      fmt::format_to_n(out.data(), out.size(), "{}/{}", address_text(net, buffer), bits);
  return owned(Type::Cidr, {out.data(), end.size}, arena);
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// `aa:bb:cc:dd:ee:ff` from any of `aa:bb:..`, `aa-bb-..`, `aabb.ccdd.eeff`; false: not a MAC.
bool read_mac(std::string_view text, std::array<char, 17>& out) {
  std::size_t digits = 0;
  std::size_t separators = 0;
  out.fill(':');
  for (const char c : text) {
    if (c == ':' || c == '-' || c == '.') {
      ++separators;
      continue;
    }
    const int digit = hex_digit(c);
    if (digit < 0 || digits == 12) {
      return false;
    }
    out[digits / 2 * 3 + digits % 2] = "0123456789abcdef"[digit];
    ++digits;
  }
  return digits == 12 && (separators == 5 || separators == 2);
}

std::string_view without_nul(std::string_view bytes) {
  while (bytes.ends_with('\0')) {
    bytes.remove_suffix(1);
  }
  return bytes;
}

bool is_readable(std::string_view bytes) {
  const bool control = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t' && c != '\n' && c != '\r') || u == 0x7f;
  });
  return !control && is_utf8(bytes);
}

Value hex_text(std::string_view bytes, Arena* arena) {
  if (arena == nullptr || bytes.empty()) {
    return Value::none();
  }
  char* at = arena->allocate(bytes.size() * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    at[i * 3] = "0123456789abcdef"[byte >> 4];
    at[i * 3 + 1] = "0123456789abcdef"[byte & 15];
    at[i * 3 + 2] = ':';
  }
  return Value::string({at, bytes.size() * 3 - 1});
}

}  // namespace

std::string_view canonical_ip(std::string_view text, Arena* arena) {
  Address address;
  if (!parse_address(text, address)) {
    return {};
  }
  std::array<char, kAddressTextMax> buffer{};
  const std::string_view canonical = address_text(address, buffer);
  if (canonical == text) {
    return text;
  }
  return arena == nullptr ? std::string_view() : arena->copy(canonical);
}

bool reads_as(std::string_view text, Type type) {
  std::array<char, 17> mac;
  Address address;
  switch (type) {
    case Type::Ip:
      return parse_address(text, address);
    case Type::Int:
      return parse_int(text).has_value();
    case Type::Float:
      return parse_float(text).has_value();
    case Type::Mac:
      return read_mac(text, mac);
    case Type::Duration:
      return parse_duration(text).has_value();
    case Type::Time:
      return parse_rfc3339(text).has_value();
    default:
      return !text.empty();
  }
}

Value typed_text(std::string_view text, Type type, std::uint32_t of, const Schema* schema,
                 Arena* arena) {
  switch (type) {
    case Type::Bool:
      return text == "true"    ? Value::boolean(true)
             : text == "false" ? Value::boolean(false)
                               : Value::none();
    case Type::Int: {
      const auto n = parse_int(text);
      return n ? Value::integer(*n) : Value::none();
    }
    case Type::Float: {
      const auto d = parse_float(text);
      return d ? Value::real(*d) : Value::none();
    }
    case Type::Duration: {
      const auto d = parse_duration(text);
      return d ? Value::duration(*d) : Value::none();
    }
    case Type::Time: {
      const auto t = parse_rfc3339(text);
      return t ? Value::time(*t) : Value::none();
    }
    case Type::Enum: {
      if (schema == nullptr || of >= schema->enums.size()) {
        return Value::none();
      }
      const auto& words = schema->enums[of].words;
      const auto it = std::find(words.begin(), words.end(), text);
      return it == words.end() ? Value::none() : Value::enumerator(of, it - words.begin(), *it);
    }
    case Type::Ip: {
      const std::string_view ip = canonical_ip(text, arena);
      return ip.empty() ? Value::none() : Value::of_text(Type::Ip, ip);
    }
    case Type::Cidr:
      return cidr_value(text, arena);
    case Type::Mac: {
      std::array<char, 17> mac;
      return read_mac(text, mac) ? owned(Type::Mac, {mac.data(), mac.size()}, arena)
                                 : Value::none();
    }
    case Type::Oid: {
      const auto octets = oid_from_text(text);
      return octets ? owned(Type::Oid, *octets, arena) : Value::none();
    }
    case Type::Row:
      return text.empty() ? Value::none() : Value::row(of, text);
    case Type::Set:
      return Value::none();
    default:
      return Value::string(text);
  }
}

Value typed_value(const Value& v, Type type, std::uint32_t of, const Schema* schema, Arena* arena) {
  if (v.type == type || v.is_none() || type == Type::None) {
    return v;
  }
  if (v.type == Type::String) {
    return typed_text(v.text, type, of, schema, arena);
  }
  if (type == Type::Float && v.type == Type::Int) {
    return Value::real(static_cast<double>(v.i));
  }
  switch (v.type) {
    case Type::Enum:
    case Type::Ip:
    case Type::Cidr:
    case Type::Mac:
    case Type::Row:
      return typed_text(v.text, type, of, schema, arena);
    case Type::Set:
      return Value::none();
    default:
      return type == Type::String ? owned(Type::String, to_text(v), arena) : Value::none();
  }
}

Value typed_octets(std::string_view bytes, Type type, std::uint32_t of, const Schema* schema,
                   Arena* arena) {
  const std::string_view text = without_nul(bytes);
  const bool readable = is_readable(text);
  if (type == Type::Ip && (bytes.size() == 4 || bytes.size() == 16) &&
      !(readable && reads_as(text, Type::Ip))) {
    Address address;
    std::array<char, kAddressTextMax> buffer{};
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    address.v6 = bytes.size() == 16;
    return owned(Type::Ip, address_text(address, buffer), arena);
  }
  if (type == Type::Mac && bytes.size() == 6) {
    return typed_value(hex_text(bytes, arena), Type::Mac, of, schema, arena);
  }
  if (text.empty()) {
    return Value::none();  // agents send empty names for what they do not know
  }
  const Value value = readable ? Value::string(text) : hex_text(bytes, arena);
  return typed_value(value, type, of, schema, arena);
}

bool in_cidr(std::string_view address, std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  Address a;
  Address net;
  if (!parse_address(address, a) || !parse_address(cidr.substr(0, slash), net) || a.v6 != net.v6) {
    return false;
  }
  const unsigned most = a.v6 ? 128 : 32;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const auto given = parse_int(cidr.substr(slash + 1));
    if (!given || *given < 0 || *given > static_cast<std::int64_t>(most)) {
      return false;
    }
    bits = static_cast<unsigned>(*given);
  }
  const std::size_t whole = bits / 8;
  const unsigned mask = bits % 8 == 0 ? 0 : 0xffU & (0xffU << (8 - bits % 8));
  return std::equal(a.bytes.begin(), a.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    net.bytes.begin()) &&
         (mask == 0 || (a.bytes[whole] & mask) == (net.bytes[whole] & mask));
}

}  // namespace belfry::rules
