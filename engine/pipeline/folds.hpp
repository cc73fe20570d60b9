#pragma once
// Folds: correlator and desk on one harness. Everything that an input leads to comes out numbered;
// the live thread and recovery call the same functions, so a replay gives the same.
#include <cstdint>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/desk/desk.hpp"
#include "belfry/pipeline/port.hpp"

namespace belfry {

struct FoldOut {
  std::vector<Change> changes;
  std::vector<Effect> effects;
  void clear() {
    changes.clear();
    effects.clear();
  }
};

class Folds {
 public:
  void set_versions(const Versions& versions, bool rules, bool inventory, Seq seq, Instant at,
                    FoldOut& out);
  void set_desk(const DeskOptions& options, Seq seq, Instant at, FoldOut& out);
  /// Event i has seq first + i; all have the batch's `at`.
  void on_batch(const Batch& batch, Seq first, Instant at, FoldOut& out);
  void on_advance(Seq seq, Instant at, FoldOut& out);
  CommandResult on_command(const Command& command, Seq seq, Instant at, FoldOut& out);
  void on_deaf(Instant from, Instant to, Seq seq, Instant at, FoldOut& out);
  void on_delivery_failed(EffectId effect, std::string_view reason, Seq seq, Instant at,
                          FoldOut& out);
  Instant next_deadline() const;

  const Correlator& correlator() const { return correlator_; }
  const Desk& desk() const { return desk_; }
  ChangeNumber last_change() const { return last_change_; }
  /// A stored change stands even where the replay gave fewer: numbers go on behind it.
  void skip_to(ChangeNumber number) { last_change_ = std::max(last_change_, number); }
  /// A change of the pipeline's own making (`corrected`).
  void add_change(IncidentChange change, Seq seq, Instant at, FoldOut& out);

  void save(ByteWriter& out) const;
  /// REQUIRES: versions are set.
  Result<void> load(ByteReader& in);
  std::uint64_t state_hash() const;

 private:
  void fire_before(Instant at, Seq seq, FoldOut& out);
  void fire(Instant at, Seq seq, FoldOut& out);
  void flow(Seq seq, Instant at, FoldOut& out);
  void flow_desk(Seq seq, Instant at, FoldOut& out);

  Correlator correlator_;
  Desk desk_;
  ChangeNumber last_change_;
  bool ready_ = false;                     // rules are set: before that there is nothing to fold
  std::vector<IncidentChange> incidents_;  // scratch
  DeskOut desk_out_;                       // scratch
};

}  // namespace belfry
