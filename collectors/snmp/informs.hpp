#pragma once
// Informs: Responses that wait until the batch of their event is durable; Repeats: informs that
// were taken already. One of each per collector thread.
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/intake/udp_receiver.hpp"
#include "belfry/snmp/collector.hpp"

namespace belfry::snmp {

/// Agents ask again after seconds; one that was restarted may reuse its request ids later.
inline constexpr std::int64_t kRepeatNs = 120'000'000'000;
/// 500 informs a second for two minutes; the oldest is forgotten first.
inline constexpr std::size_t kRepeatsMax = 65'536;

class Informs {
 public:
  struct Waiting {
    std::uint64_t batch = 0;
    std::size_t event = 0;       ///< its index, while the batch is open
    std::uint64_t sameness = 0;  ///< as Repeats knows it
    UdpReceiver::Peer peer;
    std::string response;
  };
  /// False: too many wait.
  bool add(Waiting one) {
    if (waiting_.size() >= kInformsMax || bytes_ + one.response.size() > kInformBytesMax) {
      return false;
    }
    bytes_ += one.response.size();
    waiting_.push_back(std::move(one));
    return true;
  }
  /// Calls send(peer, bytes) for each whose batch is durable, oldest first.
  template <class Send>
  void release(std::uint64_t committed, Send&& send) {
    while (!waiting_.empty() && waiting_.front().batch <= committed) {
      send(waiting_.front().peer, std::string_view(waiting_.front().response));
      bytes_ -= waiting_.front().response.size();
      waiting_.pop_front();
    }
  }
  /// The open batch lost the events whose byte in `kept` is 0: theirs get no answer. Calls
  /// gone(sameness) for each.
  template <class Gone>
  void shed(std::uint64_t open_batch, std::span<const char> kept, Gone&& gone) {
    std::vector<std::size_t> place(kept.size());
    std::size_t to = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      place[i] = to;
      to += kept[i] != 0 ? 1U : 0U;
    }
    std::erase_if(waiting_, [&](Waiting& one) {
      if (one.batch != open_batch || one.event >= kept.size()) {
        return false;
      }
      if (kept[one.event] != 0) {
        one.event = place[one.event];
        return false;
      }
      bytes_ -= one.response.size();
      gone(one.sameness);
      return true;
    });
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  std::deque<Waiting> waiting_;
  std::size_t bytes_ = 0;
};

class Repeats {
 public:
  /// The batch that an equal inform went into within kRepeatNs.
  std::optional<std::uint64_t> find(std::uint64_t sameness, std::int64_t now_ns) {
    while (!order_.empty() && now_ns - order_.front().second > kRepeatNs) {
      forget_oldest();
    }
    const auto it = batches_.find(sameness);
    return it == batches_.end() ? std::nullopt : std::optional(it->second);
  }
  void add(std::uint64_t sameness, std::uint64_t batch, std::int64_t now_ns) {
    if (order_.size() >= kRepeatsMax) {
      forget_oldest();
    }
    batches_[sameness] = batch;
    order_.emplace_back(sameness, now_ns);
  }
  void remove(std::uint64_t sameness) { batches_.erase(sameness); }

 private:
  void forget_oldest() {
    batches_.erase(order_.front().first);
    order_.pop_front();
  }
  absl::flat_hash_map<std::uint64_t, std::uint64_t> batches_;
  std::deque<std::pair<std::uint64_t, std::int64_t>> order_;
};

}  // namespace belfry::snmp
