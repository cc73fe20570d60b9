#pragma once
// Correlator: the fold that turns matches into incidents (LANGUAGE 6). Pure and single-threaded: no
// clock, no socket, no file, no random number. The same inputs give the same changes and the same
// state hash, whatever the batch borders, threads or restarts were.
//
//   matches ─> signals (keyed facts) ─> patterns, windows, timers ─> incidents ─> causes ─> changes
//
// Thread: the fold thread. Owns: all signal, pattern, timer and incident state and its own strings.
// Bounds: Rule::limit, Signal::limit keys each; evidence 8 + 8 events per incident.
// Full: idle keys are evicted first; then an overflow incident of the rule counts what it could not
// keep.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/bytes.hpp"
#include "belfry/base/result.hpp"
#include "belfry/model/batch.hpp"
#include "belfry/model/change.hpp"
#include "belfry/model/command.hpp"
#include "belfry/rules/budget.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

struct CorrelatorOptions {
  /// Keep every member event of every incident, not only the first and last eight: replay's
  /// `--incidents`. Unbounded; never in the server.
  bool keep_members = false;
  rules::Budgets budgets;  ///< other ones in tests only: they decide
};

/// For `replay --incidents`: all events of an incident by signal key.
struct IncidentMembers {
  IncidentId id;
  std::vector<Seq> members;  ///< sorted
  struct Alarm {
    std::string signal;
    std::string key;
    std::vector<Seq> events;  ///< raises and clears of this signal key
  };
  std::vector<Alarm> alarms;
};

class Correlator {
 public:
  explicit Correlator(CorrelatorOptions options = {});
  ~Correlator();

  /// A version of rules or inventory (LANGUAGE 6.18, 6.19). The first call must set both.
  /// `inventory_follows`: set_inventory() comes with the same input; what windows of maintenance
  /// decide waits for it, or an incident would open for the moment between the two.
  void set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                   std::vector<IncidentChange>& out, bool inventory_follows = false);
  void set_inventory(std::shared_ptr<const Inventory> inventory, Seq seq, Instant at,
                     std::vector<IncidentChange>& out);

  /// One event with its matches. Timers with a deadline < at fire first.
  /// REQUIRES: at never goes back; seq grows; `matches` are of this event, made with the current
  /// versions.
  void on_event(const Event& event, std::span<const Match> matches, Seq seq, Instant at,
                std::vector<IncidentChange>& out);
  /// Fires all timers with a deadline <= at: the journalled clock advance.
  void advance(Instant at, Seq seq, std::vector<IncidentChange>& out);
  /// Only timers due strictly before `at` (before a command or a version at that instant).
  void advance_before(Instant at, Seq seq, std::vector<IncidentChange>& out);
  /// Earliest deadline, rounded up to 10 ms; kNever when nothing waits.
  Instant next_deadline() const;
  /// While [from, to) Belfry could not hear: `missing` and `expire` start anew at `to` (6.3).
  void on_deaf(Instant from, Instant to, Seq seq, std::vector<IncidentChange>& out);
  /// Incident commands (close by hand, silence). NotFound, Conflict with what is allowed.
  CommandResult on_command(const Command& command, Seq seq, Instant at,
                           std::vector<IncidentChange>& out);

  /// Live incidents (open, symptom, planned, clearing), ordered by began_at, rule, key text.
  std::vector<Incident> live() const;
  std::vector<IncidentMembers> members() const;  ///< keep_members only
  struct Sizes {
    std::uint64_t signal_keys = 0, rule_keys = 0, incidents = 0, timers = 0, strings = 0, bytes = 0;
    /// Rules, signals, lines and causes that were over their budget since the last version of the
    /// rules, and those of them that are cut off.
    std::uint64_t over_budget = 0, cut_off = 0;
  };
  Sizes sizes() const;

  /// Field-wise, versioned. load() into a fresh fold with the same program and inventory set.
  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);
  /// Hash of save()'s canonical order: equal states, equal hashes.
  std::uint64_t state_hash() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
