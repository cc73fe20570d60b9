#include "dns.hpp"

#include <ares.h>
#include <ares_nameser.h>
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "belfry/base/text.hpp"

namespace belfry::probe {
namespace {

constexpr std::size_t kHeaderBytes = 12, kRecordHeadBytes = 10;
constexpr int kUdpBytes = 1232;  // DNS flag day 2020: passes every path unfragmented
constexpr std::size_t kRecordsMax = 256;

struct TypeWord {
  std::string_view word;
  std::uint16_t type;
};
constexpr std::array kTypes{TypeWord{"A", 1},    TypeWord{"NS", 2},   TypeWord{"CNAME", 5},
                            TypeWord{"SOA", 6},  TypeWord{"PTR", 12}, TypeWord{"MX", 15},
                            TypeWord{"TXT", 16}, TypeWord{"AAAA", 28}};

unsigned get16(std::string_view m, std::size_t at) {
  return static_cast<unsigned>(static_cast<unsigned char>(m[at])) << 8 |
         static_cast<unsigned char>(m[at + 1]);
}
std::uint32_t get32(std::string_view m, std::size_t at) {
  return get16(m, at) << 16 | get16(m, at + 2);
}

/// The name at `at`, which moves behind it. nullopt: none there.
std::optional<std::string> take_name(std::string_view m, std::size_t& at) {
  char* text = nullptr;
  long size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(m.data());
  if (at >= m.size() || ares_expand_name(bytes + at, bytes, static_cast<int>(m.size()), &text,
                                         &size) != ARES_SUCCESS) {
    return std::nullopt;
  }
  std::string out = dns_name(text);
  ares_free_string(text);
  at += static_cast<std::size_t>(size);
  return at <= m.size() ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> address_text(int family, std::string_view data) {
  const std::size_t size = family == AF_INET ? 4 : 16;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (data.size() != size || inet_ntop(family, data.data(), text.data(), text.size()) == nullptr) {
    return std::nullopt;
  }
  return std::string(text.data());
}

std::optional<std::string> txt_text(std::string_view data) {
  std::string out;
  while (!data.empty()) {
    const std::size_t size = static_cast<unsigned char>(data[0]);
    if (size + 1 > data.size()) {
      return std::nullopt;
    }
    out += data.substr(1, size);
    data.remove_prefix(size + 1);
  }
  return out;
}

/// The record's data as text; `at` and `size` lie inside `m`.
std::optional<std::string> record_text(std::string_view m, unsigned type, std::size_t at,
                                       std::size_t size, DnsAnswer& out) {
  const std::string_view data = m.substr(at, size);
  switch (type) {
    case 1:
      return address_text(AF_INET, data);
    case 28:
      return address_text(AF_INET6, data);
    case 16:
      return txt_text(data);
    case 15: {
      std::size_t name_at = at + 2;
      const auto name = size > 2 ? take_name(m, name_at) : std::nullopt;
      return name ? std::optional(fmt::format("{} {}", get16(m, at), *name)) : std::nullopt;
    }
    case 6: {
      std::size_t next = at;
      const auto master = take_name(m, next);
      if (!master || !take_name(m, next) || next + 20 > m.size()) {
        return std::nullopt;
      }
      out.serial = get32(m, next);
      return fmt::format("{} {}", *master, *out.serial);
    }
    default: {
      std::size_t next = at;
      return take_name(m, next);
    }
  }
}

/// False: the records do not lie inside the message.
bool read_records(std::string_view m, std::size_t at, unsigned count, unsigned type,
                  DnsAnswer& out) {
  for (unsigned i = 0; i < count; ++i) {
    if (!take_name(m, at) || at + kRecordHeadBytes > m.size()) {
      return false;
    }
    const unsigned this_type = get16(m, at);
    const std::size_t size = get16(m, at + 8);
    at += kRecordHeadBytes;
    if (size > m.size() - at) {
      return false;
    }
    if (this_type == type && out.records.size() < kRecordsMax) {
      auto text = record_text(m, type, at, size, out);
      if (!text) {
        return false;
      }
      out.records.push_back(std::move(*text));
    }
    at += size;
  }
  return true;
}

}  // namespace

std::optional<std::uint16_t> dns_type(std::string_view word) {
  for (const TypeWord& known : kTypes) {
    if (known.word == word) {
      return known.type;
    }
  }
  return std::nullopt;
}

std::string dns_name(std::string_view name) {
  std::string out = to_lower(name);
  if (out.size() > 1 && out.ends_with('.')) {
    out.pop_back();
  }
  return out;
}

std::string dns_request(const std::string& name, std::uint16_t type, std::uint16_t id) {
  unsigned char* bytes = nullptr;
  int size = 0;
  if (ares_create_query(name.c_str(), 1, type, id, 1, &bytes, &size, kUdpBytes) != ARES_SUCCESS) {
    return {};
  }
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  ares_free_string(bytes);
  return out;
}

std::optional<DnsAnswer> read_dns_answer(std::string_view m, std::string_view request) {
  if (m.size() < kHeaderBytes || request.size() < kHeaderBytes ||
      get16(m, 0) != get16(request, 0) || (get16(m, 2) & 0x8000) == 0 || get16(m, 4) > 1) {
    return std::nullopt;
  }
  DnsAnswer out;
  out.rcode = get16(m, 2) & 15;
  out.truncated = (get16(m, 2) & 0x0200) != 0;
  std::size_t asked = kHeaderBytes, at = kHeaderBytes;
  const auto wanted = take_name(request, asked);
  if (!wanted || asked + 4 > request.size()) {
    return std::nullopt;
  }
  if (get16(m, 4) == 0) {  // servers that refuse may leave the question out
    return out.rcode == 0 ? std::nullopt : std::optional(out);
  }
  const auto question = take_name(m, at);
  if (question != wanted || at + 4 > m.size() || m.substr(at, 4) != request.substr(asked, 4)) {
    return std::nullopt;
  }
  return read_records(m, at + 4, get16(m, 6), get16(request, asked), out) || out.truncated
             ? std::optional(std::move(out))
             : std::nullopt;
}

std::string_view dns_rcode(unsigned rcode) {
  constexpr std::array<std::string_view, 6> kNames{"NOERROR",  "FORMERR", "SERVFAIL",
                                                   "NXDOMAIN", "NOTIMP",  "REFUSED"};
  return rcode < kNames.size() ? kNames[rcode] : "another refusal";
}

bool serial_before(std::uint32_t a, std::uint32_t b) {
  return a != b && static_cast<std::int32_t>(b - a) > 0;
}

}  // namespace belfry::probe
