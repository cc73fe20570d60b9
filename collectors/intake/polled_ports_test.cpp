#include "belfry/intake/polled_ports.hpp"

#include <gtest/gtest.h>

#include "belfry/model/oid.hpp"
#include "naming.hpp"

namespace belfry {
namespace {

TEST(PolledPorts, AViewNeverChanges) {
  PolledPorts ports;
  ports.set("r1", {{5, "Gi0/5", "GigabitEthernet0/5", ""}, {3, "Gi0/3", "", ""}});
  EXPECT_EQ(ports.view()->find("r1", 3), nullptr);  // not published yet
  EXPECT_TRUE(ports.publish());
  const auto before = ports.view();
  ASSERT_NE(before->find("r1", 3), nullptr);
  EXPECT_EQ(before->find("r1", 5)->name, "Gi0/5");
  EXPECT_EQ(before->find("r1", 4), nullptr);
  EXPECT_EQ(before->find("r2", 3), nullptr);
  ports.set("r1", {{5, "Gi0/5", "GigabitEthernet0/5", ""}, {3, "Gi0/3", "", ""}});
  EXPECT_FALSE(ports.publish());  // the same
  ports.set("r2", {{1, "lo", "", ""}});
  ports.retain([](const std::string& node) { return node == "r2"; });
  EXPECT_TRUE(ports.publish());
  EXPECT_EQ(ports.version(), 2U);
  EXPECT_EQ(ports.view()->find("r1", 3), nullptr);
  EXPECT_NE(before->find("r1", 3), nullptr);
}

TEST(PolledPorts, NameATrapThatHasOnlyItsIndex) {
  PolledPorts ports;
  ports.set("r1", {{7, "xe-0/0/7", "", ""}, {8, "", "Ethernet 8", ""}});
  ports.publish();
  const auto view = ports.view();
  const intake::Naming naming(nullptr);
  Arena arena;
  const std::string octets = *oid_from_text("1.3.6.1.2.1.2.2.1.1.7");
  const auto named = [&](std::string_view node, std::int64_t index) {
    Varbind v{octets, VarType::Integer, {}, index};
    Event e;
    e.kind = EventKind::Trap;
    e.node = node;
    e.varbinds = {&v, 1};
    intake::name_port(naming, e, view.get(), &arena);
    return std::string(e.ifname);
  };
  EXPECT_EQ(named("r1", 7), "xe-0/0/7");
  EXPECT_EQ(named("r1", 8), "Ethernet 8");
  EXPECT_EQ(named("r1", 9), "");
  EXPECT_EQ(named("r2", 7), "");
}

}  // namespace
}  // namespace belfry
