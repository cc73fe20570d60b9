#pragma once
// Waker: parks one thread until others have something for it. Notifying a thread that works costs
// one atomic exchange; only a parked one costs a system call.
//
// Thread: wait() from one thread, notify() from any.
// Why no wake-up is lost: both sides exchange on `parked_`. Either the notifier's exchange comes
// later and sees `true`, or the waiter's comes later and its `ready()` sees what was pushed before.
#include <atomic>

#include "belfry/base/time.hpp"

namespace belfry {

class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  void notify() {
    if (parked_.exchange(false, std::memory_order_acq_rel)) {
      ring();
    }
  }
  /// Returns when notified, when `ready()` is true, or after `timeout`.
  template <class Ready>
  void wait(Ready&& ready, Duration timeout) {
    parked_.exchange(true, std::memory_order_acq_rel);
    if (!ready()) {
      park(timeout);
    }
    parked_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  void ring();
  void park(Duration timeout);
  std::atomic<bool> parked_{false};
  int fd_;
};

}  // namespace belfry
