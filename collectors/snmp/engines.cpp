#include "engines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "belfry/base/text.hpp"
#include "belfry/runtime/log.hpp"
#include "belfry/snmp/users.hpp"
#include "usm_crypto.hpp"

namespace belfry::snmp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "belfry-snmp-engines 1";
constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// 8000 7ed9 05: octets of our own choice (RFC 3411 SnmpEngineID), then eight that are random.
std::string new_engine_id() { return std::string("\x80\x00\x7e\xd9\x05", 5) + random_bytes(8); }

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
  return true;
}

/// Replaces the file whole; its folder is synced too, so that a boots count is never taken twice.
Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool good = fd >= 0 && write_all(fd, bytes) && ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (good && ::rename(draft.c_str(), path.c_str()) != 0) {
    good = false;
    error = errno;
  }
  const std::string folder = fs::path(path).parent_path().string();
  const int dir = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
  if (!good) {
    return fail(Code::Unavailable, "{}: cannot be written: {}", path, std::strerror(error));
  }
  return {};
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  const auto n = parse_int(text);
  return n && *n >= 0 && *n <= kBootsMax ? std::optional(static_cast<std::uint32_t>(*n))
                                         : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Engines>> Engines::open(const std::string& path, const std::string& engine,
                                               std::int64_t now_ns) {
  std::unique_ptr<Engines> out(new Engines());
  out->path_ = path;
  out->started_ns_ = now_ns;
  BELFRY_CHECK_OK(out->load(now_ns));
  if (!engine.empty() && engine != out->id_) {
    out->id_ = engine;  // boots go on: greater is always good
  }
  if (out->id_.empty()) {
    out->id_ = new_engine_id();
  }
  BELFRY_CHECK_OK(out->save());
  return out;
}

Engines::~Engines() {
  saver_.request_stop();
  if (saver_.joinable()) {
    saver_.join();
  }
  if (const auto saved = save(); !saved) {
    log::warn("snmp", "{}", saved.error());
  }
}

std::uint32_t Engines::time(std::int64_t now_ns) const {
  return static_cast<std::uint32_t>((now_ns - started_ns_) / kNsPerSecond);
}

bool Engines::ours_in_window(std::uint32_t boots, std::uint32_t time, std::int64_t now_ns) const {
  const std::int64_t apart = std::int64_t{time} - std::int64_t{this->time(now_ns)};
  return boots == boots_ && boots_ != kBootsMax && apart <= kTimeWindowSeconds &&
         apart >= -kTimeWindowSeconds;
}

bool Engines::theirs_in_window(std::string_view engine, std::uint32_t boots, std::uint32_t time,
                               std::int64_t now_ns) {
  if (boots >= kBootsMax) {
    return false;
  }
  Shard& shard = shard_of(engine);
  const absl::MutexLock lock(&shard.mutex);
  auto it = shard.notions.find(engine);
  if (it == shard.notions.end()) {
    if (shard.notions.size() >= kEnginesMax / shards_.size()) {
      const auto oldest = std::min_element(
          shard.notions.begin(), shard.notions.end(),
          [](const auto& a, const auto& b) { return a.second.received_ns < b.second.received_ns; });
      shard.notions.erase(oldest);
    }
    shard.notions.emplace(std::string(engine), Notion{boots, time, now_ns});
    dirty_.store(true, std::memory_order_relaxed);
    return true;
  }
  Notion& known = it->second;
  const std::int64_t since = (now_ns - known.received_ns) / kNsPerSecond;
  if (boots < known.boots ||
      (boots == known.boots && std::int64_t{time} + kTimeWindowSeconds < known.latest + since)) {
    return false;
  }
  if (boots > known.boots || time > known.latest) {
    known = {boots, time, now_ns};
    dirty_.store(true, std::memory_order_relaxed);
  }
  return true;
}

std::size_t Engines::known() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) {
    const absl::MutexLock lock(&shard.mutex);
    n += shard.notions.size();
  }
  return n;
}

std::string Engines::text() const {
  std::string out = fmt::format("{}\nself {} {}\n", kHead, to_hex(id_), boots_);
  for (const Shard& shard : shards_) {
    const absl::MutexLock lock(&shard.mutex);
    for (const auto& [engine, notion] : shard.notions) {
      out += fmt::format("{} {} {}\n", to_hex(engine), notion.boots, notion.latest);
    }
  }
  return out + fmt::format("end {:016x}\n", hash64(out));
}

Result<void> Engines::save() {
  if (path_.empty()) {
    return {};
  }
  dirty_.store(false, std::memory_order_relaxed);
  return replace_file(path_, text());
}

Result<void> Engines::load(std::int64_t now_ns) {
  std::error_code error;
  if (path_.empty() || !fs::exists(path_, error)) {
    return {};
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  const std::size_t end = all.rfind("end ");
  const std::string_view body = std::string_view(all).substr(0, end);
  if (!in || end == std::string::npos || all.size() > kFileBytesMax || !body.starts_with(kHead) ||
      trim(std::string_view(all).substr(end + 4)) != fmt::format("{:016x}", hash64(body))) {
    return fail(Code::Corrupt,
                "{}: the SNMPv3 engines in it do not check; move it away to begin anew (senders of "
                "informs then discover a new engine id, and what was recorded of the last minutes "
                "could be replayed once)",
                path_);
  }
  for (const std::string_view line : split(body, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() != 3) {
      continue;  // the head, and the end
    }
    const auto boots = number_of(words[1]), last = number_of(words[2]);
    if (words[0] == "self" && last) {
      id_ = from_hex(words[1]).value_or("");
      boots_ = std::min(*last + 1, kBootsMax);
    } else if (const auto engine = from_hex(words[0]); engine && boots && last) {
      Shard& shard = shard_of(*engine);
      const absl::MutexLock lock(&shard.mutex);
      shard.notions.insert_or_assign(*engine, Notion{*boots, *last, now_ns});
    }
  }
  return {};
}

void Engines::keep_saving() {
  saver_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      wake.wait_for(lock, stop, kSaveEvery, [] { return false; });
      if (dirty_.load(std::memory_order_relaxed)) {
        if (const auto saved = save(); !saved) {
          log::warn("snmp", "{}", saved.error());
        }
      }
    }
  });
}

}  // namespace belfry::snmp
