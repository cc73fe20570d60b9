#pragma once
// DNS: a question and its answer, as texts that a check can compare. The question is made by
// c-ares, names in answers are read by it; walking the records is our own: bounded, and fuzzed.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::probe {

/// `A AAAA NS CNAME SOA PTR MX TXT`; nullopt: not one of them.
std::optional<std::uint16_t> dns_type(std::string_view word);
/// Empty: the name cannot be asked for.
std::string dns_request(const std::string& name, std::uint16_t type, std::uint16_t id);

struct DnsAnswer {
  unsigned rcode = 0;
  bool truncated = false;
  std::vector<std::string> records;     ///< of the type asked for: `192.0.2.1`, `10 mx.example`
  std::optional<std::uint32_t> serial;  ///< SOA
};
/// nullopt: no answer to this request, or its bytes do not hold what they announce.
std::optional<DnsAnswer> read_dns_answer(std::string_view reply, std::string_view request);
std::string_view dns_rcode(unsigned rcode);
/// `a` is before `b` (RFC 1982: serials turn over).
bool serial_before(std::uint32_t a, std::uint32_t b);
/// As names are compared: lower case, no dot at the end.
std::string dns_name(std::string_view name);

}  // namespace belfry::probe
