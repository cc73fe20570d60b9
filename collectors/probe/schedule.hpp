#pragma once
// Schedule: when which target is due, and what a chain of tries says about it. Pure: time comes in
// (nanoseconds of a clock that never goes back), no socket, no randomness.
//
//   up ──retries failures──> down ──recoveries answers in a row──> up
//      └ an answer to a retry: degraded    └ fewer: degraded
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "belfry/probe/options.hpp"
#include "belfry/probe/status.hpp"
#include "quality.hpp"

namespace belfry::probe {

class Schedule {
 public:
  /// Replaces all targets; those that stay keep their place and whether they are down. Nothing may
  /// be under way.
  void set_targets(std::vector<ProbeTarget> targets, std::int64_t now_ns);
  std::size_t size() const { return states_.size(); }
  const ProbeTarget& target(std::uint32_t i) const { return states_[i].target; }
  Quality& quality(std::uint32_t i) { return states_[i].quality; }

  /// A target to try now, which then is under way until failed(), answered(), broken() or later().
  std::optional<std::uint32_t> take_due(std::int64_t now_ns);
  /// When take_due() will have one; INT64_MAX: never.
  std::int64_t next_due();
  /// Asked for out of its turn: due now, unless it is under way already.
  void hurry(std::uint32_t i, std::int64_t now_ns);

  /// Could not be sent now: no try.
  void later(std::uint32_t i, std::int64_t at_ns) { push(i, at_ns); }
  Status answered(std::uint32_t i, std::int64_t now_ns);
  /// nullopt: it will be tried again before anything is said.
  std::optional<Status> failed(std::uint32_t i, std::int64_t now_ns);
  /// The check itself failed: says nothing about the target, whose state stays.
  void broken(std::uint32_t i, std::int64_t now_ns) { next_round(i, now_ns); }

 private:
  struct State {
    ProbeTarget target;
    std::uint64_t hash = 0;
    std::int64_t base = 0;  ///< time of round 0, without jitter
    std::uint64_t round = 0;
    std::int64_t due = -1;      ///< its entry in the queue; others of it are old
    std::uint32_t tries = 0;    ///< failed ones of this check
    std::uint32_t answers = 0;  ///< in a row since it was down
    bool down = false;
    Quality quality;
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
  void push(std::uint32_t i, std::int64_t at_ns);
  void next_round(std::uint32_t i, std::int64_t now_ns);
  void drop_old();

  std::vector<State> states_;
  std::priority_queue<Due> queue_;
};

}  // namespace belfry::probe
