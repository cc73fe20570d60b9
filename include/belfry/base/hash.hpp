#pragma once
// Hashes that are stored or shown (ids, checksums): XXH3, stable over builds and machines.
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) noexcept;
/// Order-dependent mixing of a running hash with one more number.
constexpr std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  return x;
}
/// Content hash of stored texts (rule sets, inventories), 32 hex digits of XXH3-128.
std::string content_hash(std::string_view bytes);

}  // namespace belfry
