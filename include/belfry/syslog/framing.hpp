#pragma once
// Framing of syslog streams (RFC 6587): octet counting and LF-terminated lines, told apart per
// frame.
//
// A frame that starts with 1-6 digits (no leading zero) and a space is counted; everything else
// ends at its LF. Frames beyond frame_bytes_max are skipped in place and reported once; the stream
// stays in step. Empty lines and the NUL, CR or LF that some senders put between counted frames are
// skipped.
//
// Thread: one owner. Total: any bytes, split at any border, give the same frames.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belfry::syslog {

inline constexpr std::size_t kFrameBytesMax = 64 * 1024;
inline constexpr std::size_t kCountDigitsMax = 6;

enum class FrameStep : std::uint8_t {
  Frame,    ///< `frame` is one message
  TooLong,  ///< a frame beyond the limit began; its rest is skipped
  More,     ///< the bytes end inside a frame: keep what was not consumed, read more
};

class Framer {
 public:
  explicit Framer(std::size_t frame_bytes_max = kFrameBytesMax) : max_(frame_bytes_max) {}
  /// The next step over `bytes`; advances `bytes` past what is done. With More, what is left in
  /// `bytes` (shorter than frame_bytes_max + 8) must come again, in front of what is read next.
  FrameStep next(std::string_view& bytes, std::string_view& frame);
  /// At the end of the stream: an unterminated line is a frame too; a cut counted frame is not.
  /// `bytes` is what More left. False: nothing whole was left.
  bool last(std::string_view bytes, std::string_view& frame);

 private:
  std::size_t max_;
  std::uint64_t skip_bytes_ = 0;  // of a counted frame beyond the limit
  bool skip_line_ = false;        // until LF
};

}  // namespace belfry::syslog
