#pragma once
// Pipeline: the threads between collectors and edges. Sequencer + both folds on one thread, the
// committer on the next; nothing is published before it is durable.
//
//   ports ─rings─> sequencer ─(seq, at)─> correlator ─> desk ─ring─> committer ─> journal, view,
//   marks
//
// start() recovers: newest valid snapshot + replay of the tail. stop() drains and writes a
// snapshot.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/correlate/correlator.hpp"
#include "belfry/desk/desk.hpp"
#include "belfry/model/command.hpp"
#include "belfry/pipeline/port.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"
#include "belfry/view/view.hpp"

namespace belfry {

enum class Durability : std::uint8_t { Sync, Group, Os };

struct PipelineOptions {
  std::string store_dir;  ///< created (0700) when missing
  Durability durability = Durability::Group;
  std::size_t ring_capacity = 64;  ///< batches per port; raised: more memory, later back-pressure
  Duration group_wait_min = std::chrono::milliseconds(1),
           group_wait_max = std::chrono::milliseconds(5);
  Duration snapshot_every = std::chrono::minutes(5);
  std::uint64_t snapshot_inputs = 20'000'000;  ///< or after so many inputs, whichever is first
  Duration retention_age = std::chrono::hours(24 * 30);
  double retention_disk_share = 0.6;
  double disk_warn = 0.85, disk_refuse = 0.95;
};

/// Texts of a rule set and rows of an inventory as they are journalled, so that a replay compiles
/// and builds exactly what ran. The loader gives them; the pipeline stores each once, by content
/// hash.
struct VersionSources {
  std::vector<std::pair<std::string, std::string>> rules;      ///< path, text
  std::vector<std::pair<std::string, std::string>> inventory;  ///< path below the folder, text
};
/// Rebuilds a version from stored sources (compiles, builds): handed in, since rules and inventory
/// loading are not the pipeline's business.
using VersionBuilder = std::function<Result<Versions>(const VersionSources&)>;

class Pipeline {
 public:
  Pipeline(PipelineOptions options, Clock& clock, Metrics& metrics, Ledger& ledger,
           VersionBuilder builder);
  ~Pipeline();

  /// Opens the store, recovers, applies `versions` and `desk` as inputs when they differ from what
  /// the journal has. One clear line on failure (port of another program, other format version
  /// ...).
  Result<void> start(const VersionSources& sources, const Versions& versions,
                     const DeskOptions& desk);
  /// Stops taking input, drains rings, commits, writes a snapshot, joins. Idempotent.
  void stop();

  /// REQUIRES: before start(). One per collector thread; lives as long as the pipeline.
  Port& add_port(std::string name);
  /// New rules and/or inventory, by markers. `done` runs on the committer thread after the commit.
  void reload(const VersionSources& sources, Versions versions, std::function<void()> done);
  /// Commands have a ring of their own, drained first. `done` runs on the committer thread after
  /// the commit. False when the ring (1,024) is full.
  bool submit(Command command, std::function<void(const CommandResult&)> done);

  View& view();
  std::string_view epoch() const;  ///< of the feed: 16 hex digits, new after a restore
  /// Outbox side (edge thread): effects that are committed and not yet settled, in order of
  /// decision.
  struct Pending {
    Effect effect;
    std::uint32_t attempts = 0;
    Instant next_attempt{0};
  };
  std::vector<Pending> pending_effects() const;  ///< at start
  void on_effects(
      std::function<void(std::vector<Effect>)> sink);  ///< committer thread, after the commit
  void settle(EffectId id, bool delivered,
              std::string reason);  ///< durable; failed comes back to the desk
  void retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt);
  /// Changes after `after`, at most `max`, as feed JSON, from the store. Blocking: helpers only.
  Result<std::vector<FeedItem>> changes_after(ChangeNumber after, std::size_t max) const;
  /// Stored events, newest first, optionally of one node; reads blocks back. Blocking: helpers
  /// only.
  Result<std::vector<std::string>> events_json(std::string_view node, std::size_t max) const;
  /// All timeline entries of a ticket from the record. Blocking: helpers only.
  Result<std::vector<TimelineEntry>> timeline(TicketId id) const;

  /// A copy of the running store in `dir`, which must not exist. Blocking: helpers only.
  Result<void> backup(const std::string& dir) const;

  bool ready() const;  ///< recovered and accepting
  std::string not_ready_reason() const;
  std::uint64_t state_hash();  ///< both folds, taken between two inputs; for tests

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
