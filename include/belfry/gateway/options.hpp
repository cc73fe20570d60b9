#pragma once
// Options of the gateway. Defaults are what a desk of fifty people and some hundred dashboards
// need.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "belfry/base/time.hpp"

namespace belfry {

struct GatewayOptions {
  /// Where to listen. Anything but loopback is refused without a certificate and its key.
  std::string address = "127.0.0.1";
  std::uint16_t port = 8514;             ///< 0: the system chooses; see Gateway::port()
  std::string tls_certificate, tls_key;  ///< PEM files; TLS 1.2 and later
  std::string data_dir = "run/data";     ///< tokens.json and admin.token live here

  /// Names believed in a Host header beside localhost and the address the connection came to.
  std::vector<std::string> hosts;
  /// Origins whose pages may ask, beside the gateway's own: "https://noc.example.net".
  std::vector<std::string> origins;

  std::size_t connections_max =
      1024;                     ///< raised: more file descriptors (two per connection at most)
  std::size_t feeds_max = 600;  ///< subscribers among them; each holds <= 64 KiB on its way
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 1024 * 1024;
  std::size_t helper_queue_max =
      256;                     ///< requests waiting for the two helper threads; past it: 503
  std::size_t posts_max = 64;  ///< posts of events waiting for their commit; past it: 503
  std::size_t idempotency_keys_max = 10'000;  ///< remembered for posts of events, oldest out

  Duration header_timeout = std::chrono::seconds(10);
  Duration body_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::seconds(75);   ///< between requests of one connection
  Duration write_timeout = std::chrono::seconds(30);  ///< a client that takes longer is cut off
  Duration heartbeat = std::chrono::seconds(15);      ///< comment on an idle feed
  /// A command or a post that is not durable by then: 503, outcome unknown, ask again with its key.
  Duration commit_timeout = std::chrono::seconds(10);
  Duration reload_timeout = std::chrono::seconds(25);  ///< a reload that lasts longer: 202
  Duration idempotency_age = std::chrono::hours(24);
};

}  // namespace belfry
