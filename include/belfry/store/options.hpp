#pragma once
// What the store may be told. Raising `wal_bytes_max`: fewer flushes, longer replay of RocksDB's
// own log at open. Raising `journal_buffer_bytes`: more memory, fewer and larger files.
#include <cstdint>
#include <string>

namespace belfry {

struct StoreOptions {
  std::string dir;                             ///< made with mode 0700 when missing
  bool create = true;                          ///< false: a missing store is an error
  bool read_only = false;                      ///< verify: takes no lock, writes nothing
  std::uint64_t wal_bytes_max = 512ULL << 20;  ///< an idle table must not pin the log
  std::uint64_t journal_buffer_bytes = 64ULL << 20;
};

}  // namespace belfry
