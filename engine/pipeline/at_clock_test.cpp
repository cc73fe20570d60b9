#include "at_clock.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

constexpr Instant kWall{1'700'000'000'000'000'000};
constexpr std::int64_t kSecond = 1'000'000'000;

TEST(AtClock, GoesOnFromTheLaterOfJournalAndWallClock) {
  AtClock fresh;
  EXPECT_EQ(fresh.start({0}, {}, kWall, 5).at, kWall);
  AtClock later;
  EXPECT_FALSE(later.start(kWall - std::chrono::hours(1), {}, kWall, 5).stepped);
  EXPECT_EQ(later.last(), kWall);
  AtClock ahead;
  const auto reading = ahead.start(kWall + std::chrono::hours(1), {}, kWall, 5);
  EXPECT_EQ(reading.at, kWall + std::chrono::hours(1));
  EXPECT_TRUE(reading.stepped);
  EXPECT_EQ(reading.offset, -std::chrono::hours(1));
}

TEST(AtClock, SlewsByAtMost500Ppm) {
  AtClock clock;
  clock.start({0}, {}, kWall, 0);
  // The wall clock is 100 ms ahead: after a second of boot time `at` took half a millisecond of it.
  auto r = clock.read(kWall + Duration(kSecond) + std::chrono::milliseconds(100), kSecond);
  EXPECT_EQ(r.at, kWall + Duration(kSecond + 500'000));
  EXPECT_FALSE(r.stepped);
  r = clock.read(kWall + Duration(2 * kSecond) - std::chrono::milliseconds(900), 2 * kSecond);
  EXPECT_EQ(r.at, kWall + Duration(2 * kSecond));
}

TEST(AtClock, AStepMovesTheOffsetAndNotAt) {
  AtClock clock;
  clock.start({0}, {}, kWall, 0);
  auto r = clock.read(kWall + Duration(kSecond) - std::chrono::hours(2), kSecond);
  EXPECT_TRUE(r.stepped);
  EXPECT_EQ(r.at, kWall + Duration(kSecond));
  EXPECT_EQ(r.offset, -std::chrono::hours(2));
  r = clock.read(kWall + Duration(2 * kSecond) - std::chrono::hours(2), 2 * kSecond);
  EXPECT_FALSE(r.stepped);
  EXPECT_EQ(r.at, kWall + Duration(2 * kSecond));
  r = clock.read(kWall + Duration(3 * kSecond), 3 * kSecond);
  EXPECT_TRUE(r.stepped);
  EXPECT_EQ(r.offset_before, -std::chrono::hours(2));
  EXPECT_EQ(r.offset, Duration(0));
}

TEST(AtClock, NeverGoesBack) {
  AtClock clock;
  clock.start({0}, {}, kWall, 100 * kSecond);
  Instant before = clock.last();
  std::int64_t boot = 100 * kSecond;
  std::uint64_t seed = 7;
  for (int i = 0; i < 10'000; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    boot += static_cast<std::int64_t>(seed >> 40);
    const auto jitter = static_cast<std::int64_t>(seed >> 33) - (1LL << 30);
    const Instant at =
        clock.read(Instant{kWall.ns + boot + jitter * 8}, boot - (i % 3 == 0 ? 5 : 0)).at;
    EXPECT_GE(at, before);
    before = at;
  }
}

}  // namespace
}  // namespace belfry
