#include "at_clock.hpp"

#include <algorithm>

namespace belfry {
namespace {
constexpr Duration kStep = std::chrono::seconds(1);
constexpr std::int64_t kSlewDivisor = 2000;  // 500 ppm
}  // namespace

AtClock::Reading AtClock::start(Instant last, Duration offset, Instant wall, std::int64_t boot_ns) {
  at_ = std::max(last, wall);
  boot_ns_ = boot_ns;
  offset_ = offset;
  // Going on after downtime follows the wall clock: only a journal that is ahead of it keeps an
  // offset.
  const Duration difference = wall - at_;
  const Duration now = difference < -kStep ? difference : Duration(0);
  const Reading reading{
      .at = at_, .stepped = now != offset, .offset_before = offset, .offset = now};
  offset_ = now;
  return reading;
}

AtClock::Reading AtClock::read(Instant wall, std::int64_t boot_ns) {
  const std::int64_t passed = std::max<std::int64_t>(0, boot_ns - boot_ns_);
  boot_ns_ += passed;
  at_.ns += passed;
  const std::int64_t error = (wall - offset_ - at_).count();
  if (error > kStep.count() || error < -kStep.count()) {
    return step_to(wall);
  }
  const std::int64_t slew = passed / kSlewDivisor;
  at_.ns += std::clamp(error, -slew, slew);
  return {.at = at_, .offset_before = offset_, .offset = offset_};
}

AtClock::Reading AtClock::step_to(Instant wall) {
  Reading reading{.at = at_, .stepped = true, .offset_before = offset_};
  offset_ = wall - at_;
  reading.offset = offset_;
  return reading;
}

}  // namespace belfry
