#pragma once
// Usm: opens SNMPv3 messages (RFC 3412, RFC 3414) and writes what is said back: Reports, so that
// senders of informs find our engine id, boots and time, and the Responses to informs.
//
//   datagram ──open──> Opened{ scoped PDU in the datagram or, decrypted, in the arena } or a
//   Verdict
//
// Order of checks: form, engine, user, level, digest, time window, decryption. Nothing but a right
// digest makes anything be remembered: not a key, not an engine, not a time. Who the authority is:
// a message with the reportable flag is judged by our engine (informs, requests), one without by
// its sender's (traps).
//
// Without engines (`belfry decode`) there is no clock to judge by: no time window, no reports, any
// engine is taken.
//
// Thread: one (users and engines may be shared). Bounds: kKeysMax localized keys, coldest out;
// kReportsPerSecond reports, the rest are not answered.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/users.hpp"

namespace belfry::snmp {

/// Keys of 16,384 (user, engine) pairs: three times 5,000 users; about 2 KiB each.
inline constexpr std::size_t kKeysMax = 16'384;
/// A whole network that starts at once asks for our engine id; a forger gets no amplifier.
inline constexpr std::uint32_t kReportsPerSecond = 2'000;

class Engines;

class Usm {
 public:
  /// What a message said; slices of the datagram or of the arena.
  struct Opened {
    std::string_view user, engine, context_engine, context_name;
    std::string_view level;  ///< "noAuthNoPriv", "authNoPriv", "authPriv"
    std::int64_t id = 0;     ///< msgID
    std::uint32_t boots = 0, time = 0;
    std::uint8_t pdu_tag = 0;
    std::string_view pdu;  ///< its content
    bool reportable = false;
  };

  Usm(std::shared_ptr<const UsmUsers> users, Engines* engines);
  ~Usm();
  Usm(Usm&&) noexcept;

  /// From then on: other users; keys are made anew.
  void set_users(std::shared_ptr<const UsmUsers> users);
  /// CLOCK_BOOTTIME for what follows.
  void set_now(std::int64_t now_ns);

  Verdict open(std::string_view datagram, Arena& arena, Opened& out);
  /// The Report that the message refused last is answered by; empty = none is due.
  std::string report();
  /// The Response to the inform opened last, secured as it was.
  std::string response();
  /// What the last open() found, refused or not.
  const Opened& last() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry::snmp
