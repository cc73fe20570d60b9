#include "attempt.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace belfry::probe {

std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  const auto got = ::getrandom(out.data(), n, 0);
  return got == static_cast<ssize_t>(n) ? out : std::string{};
}

const CheckSpec& spec_of(const ProbeTarget& target) {
  static const CheckSpec kDefaults;
  return target.spec != nullptr ? *target.spec : kDefaults;
}

int open_socket(const SocketAddress& address, int type, const CheckSpec& spec) {
  const int fd = ::socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || spec.source.empty()) {
    return fd;
  }
  const auto from = SocketAddress::parse(spec.source, 0);
  if (!from || ::bind(fd, from->get(), from->size()) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

std::string error_text(int error) {
  std::string text = std::system_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

std::unique_ptr<Attempt> make_attempt(const ProbeTarget& target, const SocketAddress& address,
                                      Shared& shared) {
  switch (target.check) {
    case ProbeCheck::Icmp:  // the prober's own: all targets share its sockets
      return nullptr;
    case ProbeCheck::Plugin:
      return make_plugin(target, shared);
    case ProbeCheck::Dns:
    case ProbeCheck::Ntp:
    case ProbeCheck::Radius:
      return make_datagram(target, address, shared);
    case ProbeCheck::Tcp:
    case ProbeCheck::Http:
    case ProbeCheck::Tls:
    case ProbeCheck::Smtp:
      return make_stream(target, address, shared);
  }
  return nullptr;
}

}  // namespace belfry::probe
