#pragma once
// Posts: events on their way from a request to the commit. Holds the answer back until the last
// event is durable, and applies a request with an Idempotency-Key once.
//
// Thread: edge. Bounds: posts_max under way, idempotency_keys_max remembered for idempotency_age.
// A post goes on when its client has left: what was begun is handed over.
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "belfry/gateway/gateway.hpp"
#include "http.hpp"
#include "runner.hpp"

namespace belfry::gateway {

class Posts {
 public:
  Posts(const GatewayOptions& options, GatewayParts parts, Runner& runner);
  /// `form`: empty for our own events, else the name of an AlertForm.
  void take(Request request, std::string_view form, Done done);

 private:
  struct Waiter {
    Done done;
    Instant until;  ///< boot time: then 503
  };
  struct Under {
    std::unique_ptr<EventPost> post;
    std::vector<Waiter> waiters;
    std::string key;  ///< empty: none
  };
  struct Known {
    std::uint64_t body_hash = 0;
    Instant at;  ///< boot time of the first request
    bool committed = false;
    std::string answer;
  };
  bool known_key(const std::string& key, std::uint64_t body_hash, Done& done);
  void poll();
  void schedule();
  void forget();
  Instant now() const { return Instant{parts_.clock->boot_ns()}; }

  const GatewayOptions& options_;
  GatewayParts parts_;
  Runner& runner_;
  std::list<Under> under_way_;
  std::map<std::string, Known, std::less<>> keys_;
  std::deque<std::string> key_order_;  ///< oldest first
  bool scheduled_ = false;
};

}  // namespace belfry::gateway
