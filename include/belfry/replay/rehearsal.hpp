#pragma once
// Rehearsal: the driver of the fold in virtual time. What `belfry test`, `belfry replay`, scenarios
// and the property test run on; there is no second way to fold events without a server.
//
//   Event& e = rehearsal.begin();  ... fill from rehearsal.arena() ...  rehearsal.commit(at);
//   rehearsal.advance(at);         // and so on; changes go to the sink in order
//
// The n-th committed event has seq n; what timers do before it has its seq too, as in the pipeline.
// Events are matched and folded in batches; results do not depend on where batches end.
//
// Thread: one at a time. Owns: its batch, matcher and fold. Bounds: as the fold's.
#include <functional>
#include <memory>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/model/batch.hpp"
#include "belfry/model/change.hpp"
#include "belfry/rules/matcher.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::replay {

struct RehearsalChange {
  Instant at;
  Seq seq;
  IncidentChange change;
};

struct RehearsalOptions {
  CorrelatorOptions correlator;
  /// Events matched at once. 1 makes every change visible right after commit().
  std::size_t batch_events_max = kBatchEventsMax;
};

class Rehearsal {
 public:
  using Sink = std::function<void(const RehearsalChange&)>;
  /// Sees every event when it is folded, with its matches.
  using Watch = std::function<void(const Event&, std::span<const Match>, Seq, Instant)>;

  Rehearsal(std::shared_ptr<const rules::Program> program,
            std::shared_ptr<const Inventory> inventory, Instant start, Sink sink,
            RehearsalOptions options = {});

  Arena& arena() { return batch_.arena; }
  /// The next event, zeroed. Exactly one of commit() and drop() follows.
  Event& begin();
  /// REQUIRES: `at` is not before the last one.
  Seq commit(Instant at);
  void drop() { batch_.events.pop_back(); }

  /// Folds what was committed, then fires every timer with a deadline at or before `at`.
  void advance(Instant at);
  /// The same for timers strictly before `at`: what a command at `at` finds.
  void advance_before(Instant at);
  /// Folds what was committed.
  void flush();
  void on_deaf(Instant from, Instant to);
  CommandResult command(const Command& command, Instant at);
  void set_program(std::shared_ptr<const rules::Program> program, Instant at);
  void set_inventory(std::shared_ptr<const Inventory> inventory, Instant at);

  void watch(Watch watch) { watch_ = std::move(watch); }
  Correlator& correlator() { return *correlator_; }
  Instant now() const { return now_; }
  Seq last_seq() const { return seq_; }
  std::uint64_t matches() const { return matches_; }
  /// A fold of the same program and inventory that was loaded from a snapshot takes over.
  Result<void> restart_from_snapshot();

 private:
  void fire_before(Instant at, Seq seq);
  void tell(Instant at, Seq seq);

  std::shared_ptr<const rules::Program> program_;
  std::shared_ptr<const Inventory> inventory_;
  RehearsalOptions options_;
  Sink sink_;
  Watch watch_;
  std::unique_ptr<rules::Matcher> matcher_;
  std::unique_ptr<Correlator> correlator_;
  Batch batch_;
  std::vector<Instant> ats_;
  std::vector<IncidentChange> out_;
  Instant now_;
  Seq seq_{0}, folded_{0};
  std::uint64_t matches_ = 0;
};

}  // namespace belfry::replay
