#include "belfry/syslog/framing.hpp"

#include <algorithm>
#include <cstring>

#include "chars.hpp"

namespace belfry::syslog {

FrameStep Framer::next(std::string_view& bytes, std::string_view& frame) {
  for (;;) {
    if (skip_bytes_ > 0) {
      const std::size_t n =
          static_cast<std::size_t>(std::min<std::uint64_t>(skip_bytes_, bytes.size()));
      bytes.remove_prefix(n);
      skip_bytes_ -= n;
      if (skip_bytes_ > 0) {
        return FrameStep::More;
      }
    }
    if (skip_line_) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        bytes = {};
        return FrameStep::More;
      }
      bytes.remove_prefix(end + 1);
      skip_line_ = false;
    }
    while (!bytes.empty() && (bytes[0] == '\n' || bytes[0] == '\r' || bytes[0] == '\0')) {
      bytes.remove_prefix(1);
    }
    if (bytes.empty()) {
      return FrameStep::More;
    }
    if (bytes[0] >= '1' && bytes[0] <= '9') {
      const std::size_t digits = run_of(bytes.substr(0, kCountDigitsMax + 1), kDigit);
      if (digits == bytes.size() && digits <= kCountDigitsMax) {
        return FrameStep::More;  // the count itself is cut
      }
      if (digits <= kCountDigitsMax && bytes[digits] == ' ') {
        const auto count = static_cast<std::size_t>(digits_at(bytes, 0, digits));
        if (count > max_) {
          bytes.remove_prefix(digits + 1);
          skip_bytes_ = count;
          return FrameStep::TooLong;
        }
        if (bytes.size() - digits - 1 < count) {
          return FrameStep::More;
        }
        frame = bytes.substr(digits + 1, count);
        bytes.remove_prefix(digits + 1 + count);
        return FrameStep::Frame;
      }
    }
    const void* found = std::memchr(bytes.data(), '\n', std::min(bytes.size(), max_ + 1));
    if (found == nullptr) {
      if (bytes.size() > max_) {
        skip_line_ = true;
        return FrameStep::TooLong;
      }
      return FrameStep::More;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    frame = bytes.substr(0, length);
    bytes.remove_prefix(length + 1);
    if (!frame.empty() && frame.back() == '\r') {
      frame.remove_suffix(1);
    }
    return FrameStep::Frame;
  }
}

bool Framer::last(std::string_view bytes, std::string_view& frame) {
  if (bytes.empty() || skip_bytes_ > 0 || skip_line_) {
    return false;
  }
  if (bytes[0] >= '1' && bytes[0] <= '9') {
    const std::size_t digits = run_of(bytes.substr(0, kCountDigitsMax + 1), kDigit);
    if (digits <= kCountDigitsMax && (digits == bytes.size() || bytes[digits] == ' ')) {
      return false;
    }
  }
  frame = bytes;
  return true;
}

}  // namespace belfry::syslog
