#include "stream_loop.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "belfry/base/text.hpp"
#include "belfry/intake/socket_address.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry::syslog {
namespace {

/// Bytes of one read: some 300 messages; four of them fill a batch.
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kEventsPerWait = 256;
constexpr int kAcceptsPerRound = 64;
constexpr timespec kIdleWait{0, 50'000'000};  // how soon a stop is seen
constexpr timespec kSoonWait{0, 1'000'000};   // a batch ages, a stalled connection looks again
constexpr timespec kAckWait{0, 200'000};      // responses wait for a commit: windows are small
constexpr std::int64_t kSweepNs = 1'000'000'000;
/// A tail that grew beyond this gives its memory back when it is empty again.
constexpr std::size_t kTailKept = 4096;
/// At a stop, reads that empty one connection's socket: more than the kernel holds of it
/// (tcp_rmem), and an end for a sender that never stops.
constexpr int kDrainReads = 1024;
constexpr int kDrainWaitsMs = 2000;  // at a stop, for commits that RELP clients wait for
/// Responses of one RELP client that it does not read; beyond it, it is not read either.
constexpr std::size_t kOutMax = 256 * 1024;
constexpr std::size_t kSampleBytes = 256;
constexpr timespec kPause{0, 1'000'000};

int set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/// Writing through OpenSSL to a connection that is gone must not end the process.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

StreamShared::Admission StreamShared::admit(const std::string& source,
                                            const SyslogTcpOptions& options) {
  const absl::MutexLock lock(&mutex_);
  if (total_.load(std::memory_order_relaxed) >= options.connections_max) {
    return Admission::Full;
  }
  std::size_t& of_source = by_source_[source];
  if (of_source >= options.connections_per_source_max) {
    return Admission::SourceFull;
  }
  ++of_source;
  total_.fetch_add(1, std::memory_order_relaxed);
  return Admission::Yes;
}

void StreamShared::leave(const std::string& source) {
  const absl::MutexLock lock(&mutex_);
  total_.fetch_sub(1, std::memory_order_relaxed);
  const auto it = by_source_.find(source);
  if (it != by_source_.end() && --it->second == 0) {
    by_source_.erase(it);
  }
}

StreamMetrics::StreamMetrics(Metrics& m, std::string_view collector)
    : connections(
          m.gauge("belfry_syslog_connections", "Open syslog streams", {{"collector", collector}})),
      handshakes(m.counter("belfry_tls_handshakes_total", "TLS handshakes of syslog streams",
                           {{"collector", collector}, {"result", "ok"}})),
      handshakes_failed(m.counter("belfry_tls_handshakes_total", "TLS handshakes of syslog streams",
                                  {{"collector", collector}, {"result", "failed"}})),
      acknowledged(m.counter("belfry_relp_acknowledged_total",
                             "RELP messages answered after their commit",
                             {{"collector", collector}})) {}

StreamLoop::StreamLoop(const SyslogTcpOptions& options, StreamShared& shared, Intake& intake,
                       StreamMetrics& metrics)
    : options_(options), shared_(shared), intake_(intake), metrics_(metrics) {}

StreamLoop::~StreamLoop() {
  for (const int fd : {listener_, epoll_}) {
    if (fd >= 0) {
      close(fd);
    }
  }
}

Result<void> StreamLoop::open(std::uint16_t port, bool shared) {
  BELFRY_TRY(const SocketAddress where, SocketAddress::to_listen_on(options_.address, port));
  listener_ = socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (listener_ < 0 || epoll_ < 0) {
    return fail(Code::Unavailable, "tcp {}:{}: {}", options_.address, port, std::strerror(errno));
  }
  if (where.family() == AF_INET6) {
    set_option(listener_, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  set_option(listener_, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) {
    set_option(listener_, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (bind(listener_, where.get(), where.size()) != 0 || listen(listener_, SOMAXCONN) != 0) {
    const int error = errno;
    return fail(Code::Unavailable, "tcp {}:{}: {}{}", options_.address, port, std::strerror(error),
                error == EADDRINUSE ? " (is another receiver running? `ss -ltnp` names it)" : "");
  }
  port_ = bound_port(listener_);
  watch_listener(true);
  return {};
}

// ---- connections --------------------------------------------------------------------------------

void StreamLoop::watch_listener(bool on) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  epoll_ctl(epoll_, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_, &event);
}

/// Nothing to wait for means not in the epoll at all: an error or hang-up would wake it without
/// end.
void StreamLoop::watch(Connection& c) {
  const std::uint32_t wanted = c.wanted();
  if (wanted == c.interest) {
    return;
  }
  epoll_event event{};
  event.events = wanted;
  event.data.fd = c.fd;
  epoll_ctl(epoll_,
            wanted == 0       ? EPOLL_CTL_DEL
            : c.interest == 0 ? EPOLL_CTL_ADD
                              : EPOLL_CTL_MOD,
            c.fd, &event);
  c.interest = wanted;
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
        watch_listener(false);
        accepting_ = false;
      }
      return;
    }
    accept_one(fd, peer);
  }
}

void StreamLoop::accept_one(int fd, const sockaddr_storage& peer) {
  const std::string_view from = intake_.source(reinterpret_cast<const sockaddr*>(&peer));
  std::string source(from);
  const auto admission = shared_.admit(source, options_);
  if (admission != StreamShared::Admission::Yes) {
    intake_.refuse(
        from, admission == StreamShared::Admission::Full ? "connections" : "connections-of-source",
        {});
    close(fd);
    return;
  }
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  if (is_relp()) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  }
  auto connection = std::make_unique<Connection>(options_.frame_bytes_max);
  connection->fd = fd;
  connection->peer = peer;
  connection->source = std::move(source);
  connection->accepted_ns = connection->active_ns = intake_.boot_ns();
  if (auto tls = shared_.tls()) {
    connection->tls = std::make_unique<TlsSession>(std::move(tls), fd);
    connection->ready = false;
  }
  const auto slot = static_cast<std::size_t>(fd);
  if (connections_.size() <= slot) {
    connections_.resize(slot + 1);
  }
  connections_[slot] = std::move(connection);
  watch(*connections_[slot]);
  metrics_.connections.set(static_cast<double>(shared_.connections()));
}

void StreamLoop::drop(Connection& c) {
  const int fd = c.fd;
  std::erase(stalled_, fd);
  std::erase(waiting_, fd);
  std::erase(again_, fd);
  std::erase(broken_, fd);
  shared_.leave(c.source);
  connections_[static_cast<std::size_t>(fd)].reset();
  metrics_.connections.set(static_cast<double>(shared_.connections()));
}

/// False: it failed and is gone.
bool StreamLoop::shake_hands(Connection& c) {
  switch (c.tls->handshake()) {
    case TlsSession::Step::Done:
      c.ready = true;
      c.active_ns = intake_.boot_ns();
      metrics_.handshakes.add();
      watch(c);
      return true;
    case TlsSession::Step::Again:
      watch(c);
      return true;
    case TlsSession::Step::Failed:
      break;
  }
  if (!c.tls->why().empty()) {
    metrics_.handshakes_failed.add();
    intake_.refuse(intake_.source(c.address()), c.tls->why(), {});
  }
  drop(c);
  return false;
}

void StreamLoop::on_event(Connection& c, std::uint32_t events) {
  if (!c.ready && (!shake_hands(c) || !c.ready)) {
    return;
  }
  if (!c.out.empty() && !flush(c)) {
    return;
  }
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0 || c.tls) {
    read_some(c);
  }
}

// ---- reading ------------------------------------------------------------------------------------

/// Another message may be begun: the batch has room or could be handed over.
bool StreamLoop::room() {
  return !intake_.refusing() && (!intake_.must_flush() || intake_.try_flush(false));
}

void StreamLoop::stall(Connection& c) {
  if (!c.stalled) {
    c.stalled = true;
    stalled_.push_back(c.fd);
    watch(c);
  }
}

/// True when something was read and the connection is still there.
bool StreamLoop::read_some(Connection& c) {
  if (c.stalled || c.closing) {
    return false;
  }
  if (!room()) {
    stall(c);
    return false;
  }
  Arena& arena = intake_.arena();
  const std::size_t kept = c.tail.size();
  char* at = arena.allocate(kept + kReadBytes);
  const ssize_t n = c.read(at + kept, kReadBytes);
  if (n <= 0) {
    const bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    arena.shrink_last(at, 0);
    if (again) {
      watch(c);
    } else {
      end_of_stream(c);
      drop(c);
    }
    return false;
  }
  std::memcpy(at, c.tail.data(), kept);
  const std::size_t size = kept + static_cast<std::size_t>(n);
  arena.shrink_last(at, size);
  c.active_ns = intake_.boot_ns();
  drained_ = drained_ && static_cast<std::size_t>(n) < kReadBytes;
  const Took took = take(c, {at, size});
  if (took == Took::Close) {
    drop(c);
    return false;
  }
  if (took == Took::All && c.pending()) {
    again_.push_back(c.fd);
  }
  watch(c);
  return true;
}

StreamLoop::Took StreamLoop::take(Connection& c, std::string_view bytes) {
  return is_relp() ? take_relp(c, bytes) : take_lines(c, bytes);
}

StreamLoop::Speaker StreamLoop::speaker(Connection& c) {
  Speaker who;
  who.from = intake_.source(c.address());
  if (!c.identity().empty()) {
    who.node = intake_.proven(c.identity());
  }
  return who;
}

void StreamLoop::take_message(const Speaker& who, std::string_view frame, bool cut) {
  Event& e = intake_.begin();
  decode(frame, intake_.arena(), intake_.now(), e);
  if (cut) {
    e.valid = false;
    e.why = "too-long";
  }
  e.from = who.from;
  e.node = who.node;
  intake_.commit();
  last_batch_ = intake_.open_batch();
}

/// The batch goes away with its arena; the rest of the bytes moves into the next one. False: there
/// is no room, the connection is stalled.
bool StreamLoop::next_batch(Connection& c, std::string_view& bytes, Speaker& who) {
  c.tail.assign(bytes);
  if (!room()) {
    stall(c);
    return false;
  }
  bytes = intake_.arena().copy(c.tail);
  who = speaker(c);
  return true;
}

/// All whole frames of `bytes`, which lie in the arena of the open batch. What is left goes to the
/// tail.
StreamLoop::Took StreamLoop::take_lines(Connection& c, std::string_view bytes) {
  Speaker who = speaker(c);
  std::string_view frame;
  for (;;) {
    if (intake_.must_flush() && !next_batch(c, bytes, who)) {
      return Took::Stalled;
    }
    switch (c.framer.next(bytes, frame)) {
      case FrameStep::Frame:
        if (!frame.empty()) {
          take_message(who, frame, false);
        }
        break;
      case FrameStep::TooLong:
        intake_.refuse(who.from, "frame-too-long", bytes.substr(0, kSampleBytes));
        break;
      case FrameStep::More:
        c.tail.assign(bytes);
        if (bytes.empty() && c.tail.capacity() > kTailKept) {
          std::string().swap(c.tail);
        }
        return Took::All;
    }
  }
}

StreamLoop::Took StreamLoop::take_relp(Connection& c, std::string_view bytes) {
  Speaker who = speaker(c);
  RelpFrame frame;
  for (;;) {
    if (intake_.must_flush() && !next_batch(c, bytes, who)) {
      return Took::Stalled;
    }
    if (c.acks.full() || c.out.size() > kOutMax) {
      c.tail.assign(bytes);
      stall(c);
      return Took::Stalled;
    }
    switch (c.relp.next(bytes, frame)) {
      case RelpStep::Frame:
        if (!relp_frame(c, who, frame)) {
          return Took::Close;
        }
        if (c.closing) {
          c.tail.clear();
          return Took::All;
        }
        break;
      case RelpStep::Broken:
        intake_.refuse(who.from, "relp-broken", bytes.substr(0, kSampleBytes));
        return Took::Close;
      case RelpStep::More:
        c.tail.assign(bytes);
        if (bytes.empty() && c.tail.capacity() > kTailKept) {
          std::string().swap(c.tail);
        }
        return Took::All;
    }
  }
}

/// False: nothing more is said to this client.
bool StreamLoop::relp_frame(Connection& c, const Speaker& who, const RelpFrame& frame) {
  if (frame.command == "syslog" && c.opened) {
    if (!frame.data.empty()) {
      take_message(who, frame.data, frame.cut);
    }
    if (c.acks.empty()) {
      waiting_.push_back(c.fd);
    }
    c.acks.add(last_batch_, frame.txnr);
    return true;
  }
  if (frame.command == "open" && !c.opened) {
    const std::string answer = answer_offers(frame.data);
    c.opened = !answer.empty();
    append_response(c.out, frame.txnr,
                    c.opened ? answer : "500 expected an offer of commands=syslog");
    return flush(c) && c.opened;
  }
  if (frame.command == "close") {
    c.closing = true;
    c.close_txnr = frame.txnr;
    if (c.acks.empty()) {
      waiting_.push_back(c.fd);
    }
    return true;
  }
  intake_.refuse(who.from, "relp-command", frame.command);
  append_response(c.out, frame.txnr, "500 expected open, syslog or close");
  return flush(c);
}

/// The last line needs no LF; a counted frame that was cut is refused. What RELP did not confirm is
/// sent again.
void StreamLoop::end_of_stream(Connection& c) {
  if (c.tail.empty() || is_relp()) {
    return;
  }
  const std::string_view bytes = intake_.arena().copy(c.tail);
  const Speaker who = speaker(c);
  std::string_view frame;
  if (c.framer.last(bytes, frame)) {
    take_message(who, frame, false);
  } else {
    intake_.refuse(who.from, "frame-cut", bytes.substr(0, kSampleBytes));
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
    if (!room() || c.acks.full() || c.out.size() > kOutMax) {
      stalled_.push_back(fd);
      continue;
    }
    c.stalled = false;
    const std::string_view bytes = intake_.arena().copy(c.tail);
    const Took took = take(c, bytes);
    if (took == Took::Close) {
      drop(c);
      continue;
    }
    if (took == Took::All && c.tls) {
      again_.push_back(fd);
    }
    watch(c);
  }
}

// ---- RELP: answers ------------------------------------------------------------------------------

/// Sends what waits. False: the connection broke and is gone.
bool StreamLoop::flush(Connection& c) {
  std::size_t done = 0;
  while (done < c.out.size()) {
    const ssize_t n = c.write(std::string_view(c.out).substr(done));
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && errno == EAGAIN) {
      break;
    } else {
      broken_.push_back(c.fd);
      c.out.clear();
      c.closing = true;
      watch(c);
      return false;
    }
  }
  c.out.erase(0, done);
  watch(c);
  return true;
}

/// Releases the responses of what is durable.
void StreamLoop::answer() {
  for (const int fd : std::exchange(broken_, {})) {
    if (connections_[static_cast<std::size_t>(fd)] != nullptr) {
      drop(*connections_[static_cast<std::size_t>(fd)]);
    }
  }
  if (waiting_.empty()) {
    return;
  }
  const std::uint64_t committed = intake_.committed();
  for (const int fd : std::exchange(waiting_, {})) {
    Connection& c = *connections_[static_cast<std::size_t>(fd)];
    metrics_.acknowledged.add(c.acks.release(committed, c.out));
    if (c.closing && c.acks.empty() && c.close_txnr != 0) {
      append_response(c.out, std::exchange(c.close_txnr, 0), {});
      c.out += "0 serverclose 0\n";
    }
    if (!flush(c)) {
      continue;
    }
    if (c.closing && c.acks.empty() && c.out.empty()) {
      drop(c);
    } else if (!c.acks.empty() || c.closing) {
      waiting_.push_back(fd);
    }
  }
}

// ---- the loop -----------------------------------------------------------------------------------

/// Once a second: silent and stuck connections.
void StreamLoop::sweep() {
  const std::int64_t now = intake_.boot_ns();
  if (now - swept_ns_ < kSweepNs) {
    return;
  }
  swept_ns_ = now;
  if (!accepting_) {
    accepting_ = true;
    watch_listener(true);
  }
  for (const auto& slot : connections_) {
    if (slot != nullptr && !slot->stalled && room()) {
      sweep_one(*slot, now);
    }
  }
}

void StreamLoop::sweep_one(Connection& c, std::int64_t now) {
  if (!c.ready) {
    if (now - c.accepted_ns >= options_.tls.handshake_max.count()) {
      metrics_.handshakes_failed.add();
      intake_.refuse(intake_.source(c.address()), "tls-handshake-timeout", {});
      drop(c);
    }
    return;
  }
  const std::int64_t silent = now - c.active_ns;
  if (!c.tail.empty() && silent >= options_.frame_wait_max.count()) {
    std::string_view frame;
    const bool line = !is_relp() && c.framer.last(c.tail, frame);
    if (is_relp()) {
      intake_.refuse(intake_.source(c.address()), "frame-cut",
                     std::string_view(c.tail).substr(0, kSampleBytes));
    }
    end_of_stream(c);
    c.active_ns = now;
    if (!line) {
      drop(c);
    }
  } else if (silent >= options_.idle_max.count()) {
    drop(c);
  }
}

void StreamLoop::run(const std::stop_token& stop) {
  block_sigpipe();
  std::array<epoll_event, kEventsPerWait> events;
  swept_ns_ = intake_.boot_ns();
  while (!stop.stop_requested()) {
    const bool soon = intake_.pending() > 0 || !stalled_.empty();
    const timespec wait = !again_.empty()     ? timespec{}
                          : !waiting_.empty() ? kAckWait
                          : soon              ? kSoonWait
                                              : kIdleWait;
    const int n = epoll_pwait2(epoll_, events.data(), kEventsPerWait, &wait, nullptr);
    intake_.tick();
    drained_ = true;
    const std::vector<int> again = std::exchange(again_, {});
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener_) {
        accept_some();
      } else if (Connection* c = connections_[static_cast<std::size_t>(fd)].get(); c != nullptr) {
        on_event(*c, events[static_cast<std::size_t>(i)].events);
      }
    }
    for (const int fd : again) {
      if (Connection* c = connections_[static_cast<std::size_t>(fd)].get(); c && c->ready) {
        read_some(*c);
      }
    }
    resume();
    intake_.try_flush(drained_ && n < kEventsPerWait);
    answer();
    sweep();
  }
  drain();
  for (const auto& slot : connections_) {  // here, where SIGPIPE is blocked: TLS says goodbye
    if (slot != nullptr) {
      drop(*slot);
    }
  }
}

/// A clean stop: what the kernel holds for open connections is still taken. What the ring does not
/// take within a second is counted, message by message.
void StreamLoop::drain() {
  constexpr int kTries = 1000;
  intake_.tick();
  if (is_relp()) {
    drain_relp();
    return;
  }
  accept_some();
  for (int i = 0; i < kTries && !stalled_.empty(); ++i) {
    resume();
    if (!stalled_.empty()) {
      nanosleep(&kPause, nullptr);
    }
  }
  for (std::size_t fd = 0; fd < connections_.size(); ++fd) {
    for (int read = 0; read < kDrainReads; ++read) {
      Connection* c = connections_[fd].get();
      if (c == nullptr || !c->ready || !read_some(*c)) {
        break;
      }
    }
  }
  resume();
  for (const int fd : std::exchange(stalled_, {})) {
    abandon(*connections_[static_cast<std::size_t>(fd)]);
  }
  intake_.close();
}

/// What was not confirmed is sent again to whoever listens next: nothing more is read, only what is
/// on its way to the disk is waited for.
void StreamLoop::drain_relp() {
  intake_.close();
  for (const auto& slot : connections_) {
    if (slot != nullptr) {
      slot->closing = true;
    }
  }
  for (int i = 0; i < kDrainWaitsMs; ++i) {
    answer();
    if (waiting_.empty()) {
      break;
    }
    nanosleep(&kPause, nullptr);
  }
  for (const auto& slot : connections_) {
    if (slot != nullptr && slot->ready) {
      slot->out += "0 serverclose 0\n";
      flush(*slot);
    }
  }
}

void StreamLoop::abandon(Connection& c) {
  std::string_view bytes = c.tail, frame;
  const std::string_view from = intake_.source(c.address());
  for (FrameStep step = c.framer.next(bytes, frame); step != FrameStep::More;
       step = c.framer.next(bytes, frame)) {
    intake_.refuse(from, "stopped", frame.substr(0, kSampleBytes));
  }
}

}  // namespace belfry::syslog
