#pragma once
// What is probed, from where and how often.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/inventory.hpp"

namespace belfry {

enum class ProbeCheck : std::uint8_t { Icmp, Tcp, Http, Tls, Dns, Smtp, Ntp, Radius, Plugin };
constexpr std::string_view name(ProbeCheck check) {
  constexpr std::string_view kNames[]{"icmp", "tcp", "http",   "tls",   "dns",
                                      "smtp", "ntp", "radius", "plugin"};
  return kNames[static_cast<std::size_t>(check)];
}

/// One check as the configuration writes it: what is asked, of whom, how often. What a kind does
/// not know it ignores.
struct CheckSpec {
  std::string name;  ///< what rules see as `check`
  std::string kind = "icmp";
  std::vector<std::string> nodes, roles;  ///< devices by name, and every device of these roles
  std::string address;                    ///< instead of the device's `ip`
  std::uint16_t port = 0;                 ///< 0 = the kind's own
  std::string source;   ///< local address to ask from; empty = the system's choice
  std::string vantage;  ///< empty = that of the options
  Duration interval{30'000'000'000}, timeout{2'000'000'000};
  std::uint32_t retries = 2, recoveries = 1;
  std::uint32_t echoes = 1;  ///< icmp: packets of a round, at most kEchoesMax

  std::string send;     ///< tcp: said after the connect
  std::string expect;   ///< tcp, smtp: in the banner; http: in the body; dns: see `answers`
  bool tls = false;     ///< http, tcp: speak TLS first; smtp: STARTTLS
  std::string host;     ///< name that the certificate must have and that is asked for; empty = none
  bool verify = true;   ///< the chain must lead to a known authority
  std::string ca_file;  ///< instead of the system's authorities
  Duration certificate_warn{14 * 86'400'000'000'000};  ///< degraded when it ends sooner
  std::string path = "/";                              ///< http
  std::vector<std::string> statuses;                   ///< http: `200`, `2xx`; empty = 2xx and 3xx
  std::string query;                                   ///< dns: the name
  std::string record = "A";                            ///< dns
  std::vector<std::string> answers;                    ///< dns: each must be among the answers
  std::string primary;                     ///< dns, SOA: address whose serial must be the same
  Duration offset_max{1'000'000'000};      ///< ntp: degraded beyond it
  std::string user;                        ///< radius
  std::string secret_file, password_file;  ///< radius: mode 0600
  std::string secret, password;            ///< radius: what stood in them
  std::string reply = "accept";            ///< radius: accept | reject | any
  std::vector<std::string> command;        ///< plugin: program and arguments, no shell
  std::string label;     ///< plugin: perfdata are samples of this check, their label is label.NAME
  bool percent = false;  ///< plugin: perfdata in percent of their maximum, where they have one
  std::uint32_t memory_mib = 512;  ///< plugin: address space
};
inline constexpr std::uint32_t kEchoesMax = 20;

struct ProbeTarget {
  std::string node;     ///< row of the inventory's device table
  std::string address;  ///< literal IPv4 or IPv6 address
  ProbeCheck check = ProbeCheck::Icmp;
  std::uint16_t port = 0;
  Duration interval{30'000'000'000};  ///< raised: later news; lowered: more packets
  Duration timeout{2'000'000'000};
  std::uint32_t retries = 2;              ///< failures in a row, one second apart, before "down"
  std::uint32_t recoveries = 1;           ///< good rounds in a row before "up" again
  std::shared_ptr<const CheckSpec> spec;  ///< null: the kind's defaults
  std::string_view name() const {
    return spec == nullptr || spec->name.empty() ? belfry::name(check) : spec->name;
  }
};

struct ProbeOptions {
  std::string vantage = "local";        ///< name of this place, as rules see it
  std::vector<std::string> icmp_roles;  ///< every device of these roles is pinged at its `ip`
  std::vector<ProbeTarget> targets;
  std::vector<CheckSpec> checks;
  Duration interval{30'000'000'000}, timeout{2'000'000'000};  ///< of icmp_roles
  std::uint32_t retries = 2, recoveries = 1;
  /// Checks under way at one time. Raised: a dead site delays others less, bursts are bigger.
  /// 4,096: 10,000 targets each 10 s, all dead for the 2 s of their time-out, and as much again.
  std::size_t in_flight_max = 4096;
  /// Of them, those that hold a socket of their own (all but icmp and plugin).
  std::size_t sockets_max = 512;
  /// Children at one time. What is due beyond it waits.
  std::size_t plugins_max = 16;
  /// Bytes of a plugin's output that are kept; what is beyond is read and counted.
  std::size_t output_max = 16 * 1024;
  /// More are left out with one warning.
  std::size_t targets_max = 50'000;
};

/// `node=address:port` (IPv6 in brackets) with interval, timeout and retries of the options.
Result<ProbeTarget> parse_tcp_target(std::string_view text, const ProbeOptions& options);
/// An ICMP target for each device whose `role` is one of options.icmp_roles, in key order. The
/// table is the one called `device`; without it, or without `role` and `ip`, there are none.
std::vector<ProbeTarget> role_targets(const Inventory& inventory, const ProbeOptions& options);
/// What is wrong with a check, in one sentence; empty = nothing.
std::string check_spec(const CheckSpec& spec);
/// The check's targets: its nodes and roles, each once, in key order. Nodes without an address are
/// left out and counted in `homeless`.
std::vector<ProbeTarget> spec_targets(const Inventory* inventory,
                                      const std::shared_ptr<const CheckSpec>& spec,
                                      std::size_t& homeless);

}  // namespace belfry
