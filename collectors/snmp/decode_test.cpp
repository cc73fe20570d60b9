#include "belfry/snmp/decode.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "belfry/base/text.hpp"
#include "belfry/snmp/text.hpp"
#include "packets.hpp"

namespace belfry::snmp {
namespace {

using namespace test;

struct Decoded {
  Arena arena;
  Event event;
  Verdict verdict = Verdict::Ok;
};

Decoded& decoded(Decoded& d, std::string_view packet) {
  d.verdict = decode(d.arena.copy(packet), d.arena, d.event);
  return d;
}
std::string_view reason(std::string_view packet) {
  Decoded d;
  return name(decoded(d, packet).verdict);
}

TEST(Decode, Version2Trap) {
  Decoded d;
  decoded(d, message("01", 0xa7, v2_pdu()));
  ASSERT_EQ(name(d.verdict), "ok");
  EXPECT_EQ(d.event.kind, EventKind::Trap);
  EXPECT_EQ(d.event.type, "trap");
  EXPECT_EQ(d.event.snmp_version, 1);
  EXPECT_FALSE(d.event.inform);
  EXPECT_EQ(d.event.community, "field-team");
  EXPECT_EQ(oid_to_text(d.event.trap_oid), "1.3.6.1.6.3.1.1.5.3");
  EXPECT_EQ(d.event.uptime, 372284U);
  ASSERT_EQ(d.event.varbinds.size(), 2U);
  EXPECT_EQ(d.event.varbinds[0].number, 7);
  EXPECT_EQ(d.event.varbinds[1].bytes, "et-0/0/7");
  EXPECT_EQ(d.event.varbinds[1].type, VarType::OctetString);
}

TEST(Decode, Version1TrapsAreMappedByRfc3584) {
  Decoded generic;
  decoded(generic, message("00", 0xa4, v1_pdu("02", "00")));
  EXPECT_EQ(oid_to_text(generic.event.trap_oid), "1.3.6.1.6.3.1.1.5.3");
  EXPECT_EQ(generic.event.agent, "10.99.0.5");
  EXPECT_EQ(generic.event.uptime, 100U);
  Decoded specific;
  decoded(specific, message("00", 0xa4, v1_pdu("06", "0b0c")));
  EXPECT_EQ(oid_to_text(specific.event.trap_oid), "1.3.6.1.4.1.32473.5.0.2828");
  Decoded negative;
  decoded(negative, message("00", 0xa4, v1_pdu("06", "ff")));
  EXPECT_EQ(oid_to_text(negative.event.trap_oid), "1.3.6.1.4.1.32473.5.0.4294967295");
  Decoded nowhere;
  decoded(nowhere, message("00", 0xa4, v1_pdu("00", "00", {}, "00000000")));
  EXPECT_EQ(nowhere.event.agent, "");
}

TEST(Decode, TrapAddressOfARelayWinsOverTheAgentAddress) {
  Decoded d;
  decoded(d,
          message("00", 0xa4,
                  v1_pdu("03", "00", varbind("1.3.6.1.6.3.18.1.3.0", tlv(0x40, hex("0a630009"))))));
  EXPECT_EQ(d.event.agent, "10.99.0.9");
  ASSERT_EQ(d.event.varbinds.size(), 1U);
}

TEST(Decode, TakesWhatAgentsSendAlthoughItIsOdd) {
  const std::string plain = message("01", 0xa7, v2_pdu());
  EXPECT_EQ(reason(plain + "and more"), "ok");                       // bytes after the message
  EXPECT_EQ(reason(message("01", 0xa4, v1_pdu("01", "00"))), "ok");  // v1 PDU under v2c
  EXPECT_EQ(reason(message("00", 0xa7, v2_pdu())), "ok");            // and the other way
  const std::string empty_list = integer("01") + integer("00") + integer("00") + tlv(0x30, "");
  Decoded bare;
  decoded(bare, message("01", 0xa7, empty_list));
  EXPECT_EQ(bare.verdict, Verdict::Ok);
  EXPECT_EQ(bare.event.trap_oid, "");
  std::string long_form = plain;
  long_form.replace(0, 2, std::string("\x30\x88\0\0\0\0\0\0\0", 9) + plain[1]);
  EXPECT_EQ(reason(long_form), "ok");                          // eight octets of length
  EXPECT_EQ(reason(message("01", 0xa7, v2_pdu(), "")), "ok");  // empty community
}

TEST(Decode, RefusesWithAReason) {
  const std::string plain = message("01", 0xa7, v2_pdu());
  EXPECT_EQ(reason(""), "truncated");
  EXPECT_EQ(reason("GET / HTTP/1.1\r\n\r\n"), "truncated");
  EXPECT_EQ(reason(plain.substr(0, plain.size() - 1)), "truncated");
  EXPECT_EQ(reason(std::string("\x30\x80") + plain.substr(2) + std::string(2, '\0')), "bad-length");
  EXPECT_EQ(reason(std::string("\x30\x89\0\0\0\0\0\0\0\0", 10) + plain.substr(1)), "bad-length");
  EXPECT_EQ(reason(std::string("\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff") + plain.substr(2)),
            "truncated");
  EXPECT_EQ(reason(message("01", 0xa0, v2_pdu())), "not-a-notification");
  EXPECT_EQ(reason(message("01", 0xa2, v2_pdu())), "not-a-notification");
  EXPECT_EQ(reason(message("02", 0xa7, v2_pdu())), "unknown-version");
  EXPECT_EQ(reason(message("", 0xa7, v2_pdu())), "bad-integer");
  EXPECT_EQ(reason(message("01", 0xa7, v2_pdu(), std::string(257, 'x'))), "community-too-long");
  EXPECT_EQ(reason(message("01", 0xbf, v2_pdu())), "bad-tag");
  EXPECT_EQ(reason(tlv(0x30, integer("03") + tlv(0x30, "whatever"))), "v3-not-configured");
  const auto with = [](const std::string& varbinds) {
    return message("00", 0xa4, v1_pdu("06", "01", varbinds));
  };
  EXPECT_EQ(reason(with(varbind("1.3.6.1", integer("")))), "bad-integer");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", integer("010101010101010101")))), "bad-integer");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x40, "abc")))), "bad-value");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x01, "\x01")))), "bad-tag");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x06, hex("2b86"))))), "bad-oid");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x06, hex("2b9080808000"))))), "bad-oid");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x06, hex("2b8fffffff7f"))))), "ok");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x06, "\x2b" + std::string(127, '\1'))))),
            "bad-oid");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x44, hex("9f7802aabb"))))), "bad-value");
  EXPECT_EQ(reason(with(varbind("1.3.6.1", tlv(0x44, hex("9f7804aabb"))))), "truncated");
  std::string many;
  for (std::size_t i = 0; i <= kVarbindsMax; ++i) {
    many += tlv(0x30, tlv(0x06, "\x2b") + tlv(0x05, ""));
  }
  EXPECT_EQ(reason(with(many)), "too-many-varbinds");
}

TEST(Decode, ARefusedEventSaysWhy) {
  Decoded d;
  decoded(d, message("01", 0xa7, v2_pdu()).substr(0, 90));
  EXPECT_FALSE(d.event.valid);
  EXPECT_EQ(d.event.why, "truncated");
  EXPECT_TRUE(d.event.varbinds.empty());
}

TEST(Decode, OidsHaveOneForm) {
  Decoded d;
  const std::string padded = tlv(0x30, tlv(0x06, hex("2b0601028001")) + tlv(0x06, ""));
  decoded(d, message("00", 0xa4, v1_pdu("06", "01", padded + varbind("1.3.6.1.5", integer("05")))));
  ASSERT_EQ(name(d.verdict), "ok");
  ASSERT_EQ(d.event.varbinds.size(), 2U);
  EXPECT_EQ(oid_to_text(d.event.varbinds[0].oid), "1.3.6.1.2.1");
  EXPECT_EQ(d.event.varbinds[0].oid, *oid_from_text("1.3.6.1.2.1"));
  EXPECT_EQ(oid_to_text(d.event.varbinds[0].bytes), "0.0");
  EXPECT_EQ(d.event.varbinds[1].number, 5);
  EXPECT_EQ(oid_to_text(d.event.trap_oid), "1.3.6.1.4.1.32473.5.0.1");
}

TEST(Decode, NumbersOfAllSizes) {
  Decoded d;
  const auto vb = [](unsigned tag, std::string_view content) {
    return varbind("1.3.6.1", tlv(tag, hex(content)));
  };
  decoded(d,
          message("00", 0xa4,
                  v1_pdu("06", "01",
                         vb(0x02, "80000000") + vb(0x02, "ff") + vb(0x41, "00ffffffff") +
                             vb(0x42, "ffffffff") + vb(0x46, "00ffffffffffffffff") + vb(0x46, "") +
                             vb(0x02, "0100000005") + vb(0x43, "8839") + vb(0x46, "ff"))));
  ASSERT_EQ(d.event.varbinds.size(), 9U);
  EXPECT_EQ(d.event.varbinds[0].number, INT32_MIN);
  EXPECT_EQ(d.event.varbinds[1].number, -1);
  EXPECT_EQ(d.event.varbinds[2].number, 4294967295);
  EXPECT_EQ(d.event.varbinds[3].number, 4294967295);
  EXPECT_EQ(d.event.varbinds[4].number, -1);
  EXPECT_EQ(d.event.varbinds[5].number, 0);
  EXPECT_EQ(d.event.varbinds[6].number, 5);
  EXPECT_EQ(d.event.varbinds[7].number, 34873);  // the zero octet before it was left out
  EXPECT_EQ(d.event.varbinds[8].number, 255);
}

TEST(Decode, InformIsAnsweredWithTheSameMessage) {
  std::string pdu = v2_pdu();
  pdu[5] = 9;  // an error status, which a request must not have
  const std::string inform = message("01", 0xa6, pdu) + "trailing";
  Decoded d;
  decoded(d, inform);
  EXPECT_TRUE(d.event.inform);
  char buffer[512];
  const std::size_t size = inform_response(inform, buffer);
  EXPECT_EQ(std::string_view(buffer, size), message("01", 0xa2, v2_pdu()));
  EXPECT_EQ(inform_response(inform, std::span(buffer).first(20)), 0U);
  EXPECT_EQ(inform_response(message("01", 0xa7, v2_pdu()), buffer), 0U);
  EXPECT_EQ(inform_response("", buffer), 0U);
}

TEST(Decode, FindsTheCommunityToMaskIt) {
  const std::string packet = message("01", 0xa7, v2_pdu());
  EXPECT_EQ(find_community(packet), "field-team");
  EXPECT_EQ(find_community(packet.substr(0, 12)), "field");
  EXPECT_EQ(find_community("\x30"), "");
  EXPECT_EQ(find_community(tlv(0x30, integer("03") + tlv(0x30, "whatever"))), "");
}

// Fixtures: net-snmp's verdict on real and mutated datagrams. Lines are JSON with packet_hex.

std::string fixtures() {
  if (const char* set = std::getenv("BELFRY_FIXTURES"); set != nullptr) {
    return set;
  }
  for (const char* up : {"/../shared/fixtures", "/../../shared/fixtures"}) {
    if (std::filesystem::exists(std::string(BELFRY_ROOT) + up)) {
      return std::string(BELFRY_ROOT) + up;
    }
  }
  return {};
}
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find("\"" + key + "\": ");
  if (at == std::string::npos) {
    return {};
  }
  const std::size_t from = at + key.size() + 4;
  return line[from] == '"' ? line.substr(from + 1, line.find('"', from + 1) - from - 1)
                           : line.substr(from, line.find_first_of(",}", from) - from);
}

TEST(DecodeFixtures, VerdictsAgreeWithNetSnmp) {
  if (fixtures().empty()) {
    GTEST_SKIP() << "no fixtures: ber/*.jsonl not compared";
  }
  std::size_t lines = 0, differ = 0;
  for (const char* file : {"/ber/real_packets.jsonl", "/ber/mutated_packets.jsonl"}) {
    std::ifstream in(fixtures() + file);
    for (std::string line; std::getline(in, line); ++lines) {
      Decoded d;
      const bool taken = decoded(d, hex(field(line, "packet_hex"))).verdict == Verdict::Ok;
      if (taken != (field(line, "net_snmp_decodes_as_notification") == "true")) {
        ++differ;
        std::cout << "differs: " << field(line, "id") << ", ours: " << name(d.verdict) << "\n";
      }
    }
  }
  EXPECT_GT(lines, 0U);
  EXPECT_LE(differ * 100, lines);
}

TEST(DecodeFixtures, RealTraps) {
  if (fixtures().empty()) {
    GTEST_SKIP() << "no fixtures: traps/trap_cases.jsonl not compared";
  }
  std::ifstream in(fixtures() + "/traps/trap_cases.jsonl");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    Decoded d;
    decoded(d, hex(field(line, "packet_hex")));
    EXPECT_EQ(d.verdict, Verdict::Ok) << field(line, "id");
    EXPECT_EQ("." + oid_to_text(d.event.trap_oid), field(line, "trap_oid")) << field(line, "id");
    EXPECT_EQ(std::to_string(d.event.uptime), field(line, "uptime_ticks")) << field(line, "id");
  }
  EXPECT_GT(lines, 0U);
}

}  // namespace
}  // namespace belfry::snmp
