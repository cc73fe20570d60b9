#pragma once
// Informs: Responses that wait until the batch of their event is durable. One per collector thread.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "belfry/intake/udp_receiver.hpp"
#include "belfry/snmp/collector.hpp"

namespace belfry::snmp {

class Informs {
 public:
  /// False: too many wait.
  bool add(std::uint64_t batch, const UdpReceiver::Peer& peer, std::string response) {
    if (waiting_.size() >= kInformsMax || bytes_ + response.size() > kInformBytesMax) {
      return false;
    }
    bytes_ += response.size();
    waiting_.push_back({batch, peer, std::move(response)});
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
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    std::uint64_t batch;
    UdpReceiver::Peer peer;
    std::string response;
  };
  std::deque<Waiting> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace belfry::snmp
