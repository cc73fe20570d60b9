#pragma once
// Store: one RocksDB with the tables of the journal. Bytes in, bytes out: what they mean is known
// to journal and pipeline.
//
//   Writes{ put, put, erase } ──commit(sync)──> all or nothing, in every table
//
// Thread: commit() and reads from any thread; RocksDB orders concurrent commits.
// Failure: a commit that fails has an unknown outcome (Debian's RocksDB aborts on the next write).
// The caller ends the process and lets the restart decide.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/store/options.hpp"

namespace belfry {

/// Format of the whole store (docs/formats/store.md): tables and the meaning of their keys.
inline constexpr std::uint32_t kStoreFormat = 1;

enum class Table : std::uint8_t { Journal, Record, Incident, Ticket, Change, Outbox, Index, Meta };
inline constexpr std::size_t kTables = 8;
constexpr std::string_view name(Table table) {
  constexpr std::string_view kNames[]{"journal", "record", "incident", "ticket",
                                      "change",  "outbox", "index",    "meta"};
  return kNames[static_cast<std::size_t>(table)];
}

/// Big-endian 64 bit: the order of the keys is the order of the numbers.
void append_be64(std::string& out, std::uint64_t v);
std::string be64(std::uint64_t v);
/// First eight bytes; 0 when there are fewer.
std::uint64_t from_be64(std::string_view bytes);

/// One atomic batch. Reused: clear() keeps its memory.
class Writes {
 public:
  Writes();
  ~Writes();
  Writes(Writes&&) noexcept;
  void put(Table table, std::string_view key, std::string_view value);
  void erase(Table table, std::string_view key);
  void clear();
  std::size_t count() const;
  std::size_t bytes() const;

 private:
  friend class Store;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A walk in key order. Sees the store as of its creation. Its slices live until the next step.
class Cursor {
 public:
  ~Cursor();
  Cursor(Cursor&&) noexcept;
  void seek(std::string_view key);         ///< first row with key >= this
  void seek_before(std::string_view key);  ///< last row with key <= this
  void seek_last();
  void next();
  void prev();
  bool valid() const;
  std::string_view key() const;
  std::string_view value() const;
  /// valid() became false because of this; ok at the plain end.
  Result<void> error() const;

 private:
  friend class Store;
  struct Impl;
  explicit Cursor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();

  /// Writes all or nothing. `sync`: on disk when it returns.
  Result<void> commit(const Writes& writes, bool sync);
  Result<std::optional<std::string>> get(Table table, std::string_view key) const;
  Cursor cursor(Table table) const;
  /// Drops the rows with from <= key < to: whole files at once, the rest by one tombstone.
  Result<void> drop_range(Table table, std::string_view from, std::string_view to);

  /// Bytes on disk and in memory of a table, blob files included.
  std::uint64_t bytes(Table table) const;
  /// Reads every block of every file against its checksum. Minutes on a large store.
  Result<void> verify_checksums() const;
  /// A copy of the store as of now in `dir` (hard links on one file system); `dir` must not exist.
  Result<void> checkpoint(const std::string& dir) const;
  const std::string& dir() const;

 private:
  Store();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct DiskSpace {
  std::uint64_t total = 0, free = 0;  ///< bytes; free = what we may use
  double used_share() const {
    return total == 0 ? 0.0 : 1.0 - static_cast<double>(free) / static_cast<double>(total);
  }
};
Result<DiskSpace> disk_space(const std::string& dir);

/// Makes the directory and its parents, mode 0700.
Result<void> make_private_dir(const std::string& dir);
/// Writes `bytes` so that after a crash either the old file is there or the whole new one:
/// tmp + fsync + rename + fsync of the directory.
Result<void> write_file_durably(const std::string& path, std::string_view bytes);
/// rename + fsync of the directory.
Result<void> rename_durably(const std::string& from, const std::string& to);
Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

}  // namespace belfry
