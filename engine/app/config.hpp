#pragma once
// The configuration: one YAML file, bound to plain structs by one table (config.cpp). The same
// table reads a file (every error at once, with line, column and what was expected) and writes the
// annotated reference that `belfry run --print-config` prints.
//
// Paths are relative to the folder belfry is started in. Secrets are never values here: a key that
// needs one names a file.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/desk/options.hpp"
#include "belfry/probe/options.hpp"
#include "belfry/webhook/webhook.hpp"

namespace belfry {

struct ListenConfig {
  bool enabled = true;
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint32_t threads = 1;
};

/// What only streams have.
struct StreamConfig {
  std::uint32_t connections = 10'000, connections_per_source = 10'000;
  Duration idle = std::chrono::hours(1);
};

struct SyslogTlsConfig {
  std::string certificate, key, client_ca;
  std::map<std::string, std::string> peers;
  bool anyone = false;
  Duration handshake = std::chrono::seconds(10);
};

struct UnixConfig {
  bool enabled = false;
  std::string path = "run/log.sock";
};

struct ProbeConfig {
  bool enabled = false;
  std::string vantage = "local";
  std::vector<std::string> icmp_roles;  ///< every device of these roles is pinged
  std::vector<std::string> tcp;         ///< "node=address:port"
  Duration interval = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(2);
  std::uint32_t retries = 2;
  std::uint32_t recoveries = 1;
  std::uint32_t in_flight_max = 4096, sockets_max = 512, plugins_max = 16;
  std::uint32_t output_max = 16 * 1024;
  Duration verify_after = std::chrono::minutes(15);  ///< 0 = never
  std::vector<CheckSpec> checks;
};

/// Asking devices for their interfaces' names.
struct IfPollConfig {
  bool enabled = false;
  std::vector<std::string> roles;
  std::uint16_t port = 161;
  Duration interval = std::chrono::minutes(10);
  Duration timeout = std::chrono::seconds(2);
  std::uint32_t retries = 2;
  std::uint32_t requests_per_second = 200;
  std::string communities_file;
  std::string user;
};

struct ChannelConfig {
  std::string name;
  std::string kind = "log";  ///< smtp | webhook | log
  std::string host = "127.0.0.1";
  std::uint16_t port = 25;
  std::string from = "belfry@localhost";
  std::string user;
  std::string password_file;
  bool starttls = false;
  std::string url;
  std::string secret_file;
  bool allow_private = false;
};

struct Config {
  std::string file;  ///< where it was read from
  std::string data_dir = "run/data";
  std::vector<std::string> rules{"rules/packs/isp-core"};
  std::string inventory = "config/inventory";
  std::string mibs;  ///< folder; empty: the built-in names
  std::vector<std::string> relays;

  std::string log_level = "info";
  std::string log_format = "text";  ///< text | json
  std::string log_file;

  ListenConfig api{true, "127.0.0.1", 8514, 1};
  std::string tls_certificate, tls_key;

  ListenConfig syslog_udp{true, "127.0.0.1", 5514, 1};
  ListenConfig syslog_tcp{true, "127.0.0.1", 5514, 1};
  StreamConfig syslog_tcp_stream;
  ListenConfig syslog_tls{false, "127.0.0.1", 6514, 1};
  StreamConfig syslog_tls_stream;
  SyslogTlsConfig syslog_tls_certificates;
  ListenConfig syslog_relp{false, "127.0.0.1", 20514, 1};
  StreamConfig syslog_relp_stream;
  SyslogTlsConfig syslog_relp_certificates;
  UnixConfig syslog_unix;
  ListenConfig trap_udp{true, "127.0.0.1", 1162, 1};
  std::vector<std::string> communities;  ///< empty = any
  std::string snmp_users_file;           ///< createUser lines; empty: SNMPv3 is refused
  std::string snmp_engine_id;            ///< hex; empty: made at the first start
  IfPollConfig if_poll;
  ProbeConfig probes;

  std::string durability = "group";  ///< sync | group | os
  Duration snapshot_every = std::chrono::minutes(5);
  Duration retention_age = std::chrono::hours(24 * 30);
  std::uint32_t ring_batches = 64;

  std::vector<AlertForm> alerts;
  DeskOptions desk;
  std::vector<ChannelConfig> channels;
};

/// Reads and checks. The error holds every finding, one a line: `file:line:column: what was
/// expected`.
Result<Config> load_config(const std::string& path);
Result<Config> parse_config(const std::string& path, const std::string& text);
/// Defaults as YAML with a comment for every key.
std::string annotated_config();

}  // namespace belfry
