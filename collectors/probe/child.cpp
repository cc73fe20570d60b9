#include "child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace belfry::probe {
namespace {

constexpr std::size_t kErrorBytesMax = 1024;  // a plugin's last words: one line is what helps
// Reads of one call, so that a plugin that never stops writing holds up nobody.
constexpr int kReadsMax = 16;
constexpr std::uint64_t kFilesMax = 256;
constexpr std::uint64_t kFileBytesMax = 64ULL << 20;  // plugins keep small state files

void set_limit(__rlimit_resource what, std::uint64_t value) {
  const rlimit limit{value, value};
  ::setrlimit(what, &limit);
}

/// In the child, between vfork() and exec: its memory is the parent's, so nothing but system calls.
[[noreturn]] void become(const char* const* argv, const char* const* environment, int in, int out,
                         int err, const ChildLimits& limits) {
  ::setsid();
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction as_usual {};
    as_usual.sa_handler = SIG_DFL;
    ::sigaction(signal, &as_usual, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  set_limit(RLIMIT_CPU, limits.cpu_seconds);
  set_limit(RLIMIT_AS, limits.memory_bytes);
  set_limit(RLIMIT_NOFILE, kFilesMax);
  set_limit(RLIMIT_FSIZE, kFileBytesMax);
  set_limit(RLIMIT_CORE, 0);
  ::execve(argv[0], const_cast<char* const*>(argv), const_cast<char* const*>(environment));
  ::_exit(errno == ENOENT ? 127 : 126);  // as a shell says it
}

struct Pipe {
  int read = -1, write = -1;
  bool open() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return false;
    }
    read = ends[0];
    write = ends[1];
    ::fcntl(read, F_SETFL, O_NONBLOCK);
    return true;
  }
};

void close_fd(int& fd) {
  if (fd >= 0) {
    ::close(fd);
    fd = -1;
  }
}

/// False: the end of the pipe.
bool drain(int fd, std::string& into, std::size_t max, std::uint64_t& cut) {
  std::array<char, 4096> bytes;
  for (int n = 0; n < kReadsMax; ++n) {
    const auto got = ::read(fd, bytes.data(), bytes.size());
    if (got <= 0) {
      return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    const auto size = static_cast<std::size_t>(got);
    const std::size_t kept = std::min(size, max - std::min(max, into.size()));
    into.append(bytes.data(), kept);
    cut += size - kept;
  }
  return true;
}

}  // namespace

Child::~Child() {
  if (pid_ > 0) {
    kill_group();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  for (int* fd : {&pidfd_, &out_, &err_}) {
    close_fd(*fd);
  }
}

Result<void> Child::start(const std::vector<std::string>& argv, const ChildLimits& limits) {
  output_max_ = limits.output_max;
  Pipe out, err;
  int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool ready = in >= 0 && out.open() && err.open();
  if (ready) {
    std::vector<const char*> words;
    for (const std::string& word : argv) {
      words.push_back(word.c_str());
    }
    words.push_back(nullptr);
    // Nothing of our own environment: it may hold secrets, and a check must not depend on it.
    const std::array<const char*, 3> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                                 "LC_ALL=C.UTF-8", nullptr};
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
    // vfork: fork() would copy the page tables of all that the process holds, for each check.
    pid_ = ::vfork();
    if (pid_ == 0) {
      become(words.data(), environment.data(), in, out.write, err.write, limits);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  const int error = errno;
  close_fd(in);
  close_fd(out.write);
  close_fd(err.write);
  out_ = out.read;
  err_ = err.read;
  if (pid_ > 0) {
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  }
  if (pidfd_ < 0) {
    return fail(Code::Unavailable, "no process could be started: {}",
                std::system_category().message(error));
  }
  return {};
}

bool Child::read_output() {
  if (out_ >= 0 && !drain(out_, output, output_max_, cut)) {
    close_fd(out_);
  }
  return out_ >= 0;
}

bool Child::read_errors() {
  std::uint64_t lost = 0;
  if (err_ >= 0 && !drain(err_, errors, kErrorBytesMax, lost)) {
    close_fd(err_);
  }
  return err_ >= 0;
}

std::optional<int> Child::ended() {
  siginfo_t info{};
  if (pid_ <= 0 ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  kill_group();  // before it is reaped: until then the number is its own
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  read_output();
  read_errors();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::kill_group() const {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);  // vfork() returned after its setsid(): the group is there
  }
}

}  // namespace belfry::probe
