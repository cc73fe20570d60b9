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

TEST(Schedule, SeveralAnswersBeforeUpWhereAsked) {
  Schedule schedule;
  ProbeTarget one = target("a", 10s, 0);
  one.recoveries = 3;
  schedule.set_targets({one}, 0);
  std::int64_t now = 0;
  std::vector<Status> said;
  for (const bool answers : {true, false, true, true, false, true, true, true, true}) {
    const std::uint32_t i = take(schedule, now);
    said.push_back(answers ? schedule.answered(i, now) : *schedule.failed(i, now));
  }
  using enum Status;
  EXPECT_EQ(said, (std::vector{Up, Down, Degraded, Degraded, Down, Degraded, Degraded, Up, Up}));
}

TEST(Schedule, AskedForOutOfItsTurn) {
  Schedule schedule;
  schedule.set_targets({target("a")}, 0);
  const std::int64_t place = schedule.next_due();
  ASSERT_GT(place, 1000);
  schedule.hurry(0, 1000);
  EXPECT_EQ(schedule.take_due(1000), 0U);
  schedule.hurry(0, 1500);  // under way: that answer will do
  EXPECT_EQ(schedule.next_due(), INT64_MAX);
  schedule.broken(0, 2000);
  EXPECT_GE(schedule.next_due(), place);  // its own place stays
  EXPECT_EQ(schedule.take_due(schedule.next_due()), 0U);
}

TEST(Quality, LossOverTheLastTwentyAndJitter) {
  Quality q;
  EXPECT_EQ(q.loss(), 0);
  q.answered(0.010);
  q.lost();
  EXPECT_DOUBLE_EQ(q.loss(), 50);
  EXPECT_EQ(q.jitter(), 0);
  q.answered(0.026);
  EXPECT_DOUBLE_EQ(q.jitter(), 0.001);
  for (int i = 0; i < 19; ++i) {
    q.answered(0.026);
  }
  EXPECT_DOUBLE_EQ(q.loss(), 0);  // the lost one has left the window
  for (int i = 0; i < 40; ++i) {
    q.lost();
  }
  EXPECT_DOUBLE_EQ(q.loss(), 100);
}

}  // namespace
}  // namespace belfry::probe
