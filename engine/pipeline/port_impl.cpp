#include "port_impl.hpp"

namespace belfry {
namespace {
// Batches in the committer's ring and hands come back too: under load none is freed and made again.
constexpr std::size_t kFreeExtra = 192;
}  // namespace

PortImpl::PortImpl(CollectorId id, std::string name, std::size_t ring_capacity,
                   std::uint64_t incarnation, PortShared& shared)
    : id_(id),
      name_(std::move(name)),
      incarnation_(incarnation),
      shared_(shared),
      ring_(ring_capacity),
      free_(ring_capacity + kFreeExtra) {}

std::shared_ptr<const Versions> PortImpl::versions() {
  if (!version_changed()) [[likely]] {
    return local_;
  }
  // Un-park first: after this the sequencer does not adopt in our place any more.
  state_.fetch_and(~kParked, std::memory_order_acq_rel);
  parked_ = false;
  local_ = shared_.board.get();
  local_number_ = local_ ? local_->number : 0;
  state_.store(local_number_ << 1, std::memory_order_release);
  shared_.fold_waker.notify();
  return local_;
}

void PortImpl::park() {
  parked_ = true;
  state_.fetch_or(kParked, std::memory_order_acq_rel);
  shared_.fold_waker.notify();
}

std::unique_ptr<Batch> PortImpl::take_batch() {
  std::unique_ptr<Batch> batch;
  if (!free_.try_pop(batch)) {
    batch = std::make_unique<Batch>();
    batch->events.reserve(kBatchEventsMax);
  }
  batch->collector = id_;
  batch->incarnation = incarnation_;
  batch->number = next_number_++;
  return batch;
}

bool PortImpl::try_push(std::unique_ptr<Batch>& batch) {
  batch->program_version = local_number_;
  batch->inventory_version = local_number_;
  if (!ring_.try_push(std::move(batch))) {
    return false;
  }
  shared_.fold_waker.notify();
  return true;
}

std::unique_ptr<Batch> PortImpl::pop() {
  std::unique_ptr<Batch> batch;
  ring_.try_pop(batch);
  return batch;
}

bool PortImpl::at_marker(std::uint64_t number) {
  std::uint64_t state = state_.load(std::memory_order_acquire);
  const Batch* head = front();
  if (head != nullptr) {
    return state >> 1 >= number && head->program_version >= number;
  }
  if (state >> 1 >= number) {
    return true;
  }
  return (state & kParked) != 0 &&
         state_.compare_exchange_strong(state, number << 1 | kParked, std::memory_order_acq_rel);
}

void PortImpl::recycle(std::unique_ptr<Batch> batch) {
  batch->clear();
  static_cast<void>(free_.try_push(std::move(batch)));  // a full ring frees it
}

}  // namespace belfry
