#pragma once
// Prober: asks devices whether they are there and well, on one thread that never blocks.
//
//   targets ──schedule──> echo / attempt ──answer or time-out──> up | degraded | down | unknown
//                                                                              └──> intake
//
// Each target has its place in the interval (hash of the target) and a jitter of up to a twentieth
// of it, so that a thousand targets are a trickle and not a burst. A failure is tried again after a
// second, `retries` times, before "down"; an answer that came only to such a try is "degraded": the
// signal that rules make of it neither rises nor clears. While down, one try per interval, and
// `recoveries` good ones in a row before "up". A check that failed itself (a plugin that timed out,
// no descriptor left) is "unknown" and changes nothing.
//
// The event: kind Probe, type "probe", node, attrs check, status, vantage, address, port, output
// (one line), value (seconds; not when down), and the kind's own numbers: icmp: loss (percent of
// the last 20 echoes), jitter (seconds); connections: connect, handshake, first_byte, expires_days,
// code, size; dns: serial, behind; ntp: offset, stratum; plugin: runtime. `asked` is true when the
// check was asked for. Each number of a plugin's perfdata is an event of its own: check
// "NAME.LABEL", or "NAME" where the check names a label; value in seconds, bytes or as written,
// label.name, label.unit.
//
// Thread: one of its own between start() and stop(); set_inventory(), ask() and targets() from any.
// Bounds: targets_max, in_flight_max, sockets_max, plugins_max; what is due beyond waits, in order,
// and is counted; output_max; kAsksMax. Drops: by intake when the ring is full, counted. An answer
// from another address than asked is ignored.
#include <cstdint>
#include <memory>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/probe/options.hpp"

namespace belfry {

class Prober {
 public:
  Prober(ProbeOptions options, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics,
         IntakeOptions intake);
  ~Prober();  ///< stops

  /// Opens what the targets need. Where ICMP is not allowed its checks are "unknown", with one
  /// clear warning; the error when there is nothing else to do.
  Result<void> start();
  void stop();
  /// New rows for roles and nodes; state of targets that stay is kept. Also before start().
  void set_inventory(std::shared_ptr<const Inventory> inventory);
  std::size_t targets() const;  ///< under schedule now

  enum class Asked : std::uint8_t {
    Queued,   ///< its result comes as an event, with `asked`
    Unknown,  ///< this node has no such check here
    Full,     ///< kAsksMax wait already
  };
  /// Check now, out of its turn: somebody doubts what is known (a clear that may have been lost).
  /// The answer is an event like others; when the check itself fails it is "unknown" and proves
  /// nothing.
  Asked ask(std::string_view node, std::string_view check);
  static constexpr std::size_t kAsksMax = 1024;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
