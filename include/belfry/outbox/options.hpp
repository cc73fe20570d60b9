#pragma once
// Options of the outbox: one channel each. Secrets come in as values that the program read from
// files; they are never logged, shown or stored.
#include <cstdint>
#include <string>
#include <vector>

#include "belfry/base/time.hpp"

namespace belfry {

enum class ChannelKind : std::uint8_t { Log, Smtp, Webhook };

struct RetryPolicy {
  Duration first = std::chrono::seconds(1);  ///< back-off doubles from here, with full jitter
  Duration max = std::chrono::minutes(5);    ///< raised: a target that is back is noticed later
  /// A page that fails so often goes back to the desk, whose next step fires at once.
  std::uint32_t page_attempts_max = 8;
  /// Everything else is given up after so long.
  Duration age_max = std::chrono::hours(72);
};

struct ChannelOptions {
  std::string name;  ///< what Effect::target names
  ChannelKind kind = ChannelKind::Log;
  // smtp
  std::string host = "127.0.0.1";
  std::uint16_t port = 25;
  std::string from;
  std::string user, password;  ///< empty = no sign-in
  bool starttls = false;       ///< true: refuse to send without TLS
  // webhook
  std::string url;
  std::string secret;          ///< raw bytes of `whsec_...`; empty = not signed
  bool allow_private = false;  ///< true: loopback and private networks may be called
  Duration timeout = std::chrono::seconds(15);
  RetryPolicy retry;
};

}  // namespace belfry
