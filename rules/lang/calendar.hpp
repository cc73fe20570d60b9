#pragma once
// What the checker asks of calendars. Private to rules.
#include <cstdint>
#include <optional>
#include <string_view>

namespace belfry::rules {

/// `2026-07-14` as days since 1970-01-01; nullopt when there is no such day.
std::optional<std::int32_t> day_number(std::string_view date);
/// Given beside the rules, not a rule file: a list of dates.
constexpr bool is_list(std::string_view path) {
  return path.ends_with(".csv") || path.ends_with(".txt");
}

}  // namespace belfry::rules
