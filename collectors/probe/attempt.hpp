#pragma once
// Attempt: one try of one check, as a state machine that never blocks. The prober's loop starts it,
// tells it when something it watches is ready, and ends it at its time-out.
//
//   start ──> watching ──ready──> ... ──> Finding          (none = goes on)
//                 └────────────time-out──> Finding
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/intake/socket_address.hpp"
#include "belfry/probe/options.hpp"
#include "belfry/probe/plugin.hpp"
#include "belfry/runtime/clock.hpp"

namespace belfry::probe {

/// A number beside the main one: the field of the event that carries it. The name is a literal.
struct Extra {
  std::string_view name;
  double value;
};

struct Finding {
  enum class Kind : std::uint8_t {
    Good,
    Warn,    ///< it answered, and something about it is wrong
    Bad,     ///< it did not answer, or not as it should
    Broken,  ///< the check itself failed: says nothing about the target
    Later,   ///< could not be asked now (no descriptor, a bound): no try
  };
  Kind kind = Kind::Bad;
  std::string text;             ///< one line for people
  std::optional<double> value;  ///< the main number, in seconds
  std::vector<Extra> extras;
  std::string output;            ///< plugin: all it said
  std::vector<PerfValue> perf;   ///< plugin
  std::uint64_t output_cut = 0;  ///< plugin: bytes beyond output_max
  std::uint64_t perf_bad = 0;    ///< plugin: pieces of perfdata that are none

  static Finding of(Kind kind, std::string text) {
    Finding out;
    out.kind = kind;
    out.text = std::move(text);
    return out;
  }
};

/// What an attempt may ask of the loop.
class Watch {
 public:
  virtual ~Watch() = default;
  /// Tell me when `fd` is ready for these epoll events; again for the same one replaces them. The
  /// loop forgets it when it is closed.
  virtual bool watch(int fd, std::uint32_t events) = 0;
};

class Attempt {
 public:
  Attempt() = default;
  virtual ~Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  virtual std::optional<Finding> start(Watch& watch, std::int64_t now_ns) = 0;
  virtual std::optional<Finding> ready(Watch& watch, std::int64_t now_ns) = 0;
  virtual Finding timed_out(std::int64_t now_ns) = 0;
};

/// What attempts of one prober share. One thread.
class TlsContexts;
struct Shared {
  Clock& clock;
  std::size_t output_max;
  std::shared_ptr<TlsContexts> tls;  ///< made by the first that needs it
};

std::unique_ptr<Attempt> make_attempt(const ProbeTarget& target, const SocketAddress& address,
                                      Shared& shared);
std::unique_ptr<Attempt> make_stream(const ProbeTarget& target, const SocketAddress& address,
                                     Shared& shared);
std::unique_ptr<Attempt> make_datagram(const ProbeTarget& target, const SocketAddress& address,
                                       Shared& shared);
std::unique_ptr<Attempt> make_plugin(const ProbeTarget& target, Shared& shared);

/// Random bytes of the system; empty when it has none.
std::string random_bytes(std::size_t n);
/// The spec, or the defaults of all.
const CheckSpec& spec_of(const ProbeTarget& target);
/// A socket that does not block, bound to the spec's source. < 0: none.
int open_socket(const SocketAddress& address, int type, const CheckSpec& spec);
/// What a failed connect or receive says, as a sentence's end: `connection refused`.
std::string error_text(int error);

}  // namespace belfry::probe
