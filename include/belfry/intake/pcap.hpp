#pragma once
// Captures (pcap and pcapng) as what a collector would have received: UDP payloads and TCP streams
// put in order. For `belfry decode --pcap` and tests; not on the hot path.
//
// Ethernet (VLAN tags too), Linux cooked (1 and 2), raw IP and loopback links; IPv4 and IPv6
// without fragments. Total: any bytes end in items and a count of what was skipped.
//
// Thread: one owner. Owns: copies of stream bytes; datagrams are slices of the file's bytes.
// Bounds: kStreamsMax streams at once, kStreamGapBytes of segments that wait for a missing one.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"

namespace belfry {

inline constexpr std::size_t kStreamsMax = 4096;
inline constexpr std::size_t kStreamGapBytes = 1024 * 1024;

struct CapturedItem {
  enum class Kind : std::uint8_t {
    Datagram,    ///< one UDP payload
    StreamData,  ///< the next bytes of a TCP direction
    StreamEnd,   ///< FIN, RST or the end of the file
  };
  Kind kind = Kind::Datagram;
  Instant at{0};
  std::string_view bytes;  ///< until the next call of next()
  std::string source;      ///< address as text
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint64_t stream = 0;  ///< names a TCP direction
};

class CaptureReader {
 public:
  /// REQUIRES: `file` outlives the reader. Fails when it is no capture or of a link type not known.
  static Result<CaptureReader> open(std::string_view file);
  ~CaptureReader();
  CaptureReader(CaptureReader&&) noexcept;
  CaptureReader& operator=(CaptureReader&&) noexcept;

  bool next(CapturedItem& out);
  std::uint64_t skipped() const;  ///< packets that are neither UDP nor TCP, cut short or broken

 private:
  CaptureReader();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
