#pragma once
// Options of the syslog collectors.
#include <cstddef>
#include <cstdint>
#include <string>

#include "belfry/base/time.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/intake/udp_receiver.hpp"

namespace belfry {

struct SyslogUdpOptions {
  UdpOptions udp{.address = "::", .port = 5514};
  IntakeOptions intake;
};

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
};

}  // namespace belfry
