// What a timer of the fold costs with a million of them: armed in the order of their deadlines (as
// `for` and heartbeats do), armed at random, moved later, asked for the next, fired.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "belfry/runtime/timer_queue.hpp"

namespace belfry {
namespace {

constexpr std::uint32_t kTimers = 1'000'000;
constexpr std::int64_t kSpan = 600'000'000'000;  // ten minutes

struct Timers {
  explicit Timers(bool in_order) : slots(kTimers), deadlines(kTimers) {
    std::mt19937_64 random(1);
    for (std::uint32_t i = 0; i < kTimers; ++i) {
      deadlines[i] = in_order ? kSpan / kTimers * i : static_cast<std::int64_t>(random() % kSpan);
    }
  }
  void arm() {
    for (std::uint32_t i = 0; i < kTimers; ++i) {
      queue.arm(slots[i], i, deadlines[i]);
    }
  }
  std::uint32_t fire() {
    std::uint32_t fired = 0;
    std::uint32_t ref = 0;
    while (queue.take(
        kSpan, [this](std::uint32_t r) { return &slots[r]; }, ref)) {
      ++fired;
    }
    return fired;
  }
  std::vector<TimerSlot> slots;
  std::vector<std::int64_t> deadlines;
  TimerQueue<std::uint32_t> queue;
};

void per_timer(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * kTimers); }

void arm(benchmark::State& state) {
  Timers timers(state.range(0) != 0);
  for (auto _ : state) {
    timers.arm();
    state.PauseTiming();
    timers.fire();
    state.ResumeTiming();
  }
  per_timer(state);
}

void fire(benchmark::State& state) {
  Timers timers(state.range(0) != 0);
  for (auto _ : state) {
    state.PauseTiming();
    timers.arm();
    state.ResumeTiming();
    benchmark::DoNotOptimize(timers.fire());
  }
  per_timer(state);
}

void move_later_and_ask(benchmark::State& state) {
  Timers timers(true);
  timers.arm();
  std::mt19937_64 random(2);
  std::int64_t now = kSpan;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kTimers; ++i) {
      const auto which = static_cast<std::uint32_t>(random() % kTimers);
      timers.queue.arm(timers.slots[which], which, now += 1000);
      benchmark::DoNotOptimize(
          timers.queue.next([&](std::uint32_t r) { return &timers.slots[r]; }));
    }
  }
  per_timer(state);
}

BENCHMARK(arm)->ArgName("in_order")->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);
BENCHMARK(fire)->ArgName("in_order")->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);
BENCHMARK(move_later_and_ask)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace belfry
