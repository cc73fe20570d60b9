#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "belfry/store/store.hpp"

namespace belfry {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason() { return std::strerror(errno); }

Result<void> write_all(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return fail(Code::Unavailable, "cannot write {}: {}", path, reason());
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> sync_dir_of(const std::string& path) {
  const std::string dir = std::filesystem::path(path).parent_path().string();
  const Fd fd(::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    return fail(Code::Unavailable, "cannot sync directory {}: {}", dir, reason());
  }
  return {};
}
}  // namespace

Result<DiskSpace> disk_space(const std::string& dir) {
  struct statvfs stat {};
  if (::statvfs(dir.c_str(), &stat) != 0) {
    return fail(Code::Unavailable, "cannot read the free space of {}: {}", dir, reason());
  }
  // Shares are of what a plain user may use: blocks reserved for root count as neither.
  const std::uint64_t unit = stat.f_frsize;
  const std::uint64_t used = (stat.f_blocks - stat.f_bfree) * unit;
  const std::uint64_t free = stat.f_bavail * unit;
  return DiskSpace{.total = used + free, .free = free};
}

Result<void> make_private_dir(const std::string& dir) {
  std::error_code error;
  if (std::filesystem::is_directory(dir, error)) {
    return {};
  }
  const std::filesystem::path path(dir);
  if (path.has_parent_path() && !std::filesystem::exists(path.parent_path(), error)) {
    BELFRY_CHECK_OK(make_private_dir(path.parent_path().string()));
  }
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Code::Invalid, "cannot make directory {}: {}", dir, reason());
  }
  if (!std::filesystem::is_directory(dir, error)) {
    return fail(Code::Invalid, "{} is not a directory", dir);
  }
  return {};
}

Result<void> write_file_durably(const std::string& path, std::string_view bytes) {
  const std::string tmp = path + ".tmp";
  {
    const Fd fd(::open(tmp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) {
      return fail(Code::Unavailable, "cannot make {}: {}", tmp, reason());
    }
    BELFRY_CHECK_OK(write_all(fd.get(), tmp, bytes));
    if (::fsync(fd.get()) != 0) {
      return fail(Code::Unavailable, "cannot sync {}: {}", tmp, reason());
    }
  }
  return rename_durably(tmp, path);
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return fail(Code::Unavailable, "cannot rename {} to {}: {}", from, to, reason());
  }
  return sync_dir_of(to);
}

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) {
    return fail(Code::NotFound, "cannot read {}: {}", path, reason());
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > bytes_max) {
    return fail(Code::Invalid, "{} has {} bytes, at most {} are read", path, size, bytes_max);
  }
  std::string out(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    const ssize_t n = ::read(fd.get(), out.data() + at, size - at);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return fail(Code::Unavailable, "cannot read {}: {}", path,
                  n == 0 ? "it became shorter" : reason());
    }
    at += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace belfry
