#pragma once
// What tests of the collectors share: sockets to them, and a pipeline that is only a FakePort.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../../tests/support/fake_port.hpp"
#include "belfry/syslog/collectors.hpp"

namespace belfry::testing {

inline int connect_to(int type, std::uint16_t port) {
  const int fd = socket(AF_INET, type, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(n, 0);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Waits for what another thread brings about; the bound is only there so that a broken test ends.
inline bool until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

/// Reads until `size` bytes are there or the other side ended.
inline std::string receive(int fd, std::size_t size) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = recv(fd, out.data() + have, size - have, 0);
    if (n <= 0) {
      break;
    }
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out;
}

class CollectorTest : public ::testing::Test {
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
};

}  // namespace belfry::testing
