#include "belfry/runtime/clock.hpp"

#include <ctime>

namespace belfry {
namespace {

std::int64_t read_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Instant SystemClock::wall() { return {read_ns(CLOCK_REALTIME)}; }

std::int64_t SystemClock::boot_ns() { return read_ns(CLOCK_BOOTTIME); }

}  // namespace belfry
