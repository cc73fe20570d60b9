#include "belfry/probe/prober.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "../../tests/support/fake_port.hpp"
#include "belfry/runtime/clock.hpp"
#include "icmp.hpp"

namespace belfry {
namespace {

/// A TCP port of this machine: somebody listens, or it was just closed.
class TcpPort {
 public:
  TcpPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    socklen_t size = sizeof own;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
    number = ntohs(own.sin_port);
  }
  ~TcpPort() { close(); }
  TcpPort(const TcpPort&) = delete;
  TcpPort& operator=(const TcpPort&) = delete;
  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }
  std::uint16_t number = 0;

 private:
  int fd_;
};

ProbeTarget target(std::string node, ProbeCheck check, std::uint16_t port = 0) {
  ProbeTarget t;
  t.node = std::move(node);
  t.address = "127.0.0.1";
  t.check = check;
  t.port = port;
  t.interval = 20ms;
  t.timeout = 2s;
  t.retries = 0;
  return t;
}

std::string attr(const Event& event, std::string_view name) {
  for (const Attr& a : event.attrs) {
    if (a.name == name) {
      return to_text(a.value);
    }
  }
  return "none";
}

struct World {
  explicit World(ProbeOptions options)
      : prober(std::move(options), port, clock, ledger, metrics, IntakeOptions{}),
        started(prober.start()) {}
  /// Status and check of the first event of each node, when `nodes` of them have come.
  std::map<std::string, std::string> first_results(std::size_t nodes) {
    std::map<std::string, std::string> out;
    const std::int64_t until = clock.boot_ns() + 10'000'000'000;
    while (out.size() < nodes && clock.boot_ns() < until) {
      for (const auto& batch : port.take_all()) {
        for (const Event& event : batch->events) {
          EXPECT_EQ(event.kind, EventKind::Probe);
          EXPECT_EQ(event.type, "probe");
          out.emplace(std::string(event.node), attr(event, "check") + " " + attr(event, "status") +
                                                   " from " + attr(event, "vantage"));
        }
      }
      std::this_thread::yield();
    }
    return out;
  }
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  belfry::testing::FakePort port{"probe"};
  Prober prober;
  Result<void> started;
};

TEST(Prober, TcpPortsAreUpOrDown) {
  const TcpPort open;
  TcpPort closed;
  closed.close();
  ProbeOptions options;
  options.vantage = "par1";
  options.targets = {target("there", ProbeCheck::Tcp, open.number),
                     target("gone", ProbeCheck::Tcp, closed.number)};
  World world(options);
  ASSERT_TRUE(world.started);
  EXPECT_EQ(world.first_results(2),
            (std::map<std::string, std::string>{{"gone", "tcp down from par1"},
                                                {"there", "tcp up from par1"}}));
  EXPECT_EQ(world.prober.targets(), 2U);
  world.prober.stop();
  world.prober.stop();
}

TEST(Prober, IcmpOfThisMachine) {
  probe::Icmp allowed;
  if (const auto opened = allowed.open(AF_INET, 1); !opened) {
    GTEST_SKIP() << opened.error().what;
  }
  ProbeOptions options;
  options.targets = {target("self", ProbeCheck::Icmp)};
  World world(options);
  ASSERT_TRUE(world.started) << world.started.error().what;
  EXPECT_EQ(world.first_results(1),
            (std::map<std::string, std::string>{{"self", "icmp up from local"}}));
}

TEST(Prober, DevicesOfARoleComeWithTheInventory) {
  auto schema = std::make_shared<Schema>();
  schema->tables.push_back(
      {"device", {{"name", Type::String}, {"ip", Type::Ip}, {"role", Type::String}}, {0}, ""});
  InventoryBuilder builder(schema);
  const auto add = [&](const char* name, const char* role) {
    const Value cells[]{Value::string(name), Value::of_text(Type::Ip, "127.0.0.1"),
                        Value::string(role)};
    builder.add_row(0, cells);
  };
  add("sw1", "switch");
  add("h1", "host");
  add("r1", "router");
  const auto inventory = builder.build(1);
  ASSERT_TRUE(inventory);
  ProbeOptions options;
  options.icmp_roles = {"switch", "host"};
  options.interval = 5s;
  const auto targets = role_targets(**inventory, options);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].node, "h1");
  EXPECT_EQ(targets[0].interval, Duration(5s));
  EXPECT_EQ(targets[1].address, "127.0.0.1");
}

TEST(Prober, TcpTargetsFromText) {
  const ProbeOptions options;
  const auto v4 = parse_tcp_target("par1-web1=127.1.1.21:443", options);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->node, "par1-web1");
  EXPECT_EQ(v4->address, "127.1.1.21");
  EXPECT_EQ(v4->port, 443);
  const auto v6 = parse_tcp_target("web=[2001:db8::1]:80", options);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address, "2001:db8::1");
  for (const char* wrong : {"", "web", "web=10.0.0.1", "=10.0.0.1:80", "web=10.0.0.1:0",
                            "web=10.0.0.1:70000", "web=example:80", "web=:80"}) {
    EXPECT_FALSE(parse_tcp_target(wrong, options)) << wrong;
  }
}

}  // namespace
}  // namespace belfry
