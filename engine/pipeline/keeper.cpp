#include "keeper.hpp"

#include "belfry/runtime/log.hpp"

namespace belfry {
namespace {
constexpr absl::Duration kTick = absl::Seconds(1);
constexpr int kRetainEveryTicks = 60;
constexpr absl::Duration kLookAtChild = absl::Milliseconds(20);
// A million keys take ten seconds. What takes longer than this hangs.
constexpr std::int64_t kChildNsMax = 600'000'000'000;
// Intake opens again a little below the mark where it closed: not a flicker at the mark itself.
constexpr double kReopenBelow = 0.01;
}  // namespace

void Keeper::run() {
  while (true) {
    bool stopping = false;
    {
      const absl::MutexLock lock(&mutex_);
      const auto woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ || snapshot_.any();
      };
      mutex_.AwaitWithTimeout(absl::Condition(&woken), kTick);
      stopping = stopping_;
    }
    write_snapshot();
    if (stopping) {
      return;
    }
    watch_disk();
    if (++ticks_ % kRetainEveryTicks == 0) {
      retain();
    }
  }
}

void Keeper::stop() {
  const absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

void Keeper::take_snapshot(Seq seq, SnapshotTaken taken) {
  const absl::MutexLock lock(&mutex_);
  snapshot_seq_ = seq;
  snapshot_ = std::move(taken);
}

void Keeper::write_snapshot() {
  Seq seq;
  SnapshotTaken taken;
  {
    const absl::MutexLock lock(&mutex_);
    seq = snapshot_seq_;
    taken = std::exchange(snapshot_, SnapshotTaken{});
  }
  if (!taken.any()) {
    return;
  }
  SnapshotFiles files(context_.store->dir());
  const Result<bool> written = finish_snapshot(files, seq, taken);
  if (!written || !*written) {
    taken = SnapshotTaken{};  // ends a child that still writes
    files.remove_aside();
  }
  if (!written) {
    // The journal holds everything: a missing snapshot costs time at the next start, not data.
    log::error("pipeline", "snapshot at {} is not written: {}", seq.value, written.error());
  } else if (*written) {
    context_.metrics.snapshots.add();
    files.prune();
    const std::vector<Seq> kept = files.list();
    context_.oldest_snapshot.store(kept.empty() ? 0 : kept.front().value,
                                   std::memory_order_release);
  }
  context_.snapshot_busy.store(false, std::memory_order_release);
}

// False: the program ends, and its last snapshot follows this one.
Result<bool> Keeper::finish_snapshot(SnapshotFiles& files, Seq seq, SnapshotTaken& taken) {
  if (!taken.child.running()) {
    BELFRY_CHECK_OK(files.write(seq, taken.state));
    return true;
  }
  BELFRY_TRY(const bool ended, wait_for(taken.child));
  if (ended) {
    BELFRY_CHECK_OK(files.adopt(seq));
  }
  return ended;
}

Result<bool> Keeper::wait_for(SnapshotChild& child) {
  const std::int64_t begin = context_.clock.boot_ns();
  while (true) {
    if (auto ended = child.poll(); ended) {
      BELFRY_CHECK_OK(*ended);
      return true;
    }
    const absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kLookAtChild)) {
      return false;
    }
    if (context_.clock.boot_ns() - begin > kChildNsMax) {
      return fail(Code::Unavailable, "the process that writes it hangs");
    }
  }
}

void Keeper::watch_disk() {
  const auto space = disk_space(context_.store->dir());
  if (!space) {
    log::error("pipeline", "{}", space.error());
    return;
  }
  const double used = space->used_share();
  context_.metrics.disk_used.set(used);
  const double refuse = context_.options.disk_refuse;
  const bool was_full = context_.disk_full.load(std::memory_order_relaxed);
  const bool full = was_full ? used >= refuse - kReopenBelow : used >= refuse;
  const bool warn = used >= context_.options.disk_warn;
  if (full != was_full) {
    context_.disk_full.store(full, std::memory_order_relaxed);
    context_.shared.refusing.store(full || context_.stopping.load(), std::memory_order_relaxed);
    sequencer_.set_disk_full(full);
    log::write(full ? log::Level::Error : log::Level::Info, "pipeline",
               fmt::format("the disk of {} is {:.0f} % used: intake {}", context_.store->dir(),
                           used * 100, full ? "refuses" : "goes on"));
  } else if (warn && !warned_) {
    log::warn("pipeline", "the disk of {} is {:.0f} % used, intake refuses from {:.0f} %",
              context_.store->dir(), used * 100, refuse * 100);
  }
  warned_ = warn;
  const absl::MutexLock lock(&mutex_);
  disk_text_ = full ? fmt::format("the disk is {:.0f} % used: intake refuses", used * 100) : "";
}

std::string Keeper::disk_text() const {
  const absl::MutexLock lock(&mutex_);
  return disk_text_;
}

void Keeper::retain() {
  const auto space = disk_space(context_.store->dir());
  if (!space) {
    return;
  }
  const Instant limit = Instant{context_.committed_at.load(std::memory_order_relaxed)} -
                        context_.options.retention_age;
  const double share = static_cast<double>(space->total) * context_.options.retention_disk_share;
  const Seq keep_from{context_.oldest_snapshot.load(std::memory_order_acquire)};
  const auto border =
      context_.journal->retention_border(limit, static_cast<std::uint64_t>(share), keep_from);
  if (!border) {
    log::error("pipeline", "retention: {}", border.error());
  } else if (border->value > 0) {
    if (const auto dropped = context_.journal->drop_before(*border); !dropped) {
      log::error("pipeline", "retention: {}", dropped.error());
    }
  }
}

}  // namespace belfry
