#include "belfry/model/inventory.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

constexpr std::uint32_t kDevice = 0, kCircuit = 1, kPort = 2;
constexpr std::uint32_t kBehind = 0, kOver = 1, kPart = 2;

std::shared_ptr<const Schema> schema() {
  auto s = std::make_shared<Schema>();
  s->enums.push_back({"tier", {"corporate", "solution", "premium"}});
  s->tables.push_back(
      {"device", {{"name"}, {"role", Type::String, kNoIndex, false, true}}, {0}, ""});
  s->tables.push_back({"circuit", {{"id"}, {"spans", Type::String, kNoIndex, true}}, {0}, ""});
  s->tables.push_back({"port",
                       {{"node", Type::Row, kDevice}, {"ifname"}, {"circuit", Type::Row, kCircuit}},
                       {0, 1},
                       ""});
  s->relations.push_back({"behind", Type::Row, Type::Row, kDevice, kDevice, true, "uplinks.csv"});
  s->relations.push_back(
      {"over", Type::Row, Type::String, kCircuit, kNoIndex, false, "", kCircuit, 1});
  s->relations.push_back({"part", Type::Row, Type::Row, kPort, kCircuit, false, "", kPort, 2});
  return s;
}

Value device(std::string_view name) { return Value::row(kDevice, name); }
Value text(std::string_view s) { return Value::string(s); }

std::string joined(std::span<const Value> values) {
  std::string out;
  for (const Value& v : values) {
    out += (out.empty() ? "" : " ") + to_text(v);
  }
  return out;
}

std::shared_ptr<const Inventory> built(InventoryBuilder& builder) {
  auto result = builder.build(7);
  EXPECT_TRUE(result.has_value());
  return result.has_value() ? *result : nullptr;
}

TEST(Inventory, FindsRowsByKeyTextAndByValues) {
  InventoryBuilder builder(schema());
  {
    std::string name = "par2-r1";
    const Value cells[]{text(name), text("router")};
    EXPECT_TRUE(builder.add_row(kDevice, cells));
    name = "xxxxxxx";  // the builder has its own copy
  }
  const Value port[]{device("par2-r1"), text("xe-0/0/1"), Value::none()};
  EXPECT_TRUE(builder.add_row(kPort, port));
  const auto inventory = built(builder);
  EXPECT_EQ(inventory->version(), 7U);
  ASSERT_NE(inventory->find(kDevice, "par2-r1"), nullptr);
  EXPECT_EQ(inventory->find(kDevice, "par2-r1")->cells[1].text, "router");
  EXPECT_EQ(inventory->find(kDevice, "par2-r2"), nullptr);
  const Value key[]{device("par2-r1"), text("xe-0/0/1")};
  ASSERT_NE(inventory->find(kPort, key), nullptr);
  EXPECT_EQ(inventory->find(kPort, key)->key, "par2-r1\x1fxe-0/0/1");
  EXPECT_TRUE(inventory->find(kPort, key)->cells[2].is_none());
  EXPECT_EQ(inventory->find(99, "x"), nullptr);
}

TEST(Inventory, SecondRowWithTheSameKeyReplaces) {
  InventoryBuilder builder(schema());
  const Value first[]{text("a"), text("switch")};
  const Value second[]{text("a"), text("router")};
  EXPECT_TRUE(builder.add_row(kDevice, first));
  EXPECT_FALSE(builder.add_row(kDevice, second));
  const auto inventory = built(builder);
  EXPECT_EQ(inventory->row_count(kDevice), 1U);
  EXPECT_EQ(inventory->row(kDevice, 0).cells[1].text, "router");
}

TEST(Inventory, RowsComeInKeyOrder) {
  InventoryBuilder builder(schema());
  for (const char* name : {"c", "a", "b"}) {
    const Value cells[]{text(name)};
    builder.add_row(kDevice, cells);
  }
  const auto inventory = built(builder);
  ASSERT_EQ(inventory->row_count(kDevice), 3U);
  EXPECT_EQ(inventory->row(kDevice, 0).key, "a");
  EXPECT_EQ(inventory->row(kDevice, 2).key, "c");
  EXPECT_EQ(inventory->find(kDevice, "b")->key, "b");
}

TEST(Inventory, RelationsFromColumns) {
  InventoryBuilder builder(schema());
  const Value items[]{text("PAR-LYO"), text("LYO-MRS"), text("PAR-LYO")};
  const ValueSet set{items};
  Value spans;
  spans.type = Type::Set;
  spans.set = &set;
  const Value c1[]{text("c1"), spans};
  const Value c2[]{text("c2"), Value::none()};
  builder.add_row(kCircuit, c1);
  builder.add_row(kCircuit, c2);
  const Value port[]{device("r1"), text("e0"), Value::row(kCircuit, "c1")};
  builder.add_row(kPort, port);
  const auto inventory = built(builder);
  EXPECT_EQ(joined(inventory->forward(kOver, Value::row(kCircuit, "c1"))), "LYO-MRS PAR-LYO");
  EXPECT_EQ(joined(inventory->forward(kOver, Value::row(kCircuit, "c2"))), "");
  EXPECT_EQ(joined(inventory->backward(kOver, text("PAR-LYO"))), "c1");
  EXPECT_TRUE(inventory->related(kOver, Value::row(kCircuit, "c1"), text("LYO-MRS")));
  EXPECT_FALSE(inventory->related(kOver, Value::row(kCircuit, "c2"), text("LYO-MRS")));
  EXPECT_EQ(joined(inventory->backward(kPart, Value::row(kCircuit, "c1"))), "r1, e0");
}

TEST(Inventory, BehindIsDominance) {
  InventoryBuilder builder(schema());
  const auto up = [&](const char* x, const char* y) {
    builder.add_pair(kBehind, device(x), device(y));
  };
  up("h1", "sw8");
  up("h3", "sw8");
  up("h3", "sw9");
  up("sw8", "router");
  up("sw9", "router");
  up("router", "core");
  const auto inventory = built(builder);
  const auto behind = [&](const char* x, const char* y) {
    return inventory->related(kBehind, device(x), device(y));
  };
  EXPECT_TRUE(behind("h1", "sw8"));
  EXPECT_FALSE(behind("h3", "sw8"));  // the other way up does not pass it
  EXPECT_FALSE(behind("h3", "sw9"));
  EXPECT_TRUE(behind("h3", "router"));
  EXPECT_TRUE(behind("h3", "core"));
  EXPECT_FALSE(behind("core", "h3"));
  EXPECT_FALSE(behind("h1", "h1"));
  EXPECT_FALSE(behind("nobody", "core"));
  EXPECT_EQ(joined(inventory->forward(kBehind, device("h1"))), "sw8 router core");
  EXPECT_EQ(joined(inventory->forward(kBehind, device("h3"))), "router core");
  EXPECT_EQ(joined(inventory->backward(kBehind, device("router"))), "h1 h3 sw8 sw9");
}

TEST(Inventory, TwoRootsDominateNothingTogether) {
  InventoryBuilder builder(schema());
  builder.add_pair(kBehind, device("a"), device("core1"));
  builder.add_pair(kBehind, device("a"), device("core2"));
  const auto inventory = built(builder);
  EXPECT_EQ(joined(inventory->forward(kBehind, device("a"))), "");
}

TEST(Inventory, CyclesThatNoRootReachesDominateNothing) {
  InventoryBuilder builder(schema());
  const auto up = [&](const char* x, const char* y) {
    builder.add_pair(kBehind, device(x), device(y));
  };
  up("a", "b");
  up("b", "a");
  up("c", "a");  // only the cycle is above it
  up("ring1", "ring2");
  up("ring2", "ring1");
  up("ring1", "root");
  up("self", "self");
  up("self", "root");
  const auto inventory = built(builder);
  EXPECT_FALSE(inventory->related(kBehind, device("a"), device("b")));
  EXPECT_FALSE(inventory->related(kBehind, device("c"), device("a")));
  EXPECT_EQ(joined(inventory->forward(kBehind, device("ring2"))), "ring1 root");
  EXPECT_EQ(joined(inventory->forward(kBehind, device("ring1"))), "root");
  EXPECT_EQ(joined(inventory->forward(kBehind, device("self"))), "root");
}

TEST(Inventory, DeepChainsDoNotRecurseAndAbsurdOnesAreRefused) {
  const auto chain = [](int length) {
    InventoryBuilder builder(schema());
    for (int i = 0; i < length; ++i) {
      builder.add_pair(kBehind, device("n" + std::to_string(i)),
                       device("n" + std::to_string(i + 1)));
    }
    return builder.build(1);
  };
  const auto fits = chain(1000);
  ASSERT_TRUE(fits.has_value());
  EXPECT_TRUE((*fits)->related(kBehind, device("n0"), device("n1000")));
  EXPECT_EQ((*fits)->forward(kBehind, device("n0")).size(), 1000U);
  const auto refused = chain(100'000);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().what.find("'behind' is too deep"), std::string::npos);
}

TEST(Inventory, CopyFromTakesRowsAndPairs) {
  InventoryBuilder base_builder(schema());
  const Value row[]{text("a"), text("switch")};
  base_builder.add_row(kDevice, row);
  base_builder.add_pair(kBehind, device("a"), device("b"));
  const auto base = built(base_builder);
  InventoryBuilder builder(schema());
  builder.copy_from(*base);
  builder.add_pair(kBehind, device("b"), device("c"));
  const auto inventory = built(builder);
  EXPECT_NE(inventory->find(kDevice, "a"), nullptr);
  EXPECT_EQ(joined(inventory->forward(kBehind, device("a"))), "b c");
}

TEST(Schema, FindsByName) {
  const auto s = schema();
  EXPECT_EQ(s->find_table("port"), kPort);
  EXPECT_EQ(s->find_enum("tier"), 0U);
  EXPECT_EQ(s->find_relation("over"), kOver);
  EXPECT_EQ(s->find_table("nothing"), kNoIndex);
}

}  // namespace
}  // namespace belfry
