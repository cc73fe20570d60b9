#pragma once
// The numbers Belfry names things by. Each is its own type.
#include <cstdint>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/base/strong.hpp"

namespace belfry {

/// Place of an input in the journal; starts at 1, never reused inside an epoch.
using Seq = Strong<struct SeqTag, std::uint64_t>;
/// Number of a change on the feed; starts at 1, no gaps.
using ChangeNumber = Strong<struct ChangeNumberTag, std::uint64_t>;
/// hash(rule, key text, began_at, began_seq): the same in every replay. Shown as 16 hex digits.
using IncidentId = Strong<struct IncidentTag, std::uint64_t>;
/// Counted by the desk fold from 1; shown as `T-1042`.
using TicketId = Strong<struct TicketTag, std::uint64_t>;
/// hash(incident, n-th change, target): an effect keeps its id through replay and retries.
using EffectId = Strong<struct EffectTag, std::uint64_t>;
/// One collector (a socket or a thread of sockets) in this process.
using CollectorId = Strong<struct CollectorTag, std::uint32_t>;

std::string to_text(IncidentId id);
std::string to_text(TicketId id);
std::string to_text(EffectId id);
Result<IncidentId> parse_incident_id(std::string_view text);  ///< `INC-` in front is allowed
Result<TicketId> parse_ticket_id(std::string_view text);      ///< `T-12` or `12`

}  // namespace belfry
