#pragma once
// UdpReceiver: one datagram socket and its loop, for every collector that hears UDP (syslog,
// traps).
//
//   socket ──recvmmsg──> slots ──copy into the open batch's arena──> handler(datagram) ──> intake
//
// The copy is on purpose: slots stay hot in the cache and a batch holds its texts without gaps
// (about 5 ns a datagram, against 64 KiB of arena for each slot that a datagram could fill).
//
// Thread: open() anywhere; run() is the collector's thread and ends soon after its token stops.
// Several receivers may share a port (`reuse`): the kernel then steers by source address, so that
// one device is always one thread. Bounds: kSlots datagrams a call. Drops: what the kernel dropped
// (SO_RXQ_OVFL) is reported to intake as lost, "socket-overflow".
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/intake/intake.hpp"

namespace belfry {

struct UdpOptions {
  std::string address = "::";  ///< `::` hears IPv4 too
  std::uint16_t port = 0;      ///< 0 picks one
  /// Sockets (and so threads) that will share the port; above 1 the kernel steers by source
  /// address.
  unsigned sockets = 1;
  /// Kernel buffer; 32 MiB holds about 40,000 datagrams of 300 bytes as the kernel counts them, a
  /// quarter of a second of the target rate. Raised: more memory, older datagrams after a stall.
  std::size_t receive_buffer_bytes = 32 * 1024 * 1024;
  /// UDP_GRO: trains of equal datagrams in one call. Off: the kernel counts a train that it drops
  /// as one, so that the loss of a flood is no longer exact (37 of 48 million uncounted in
  /// bench/pipeline).
  bool gro = false;
};

struct Datagram {
  std::string_view bytes;         ///< in the arena of intake's open batch
  std::string_view source;        ///< address as text, in the same arena: good as Event::from
  Instant received;               ///< one clock reading for all datagrams of a call
  std::uint16_t source_port = 0;  ///< informs are answered to it
};

class UdpReceiver {
 public:
  explicit UdpReceiver(UdpOptions options);
  ~UdpReceiver();
  UdpReceiver(UdpReceiver&&) noexcept;
  UdpReceiver& operator=(UdpReceiver&&) noexcept;

  /// Binds. One clear line when the port is taken or the address is not ours.
  Result<void> open();
  std::uint16_t port() const;  ///< after open()
  int socket() const;

  /// Receives until `stop`; then takes what is still in the socket, flushes and returns. For each
  /// datagram `handler(const Datagram&)` must call one of intake.begin()+commit(), intake.refuse().
  template <class Handler>
  void run(std::stop_token stop, Intake& intake, Handler&& handler) {
    while (next(stop, intake)) {
      Datagram datagram;
      while (take(intake, datagram)) {
        handler(const_cast<const Datagram&>(datagram));
      }
    }
  }
  /// `round` is called by run() before each receive and about every 50 ms when nothing comes; every
  /// millisecond while it returns true (it waits for something, as a commit). Before run().
  void on_round(std::function<bool()> round);
  /// Sends an answer (an SNMP response) to the sender of the last taken datagram; false when the
  /// kernel does not take it now.
  bool reply(std::string_view bytes);
  /// Where the last taken datagram came from, to answer it later (after the commit) by send_to().
  struct Peer {
    alignas(8) char address[28];  ///< sockaddr_in or sockaddr_in6
    std::uint32_t size = 0;
  };
  Peer peer() const;
  bool send_to(const Peer& peer, std::string_view bytes);

 private:
  /// Waits for and receives the next datagrams. False: stopped and drained.
  bool next(const std::stop_token& stop, Intake& intake);
  /// The next of the received datagrams, copied into the arena; makes room by flush or shed first.
  bool take(Intake& intake, Datagram& out);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
