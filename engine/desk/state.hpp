#pragma once
// The desk's state, private to the module. One struct per thing that lives; all maps are ordered,
// so that walking them is the same in every replay.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "belfry/desk/desk.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

inline constexpr std::size_t kTimelineMax = 1'000;
inline constexpr std::size_t kAnswersMax = 10'000;  ///< remembered idempotency keys

/// One escalation run: steps of one escalation for one incident, counted from t0 (DESK 7).
struct Run {
  std::string escalation;
  IncidentId incident;
  std::uint32_t episode = 1;
  Instant t0;
  std::uint32_t next = 0;    ///< step that comes next
  std::uint32_t repeat = 0;  ///< repeats of the page steps after the last
  bool running = false;
  bool page_now = false;  ///< a step was empty or failed: the next page step fires at once
};

struct TicketEntry {
  Ticket ticket;
  std::deque<TimelineEntry> timeline;
  Run run;
  bool mitigated = false;
  std::optional<TicketId> merged_into;
  std::set<std::pair<std::string, std::string>> told;  ///< (channel, address) that got something
  std::map<IncidentId, IncidentState> member_states;
  Severity severity = Severity::Indeterminate;  ///< highest of its members
  std::string policy, runbook, evidence;
};

enum class TimerKind : std::uint8_t { Step, CloseResolved };
using TimerKey = std::tuple<std::int64_t, std::uint64_t, std::uint8_t>;  ///< due ns, ticket, kind

struct Desk::Impl {
  std::shared_ptr<const rules::Program> program;
  DeskOptions options;
  std::uint64_t next_ticket = 1;
  std::map<TicketId, TicketEntry> tickets;
  std::map<IncidentId, TicketId> of_incident;  ///< live and resolved tickets' members
  std::map<IncidentId, std::set<TicketId>>
      waiting_merge;  ///< cause without ticket yet -> adopted tickets
  std::map<IncidentId, std::vector<IncidentId>> causes;  ///< of incidents that are symptoms now
  std::map<std::string, std::uint64_t> open_count;       ///< open tickets by owner
  std::map<EffectId, TicketId> sent;  ///< effects of open tickets, for failed deliveries
  std::map<std::string, CommandResult> answers;
  std::deque<std::string> answer_order;
  std::set<TimerKey> timers;
  Arena scratch{16 * 1024};

  // What one input is doing; set by each entry point.
  Seq seq;
  Instant at;
  DeskOut* out = nullptr;

  void begin(Seq s, Instant now, DeskOut& to) {
    seq = s;
    at = now;
    out = &to;
  }

  // tickets.cpp
  TicketEntry* find(TicketId id);
  TicketEntry* ticket_of(IncidentId id);
  void note(TicketEntry& entry, std::string who, std::string what, std::string text);
  void set_state(TicketEntry& entry, TicketState state);
  void set_owner(TicketEntry& entry, const std::string& owner);
  std::string default_owner() const;
  bool is_person(std::string_view name) const;
  void open_ticket(const IncidentChange& change);
  void refresh(TicketEntry& entry, const Incident& incident);
  std::string priority_of(const TicketEntry& entry);
  void plan(TicketEntry& entry, const IncidentChange& change);
  void adopt(TicketEntry& entry, const Incident& incident);
  void merge(TicketEntry& from, TicketEntry& into);
  void release(TicketEntry& entry);
  void member_closed(TicketEntry& entry, IncidentId id);
  void resolve(TicketEntry& entry, const std::string& who, const std::string& text);
  void reopen(TicketEntry& entry, const std::string& who, const std::string& why);
  void forget(TicketId id);

  // commands.cpp
  CommandResult answer(const Command& command);  ///< may it be? then perform()
  CommandResult perform(TicketEntry& entry, const Command& command);
  CommandResult take(TicketEntry& entry, const Command& command);  ///< claim, assign, ack, unack

  // escalation.cpp
  void start_run(TicketEntry& entry, IncidentId incident, bool new_episode);
  void stop_run(TicketEntry& entry);
  void arm(TicketEntry& entry);
  void fire_step(TicketEntry& entry);
  void fire_repeat(TicketEntry& entry, const rules::Escalation& steps);
  bool send_step(TicketEntry& entry, const std::string& target, bool page, std::uint32_t step);
  std::string skip_reason(const TicketEntry& entry, const rules::EscalationStep& step);
  std::vector<DeskTarget> resolve_target(const std::string& name, bool page) const;
  const rules::Escalation* escalation(const std::string& name) const;
  void tell_all(TicketEntry& entry, EffectKind kind, const std::string& what,
                const std::string& text);
  void emit(TicketEntry& entry, EffectKind kind, const DeskTarget& target, std::uint64_t salt,
            const std::string& what, const std::string& text);
  void fire_until(Instant limit, bool inclusive);
  void set_timer(TicketId id, TimerKind kind, Instant due);
  void clear_timer(TicketId id, TimerKind kind);
  std::map<std::pair<std::uint64_t, std::uint8_t>, std::int64_t> due_of;  ///< (ticket, kind) -> due
};

inline bool is_open(TicketState s) {
  return s != TicketState::Resolved && s != TicketState::Closed && s != TicketState::Cancelled &&
         s != TicketState::Merged;
}

/// Values of the policy's and guards' words for one ticket.
Value enum_word(const Schema& schema, std::uint32_t of, std::string_view word);

}  // namespace belfry
