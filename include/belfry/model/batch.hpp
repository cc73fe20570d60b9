#pragma once
// Batch: the events one collector hands over together, with what the rules' stateless half found in
// them. It closes at 1,024 events, at 256 KiB, or when its socket is drained; never older than 2
// ms.
//
// Owns: its arena; every slice of its events and matches points into it, or into the program and
// the inventory named by its versions.
#include <cstdint>
#include <memory>
#include <vector>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

inline constexpr std::size_t kBatchEventsMax = 1024;
inline constexpr std::size_t kBatchBytesMax = 256 * 1024;
inline constexpr auto kBatchAgeMax = std::chrono::milliseconds(2);

/// One raise, clear or sample line of a signal that an event satisfied, with the signal's key
/// bound.
struct Match {
  std::uint32_t event = 0;     ///< index in the batch
  std::uint32_t clause = 0;    ///< index in Program::clauses
  std::span<const Value> key;  ///< by parameter; None where `clear all` leaves it open
  double value = 0;            ///< of a sample of a measure; else 0
  bool over_budget = false;    ///< no match: its condition took more steps than a line may
};

struct Batch {
  Arena arena;
  std::vector<Event> events;
  std::vector<Match> matches;  ///< in event order, then clause order
  CollectorId collector;
  std::uint64_t incarnation = 0;      ///< of the process; with `number` it names a batch for ever
  std::uint64_t number = 0;           ///< counts from 1 per collector and incarnation
  std::uint64_t program_version = 0;  ///< the version its matches were made with
  std::uint64_t inventory_version = 0;
  std::int64_t first_received_ns = 0;  ///< CLOCK_BOOTTIME of its first event: which ring is oldest

  bool full() const { return events.size() >= kBatchEventsMax || arena.bytes() >= kBatchBytesMax; }
  void clear() {
    arena.clear();
    events.clear();
    matches.clear();
    first_received_ns = 0;
  }
};

}  // namespace belfry
