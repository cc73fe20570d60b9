#include "ntp.hpp"

namespace belfry::probe {
namespace {

constexpr std::size_t kPacketBytes = 48, kStampBytes = 8;
constexpr std::size_t kOrigin = 24, kReceive = 32, kTransmit = 40;
constexpr std::int64_t kUnixEpoch = 2'208'988'800;  // seconds from 1900 to 1970
constexpr std::int64_t kEra = std::int64_t{1} << 32;
constexpr std::int64_t kSecond = 1'000'000'000;

/// Nanoseconds since 1970 of the stamp, in the era that is nearest to `near`: stamps turn over in
/// 2036.
std::int64_t stamp(std::string_view packet, std::size_t at, std::int64_t near) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < kStampBytes; ++i) {
    v = v << 8 | static_cast<unsigned char>(packet[at + i]);
  }
  std::int64_t seconds = static_cast<std::int64_t>(v >> 32) - kUnixEpoch;
  const std::int64_t near_s = near / kSecond;
  while (seconds < near_s - kEra / 2) {
    seconds += kEra;
  }
  return seconds * kSecond +
         static_cast<std::int64_t>((v & 0xffffffff) * static_cast<std::uint64_t>(kSecond) >> 32);
}

}  // namespace

std::string ntp_request(std::string_view nonce) {
  std::string out(kPacketBytes, '\0');
  out[0] = 0x23;  // version 4, client
  out.replace(kTransmit, kStampBytes, nonce.substr(0, kStampBytes));
  out.resize(kPacketBytes, '\0');
  return out;
}

std::optional<NtpAnswer> read_ntp_answer(std::string_view reply, std::string_view nonce,
                                         Instant sent, Instant received) {
  if (reply.size() < kPacketBytes || (reply[0] & 7) != 4 ||
      reply.substr(kOrigin, kStampBytes) != nonce.substr(0, kStampBytes)) {
    return std::nullopt;
  }
  NtpAnswer out;
  out.stratum = static_cast<unsigned char>(reply[1]);
  out.synchronised = (static_cast<unsigned char>(reply[0]) >> 6) != 3;
  if (out.stratum == 0) {
    out.kiss = reply.substr(12, 4);
    return out;
  }
  // Doubles: a server may claim any time, and differences of days need no nanoseconds.
  const auto after = static_cast<double>(stamp(reply, kReceive, sent.ns) - sent.ns);
  const auto before = static_cast<double>(stamp(reply, kTransmit, received.ns) - received.ns);
  out.offset = (after + before) / 2 / static_cast<double>(kSecond);
  return out;
}

}  // namespace belfry::probe
