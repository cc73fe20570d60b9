#include "belfry/syslog/framing.hpp"

#include <algorithm>
#include <cstring>

#include "chars.hpp"
#include "stamp.hpp"

namespace belfry::syslog {
namespace {

enum class Head : std::uint8_t { Counted, Line, Undecided };

/// What a frame that may begin with a count is. `2025 Apr 20 13:15:07 ...` and `9 Mar 2025 ...` are
/// lines without a PRI that begin with a date.
Head head_of(std::string_view bytes, std::size_t& digits) {
  constexpr std::size_t kMonthBytes = 4;  // `Apr `
  digits = 0;
  if (bytes[0] < '1' || bytes[0] > '9') {
    return Head::Line;
  }
  digits = run_of(bytes.substr(0, kCountDigitsMax + 1), kDigit);
  if (digits > kCountDigitsMax) {
    return Head::Line;
  }
  if (digits == bytes.size()) {
    return Head::Undecided;
  }
  if (bytes[digits] != ' ') {
    return Head::Line;
  }
  if (digits != 3 && digits <= 4) {
    // Only a capital of a month's name is worth waiting for: the answer must not depend on how many
    // bytes are here.
    constexpr std::string_view kCapitals = "JFMASOND";
    const std::string_view text = bytes.substr(digits + 1, kMonthBytes);
    if (text.empty()) {
      return Head::Undecided;
    }
    if (kCapitals.find(text[0]) != std::string_view::npos) {
      if (text.size() < kMonthBytes) {
        return Head::Undecided;
      }
      if (text.back() == ' ' && at_month(text)) {
        return Head::Line;
      }
    }
  }
  return Head::Counted;
}

}  // namespace

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
    std::size_t digits = 0;
    const Head head = head_of(bytes, digits);
    if (head == Head::Undecided) {
      return FrameStep::More;
    }
    if (head == Head::Counted) {
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
  std::size_t digits = 0;
  if (head_of(bytes, digits) != Head::Line) {
    return false;
  }
  frame = bytes;
  return true;
}

}  // namespace belfry::syslog
