#include "belfry/syslog/collectors.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "../../tests/support/fake_port.hpp"

namespace belfry {
namespace {

using testing::FakePort;

int connect_to(int type, std::uint16_t port) {
  const int fd = socket(AF_INET, type, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(n, 0);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Waits for what another thread brings about; the bound is only there so that a broken test ends.
bool until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

class Collectors : public ::testing::Test {
 protected:
  FakePort port{"syslog"};
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;

  std::uint64_t sum(std::string_view reason) const {
    std::uint64_t n = 0;
    for (const LedgerRow& row : ledger.rows()) {
      n += row.reason == reason ? row.count : 0;
    }
    return n;
  }
  std::vector<std::string> messages() {
    std::vector<std::string> out;
    for (const auto& batch : port.take_all()) {
      for (const Event& e : batch->events) {
        out.emplace_back(e.message);
        EXPECT_EQ(e.from, "127.0.0.1");
        EXPECT_EQ(e.node, "127.0.0.1");
      }
    }
    return out;
  }
};

TEST_F(Collectors, UdpTakesMessages) {
  SyslogUdp udp({.udp = {.address = "127.0.0.1", .port = 0}, .intake = {}}, {&port}, clock, ledger,
                metrics);
  ASSERT_TRUE(udp.start().has_value());
  const int fd = connect_to(SOCK_DGRAM, udp.port());
  for (int i = 0; i < 200; ++i) {
    send_all(fd, "<13>Nov 25 03:00:00 h app: number " + std::to_string(i));
  }
  udp.stop();
  close(fd);
  const auto got = messages();
  ASSERT_EQ(got.size(), 200U);
  EXPECT_EQ(got[0], "number 0");
  EXPECT_EQ(got[199], "number 199");
  EXPECT_EQ(sum("received"), 200U);
  EXPECT_EQ(sum("stored"), 200U);
}

TEST_F(Collectors, TcpTakesBothFramingsOnOneStream) {
  SyslogTcp tcp({.address = "127.0.0.1", .port = 0, .intake = {}}, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tcp.start().has_value());
  const int fd = connect_to(SOCK_STREAM, tcp.port());
  send_all(fd,
           "<13>Nov 25 03:00:00 h a: one\n29 <13>Nov 25 03:00:00 h a: tw\no\n\n<13>Nov 25 03:00:00 "
           "h a: last");
  shutdown(fd, SHUT_WR);
  ASSERT_TRUE(until([&] { return tcp.connections() == 0 && port.events() == 3; }));
  tcp.stop();
  close(fd);
  EXPECT_EQ(messages(), (std::vector<std::string>{"one", "tw\no", "last"}));
}

TEST_F(Collectors, TcpLosesNothingAcrossBatchesAndAFullRing) {
  port.set_capacity(3);
  SyslogTcp tcp({.address = "127.0.0.1", .port = 0, .intake = {}}, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tcp.start().has_value());
  constexpr int kSenders = 3, kEach = 20'000;
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      const int fd = connect_to(SOCK_STREAM, tcp.port());
      std::string bytes;
      for (int i = 0; i < kEach; ++i) {
        const std::string text =
            "<13>Nov 25 03:00:00 h s" + std::to_string(s) + ": " + std::to_string(i);
        bytes += i % 2 == 0 ? text + "\n" : std::to_string(text.size()) + " " + text;
      }
      send_all(fd, bytes);
      close(fd);
    });
  }
  std::map<std::string, int> next;
  std::uint64_t total = 0;
  ASSERT_TRUE(until([&] {
    for (const auto& batch : port.take_all()) {
      for (const Event& e : batch->events) {
        EXPECT_EQ(e.message, std::to_string(next[std::string(e.app)]++));
        ++total;
      }
    }
    return total == std::uint64_t{kSenders} * kEach;
  }));
  for (std::thread& sender : senders) {
    sender.join();
  }
  tcp.stop();
  EXPECT_EQ(sum("received"), total);
  EXPECT_EQ(sum("stored"), total);
}

TEST_F(Collectors, TcpCountsWhatItRefuses) {
  SyslogTcp tcp({.address = "127.0.0.1",
                 .port = 0,
                 .intake = {},
                 .connections_max = 1,
                 .frame_bytes_max = 100},
                {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tcp.start().has_value());
  const int first = connect_to(SOCK_STREAM, tcp.port());
  send_all(first, std::string(300, 'x') + "\n<13>Nov 25 03:00:00 h a: ok\n");
  ASSERT_TRUE(until([&] { return port.events() == 1; }));
  const int second = connect_to(SOCK_STREAM, tcp.port());
  char byte = 0;
  EXPECT_EQ(recv(second, &byte, 1, 0), 0);  // closed at once
  send_all(first, "50 cut");
  close(first);
  ASSERT_TRUE(until([&] { return tcp.connections() == 0; }));
  tcp.stop();
  close(second);
  EXPECT_EQ(sum("frame-too-long"), 1U);
  EXPECT_EQ(sum("connections"), 1U);
  EXPECT_EQ(sum("frame-cut"), 1U);
  EXPECT_EQ(sum("received"), 4U);
}

TEST_F(Collectors, TcpStopsWithAFullRingAndCountsTheRest) {
  port.set_capacity(0);
  SyslogTcp tcp({.address = "127.0.0.1", .port = 0, .intake = {}}, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tcp.start().has_value());
  const int fd = connect_to(SOCK_STREAM, tcp.port());
  std::string bytes;
  for (int i = 0; i < 1500; ++i) {
    bytes += "<13>Nov 25 03:00:00 h a: x\n";
  }
  send_all(fd, bytes);
  ASSERT_TRUE(until([&] { return tcp.connections() == 1; }));
  tcp.stop();
  close(fd);
  EXPECT_EQ(sum("received"), 1500U);
  EXPECT_EQ(sum("stopped"), 1500U);
}

TEST_F(Collectors, StartSaysWhatIsInTheWay) {
  SyslogTcp first({.address = "127.0.0.1", .port = 0, .intake = {}}, {&port}, clock, ledger,
                  metrics);
  ASSERT_TRUE(first.start().has_value());
  SyslogTcp second({.address = "127.0.0.1", .port = first.port(), .intake = {}}, {&port}, clock,
                   ledger, metrics);
  const auto taken = second.start();
  ASSERT_FALSE(taken.has_value());
  EXPECT_NE(taken.error().what.find("Address already in use"), std::string::npos);
}

}  // namespace
}  // namespace belfry
