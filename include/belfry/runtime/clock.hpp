#pragma once
// Clock: time as a value that is handed in. Only the pipeline, the edges and the tools hold one;
// folds get instants with their inputs.
#include <cstdint>

#include "belfry/base/time.hpp"

namespace belfry {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock (CLOCK_REALTIME): display, calendars, start of `at`.
  virtual Instant wall() = 0;
  /// Nanoseconds since boot, suspend included (CLOCK_BOOTTIME): never back.
  virtual std::int64_t boot_ns() = 0;
};

/// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  Instant wall() override;
  std::int64_t boot_ns() override;
};

/// Tests: both clocks stand still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant wall = Instant{1'700'000'000'000'000'000}) : wall_(wall) {}
  Instant wall() override { return wall_; }
  std::int64_t boot_ns() override { return boot_ns_; }
  void advance(Duration d) {
    wall_ = wall_ + d;
    boot_ns_ += d.count();
  }
  void step_wall(Duration d) { wall_ = wall_ + d; }  ///< an NTP step, or a hand on the clock

 private:
  Instant wall_;
  std::int64_t boot_ns_ = 1'000'000'000;
};

}  // namespace belfry
