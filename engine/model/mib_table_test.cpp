#include "belfry/model/mib_table.hpp"

#include <gtest/gtest.h>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"

namespace belfry {
namespace {

constexpr std::string_view kText =
    "belfry-mibs 1\n"
    "N\tACME-MIB\tacmeTrapOverheat\t1.3.6.1.4.1.32473.1.2\tnotification\t\t\t\n"
    "N\tACME-MIB\tacmeState\t1.3.6.1.4.1.32473.2.1\tobject\tAcmeState\t\tup=1,down=2,half-up=-3\n"
    "N\tACME-MIB\tacmeFlags\t1.3.6.1.4.1.32473.2.2\tobject\t\t\tfan=0,power=1,door=9\n"
    "N\tACME-MIB\tacmeWhen\t1.3.6.1.4.1.32473.2.3\tobject\tDateAndTime\t"
    "2d-1d-1d,1d:1d:1d.1d,1a1d:1d\t\n"
    "N\tACME-MIB\tacmeTemperature\t1.3.6.1.4.1.32473.2.4\tobject\tTenths\td-1\t\n"
    "N\tACME-MIB\tacmeRouters\t1.3.6.1.4.1.32473.9\tother\t\t\t\n"
    "end 6\n";

std::shared_ptr<const MibTable> table(std::string_view text = kText) {
  auto parsed = MibTable::parse(std::string(text));
  EXPECT_TRUE(parsed) << parsed.error().what;
  return parsed ? *parsed : MibTable::built_in();
}

Varbind varbind(const std::string& oid, VarType type, std::string_view bytes,
                std::int64_t number = 0) {
  return {oid, type, bytes, number};
}

TEST(MibTable, NamesBothItsOwnAndTheBuiltIn) {
  const auto mibs = table();
  EXPECT_EQ(mibs->size(), 6U);
  EXPECT_EQ(mibs->modules(), 1U);
  EXPECT_EQ(mibs->named(*oid_from_text("1.3.6.1.4.1.32473.9")), "acmeRouters");
  EXPECT_EQ(mibs->named(*oid_from_text("1.3.6.1.4.1.32473.9.1")), "");
  EXPECT_EQ(mibs->named(*oid_from_text("1.3.6.1.4.1.32473.2.1.7.300")), "acmeState.7.300");
  EXPECT_EQ(mibs->named(*oid_from_text("1.3.6.1.2.1.2.2.1.2.3")), "ifDescr.3");
  EXPECT_EQ(mibs->named(*oid_from_text("1.3.6.1.4.1.9999")), "");
  EXPECT_EQ(oid_to_text(*mibs->oid("ACME-MIB", "acmeState")), "1.3.6.1.4.1.32473.2.1");
  EXPECT_EQ(oid_to_text(*mibs->oid("", "ifAlias")), "1.3.6.1.2.1.31.1.1.1.18");
  EXPECT_FALSE(mibs->oid("OTHER-MIB", "acmeState"));
  EXPECT_EQ(mibs->trap_oids("ACME-MIB", "acmeTrapOverheat").size(), 2U);  // and its v1 form
  EXPECT_EQ(mibs->names("ACME-MIB").size(), 6U);
}

TEST(MibTable, ShowsEnumsBitsAndHints) {
  const auto mibs = table();
  const std::string state = *oid_from_text("1.3.6.1.4.1.32473.2.1.7");
  EXPECT_EQ(mibs->shown(varbind(state, VarType::Integer, "", 2)), "down");
  EXPECT_EQ(mibs->shown(varbind(state, VarType::Integer, "", -3)), "half-up");
  EXPECT_EQ(mibs->shown(varbind(state, VarType::Integer, "", 9)), "");
  const std::string flags = *oid_from_text("1.3.6.1.4.1.32473.2.2.0");
  EXPECT_EQ(mibs->shown(varbind(flags, VarType::OctetString, "\xe0\x40")), "fan,power,2,door");
  const std::string when = *oid_from_text("1.3.6.1.4.1.32473.2.3.0");
  const std::string stamp = *from_hex("07ea0b190d050a002b0100");
  EXPECT_EQ(mibs->shown(varbind(when, VarType::OctetString, stamp)), "2026-11-25,13:5:10.0,+1:0");
  const std::string temperature = *oid_from_text("1.3.6.1.4.1.32473.2.4.0");
  EXPECT_EQ(mibs->shown(varbind(temperature, VarType::Integer, "", -405)), "-40.5");
  const std::string trap = *oid_from_text("1.3.6.1.4.1.32473.1.2");
  EXPECT_EQ(mibs->shown(varbind(flags, VarType::ObjectId, trap)), "acmeTrapOverheat");
}

TEST(MibTable, BelievesNoLineThatDoesNotFit) {
  for (const std::string_view bad :
       {"", "belfry-mibs 2\nend 0\n", "belfry-mibs 1\n", "belfry-mibs 1\nend 1\n",
        "belfry-mibs 1\nend 0\nmore\n", "belfry-mibs 1\nN\tA\tb\t1.3\tobject\t\t\nend 1\n",
        "belfry-mibs 1\nN\tA\tb\t1.3.x\tobject\t\t\t\nend 1\n",
        "belfry-mibs 1\nN\tA\tb c\t1.3.6\tobject\t\t\t\nend 1\n",
        "belfry-mibs 1\nN\tA\tb\t1.3.6\tobject\t\t\tup\nend 1\n",
        "belfry-mibs 1\nX\tA\tb\t1.3.6\tobject\t\t\t\nend 1\n",
        "belfry-mibs 1\nN\tA\tb\t1.3.6\tobject\t\t\t\t\nend 1\n"}) {
    EXPECT_FALSE(MibTable::parse(std::string(bad))) << bad;
  }
}

TEST(MibTable, IsSwappedWhole) {
  const auto before = MibTable::current();
  MibTable::set_current(table());
  EXPECT_EQ(MibTable::current()->size(), 6U);
  MibTable::set_current(before);
}

TEST(DisplayHint, FormatsAsTheRfcSays) {
  EXPECT_EQ(apply_hint("1x:", *from_hex("02005e100001")), "02:00:5e:10:00:01");
  EXPECT_EQ(apply_hint("1d.1d.1d.1d", *from_hex("0a000001")), "10.0.0.1");
  EXPECT_EQ(apply_hint("255a", "some text\n"), "some text\\n");
  EXPECT_EQ(apply_hint("*1x:/1x:", *from_hex("03aabbcc0a0b")), "aa:bb:cc/0a:0b");
  EXPECT_EQ(apply_hint("2x", *from_hex("0102030405")), "0102030405");
  EXPECT_EQ(apply_hint("1o", std::string_view("\x09", 1)), "11");
  for (const std::string_view bad : {"", "x", "1", "0a", "1z", "9d", "*", "*a"}) {
    EXPECT_EQ(apply_hint(bad, "123456789"), "") << bad;
  }
  EXPECT_LE(apply_hint("1d,", std::string(60'000, 'x')).size(), 4096U + 8);
  EXPECT_EQ(apply_hint("d-2", 5), "0.05");
  EXPECT_EQ(apply_hint("d-2", 12345), "123.45");
  EXPECT_EQ(apply_hint("x", 255), "ff");
  EXPECT_EQ(apply_hint("d", 255), "");
}

}  // namespace
}  // namespace belfry
