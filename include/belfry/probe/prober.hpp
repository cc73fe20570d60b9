#pragma once
// Prober: asks devices whether they are there: ICMP echo and TCP connect, on one thread.
//
//   targets ──schedule──> send / connect ──reply or time-out──> up | degraded | down ──> intake
//
// Each target has its place in the interval (hash of the target) and a jitter of up to a twentieth
// of it, so that a thousand targets are a trickle and not a burst. A failure is tried again after a
// second, `retries` times, before "down"; an answer that came only to such a try is "degraded": the
// signal that rules make of it neither rises nor clears. While down, one try per interval.
//
// The event: kind Probe, type "probe", node, attrs check ("icmp", "tcp"), status ("up", "degraded",
// "down"), vantage, address, value (round trip in milliseconds; not when down), port (tcp).
//
// Thread: one of its own between start() and stop(); set_inventory() from any.
// Bounds: targets_max, in_flight_max; what is due beyond that waits. Drops: by intake when the ring
// is full, counted. An answer from another address than asked is ignored.
#include <cstdint>
#include <memory>

#include "belfry/base/result.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/probe/options.hpp"

namespace belfry {

class Prober {
 public:
  Prober(ProbeOptions options, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics,
         IntakeOptions intake);
  ~Prober();  ///< stops

  /// Opens what the targets need. One clear line when ICMP is not allowed here.
  Result<void> start();
  void stop();
  /// New rows for icmp_roles; state of targets that stay is kept. Also before start().
  void set_inventory(std::shared_ptr<const Inventory> inventory);
  std::size_t targets() const;  ///< under schedule now

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
