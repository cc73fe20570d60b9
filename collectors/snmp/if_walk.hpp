#pragma once
// IfWalk: reads the names of one device's interfaces with GETBULK, one column after the other:
// ifName, ifDescr, ifAlias. A pure state machine: PDUs in, PDUs out.
//
// Bounds: kPollPortsMax ports, kWalkRequestsMax requests; a device that does not move forward, or
// that says more than that, is cut off there and keeps what was read.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "belfry/intake/polled_ports.hpp"

namespace belfry::snmp {

/// A chassis with all its sub-interfaces; 3 columns of 25 names a request.
inline constexpr std::size_t kPollPortsMax = 16'384;
inline constexpr std::size_t kWalkRequestsMax = 3 * (kPollPortsMax / 25 + 2);
inline constexpr std::size_t kPortTextBytesMax = 255;

class IfWalk {
 public:
  enum class Step : std::uint8_t { More, Done, Failed };

  /// Content of the next GetBulkRequest-PDU.
  std::string request(std::int32_t id);
  /// What the Response to it says. Failed: it is no such Response, or an error from the start.
  Step on_response(std::string_view pdu);
  PolledPorts::Ports take();

 private:
  Step next_column();
  bool keep(std::string_view oid, std::string_view text);
  std::size_t column_ = 0;
  std::size_t requests_ = 0;
  std::string last_;  // octets of the OID read last
  std::map<std::int64_t, PolledPort> ports_;
};

}  // namespace belfry::snmp
