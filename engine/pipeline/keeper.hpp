#pragma once
// Keeper: the third thread, mostly asleep. Writes snapshots, watches the free space of the disk,
// drops what retention lets go. Nothing waits for it.
#include <absl/synchronization/mutex.h>

#include "context.hpp"
#include "sequencer.hpp"

namespace belfry {

class Keeper {
 public:
  Keeper(Context& context, Sequencer& sequencer) : context_(context), sequencer_(sequencer) {}
  void run();
  void stop();  ///< writes what waits first
  void take_snapshot(Seq seq, SnapshotTaken taken);
  /// Also at start, so that a full disk is known before the first input.
  void watch_disk();
  std::string disk_text() const;  ///< empty = all is well

 private:
  void write_snapshot();
  Result<bool> finish_snapshot(SnapshotFiles& files, Seq seq, SnapshotTaken& taken);
  Result<bool> wait_for(SnapshotChild& child);
  void retain();

  Context& context_;
  Sequencer& sequencer_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Seq snapshot_seq_ ABSL_GUARDED_BY(mutex_);
  SnapshotTaken snapshot_ ABSL_GUARDED_BY(mutex_);
  std::string disk_text_ ABSL_GUARDED_BY(mutex_);
  bool warned_ = false;
  int ticks_ = 0;
};

}  // namespace belfry
