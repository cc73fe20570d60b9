#pragma once
// Outbox: brings effects to the outside, at least once, in order per incident and channel, each
// with an id that stays the same over all tries.
//
//   committed effect ─> queue of its channel ─> worker: deliver ─> settled | later | given up
//
// Thread: add(), restore() from any thread; one worker thread a channel, since libcurl blocks and
// one slow target must not hold up another. Owns: queues and workers. Bounds: what is pending is
// what the store holds as pending; memory is that of the effects. Drops: nothing silently. What is
// given up is settled as failed, with its reason, and goes back to the desk.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/effect.hpp"
#include "belfry/outbox/options.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/metrics.hpp"

namespace belfry {

/// Where the outbox says what became of an effect; durable on the other side. Any thread.
class EffectSettler {
 public:
  virtual ~EffectSettler() = default;
  virtual void settle(EffectId id, bool delivered, std::string reason) = 0;
  virtual void retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt) = 0;
};

/// What one try came to.
struct Delivery {
  enum class Outcome : std::uint8_t { Delivered, Later, Never } outcome = Outcome::Later;
  std::string reason;       ///< for people; empty when delivered
  Duration retry_after{0};  ///< the target's own wish; 0 = none
};

/// The way out of one channel. deliver() may block up to the channel's time-out; worker thread
/// only.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual Delivery deliver(const Effect& effect, Instant now) = 0;
};
Result<std::unique_ptr<Channel>> make_channel(const ChannelOptions& options);

/// Full jitter: uniform in (0, min(max, first * 2^(attempts-1))], at least 50 ms.
Duration back_off(std::uint32_t attempts, const RetryPolicy& policy, std::uint64_t random);
/// Bytes of a `whsec_...` secret (Standard Webhooks); Invalid when it is not one of 24 to 64 bytes.
Result<std::string> parse_webhook_secret(std::string_view text);
/// `v1,BASE64`: HMAC-SHA256 of `id.timestamp.payload`.
std::string sign_webhook(std::string_view secret, std::string_view id, std::int64_t timestamp,
                         std::string_view payload);
/// An effect as RFC 5322 mail. Nothing in it can add a header.
std::string mail_text(const Effect& effect, std::string_view from, std::string_view to);

class Outbox {
 public:
  Outbox(EffectSettler& settler, Clock& clock, Metrics& metrics, std::uint64_t seed);
  ~Outbox();
  /// REQUIRES: before start(). Tests give channels of their own.
  void add_channel(const ChannelOptions& options, std::unique_ptr<Channel> channel);
  void start();
  /// Lets tries under way end; what is pending stays pending in the store. Idempotent.
  void stop();

  void add(std::vector<Effect> effects);
  void restore(Effect effect, std::uint32_t attempts, Instant next_attempt);
  std::size_t pending() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
