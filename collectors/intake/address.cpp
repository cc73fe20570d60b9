#include "address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "belfry/base/text.hpp"

namespace belfry::intake {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool mapped(const AddressBytes& bytes) {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

}  // namespace

AddressBytes address_bytes(const sockaddr* address) {
  AddressBytes out{};
  if (address == nullptr) {
    return out;
  }
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::copy(kMapped.begin(), kMapped.end(), out.begin());
    std::memcpy(out.data() + 12, &v4.sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(out.data(), &v6.sin6_addr, 16);
  }
  return out;
}

std::optional<AddressBytes> parse_address(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  text = text.substr(0, text.find('%'));
  if (text.empty() || text.size() >= sizeof buffer) {
    return std::nullopt;
  }
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  AddressBytes out{};
  if (inet_pton(AF_INET, buffer, out.data() + 12) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), out.begin());
    return out;
  }
  if (inet_pton(AF_INET6, buffer, out.data()) == 1) {
    return out;
  }
  return std::nullopt;
}

std::size_t format_address(const AddressBytes& bytes, char* out) {
  const bool v4 = mapped(bytes);
  if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes.data() + 12 : bytes.data(), out,
                INET6_ADDRSTRLEN) == nullptr) {
    return 0;
  }
  return std::strlen(out);
}

std::string address_text(const AddressBytes& bytes) {
  char buffer[INET6_ADDRSTRLEN];
  return {buffer, format_address(bytes, buffer)};
}

AddressSet::AddressSet(const std::vector<std::string>& items) {
  for (const std::string_view item : items) {
    const std::size_t slash = item.find('/');
    const auto bytes = parse_address(item.substr(0, slash));
    if (!bytes) {
      continue;
    }
    unsigned bits = 128;
    if (slash != std::string_view::npos) {
      const auto length = parse_int(item.substr(slash + 1));
      const std::int64_t base = mapped(*bytes) && item.find(':') == std::string_view::npos ? 96 : 0;
      if (!length || *length < 0 || *length + base > 128) {
        continue;
      }
      bits = static_cast<unsigned>(*length + base);
    }
    prefixes_.push_back({*bytes, bits});
  }
}

bool AddressSet::contains(const AddressBytes& address) const {
  return std::ranges::any_of(prefixes_, [&address](const Prefix& p) {
    const std::size_t whole = p.bits / 8;
    if (!std::equal(p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.begin())) {
      return false;
    }
    const unsigned rest = p.bits % 8;
    return rest == 0 || ((p.bytes[whole] ^ address[whole]) >> (8 - rest)) == 0;
  });
}

}  // namespace belfry::intake
