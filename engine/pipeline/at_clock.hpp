#pragma once
// AtClock: the time of inputs (DESIGN 3.5). Boot time since the start, slewed towards the wall
// clock by at most 500 ppm, never back. A difference above one second is a step: `at` does not
// follow it, the offset does. Pure: both clocks are handed in.
#include "belfry/base/time.hpp"

namespace belfry {

class AtClock {
 public:
  struct Reading {
    Instant at;
    bool stepped = false;
    Duration offset_before{0}, offset{0};  ///< wall clock minus `at`, as steps made it
  };
  /// `last`: the journal's last `at` (0 = none), `offset`: the one that was recorded with it.
  Reading start(Instant last, Duration offset, Instant wall, std::int64_t boot_ns);
  Reading read(Instant wall, std::int64_t boot_ns);
  Instant last() const { return at_; }
  Duration offset() const { return offset_; }

 private:
  Reading step_to(Instant wall);
  Instant at_;
  Duration offset_{0};
  std::int64_t boot_ns_ = 0;
};

}  // namespace belfry
