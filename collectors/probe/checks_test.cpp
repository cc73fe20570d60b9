// Checks through the whole prober, against programs and sockets of this machine.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "../../tests/support/fake_port.hpp"
#include "belfry/base/text.hpp"
#include "belfry/probe/prober.hpp"
#include "belfry/runtime/clock.hpp"
#include "child.hpp"

namespace belfry {
namespace {

std::string attr(const Event& event, std::string_view name) {
  for (const Attr& a : event.attrs) {
    if (a.name == name) {
      return to_text(a.value);
    }
  }
  return "none";
}

struct Seen {
  std::string node, check, status, value, output, raw, mount, asked;
};

CheckSpec plugin(std::string name, std::vector<std::string> command) {
  CheckSpec spec;
  spec.name = std::move(name);
  spec.kind = "plugin";
  spec.nodes = {"n1"};
  spec.command = std::move(command);
  spec.interval = 20ms;
  spec.timeout = 5s;
  spec.retries = 0;
  return spec;
}

struct World {
  explicit World(std::vector<CheckSpec> checks, std::size_t plugins_max = 4)
      : prober(options(std::move(checks), plugins_max), port, clock, ledger, metrics,
               IntakeOptions{}),
        started(prober.start()) {}
  static ProbeOptions options(std::vector<CheckSpec> checks, std::size_t plugins_max) {
    ProbeOptions o;
    o.checks = std::move(checks);
    o.plugins_max = plugins_max;
    o.output_max = 200;
    return o;
  }
  /// The first event for which `wanted` holds.
  template <class F>
  std::optional<Seen> wait(F&& wanted) {
    const std::int64_t until = clock.boot_ns() + 10'000'000'000;
    while (clock.boot_ns() < until) {
      for (const auto& batch : port.take_all()) {
        for (const Event& event : batch->events) {
          const Seen seen{std::string(event.node),    attr(event, "check"),  attr(event, "status"),
                          attr(event, "value"),       attr(event, "output"), std::string(event.raw),
                          attr(event, "label.mount"), attr(event, "asked")};
          if (wanted(seen)) {
            return seen;
          }
        }
      }
      std::this_thread::yield();
    }
    return std::nullopt;
  }
  std::optional<Seen> wait_check(std::string_view check) {
    return wait([&](const Seen& seen) { return seen.check == check; });
  }
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  belfry::testing::FakePort port{"probe"};
  Prober prober;
  Result<void> started;
};

TEST(Plugin, ExitCodeTextAndNumbersBecomeEvents) {
  CheckSpec disk =
      plugin("disk",
             {"/bin/sh", "-c", "echo \"DISK WARNING - $1 | '/ home'=91GB;90;95;0;100 x=U\"; exit 1",
              "sh", "$NODE$ $ADDRESS$;x"});
  disk.address = "192.0.2.9";
  disk.label = "mount";
  disk.percent = true;
  World world({disk, plugin("load", {"/bin/sh", "-c", "echo 'LOAD OK|one=250ms two=3'"})});
  const auto verdict =
      world.wait([](const Seen& s) { return s.check == "disk" && s.mount == "none"; });
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->status, "degraded");
  EXPECT_EQ(verdict->output, "DISK WARNING - n1 192.0.2.9;x") << "one argument, no shell's meaning";
  EXPECT_EQ(verdict->value, "none");
  EXPECT_NE(verdict->raw.find("91GB;90"), std::string::npos);
  const auto sample = world.wait([](const Seen& s) { return s.mount != "none"; });
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->check, "disk");
  EXPECT_EQ(sample->mount, "/ home");
  EXPECT_EQ(sample->value, "91");
  const auto one = world.wait_check("load.one");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->value, "0.25");
  EXPECT_EQ(one->status, "up");
}

TEST(Plugin, WhatFailedItselfIsUnknown) {
  CheckSpec slow = plugin("slow", {"/bin/sh", "-c", "sleep 100"});
  slow.timeout = 50ms;
  World world({slow, plugin("gone", {"/no/such/plugin"}),
               plugin("killed", {"/bin/sh", "-c", "kill -9 $$"}),
               plugin("odd", {"/bin/sh", "-c", "echo text; exit 9"}),
               plugin("dumb", {"/bin/sh", "-c", "echo why >&2; exit 2"})});
  const auto wait = [&](std::string_view check) {
    const auto seen = world.wait_check(check);
    return seen ? seen->status + ": " + seen->output : "nothing";
  };
  EXPECT_EQ(wait("slow"), "unknown: no result in 50 ms: the plugin was killed");
  EXPECT_EQ(wait("gone"), "unknown: it said nothing (it could not be run)");
  EXPECT_EQ(wait("killed"), "unknown: it said nothing (ended by signal 9)");
  EXPECT_EQ(wait("odd"), "unknown: text (exit code 9)");
  EXPECT_EQ(wait("dumb"), "down: why");
}

TEST(Plugin, OutputIsBoundedAndMoreChildrenThanAllowedWait) {
  std::vector<CheckSpec> checks{plugin("loud", {"/bin/sh", "-c",
                                                "i=0; while [ $i -lt 3000 ]; do echo xxxxxxxxxxx; "
                                                "i=$((i+1)); done; exit 2"})};
  for (int i = 0; i < 6; ++i) {
    checks.push_back(plugin("c" + std::to_string(i), {"/bin/sh", "-c", "echo fine"}));
  }
  World world(checks, 1);
  const auto loud = world.wait_check("loud");
  ASSERT_TRUE(loud);
  EXPECT_EQ(loud->status, "down");
  EXPECT_EQ(loud->raw.size(), 200U);
  std::set<std::string> seen;
  EXPECT_TRUE(world.wait([&](const Seen& s) {
    seen.insert(s.check);
    return seen.size() == 7;
  })) << "one after the other, all come";
  EXPECT_NE(world.metrics.text().find("belfry_probe_waited_total{bound=\"plugins_max\"}"),
            std::string::npos);
}

TEST(Plugin, ChildrenHaveLimitsNoEnvironmentAndLeaveNothingBehind) {
  ::setenv("BELFRY_TEST_SECRET", "hunter2", 1);
  probe::Child child;
  ASSERT_TRUE(child.start({"/bin/sh", "-c",
                           "ulimit -c; ulimit -n; ulimit -t; echo env=$BELFRY_TEST_SECRET; "
                           "ls /proc/self/fd | wc -l; sleep 1000 & echo $!"},
                          {4096, 7, 256ULL << 20}));
  std::optional<int> code;
  SystemClock clock;
  const std::int64_t until = clock.boot_ns() + 10'000'000'000;
  while (!code && clock.boot_ns() < until) {
    child.read_output();
    code = child.ended();
    std::this_thread::yield();
  }
  ASSERT_EQ(code, 0);
  const auto lines = split(trim(child.output), '\n');
  ASSERT_EQ(lines.size(), 6U) << child.output;
  EXPECT_EQ(lines[0], "0");
  EXPECT_EQ(lines[1], "256");
  EXPECT_EQ(lines[2], "7");
  EXPECT_EQ(lines[3], "env=");
  EXPECT_EQ(trim(lines[4]), "4") << "0, 1, 2 and the folder itself";
  const auto left = static_cast<pid_t>(parse_int(lines[5]).value_or(0));
  ASSERT_GT(left, 1);
  // Killed with its group; whoever adopts it may take a moment to bury it.
  const auto dead = [left] {
    std::ifstream stat("/proc/" + std::to_string(left) + "/stat");
    std::string text;
    std::getline(stat, text);
    return text.empty() || text.find(") Z") != std::string::npos;
  };
  while (!dead() && clock.boot_ns() < until) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(dead());
}

TEST(Prober, AskedForACheckItComesAtOnceAndSaysSo) {
  CheckSpec spec = plugin("disk", {"/bin/sh", "-c", "echo fine"});
  spec.interval = 10h;
  World world({spec});
  const std::int64_t until = world.clock.boot_ns() + 10'000'000'000;
  while (world.prober.targets() == 0 && world.clock.boot_ns() < until) {
    std::this_thread::yield();
  }
  EXPECT_EQ(world.prober.ask("n1", "nope"), Prober::Asked::Unknown);
  EXPECT_EQ(world.prober.ask("n1", "disk"), Prober::Asked::Queued);
  const auto seen = world.wait_check("disk");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->status, "up");
  EXPECT_EQ(seen->asked, "true");
}

/// A UDP socket of this machine that answers each datagram by `answer`.
class UdpServer {
 public:
  template <class F>
  explicit UdpServer(F answer) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    socklen_t size = sizeof own;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
    port = ntohs(own.sin_port);
    thread_ = std::jthread([this, answer](const std::stop_token& stop) {
      std::array<char, 2048> bytes;
      while (!stop.stop_requested()) {
        sockaddr_in peer{};
        socklen_t peer_size = sizeof peer;
        const auto got = ::recvfrom(fd_, bytes.data(), bytes.size(), 0,
                                    reinterpret_cast<sockaddr*>(&peer), &peer_size);
        if (got > 0) {
          const std::string out = answer(std::string(bytes.data(), static_cast<std::size_t>(got)));
          ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&peer), peer_size);
        }
      }
    });
  }
  ~UdpServer() {
    thread_.request_stop();
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;
  std::uint16_t port = 0;

 private:
  int fd_;
  std::jthread thread_;
};

TEST(Prober, DnsAnswersAreCompared) {
  const UdpServer server([](std::string ask) {
    ask.resize(ask.size() - 11);  // without the OPT record
    ask[2] = static_cast<char>(0x81);
    ask.replace(6, 6, std::string("\0\1\0\0\0\0", 6));
    return ask + std::string("\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\7", 16);
  });
  CheckSpec good;
  good.name = "dns";
  good.kind = "dns";
  good.nodes = {"ns1"};
  good.address = "127.0.0.1";
  good.port = server.port;
  good.query = "www.isp.example";
  good.answers = {"192.0.2.7"};
  good.interval = 20ms;
  good.retries = 0;
  CheckSpec wrong = good;
  wrong.name = "dns-other";
  wrong.answers = {"192.0.2.8"};
  World world({good, wrong});
  const auto up = world.wait_check("dns");
  ASSERT_TRUE(up);
  EXPECT_EQ(up->status + " " + up->output, "up www.isp.example A: 192.0.2.7");
  const auto down = world.wait_check("dns-other");
  ASSERT_TRUE(down);
  EXPECT_EQ(down->status + " " + down->output,
            "down www.isp.example A: 192.0.2.8 is not among the answers: 192.0.2.7");
}

TEST(CheckSpec, WhatIsWrongIsSaid) {
  CheckSpec spec = plugin("x", {"check_disk"});
  EXPECT_EQ(check_spec(spec), "a plugin check needs a command: [/absolute/path, arguments]");
  spec.command = {"/bin/true"};
  EXPECT_EQ(check_spec(spec), "");
  spec.nodes.clear();
  EXPECT_EQ(check_spec(spec), "expected nodes or roles: whom to ask");
  spec.roles = {"web"};
  spec.address = "www.isp.example";
  EXPECT_EQ(check_spec(spec), "address 'www.isp.example': expected an IP address");
  spec.address = "";
  spec.kind = "tcp";
  EXPECT_EQ(check_spec(spec), "a tcp check needs a port");
  spec.kind = "dns";
  EXPECT_NE(check_spec(spec), "");
  spec.kind = "smoke";
  EXPECT_EQ(check_spec(spec), "kind 'smoke' is not known");
}

}  // namespace
}  // namespace belfry
