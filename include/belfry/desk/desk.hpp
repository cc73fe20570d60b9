#pragma once
// Desk: the fold that turns incident changes and commands into tickets, escalation steps and
// effects (DESK.md). Pure and single-threaded, on the same harness as the correlator; they share
// nothing but the changes that flow from the first into this one.
//
// One ticket per incident of severity >= open_from; a symptom gets none; when a late cause adopts
// an incident its unclaimed ticket is merged into the cause's. The owner is a person, always.
//
// Thread: the fold thread. Bounds: timeline 1,000 entries a ticket kept in the fold (all are in the
// record); tickets closed for more than 72 h leave the fold.
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/bytes.hpp"
#include "belfry/desk/options.hpp"
#include "belfry/model/change.hpp"
#include "belfry/model/command.hpp"
#include "belfry/model/effect.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

struct DeskOut {
  std::vector<TicketChange> changes;
  std::vector<Effect> effects;
};

class Desk {
 public:
  Desk();
  ~Desk();
  void set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                   DeskOut& out);
  void set_options(const DeskOptions& options, Seq seq, Instant at, DeskOut& out);

  void on_incident(const IncidentChange& change, Seq seq, Instant at, DeskOut& out);
  CommandResult on_command(const Command& command, Seq seq, Instant at, DeskOut& out);
  /// A delivery that failed for good: the run's next step fires now (DESK 7 `step_empty`).
  void on_delivery_failed(EffectId effect, std::string_view reason, Seq seq, Instant at,
                          DeskOut& out);
  /// Fires everything due at or before `at` (DESK 0.2).
  void advance(Instant at, Seq seq, DeskOut& out);
  void advance_before(Instant at, Seq seq, DeskOut& out);
  Instant next_deadline() const;

  std::vector<Ticket> tickets() const;  ///< not closed, in queue order (DESK 4)
  std::vector<TimelineEntry> timeline(TicketId id) const;

  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);
  std::uint64_t state_hash() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
