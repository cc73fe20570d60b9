#pragma once
// Committer: the second thread. Takes folded inputs off the ring, encodes them, writes several as
// one commit, and only then publishes: view and feed, marks of the ports, effects, answers.
//
//   group: encode ─ encode ─ │fsync│ publish ─ encode (1-5 ms) ─ │fsync│ publish ...
//
// Thread: run() on its own; commit_now() before run() starts; outbox operations from any thread.
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <deque>

#include "context.hpp"

namespace belfry {

class Committer {
 public:
  explicit Committer(Context& context) : context_(context) {}

  /// REQUIRES: the store is open; before anything is committed.
  void start(const JournalMark& mark);
  /// Start: the calling thread commits and publishes.
  void commit_now(CommitItemPtr item);
  void run();

  void settle(EffectId id);
  void retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt);
  void on_effects(std::function<void(std::vector<Effect>)> sink);
  /// Gets the state of the folds once the input it belongs to is durable.
  void on_snapshot(std::function<void(Seq, SnapshotTaken)> sink) {
    snapshot_sink_ = std::move(sink);
  }
  void names_changed(std::shared_ptr<const Versions> pair);

 private:
  struct OutboxStep {
    EffectId id;
    bool settled = false;
    std::uint32_t attempts = 0;
    Instant next_attempt;
  };
  bool gather(Duration limit);
  void encode(CommitItem& item);
  void encode_batch(CommitItem& item);
  void encode_changes(CommitItem& item);
  void encode_outbox_steps();
  void see_nodes(const CommitItem& item);
  void commit();
  void publish();
  void publish_nodes(bool all);
  Duration group_wait() const;
  bool outbox_waiting();

  Context& context_;
  Writes writes_;
  JournalMark mark_;
  std::vector<CommitItemPtr> pending_;  // encoded into writes_, not committed
  bool must_sync_ = false;
  bool ended_ = false;
  std::int64_t last_commit_end_ns_ = 0;  // boot time
  std::int64_t last_commit_took_ns_ = 0;
  Instant last_time_mark_{0};
  std::string key_, value_;
  ByteWriter bytes_;

  // Devices as heard, by name; entries never move.
  std::deque<NodeSeen> nodes_;
  absl::flat_hash_map<std::string_view, std::size_t> node_of_;
  std::vector<std::size_t> nodes_dirty_;
  std::vector<bool> node_is_dirty_;
  std::int64_t nodes_shown_ns_ = 0;
  std::shared_ptr<const Versions> names_;

  std::function<void(Seq, SnapshotTaken)> snapshot_sink_;
  absl::Mutex mutex_;
  std::vector<OutboxStep> outbox_steps_ ABSL_GUARDED_BY(mutex_);
  std::function<void(std::vector<Effect>)> effect_sink_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace belfry
