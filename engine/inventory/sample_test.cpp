// The sample network that ships (config/inventory) loads without a word, and is fit for a drill: it
// has fibres that carry enough circuits to be cut, and addresses one machine can speak from.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "belfry/inventory/load.hpp"

namespace belfry {
namespace {

enum Table : std::uint32_t { kSite, kDevice, kCustomer, kCircuit, kPort, kSession };

std::shared_ptr<const Schema> schema() {
  auto s = std::make_shared<Schema>();
  s->enums.push_back({"tier", {"corporate", "solution", "premium"}});
  const auto column = [](const char* name, Type type = Type::String, std::uint32_t of = kNoIndex) {
    return ColumnSchema{name, type, of, false, false};
  };
  const auto set = [](const char* name, Type type) {
    return ColumnSchema{name, type, kNoIndex, true, false};
  };
  const auto maybe = [](ColumnSchema c) {
    c.optional = true;
    return c;
  };
  s->tables = {
      {"site", {column("name"), column("room_limit", Type::Float)}, {0}, "inventory/sites.csv"},
      {"device",
       {column("name"), column("ip", Type::Ip), set("ips", Type::Ip),
        column("site", Type::Row, kSite), column("role"), maybe(column("pool")),
        column("tier", Type::Enum, 0)},
       {0},
       "inventory/devices.csv"},
      {"customer",
       {column("id"), column("name"), column("tier", Type::Enum, 0), column("manager")},
       {0},
       "inventory/customers.csv"},
      {"circuit",
       {column("id"), column("carrier"), column("ref"), set("spans", Type::String),
        column("customer", Type::Row, kCustomer)},
       {0},
       "inventory/circuits.csv"},
      {"port",
       {column("node", Type::Row, kDevice), column("ifname"), column("ifindex", Type::Int),
        set("aliases", Type::String), maybe(column("circuit", Type::Row, kCircuit))},
       {0, 1},
       "inventory/ports.csv"},
      {"session",
       {column("node", Type::Row, kDevice), column("peer", Type::Ip), column("name"),
        column("ifname"), maybe(column("customer", Type::Row, kCustomer))},
       {0, 1},
       "inventory/bgp.csv"},
  };
  s->relations = {
      {"behind", Type::Row, Type::Row, kDevice, kDevice, true, "inventory/uplinks.csv"},
      {"over", Type::Row, Type::String, kCircuit, kNoIndex, false, "", kCircuit, 3},
      {"serves", Type::Row, Type::Row, kDevice, kCustomer, false, "inventory/services.csv"}};
  return s;
}

std::shared_ptr<const Inventory> sample() {
  const auto files = read_inventory(std::string(BELFRY_ROOT) + "/config/inventory");
  EXPECT_TRUE(files);
  const LoadedInventory loaded = load_inventory(schema(), *files, 1);
  for (const auto* list : {&loaded.errors, &loaded.warnings}) {
    for (const InventoryError& error : *list) {
      ADD_FAILURE() << to_text(error);
    }
  }
  return loaded.inventory;
}

TEST(Sample, LoadsAndHasItsSize) {
  const auto in = sample();
  ASSERT_TRUE(in);
  EXPECT_EQ(in->row_count(kSite), 15U);
  EXPECT_EQ(in->row_count(kCircuit), 40U);
  EXPECT_GE(in->row_count(kDevice), 60U);
  EXPECT_GE(in->row_count(kPort), 150U);
  EXPECT_GE(in->row_count(kCustomer), 13U);
}

TEST(Sample, EveryDeviceSpeaksFromALoopbackAddressOfItsOwn) {
  const auto in = sample();
  ASSERT_TRUE(in);
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < in->row_count(kDevice); ++i) {
    const Row& device = in->row(kDevice, i);
    EXPECT_TRUE(device.cells[1].text.starts_with("127.1.")) << device.key;
    EXPECT_TRUE(seen.insert(device.cells[1].text).second) << device.key;
  }
}

TEST(Sample, CircuitsHaveTwoEndsAndFibresCarryEnoughOfThem) {
  const auto in = sample();
  ASSERT_TRUE(in);
  std::map<std::string_view, int> ends;
  std::set<std::pair<std::string_view, std::int64_t>> indexes;
  for (std::size_t i = 0; i < in->row_count(kPort); ++i) {
    const Row& port = in->row(kPort, i);
    EXPECT_TRUE(indexes.insert({port.cells[0].text, port.cells[2].i}).second) << port.key;
    if (!port.cells[4].is_none()) {
      ++ends[port.cells[4].text];
    }
  }
  std::map<std::string_view, int> over;
  for (std::size_t i = 0; i < in->row_count(kCircuit); ++i) {
    const Row& circuit = in->row(kCircuit, i);
    EXPECT_EQ(ends[circuit.key], 2) << circuit.key;
    for (const Value& span : circuit.cells[3].items()) {
      ++over[span.text];
    }
  }
  EXPECT_GE(over["PAR1-AUX"], 5);
  EXPECT_GE(over["LYO1-VAL"], 5);
  EXPECT_GE(over["AMS1-ARN"], 5);
}

TEST(Sample, SessionsRunOverPortsThatExist) {
  const auto in = sample();
  ASSERT_TRUE(in);
  for (std::size_t i = 0; i < in->row_count(kSession); ++i) {
    const Row& session = in->row(kSession, i);
    const Value key[]{session.cells[0], session.cells[3]};
    EXPECT_NE(in->find(kPort, key), nullptr) << session.key;
  }
}

TEST(Sample, HostsAreBehindTheirSwitch) {
  const auto in = sample();
  ASSERT_TRUE(in);
  const auto device = [](const char* name) { return Value::row(kDevice, name); };
  EXPECT_TRUE(in->related(0, device("par1-web1"), device("par1-sw1")));
  EXPECT_FALSE(in->related(0, device("par1-web1"), device("par1-r1")));  // par1-r2 is another way
  EXPECT_TRUE(in->related(0, device("zrh1-web1"), device("zrh1-r1")));
}

}  // namespace
}  // namespace belfry
