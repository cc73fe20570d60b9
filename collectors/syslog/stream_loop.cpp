#include "stream_loop.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "belfry/base/text.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry::syslog {
namespace {

/// Bytes of one read: some 300 messages; four of them fill a batch.
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kEventsPerWait = 256;
constexpr int kAcceptsPerRound = 64;
constexpr int kIdleWaitMs = 50;  // how soon a stop is seen
constexpr std::int64_t kSweepNs = 1'000'000'000;
/// A tail that grew beyond this gives its memory back when it is empty again.
constexpr std::size_t kTailKept = 4096;
/// At a stop, reads that empty one connection's socket: more than the kernel holds of it
/// (tcp_rmem), and an end for a sender that never stops.
constexpr int kDrainReads = 1024;

int set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

struct StreamLoop::Connection {
  int fd = -1;
  sockaddr_storage peer{};
  Framer framer;
  std::string tail;            // bytes of an unfinished frame, or all that waits while stalled
  std::int64_t active_ns = 0;  // of the last read
  bool stalled = false;

  explicit Connection(std::size_t frame_bytes_max) : framer(frame_bytes_max) {}
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&peer); }
};

StreamLoop::StreamLoop(const SyslogTcpOptions& options, std::atomic<std::size_t>& connections,
                       Intake& intake, Gauge& gauge)
    : options_(options), total_(connections), intake_(intake), gauge_(gauge) {}

StreamLoop::~StreamLoop() {
  for (const auto& c : connections_) {
    if (c != nullptr) {
      close(c->fd);
    }
  }
  for (const int fd : {listener_, epoll_}) {
    if (fd >= 0) {
      close(fd);
    }
  }
}

Result<void> StreamLoop::open(std::uint16_t port, bool shared) {
  sockaddr_storage where{};
  socklen_t size = 0;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, options_.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&where, &v4, size = sizeof v4);
  } else if (inet_pton(AF_INET6, options_.address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&where, &v6, size = sizeof v6);
  } else {
    return fail(Code::Invalid,
                "'{}' is not an address to listen on: expected IPv4 or IPv6, as 127.0.0.1 or ::",
                printable(options_.address, 60));
  }
  listener_ = socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (listener_ < 0 || epoll_ < 0) {
    return fail(Code::Unavailable, "tcp {}:{}: {}", options_.address, port, std::strerror(errno));
  }
  if (where.ss_family == AF_INET6) {
    set_option(listener_, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  set_option(listener_, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) {
    set_option(listener_, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0) {
    const int error = errno;
    return fail(Code::Unavailable, "tcp {}:{}: {}{}", options_.address, port, std::strerror(error),
                error == EADDRINUSE ? " (is another receiver running? `ss -ltnp` names it)" : "");
  }
  size = sizeof where;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
  std::memcpy(&v4, &where, sizeof v4);  // the port is at the same place in both
  port_ = ntohs(v4.sin_port);
  watch(listener_, true);
  return {};
}

/// Not readable means not in the epoll at all: an error or hang-up would wake it without end.
void StreamLoop::watch(int fd, bool readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_, readable ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &event);
}

void StreamLoop::accept_some() {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) {
        // Out of descriptors: the listener would wake us without end. sweep() looks again.
        watch(listener_, false);
        accepting_ = false;
      }
      return;
    }
    if (total_.load(std::memory_order_relaxed) >= options_.connections_max) {
      intake_.refuse(intake_.source(reinterpret_cast<const sockaddr*>(&peer)), "connections", {});
      close(fd);
      continue;
    }
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    auto connection = std::make_unique<Connection>(options_.frame_bytes_max);
    connection->fd = fd;
    connection->peer = peer;
    connection->active_ns = intake_.boot_ns();
    const auto slot = static_cast<std::size_t>(fd);
    if (connections_.size() <= slot) {
      connections_.resize(slot + 1);
    }
    connections_[slot] = std::move(connection);
    watch(fd, true);
    gauge_.set(static_cast<double>(total_.fetch_add(1, std::memory_order_relaxed) + 1));
  }
}

void StreamLoop::drop(Connection& c) {
  const int fd = c.fd;
  std::erase(stalled_, fd);
  close(fd);
  connections_[static_cast<std::size_t>(fd)].reset();
  gauge_.set(static_cast<double>(total_.fetch_sub(1, std::memory_order_relaxed) - 1));
}

/// Another message may be begun: the batch has room or could be handed over.
bool StreamLoop::room() {
  return !intake_.refusing() && (!intake_.must_flush() || intake_.try_flush(false));
}

void StreamLoop::stall(Connection& c) {
  if (!c.stalled) {
    c.stalled = true;
    stalled_.push_back(c.fd);
    watch(c.fd, false);
  }
}

void StreamLoop::read_some(Connection& c) {
  if (c.stalled) {
    return;
  }
  if (!room()) {
    stall(c);
    return;
  }
  Arena& arena = intake_.arena();
  const std::size_t kept = c.tail.size();
  char* at = arena.allocate(kept + kReadBytes);
  const ssize_t n = recv(c.fd, at + kept, kReadBytes, MSG_DONTWAIT);
  if (n <= 0) {
    const bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    arena.shrink_last(at, 0);
    if (!again) {
      end_of_stream(c);
      drop(c);
    }
    return;
  }
  std::memcpy(at, c.tail.data(), kept);
  const std::size_t size = kept + static_cast<std::size_t>(n);
  arena.shrink_last(at, size);
  c.active_ns = intake_.boot_ns();
  drained_ = drained_ && static_cast<std::size_t>(n) < kReadBytes;
  take_frames(c, {at, size});
}

void StreamLoop::take_message(std::string_view from, std::string_view frame) {
  Event& e = intake_.begin();
  decode(frame, intake_.arena(), intake_.now(), e);
  e.from = from;
  intake_.commit();
}

/// All whole frames of `bytes`, which lie in the arena of the open batch. What is left goes to the
/// tail.
void StreamLoop::take_frames(Connection& c, std::string_view bytes) {
  std::string_view from = intake_.source(c.address());
  std::string_view frame;
  for (;;) {
    if (intake_.must_flush()) {
      // The batch goes away with its arena; the rest of the bytes moves into the next one.
      c.tail.assign(bytes);
      if (!room()) {
        stall(c);
        return;
      }
      bytes = intake_.arena().copy(c.tail);
      from = intake_.source(c.address());
    }
    switch (c.framer.next(bytes, frame)) {
      case FrameStep::Frame:
        if (!frame.empty()) {
          take_message(from, frame);
        }
        break;
      case FrameStep::TooLong:
        intake_.refuse(from, "frame-too-long", bytes.substr(0, 256));
        break;
      case FrameStep::More:
        c.tail.assign(bytes);
        if (bytes.empty() && c.tail.capacity() > kTailKept) {
          std::string().swap(c.tail);
        }
        return;
    }
  }
}

/// The last line needs no LF; a counted frame that was cut is refused.
void StreamLoop::end_of_stream(Connection& c) {
  if (c.tail.empty()) {
    return;
  }
  const std::string_view bytes = intake_.arena().copy(c.tail);
  const std::string_view from = intake_.source(c.address());
  std::string_view frame;
  if (c.framer.last(bytes, frame)) {
    take_message(from, frame);
  } else {
    intake_.refuse(from, "frame-cut", bytes.substr(0, 256));
  }
  c.tail.clear();
}

/// Goes on with the connections that waited for room.
void StreamLoop::resume() {
  if (stalled_.empty() || !room()) {
    return;
  }
  const std::vector<int> waiting = std::exchange(stalled_, {});
  for (const int fd : waiting) {
    Connection& c = *connections_[static_cast<std::size_t>(fd)];
    c.stalled = false;
    if (!room()) {
      c.stalled = true;
      stalled_.push_back(fd);
      continue;
    }
    const std::string_view bytes = intake_.arena().copy(c.tail);
    take_frames(c, bytes);
    if (!c.stalled) {
      watch(c.fd, true);
    }
  }
}

/// Once a second: silent and stuck connections.
void StreamLoop::sweep() {
  const std::int64_t now = intake_.boot_ns();
  if (now - swept_ns_ < kSweepNs) {
    return;
  }
  swept_ns_ = now;
  if (!accepting_) {
    accepting_ = true;
    watch(listener_, true);
  }
  for (const auto& slot : connections_) {
    if (slot == nullptr || slot->stalled || !room()) {
      continue;
    }
    Connection& c = *slot;
    const std::int64_t silent = now - c.active_ns;
    if (!c.tail.empty() && silent >= options_.frame_wait_max.count()) {
      std::string_view frame;
      const bool line = c.framer.last(c.tail, frame);
      end_of_stream(c);
      c.active_ns = now;
      if (!line) {
        drop(c);
      }
    } else if (silent >= options_.idle_max.count()) {
      drop(c);
    }
  }
}

void StreamLoop::run(const std::stop_token& stop) {
  std::array<epoll_event, kEventsPerWait> events;
  swept_ns_ = intake_.boot_ns();
  while (!stop.stop_requested()) {
    const bool soon = intake_.pending() > 0 || !stalled_.empty();
    const int n = epoll_wait(epoll_, events.data(), kEventsPerWait, soon ? 1 : kIdleWaitMs);
    intake_.tick();
    drained_ = true;
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener_) {
        accept_some();
        continue;
      }
      Connection* c = connections_[static_cast<std::size_t>(fd)].get();
      if (c == nullptr) {
        continue;
      }
      read_some(*c);
    }
    resume();
    intake_.try_flush(drained_ && n < kEventsPerWait);
    sweep();
  }
  drain();
}

/// A clean stop: what the kernel holds for open connections is still taken. What the ring does not
/// take within a second is counted, message by message.
void StreamLoop::drain() {
  constexpr int kTries = 1000;
  const timespec pause{0, 1'000'000};
  intake_.tick();
  accept_some();
  for (int i = 0; i < kTries && !stalled_.empty(); ++i) {
    resume();
    if (!stalled_.empty()) {
      nanosleep(&pause, nullptr);
    }
  }
  for (const auto& slot : connections_) {
    char probe = 0;
    for (int read = 0; slot != nullptr && !slot->stalled && read < kDrainReads; ++read) {
      if (recv(slot->fd, &probe, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        break;
      }
      read_some(*slot);
    }
  }
  resume();
  for (const int fd : std::exchange(stalled_, {})) {
    abandon(*connections_[static_cast<std::size_t>(fd)]);
  }
  intake_.close();
}

void StreamLoop::abandon(Connection& c) {
  std::string_view bytes = c.tail, frame;
  const std::string_view from = intake_.source(c.address());
  for (FrameStep step = c.framer.next(bytes, frame); step != FrameStep::More;
       step = c.framer.next(bytes, frame)) {
    intake_.refuse(from, "stopped", frame.substr(0, 256));
  }
}

}  // namespace belfry::syslog
