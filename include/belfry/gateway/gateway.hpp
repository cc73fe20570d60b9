#pragma once
// Gateway: REST, feed, metrics over HTTP/1.1, plain on loopback, TLS elsewhere.
//
//   connection ──head──> admit (Host, Origin, token, role, type) ──body──> Api ──> answer
//                                                                  │ lists, history, reload
//                                                                  └──> two helper threads
//   commit ──wake──> FeedHub ──frames──> each subscriber at its own pace
//
// Thread: one edge thread that never blocks, two helper threads. Owns: sockets, tokens, both kinds
// of threads. Bounds: GatewayOptions; a connection past the bound is closed and counted.
// Drops: nothing a client was promised: a slow subscriber reads on from memory or the store.
#include <memory>
#include <string>

#include "belfry/base/result.hpp"
#include "belfry/gateway/backend.hpp"
#include "belfry/gateway/options.hpp"
#include "belfry/gateway/tokens.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"
#include "belfry/webhook/webhook.hpp"

namespace belfry {

/// What the gateway is wired to. All outlive it. `events` may be null: posts of events are 404
/// then.
struct GatewayParts {
  GatewayBackend* backend = nullptr;
  EventDoor* events = nullptr;  ///< used on the edge thread only
  Metrics* metrics = nullptr;
  Ledger* ledger = nullptr;
  Clock* clock = nullptr;
};

class Gateway {
 public:
  Gateway(GatewayOptions options, GatewayParts parts);
  ~Gateway();
  /// Tokens, certificate, socket: one clear line on failure. Listens when it returns.
  Result<void> start();
  /// Closes the socket, ends feeds, lets requests under way finish (2 s), joins. Idempotent.
  void stop();

  std::uint16_t port() const;  ///< the one it listens on
  std::string url() const;     ///< "http://127.0.0.1:8514"
  std::string admin_token_path() const;
  bool first_start() const;  ///< the admin token was made just now

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
