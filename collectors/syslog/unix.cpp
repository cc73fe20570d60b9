#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <thread>

#include <poll.h>

#include "belfry/base/text.hpp"
#include "belfry/syslog/collectors.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry {
namespace {

constexpr unsigned kSlots = 32;
constexpr std::size_t kDatagramBytesMax = 64 * 1024;
constexpr int kPollIdleMs = 50;  // how soon a stop is seen
constexpr std::string_view kFrom = "local";

}  // namespace

struct SyslogUnix::Impl {
  SyslogUnixOptions options;
  Intake intake;
  std::string machine;  // what its messages are about
  int fd = -1;
  std::jthread thread;

  Impl(SyslogUnixOptions o, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics)
      : options(std::move(o)), intake(port, clock, ledger, metrics, options.intake) {
    std::array<char, HOST_NAME_MAX + 1> name{};
    gethostname(name.data(), HOST_NAME_MAX);
    machine = name.data();
  }

  tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::Unavailable, "unix {}: {}", printable(options.path, 120), what);
  }

  /// A socket that is left of an earlier run; never a file of anybody, never one that is in use.
  Result<void> clear_path(const sockaddr_un& where) const {
    struct stat found {};
    if (lstat(options.path.c_str(), &found) != 0) {
      return {};
    }
    if (!S_ISSOCK(found.st_mode)) {
      return wrong("there is something that is no socket");
    }
    const int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool used = connect(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    close(probe);
    if (used) {
      return wrong("another program listens there");
    }
    unlink(options.path.c_str());
    return {};
  }

  Result<void> open() {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    if (options.path.empty() || options.path.size() >= sizeof where.sun_path) {
      return wrong("expected a path of at most 107 bytes");
    }
    std::memcpy(where.sun_path, options.path.c_str(), options.path.size() + 1);
    BELFRY_CHECK_OK(clear_path(where));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
      return wrong(std::strerror(errno));
    }
    const int bytes = static_cast<int>(options.receive_buffer_bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (chmod(options.path.c_str(), options.mode) != 0) {
      return wrong(std::strerror(errno));
    }
    return {};
  }

  void take(std::string_view bytes) {
    if (intake.must_flush() && !intake.try_flush(false)) {
      intake.shed();
    }
    if (bytes.empty()) {
      intake.refuse(kFrom, "empty", {});
      return;
    }
    Arena& arena = intake.arena();
    const std::string_view raw = arena.copy(bytes);
    Event& e = intake.begin();
    syslog::decode(raw, arena, intake.now(), e);
    e.from = kFrom;
    e.node = intake.proven(machine);
    intake.commit();
  }

  /// Senders wait while the ring is full: they are of this machine, and the socket holds them.
  void run(const std::stop_token& stop) {
    std::vector<char> slots(kSlots * kDatagramBytesMax);
    std::array<mmsghdr, kSlots> messages{};
    std::array<iovec, kSlots> parts{};
    for (std::size_t i = 0; i < kSlots; ++i) {
      parts[i] = {slots.data() + i * kDatagramBytesMax, kDatagramBytesMax};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    bool stopping = false;
    for (;;) {
      pollfd wait{fd, POLLIN, 0};
      const bool room = !intake.must_flush() || intake.try_flush(false);
      poll(&wait, room && !stopping ? 1 : 0, intake.pending() > 0 || !room ? 1 : kPollIdleMs);
      intake.tick();
      const int n = room && !intake.refusing()
                        ? recvmmsg(fd, messages.data(), kSlots, MSG_DONTWAIT, nullptr)
                        : 0;
      for (int i = 0; i < n; ++i) {
        const auto slot = static_cast<std::size_t>(i);
        take({slots.data() + slot * kDatagramBytesMax, messages[slot].msg_len});
      }
      intake.try_flush(n < static_cast<int>(kSlots));
      if (stopping && n <= 0) {
        break;
      }
      stopping = stop.stop_requested();
    }
    intake.close();
  }
};

SyslogUnix::SyslogUnix(SyslogUnixOptions options, Port& port, Clock& clock, Ledger& ledger,
                       Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), port, clock, ledger, metrics)) {}

SyslogUnix::~SyslogUnix() {
  stop();
  if (impl_->fd >= 0) {
    close(impl_->fd);
    unlink(impl_->options.path.c_str());
  }
}

Result<void> SyslogUnix::start() {
  BELFRY_CHECK_OK(impl_->open());
  impl_->thread = std::jthread([m = impl_.get()](const std::stop_token& stop) { m->run(stop); });
  return {};
}

void SyslogUnix::stop() {
  impl_->thread.request_stop();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

}  // namespace belfry
