#include "belfry/model/mib_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "belfry/model/oid.hpp"

namespace belfry {
namespace {

std::string text_of(std::string_view module, std::string_view name) {
  const auto oid = mib_oid(module, name);
  return oid ? oid_to_text(*oid) : "unknown";
}

TEST(MibNames, KnowsNotificationsObjectsAndIdentities) {
  EXPECT_EQ(text_of("IF-MIB", "linkDown"), "1.3.6.1.6.3.1.1.5.3");
  EXPECT_EQ(text_of("", "ifDescr"), "1.3.6.1.2.1.2.2.1.2");
  EXPECT_EQ(text_of("BGP4-MIB", "bgpBackwardTransition"), "1.3.6.1.2.1.15.7.2");
  EXPECT_EQ(text_of("BGP4-MIB", "bgpBackwardTransNotification"), "1.3.6.1.2.1.15.0.2");
  EXPECT_EQ(text_of("UPS-MIB", "upsAlarmOnBattery"), "1.3.6.1.2.1.33.1.6.3.2");
  EXPECT_EQ(text_of("SNMP-COMMUNITY-MIB", "snmpTrapAddress"), "1.3.6.1.6.3.18.1.3");
  EXPECT_EQ(text_of("IF-MIB", "linkDwon"), "unknown");
  EXPECT_EQ(text_of("NO-MIB", "linkDown"), "unknown");
}

TEST(MibNames, NamesTheLongestKnownPrefix) {
  const std::string instance = *oid_from_text("1.3.6.1.2.1.2.2.1.2.66000");
  EXPECT_EQ(mib_name(instance), "ifDescr");
  const auto found = mib_find(instance);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->module, "IF-MIB");
  EXPECT_EQ(oid_to_text(instance.substr(0, found->octets)), "1.3.6.1.2.1.2.2.1.2");
  // ifInUcastPkts is arc 11; an arc of two octets that starts alike is another one.
  EXPECT_EQ(mib_name(*oid_from_text("1.3.6.1.2.1.2.2.1.1400")), "");
  EXPECT_EQ(mib_name(*oid_from_text("1.3.6.1.2.1")), "");
  EXPECT_EQ(mib_name(""), "");
  EXPECT_EQ(mib_name("\xff\xff\xff"), "");
}

TEST(MibNames, AVersion1TrapMayHaveAZeroMore) {
  const auto ups = mib_trap_oids("UPS-MIB", "upsTrapOnBattery");
  ASSERT_EQ(ups.size(), 2U);
  EXPECT_EQ(oid_to_text(ups[0]), "1.3.6.1.2.1.33.2.1");
  EXPECT_EQ(oid_to_text(ups[1]), "1.3.6.1.2.1.33.2.0.1");
  EXPECT_EQ(mib_trap_oids("IF-MIB", "linkUp").size(), 1U);
  EXPECT_EQ(mib_trap_oids("ENTITY-MIB", "entConfigChange").size(), 1U);
  EXPECT_TRUE(mib_trap_oids("", "nothing").empty());
}

TEST(MibNames, BgpNotificationsHaveOldAndNewOids) {
  std::vector<std::string> texts;
  for (const std::string& oid : mib_trap_oids("BGP4-MIB", "bgpBackwardTransition")) {
    texts.push_back(oid_to_text(oid));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"1.3.6.1.2.1.15.7.2", "1.3.6.1.2.1.15.7.0.2",
                                             "1.3.6.1.2.1.15.0.2"}));
  EXPECT_EQ(oid_to_text(mib_trap_oids("", "bgpEstablishedNotification").front()),
            "1.3.6.1.2.1.15.0.1");
}

TEST(MibNames, ListsAreSortedForSearching) {
  const auto names = mib_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_GT(names.size(), 200U);
  const auto modules = mib_modules();
  EXPECT_TRUE(std::binary_search(modules.begin(), modules.end(), std::string_view("IF-MIB")));
  const auto of_if = mib_names("IF-MIB");
  EXPECT_TRUE(std::binary_search(of_if.begin(), of_if.end(), std::string_view("ifAlias")));
  EXPECT_TRUE(mib_names("NO-MIB").empty());
}

}  // namespace
}  // namespace belfry
