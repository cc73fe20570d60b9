#pragma once
// TimerQueue: deadlines in event time, rounded up to kTimerTick. A 4-ary heap with lazy deletion:
// arming later than what is queued (heartbeats, expiries, a window that moves on) writes one word
// and touches the heap only when the old entry comes up, so a re-arm per event costs nothing.
//
// The slot of a timer lives inside the record it belongs to; the queue only holds (deadline, ref)
// and asks its owner for the slot of a ref. Single-threaded.
#include <cstdint>
#include <utility>
#include <vector>

#include "belfry/base/time.hpp"

namespace belfry {

/// LANGUAGE 6.2: all deadlines are full 10 ms.
inline constexpr std::int64_t kTimerTick = 10'000'000;

constexpr std::int64_t round_up_to_tick(std::int64_t ns) {
  const std::int64_t rest = ns % kTimerTick;
  if (rest == 0 || ns > INT64_MAX - kTimerTick) {
    return rest == 0 ? ns : INT64_MAX;
  }
  return rest > 0 ? ns + kTimerTick - rest : ns - rest;
}

struct TimerSlot {
  static constexpr std::int64_t kIdle = INT64_MAX;
  std::int64_t deadline = kIdle;  ///< what its owner wants
  std::int64_t queued = kIdle;    ///< earliest heap entry that stands for it
};

template <class Ref>
class TimerQueue {
 public:
  /// `deadline` is rounded up; INT64_MAX cancels.
  void arm(TimerSlot& slot, Ref ref, std::int64_t deadline) {
    slot.deadline = deadline == TimerSlot::kIdle ? deadline : round_up_to_tick(deadline);
    if (slot.deadline < slot.queued) {
      slot.queued = slot.deadline;
      push({slot.deadline, ref});
    }
  }
  static void cancel(TimerSlot& slot) { slot.deadline = TimerSlot::kIdle; }

  /// Earliest deadline of all; TimerSlot::kIdle when nothing waits. Throws out dead entries on the
  /// way. `slot_of(ref)` gives the slot, or nullptr when the record is gone.
  template <class SlotOf>
  std::int64_t next(SlotOf&& slot_of) {
    while (!heap_.empty()) {
      const Entry top = heap_.front();
      TimerSlot* slot = slot_of(top.ref);
      if (slot != nullptr && slot->queued == top.deadline && slot->deadline == top.deadline) {
        return top.deadline;
      }
      pop();
      requeue(slot, top);
    }
    return TimerSlot::kIdle;
  }
  /// Takes one timer with a deadline <= `now`; its slot is idle afterwards.
  template <class SlotOf>
  bool take(std::int64_t now, SlotOf&& slot_of, Ref& out) {
    if (next(slot_of) > now || heap_.empty()) {
      return false;
    }
    out = heap_.front().ref;
    pop();
    *slot_of(out) = TimerSlot{};
    return true;
  }
  std::size_t size() const { return heap_.size(); }
  void clear() { heap_.clear(); }

 private:
  struct Entry {
    std::int64_t deadline;
    Ref ref;
  };
  static constexpr std::size_t kArity = 4;

  void requeue(TimerSlot* slot, const Entry& entry) {
    if (slot == nullptr || slot->queued != entry.deadline) {
      return;  // an entry that was overtaken by an earlier one, or of a record that is gone
    }
    slot->queued = TimerSlot::kIdle;
    if (slot->deadline != TimerSlot::kIdle) {
      slot->queued = slot->deadline;
      push({slot->deadline, entry.ref});
    }
  }
  void push(Entry entry) {
    heap_.push_back(entry);
    std::size_t i = heap_.size() - 1;
    while (i > 0) {
      const std::size_t parent = (i - 1) / kArity;
      if (heap_[parent].deadline <= heap_[i].deadline) {
        break;
      }
      std::swap(heap_[parent], heap_[i]);
      i = parent;
    }
  }
  void pop() {
    heap_.front() = heap_.back();
    heap_.pop_back();
    std::size_t i = 0;
    for (;;) {
      const std::size_t first = i * kArity + 1;
      if (first >= heap_.size()) {
        return;
      }
      std::size_t least = first;
      for (std::size_t c = first + 1; c < first + kArity && c < heap_.size(); ++c) {
        if (heap_[c].deadline < heap_[least].deadline) {
          least = c;
        }
      }
      if (heap_[i].deadline <= heap_[least].deadline) {
        return;
      }
      std::swap(heap_[i], heap_[least]);
      i = least;
    }
  }
  std::vector<Entry> heap_;
};

}  // namespace belfry
