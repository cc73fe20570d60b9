#include "schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry::probe {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

ProbeTarget target(const std::string& node, Duration interval = 30s, std::uint32_t retries = 2) {
  ProbeTarget t;
  t.node = node;
  t.address = "192.0.2.1";
  t.interval = interval;
  t.retries = retries;
  return t;
}

/// Moves to the time of the next due target and takes it.
std::uint32_t take(Schedule& schedule, std::int64_t& now) {
  now = schedule.next_due();
  return schedule.take_due(now).value();
}

TEST(Schedule, SpreadsTargetsOverTheInterval) {
  Schedule schedule;
  std::vector<ProbeTarget> targets;
  for (int i = 0; i < 300; ++i) {
    targets.push_back(target("n" + std::to_string(i)));
  }
  schedule.set_targets(targets, 0);
  std::vector<int> per_second(33);
  std::int64_t now = 0;
  for (int i = 0; i < 300; ++i) {
    take(schedule, now);
    ++per_second.at(static_cast<std::size_t>(now / kSecond));
  }
  EXPECT_LT(*std::max_element(per_second.begin(), per_second.end()), 25);  // 10 on average
  EXPECT_EQ(schedule.next_due(), INT64_MAX);
}

TEST(Schedule, KeepsItsPlaceRoundAfterRound) {
  Schedule schedule;
  schedule.set_targets({target("a")}, 5 * kSecond);
  std::int64_t now = 0, last = 0;
  for (int round = 0; round < 50; ++round) {
    const std::uint32_t i = take(schedule, now);
    if (round > 0) {
      EXPECT_GE(now - last, 28 * kSecond);
      EXPECT_LE(now - last, 32 * kSecond);
    }
    last = now;
    EXPECT_EQ(schedule.answered(i, now + kSecond / 2), Status::Up);
  }
  // After a long pause there is one try, not one for every round that was missed.
  std::int64_t late = now + 600 * kSecond;
  const std::uint32_t i = *schedule.take_due(late);
  EXPECT_EQ(schedule.answered(i, late), Status::Up);
  EXPECT_GT(schedule.next_due(), late);
  EXPECT_LE(schedule.next_due(), late + 32 * kSecond);
}

TEST(Schedule, RetriesBeforeDownAndIsDegradedWhenARetryHelps) {
  Schedule schedule;
  schedule.set_targets({target("a")}, 0);
  std::int64_t now = 0;
  std::uint32_t i = take(schedule, now);
  EXPECT_EQ(schedule.failed(i, now), std::nullopt);
  const std::int64_t first = now;
  i = take(schedule, now);
  EXPECT_EQ(now - first, kSecond);
  EXPECT_EQ(schedule.answered(i, now), Status::Degraded);
  take(schedule, now);
  EXPECT_EQ(schedule.failed(i, now), std::nullopt);
  take(schedule, now);
  EXPECT_EQ(schedule.failed(i, now), std::nullopt);
  take(schedule, now);
  EXPECT_EQ(schedule.failed(i, now), Status::Down);
  const std::int64_t down = now;
  take(schedule, now);
  EXPECT_GT(now - down, 20 * kSecond);  // no retries while down
  EXPECT_EQ(schedule.failed(i, now), Status::Down);
  take(schedule, now);
  EXPECT_EQ(schedule.answered(i, now), Status::Up);
  take(schedule, now);
  EXPECT_EQ(schedule.failed(i, now), std::nullopt);
}

TEST(Schedule, NewTargetsKeepWhatIsKnown) {
  Schedule schedule;
  schedule.set_targets({target("a", 30s, 0), target("b", 30s, 0)}, 0);
  std::int64_t now = 0;
  for (int n = 0; n < 2; ++n) {
    EXPECT_EQ(schedule.failed(take(schedule, now), now), Status::Down);
  }
  schedule.set_targets({target("b", 30s, 3), target("c", 30s, 3)}, now);
  EXPECT_EQ(schedule.size(), 2U);
  for (int n = 0; n < 2; ++n) {
    const std::uint32_t i = take(schedule, now);
    if (schedule.target(i).node == "b") {
      EXPECT_EQ(schedule.failed(i, now), Status::Down);  // it is known to be down: no retries
    } else {
      EXPECT_EQ(schedule.answered(i, now), Status::Up);
    }
  }
}

TEST(Schedule, WhatCouldNotBeSentIsNoTry) {
  Schedule schedule;
  schedule.set_targets({target("a", 30s, 0)}, 0);
  std::int64_t now = 0;
  const std::uint32_t i = take(schedule, now);
  schedule.later(i, now + 10);
  EXPECT_EQ(schedule.take_due(now), std::nullopt);
  EXPECT_EQ(schedule.take_due(now + 10), i);
}

}  // namespace
}  // namespace belfry::probe
