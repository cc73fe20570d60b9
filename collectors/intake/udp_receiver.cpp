#include "belfry/intake/udp_receiver.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "belfry/base/text.hpp"
#include "belfry/intake/socket_address.hpp"
#include "belfry/runtime/log.hpp"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

namespace belfry {
namespace {

constexpr unsigned kSlots = 32;
constexpr std::size_t kDatagramBytesMax = 65'535;
/// Distance of two slots: a datagram of the greatest size, and 5 cache lines more, so that the
/// heads of all slots do not fall into the same sets of the cache.
constexpr std::size_t kSlotStride = 64 * 1024 + 5 * 64;
constexpr std::size_t kControlBytes = 128;
constexpr int kPollIdleMs = 50;  // how soon a stop is seen
/// Above 20,000 datagrams a second a short sleep gathers more for one call; the socket's buffer
/// holds what comes meanwhile (300 us at 300,000/s: 90 datagrams).
constexpr std::int64_t kBusyNsPerDatagram = 50'000;
constexpr long kGatherNs = 300'000;
constexpr int kMeminfoDrops = 8;  // SK_MEMINFO_DROPS

struct Fd {
  int value = -1;
  Fd() = default;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  void reset(int fd = -1) {
    if (value >= 0) {
      close(value);
    }
    value = fd;
  }
};

int set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/// Steers by source address: one device is always one socket of the group, whatever its port is.
/// The answer of the program is the index of the socket in the group.
void steer(int fd, unsigned sockets) {
  constexpr auto kNet = static_cast<std::uint32_t>(SKF_NET_OFF);
  const std::array<sock_filter, 13> program{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNet),          // version and header length
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),            //
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 2, 0),      // IPv6: skip two
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNet + 12),     // IPv4 source
      BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),               //
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNet + 8),      // IPv6 source: the network half and the
      BPF_STMT(BPF_MISC | BPF_TAX, 0),                   // last word tell devices apart
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNet + 20),     //
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),            //
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1U),  // neighbours spread over sockets
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),           //
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),      //
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
  std::array<sock_filter, 13> copy = program;
  const sock_fprog filter{static_cast<unsigned short>(copy.size()), copy.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) != 0) {
    log::warn("intake",
              "steering by source address is not possible here ({}): the kernel spreads by address "
              "and port",
              std::strerror(errno));
  }
}

}  // namespace

struct UdpReceiver::Impl {
  UdpOptions options;
  Fd fd;
  std::uint16_t port = 0;
  std::unique_ptr<char[]> bytes{new char[kSlots * kSlotStride]};
  std::array<mmsghdr, kSlots> messages{};
  std::array<iovec, kSlots> vectors{};
  std::array<sockaddr_storage, kSlots> peers{};
  std::array<std::array<char, kControlBytes>, kSlots> controls{};
  unsigned count = 0, at = 0;        // received messages, the one being taken
  std::size_t offset = 0, step = 0;  // in a train of datagrams (UDP_GRO)
  unsigned current = 0;              // whom reply() answers
  std::uint32_t drops = 0;           // the kernel's counter, as last seen
  std::uint64_t burst = 0;           // datagrams since the last wait
  std::int64_t waited_ns = 0;

  void prepare() {
    for (unsigned i = 0; i < kSlots; ++i) {
      vectors[i] = {bytes.get() + i * kSlotStride, kDatagramBytesMax};
      msghdr& h = messages[i].msg_hdr;
      h.msg_name = &peers[i];
      h.msg_namelen = sizeof(sockaddr_storage);
      h.msg_iov = &vectors[i];
      h.msg_iovlen = 1;
      h.msg_control = controls[i].data();
      h.msg_controllen = kControlBytes;
      h.msg_flags = 0;
    }
  }

  void see_drops(std::uint32_t now, Intake& intake) {
    const std::uint32_t more = now - drops;  // wraps with the kernel's counter
    if (more > 0 && more < 0x80000000U) {
      intake.lost({}, "socket-overflow", more);
      drops = now;
    }
  }

  /// Reads what the kernel says beside message i: size of one datagram of a train, drops.
  std::size_t read_control(unsigned i, Intake& intake) {
    std::size_t segment = 0;
    msghdr& h = messages[i].msg_hdr;
    for (cmsghdr* c = CMSG_FIRSTHDR(&h); c != nullptr; c = CMSG_NXTHDR(&h, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
        std::uint32_t n = 0;
        std::memcpy(&n, CMSG_DATA(c), sizeof n);
        see_drops(n, intake);
      } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
        int n = 0;
        std::memcpy(&n, CMSG_DATA(c), sizeof n);
        segment = n > 0 ? static_cast<std::size_t>(n) : 0;
      }
    }
    return segment;
  }

  /// Drops that no later datagram will tell of.
  void ask_drops(Intake& intake) {
    std::array<std::uint32_t, 16> info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd.value, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0 &&
        size > kMeminfoDrops * sizeof(std::uint32_t)) {
      see_drops(info[kMeminfoDrops], intake);
    }
  }

  std::function<bool()> round;

  bool receive() {
    prepare();
    const int n = recvmmsg(fd.value, messages.data(), kSlots, MSG_DONTWAIT, nullptr);
    count = n > 0 ? static_cast<unsigned>(n) : 0;
    at = 0;
    offset = 0;
    step = 0;
    return count > 0;
  }

  /// More datagrams came since the last wait than a call each is worth.
  bool busy(std::int64_t now_ns) const {
    return now_ns - waited_ns < static_cast<std::int64_t>(burst) * kBusyNsPerDatagram;
  }

  void wait(bool gather, const Intake& intake, bool soon) {
    burst = 0;
    waited_ns = intake.boot_ns();
    if (gather) {
      const timespec pause{0, kGatherNs};
      nanosleep(&pause, nullptr);
      return;
    }
    pollfd p{fd.value, POLLIN, 0};
    poll(&p, 1, soon || intake.pending() > 0 ? 1 : kPollIdleMs);
  }
};

UdpReceiver::UdpReceiver(UdpOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
UdpReceiver::~UdpReceiver() = default;
UdpReceiver::UdpReceiver(UdpReceiver&&) noexcept = default;
UdpReceiver& UdpReceiver::operator=(UdpReceiver&&) noexcept = default;

Result<void> UdpReceiver::open() {
  Impl& m = *impl_;
  BELFRY_TRY(SocketAddress address, SocketAddress::to_listen_on(m.options.address, m.options.port));
  m.fd.reset(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (m.fd.value < 0 && address.family() == AF_INET6 && m.options.address == "::") {
    BELFRY_TRY(address,
               SocketAddress::to_listen_on("0.0.0.0", m.options.port));  // a machine without IPv6
    m.fd.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
  const int fd = m.fd.value;
  if (fd < 0) {
    return fail(Code::Unavailable, "udp {}:{}: {}", m.options.address, m.options.port,
                std::strerror(errno));
  }
  if (address.family() == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  if (m.options.sockets > 1) {
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  const int wanted = static_cast<int>(m.options.receive_buffer_bytes / 2);  // the kernel doubles it
  if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, wanted) != 0) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, wanted);
  }
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (m.options.gro) {
    set_option(fd, SOL_UDP, UDP_GRO, 1);  // an old kernel gives single datagrams
  }
  if (bind(fd, address.get(), address.size()) != 0) {
    const int error = errno;
    m.fd.reset();
    return fail(Code::Unavailable, "udp {}:{}: {}{}", m.options.address, m.options.port,
                std::strerror(error),
                error == EADDRINUSE ? " (is another receiver running? `ss -lunp` names it)" : "");
  }
  int got = 0;
  socklen_t got_size = sizeof got;
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &got_size) == 0 &&
      static_cast<std::size_t>(got) < m.options.receive_buffer_bytes) {
    log::info("intake",
              "udp {}:{}: the kernel gives {} KiB of receive buffer instead of {}: raise "
              "net.core.rmem_max",
              m.options.address, m.options.port, got / 1024, m.options.receive_buffer_bytes / 1024);
  }
  m.port = bound_port(fd);
  if (m.options.sockets > 1) {
    steer(fd, m.options.sockets);
  }
  return {};
}

std::uint16_t UdpReceiver::port() const { return impl_->port; }
int UdpReceiver::socket() const { return impl_->fd.value; }

void UdpReceiver::on_round(std::function<bool()> round) { impl_->round = std::move(round); }

bool UdpReceiver::next(const std::stop_token& stop, Intake& intake) {
  Impl& m = *impl_;
  for (;;) {
    intake.try_flush(false);
    const bool soon = m.round && m.round();
    if (m.receive()) {
      m.burst += m.count;
      intake.tick();
      return true;
    }
    m.ask_drops(intake);
    // In a stream of datagrams a batch is left to grow for its 2 ms, also when the fold is idle.
    const bool gather = m.busy(intake.boot_ns()) && !stop.stop_requested();
    intake.try_flush(!gather);
    if (stop.stop_requested()) {
      intake.close();
      return false;
    }
    m.wait(gather, intake, soon);
  }
}

bool UdpReceiver::take(Intake& intake, Datagram& out) {
  Impl& m = *impl_;
  for (;;) {
    if (m.at >= m.count) {
      return false;
    }
    const unsigned i = m.at;
    const std::size_t size = std::min<std::size_t>(m.messages[i].msg_len, kDatagramBytesMax);
    if (m.offset == 0) {
      m.step = m.read_control(i, intake);
    }
    const std::size_t length = m.step == 0 ? size : std::min(m.step, size - m.offset);
    const char* from = m.bytes.get() + i * kSlotStride + m.offset;
    m.offset += length;
    if (m.offset >= size) {
      ++m.at;
      m.offset = 0;
    }
    while (intake.must_flush() && !intake.try_flush(false)) {
      intake.shed();
    }
    m.current = i;
    out.source = intake.source(reinterpret_cast<const sockaddr*>(&m.peers[i]));
    out.source_port = port_of(m.peers[i]);
    out.received = intake.now();
    if (intake.refusing()) [[unlikely]] {
      intake.refuse(out.source, "refusing", {from, length});
      continue;
    }
    out.bytes = intake.arena().copy({from, length});
    return true;
  }
}

UdpReceiver::Peer UdpReceiver::peer() const {
  Peer p;
  const msghdr& h = impl_->messages[impl_->current].msg_hdr;
  p.size = std::min<std::uint32_t>(h.msg_namelen, sizeof p.address);
  std::memcpy(p.address, &impl_->peers[impl_->current], p.size);
  return p;
}

bool UdpReceiver::send_to(const Peer& peer, std::string_view bytes) {
  return sendto(impl_->fd.value, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(peer.address),
                peer.size) == static_cast<ssize_t>(bytes.size());
}

bool UdpReceiver::reply(std::string_view bytes) { return send_to(peer(), bytes); }

}  // namespace belfry
