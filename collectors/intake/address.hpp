#pragma once
// Addresses as 16 bytes (IPv4 mapped into IPv6) and as text.
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::intake {

using AddressBytes = std::array<std::uint8_t, 16>;

/// Of a sockaddr_in or sockaddr_in6; all zero for anything else.
AddressBytes address_bytes(const sockaddr* address);
/// Of text; nullopt when it is not an address. A zone (`%eth0`) is ignored.
std::optional<AddressBytes> parse_address(std::string_view text);
/// Dotted quad, or RFC 5952. `out` holds 46 bytes at least.
std::size_t format_address(const AddressBytes& bytes, char* out);
std::string address_text(const AddressBytes& bytes);

/// The senders whose header names are believed.
class AddressSet {
 public:
  /// Addresses and CIDRs; what is neither is left out (the configuration checked them).
  explicit AddressSet(const std::vector<std::string>& items);
  bool contains(const AddressBytes& address) const;
  bool empty() const { return prefixes_.empty(); }

 private:
  struct Prefix {
    AddressBytes bytes;
    unsigned bits;
  };
  std::vector<Prefix> prefixes_;
};

}  // namespace belfry::intake
