#include "belfry/intake/pcap.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace belfry {
namespace {

std::string be(std::uint64_t v, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(i < 8 ? v >> (8 * i) : 0));
  }
  return out;
}

std::string ipv4(std::uint8_t protocol, const std::string& payload) {
  return "\x45" + be(0, 1) + be(static_cast<std::uint32_t>(20 + payload.size()), 2) + be(0, 4) +
         "\x40" + be(protocol, 1) + be(0, 2) + be(0x0a000001, 4) + be(0x0a000002, 4) + payload;
}
std::string udp(const std::string& text) {
  return be(5000, 2) + be(514, 2) + be(static_cast<std::uint32_t>(8 + text.size()), 2) + be(0, 2) +
         text;
}
std::string tcp(std::uint32_t sequence, std::uint8_t flags, const std::string& text) {
  return be(5001, 2) + be(514, 2) + be(sequence, 4) + be(0, 4) + "\x50" + be(flags, 1) + be(0, 6) +
         text;
}
std::string record(const std::string& frame) {
  return be(1'700'000'000, 4) + be(5, 4) + be(static_cast<std::uint32_t>(frame.size()), 4) +
         be(static_cast<std::uint32_t>(frame.size()), 4) + frame;
}
std::string capture(std::uint32_t link, const std::vector<std::string>& frames) {
  std::string out = be(0xa1b2c3d4, 4) + be(0x00020004, 4) + be(0, 8) + be(65535, 4) + be(link, 4);
  for (const std::string& frame : frames) {
    out += record(frame);
  }
  return out;
}
std::string all(const std::string& file) {
  auto reader = CaptureReader::open(file);
  if (!reader) {
    return reader.error().what;
  }
  CapturedItem item;
  std::string out;
  while (reader->next(item)) {
    out += item.kind == CapturedItem::Kind::StreamEnd ? "end" : std::string(item.bytes);
    out += "|";
  }
  return out + std::to_string(reader->skipped());
}

TEST(Pcap, GivesDatagramsOfAllLinks) {
  const std::string packet = ipv4(17, udp("hello"));
  const std::string ethernet = std::string(12, '\1') + be(0x0800, 2) + packet;
  const std::string tagged =
      std::string(12, '\1') + be(0x8100, 2) + be(7, 2) + be(0x0800, 2) + packet;
  const std::string arp = std::string(12, '\1') + be(0x0806, 2) + packet;
  EXPECT_EQ(all(capture(1, {ethernet, tagged, arp})), "hello|hello|1");
  EXPECT_EQ(all(capture(113, {std::string(14, '\0') + be(0x0800, 2) + packet})), "hello|0");
  EXPECT_EQ(all(capture(276, {be(0x0800, 2) + std::string(18, '\0') + packet})), "hello|0");
  EXPECT_EQ(all(capture(0, {be(2, 4) + packet})), "hello|0");
  EXPECT_EQ(all(capture(101, {packet})), "hello|0");
}

TEST(Pcap, PutsStreamsInOrder) {
  const std::string file = capture(
      101, {ipv4(6, tcp(99, 2, "")), ipv4(6, tcp(103, 16, "def")), ipv4(6, tcp(100, 16, "abc")),
            ipv4(6, tcp(101, 16, "bcdefg")), ipv4(6, tcp(107, 17, ""))});
  EXPECT_EQ(all(file), "abcdef|g|end|0");
}

TEST(Pcap, EndsOpenStreamsWithTheFile) {
  EXPECT_EQ(all(capture(101, {ipv4(6, tcp(100, 16, "abc"))})), "abc|end|0");
}

TEST(Pcap, ReadsPcapng) {
  const std::string frame = ipv4(17, udp("hello"));
  const std::string padded = frame + std::string((4 - frame.size() % 4) % 4, '\0');
  const auto length = static_cast<std::uint32_t>(32 + padded.size());
  const std::string file =
      be(0x0a0d0d0a, 4) + be(28, 4) + be(0x1a2b3c4d, 4) + be(0x00010000, 4) + be(0xffffffff, 4) +
      be(0xffffffff, 4) + be(28, 4) +                                        // section
      be(1, 4) + be(20, 4) + be(101, 2) + be(0, 2) + be(0, 4) + be(20, 4) +  // interface
      be(6, 4) + be(length, 4) + be(0, 12) + be(static_cast<std::uint32_t>(frame.size()), 4) +
      be(static_cast<std::uint32_t>(frame.size()), 4) + padded + be(length, 4);
  EXPECT_EQ(all(file), "hello|0");
}

TEST(Pcap, SaysWhatIsNoCapture) {
  EXPECT_EQ(all("hello"), "not a capture: expected pcap or pcapng");
  EXPECT_NE(all(capture(147, {})).find("link type 147"), std::string::npos);
}

}  // namespace
}  // namespace belfry
