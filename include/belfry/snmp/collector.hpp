#pragma once
// TrapUdp: hears SNMP traps and informs on one UDP port, with one thread and one socket per port of
// the pipeline; the kernel steers by source address.
//
//   datagram ──decode──> community listed? ──> intake ──> (inform: waits for the commit mark) ──>
//   Response
//
// Refused, counted by source and reason: what decode() refuses, `bad-community`, `repeated-inform`,
// `refusing` while the pipeline takes no input. A kept sample has its community masked; the event
// has none. An inform is answered when the batch that holds it is durable; one that is sent again
// within two minutes is answered again and is no second event. Bounds: kInformsMax of them wait per
// thread, kInformBytesMax together; past that they get no answer now, and their agent sends again.
//
// SNMPv3 (usm.hpp) where there are users: Reports go out at once, our boots and what other engines
// last said are kept in `engine_file`.
//
// Thread: threads of its own between start() and stop(); set_users() any.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/snmp/users.hpp"

namespace belfry {

/// 4,096 informs a thread: what 4,000 a second leave open while a commit takes a whole second.
inline constexpr std::size_t kInformsMax = 4096;
/// 8 MiB: 2 KiB each.
inline constexpr std::size_t kInformBytesMax = kInformsMax * 2048;

struct TrapOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 1162;                    ///< 0 picks one
  std::vector<std::string> communities;         ///< taken ones; empty = any
  std::shared_ptr<const snmp::UsmUsers> users;  ///< nullptr: SNMPv3 is refused
  std::string engine_file;                      ///< empty: nothing is kept over a restart
  std::string engine_id;                        ///< octets; empty: made at the first start
  std::size_t receive_buffer_bytes = 32 * 1024 * 1024;
  IntakeOptions intake;
};

class TrapUdp {
 public:
  /// One thread per port. Ports, clock, ledger and metrics outlive the collector.
  TrapUdp(TrapOptions options, const std::vector<Port*>& ports, Clock& clock, Ledger& ledger,
          Metrics& metrics);
  ~TrapUdp();  ///< stops

  /// Binds and starts. One clear line when the port is taken or not ours.
  Result<void> start();
  /// Takes what is in the sockets, flushes, joins. Idempotent.
  void stop();
  std::uint16_t port() const;  ///< after start()
  /// Other users from now on. REQUIRES: there were users at the start.
  void set_users(std::shared_ptr<const snmp::UsmUsers> users);
  /// Our SNMPv3 engine id in hex, as devices are configured with it; empty without users.
  std::string engine_id() const;
  /// Senders that no device has as its address, of all threads.
  std::vector<SeenNode> seen() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
