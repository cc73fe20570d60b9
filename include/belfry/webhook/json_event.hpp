#pragma once
// JSON to Event: the decoder of the webhook collector, without threads or I/O.
//
//   {"type": "alert", "node": "web-3", "level": "major", "msg": "...", "label": {"mount": "/"}}
//   -> Event{ type, node, severity, message, attrs: label.mount }
//
// Known names go into the event's slots, everything else becomes an attribute; nested objects are
// flattened with dots, lists of plain values become sets. Total: any bytes give events or an Error
// that says which event, which field and what was expected.
#include <string_view>
#include <vector>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/webhook/webhook.hpp"

namespace belfry {

/// All events of a body, their slices in `arena`. `from`, naming and matching are intake's
/// business.
Result<std::vector<Event>> decode_json_events(std::string_view body, BodyForm form,
                                              const WebhookOptions& options, Arena& arena);
/// The same event with every slice copied into `arena`.
void copy_event(const Event& from, Event& to, Arena& arena);

}  // namespace belfry
