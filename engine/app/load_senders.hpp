#pragma once
// Where `belfry load` sends to: streams of lines, TLS with counted frames, RELP with its window.
#include <netinet/in.h>

#include <cstddef>
#include <memory>
#include <span>

#include "belfry/base/result.hpp"
#include "load_command.hpp"

namespace belfry {

/// Where bursts go.
class Sender {
 public:
  virtual ~Sender() = default;
  /// How many events left, or an error. Events are all of one size.
  virtual Result<std::size_t> send(std::span<const char> events, std::size_t event_bytes) = 0;
  virtual std::size_t burst() const = 0;
  /// Returns when everything sent was answered, where the protocol has answers.
  virtual Result<void> finish() { return {}; }
};

/// By a.transport: tcp, tls or relp.
Result<std::unique_ptr<Sender>> stream_sender(const LoadArguments& a, const sockaddr_in& to);

}  // namespace belfry
