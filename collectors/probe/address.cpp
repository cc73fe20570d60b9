#include "address.hpp"

#include <arpa/inet.h>

namespace belfry::probe {

std::optional<Address> Address::parse(const std::string& text, std::uint16_t port) {
  Address out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage_, &v4, sizeof v4);
    return out;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.storage_, &v6, sizeof v6);
    return out;
  }
  return std::nullopt;
}

bool Address::same_host(const sockaddr_storage& other) const {
  if (other.ss_family != storage_.ss_family) {
    return false;
  }
  if (family() == AF_INET) {
    sockaddr_in a{}, b{};
    std::memcpy(&a, &storage_, sizeof a);
    std::memcpy(&b, &other, sizeof b);
    return a.sin_addr.s_addr == b.sin_addr.s_addr;
  }
  sockaddr_in6 a{}, b{};
  std::memcpy(&a, &storage_, sizeof a);
  std::memcpy(&b, &other, sizeof b);
  return std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
}

}  // namespace belfry::probe
