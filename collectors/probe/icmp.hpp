#pragma once
// Icmp: one echo socket per address family. Unprivileged (SOCK_DGRAM) where ping_group_range allows
// it, else raw, else one clear error.
#include <cstdint>
#include <optional>
#include <string>

#include "belfry/base/result.hpp"
#include "belfry/intake/socket_address.hpp"

namespace belfry::probe {

/// What an echo carries and brings back. The magic is this process's: answers to others do not
/// count.
struct Token {
  std::uint32_t slot = 0, generation = 0, index = 0;
};

class Icmp {
 public:
  Icmp() = default;
  ~Icmp();
  Icmp(const Icmp&) = delete;
  Icmp& operator=(const Icmp&) = delete;

  Result<void> open(int family, std::uint64_t magic);
  int fd() const { return fd_; }
  enum class Sent : std::uint8_t { Ok, Later, Failed };
  Sent send(const SocketAddress& to, Token token);
  /// The next echo reply to this process; nullopt: none left for now.
  struct Reply {
    Token token;
    sockaddr_storage from{};
  };
  std::optional<Reply> receive();

 private:
  int fd_ = -1;
  int family_ = 0;
  bool raw_ = false;
  std::uint64_t magic_ = 0;
  std::uint16_t sequence_ = 0;
};

}  // namespace belfry::probe
