#include "radius.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "belfry/base/text.hpp"

namespace belfry::probe {
namespace {

/// RFC 2865 7.1: nemo logs in with `arctangent`, secret `xyzzy5461`.
RadiusAsk nemo() {
  RadiusAsk ask;
  ask.user = "nemo";
  ask.password = "arctangent";
  ask.secret = "xyzzy5461";
  const std::string authenticator = *from_hex("0f403f9473978057bd83d5cb98f4227a");
  std::copy(authenticator.begin(), authenticator.end(), ask.authenticator.begin());
  return ask;
}
const std::string kAccept =
    *from_hex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103");

TEST(Radius, ThePasswordIsHiddenAsInTheRfc) {
  const std::string packet = radius_request(nemo());
  EXPECT_EQ(to_hex(packet.substr(0, 2)), "0100");
  EXPECT_NE(to_hex(packet).find("0212"
                                "0dbe708d93d413ce3196e43f782a0aee"),
            std::string::npos)
      << to_hex(packet);
  EXPECT_EQ(packet.size(), static_cast<unsigned char>(packet[3]));
  EXPECT_EQ(to_hex(packet.substr(20, 2)), "5012") << "the Message-Authenticator comes first";
  EXPECT_EQ(packet.find("arctangent"), std::string::npos);
}

TEST(Radius, LongPasswordsAreCutAndEmptyOnesPadded) {
  RadiusAsk ask = nemo();
  ask.password = "";
  EXPECT_NE(to_hex(radius_request(ask)).find("0212"), std::string::npos);
  ask.password = std::string(4000, 'p');
  ask.user = std::string(4000, 'u');
  const std::string packet = radius_request(ask);
  EXPECT_EQ(packet.size(), 20U + 18 + 255 + 130 + 8);
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(packet[2])) << 8 |
                static_cast<unsigned char>(packet[3]),
            packet.size());
}

TEST(Radius, OnlyAnAnswerThatKnowsTheSecretCounts) {
  std::string message;
  EXPECT_EQ(read_radius_answer(kAccept, nemo(), message), RadiusAnswer::Accept);
  EXPECT_EQ(read_radius_answer(kAccept + "padding", nemo(), message), RadiusAnswer::Accept);
  RadiusAsk other = nemo();
  other.secret = "xyzzy5462";
  EXPECT_EQ(read_radius_answer(kAccept, other, message), RadiusAnswer::Forged);
  other = nemo();
  other.id = 1;
  EXPECT_EQ(read_radius_answer(kAccept, other, message), RadiusAnswer::NotOurs);
  for (std::size_t i = 4; i < kAccept.size(); ++i) {
    std::string bent = kAccept;
    bent[i] = static_cast<char>(bent[i] ^ 1);
    EXPECT_NE(read_radius_answer(bent, nemo(), message), RadiusAnswer::Accept) << i;
  }
}

TEST(Radius, ShortAndBrokenAnswers) {
  std::string message;
  for (std::size_t n = 0; n < kAccept.size(); ++n) {
    EXPECT_EQ(read_radius_answer(kAccept.substr(0, n), nemo(), message), RadiusAnswer::Malformed);
  }
  std::string longer = kAccept;
  longer[2] = 0x7f;
  EXPECT_EQ(read_radius_answer(longer, nemo(), message), RadiusAnswer::Malformed);
}

}  // namespace
}  // namespace belfry::probe
