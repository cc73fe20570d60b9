// What people do to tickets: the table of DESK 2, part one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "belfry/base/text.hpp"
#include "state.hpp"

namespace belfry {
namespace {

/// Moves that a state allows, as a 409 lists them.
std::vector<std::string_view> allowed_moves(const Ticket& t) {
  switch (t.state) {
    case TicketState::New:
    case TicketState::Triaged:
    case TicketState::Reopened:
      return {"claim", "ack", "unack", "assign", "comment", "mitigate", "resolve", "cancel"};
    case TicketState::Assigned:
    case TicketState::InProgress:
    case TicketState::Waiting:
      return {"ack", "unack", "assign", "comment", "mitigate", "resolve", "cancel"};
    case TicketState::Resolved:
      return {"comment", "reopen"};
    default:
      return {"comment"};
  }
}

CommandResult refuse(Code code, std::string message) {
  CommandResult result;
  result.ok = false;
  result.code = code;
  result.message = std::move(message);
  return result;
}

CommandResult done(const TicketEntry& entry, std::string message) {
  CommandResult result;
  result.message = std::move(message);
  result.ticket = entry.ticket.id;
  result.version = entry.ticket.version;
  return result;
}

/// What the client missed since the version it saw.
std::string missed(const TicketEntry& entry, std::uint64_t expect) {
  const std::uint64_t count = entry.ticket.version - std::min(expect, entry.ticket.version);
  std::string text;
  const std::size_t shown = std::min<std::size_t>({count, entry.timeline.size(), 5});
  for (std::size_t i = entry.timeline.size() - shown; i < entry.timeline.size(); ++i) {
    const TimelineEntry& line = entry.timeline[i];
    text += fmt::format("{}{} {}: {}", text.empty() ? "" : "; ", line.who, line.what, line.text);
  }
  return text;
}

bool needs_text(CommandKind kind) {
  return kind == CommandKind::Comment || kind == CommandKind::Resolve ||
         kind == CommandKind::Cancel || kind == CommandKind::Mitigate ||
         kind == CommandKind::Assign;
}

}  // namespace

CommandResult Desk::Impl::answer(const Command& command) {
  TicketEntry* found = find(command.ticket);
  if (found == nullptr) {
    return refuse(Code::NotFound, fmt::format("there is no ticket {}", to_text(command.ticket)));
  }
  TicketEntry& entry = *found;
  Ticket& t = entry.ticket;
  if (entry.merged_into && command.kind != CommandKind::Comment) {
    return refuse(Code::Conflict, fmt::format("{} is merged into {}: act on that one",
                                              to_text(t.id), to_text(*entry.merged_into)));
  }
  if (command.expect != 0 && command.expect != t.version) {
    return refuse(Code::Conflict,
                  fmt::format("{} has changed since version {} (now {}): {}", to_text(t.id),
                              command.expect, t.version, missed(entry, command.expect)));
  }
  const auto moves = allowed_moves(t);
  const std::string_view move = name(command.kind);
  if (std::find(moves.begin(), moves.end(), move) == moves.end()) {
    return refuse(Code::Conflict,
                  fmt::format("{} is {}: '{}' is not possible, but {}", to_text(t.id),
                              name(t.state), move, fmt::join(moves, ", ")));
  }
  if (needs_text(command.kind) && trim(command.text).empty()) {
    return refuse(Code::Invalid, fmt::format("'{}' needs a text", move));
  }
  return perform(entry, command);
}

CommandResult Desk::Impl::take(TicketEntry& entry, const Command& command) {
  Ticket& t = entry.ticket;
  if (command.kind == CommandKind::Claim) {
    set_owner(entry, command.who);
    set_state(entry, TicketState::Assigned);
    t.claimed = t.acked = true;
    t.acked_by = command.who;
    note(entry, command.who, "claimed", command.who + " works on it");
    return done(entry, fmt::format("{} is yours", to_text(t.id)));
  }
  if (command.kind == CommandKind::Assign) {
    const std::string person(trim(command.text));
    if (!is_person(person)) {
      return refuse(Code::Invalid,
                    fmt::format("nobody is called '{}': expected a person of a team in `desk:`",
                                printable(person, 60)));
    }
    set_owner(entry, person);
    set_state(entry, TicketState::Assigned);
    t.claimed = true;
    note(entry, command.who, "assigned", "to " + person);
    return done(entry, fmt::format("{} owns {}", person, to_text(t.id)));
  }
  const bool wants_ack = command.kind == CommandKind::Ack;
  if (t.acked == wants_ack) {
    return done(
        entry, wants_ack ? fmt::format("already taken by {}", t.acked_by) : "was not acknowledged");
  }
  t.acked = wants_ack;
  t.acked_by = wants_ack ? command.who : "";
  note(entry, command.who, wants_ack ? "acked" : "unacked", command.text);
  if (!wants_ack) {
    start_run(entry, t.members.empty() ? IncidentId{} : t.members.front(), true);
    fire_until(at, true);
  }
  return done(entry,
              to_text(t.id) + (wants_ack ? " is acknowledged" : " waits for somebody again"));
}

CommandResult Desk::Impl::perform(TicketEntry& entry, const Command& command) {
  Ticket& t = entry.ticket;
  switch (command.kind) {
    case CommandKind::Claim:
    case CommandKind::Assign:
    case CommandKind::Ack:
    case CommandKind::Unack:
      return take(entry, command);
    case CommandKind::Comment:
      if (t.state == TicketState::Assigned && command.who == t.owner) {
        set_state(entry, TicketState::InProgress);
      }
      note(entry, command.who, "comment", command.text);
      return done(entry, "noted");
    case CommandKind::Mitigate:
      entry.mitigated = true;
      note(entry, command.who, "mitigated", command.text);
      return done(entry, fmt::format("{} is mitigated", to_text(t.id)));
    case CommandKind::Resolve:
      resolve(entry, command.who, command.text);
      return done(entry, fmt::format("{} is resolved", to_text(t.id)));
    case CommandKind::Reopen:
      reopen(entry, command.who, command.text.empty() ? "reopened by hand" : command.text);
      return done(entry, fmt::format("{} is open again", to_text(t.id)));
    case CommandKind::Cancel:
      stop_run(entry);
      set_state(entry, TicketState::Cancelled);
      set_timer(t.id, TimerKind::CloseResolved, at + options.close_after);
      note(entry, command.who, "cancelled", command.text);
      tell_all(entry, EffectKind::Closing, "cancelled", command.text);
      return done(entry, fmt::format("{} is cancelled", to_text(t.id)));
    default:
      return refuse(Code::Invalid,
                    fmt::format("'{}' is not a command for a ticket", name(command.kind)));
  }
}

}  // namespace belfry
