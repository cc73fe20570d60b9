#pragma once
// Status: what a check says of its target, as rules read it.
#include <cstdint>
#include <string_view>

namespace belfry {

/// `unknown`: the check itself could not tell (a plugin that failed, no descriptor left). It is not
/// a word of Bell's `enum status`, so it neither raises nor clears anything.
enum class Status : std::uint8_t { Up, Degraded, Down, Unknown };
constexpr std::string_view name(Status status) {
  constexpr std::string_view kNames[]{"up", "degraded", "down", "unknown"};
  return kNames[static_cast<std::size_t>(status)];
}

}  // namespace belfry
