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
  std::string out = target.node;
  for (const std::string_view part :
       {std::string_view(target.address), belfry::name(target.check), target.name()}) {
    out += '\x1f';
    out += part;
  }
  return out + '\x1f' + std::to_string(target.port);
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
    if (before != old.end()) {
      state.down = before->second.down;
      state.answers = before->second.answers;
      state.quality = before->second.quality;
    }
    state.target = std::move(target);
    states_.push_back(std::move(state));
    const auto i = static_cast<std::uint32_t>(states_.size() - 1);
    if (slot(states_[i]) < now_ns) {
      next_round(i, now_ns);
    } else {
      push(i, slot(states_[i]));
    }
  }
}

void Schedule::push(std::uint32_t i, std::int64_t at_ns) {
  states_[i].due = at_ns;
  queue_.push({at_ns, i});
}

void Schedule::drop_old() {
  while (!queue_.empty() && states_[queue_.top().target].due != queue_.top().at) {
    queue_.pop();
  }
}

std::int64_t Schedule::next_due() {
  drop_old();
  return queue_.empty() ? INT64_MAX : queue_.top().at;
}

void Schedule::hurry(std::uint32_t i, std::int64_t now_ns) {
  if (states_[i].due > now_ns) {
    push(i, now_ns);
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
  push(i, slot(state));
}

std::optional<std::uint32_t> Schedule::take_due(std::int64_t now_ns) {
  if (next_due() > now_ns) {
    return std::nullopt;
  }
  const std::uint32_t i = queue_.top().target;
  queue_.pop();
  states_[i].due = -1;
  return i;
}

Status Schedule::answered(std::uint32_t i, std::int64_t now_ns) {
  State& state = states_[i];
  const bool clean = state.tries == 0;
  state.answers = state.down ? state.answers + 1 : 0;
  const bool trusted = !state.down || state.answers >= state.target.recoveries;
  state.down = !trusted;
  next_round(i, now_ns);
  return clean && trusted ? Status::Up : Status::Degraded;
}

std::optional<Status> Schedule::failed(std::uint32_t i, std::int64_t now_ns) {
  State& state = states_[i];
  ++state.tries;
  if (!state.down && state.tries <= state.target.retries) {
    push(i, now_ns + std::min(kRetryAfter, interval(state.target)));
    return std::nullopt;
  }
  state.down = true;
  state.answers = 0;
  next_round(i, now_ns);
  return Status::Down;
}

}  // namespace belfry::probe
