#include "belfry/syslog/collectors.hpp"

#include <fcntl.h>
#include <sys/un.h>

#include <filesystem>
#include <map>

#include "collectors_for_test.hpp"

namespace belfry {
namespace {

using testing::connect_to;
using testing::receive;
using testing::send_all;
using testing::until;

class Collectors : public testing::CollectorTest {
 protected:
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

SyslogTcpOptions relp_options() {
  SyslogTcpOptions o;
  o.address = "127.0.0.1";
  o.port = 0;
  o.frame_bytes_max = 100;
  o.protocol = StreamProtocol::Relp;
  return o;
}
constexpr std::string_view kRelpOpen = "1 open 30 relp_version=0\ncommands=syslog\n";
constexpr std::string_view kRelpOpened =
    "1 rsp 58 200 OK\nrelp_version=0\nrelp_software=belfry\ncommands=syslog\n";

TEST_F(Collectors, RelpIsAnsweredAfterTheCommit) {
  SyslogTcp relp(relp_options(), {&port}, clock, ledger, metrics);
  ASSERT_TRUE(relp.start().has_value());
  const int fd = connect_to(SOCK_STREAM, relp.port());
  send_all(fd, kRelpOpen);
  EXPECT_EQ(receive(fd, kRelpOpened.size()), kRelpOpened);
  send_all(
      fd, "2 syslog 28 <13>Nov 25 03:00:00 h a: one\n3 syslog 29 <13>Nov 25 03:00:00 h a: two\n\n");
  ASSERT_TRUE(until([&] { return port.events() == 2; }));
  char byte = 0;
  EXPECT_EQ(recv(fd, &byte, 1, MSG_DONTWAIT), -1);  // handed over, but not durable
  port.committed_mark = 1000;
  const std::string_view acks = "2 rsp 6 200 OK\n3 rsp 6 200 OK\n";
  EXPECT_EQ(receive(fd, acks.size()), acks);
  send_all(fd, "4 syslog 300 " + std::string(300, 'x') + "\n5 syslog 0\n6 close 0\n");
  const std::string_view end = "4 rsp 6 200 OK\n5 rsp 6 200 OK\n6 rsp 0\n0 serverclose 0\n";
  EXPECT_EQ(receive(fd, 1000), end);
  close(fd);
  relp.stop();
  const auto batches = port.take_all();
  ASSERT_FALSE(batches.empty());
  const Event& cut = batches.back()->events.back();
  EXPECT_FALSE(cut.valid);
  EXPECT_EQ(cut.why, "too-long");
  EXPECT_EQ(cut.raw.size(), 100U);
  EXPECT_EQ(sum("stored"), 3U);
}

TEST_F(Collectors, RelpRefusesWhatIsNone) {
  SyslogTcp relp(relp_options(), {&port}, clock, ledger, metrics);
  ASSERT_TRUE(relp.start().has_value());
  const int stranger = connect_to(SOCK_STREAM, relp.port());
  send_all(stranger, "<13>Nov 25 03:00:00 h a: plain\n");
  EXPECT_EQ(receive(stranger, 100), "");
  const int early = connect_to(SOCK_STREAM, relp.port());
  send_all(early, "1 syslog 4 text\n");
  const std::string_view answer = "1 rsp 34 500 expected open, syslog or close\n";
  EXPECT_EQ(receive(early, answer.size()), answer);
  const int other = connect_to(SOCK_STREAM, relp.port());
  send_all(other, "1 open 17 commands=eventlog\n");
  EXPECT_TRUE(receive(other, 100).starts_with("1 rsp 40 500 expected an offer"));
  for (const int fd : {stranger, early, other}) {
    close(fd);
  }
  ASSERT_TRUE(until([&] { return relp.connections() == 0; }));
  relp.stop();
  EXPECT_EQ(sum("relp-broken"), 1U);
  EXPECT_EQ(sum("relp-command"), 1U);
}

TEST_F(Collectors, AStopAnswersWhatBecameDurable) {
  SyslogTcp relp(relp_options(), {&port}, clock, ledger, metrics);
  ASSERT_TRUE(relp.start().has_value());
  const int fd = connect_to(SOCK_STREAM, relp.port());
  send_all(fd, kRelpOpen);
  EXPECT_EQ(receive(fd, kRelpOpened.size()), kRelpOpened);
  send_all(fd, "2 syslog 28 <13>Nov 25 03:00:00 h a: one\n");
  ASSERT_TRUE(until([&] { return port.events() == 1; }));
  std::thread stopper([&] { relp.stop(); });
  port.committed_mark = 1000;
  EXPECT_EQ(receive(fd, 1000), "2 rsp 6 200 OK\n0 serverclose 0\n");
  stopper.join();
  close(fd);
}

TEST_F(Collectors, OneAddressGetsItsShareOfConnections) {
  SyslogTcpOptions o;
  o.address = "127.0.0.1";
  o.port = 0;
  o.connections_per_source_max = 1;
  SyslogTcp tcp(o, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tcp.start().has_value());
  const int first = connect_to(SOCK_STREAM, tcp.port());
  ASSERT_TRUE(until([&] { return tcp.connections() == 1; }));
  const int second = connect_to(SOCK_STREAM, tcp.port());
  EXPECT_EQ(receive(second, 1), "");
  close(second);
  close(first);
  ASSERT_TRUE(until([&] { return tcp.connections() == 0; }));
  const int third = connect_to(SOCK_STREAM, tcp.port());
  ASSERT_TRUE(until([&] { return tcp.connections() == 1; }));
  close(third);
  tcp.stop();
  EXPECT_EQ(sum("connections-of-source"), 1U);
}

TEST_F(Collectors, UnixSocketTakesDatagramsOfThisMachine) {
  const std::string folder = ::testing::TempDir() + "belfry-unix-" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/log";
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  {
    SyslogUnix local({.path = path, .intake = {}}, port, clock, ledger, metrics);
    ASSERT_TRUE(local.start().has_value());
    SyslogUnix second({.path = path, .intake = {}}, port, clock, ledger, metrics);
    const auto taken = second.start();
    ASSERT_FALSE(taken.has_value());
    EXPECT_NE(taken.error().what.find("another program listens there"), std::string::npos);
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    for (int i = 0; i < 100; ++i) {
      send_all(fd, "<13>Nov 25 03:00:00 app[7]: number " + std::to_string(i));
    }
    close(fd);
    local.stop();
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  std::size_t n = 0;
  for (const auto& batch : port.take_all()) {
    for (const Event& e : batch->events) {
      EXPECT_EQ(e.message, "number " + std::to_string(n++));
      EXPECT_EQ(e.from, "local");
      EXPECT_EQ(e.app, "app");
      EXPECT_FALSE(e.node.empty());
    }
  }
  EXPECT_EQ(n, 100U);
  std::filesystem::remove_all(folder);
}

TEST_F(Collectors, UnixSocketLeavesFilesAlone) {
  const std::string path = ::testing::TempDir() + "belfry-file-" + std::to_string(getpid());
  {
    const int fd = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    close(fd);
  }
  SyslogUnix local({.path = path, .intake = {}}, port, clock, ledger, metrics);
  const auto started = local.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().what.find("no socket"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
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
