#include "icmp.hpp"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace belfry::probe {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kTokenAt = kHeaderBytes + sizeof(std::uint64_t);
constexpr std::size_t kEchoBytes = kTokenAt + sizeof(Token) + sizeof(std::uint32_t);  // even
// 1 MiB: the answers of 10,000 targets whose line comes back at once (some 80 bytes each).
constexpr int kReceiveBytes = 1 << 20;
// Replies that one call may take before others get their turn.
constexpr int kForeignMax = 64;

std::uint16_t checksum(const unsigned char* bytes, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  while ((sum >> 16) != 0) {
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

void put16(unsigned char* at, std::uint16_t v) {
  at[0] = static_cast<unsigned char>(v >> 8);
  at[1] = static_cast<unsigned char>(v & 0xff);
}

}  // namespace

Icmp::~Icmp() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<void> Icmp::open(int family, std::uint64_t magic) {
  family_ = family;
  magic_ = magic;
  const int protocol =
      family == AF_INET ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  fd_ = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd_ < 0) {
    raw_ = true;
    fd_ = ::socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  }
  if (fd_ < 0) {
    return fail(Code::Unavailable,
                "ICMP is not allowed here ({}): set net.ipv4.ping_group_range to a range with this "
                "group, or give "
                "the program CAP_NET_RAW, or take the roles out of probes.icmp_roles",
                std::system_category().message(errno));
  }
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  if (raw_ && family == AF_INET) {
    icmp_filter only_replies{};
    only_replies.data = ~(1U << ICMP_ECHOREPLY);
    ::setsockopt(fd_, SOL_RAW, ICMP_FILTER, &only_replies, sizeof only_replies);
  } else if (raw_) {
    icmp6_filter only_replies;
    ICMP6_FILTER_SETBLOCKALL(&only_replies);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies);
    ::setsockopt(fd_, IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies, sizeof only_replies);
  }
  return {};
}

Icmp::Sent Icmp::send(const SocketAddress& to, Token token) {
  std::array<unsigned char, kEchoBytes> packet{};
  packet[0] = family_ == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
  put16(&packet[4], static_cast<std::uint16_t>(magic_));  // the kernel sets its own on SOCK_DGRAM
  put16(&packet[6], ++sequence_);
  std::memcpy(&packet[kHeaderBytes], &magic_, sizeof magic_);
  std::memcpy(&packet[kTokenAt], &token, sizeof token);
  if (family_ == AF_INET) {
    put16(&packet[2], checksum(packet.data(), packet.size()));
  }
  if (::sendto(fd_, packet.data(), packet.size(), 0, to.get(), to.size()) >= 0) {
    return Sent::Ok;
  }
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR
             ? Sent::Later
             : Sent::Failed;
}

std::optional<Icmp::Reply> Icmp::receive() {
  std::array<unsigned char, 512> packet;
  for (int n = 0; n < kForeignMax; ++n) {
    Reply reply;
    socklen_t size = sizeof reply.from;
    const auto got = ::recvfrom(fd_, packet.data(), packet.size(), 0,
                                reinterpret_cast<sockaddr*>(&reply.from), &size);
    if (got < 0) {
      return std::nullopt;
    }
    const auto bytes = static_cast<std::size_t>(got);
    // A raw IPv4 socket gives the IP header too.
    const std::size_t skip =
        raw_ && family_ == AF_INET && bytes > 0 ? std::size_t{4} * (packet[0] & 0x0fU) : 0;
    if (bytes < skip + kEchoBytes) {
      continue;
    }
    const unsigned char* at = packet.data() + skip;
    std::uint64_t magic = 0;
    std::memcpy(&magic, at + kHeaderBytes, sizeof magic);
    if (at[0] != (family_ == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) || magic != magic_) {
      continue;
    }
    std::memcpy(&reply.token, at + kTokenAt, sizeof reply.token);
    return reply;
  }
  return std::nullopt;
}

}  // namespace belfry::probe
