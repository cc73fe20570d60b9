#include "belfry/intake/socket_address.hpp"

#include <arpa/inet.h>

#include <cstring>

#include "address.hpp"
#include "belfry/base/text.hpp"

namespace belfry {

std::uint16_t port_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    return ntohs(v6.sin6_port);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  return ntohs(v4.sin_port);
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 ? port_of(bound) : 0;
}

std::optional<SocketAddress> SocketAddress::parse(const std::string& text, std::uint16_t port) {
  SocketAddress out;
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

Result<SocketAddress> SocketAddress::to_listen_on(const std::string& text, std::uint16_t port) {
  if (const auto out = parse(text, port)) {
    return *out;
  }
  return fail(Code::Invalid,
              "'{}' is not an address to listen on: expected IPv4 or IPv6, as 127.0.0.1 or ::",
              printable(text, 60));
}

bool SocketAddress::same_host(const sockaddr_storage& other) const {
  return other.ss_family == storage_.ss_family &&
         intake::address_bytes(get()) ==
             intake::address_bytes(reinterpret_cast<const sockaddr*>(&other));
}

bool SocketAddress::same(const sockaddr_storage& other) const {
  return same_host(other) && port_of(storage_) == port_of(other);
}

}  // namespace belfry
