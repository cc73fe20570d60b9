#include "belfry/intake/intake.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <map>
#include <string>
#include <vector>

#include "../../tests/support/fake_port.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {
namespace {

using testing::FakePort;

/// Devices r1 (10.0.0.1, 10.0.0.11) and r2 (2001:db8::2); port r1 ge-0/0/1, ifindex 7, alias Gi0/1.
std::shared_ptr<const Versions> network(std::uint64_t version = 1) {
  auto schema = std::make_shared<Schema>();
  TableSchema device{"device", {}, {0}, ""};
  device.columns = {{"name", Type::String},
                    {"ip", Type::Ip, kNoIndex, false, true},
                    {"ips", Type::Ip, kNoIndex, true, true}};
  TableSchema port{"port", {}, {0, 1}, ""};
  port.columns = {{"node", Type::Row, 0},
                  {"ifname", Type::String},
                  {"ifindex", Type::Int, kNoIndex, false, true},
                  {"aliases", Type::String, kNoIndex, true, true}};
  schema->tables = {device, port};
  auto program = std::make_shared<rules::Program>();
  program->schema = schema;
  program->node_table = 0;
  program->port_table = 1;
  program->version = version;

  InventoryBuilder builder(schema);
  const std::vector<Value> more{[] {
    Value v = Value::string("10.0.0.11");
    v.type = Type::Ip;
    return v;
  }()};
  const ValueSet more_set{more};
  Value ips;
  ips.type = Type::Set;
  ips.set = &more_set;
  Value ip = Value::string("10.0.0.1"), ip6 = Value::string("2001:db8::2");
  ip.type = ip6.type = Type::Ip;
  builder.add_row(0, std::vector<Value>{Value::string("r1"), ip, ips});
  builder.add_row(0, std::vector<Value>{Value::string("r2"), ip6, Value::none()});
  const std::vector<Value> alias{Value::string("Gi0/1")};
  const ValueSet alias_set{alias};
  Value aliases;
  aliases.type = Type::Set;
  aliases.set = &alias_set;
  builder.add_row(1, std::vector<Value>{Value::row(0, "r1"), Value::string("ge-0/0/1"),
                                        Value::integer(7), aliases});
  auto inventory = builder.build(version);
  EXPECT_TRUE(inventory.has_value());
  auto versions = std::make_shared<Versions>();
  versions->program = program;
  versions->inventory = *inventory;
  versions->number = version;
  return versions;
}

sockaddr_in address(const char* text) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  inet_pton(AF_INET, text, &out.sin_addr);
  return out;
}

class IntakeTest : public ::testing::Test {
 protected:
  FakePort port{"syslog-udp"};
  ManualClock clock;
  Ledger ledger;
  Metrics metrics;

  IntakeTest() { port.set_versions(network()); }
  Intake make(IntakeOptions options = {}) {
    return {port, clock, ledger, metrics, std::move(options)};
  }

  static Event& add(Intake& intake, const char* from, std::string_view raw = "text") {
    const sockaddr_in peer = address(from);
    const std::string_view source = intake.source(reinterpret_cast<const sockaddr*>(&peer));
    Event& e = intake.begin();
    e.from = source;
    e.raw = intake.arena().copy(raw);
    e.message = e.raw;
    return e;
  }
  std::map<std::string, std::uint64_t> counts() const {
    std::map<std::string, std::uint64_t> out;
    for (const LedgerRow& row : ledger.rows()) {
      out[row.source + " " + row.reason] += row.count;
    }
    return out;
  }
  std::uint64_t sum(std::string_view reason) const {
    std::uint64_t n = 0;
    for (const LedgerRow& row : ledger.rows()) {
      n += row.reason == reason ? row.count : 0;
    }
    return n;
  }
};

TEST_F(IntakeTest, NamesTheNodeByItsSourceAddress) {
  Intake intake = make();
  for (const char* from : {"10.0.0.1", "10.0.0.11", "10.9.9.9"}) {
    Event& e = add(intake, from);
    e.host = "somebody-else";  // believed from relays only
    intake.commit();
  }
  ASSERT_TRUE(intake.finish());
  const auto batches = port.take_all();
  ASSERT_EQ(batches.size(), 1U);
  const std::vector<Event>& events = batches[0]->events;
  EXPECT_EQ(events[0].node, "r1");
  EXPECT_EQ(events[1].node, "r1");
  EXPECT_EQ(events[2].node, "10.9.9.9");
  EXPECT_EQ(events[2].via, "");
  EXPECT_EQ(batches[0]->program_version, 1U);
  EXPECT_EQ(batches[0]->inventory_version, 1U);
  ASSERT_EQ(intake.seen().size(), 1U);
  EXPECT_EQ(intake.seen()[0].node, "10.9.9.9");
}

TEST_F(IntakeTest, BelievesRelays) {
  Intake intake = make({.relays = {"10.2.0.0/16"}});
  const std::vector<std::string_view> hosts{"r2.example.net", "10.0.0.1", "unknown-box",
                                            "localhost", ""};
  for (const std::string_view host : hosts) {
    Event& e = add(intake, "10.2.3.4");
    e.host = host;
    intake.commit();
  }
  Event& trap = add(intake, "10.2.3.4");
  trap.kind = EventKind::Trap;
  trap.agent = "2001:db8::2";
  intake.commit();
  ASSERT_TRUE(intake.finish());
  const auto batches = port.take_all();
  std::string nodes;
  for (const Event& e : batches[0]->events) {
    nodes += std::string(e.node) + "/" + std::string(e.via) + " ";
  }
  EXPECT_EQ(nodes, "r2/10.2.3.4 r1/10.2.3.4 unknown-box/10.2.3.4 10.2.3.4/ 10.2.3.4/ r2/10.2.3.4 ");
}

TEST_F(IntakeTest, NamesThePort) {
  Intake intake = make();
  const std::string index = *oid_from_text("1.3.6.1.2.1.2.2.1.1.7"),
                    descr = *oid_from_text("1.3.6.1.2.1.2.2.1.2.9"),
                    status = *oid_from_text("1.3.6.1.2.1.2.2.1.8.7");
  const std::vector<Varbind> by_index{{index, VarType::Integer, {}, 7}};
  const std::vector<Varbind> by_instance{{status, VarType::Integer, {}, 2}};
  const std::vector<Varbind> by_alias{{descr, VarType::OctetString, "Gi0/1", 0}};
  const std::vector<Varbind> unknown{{descr, VarType::OctetString, "Te9/9", 0}};
  for (const auto* varbinds : {&by_index, &by_instance, &by_alias, &unknown}) {
    Event& e = add(intake, "10.0.0.1");
    e.kind = EventKind::Trap;
    e.varbinds = *varbinds;
    intake.commit();
  }
  Event& e = add(intake, "10.0.0.1", "%LINK-3-UPDOWN: Interface Gi0/1, changed state to down");
  e.vendor = "cisco";
  intake.commit();
  ASSERT_TRUE(intake.finish());
  const auto batches = port.take_all();
  std::string names;
  for (const Event& event : batches[0]->events) {
    names += std::string(event.ifname) + " ";
  }
  EXPECT_EQ(names, "ge-0/0/1 ge-0/0/1 ge-0/0/1 Te9/9 ge-0/0/1 ");
}

TEST_F(IntakeTest, FlushesWhenFullAgedOrDrainedAndIdle) {
  Intake intake = make();
  port.fold_idle = false;
  add(intake, "10.0.0.1");
  intake.commit();
  EXPECT_TRUE(intake.try_flush(true));
  EXPECT_EQ(port.events(), 0U);  // the fold is busy: let the batch grow
  clock.advance(kBatchAgeMax);
  EXPECT_TRUE(intake.try_flush(true));
  EXPECT_EQ(port.events(), 1U);
  port.fold_idle = true;
  add(intake, "10.0.0.1");
  intake.commit();
  EXPECT_TRUE(intake.try_flush(true));
  EXPECT_EQ(port.events(), 2U);
  while (!intake.must_flush()) {
    add(intake, "10.0.0.1");
    intake.commit();
  }
  EXPECT_EQ(intake.pending(), kBatchEventsMax);
  EXPECT_TRUE(intake.try_flush(false));
  EXPECT_EQ(port.events(), 2U + kBatchEventsMax);
}

TEST_F(IntakeTest, SwapsVersionsBetweenBatches) {
  Intake intake = make();
  add(intake, "10.0.0.1");
  intake.commit();
  port.set_versions(network(2));
  EXPECT_TRUE(intake.try_flush(false));  // due, because a newer version waits
  add(intake, "10.0.0.1");
  intake.commit();
  ASSERT_TRUE(intake.finish());
  const auto batches = port.take_all();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0]->program_version, 1U);
  EXPECT_EQ(batches[1]->program_version, 2U);
}

TEST_F(IntakeTest, ShowsTheMarkerWhileIdle) {
  Intake intake = make();
  EXPECT_TRUE(intake.try_flush(true));
  const unsigned before = port.versions_taken;
  port.set_versions(network(2));
  EXPECT_TRUE(intake.try_flush(true));
  EXPECT_EQ(port.versions_taken, before + 1);
}

TEST_F(IntakeTest, TheLoudestSourcePaysWhenTheRingIsFull) {
  Intake intake = make();
  port.set_capacity(0);
  std::uint64_t sent = 0;
  for (int round = 0; round < 5000; ++round) {
    for (const char* from : {"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.9.9.9"}) {
      if (from[3] == '9' && round % 50 != 0) {
        continue;  // the quiet one sends 100 messages, the loud one 20,000
      }
      while (intake.must_flush() && !intake.try_flush(false)) {
        intake.shed();
      }
      add(intake, from, "message number " + std::to_string(sent++));
      intake.commit();
    }
  }
  port.set_capacity(10);
  ASSERT_TRUE(intake.finish());
  std::map<std::string, std::uint64_t> stored;
  for (const auto& batch : port.take_all()) {
    for (const Event& e : batch->events) {
      ++stored[std::string(e.from)];
      EXPECT_TRUE(e.message.starts_with("message number "));  // survivors were moved whole
      EXPECT_EQ(e.message.data(), e.raw.data());
    }
  }
  EXPECT_EQ(stored["10.9.9.9"], 100U);
  EXPECT_GT(stored["10.0.0.1"], 700U);
  const auto ledger_counts = counts();
  EXPECT_EQ(ledger_counts.count("10.9.9.9 ring-full"), 0U);
  EXPECT_EQ(sum("received"), sent);
  EXPECT_EQ(sum("received"), sum("stored") + sum("ring-full"));
}

TEST_F(IntakeTest, LedgerIsExactWithRefusalsAndLosses) {
  Intake intake = make({.sources_max = 4});
  for (int i = 0; i < 300; ++i) {
    const std::string from = "10.1.0." + std::to_string(i % 100);
    add(intake, from.c_str());
    if (i % 3 == 0) {
      intake.drop();
      intake.refuse(from, "bad-tag", "\x30\x80");
    } else {
      intake.commit();
    }
    clock.advance(std::chrono::milliseconds(1));
    intake.try_flush(false);
  }
  intake.lost({}, "socket-overflow", 12);
  ASSERT_TRUE(intake.finish());
  EXPECT_EQ(sum("received"), 312U);
  EXPECT_EQ(sum("stored"), 200U);
  EXPECT_EQ(sum("bad-tag"), 100U);
  EXPECT_EQ(sum("socket-overflow"), 12U);
  EXPECT_EQ(ledger.refused(), 112U);
  EXPECT_FALSE(ledger.samples().empty());
}

TEST_F(IntakeTest, FullOfRefusedBytesGoesOn) {
  Intake intake = make();
  const std::string big(60'000, 'x');
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(!intake.must_flush() || intake.try_flush(false));
    ASSERT_FALSE(intake.must_flush());
    const std::string_view bytes = intake.arena().copy(big);
    intake.refuse("10.0.0.1", "truncated", bytes);
  }
}

TEST_F(IntakeTest, UnknownNodesAreBounded) {
  Intake intake = make({.unknown_nodes_max = 10});
  for (int i = 0; i < 50; ++i) {
    const std::string from = "10.7.0." + std::to_string(i);
    add(intake, from.c_str());
    intake.commit();
  }
  ASSERT_TRUE(intake.finish());
  const auto seen = intake.seen();
  ASSERT_EQ(seen.size(), 10U);
  EXPECT_EQ(seen[0].node, "10.7.0.49");
}

}  // namespace
}  // namespace belfry
