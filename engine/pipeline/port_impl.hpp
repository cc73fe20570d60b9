#pragma once
// The port of one collector thread, and the board that the wanted pair of versions hangs on.
//
// A version switch without a marker that a full ring could refuse: the port publishes which pair it
// made its last batches with (`state_`), batches carry the number of their pair, and the sequencer
// stops a ring at the first batch of the new pair. A port is *at the marker* when it has adopted
// the new pair and its ring holds nothing older.
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <memory>
#include <string>

#include "belfry/pipeline/port.hpp"
#include "belfry/runtime/spsc_ring.hpp"
#include "waker.hpp"

namespace belfry {

class VersionBoard {
 public:
  void set(std::shared_ptr<const Versions> versions) {
    const std::uint64_t number = versions->number;
    {
      const absl::MutexLock lock(&mutex_);
      current_ = std::move(versions);
    }
    wanted_.store(number, std::memory_order_release);
  }
  std::shared_ptr<const Versions> get() const {
    const absl::MutexLock lock(&mutex_);
    return current_;
  }
  std::uint64_t wanted() const { return wanted_.load(std::memory_order_acquire); }

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Versions> current_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> wanted_{0};
};

/// What a port shares with the pipeline's threads.
struct PortShared {
  VersionBoard board;
  Waker fold_waker;
  std::atomic<bool> fold_idle{false};
  std::atomic<bool> refusing{true};  ///< until recovered; while the disk is full; when stopping
};

class PortImpl final : public Port {
 public:
  PortImpl(CollectorId id, std::string name, std::size_t ring_capacity, std::uint64_t incarnation,
           PortShared& shared);

  CollectorId id() const override { return id_; }
  std::string_view name() const override { return name_; }
  std::shared_ptr<const Versions> versions() override;
  bool version_changed() const override {
    return parked_ || shared_.board.wanted() != local_number_;
  }
  std::unique_ptr<Batch> take_batch() override;
  bool try_push(std::unique_ptr<Batch>& batch) override;
  std::uint64_t committed() const override { return committed_.load(std::memory_order_acquire); }
  bool idle() const override { return shared_.fold_idle.load(std::memory_order_relaxed); }
  bool refusing() const override { return shared_.refusing.load(std::memory_order_relaxed); }
  void park() override;

  // Sequencer's side.
  Batch* front() {
    std::unique_ptr<Batch>* head = ring_.front();
    return head == nullptr ? nullptr : head->get();
  }
  std::unique_ptr<Batch> pop();
  std::size_t waiting() const { return ring_.size(); }
  /// Nothing made with a pair before `number` is in the ring or can come any more.
  bool at_marker(std::uint64_t number);

  // Committer's side.
  void recycle(std::unique_ptr<Batch> batch);
  void set_committed(std::uint64_t number) { committed_.store(number, std::memory_order_release); }

 private:
  static constexpr std::uint64_t kParked = 1;

  const CollectorId id_;
  const std::string name_;
  const std::uint64_t incarnation_;
  PortShared& shared_;
  SpscRing<std::unique_ptr<Batch>> ring_;
  SpscRing<std::unique_ptr<Batch>> free_;
  // Number of the adopted pair << 1 | parked. A parked port's owner uses no pair until it un-parks,
  // so the sequencer may adopt in its place; the compare-exchange decides who was first.
  std::atomic<std::uint64_t> state_{kParked};
  std::atomic<std::uint64_t> committed_{0};
  // The collector's own.
  bool parked_ = true;
  std::shared_ptr<const Versions> local_;
  std::uint64_t local_number_ = 0;
  std::uint64_t next_number_ = 1;
};

}  // namespace belfry
