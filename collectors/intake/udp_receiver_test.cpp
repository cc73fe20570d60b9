#include "belfry/intake/udp_receiver.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "../../tests/support/fake_port.hpp"

namespace belfry {
namespace {

int sender_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

TEST(UdpReceiver, TakesEveryDatagramThatWasInTheSocketWhenItStops) {
  testing::FakePort port("udp");
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  Intake intake(port, clock, ledger, metrics, {});
  UdpReceiver receiver({.address = "127.0.0.1"});
  ASSERT_TRUE(receiver.open().has_value());
  ASSERT_NE(receiver.port(), 0);

  std::stop_source stop;
  std::thread thread([&] {
    receiver.run(stop.get_token(), intake, [&](const Datagram& d) {
      if (d.bytes == "bad") {
        intake.refuse(d.source, "bad-tag", d.bytes);
        return;
      }
      Event& e = intake.begin();
      e.raw = d.bytes;
      e.from = d.source;
      intake.commit();
      receiver.reply("thanks");
    });
  });
  const int fd = sender_to(receiver.port());
  for (int i = 0; i < 500; ++i) {
    const std::string text = i % 10 == 9 ? "bad" : "message " + std::to_string(i);
    ASSERT_EQ(send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  char answer[16];
  ASSERT_EQ(recv(fd, answer, sizeof answer, 0), 6);
  stop.request_stop();
  thread.join();
  close(fd);
  EXPECT_EQ(port.events(), 450U);
  std::uint64_t received = 0;
  for (const LedgerRow& row : ledger.rows()) {
    received += row.reason == "received" ? row.count : 0;
    EXPECT_EQ(row.source, "127.0.0.1");
  }
  EXPECT_EQ(received, 500U);
}

TEST(UdpReceiver, TakesTrainsApart) {
  constexpr int kUdpSegment = 103;  // UDP_SEGMENT
  testing::FakePort port("udp");
  SystemClock clock;
  Ledger ledger;
  Metrics metrics;
  Intake intake(port, clock, ledger, metrics, {});
  UdpReceiver receiver({.address = "127.0.0.1"});
  ASSERT_TRUE(receiver.open().has_value());
  const int fd = sender_to(receiver.port());
  const int segment = 10;
  if (setsockopt(fd, IPPROTO_UDP, kUdpSegment, &segment, sizeof segment) != 0) {
    close(fd);
    GTEST_SKIP() << "this kernel sends no trains";
  }
  std::string train;
  for (int i = 0; i < 30; ++i) {
    train += "message " + std::to_string(10 + i);
  }
  train += "end";  // the last of a train may be shorter
  ASSERT_EQ(send(fd, train.data(), train.size(), 0), static_cast<ssize_t>(train.size()));
  close(fd);
  std::stop_source stop;
  stop.request_stop();  // what is in the socket is still taken
  std::string got;
  receiver.run(stop.get_token(), intake, [&](const Datagram& d) {
    got += std::string(d.bytes) + "|";
    intake.begin().from = d.source;
    intake.commit();
  });
  EXPECT_EQ(port.events(), 31U);
  EXPECT_TRUE(got.starts_with("message 10|message 11|")) << got;
  EXPECT_TRUE(got.ends_with("message 39|end|")) << got;
}

TEST(UdpReceiver, SharesAPortAndSteersByAddress) {
  UdpReceiver first({.address = "127.0.0.1", .sockets = 2});
  ASSERT_TRUE(first.open().has_value());
  UdpReceiver second({.address = "127.0.0.1", .port = first.port(), .sockets = 2});
  ASSERT_TRUE(second.open().has_value());
  EXPECT_EQ(second.port(), first.port());
}

TEST(UdpReceiver, SaysWhatIsInTheWay) {
  UdpReceiver first({.address = "127.0.0.1"});
  ASSERT_TRUE(first.open().has_value());
  UdpReceiver second({.address = "127.0.0.1", .port = first.port()});
  const auto taken = second.open();
  ASSERT_FALSE(taken.has_value());
  EXPECT_NE(taken.error().what.find("Address already in use"), std::string::npos);
  UdpReceiver third({.address = "no-address"});
  EXPECT_FALSE(third.open().has_value());
}

}  // namespace
}  // namespace belfry
