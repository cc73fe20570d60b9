// A ticket's life: opened by an incident, merged under a cause, released, resolved, closed.
#include <algorithm>

#include "belfry/rules/eval.hpp"
#include "state.hpp"

namespace belfry {
namespace {

/// DESK 4 at normal urgency: rows outage, degraded, at_risk/none; columns by tier.
std::string_view built_in_priority(std::string_view impact, std::string_view tier) {
  const bool premium = tier == "premium";
  if (impact == "outage") {
    return tier == "corporate" ? "P2" : "P1";
  }
  if (impact == "degraded") {
    return premium ? "P1" : "P3";
  }
  return premium ? "P2" : "P4";
}

}  // namespace

Value enum_word(const Schema& schema, std::uint32_t of, std::string_view word) {
  if (of >= schema.enums.size()) {
    return Value::none();
  }
  const auto& words = schema.enums[of].words;
  const auto it = std::find(words.begin(), words.end(), word);
  return it == words.end() ? Value::none() : Value::enumerator(of, it - words.begin(), *it);
}

TicketEntry* Desk::Impl::find(TicketId id) {
  const auto it = tickets.find(id);
  return it == tickets.end() ? nullptr : &it->second;
}

TicketEntry* Desk::Impl::ticket_of(IncidentId id) {
  const auto it = of_incident.find(id);
  return it == of_incident.end() ? nullptr : find(it->second);
}

void Desk::Impl::note(TicketEntry& entry, std::string who, std::string what, std::string text) {
  entry.ticket.version += 1;
  entry.ticket.updated_at = at;
  TimelineEntry line{at, seq, std::move(who), std::move(what), std::move(text)};
  if (entry.timeline.size() >= kTimelineMax) {
    entry.timeline.pop_front();
  }
  entry.timeline.push_back(line);
  out->changes.push_back({entry.ticket, std::move(line)});
}

void Desk::Impl::set_state(TicketEntry& entry, TicketState state) {
  const bool was = is_open(entry.ticket.state);
  const bool now = is_open(state);
  entry.ticket.state = state;
  if (was != now) {
    std::uint64_t& count = open_count[entry.ticket.owner];
    count = now ? count + 1 : count - std::min<std::uint64_t>(count, 1);
  }
}

void Desk::Impl::set_owner(TicketEntry& entry, const std::string& owner) {
  if (is_open(entry.ticket.state)) {
    std::uint64_t& before = open_count[entry.ticket.owner];
    before -= std::min<std::uint64_t>(before, 1);
    ++open_count[owner];
  }
  entry.ticket.owner = owner;
}

std::string Desk::Impl::default_owner() const {
  const DeskTeam* desk = nullptr;
  for (const DeskTeam& team : options.teams) {
    if (team.name == options.desk_team) {
      desk = &team;
    }
  }
  if (desk == nullptr || desk->members.empty()) {
    return options.last_resort;
  }
  const auto load = [this](const std::string& person) {
    const auto it = open_count.find(person);
    return it == open_count.end() ? 0 : it->second;
  };
  return *std::min_element(
      desk->members.begin(), desk->members.end(),
      [&](const std::string& a, const std::string& b) { return load(a) < load(b); });
}

bool Desk::Impl::is_person(std::string_view name) const {
  if (name == options.last_resort || options.people.contains(std::string(name))) {
    return true;
  }
  return std::any_of(options.teams.begin(), options.teams.end(), [name](const DeskTeam& team) {
    return std::find(team.members.begin(), team.members.end(), name) != team.members.end();
  });
}

void Desk::Impl::open_ticket(const IncidentChange& change) {
  const Incident& incident = change.after;
  if (incident.severity < options.open_from) {
    return;
  }
  const TicketId id{next_ticket++};
  TicketEntry& entry = tickets[id];
  entry.ticket.id = id;
  entry.ticket.state = TicketState::Closed;  // so that set_state counts the opening
  entry.ticket.owner = default_owner();
  set_state(entry, TicketState::New);
  entry.ticket.origin = incident.opened_at.ns != 0 ? incident.opened_at : at;
  entry.ticket.members = {incident.id};
  entry.member_states[incident.id] = IncidentState::Open;
  of_incident[incident.id] = id;
  entry.policy = incident.policy;
  entry.runbook = incident.runbook;
  for (const Evidence& evidence : incident.evidence) {
    entry.evidence += "  " + to_rfc3339(evidence.at) + "  " + evidence.text + "\n";
  }
  entry.severity = incident.severity;
  entry.ticket.title = incident.title;
  entry.ticket.impact = incident.impact;
  entry.ticket.tier = incident.tier;
  entry.ticket.customers = incident.customers;
  entry.ticket.priority = priority_of(entry);
  entry.ticket.escalation =
      incident.escalation.empty() ? options.default_escalation : incident.escalation;
  note(entry, "belfry", "opened", incident.title);
  start_run(entry, incident.id, false);
  if (const auto waiting = waiting_merge.find(incident.id); waiting != waiting_merge.end()) {
    const std::set<TicketId> adopted = std::move(waiting->second);
    waiting_merge.erase(waiting);
    for (const TicketId other : adopted) {
      if (TicketEntry* from = find(other); from != nullptr && is_open(from->ticket.state)) {
        merge(*from, entry);
      }
    }
  }
  fire_until(at, true);  // a step `after 0m` is part of opening
}

/// A window covers what was told: nothing more comes of it until the window ends. Those who were
/// told hear it once.
void Desk::Impl::plan(TicketEntry& entry, const IncidentChange& change) {
  IncidentState& state = entry.member_states[change.after.id];
  const bool was = state == IncidentState::Planned;
  state = IncidentState::Planned;
  if (was) {
    return;  // the window was moved: the timeline of the incident says it
  }
  const bool told = !entry.told.empty();
  stop_run(entry);
  if (!is_open(entry.ticket.state)) {
    return;
  }
  const std::string until = change.after.planned_until.ns == 0 || change.after.maintenance.empty()
                                ? std::string()
                                : ", until " + to_rfc3339(change.after.planned_until);
  const std::string what =
      (change.note.empty() ? std::string("under a silence") : change.note) + until;
  note(entry, "belfry", "planned", what + ": escalation stops");
  if (told) {
    tell_all(entry, EffectKind::Notify, "planned",
             "This is planned: " + what + ". Nothing more will come of it before that ends.");
  }
}

void Desk::Impl::refresh(TicketEntry& entry, const Incident& incident) {
  const bool was_planned = entry.member_states[incident.id] == IncidentState::Planned;
  entry.member_states[incident.id] = incident.state;
  if (was_planned && incident.state == IncidentState::Open) {
    entry.ticket.acked = false;  // a new episode: whoever took it took the works (DESK 7)
    entry.ticket.acked_by.clear();
  }
  if (entry.merged_into) {
    release(entry);
  }
  if (entry.ticket.state == TicketState::Resolved && incident.state == IncidentState::Open) {
    reopen(entry, "belfry", "the fault is back");
    return;
  }
  if (!is_open(entry.ticket.state)) {
    return;
  }
  if (incident.state == IncidentState::Open && !entry.run.running && !entry.ticket.acked) {
    start_run(entry, incident.id, true);  // released, or a maintenance window ended: new episode
    note(entry, "belfry", "escalation",
         was_planned ? "no window covers it any more: escalation starts anew"
                     : "the incident is open again: escalation starts anew");
    fire_until(at, true);
  }
  Ticket& t = entry.ticket;
  const bool master = t.members.empty() || t.members.front() == incident.id;
  if (!master) {
    return;
  }
  const Ticket before = t;
  entry.severity = incident.severity;
  t.title = incident.title;
  t.impact = incident.impact;
  t.tier = incident.tier;
  t.customers = incident.customers;
  t.priority = priority_of(entry);
  if (t.priority != before.priority) {
    note(entry, "belfry", "priority", before.priority + " -> " + t.priority);
    arm(entry);
  } else if (t.title != before.title || t.customers != before.customers) {
    note(entry, "belfry", "updated", t.title);
  }
}

std::string Desk::Impl::priority_of(const TicketEntry& entry) {
  const std::string tier = entry.ticket.tier.empty() ? "solution" : entry.ticket.tier;
  const std::string impact = entry.ticket.impact.empty() ? "none" : entry.ticket.impact;
  const std::string& name = entry.policy.empty() ? options.default_policy : entry.policy;
  if (program) {
    for (std::size_t p = 0; p < program->policies.size(); ++p) {
      const rules::Policy& policy = program->policies[p];
      if (policy.name != name) {
        continue;
      }
      std::vector<Value> args;
      for (const rules::Param& param : policy.params) {
        const std::string_view of = param.of < program->schema->enums.size()
                                        ? std::string_view(program->schema->enums[param.of].name)
                                        : std::string_view();
        std::string_view word = "normal";  // urgency: what no argument says
        if (of == "tier") {
          word = tier;
        } else if (of == "impact") {
          word = impact;
        } else if (of == "severity") {
          word = belfry::name(entry.severity);
        }
        args.push_back(enum_word(*program->schema, param.of, word));
      }
      scratch.clear();
      const Value v = rules::run_policy(*program, static_cast<rules::Index>(p), args, scratch);
      if (!v.is_none()) {
        return to_text(v);
      }
    }
  }
  return std::string(built_in_priority(impact, tier));
}

void Desk::Impl::adopt(TicketEntry& entry, const Incident& incident) {
  entry.member_states[incident.id] = IncidentState::Symptom;
  if (!is_open(entry.ticket.state)) {
    return;
  }
  const bool paged = !entry.told.empty();
  stop_run(entry);
  // The top of the chain is what is ticketed: walk up until a cause has a ticket.
  std::set<IncidentId> seen{incident.id};
  IncidentId top = incident.causes.empty() ? incident.id : incident.causes.front();
  while (ticket_of(top) == nullptr && seen.insert(top).second) {
    const auto up = causes.find(top);
    if (up == causes.end() || up->second.empty()) {
      break;
    }
    top = up->second.front();
  }
  TicketEntry* into = ticket_of(top);
  if (into != nullptr && into->merged_into) {
    into = find(*into->merged_into);
  }
  const std::string by = into != nullptr ? to_text(into->ticket.id) : "incident " + to_text(top);
  if (entry.ticket.claimed || into == &entry) {
    note(entry, "belfry", "explained", "explained by " + by + "; its owner goes on");
  } else if (into != nullptr) {
    merge(entry, *into);
  } else {
    waiting_merge[top].insert(entry.ticket.id);
    note(entry, "belfry", "explained", "explained by " + by);
  }
  if (paged) {
    tell_all(entry, EffectKind::Notify, "explained",
             "This is a symptom of " + by + ". Nothing more will come from it.");
  }
}

void Desk::Impl::merge(TicketEntry& from, TicketEntry& into) {
  stop_run(from);
  clear_timer(from.ticket.id, TimerKind::CloseResolved);
  from.merged_into = into.ticket.id;
  set_state(from, TicketState::Merged);
  note(from, "belfry", "merged", "into " + to_text(into.ticket.id));
  note(into, "belfry", "merged",
       to_text(from.ticket.id) + " is part of this: " + from.ticket.title);
}

void Desk::Impl::release(TicketEntry& entry) {
  for (auto& [cause, waiting] : waiting_merge) {
    waiting.erase(entry.ticket.id);
  }
  if (!entry.merged_into) {
    return;
  }
  const TicketId from = *entry.merged_into;
  entry.merged_into.reset();
  if (!is_person(entry.ticket.owner)) {
    entry.ticket.owner = default_owner();
  }
  set_state(entry, entry.ticket.claimed ? TicketState::Assigned : TicketState::New);
  entry.ticket.acked = false;
  entry.ticket.acked_by.clear();
  note(entry, "belfry", "released", "no longer part of " + to_text(from));
}

void Desk::Impl::member_closed(TicketEntry& entry, IncidentId id) {
  entry.member_states[id] = IncidentState::Closed;
  stop_run(entry);
  if (!is_open(entry.ticket.state)) {
    if (entry.ticket.state == TicketState::Merged) {
      set_timer(entry.ticket.id, TimerKind::CloseResolved, at + options.close_after);
    }
    return;
  }
  const bool all = std::all_of(entry.member_states.begin(), entry.member_states.end(),
                               [](const auto& m) { return m.second == IncidentState::Closed; });
  if (!all) {
    return;
  }
  if (entry.ticket.claimed) {
    entry.ticket.resolved_at = at;
    note(entry, "belfry", "restored",
         "all incidents are closed: " + entry.ticket.owner + ", please resolve");
    tell_all(entry, EffectKind::Closing, "closed", "The fault is over. Please resolve the ticket.");
  } else {
    resolve(entry, "belfry", "The fault is over.");
  }
}

void Desk::Impl::resolve(TicketEntry& entry, const std::string& who, const std::string& text) {
  stop_run(entry);
  set_state(entry, TicketState::Resolved);
  entry.ticket.resolved_at = at;
  set_timer(entry.ticket.id, TimerKind::CloseResolved, at + options.close_after);
  note(entry, who, "resolved", text);
  tell_all(entry, EffectKind::Closing, "resolved", text);
}

void Desk::Impl::reopen(TicketEntry& entry, const std::string& who, const std::string& why) {
  clear_timer(entry.ticket.id, TimerKind::CloseResolved);
  if (!is_person(entry.ticket.owner)) {
    entry.ticket.owner = default_owner();
  }
  set_state(entry, TicketState::Reopened);
  entry.ticket.resolved_at = {};
  note(entry, who, "reopened", why);
  if (entry.ticket.acked) {
    tell_all(entry, EffectKind::Notify, "reopened", why);
  } else if (!entry.ticket.members.empty()) {
    start_run(entry, entry.ticket.members.front(), true);
    fire_until(at, true);
  }
}

void Desk::Impl::forget(TicketId id) {
  TicketEntry* entry = find(id);
  if (entry == nullptr) {
    return;
  }
  for (const IncidentId member : entry->ticket.members) {
    of_incident.erase(member);
    causes.erase(member);
  }
  std::erase_if(sent, [id](const auto& item) { return item.second == id; });
  tickets.erase(id);
}

}  // namespace belfry
