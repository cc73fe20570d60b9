#include "belfry/snmp/collector.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "../../tests/support/fake_port.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/snmp/sealer.hpp"
#include "belfry/snmp/usm.hpp"
#include "informs.hpp"
#include "packets.hpp"

namespace belfry::snmp {
namespace {

using namespace test;

/// An agent: a UDP socket on an address of its own in 127/8.
class Agent {
 public:
  explicit Agent(std::uint16_t port, const char* address = "127.0.0.1")
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{}, to{};
    own.sin_family = to.sin_family = AF_INET;
    inet_pton(AF_INET, address, &own.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons(port);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Agent() { ::close(fd_); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string receive(int flags = 0) const {
    std::string out(2048, '\0');
    const auto got = ::recv(fd_, out.data(), out.size(), flags);
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }

 private:
  int fd_;
};

struct World {
  explicit World(TrapOptions options = {}) {
    options.port = 0;
    collector =
        std::make_unique<TrapUdp>(options, std::vector<Port*>{&port}, clock, ledger, metrics);
    const auto started = collector->start();
    EXPECT_TRUE(started) << started.error().what;
  }
  /// Counts by reason, once the collector has stopped.
  std::map<std::string, std::uint64_t> counts() {
    std::map<std::string, std::uint64_t> out;
    for (const LedgerRow& row : ledger.rows()) {
      out[row.reason] += row.count;
    }
    return out;
  }
  bool wait_events(std::uint64_t n) const {
    const std::int64_t until = SystemClock().boot_ns() + 10'000'000'000;
    while (port.events() < n && SystemClock().boot_ns() < until) {
      std::this_thread::yield();
    }
    return port.events() >= n;
  }
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  belfry::testing::FakePort port{"trap-udp"};
  std::unique_ptr<TrapUdp> collector;
};

TEST(TrapUdp, TrapsBecomeEventsOfTheirSender) {
  World world;
  Agent(world.collector->port(), "127.1.9.9").send(message("01", 0xa7, v2_pdu()));
  ASSERT_TRUE(world.wait_events(1));
  world.collector->stop();
  const auto batches = world.port.take_all();
  ASSERT_EQ(batches.size(), 1U);
  const Event& event = batches[0]->events.at(0);
  EXPECT_EQ(event.kind, EventKind::Trap);
  EXPECT_EQ(event.from, "127.1.9.9");
  EXPECT_EQ(event.node, "127.1.9.9");  // nobody knows it
  EXPECT_EQ(oid_to_text(event.trap_oid), "1.3.6.1.6.3.1.1.5.3");
  EXPECT_EQ(event.varbinds.size(), 2U);
  EXPECT_TRUE(event.community.empty());
  EXPECT_EQ(world.counts(), (std::map<std::string, std::uint64_t>{{"received", 1}, {"stored", 1}}));
}

TEST(TrapUdp, RefusalsAreCountedAndTheirSamplesHideTheCommunity) {
  TrapOptions options;
  options.communities = {"field-team", "core"};
  World world(options);
  const Agent agent(world.collector->port());
  agent.send(message("01", 0xa7, v2_pdu()));
  agent.send(message("01", 0xa7, v2_pdu(), "guess"));
  agent.send(message("01", 0xa0, v2_pdu()));
  agent.send("nonsense");
  ASSERT_TRUE(world.wait_events(1));
  world.collector->stop();
  EXPECT_EQ(world.counts(), (std::map<std::string, std::uint64_t>{{"received", 4},
                                                                  {"stored", 1},
                                                                  {"bad-community", 1},
                                                                  {"not-a-notification", 1},
                                                                  {"truncated", 1}}));
  for (const Ledger::Sample& sample : world.ledger.samples()) {
    EXPECT_EQ(sample.bytes.find("guess"), std::string::npos);
    EXPECT_EQ(sample.bytes.find("field"), std::string::npos);
  }
}

TEST(TrapUdp, AForwardedCommunityIsHiddenToo) {
  World world;
  const std::string forwarded =
      varbind("1.3.6.1.6.3.18.1.4.0", tlv(0x04, "hush")) + varbind("1.3.6.1.5", integer("05"));
  Agent(world.collector->port()).send(message("00", 0xa4, v1_pdu("06", "01", forwarded)));
  ASSERT_TRUE(world.wait_events(1));
  world.collector->stop();
  const auto batches = world.port.take_all();
  const Event& event = batches.at(0)->events.at(0);
  ASSERT_EQ(event.varbinds.size(), 2U);
  EXPECT_TRUE(event.varbinds[0].bytes.empty());
  EXPECT_EQ(event.varbinds[1].number, 5);
}

TEST(TrapUdp, AnInformIsAnsweredAfterItsCommitOnly) {
  World world;
  const Agent agent(world.collector->port());
  agent.send(message("01", 0xa6, v2_pdu()));
  ASSERT_TRUE(world.wait_events(1));
  EXPECT_EQ(agent.receive(MSG_DONTWAIT), "");
  const auto batches = world.port.take_all();
  EXPECT_TRUE(batches.at(0)->events.at(0).inform);
  world.port.committed_mark = batches[0]->number;
  EXPECT_EQ(agent.receive(), message("01", 0xa2, v2_pdu()));
}

TEST(TrapUdp, ARepeatedInformIsOneEventAndAnsweredAgain) {
  World world;
  const Agent agent(world.collector->port());
  const std::string inform = message("01", 0xa6, v2_pdu());
  agent.send(inform);
  ASSERT_TRUE(world.wait_events(1));
  agent.send(inform);  // before the commit: the first one's answer is on its way
  const auto batches = world.port.take_all();
  world.port.committed_mark = batches.at(0)->number;
  EXPECT_EQ(agent.receive(), message("01", 0xa2, v2_pdu()));
  agent.send(inform);
  EXPECT_EQ(agent.receive(), message("01", 0xa2, v2_pdu()));
  world.collector->stop();
  auto counts = world.counts();
  EXPECT_EQ(counts["stored"], 1U);
  EXPECT_EQ(counts["repeated-inform"], 2U);
  EXPECT_EQ(counts["received"], 3U);
}

TEST(TrapUdp, AVersion3InformFindsTheEngineAndIsAnsweredAfterItsCommit) {
  TrapOptions options;
  options.users = *UsmUsers::parse("users", "createUser ops SHA a-long-passphrase AES another-one");
  options.engine_id = hex("80007ed905aabbccdd");
  World world(options);
  const Agent agent(world.collector->port());
  agent.send(discovery_request(5));
  Usm client(options.users, nullptr);
  Usm::Opened opened;
  Arena arena;
  static_cast<void>(client.open(arena.copy(agent.receive()), arena, opened));
  EXPECT_EQ(opened.engine, options.engine_id);
  auto sealer = Sealer::make(options.users, "ops", opened.engine);
  ASSERT_TRUE(sealer);
  const auto inform = [&](std::uint32_t boots) {
    return sealer->seal({.pdu_tag = 0xa6,
                         .pdu = v2_pdu(),
                         .id = 6,
                         .boots = boots,
                         .time = opened.time,
                         .reportable = true});
  };
  agent.send(inform(opened.boots + 1));
  EXPECT_EQ(name(client.open(arena.copy(agent.receive()), arena, opened)), "ok");
  EXPECT_EQ(opened.pdu_tag, 0xa8);  // a signed Report
  agent.send(inform(opened.boots));
  ASSERT_TRUE(world.wait_events(1));
  EXPECT_EQ(agent.receive(MSG_DONTWAIT), "");
  const auto batches = world.port.take_all();
  EXPECT_TRUE(batches.at(0)->events.at(0).inform);
  EXPECT_EQ(batches[0]->events[0].snmp_version, 3);
  EXPECT_TRUE(batches[0]->events[0].community.empty());
  world.port.committed_mark = batches[0]->number;
  EXPECT_EQ(name(client.open(arena.copy(agent.receive()), arena, opened)), "ok");
  EXPECT_EQ(opened.pdu_tag, 0xa2);
  EXPECT_EQ(opened.pdu, v2_pdu());
  world.collector->stop();
  auto counts = world.counts();
  EXPECT_EQ(counts["v3-discovery"], 1U);
  EXPECT_EQ(counts["v3-not-in-time-window"], 1U);
  EXPECT_EQ(counts["stored"], 1U);
}

TEST(TrapUdp, ThreadsShareAPortAndEachAgentHasOneOfThem) {
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  belfry::testing::FakePort ports[2];
  TrapOptions options;
  options.port = 0;
  TrapUdp collector(options, {&ports[0], &ports[1]}, clock, ledger, metrics);
  ASSERT_TRUE(collector.start());
  constexpr int kAgents = 16, kEach = 5;
  for (int a = 1; a <= kAgents; ++a) {
    const Agent agent(collector.port(), ("127.1.9." + std::to_string(a)).c_str());
    for (int n = 0; n < kEach; ++n) {
      agent.send(message("01", 0xa7, v2_pdu()));
    }
  }
  collector.stop();
  EXPECT_EQ(ports[0].events() + ports[1].events(), static_cast<std::uint64_t>(kAgents) * kEach);
  std::map<std::string, std::size_t> port_of;
  for (std::size_t p = 0; p < 2; ++p) {
    for (const auto& batch : ports[p].take_all()) {
      for (const Event& event : batch->events) {
        EXPECT_EQ(port_of.emplace(std::string(event.from), p).first->second, p);
      }
    }
  }
  EXPECT_EQ(port_of.size(), static_cast<std::size_t>(kAgents));
  EXPECT_EQ(collector.seen().size(), static_cast<std::size_t>(kAgents));
}

TEST(TrapUdp, SaysWhyItCannotStart) {
  World world;
  TrapOptions options;
  options.port = world.collector->port();
  belfry::testing::FakePort port;
  TrapUdp second(options, {&port}, world.clock, world.ledger, world.metrics);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().what.find(std::to_string(options.port)), std::string::npos);
  world.collector->stop();
  world.collector->stop();
}

Informs::Waiting waiting(std::uint64_t batch, std::size_t event, std::string response = "r") {
  return {.batch = batch,
          .event = event,
          .sameness = 100 + event,
          .peer = {},
          .response = std::move(response)};
}

TEST(Informs, WaitInOrderAndAreBounded) {
  Informs informs;
  for (std::size_t i = 0; i < kInformsMax; ++i) {
    EXPECT_TRUE(informs.add(waiting(i / 2, 0)));
  }
  EXPECT_FALSE(informs.add(waiting(1, 0)));
  std::size_t sent = 0;
  informs.release(1, [&](const UdpReceiver::Peer&, std::string_view) { ++sent; });
  EXPECT_EQ(sent, 4U);
  EXPECT_EQ(informs.waiting(), kInformsMax - 4);
  EXPECT_FALSE(informs.add(waiting(1, 0, std::string(kInformBytesMax, 'r'))));
}

TEST(Informs, OnesThatWereShedGetNoAnswer) {
  Informs informs;
  EXPECT_TRUE(informs.add(waiting(1, 0)));
  for (const std::size_t event : {0U, 2U, 4U}) {
    EXPECT_TRUE(informs.add(waiting(2, event)));
  }
  std::vector<std::uint64_t> gone;
  const std::vector<char> kept{1, 0, 0, 1, 1};
  informs.shed(2, kept, [&](std::uint64_t sameness) { gone.push_back(sameness); });
  EXPECT_EQ(gone, (std::vector<std::uint64_t>{102}));
  EXPECT_EQ(informs.waiting(), 3U);
  // The event that was fifth is third now.
  informs.shed(2, std::vector<char>{1, 1, 0},
               [&](std::uint64_t sameness) { gone.push_back(sameness); });
  EXPECT_EQ(gone, (std::vector<std::uint64_t>{102, 104}));
}

TEST(Repeats, AreKnownForTwoMinutes) {
  Repeats repeats;
  repeats.add(7, 3, 0);
  EXPECT_EQ(repeats.find(7, kRepeatNs), std::optional<std::uint64_t>(3));
  EXPECT_FALSE(repeats.find(8, kRepeatNs));
  EXPECT_FALSE(repeats.find(7, kRepeatNs + 1));
  for (std::uint64_t i = 0; i <= kRepeatsMax; ++i) {
    repeats.add(i, i, kRepeatNs);
  }
  EXPECT_FALSE(repeats.find(0, kRepeatNs));
  EXPECT_TRUE(repeats.find(1, kRepeatNs));
}

}  // namespace
}  // namespace belfry::snmp
