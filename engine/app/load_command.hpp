#pragma once
// `belfry load`: the load generator. Sends numbered, realistic syslog lines or v2c traps to a
// loopback address, as fast as asked, for a bounded time, and says exactly how many it sent.
#include <cstdint>
#include <string>

namespace belfry {

struct LoadArguments {
  std::string kind = "syslog";  ///< syslog | trap
  std::string target = "127.0.0.1:5514";
  std::string transport = "udp";  ///< udp | tcp | tls | relp (all but udp: syslog only)
  std::string mix = "normal";     ///< normal: one in ten is a link event; storm: all are
  double rate = 0;                ///< events per second; 0 = as fast as it goes
  double seconds = 5;
  std::uint64_t count = 0;        ///< stop after so many; 0 = by time only
  std::uint64_t keys = 1'000;     ///< distinct (host, interface)
  double duplicates = 30;         ///< percent of link events that repeat the key's state
  std::uint32_t connections = 4;  ///< tcp, tls, relp
  std::uint32_t window = 128;     ///< relp: messages of a connection that wait for their answer
  std::string certificate, key;   ///< tls: PEM files, where the server asks for them
  std::string snmp_users;         ///< trap: SNMPv3, as these users in turn
  bool gso = false;               ///< UDP_SEGMENT: many datagrams a system call
  bool json = false;
};

/// 0 = sent, 1 = the target refused, 2 = bad arguments (one line on standard error).
int load_command(const LoadArguments& arguments);

}  // namespace belfry
