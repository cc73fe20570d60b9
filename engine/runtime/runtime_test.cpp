#include <gtest/gtest.h>

#include <thread>

#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"
#include "belfry/runtime/spsc_ring.hpp"

namespace belfry {
namespace {

TEST(SpscRingThreads, EverythingArrivesOnceAndInOrder) {
  constexpr std::uint64_t kItems = 200'000;
  SpscRing<std::uint64_t> ring(64);
  std::jthread producer([&ring] {
    for (std::uint64_t i = 0; i < kItems;) {
      if (std::uint64_t item = i; ring.try_push(std::move(item))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (std::uint64_t expected = 0; expected < kItems;) {
    std::uint64_t item = 0;
    if (ring.try_pop(item)) {
      ASSERT_EQ(item, expected++);
    } else {
      std::this_thread::yield();
    }
  }
}

TEST(SpscRing, AFullRingSaysSo) {
  SpscRing<int> ring(2);
  EXPECT_TRUE(ring.try_push(1));
  EXPECT_TRUE(ring.try_push(2));
  EXPECT_FALSE(ring.try_push(3));
  EXPECT_EQ(*ring.front(), 1);
  ring.pop();
  EXPECT_TRUE(ring.try_push(3));
}

TEST(Metrics, TextIsWhatPrometheusReads) {
  Metrics metrics;
  metrics.counter("belfry_x_total", "Things.", {{"why", "a\"b"}}).add(3);
  metrics.gauge("belfry_y", "Level.").set(1.5);
  metrics.histogram("belfry_z_seconds", "Time.").record_ns(1'500'000);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("# TYPE belfry_x_total counter\nbelfry_x_total{why=\"a\\\"b\"} 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("belfry_y 1.5\n"), std::string::npos);
  EXPECT_NE(text.find("belfry_z_seconds_bucket{le=\"+Inf\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("belfry_z_seconds_count 1\n"), std::string::npos);
}

TEST(Ledger, CountsBySourceUpToItsBound) {
  Ledger ledger(2);
  ledger.add("udp", "10.0.0.1", "received", 5);
  ledger.add("udp", "10.0.0.1", "stored", 4);
  ledger.add("udp", "10.0.0.1", "ring-full");
  ledger.add("udp", "10.0.0.2", "received");
  ledger.add("udp", "10.0.0.3", "received");
  EXPECT_EQ(ledger.refused(), 1U);
  const auto rows = ledger.rows();
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[4].source, "other");
}

TEST(Clock, TheManualClockMovesOnlyWhenMoved) {
  ManualClock clock;
  const Instant before = clock.wall();
  clock.advance(5s);
  EXPECT_EQ(clock.wall() - before, 5s);
  clock.step_wall(-1h);
  EXPECT_EQ(clock.boot_ns(), 6'000'000'000);
}

}  // namespace
}  // namespace belfry
