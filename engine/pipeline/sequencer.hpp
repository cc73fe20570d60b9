#pragma once
// Sequencer: the first thread, single writer of all fold state. Gives every input its place, folds
// it, hands it to the committer.
//
// Thread: run() on its own; post() and submit() from any thread. Order: commands and controls
// first, then the ring whose head batch is oldest, then timers.
#include <absl/synchronization/mutex.h>

#include <deque>
#include <optional>

#include "at_clock.hpp"
#include "belfry/rules/matcher.hpp"
#include "context.hpp"
#include "folds.hpp"
#include "inputs.hpp"

namespace belfry {

/// Where recovery left off.
struct Recovered {
  JournalMark mark;
  VersionName versions;
  std::shared_ptr<const Versions> pair;
  std::string desk;  ///< options in force, encoded; empty = none yet
};

class Sequencer {
 public:
  Sequencer(Context& context, Folds& folds) : context_(context), folds_(folds) {}

  /// Inputs of the start itself, before any thread runs: committed by `commit` at once.
  void begin(Recovered recovered, const std::function<void(CommitItemPtr)>& commit);
  struct Reload {
    VersionName name;                                          // number 0: set when its turn comes
    std::vector<std::pair<std::string, std::string>> sources;  // hash, text
    Versions versions;
    std::function<void()> done;
  };
  void start_versions(Reload reload, const std::function<void(CommitItemPtr)>& commit);
  void start_desk(const DeskOptions& options, const std::function<void(CommitItemPtr)>& commit);
  void start_corrections(const std::vector<IncidentId>& ids,
                         const std::function<void(CommitItemPtr)>& commit);

  void run();

  bool submit(Command command, std::function<void(const CommandResult&)> done);
  void reload(Reload reload);
  void delivery_failed(EffectId id, std::string reason);
  void set_disk_full(bool full);
  void ask(std::function<void()> question);  ///< runs between two inputs
  const VersionName& versions() const { return name_; }

 private:
  struct PostedCommand {
    Command command;
    std::function<void(const CommandResult&)> done;
  };
  bool drain_posted();
  bool take_batch();
  bool try_switch();
  bool fire_timers();
  void keep_alive();
  void wait();
  void finish();

  Instant now();
  CommitItemPtr item(Seq last, Instant at);
  CommitItemPtr record_item(RecordKind kind, Instant at, std::string payload);
  void emit(CommitItemPtr item);
  void fold_batch(PortImpl& port, std::unique_ptr<Batch> batch);
  void match_here(Batch& batch);
  void fold_command(PostedCommand posted);
  void fold_deaf(const Deaf& deaf);
  void fold_versions(Reload& reload, const std::function<void(CommitItemPtr)>& commit);
  void take_out(CommitItem& item);
  void maybe_snapshot(CommitItem& item, bool now);
  bool work_waits();

  Context& context_;
  Folds& folds_;
  AtClock clock_;
  Seq seq_;
  VersionName name_;
  std::shared_ptr<const Versions> pair_;
  std::string desk_;
  FoldOut out_;
  std::optional<rules::Matcher> matcher_;
  std::uint64_t matcher_version_ = 0;
  std::deque<Reload> reloads_;  // the first one is under way
  bool switching_ = false;
  std::int64_t switch_began_ns_ = 0;
  bool switch_warned_ = false;
  std::optional<Instant> deaf_since_;
  std::int64_t snapshot_ns_ = 0;
  std::uint64_t inputs_since_snapshot_ = 0;
  std::int64_t alive_ns_ = 0;

  absl::Mutex mutex_;
  std::deque<PostedCommand> commands_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> controls_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> posted_{false};
};

}  // namespace belfry
