#pragma once
// Options of the syslog collectors.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "belfry/base/time.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/intake/udp_receiver.hpp"

namespace belfry {

struct SyslogUdpOptions {
  UdpOptions udp{.address = "::", .port = 5514};
  IntakeOptions intake;
};

/// TLS 1.2 and later under a stream. Who may speak: senders whose certificate an issuer of
/// `client_ca` signed, or whose fingerprint is listed; both lists may be given.
struct SyslogTlsOptions {
  std::string certificate, key;  ///< PEM files; no certificate = no TLS
  std::string client_ca;         ///< PEM file of issuers
  /// Name of the sender -> SHA-256 fingerprints of its certificates, separated by commas. The name
  /// is what its messages are from.
  std::map<std::string, std::string> peers;
  bool anyone = false;  ///< no certificate is asked for
  /// A connection that has not shaken hands by then is closed: raised, strangers hold more of them.
  Duration handshake_max = std::chrono::seconds(10);
};

enum class StreamProtocol : std::uint8_t { Syslog, Relp };

struct SyslogTcpOptions {
  std::string address = "::";  ///< `::` hears IPv4 too
  std::uint16_t port = 5514;   ///< 0 picks one
  IntakeOptions intake;
  /// Of all threads together. Each may hold one unfinished frame: raised, a hostile crowd may hold
  /// connections_max x frame_bytes_max of memory.
  std::size_t connections_max = 10'000;
  std::size_t frame_bytes_max = 64 * 1024;  ///< longer messages are refused, the stream goes on
  /// A sender that says nothing for so long is disconnected. Dead peers are found by keep-alive
  /// before.
  Duration idle_max = std::chrono::hours(1);
  /// An unfinished frame is not waited for longer than this: a line without its LF becomes an
  /// event, a counted frame is refused and its connection closed.
  Duration frame_wait_max = std::chrono::seconds(60);
  StreamProtocol protocol = StreamProtocol::Syslog;
  SyslogTlsOptions tls;
  /// Of one address; lower than connections_max it keeps one loud address from taking all of them.
  std::size_t connections_per_source_max = 10'000;
};

struct SyslogUnixOptions {
  std::string path;      ///< of the datagram socket, as /dev/log
  unsigned mode = 0666;  ///< who may write to it
  IntakeOptions intake;
  std::size_t receive_buffer_bytes = 8 * 1024 * 1024;
};

}  // namespace belfry
