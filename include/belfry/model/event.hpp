#pragma once
// Event: one thing that was received. A fixed-size header plus slices into the arena of its batch:
// no allocation and no copy of text per event.
//
//   datagram or frame ──recv──> arena ──decode──> Event{ slices } ──name──> node, ifname ──match──>
//   Match
//
// Immutable once its batch left the collector.
#include <cstdint>
#include <span>
#include <string_view>

#include "belfry/base/time.hpp"
#include "belfry/model/value.hpp"

namespace belfry {

enum class EventKind : std::uint8_t { Syslog, Trap, Probe, Beat, Alert };
constexpr std::string_view name(EventKind kind) {
  constexpr std::string_view kNames[]{"syslog", "trap", "probe", "beat", "alert"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// X.733 order.
enum class Severity : std::uint8_t { Cleared, Indeterminate, Warning, Minor, Major, Critical };
constexpr std::string_view name(Severity severity) {
  constexpr std::string_view kNames[]{"cleared", "indeterminate", "warning",
                                      "minor",   "major",         "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}
/// Syslog's emerg..debug (RFC 5424 6.2.1) as X.733: 0-2 critical, 3 major, 4 minor, 5 warning, else
/// indeterminate. What `level` means in rules.
constexpr Severity severity_of_syslog(unsigned code) {
  constexpr Severity kOf[]{Severity::Critical,      Severity::Critical,     Severity::Critical,
                           Severity::Major,         Severity::Minor,        Severity::Warning,
                           Severity::Indeterminate, Severity::Indeterminate};
  return kOf[code & 7];
}

/// SNMP's value types by their BER tag (RFC 3416 3).
enum class VarType : std::uint8_t {
  Integer = 0x02,
  OctetString = 0x04,
  Null = 0x05,
  ObjectId = 0x06,
  IpAddress = 0x40,
  Counter32 = 0x41,
  Gauge32 = 0x42,
  TimeTicks = 0x43,
  Opaque = 0x44,
  Counter64 = 0x46,
  UInteger32 = 0x47,
  NoSuchObject = 0x80,
  NoSuchInstance = 0x81,
  EndOfMibView = 0x82,
};

struct Varbind {
  std::string_view oid;  ///< BER content octets
  VarType type = VarType::Null;
  std::string_view bytes;   ///< content octets of the value
  std::int64_t number = 0;  ///< integer types; Counter64 as its two's complement
};

/// A named value beyond the fixed fields: what a probe measured, what a JSON event carried.
/// Nested JSON objects are flattened with dots: `label.mount`.
struct Attr {
  std::string_view name;
  Value value;
};

struct Event {
  EventKind kind = EventKind::Syslog;
  bool valid = true;            ///< syslog: the header was understood; false keeps `raw` and `why`
  std::uint8_t facility = 255;  ///< syslog 0-23; 255 = none
  std::uint8_t severity = 255;  ///< syslog code 0-7; 255 = none
  std::uint8_t snmp_version = 0;  ///< 0 = v1, 1 = v2c, 3 = v3, as on the wire
  bool inform = false;
  std::uint32_t repeat = 1;  ///< a folded run of identical messages
  std::uint32_t uptime = 0;  ///< traps: sysUpTime in centiseconds
  Instant stamp{0};          ///< the sender's own time; 0 = none. Data, never order
  std::string_view type;     ///< Bell's event type: "syslog", "trap", "probe", "beat", or declared
  std::string_view node;     ///< the device it is about, named by intake; never empty after it
  std::string_view via;      ///< the relay or manager that passed it on; empty = none
  std::string_view from;     ///< source address as text (no port)
  std::string_view ifname;   ///< set by intake from (node, ifindex or alias); empty = none
  std::string_view raw;      ///< as received (without framing)
  std::string_view why;      ///< valid == false: the reason word
  // syslog
  std::string_view host, app, pid, msgid, message, structured_data;
  std::string_view tag;  ///< vendor mnemonic such as LINK-3-UPDOWN
  std::string_view vendor;
  // trap
  std::string_view community;         ///< a secret: never logged, never stored
  std::string_view trap_oid;          ///< BER content octets, v1 mapped by RFC 3584 3.1
  std::string_view agent;             ///< v1 agent address or snmpTrapAddress as text; empty = none
  std::span<const Varbind> varbinds;  ///< without sysUpTime.0 and snmpTrapOID.0
  std::span<const Attr> attrs;
  std::string_view id;  ///< the source's own id for it (replay, HTTP); empty = none
};

}  // namespace belfry
