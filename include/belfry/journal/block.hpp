#pragma once
// Block: one batch of events as it is stored (docs/formats/journal.md).
//
//   header │ checksum │ zstd-1( events, field by field )
//
// Most fields of an event are slices of its raw text: they are stored as (offset, length) in it,
// and fields equal to the event before cost nothing. Reading gives slices into one buffer again.
//
// Thread: an encoder or decoder belongs to one thread. Bounds: kBlockEventsMax, kBlockBytesMax.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/model/batch.hpp"

namespace belfry {

inline constexpr std::size_t kBlockEventsMax = 65'536;
inline constexpr std::size_t kBlockBytesMax = 64ULL << 20;  ///< of events before compression

struct BlockHeader {
  Seq first;  ///< event i has seq first + i
  std::uint32_t count = 0;
  Instant at;
  std::uint64_t versions = 0;  ///< number of the pair of rules and inventory it was matched with
  std::uint64_t rules_version = 0, inventory_version = 0;
  std::uint32_t fold_version = 0;  ///< kFoldVersion of the program that folded it
  CollectorId collector;
  std::uint64_t incarnation = 0;
  std::uint64_t batch = 0;  ///< with collector and incarnation it names the batch for ever
};

class BlockEncoder {
 public:
  BlockEncoder();
  ~BlockEncoder();
  /// The stored form; valid until the next call. `header.count` must be the batch's.
  std::string_view encode(const BlockHeader& header, const Batch& batch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class BlockDecoder {
 public:
  BlockDecoder();
  ~BlockDecoder();
  /// Fills `out` (cleared first) with the events; their slices point into its arena.
  Result<BlockHeader> decode(std::string_view bytes, Batch& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Header alone, checksum not looked at.
Result<BlockHeader> decode_block_header(std::string_view bytes);
/// Events before compression; total on any bytes. `plain` must be in `out.arena` or outlive `out`.
Result<void> decode_events(std::string_view plain, std::uint32_t count, Batch& out);

}  // namespace belfry
