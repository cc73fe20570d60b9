#include "if_walk.hpp"

#include <gtest/gtest.h>

#include <map>

#include "belfry/model/oid.hpp"
#include "ber.hpp"
#include "packets.hpp"
#include "writer.hpp"

namespace belfry::snmp {
namespace {

using namespace test;

/// An agent with these objects; what its GETBULK gives.
class Agent {
 public:
  void add(const std::string& oid_text, std::string_view text) {
    // The order of an agent is the order of arcs; enough for arcs below 128.
    objects_[*oid_from_text(oid_text)] = std::string(text);
  }
  std::string answer(std::string_view request, std::size_t most = 25) const {
    Arena arena;
    Ber ber(arena);
    std::int64_t id = 0, skip = 0;
    std::string_view list, pair, after;
    EXPECT_TRUE(ber.take_int(request, id) && ber.take_int(request, skip) &&
                ber.take_int(request, skip) && ber.take(request, kSequence, list) &&
                ber.take(list, kSequence, pair) && ber.take_oid(pair, after));
    std::string out;
    auto it = objects_.upper_bound(std::string(after));
    for (std::size_t n = 0; n < most && it != objects_.end(); ++n, ++it) {
      out += tlv(0x30, tlv(0x06, it->first) + tlv(0x04, it->second));
    }
    if (it == objects_.end()) {
      out += tlv(0x30, tlv(0x06, std::string(after)) + tlv(kEndOfMibView, ""));
    }
    return put_int(id) + put_int(0) + put_int(0) + tlv(0x30, out);
  }

 private:
  std::map<std::string, std::string> objects_;
};

PolledPorts::Ports walked(const Agent& agent, std::size_t most = 25) {
  IfWalk walk;
  std::size_t requests = 0;
  while (walk.on_response(agent.answer(walk.request(7), most)) == IfWalk::Step::More) {
    EXPECT_LT(++requests, 1000U);
  }
  return walk.take();
}

TEST(IfWalk, ReadsThreeColumns) {
  Agent agent;
  for (int i = 1; i <= 60; ++i) {
    const std::string n = std::to_string(i);
    agent.add("1.3.6.1.2.1.2.2.1.2." + n, "GigabitEthernet0/" + n);
    agent.add("1.3.6.1.2.1.2.2.1.3." + n, "no column of ours");
    agent.add("1.3.6.1.2.1.31.1.1.1.1." + n, "Gi0/" + n);
    agent.add("1.3.6.1.2.1.31.1.1.1.18." + n, i == 3 ? "to the customer" : "");
  }
  for (const std::size_t most : {1U, 25U, 1000U}) {
    const auto ports = walked(agent, most);
    ASSERT_EQ(ports.size(), 60U);
    EXPECT_EQ(ports[2], (PolledPort{3, "Gi0/3", "GigabitEthernet0/3", "to the customer"}));
  }
}

TEST(IfWalk, AnOldAgentHasDescriptionsAlone) {
  Agent agent;
  agent.add("1.3.6.1.2.1.2.2.1.2.1", std::string("Ethernet 1\0", 11));
  const auto ports = walked(agent);
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0], (PolledPort{1, "", "Ethernet 1", ""}));
  EXPECT_TRUE(walked(Agent()).empty());
}

std::string response(const std::string& varbinds, int status = 0) {
  return put_int(7) + put_int(status) + put_int(0) + tlv(0x30, varbinds);
}

TEST(IfWalk, AnAgentThatDoesNotMoveForwardIsLeft) {
  IfWalk walk;
  const std::string same = response(varbind("1.3.6.1.2.1.31.1.1.1.1.5", tlv(0x04, "a")) +
                                    varbind("1.3.6.1.2.1.31.1.1.1.1.4", tlv(0x04, "b")));
  std::size_t answers = 0;
  for (auto step = IfWalk::Step::More; step == IfWalk::Step::More; ++answers) {
    walk.request(7);
    step = walk.on_response(same);
  }
  EXPECT_EQ(answers, 3U);  // a column each
  const auto ports = walk.take();
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0].ifindex, 5);
}

TEST(IfWalk, NonsenseAndErrorsEndIt) {
  IfWalk walk;
  walk.request(7);
  EXPECT_EQ(walk.on_response("nonsense"), IfWalk::Step::Failed);
  IfWalk refused;
  refused.request(7);
  EXPECT_EQ(refused.on_response(response("", 16)), IfWalk::Step::More);
  EXPECT_EQ(refused.on_response(response("", 16)), IfWalk::Step::More);
  EXPECT_EQ(refused.on_response(response("", 16)), IfWalk::Step::Done);
}

TEST(IfWalk, IsBounded) {
  IfWalk walk;
  std::int64_t index = 0;
  std::size_t requests = 0;
  for (auto step = IfWalk::Step::More; step == IfWalk::Step::More; ++requests) {
    walk.request(7);
    std::string varbinds;
    for (int i = 0; i < 25; ++i) {
      varbinds += varbind("1.3.6.1.2.1.31.1.1.1.1." + std::to_string(++index),
                          tlv(0x04, std::string(1000, 'x')));
    }
    step = walk.on_response(response(varbinds));
  }
  EXPECT_LE(requests, kWalkRequestsMax);
  const auto ports = walk.take();
  EXPECT_EQ(ports.size(), kPollPortsMax);
  EXPECT_EQ(ports[0].name.size(), kPortTextBytesMax);
}

}  // namespace
}  // namespace belfry::snmp
