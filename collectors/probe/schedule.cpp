#include "schedule.hpp"

#include <algorithm>

#include "belfry/base/hash.hpp"

namespace belfry::probe {
namespace {

constexpr std::int64_t kRetryAfter = 1'000'000'000;
constexpr std::int64_t kIntervalMin = 10'000'000;
// Part of the interval that a target's turn moves from round to round, so that targets whose places
// are close do not stay together.
constexpr std::int64_t kJitterPart = 20;

std::int64_t interval(const ProbeTarget& target) {
  return std::max<std::int64_t>(target.interval.count(), kIntervalMin);
}

}  // namespace

std::string Schedule::key(const ProbeTarget& target) {
  return target.node + '\x1f' + target.address + '\x1f' + std::string(name(target.check)) + '\x1f' +
         std::to_string(target.port);
}

void Schedule::set_targets(std::vector<ProbeTarget> targets, std::int64_t now_ns) {
  std::unordered_map<std::string, State> old;
  for (State& state : states_) {
    std::string of = key(state.target);
    old.emplace(std::move(of), std::move(state));
  }
  states_.clear();
  queue_ = {};
  for (ProbeTarget& target : targets) {
    State state;
    const std::string of = key(target);
    state.hash = hash64(of);
    const auto before = old.find(of);
    if (before != old.end() && before->second.target.interval == target.interval) {
      state.base = before->second.base;
      state.round = before->second.round;
    } else {
      state.base = now_ns + static_cast<std::int64_t>(state.hash %
                                                      static_cast<std::uint64_t>(interval(target)));
    }
    state.down = before != old.end() && before->second.down;
    state.target = std::move(target);
    states_.push_back(std::move(state));
    const auto i = static_cast<std::uint32_t>(states_.size() - 1);
    if (slot(states_[i]) < now_ns) {
      next_round(i, now_ns);
    } else {
      queue_.push({slot(states_[i]), i});
    }
  }
}

std::int64_t Schedule::slot(const State& state) const {
  const std::int64_t every = interval(state.target);
  const auto jitter = static_cast<std::int64_t>(
      hash_mix(state.hash, state.round) % static_cast<std::uint64_t>(every / kJitterPart + 1));
  return state.base + static_cast<std::int64_t>(state.round) * every + jitter;
}

void Schedule::next_round(std::uint32_t i, std::int64_t now_ns) {
  State& state = states_[i];
  state.tries = 0;
  const std::int64_t every = interval(state.target);
  // Rounds that were missed (a long time-out, a stopped machine) are left out, the place stays.
  const std::int64_t passed = std::max<std::int64_t>((now_ns - state.base) / every, 0);
  state.round = std::max(state.round + 1, static_cast<std::uint64_t>(passed));
  while (slot(state) <= now_ns) {
    ++state.round;
  }
  queue_.push({slot(state), i});
}

std::optional<std::uint32_t> Schedule::take_due(std::int64_t now_ns) {
  if (queue_.empty() || queue_.top().at > now_ns) {
    return std::nullopt;
  }
  const std::uint32_t i = queue_.top().target;
  queue_.pop();
  return i;
}

Status Schedule::answered(std::uint32_t i, std::int64_t now_ns) {
  State& state = states_[i];
  const bool clean = state.tries == 0;
  state.down = false;
  next_round(i, now_ns);
  return clean ? Status::Up : Status::Degraded;
}

std::optional<Status> Schedule::failed(std::uint32_t i, std::int64_t now_ns) {
  State& state = states_[i];
  ++state.tries;
  if (!state.down && state.tries <= state.target.retries) {
    queue_.push({now_ns + std::min(kRetryAfter, interval(state.target)), i});
    return std::nullopt;
  }
  state.down = true;
  next_round(i, now_ns);
  return Status::Down;
}

}  // namespace belfry::probe
