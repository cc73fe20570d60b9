#pragma once
// What is probed, from where and how often.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/inventory.hpp"

namespace belfry {

enum class ProbeCheck : std::uint8_t { Icmp, Tcp };
constexpr std::string_view name(ProbeCheck check) {
  return check == ProbeCheck::Icmp ? "icmp" : "tcp";
}

struct ProbeTarget {
  std::string node;     ///< row of the inventory's device table
  std::string address;  ///< literal IPv4 or IPv6 address
  ProbeCheck check = ProbeCheck::Icmp;
  std::uint16_t port = 0;             ///< Tcp
  Duration interval{30'000'000'000};  ///< raised: later news; lowered: more packets
  Duration timeout{2'000'000'000};
  std::uint32_t retries = 2;  ///< failures in a row, one second apart, before "down"
};

struct ProbeOptions {
  std::string vantage = "local";        ///< name of this place, as rules see it
  std::vector<std::string> icmp_roles;  ///< every device of these roles is pinged at its `ip`
  std::vector<ProbeTarget> targets;
  Duration interval{30'000'000'000}, timeout{2'000'000'000};  ///< of icmp_roles
  std::uint32_t retries = 2;
  /// Checks under way at one time. Raised: a dead site delays others less, bursts are bigger.
  std::size_t in_flight_max = 512;
  /// More are left out with one warning.
  std::size_t targets_max = 50'000;
};

/// `node=address:port` (IPv6 in brackets) with interval, timeout and retries of the options.
Result<ProbeTarget> parse_tcp_target(std::string_view text, const ProbeOptions& options);
/// An ICMP target for each device whose `role` is one of options.icmp_roles, in key order. The
/// table is the one called `device`; without it, or without `role` and `ip`, there are none.
std::vector<ProbeTarget> role_targets(const Inventory& inventory, const ProbeOptions& options);

}  // namespace belfry
