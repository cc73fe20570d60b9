#pragma once
// Engines: whose clock a message is judged by (RFC 3414 2.2, 3.2 step 7).
//
//   informs, requests: ours is the authority. Our boots grow with each start and are on disk before
//                      the first answer; our time is the seconds since the start.
//   traps:             the sender's is. What each engine last said is remembered, (boots, time),
//                      and what lies behind it is a replay.
//
// The file is text, replaced whole (write, fsync, rename), about every kSaveEvery and at the end:
// after a kill -9 the window is that much wider. The time of a restored engine stands where it was
// saved and runs on from the start: never ahead of the sender's, whatever our wall clock did.
//
// Thread: any (16 locks over the engines: one short one per v3 message, beside a microsecond of
// cryptography; per-thread tables would let a replay from another address through).
// Bounds: kEnginesMax engines; past that the one heard longest ago is forgotten.
#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "belfry/base/hash.hpp"
#include "belfry/base/result.hpp"

namespace belfry::snmp {

/// 8 MiB of memory, 5 MiB on disk.
inline constexpr std::size_t kEnginesMax = 100'000;
inline constexpr std::int64_t kTimeWindowSeconds = 150;
inline constexpr auto kSaveEvery = std::chrono::seconds(10);
/// RFC 3414 2.2.2: an engine whose boots arrived there is never believed again.
inline constexpr std::uint32_t kBootsMax = 2147483647;

class Engines {
 public:
  /// Reads `path`, takes the next boots of ours and writes them. `engine` (octets): our id, where
  /// it is configured; else the file's, else a new one. An empty path keeps nothing.
  static Result<std::unique_ptr<Engines>> open(const std::string& path, const std::string& engine,
                                               std::int64_t now_ns);
  ~Engines();  ///< saves
  Engines(const Engines&) = delete;
  Engines& operator=(const Engines&) = delete;

  const std::string& id() const { return id_; }
  std::uint32_t boots() const { return boots_; }
  std::uint32_t time(std::int64_t now_ns) const;
  /// Of a message whose authority is ours.
  bool ours_in_window(std::uint32_t boots, std::uint32_t time, std::int64_t now_ns) const;
  /// Of an authentic message of another engine; true remembers what it said.
  bool theirs_in_window(std::string_view engine, std::uint32_t boots, std::uint32_t time,
                        std::int64_t now_ns);
  std::size_t known() const;
  Result<void> save();
  /// Saves by itself from now on.
  void keep_saving();

 private:
  struct Notion {
    std::uint32_t boots = 0;
    std::uint32_t latest = 0;      ///< greatest time it said
    std::int64_t received_ns = 0;  ///< our clock when it said so
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return hash64(s); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  struct Shard {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<std::string, Notion, Hash, Equal> notions ABSL_GUARDED_BY(mutex);
  };
  Engines() = default;
  Result<void> load(std::int64_t now_ns);
  std::string text() const;
  Shard& shard_of(std::string_view engine) { return shards_[hash64(engine, 1) % shards_.size()]; }

  std::string path_, id_;
  std::uint32_t boots_ = 1;
  std::int64_t started_ns_ = 0;
  std::array<Shard, 16> shards_;
  std::atomic<bool> dirty_{false};
  std::jthread saver_;
};

}  // namespace belfry::snmp
