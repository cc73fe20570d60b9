#include "belfry/runtime/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace belfry {
namespace {

struct Timers {
  explicit Timers(std::size_t n) : slots(n) {}
  void arm(std::size_t i, std::int64_t at) { queue.arm(slots[i], i, at); }
  std::int64_t next() {
    return queue.next([this](std::size_t i) { return &slots[i]; });
  }
  std::vector<std::size_t> take(std::int64_t now) {
    std::vector<std::size_t> fired;
    std::size_t i = 0;
    while (queue.take(
        now, [this](std::size_t r) { return &slots[r]; }, i)) {
      fired.push_back(i);
    }
    std::sort(fired.begin(), fired.end());
    return fired;
  }
  std::vector<TimerSlot> slots;
  TimerQueue<std::size_t> queue;
};

TEST(TimerQueue, RoundsUpToTicks) {
  EXPECT_EQ(round_up_to_tick(0), 0);
  EXPECT_EQ(round_up_to_tick(1), kTimerTick);
  EXPECT_EQ(round_up_to_tick(kTimerTick), kTimerTick);
  EXPECT_EQ(round_up_to_tick(-1), 0);
  EXPECT_EQ(round_up_to_tick(INT64_MAX), INT64_MAX);
  Timers t(1);
  t.arm(0, 5);
  EXPECT_EQ(t.next(), kTimerTick);
}

TEST(TimerQueue, ReArmingLaterDoesNotGrowTheHeap) {
  Timers t(1);
  for (std::int64_t at = 1; at < 1000; ++at) {
    t.arm(0, at * kTimerTick);
  }
  EXPECT_EQ(t.queue.size(), 1U);
  EXPECT_TRUE(t.take(998 * kTimerTick).empty());
  EXPECT_EQ(t.take(999 * kTimerTick), std::vector<std::size_t>{0});
  EXPECT_EQ(t.next(), TimerSlot::kIdle);
}

TEST(TimerQueue, CancelledAndEarlierArmedTimersFireOnce) {
  Timers t(2);
  t.arm(0, 10 * kTimerTick);
  t.arm(0, 5 * kTimerTick);
  t.arm(1, 5 * kTimerTick);
  TimerQueue<std::size_t>::cancel(t.slots[1]);
  EXPECT_EQ(t.take(20 * kTimerTick), std::vector<std::size_t>{0});
  t.arm(0, 30 * kTimerTick);
  EXPECT_EQ(t.take(30 * kTimerTick), std::vector<std::size_t>{0});
}

TEST(TimerQueue, AgreesWithAPlainList) {
  std::mt19937_64 random(7);
  Timers t(50);
  std::vector<std::int64_t> plain(50, TimerSlot::kIdle);
  std::int64_t now = 0;
  for (int step = 0; step < 5000; ++step) {
    const std::size_t i = random() % 50;
    const std::int64_t at = random() % 10 == 0
                                ? TimerSlot::kIdle
                                : now + static_cast<std::int64_t>(random() % 100) * kTimerTick;
    t.arm(i, at);
    plain[i] = at;
    ASSERT_EQ(t.next(), *std::min_element(plain.begin(), plain.end()));
    if (random() % 3 == 0) {
      now += static_cast<std::int64_t>(random() % 40) * kTimerTick;
      std::vector<std::size_t> due;
      for (std::size_t k = 0; k < plain.size(); ++k) {
        if (plain[k] <= now) {
          due.push_back(k);
          plain[k] = TimerSlot::kIdle;
        }
      }
      ASSERT_EQ(t.take(now), due);
    }
  }
}

}  // namespace
}  // namespace belfry
