#pragma once
// Record: an input that is not a batch of events, and the audit trail of what followed. Small, kept
// for years, hash-chained: each holds the hash of the one before.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

/// The number is stored. New kinds go to the end.
enum class RecordKind : std::uint8_t {
  Start,           ///< the program came up: payload says which
  Versions,        ///< rules and inventory, by content hash
  Desk,            ///< desk options
  Command,         ///< what a person or client did, with its answer
  Advance,         ///< the clock went on without events
  ClockStep,       ///< wall clock jumped: old and new offset
  Deaf,            ///< from-to Belfry could not hear
  DeliveryFailed,  ///< an effect was refused for good
  Changes,         ///< not an input: numbers and hashes of the changes that an input led to
};
inline constexpr RecordKind kLastRecordKind = RecordKind::Changes;
constexpr std::string_view name(RecordKind kind) {
  constexpr std::string_view kNames[]{"start",   "versions",        "desk",
                                      "command", "advance",         "clock-step",
                                      "deaf",    "delivery-failed", "changes"};
  return kNames[static_cast<std::size_t>(kind)];
}

using ChainHash = std::array<unsigned char, 32>;  ///< BLAKE2b-256

struct Record {
  Seq seq;
  std::uint32_t index = 0;  ///< several records may share the seq of their input
  RecordKind kind = RecordKind::Start;
  Instant at;
  std::string payload;
};

/// Key in table `record`: seq and index, big-endian.
std::string record_key(Seq seq, std::uint32_t index);
/// Stored form; `chain` is the hash of the record before and becomes this one's.
void encode(const Record& record, ChainHash& chain, std::string& out);
struct StoredRecord {
  Record record;
  ChainHash hash{};
};
Result<StoredRecord> decode_record(std::string_view key, std::string_view value);
/// What `hash` must be after `before`.
ChainHash chain_hash(const ChainHash& before, const Record& record);

}  // namespace belfry
