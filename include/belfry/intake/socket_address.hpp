#pragma once
// SocketAddress: a literal IPv4 or IPv6 address with a port, as the kernel takes it.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "belfry/base/result.hpp"

namespace belfry {

/// Of a sockaddr_in or sockaddr_in6, in the order of this machine.
std::uint16_t port_of(const sockaddr_storage& storage);
/// The port that the kernel gave to a socket.
std::uint16_t bound_port(int fd);

class SocketAddress {
 public:
  /// No address at all: what `family() == AF_UNSPEC` says.
  SocketAddress() = default;
  /// nullopt when `text` is no address; names are not resolved.
  static std::optional<SocketAddress> parse(const std::string& text, std::uint16_t port);
  /// The same for a listener. Invalid: says what was expected.
  static Result<SocketAddress> to_listen_on(const std::string& text, std::uint16_t port);

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const {
    return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  /// The same host; ports do not count.
  bool same_host(const sockaddr_storage& other) const;
  /// The same host and port: where an answer must come from.
  bool same(const sockaddr_storage& other) const;

 private:
  sockaddr_storage storage_{};
};

}  // namespace belfry
