#pragma once
// Quality: what the echoes to one target tell over time. Pure.
#include <bit>
#include <cmath>
#include <cstdint>

namespace belfry::probe {

class Quality {
 public:
  /// 20: with one echo a round a loss of one is 5 %, and a bad line shows within minutes.
  static constexpr std::uint32_t kWindow = 20;

  void lost() { push(false); }
  void answered(double seconds) {
    push(true);
    if (last_ >= 0) {
      // RFC 3550 6.4.1: sixteen deep, so that one late packet does not stand for the line.
      jitter_ += (std::abs(seconds - last_) - jitter_) / 16;
    }
    last_ = seconds;
  }
  /// Percent of the last kWindow echoes that had no answer.
  double loss() const {
    return count_ == 0 ? 0 : 100.0 * std::popcount(lost_ & kMask) / static_cast<double>(count_);
  }
  double jitter() const { return jitter_; }  ///< seconds

 private:
  static constexpr std::uint32_t kMask = (1U << kWindow) - 1;
  void push(bool answered) {
    lost_ = (lost_ << 1 | (answered ? 0U : 1U)) & kMask;
    count_ += count_ < kWindow ? 1 : 0;
  }
  std::uint32_t lost_ = 0;
  std::uint32_t count_ = 0;
  double jitter_ = 0;
  double last_ = -1;
};

}  // namespace belfry::probe
