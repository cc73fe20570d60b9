#pragma once
// The little BER that Belfry writes: Reports, Responses, requests of the poller. Not on the hot
// path: strings in strings.
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::snmp {

inline std::string put_tlv(std::uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out.push_back(static_cast<char>(content.size()));
  } else {
    std::string size;
    for (std::size_t n = content.size(); n > 0; n >>= 8) {
      size.insert(size.begin(), static_cast<char>(n & 0xff));
    }
    out.push_back(static_cast<char>(0x80 | size.size()));
    out += size;
  }
  return out.append(content);
}

/// Shortest two's complement.
inline std::string put_int(std::int64_t value) {
  std::string content;
  bool more = true;
  while (more) {
    content.insert(content.begin(), static_cast<char>(value & 0xff));
    const bool negative = (content.front() & 0x80) != 0;
    value >>= 8;
    more = !(value == 0 && !negative) && !(value == -1 && negative);
  }
  return put_tlv(0x02, content);
}

/// Counter32, Gauge32, TimeTicks: never negative.
inline std::string put_unsigned(std::uint8_t tag, std::uint32_t value) {
  std::string out = put_int(value);
  out[0] = static_cast<char>(tag);
  return out;
}

/// Error-status and error-index of a PDU's content become 0, in place: what makes a Response of an
/// inform (RFC 3416 4.2.7). False: it is not the content of such a PDU.
bool clear_status(std::string& pdu);

}  // namespace belfry::snmp
