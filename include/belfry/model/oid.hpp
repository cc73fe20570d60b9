#pragma once
// OIDs as BER content octets (X.690 8.19): comparing and prefix tests are byte compares, nothing
// is decoded until a person reads it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

/// `1.3.6.1` or `.1.3.6.1` to octets; nullopt when it is not an OID (first arc <= 2, second <= 39
/// below arc 2, sub-identifiers <= 2^32-1, at most 128 of them).
std::optional<std::string> oid_from_text(std::string_view text);
/// Octets to `1.3.6.1` (no leading dot); bad octets give what could be read.
std::string oid_to_text(std::string_view octets);
/// Octets of exactly one sub-identifier as a number (an instance, as an ifIndex); -1 when they are
/// not.
std::int64_t oid_single_arc(std::string_view octets);
/// True when `octets` starts with `prefix` at a sub-identifier border (equal counts).
inline bool oid_under(std::string_view octets, std::string_view prefix) {
  return octets.starts_with(prefix);
}

}  // namespace belfry
