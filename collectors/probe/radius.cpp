#include "radius.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <optional>

namespace belfry::probe {
namespace {

constexpr std::size_t kHeaderBytes = 20, kPacketMax = 4096, kHashBytes = 16;
constexpr std::size_t kUserMax = 253, kPasswordMax = 128;
constexpr char kUserName = 1, kUserPassword = 2, kReplyMessage = 18, kNasIdentifier = 32,
               kMessageAuthenticator = 80;
constexpr char kAccessRequest = 1;

using Hash = std::array<unsigned char, kHashBytes>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view text_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Hash md5(std::string_view text) {
  Hash out{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_md5(), nullptr);
  return out;
}

Hash hmac_md5(std::string_view key, std::string_view text) {
  Hash out{};
  unsigned size = 0;
  HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()), octets(text), text.size(), out.data(),
       &size);
  return out;
}

void add(std::string& packet, char type, std::string_view value) {
  packet.push_back(type);
  packet.push_back(static_cast<char>(value.size() + 2));
  packet += value;
}

/// RFC 2865 5.2.
std::string hidden(const RadiusAsk& ask) {
  std::string padded = ask.password.substr(0, kPasswordMax);
  padded.resize(std::max<std::size_t>((padded.size() + 15) / 16, 1) * 16, '\0');
  std::string last = std::string(text_of(ask.authenticator));
  for (std::size_t block = 0; block < padded.size(); block += kHashBytes) {
    const Hash pad = md5(ask.secret + last);
    for (std::size_t i = 0; i < kHashBytes; ++i) {
      padded[block + i] = static_cast<char>(static_cast<unsigned char>(padded[block + i]) ^ pad[i]);
    }
    last = padded.substr(block, kHashBytes);
  }
  return padded;
}

struct Attributes {
  std::optional<std::size_t> authenticator;  ///< where its 16 bytes begin
  std::string message;
};

/// nullopt: the attributes do not fill the packet as they should.
std::optional<Attributes> read_attributes(std::string_view packet) {
  Attributes out;
  std::size_t at = kHeaderBytes;
  while (at < packet.size()) {
    const std::size_t size =
        at + 1 < packet.size() ? static_cast<unsigned char>(packet[at + 1]) : 0;
    if (size < 2 || size > packet.size() - at) {
      return std::nullopt;
    }
    if (packet[at] == kMessageAuthenticator) {
      if (size != kHashBytes + 2 || out.authenticator) {
        return std::nullopt;
      }
      out.authenticator = at + 2;
    } else if (packet[at] == kReplyMessage && out.message.empty()) {
      out.message = packet.substr(at + 2, size - 2);
    }
    at += size;
  }
  return out;
}

bool same(const Hash& hash, std::string_view bytes) {
  return bytes.size() == hash.size() && CRYPTO_memcmp(hash.data(), bytes.data(), hash.size()) == 0;
}

}  // namespace

std::string radius_request(const RadiusAsk& ask) {
  std::string out{kAccessRequest, static_cast<char>(ask.id), 0, 0};
  out += text_of(ask.authenticator);
  add(out, kMessageAuthenticator, std::string(kHashBytes, '\0'));
  add(out, kUserName, ask.user.substr(0, kUserMax));
  add(out, kUserPassword, hidden(ask));
  add(out, kNasIdentifier, "belfry");
  out[2] = static_cast<char>(out.size() >> 8);
  out[3] = static_cast<char>(out.size() & 0xff);
  const Hash proof = hmac_md5(ask.secret, out);
  std::copy(proof.begin(), proof.end(), out.begin() + kHeaderBytes + 2);
  return out;
}

RadiusAnswer read_radius_answer(std::string_view reply, const RadiusAsk& ask,
                                std::string& message) {
  if (reply.size() < kHeaderBytes || reply.size() > kPacketMax) {
    return RadiusAnswer::Malformed;
  }
  const std::size_t length = static_cast<std::size_t>(octets(reply)[2]) << 8 | octets(reply)[3];
  if (length < kHeaderBytes || length > reply.size()) {
    return RadiusAnswer::Malformed;
  }
  if (octets(reply)[1] != ask.id) {
    return RadiusAnswer::NotOurs;
  }
  std::string packet(reply.substr(0, length));  // what is beyond is padding
  const std::string proof = packet.substr(4, kHashBytes);
  packet.replace(4, kHashBytes, text_of(ask.authenticator));
  if (!same(md5(packet + ask.secret), proof)) {
    return RadiusAnswer::Forged;
  }
  const auto attributes = read_attributes(packet);
  if (!attributes) {
    return RadiusAnswer::Malformed;
  }
  if (attributes->authenticator) {
    const std::string theirs = packet.substr(*attributes->authenticator, kHashBytes);
    packet.replace(*attributes->authenticator, kHashBytes, kHashBytes, '\0');
    if (!same(hmac_md5(ask.secret, packet), theirs)) {
      return RadiusAnswer::Forged;
    }
  }
  message = attributes->message;
  switch (packet[0]) {
    case 2:
      return RadiusAnswer::Accept;
    case 3:
      return RadiusAnswer::Reject;
    case 11:
      return RadiusAnswer::Challenge;
    default:
      return RadiusAnswer::Other;
  }
}

}  // namespace belfry::probe
