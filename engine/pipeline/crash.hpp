#pragma once
// Places where a test may kill the process: BELFRY_CRASH_AT=before-commit:3 ends it there, the
// third time, as kill -9 would. Read once at start; without the variable a place costs one compare.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "belfry/base/text.hpp"

namespace belfry {

enum class CrashPoint : std::uint8_t { None, AfterFold, BeforeCommit, AfterCommit, AfterPublish };

class CrashPoints {
 public:
  static CrashPoints from_environment() {
    CrashPoints out;
    const char* text = std::getenv("BELFRY_CRASH_AT");
    if (text == nullptr) {
      return out;
    }
    const std::vector<std::string_view> parts = split(text, ':');
    constexpr std::string_view kWords[]{"", "after-fold", "before-commit", "after-commit",
                                        "after-publish"};
    for (std::size_t i = 1; i < std::size(kWords); ++i) {
      if (parts[0] == kWords[i]) {
        out.point_ = static_cast<CrashPoint>(i);
        out.left_ = parts.size() > 1 ? parse_int(parts[1]).value_or(1) : 1;
      }
    }
    return out;
  }
  /// Each place belongs to one thread, so the count needs no lock.
  void pass(CrashPoint point) {
    if (point == point_ && --left_ == 0) [[unlikely]] {
      ::_exit(9);
    }
  }

 private:
  CrashPoint point_ = CrashPoint::None;
  std::int64_t left_ = 0;
};

}  // namespace belfry
