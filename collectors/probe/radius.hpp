#pragma once
// RADIUS (RFC 2865): an Access-Request and what its answer is worth. Pure: the random parts and the
// secret come in. The request carries a Message-Authenticator as its first attribute (RFC
// 3579 3.2), so that servers that ask for one since BlastRADIUS (CVE-2024-3596) answer.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::probe {

struct RadiusAsk {
  std::string user, password, secret;
  std::array<unsigned char, 16> authenticator{};  ///< random, never used twice
  std::uint8_t id = 0;
};

/// The packet. Of a password 128 bytes are sent, of a user 253: what the format takes.
std::string radius_request(const RadiusAsk& ask);

enum class RadiusAnswer : std::uint8_t {
  Accept,
  Reject,
  Challenge,
  Other,    ///< proved, but of another code
  NotOurs,  ///< another id: an answer to somebody else, or an old one
  Forged,   ///< its authenticators do not prove that it knows the secret
  Malformed,
};
/// `message`: the first Reply-Message, only of an answer that is proved.
RadiusAnswer read_radius_answer(std::string_view reply, const RadiusAsk& ask, std::string& message);

}  // namespace belfry::probe
