#pragma once
// Schedule: when which target is due, and what a chain of tries says about it. Pure: time comes in
// (nanoseconds of a clock that never goes back), no socket, no randomness.
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "belfry/probe/options.hpp"
#include "belfry/probe/status.hpp"

namespace belfry::probe {

class Schedule {
 public:
  /// Replaces all targets; those that stay keep their place and whether they are down. Nothing may
  /// be under way.
  void set_targets(std::vector<ProbeTarget> targets, std::int64_t now_ns);
  std::size_t size() const { return states_.size(); }
  const ProbeTarget& target(std::uint32_t i) const { return states_[i].target; }

  /// A target to try now, which then is under way until failed(), answered() or later().
  std::optional<std::uint32_t> take_due(std::int64_t now_ns);
  /// When take_due() will have one; INT64_MAX: never.
  std::int64_t next_due() const { return queue_.empty() ? INT64_MAX : queue_.top().at; }

  /// Could not be sent now: no try.
  void later(std::uint32_t i, std::int64_t at_ns) { queue_.push({at_ns, i}); }
  Status answered(std::uint32_t i, std::int64_t now_ns);
  /// nullopt: it will be tried again before anything is said.
  std::optional<Status> failed(std::uint32_t i, std::int64_t now_ns);

 private:
  struct State {
    ProbeTarget target;
    std::uint64_t hash = 0;
    std::int64_t base = 0;  ///< time of round 0, without jitter
    std::uint64_t round = 0;
    std::uint32_t tries = 0;  ///< failed ones of this check
    bool down = false;
  };
  struct Due {
    std::int64_t at;
    std::uint32_t target;
    bool operator<(const Due& other) const {
      return at > other.at || (at == other.at && target > other.target);
    }
  };
  static std::string key(const ProbeTarget& target);
  std::int64_t slot(const State& state) const;
  void next_round(std::uint32_t i, std::int64_t now_ns);

  std::vector<State> states_;
  std::priority_queue<Due> queue_;
};

}  // namespace belfry::probe
