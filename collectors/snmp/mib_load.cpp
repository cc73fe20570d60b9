#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "belfry/base/text.hpp"
#include "belfry/snmp/mibs.hpp"
#include "mib_files.hpp"

extern char** environ;

namespace belfry::snmp {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(kMibSecondsMax);

/// One child and what it says.
class Child {
 public:
  ~Child() {
    if (pipe_ >= 0) {
      ::close(pipe_);
    }
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      static_cast<void>(wait());
    }
  }
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start(const std::string& program, std::vector<std::string> arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return fail(Code::Unavailable, "MIBs: no pipe: {}", std::strerror(errno));
    }
    pipe_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
      argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
      pid_ = -1;
      return fail(Code::Unavailable, "MIBs: {}: cannot be started: {}", program,
                  std::strerror(error));
    }
    return {};
  }

  /// Until it closes its end. False: it took too long or said too much.
  bool read(std::string& out) {
    const auto until = SteadyClock::now() + kPatience;
    char buffer[64 * 1024];
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
      pollfd p{pipe_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&p, 1, static_cast<int>(left.count())) == 0) {
        return false;
      }
      const ssize_t n = ::read(pipe_, buffer, sizeof buffer);
      if (n == 0) {
        return true;
      }
      if (n > 0) {
        out.append(buffer, static_cast<std::size_t>(n));
      }
      if ((n < 0 && errno != EINTR) || out.size() > 2 * kMibTextBytesMax) {
        return false;
      }
    }
  }

  /// True: it ended by itself and was content.
  bool wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

/// What one child said, apart: the table's lines, warnings, the file it was at.
struct Said {
  std::string table, file;
  std::vector<std::string> warnings;
};

Said taken_apart(std::string_view text) {
  Said out;
  std::vector<std::string>& warnings = out.warnings;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("F\t")) {
      out.file = printable(line.substr(2), 255);
    } else if (line.starts_with("W\t")) {
      const std::string_view said = trim(line.substr(2));
      if (!said.empty() && warnings.size() < kMibWarningsMax) {
        warnings.push_back(printable(said, 512));
      }
    } else {
      out.table += line;
      out.table += '\n';
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

}  // namespace

std::vector<std::string> mib_files(const std::string& folder,
                                   const std::vector<std::string>& skip) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.') || !it->is_regular_file(error) ||
        it->file_size(error) > kMibFileBytesMax ||
        std::find(skip.begin(), skip.end(), name) != skip.end()) {
      continue;
    }
    out.push_back(it->path().string());
    if (out.size() >= kMibFilesMax) {
      break;
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<LoadedMibs> load_mibs(const std::string& folder, const std::string& program) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(Code::NotFound, "{}: no such folder: expected one of MIB files", folder);
  }
  const auto began = SteadyClock::now();
  std::vector<std::string> skip, blamed;
  for (std::size_t attempt = 0; attempt <= kMibRetriesMax; ++attempt) {
    std::vector<std::string> arguments{"belfry", "mibs", "--raw", folder};
    for (const std::string& name : skip) {
      arguments.insert(arguments.end(), {"--skip", name});
    }
    Child child;
    std::string text;
    BELFRY_CHECK_OK(child.start(program.empty() ? "/proc/self/exe" : program, arguments));
    const bool whole = child.read(text);
    const bool content = whole && child.wait();
    Said said = taken_apart(text);
    auto table = MibTable::parse(std::move(said.table));
    if (content && table) {
      LoadedMibs out;
      out.table = std::move(*table);
      out.warnings = std::move(blamed);
      out.warnings.insert(out.warnings.end(), said.warnings.begin(), said.warnings.end());
      out.files = mib_files(folder, skip).size();
      out.seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
      return out;
    }
    if (said.file.empty()) {
      return fail(Code::Invalid, "{}: its MIBs cannot be read: {}", folder,
                  table ? "the compiler ended badly" : table.error().what);
    }
    blamed.push_back(fmt::format("{}: left out: the MIB compiler {} at it", said.file,
                                 whole ? "crashed" : "hung"));
    skip.push_back(said.file);
  }
  return fail(Code::Invalid, "{}: more than {} files break the MIB compiler, the last one {}",
              folder, kMibRetriesMax, skip.back());
}

}  // namespace belfry::snmp
