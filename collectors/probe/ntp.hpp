#pragma once
// NTP (RFC 5905): a client's question and what its answer says of the server. Pure.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belfry/base/time.hpp"

namespace belfry::probe {

/// 48 bytes; the transmit stamp is the nonce, which the server sends back: it tells our answers
/// from others' and our clock to nobody.
std::string ntp_request(std::string_view nonce);

struct NtpAnswer {
  unsigned stratum = 0;      ///< 0: a kiss, see `kiss`
  bool synchronised = true;  ///< leap indicator is not 3
  std::string kiss;          ///< RATE, DENY, ...
  double offset = 0;         ///< seconds that the server is ahead of us
};
/// nullopt: no answer to this nonce.
std::optional<NtpAnswer> read_ntp_answer(std::string_view reply, std::string_view nonce,
                                         Instant sent, Instant received);

}  // namespace belfry::probe
