#pragma once
// SNMP notifications from their BER bytes: SNMPv1 traps, SNMPv2c and SNMPv3 traps and informs.
//
//   datagram (in the batch's arena) ──decode──> Event{ trap_oid, uptime, varbinds } or a Verdict
//
// Total: any bytes give an event or one of the verdicts below, each with its reason word; nothing
// is read outside the datagram, nothing throws. Strings and OIDs of the event are slices of the
// datagram; the array of varbinds, v1's mapped trap OID and addresses as text go into the arena.
//
// What is taken and what is refused follows net-snmp 5.9's snmptrapd, which is what agents are
// tested against: lengths of up to 8 octets in any form but the indefinite one, bytes after the
// message ignored, a notification without snmpTrapOID.0 taken (its trap_oid is empty).
//
// Thread: any. Bounds: varbinds_max per notification, 128 arcs per OID, 256 octets of community.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"

namespace belfry::snmp {

class Usm;

/// A datagram of 64 KiB could hold 11,000 empty varbinds; the largest real notifications have 60.
inline constexpr std::size_t kVarbindsMax = 2048;
/// net-snmp's COMMUNITY_MAX_LEN.
inline constexpr std::size_t kCommunityBytesMax = 256;

enum class Verdict : std::uint8_t {
  Ok,
  Truncated,   ///< a length goes beyond the datagram or beyond what encloses it
  BadLength,   ///< indefinite length, or more than 8 octets of it
  BadTag,      ///< another type was expected there
  BadInteger,  ///< empty, or longer than 64 bits
  BadOid,      ///< unfinished or overflowing sub-identifier, more than 128 of them
  BadValue,    ///< a value's content does not fit its type
  CommunityTooLong,
  UnknownVersion,    ///< neither v1, v2c nor v3
  V3NotConfigured,   ///< an SNMPv3 message, and there are no users for it
  NotANotification,  ///< well-formed so far, but a request, a response or a report
  TooManyVarbinds,
  V3Discovery,         ///< somebody asks for our engine id; answered by a Report
  V3UnknownEngine,     ///< an inform to another engine, or an engine id that is none
  V3UnknownUser,       ///< no such user, or not at that engine
  V3NoAuth,            ///< less authentic or private than that user must be
  V3UnsupportedLevel,  ///< more than that user has keys for, or privacy without authentication
  V3WrongDigest,       ///< another passphrase, or changed on the way
  V3NotInTimeWindow,   ///< a replay, or a clock that was set back without a boot
  V3DecryptionError,   ///< another privacy passphrase
  V3UnknownModel,      ///< neither USM nor anything that Belfry speaks
};
inline constexpr std::size_t kVerdicts = 21;
constexpr std::string_view name(Verdict verdict) {
  constexpr std::string_view kNames[kVerdicts]{"ok",
                                               "truncated",
                                               "bad-length",
                                               "bad-tag",
                                               "bad-integer",
                                               "bad-oid",
                                               "bad-value",
                                               "community-too-long",
                                               "unknown-version",
                                               "v3-not-configured",
                                               "not-a-notification",
                                               "too-many-varbinds",
                                               "v3-discovery",
                                               "v3-unknown-engine",
                                               "v3-unknown-user",
                                               "v3-no-auth",
                                               "v3-unsupported-level",
                                               "v3-wrong-digest",
                                               "v3-not-in-time-window",
                                               "v3-decryption-error",
                                               "v3-unknown-security-model"};
  return kNames[static_cast<std::size_t>(verdict)];
}

/// Decodes into `out` (kind Trap, type "trap"). REQUIRES: the datagram outlives the event, so it is
/// in `arena` or beside it. When refused, `out` holds what was read so far (version, community),
/// `valid` is false and `why` is the reason word; `varbinds` is empty. SNMPv3 needs `usm`.
Verdict decode(std::string_view datagram, Arena& arena, Event& out, Usm* usm = nullptr);

/// Writes the Response to an InformRequest (RFC 3416 4.2.7: the same message as a Response-PDU with
/// no error) into `out` and gives its size; 0 when `inform` is not one or does not fit.
std::size_t inform_response(std::string_view inform, std::span<char> out);

/// Where the community stands in `datagram`, so that a kept sample can be masked; empty when there
/// is none to be found.
std::string_view find_community(std::string_view datagram);

}  // namespace belfry::snmp
