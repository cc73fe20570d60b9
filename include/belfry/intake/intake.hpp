#pragma once
// Intake: what every collector shares. One per collector thread, in front of its Port: gathers
// events into batches, names the node, matches at the door, keeps fair shares and the ledger.
//
//   intake.tick();                                          // once per read: the only clock
//   reading Event& e = intake.begin();  ... decode into e and intake.arena() ...  intake.commit();
//   intake.try_flush(drained);
//
// Thread: one collector thread (seen() any). Bounds: batch as in model/batch.hpp; ring as in
// pipeline/port.hpp; sources_max rows of sources.
// Drops: when the ring is full, by the collector's own policy: `stream` collectors stop reading
// (try_flush() is false), datagram collectors shed by fair share and count each one by source.
// Ledger: received = stored + refusals, exactly, at any moment; what lies in the open batch is in
// neither yet. Written every 100 ms by try_flush(), which a waiting collector calls at least as
// often, and by finish().
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/intake/polled_ports.hpp"
#include "belfry/model/batch.hpp"
#include "belfry/pipeline/port.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"

struct sockaddr;

namespace belfry {

struct IntakeOptions {
  std::vector<std::string> relays;   ///< addresses or CIDRs whose header names are believed
  std::size_t sources_max = 10'000;  ///< fair-share table, coldest out
  std::size_t unknown_nodes_max = 10'000;
  std::shared_ptr<const PolledPorts> polled_ports;  ///< nullptr: nobody polls
};

/// A sender that no device of the inventory has as its address.
struct SeenNode {
  std::string node;
  std::string address;
  std::uint64_t events = 0;
  Instant last{0};
};

class Intake {
 public:
  Intake(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions options);
  ~Intake();
  Intake(Intake&&) noexcept;

  /// Reads the clocks: once per recvmmsg, per read, per request; never per event.
  void tick();
  Instant now() const;           ///< wall clock of the last tick()
  std::int64_t boot_ns() const;  ///< CLOCK_BOOTTIME of the last tick()

  Arena& arena();  ///< of the open batch
  /// The address as text (no port, IPv4-mapped as IPv4) in the arena of the open batch; formatted
  /// once per source, copied once per source and batch. Good as Event::from. Call it after a flush,
  /// not before: it dies with the open batch.
  std::string_view source(const sockaddr* address);
  /// The device that proved to be `name` (a certificate, this machine's own socket), as the
  /// inventory spells it, else `name` itself: good as Event::node until a flush. Empty for a relay,
  /// whose headers name the devices. After source(), whose sender it is about.
  std::string_view proven(std::string_view name);
  /// The next event of the open batch, zeroed. Exactly one of commit()/drop() follows.
  Event& begin();
  /// Decoded: names node, via and ifname; counts it as received for `from`. A node that the
  /// collector already set (probes, alerts) stays.
  void commit();
  /// Takes the event of begin() back; nothing is counted. refuse() or nothing follows.
  void drop();
  /// Refused: counted as received and by reason, first bytes sampled.
  void refuse(std::string_view source, std::string_view reason, std::string_view bytes);
  /// Lost before we saw it (kernel drops by SO_RXQ_OVFL): counted as received and lost.
  void lost(std::string_view source, std::string_view reason, std::uint64_t count);

  /// Hands the open batch over if it is due (full, aged, or `drained` and the fold idle). False:
  /// the ring is full; a stream collector stops reading and calls again, a datagram one calls
  /// shed().
  bool try_flush(bool drained);
  bool must_flush() const;  ///< open batch is full: flush before begin()
  /// Ring full: drops from the open batch by fair share so that `begin()` can go on; counts
  /// "ring-full". Event references and slices into the arena from before are invalid after it.
  void shed();
  /// Called by shed() with one byte for each event of the open batch, 0 = dropped: who promised an
  /// answer for it takes that back.
  void on_shed(std::function<void(std::span<const char> kept)> told);
  /// Hands over what is open and writes all counts to the ledger: for a clean stop. False: ring
  /// full.
  bool finish();
  /// finish(), waiting up to a second for the ring; what it does not take is counted as "stopped".
  /// The last call of a collector thread.
  void close();
  /// Events of the open batch.
  std::size_t pending() const;
  /// Number of the batch that the last committed event is in, and the durable mark, for acks.
  std::uint64_t open_batch() const;
  std::uint64_t committed() const;
  bool refusing() const;
  std::string_view collector() const;

  /// Unknown senders, bounded, coldest out. Any thread; as of the last flush.
  std::vector<SeenNode> seen() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
