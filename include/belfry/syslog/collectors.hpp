#pragma once
// Syslog collectors: sockets and threads that turn datagrams and streams into events.
//
//   SyslogTcp tcp(options, {&pipeline.add_port("syslog-tcp")}, clock, ledger, metrics);
//   BELFRY_CHECK_OK(tcp.start());  ...  tcp.stop();
//
// One thread per Port. start() binds everything or says in one line what is in the way. stop()
// takes what is in the sockets, hands it over and joins; idempotent, also run by the destructor.
// Thread: start, stop, port from one owner; seen() any. Drops: README.md of collectors/syslog.
#include <cstdint>
#include <memory>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/pipeline/port.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"
#include "belfry/syslog/options.hpp"

namespace belfry {

class SyslogUdp {
 public:
  /// REQUIRES: at least one port; ports, clock, ledger and metrics live longer.
  SyslogUdp(SyslogUdpOptions options, std::vector<Port*> ports, Clock& clock, Ledger& ledger,
            Metrics& metrics);
  ~SyslogUdp();
  Result<void> start();
  void stop();
  std::uint16_t port() const;          ///< after start()
  std::vector<SeenNode> seen() const;  ///< senders that are no device of the inventory

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// TCP, TLS or RELP, as the options say. RELP messages are answered after their commit.
class SyslogTcp {
 public:
  SyslogTcp(SyslogTcpOptions options, std::vector<Port*> ports, Clock& clock, Ledger& ledger,
            Metrics& metrics);
  ~SyslogTcp();
  Result<void> start();
  void stop();
  std::uint16_t port() const;
  std::vector<SeenNode> seen() const;
  std::size_t connections() const;  ///< open now
  /// Certificates and lists anew, for connections to come. On failure the old ones stay.
  Result<void> reload_tls();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Datagrams on a path of this machine, as syslog(3) and logger send them. One thread.
class SyslogUnix {
 public:
  SyslogUnix(SyslogUnixOptions options, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics);
  ~SyslogUnix();
  /// Takes the path over when it is a socket that nobody listens on.
  Result<void> start();
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
