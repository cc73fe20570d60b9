#pragma once
// Change: one step of an incident or a ticket. The correlator makes incident changes, the desk
// reads them and makes ticket changes; both are numbered on the feed by the pipeline after the
// commit. Plain values that own their texts: changes are rare (per transition, never per event).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "belfry/base/bytes.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

/// LANGUAGE 6.5. Idle keys have no incident. `Pending` never reaches the feed.
enum class IncidentState : std::uint8_t { Pending, Open, Symptom, Planned, Clearing, Closed };
constexpr std::string_view name(IncidentState s) {
  constexpr std::string_view kNames[]{"pending", "open",     "symptom",
                                      "planned", "clearing", "closed"};
  return kNames[static_cast<std::size_t>(s)];
}

/// Why an incident moved. The word stands in the feed, the timeline and the metrics.
enum class IncidentReason : std::uint8_t {
  Due,           ///< pattern held, nothing explains it: opened
  Explained,     ///< due while a cause explains it: symptom from the start
  Adopted,       ///< a late cause took it: open -> symptom
  Released,      ///< nothing explains it any more: symptom -> pending (not shown until it opens)
  PatternEnded,  ///< clearing or closed
  Returned,      ///< pattern held again while clearing
  Reopened,      ///< within `reopen`: closed -> open, same id
  Updated,       ///< title, severity, counts, symptoms or causes changed, state did not
  ByHand,        ///< a person closed it
  RuleRemoved,
  InventoryRemoved,
  Overflow,
  Corrected,
  Planned,      ///< a maintenance window covers it, or a silence: open -> planned
  WindowEnded,  ///< the window is over or gone and the fault lasts: planned -> open
  OverBudget,   ///< a rule took more than it may (LANGUAGE 6.17): about the rule, or closed with it
};
inline constexpr IncidentReason kLastIncidentReason =
    IncidentReason::OverBudget;  ///< decoding refuses what is beyond
constexpr std::string_view name(IncidentReason r) {
  constexpr std::string_view kNames[]{
      "due",       "explained", "adopted",      "released",     "pattern-ended",     "returned",
      "reopened",  "updated",   "by-hand",      "rule-removed", "inventory-removed", "overflow",
      "corrected", "planned",   "window-ended", "over-budget"};
  return kNames[static_cast<std::size_t>(r)];
}

/// One event that belongs to an incident, kept as proof: bounded to the first and last eight.
struct Evidence {
  Seq seq;
  Instant at;
  std::string text;  ///< at most 240 bytes of the event, printable
};

/// An incident as it stands after a change. What readers see; the fold keeps its own form.
struct Incident {
  IncidentId id;
  std::string rule;
  std::vector<std::string> key;  ///< one text per key part, in the rule's order
  IncidentState state = IncidentState::Open;
  Instant began_at, opened_at{0}, closed_at{0};
  Seq began_seq;
  std::vector<IncidentId> causes;  ///< what explains it now; it hangs under the first
  std::uint32_t symptoms = 0;      ///< how many hang under it now
  std::string title;
  Severity severity = Severity::Indeterminate;
  std::string impact;  ///< word of the `impact` enum; empty = not said
  std::string tier;    ///< highest tier of its customers (or of its node); empty = none
  std::vector<std::string> customers;  ///< keys of the customer table, sorted
  std::vector<std::string> nodes;  ///< devices in its key or among its contributors, sorted, <= 64
  std::string escalation;          ///< name of the escalation; empty = none
  std::string policy;              ///< policy named by `priority NAME(...)`; empty = default
  std::string runbook;
  std::string maintenance;   ///< the window it began in: `CHG-77`; empty = none
  Instant planned_until{0};  ///< when that window ends, grace and what joins it included
  std::uint64_t count = 0;   ///< raises it counts
  std::uint64_t flaps = 0;   ///< idle->active edges among them
  std::vector<Evidence> evidence;
};

struct IncidentChange {
  Incident after;
  IncidentState before = IncidentState::Pending;
  IncidentReason reason = IncidentReason::Due;
  std::uint32_t nth = 0;  ///< n-th change of this incident, from 1
  std::string note;       ///< for people: "carried by fibre_cut(PAR-LYO)"
};

enum class TicketState : std::uint8_t {
  New,
  Triaged,
  Assigned,
  InProgress,
  Waiting,
  Resolved,
  Closed,
  Cancelled,
  Merged,
  Reopened
};
inline constexpr TicketState kLastTicketState =
    TicketState::Reopened;  ///< decoding refuses what is beyond
constexpr std::string_view name(TicketState s) {
  constexpr std::string_view kNames[]{"new",     "triaged",  "assigned", "in_progress",
                                      "waiting", "resolved", "closed",   "cancelled",
                                      "merged",  "reopened"};
  return kNames[static_cast<std::size_t>(s)];
}

/// One line of a ticket's timeline.
struct TimelineEntry {
  Instant at;
  Seq seq;
  std::string who;   ///< person, API client, or "belfry"
  std::string what;  ///< word: opened, acked, comment, paged, step_skipped, resolved ...
  std::string text;
};

/// A ticket as it stands after a change.
struct Ticket {
  TicketId id;
  std::string kind = "incident";
  TicketState state = TicketState::New;
  std::string title;
  std::string priority;  ///< P1..P4
  std::string tier, impact;
  std::string owner;  ///< a person, always
  bool claimed = false;
  bool acked = false;
  std::string acked_by;
  std::vector<IncidentId> members;
  std::vector<std::string> customers;
  Instant origin, updated_at, resolved_at{0};
  std::string escalation;
  std::uint32_t steps_done = 0;  ///< escalation steps fired or skipped
  Instant next_step_at{0};       ///< 0 = none
  std::uint64_t version = 0;     ///< change count of this ticket: what a command's `expect` names
};

struct TicketChange {
  Ticket after;
  TimelineEntry entry;  ///< what happened, as the timeline shows it
};

/// What is on the feed. Exactly one of the two is set.
struct Change {
  ChangeNumber number;
  Seq seq;  ///< the input that led to it
  Instant at;
  std::optional<IncidentChange> incident;
  std::optional<TicketChange> ticket;
};

/// Stored form (docs/formats/change.md), first byte a format version.
void encode(const Change& change, ByteWriter& out);
Result<Change> decode_change(std::string_view bytes);
/// The same fields without a format of their own, as parts of a fold's snapshot.
void encode(const Incident& incident, ByteWriter& out);
Result<Incident> decode_incident(ByteReader& in);
void encode(const TicketChange& change, ByteWriter& out);
Result<TicketChange> decode_ticket_change(ByteReader& in);
/// The JSON of the feed, the API and `--json`: flat, `kind` is "incident" or "ticket".
std::string to_json(const Change& change);
std::string to_json(const Incident& incident);
std::string to_json(const Ticket& ticket);

}  // namespace belfry
