#include "belfry/snmp/text.hpp"

#include <gtest/gtest.h>

#include "packets.hpp"

namespace belfry::snmp {
namespace {

using namespace test;

Varbind of(VarType type, std::string_view bytes, std::int64_t number = 0) {
  Varbind v;
  v.type = type;
  v.bytes = bytes;
  v.number = number;
  return v;
}

TEST(Text, OctetsAreTextOnlyWhenTheyAre) {
  EXPECT_EQ(type_word(of(VarType::OctetString, "Bureau d'études, 2e étage")), "string");
  EXPECT_EQ(type_word(of(VarType::OctetString, "")), "string");
  EXPECT_EQ(type_word(of(VarType::OctetString, std::string_view("\x07\xe2\x0c", 3))), "hex");
  EXPECT_EQ(value_text(of(VarType::OctetString, std::string_view("\x07\xe2\x0c", 3))), "07e20c");
  EXPECT_EQ(type_word(of(VarType::OctetString, "\xc3\x28")), "hex");
}

TEST(Text, Values) {
  EXPECT_EQ(value_text(of(VarType::IpAddress, "\x0a\x63\x01\xff")), "10.99.1.255");
  EXPECT_EQ(value_text(of(VarType::Counter64, {}, -1)), "18446744073709551615");
  EXPECT_EQ(value_text(of(VarType::Integer, {}, -2)), "-2");
  EXPECT_EQ(value_text(of(VarType::ObjectId, "\x2b\x06\x01")), "1.3.6.1");
  const std::string wrapped_float = hex("9f780440600000"),
                    wrapped_double = hex("9f7908c002000000000000");
  EXPECT_EQ(type_word(of(VarType::Opaque, wrapped_float)), "float");
  EXPECT_EQ(value_text(of(VarType::Opaque, wrapped_float)), "3.5");
  EXPECT_EQ(value_text(of(VarType::Opaque, wrapped_double)), "-2.25");
  EXPECT_EQ(value_text(of(VarType::Opaque, "\x9f\x7a\x01\xff")), "-1");
  EXPECT_EQ(value_text(of(VarType::Opaque, "\x9f\x78")), "9f78");
}

TEST(Text, OneJsonObjectPerDatagram) {
  Arena arena;
  Event event;
  const std::string packet = message("01", 0xa7, v2_pdu());
  Verdict verdict = decode(packet, arena, event);
  EXPECT_EQ(
      trap_json(event, verdict),
      R"({"notification":true,"version":"v2c","community":"field-team","inform":false,)"
      R"("trap_oid":"1.3.6.1.6.3.1.1.5.3","trap_name":"linkDown","uptime":372284,"varbinds":[)"
      R"({"oid":"1.3.6.1.2.1.2.2.1.1.7","name":"ifIndex.7","type":"integer","value":7},)"
      R"({"oid":"1.3.6.1.2.1.2.2.1.2.7","name":"ifDescr.7","type":"string","value":"et-0/0/7"}]})");
  verdict = decode("hello", arena, event);
  EXPECT_EQ(trap_json(event, verdict), R"({"notification":false,"refused":"truncated"})");
}

TEST(Text, TheWayBack) {
  Arena arena;
  const auto text = varbind_from_text("1.3.6.1.2.1.2.2.1.2.7", "string", "et-0/0/7", arena);
  ASSERT_TRUE(text);
  EXPECT_EQ(value_text(*text), "et-0/0/7");
  EXPECT_EQ(oid_to_text(text->oid), "1.3.6.1.2.1.2.2.1.2.7");
  const auto guessed = varbind_from_text(".1.3.6.1", "", "-129", arena);
  ASSERT_TRUE(guessed);
  EXPECT_EQ(guessed->type, VarType::Integer);
  EXPECT_EQ(guessed->number, -129);
  EXPECT_EQ(guessed->bytes, std::string_view("\xff\x7f", 2));
  EXPECT_EQ(varbind_from_text("1.3.6.1", "integer", "128", arena)->bytes,
            std::string_view("\x00\x80", 2));
  EXPECT_EQ(varbind_from_text("1.3.6.1", "counter64", "18446744073709551615", arena)->number, -1);
  EXPECT_EQ(varbind_from_text("1.3.6.1", "hex", "00 ff", arena)->bytes,
            std::string_view("\x00\xff", 2));
  EXPECT_EQ(value_text(*varbind_from_text("1.3.6.1", "ip", "10.99.1.255", arena)), "10.99.1.255");
  for (const auto& [type, value] : {std::pair("float", "-3.5"), std::pair("double", "2.25"),
                                    std::pair("integer64", "-9223372036854775807"),
                                    std::pair("unsigned64", "18446744073709551615")}) {
    const auto wrapped = varbind_from_text("1.3.6.1", type, value, arena);
    ASSERT_TRUE(wrapped) << type;
    EXPECT_EQ(type_word(*wrapped), type);
    EXPECT_EQ(value_text(*wrapped), value);
  }
  EXPECT_FALSE(varbind_from_text("1.3.6.1", "float", "warm", arena));
  EXPECT_FALSE(varbind_from_text("1.3.6.1", "ip", "10.99.1", arena));
  EXPECT_FALSE(varbind_from_text("1.3.6.1", "gauge32", "-1", arena));
  EXPECT_FALSE(varbind_from_text("1.3.6.1", "counter64", "18446744073709551616", arena));
  EXPECT_FALSE(varbind_from_text("not an oid", "", "1", arena));
  EXPECT_FALSE(varbind_from_text("1.3.6.1", "sausage", "1", arena));
}

}  // namespace
}  // namespace belfry::snmp
