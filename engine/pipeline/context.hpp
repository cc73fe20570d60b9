#pragma once
// What the pipeline's three threads share: options, the store, the rings between them, the metrics.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "belfry/journal/journal.hpp"
#include "belfry/pipeline/pipeline.hpp"
#include "crash.hpp"
#include "port_impl.hpp"
#include "snapshot_child.hpp"

namespace belfry {

struct PipelineMetrics {
  explicit PipelineMetrics(Metrics& m);
  Counter& batches;
  Counter& events;
  Counter& matched;
  Counter& commands;
  Counter& advances;
  Counter& changes;
  Counter& effects;
  Counter& commits;
  Counter& journal_bytes;
  Counter& replayed;
  Counter& corrected;
  Counter& clock_steps;
  Counter& snapshots;
  Counter& snapshots_in_place;
  Gauge& commit_items;
  Gauge& commit_ring;
  Gauge& fold_rings;
  Gauge& disk_used;
  Gauge& last_seq;
  Gauge& recovery_seconds;
  Gauge& signal_keys;
  Gauge& live_incidents;
  Gauge& rules_over_budget;
  Gauge& rules_cut_off;
  Histogram& commit_seconds;
  Histogram& durable_seconds;
  Histogram& feed_seconds;
  Histogram& snapshot_fold_seconds;
};

/// A snapshot that was taken and has no name yet: a child writes it aside, or here are its bytes.
struct SnapshotTaken {
  std::string state;
  SnapshotChild child;
  bool any() const { return child.running() || !state.empty(); }
};

/// One input and all that followed from it, on its way to the disk.
struct CommitItem {
  Seq last;  ///< of the input; 0 = no input, only `at` goes on
  Instant at;
  std::uint64_t versions = 0;
  Duration wall_offset{0};

  std::unique_ptr<Batch> batch;  ///< an input batch, from
  PortImpl* port = nullptr;
  Seq first;
  std::shared_ptr<const Versions> pair;  ///< keeps what the batch's slices may point into

  std::vector<Record> records;  ///< an input record; `index` is set by the committer
  std::vector<std::pair<std::string, std::string>> sources;  ///< content hash, text: stored once
  std::vector<Change> changes;
  std::vector<Effect> effects;
  std::vector<EffectId> settled;
  std::function<void()> done;  ///< answer to a command, end of a reload
  SnapshotTaken snapshot;      ///< of the folds after this input; named after the commit
  bool end = false;            ///< the last one
};
using CommitItemPtr = std::unique_ptr<CommitItem>;

inline constexpr std::size_t kCommitRing = 64;  ///< inputs folded and not committed yet
inline constexpr std::size_t kGroupItemsMax =
    128;  ///< inputs in one commit: bounds batches in flight
inline constexpr std::size_t kCommandsMax = 1024;

struct Context {
  Context(PipelineOptions options_in, Clock& clock_in, Metrics& metrics_in, Ledger& ledger_in)
      : options(std::move(options_in)), clock(clock_in), ledger(ledger_in), metrics(metrics_in) {}

  const PipelineOptions options;
  Clock& clock;
  Ledger& ledger;
  PipelineMetrics metrics;
  CrashPoints crash = CrashPoints::from_environment();
  std::uint64_t incarnation = 0;

  std::unique_ptr<Store> store;
  std::unique_ptr<Journal> journal;
  View view;

  PortShared shared;
  std::vector<std::unique_ptr<PortImpl>> ports;
  SpscRing<CommitItemPtr> commit_ring{kCommitRing};
  Waker commit_waker;

  std::atomic<bool> stopping{false};
  std::atomic<bool> disk_full{false};
  std::atomic<bool> snapshot_busy{false};  ///< the keeper still writes the one before
  std::atomic<std::int64_t> committed_at{0};
  std::atomic<std::uint64_t> oldest_snapshot{0};
};

/// A thing that must not go on: one line, and the supervisor starts us again (RELIABILITY 0.3).
[[noreturn]] void stop_at_once(const std::string& why);

}  // namespace belfry
