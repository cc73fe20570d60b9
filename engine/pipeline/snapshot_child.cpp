#include "snapshot_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace belfry {
namespace {

constexpr std::size_t kWhyBytesMax = 1024;  // less than a pipe holds: the child never waits
constexpr int kNicer = 10;
constexpr int kWhyFd = 3;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BELFRY_NO_FORK 1
#endif
#endif

void ignore(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(signal, &action, nullptr);
}

// Ctrl-C in a terminal reaches the whole group: the parent decides when we end.
void behave(pid_t parent) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    ignore(signal);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(1);
  }
  errno = 0;
  static_cast<void>(::nice(kNicer));
  if (const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); fd >= 0) {
    static_cast<void>(::write(fd, "1000", 4));
    ::close(fd);
  }
}

[[noreturn]] void run_child(pid_t parent, int why, const std::function<Result<void>()>& write) {
  // Sockets, the store and its lock are the parent's.
  if (why != kWhyFd) {
    ::dup2(why, kWhyFd);
  }
  ::close_range(kWhyFd + 1, ~0U, 0);
  behave(parent);
  const Result<void> written = write();
  if (written) {
    ::_exit(0);
  }
  const std::string_view text = std::string_view(written.error().what).substr(0, kWhyBytesMax);
  static_cast<void>(::write(kWhyFd, text.data(), text.size()));
  ::_exit(1);
}

}  // namespace

SnapshotChild::SnapshotChild(SnapshotChild&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), why_(std::exchange(other.why_, -1)) {}

SnapshotChild& SnapshotChild::operator=(SnapshotChild&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
    why_ = std::exchange(other.why_, -1);
  }
  return *this;
}

SnapshotChild::~SnapshotChild() { stop(); }

Result<SnapshotChild> SnapshotChild::start(const std::function<Result<void>()>& write) {
#ifdef BELFRY_NO_FORK
  static_cast<void>(write);
  return fail(Code::Unavailable, "a sanitizer's build does not fork");
#else
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Code::Unavailable, "cannot make a pipe: {}", std::strerror(errno));
  }
  // A signal between the fork and behave() would run the parent's handlers in the child.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    run_child(parent, ends[1], write);
  }
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return fail(Code::Unavailable, "cannot fork: {}", std::strerror(error));
  }
  SnapshotChild child;
  child.pid_ = pid;
  child.why_ = ends[0];
  return child;
#endif
}

std::optional<Result<void>> SnapshotChild::poll() {
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) {
    return std::nullopt;
  }
  pid_ = 0;
  if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return Result<void>{};
  }
  if (ended > 0 && WIFSIGNALED(status)) {
    return fail(Code::Unavailable, "the process that writes it was ended by signal {}",
                WTERMSIG(status));
  }
  const std::string why = said();
  return fail(Code::Unavailable, "{}",
              why.empty() ? "the process that writes it ended without a word" : why);
}

std::string SnapshotChild::said() const {
  std::string text(kWhyBytesMax, '\0');
  const ssize_t n = ::read(why_, text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

void SnapshotChild::stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }
  if (why_ >= 0) {
    ::close(why_);
    why_ = -1;
  }
}

}  // namespace belfry
