#pragma once
// Dialogue: what is said over a connection that stands, and what the answers are worth. Pure: bytes
// in, bytes out.
#include <memory>
#include <string>
#include <string_view>

#include "attempt.hpp"

namespace belfry::probe {

class Dialogue {
 public:
  enum class Next : std::uint8_t {
    More,      ///< goes on: say what is in `out`, then listen
    StartTls,  ///< begin TLS now; opened() follows again
    Done,      ///< `finding` is complete
  };
  virtual ~Dialogue() = default;
  /// The connection stands, or TLS over it.
  virtual Next opened(std::string& out) = 0;
  /// `in`: everything that came and was not taken off; it may be cut by the dialogue. `ended`:
  /// nothing more will come.
  virtual Next heard(std::string& in, bool ended, std::string& out) = 0;
  /// What it was waiting for, when nothing came in time.
  virtual std::string_view waiting_for() const = 0;

  Finding finding;
};

// 64 KiB: the longest that is listened to where the protocol has no bound of its own.
inline constexpr std::size_t kHeardMax = 64 * 1024;

std::unique_ptr<Dialogue> make_dialogue(const ProbeTarget& target);
std::unique_ptr<Dialogue> make_http(const ProbeTarget& target);

}  // namespace belfry::probe
