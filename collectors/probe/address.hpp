#pragma once
// Address: a literal IPv4 or IPv6 address with a port, as the kernel takes it.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace belfry::probe {

class Address {
 public:
  static std::optional<Address> parse(const std::string& text, std::uint16_t port);
  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const {
    return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  /// The same host; ports do not count.
  bool same_host(const sockaddr_storage& other) const;

 private:
  sockaddr_storage storage_{};
};

}  // namespace belfry::probe
