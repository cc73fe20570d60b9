#pragma once
// Port: where one collector thread meets the sequencer. A bounded ring of batches in, batches to
// reuse back, the version of rules and inventory to match with, and the commit mark to ack by.
//
// Thread: the collector's, but committed(), which any thread may read.
// Bounds: ring of ring_capacity batches. Full: try_push is false, the collector's policy applies.
#include <cstdint>
#include <memory>
#include <string>

#include "belfry/model/batch.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

/// What collectors match and name with: one pair at a time, swapped at a marker.
struct Versions {
  std::shared_ptr<const rules::Program> program;
  std::shared_ptr<const Inventory> inventory;
  std::uint64_t number = 0;  ///< grows with each pair
};

class Port {
 public:
  virtual ~Port() = default;
  virtual CollectorId id() const = 0;
  virtual std::string_view name() const = 0;
  /// The pair to use from the next batch on. When it changed since the last call, the marker goes
  /// into the ring first: call it between two batches only, and push nothing made with the old pair
  /// after it. Cheap (one relaxed load) when nothing changed.
  virtual std::shared_ptr<const Versions> versions() = 0;
  /// True when versions() would give a newer pair.
  virtual bool version_changed() const = 0;
  /// An empty batch, recycled where possible; its collector, incarnation and number are set.
  virtual std::unique_ptr<Batch> take_batch() = 0;
  /// Hands a batch over; false when the ring is full (batch stays with the caller).
  virtual bool try_push(std::unique_ptr<Batch>& batch) = 0;
  /// Number of the last batch of this port that is durable. Acks go out up to here.
  virtual std::uint64_t committed() const = 0;
  /// The fold has nothing to do: a collector with a part-filled batch should hand it over now.
  virtual bool idle() const = 0;
  /// Disk nearly full or shutting down: refuse new input (503, stop reading), count as "refused".
  virtual bool refusing() const = 0;
  /// Before a wait that may be long: the pipeline may switch versions without this port. REQUIRES:
  /// the open batch is empty or not matched yet. The next versions() ends it; call that before
  /// matching. A port starts parked. A collector whose waits are short polls version_changed()
  /// instead.
  virtual void park() {}
};

}  // namespace belfry
