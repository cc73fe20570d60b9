#pragma once
// Effect: something the outside must get. It is decided by a fold, stored with the change that led
// to it, and waits in the outbox until its target took it or refused it for good.
#include <cstdint>
#include <string>

#include "belfry/base/bytes.hpp"
#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

enum class EffectKind : std::uint8_t { Notify, Page, Closing };
constexpr std::string_view name(EffectKind k) {
  constexpr std::string_view kNames[]{"notify", "page", "closing"};
  return kNames[static_cast<std::size_t>(k)];
}

struct Effect {
  EffectId id;
  EffectKind kind = EffectKind::Notify;
  Instant at;           ///< when it was decided (event time)
  std::string target;   ///< name in `channels:` of the configuration: one queue each
  std::string address;  ///< mail address or URL; empty = the channel's own
  IncidentId incident;
  TicketId ticket;
  std::string subject, body;  ///< text for people
  std::string json;           ///< payload for machines (webhooks)
};

void encode(const Effect& effect, ByteWriter& out);
Result<Effect> decode_effect(std::string_view bytes);

}  // namespace belfry
