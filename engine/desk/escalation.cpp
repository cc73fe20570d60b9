// Escalation runs (DESK 7): steps counted from t0, guards read when a step fires.
#include <algorithm>

#include "belfry/base/hash.hpp"
#include "belfry/base/json.hpp"
#include "belfry/rules/eval.hpp"
#include "state.hpp"

namespace belfry {
namespace {

constexpr std::uint64_t kClosingSalt = 0xC105E;

std::string mail_body(const TicketEntry& entry, const std::string& text) {
  const Ticket& t = entry.ticket;
  std::string customers;
  for (const std::string& customer : t.customers) {
    customers += (customers.empty() ? "" : ", ") + customer;
  }
  std::string body = t.title + "\n\n" + text + "\n\n";
  body +=
      "Ticket    " + to_text(t.id) + "  " + t.priority + "  " + std::string(name(t.state)) + "\n";
  body += "Owner     " + t.owner + "\n";
  body += "Severity  " + std::string(name(entry.severity)) + "\n";
  body += "Impact    " + (t.impact.empty() ? "none" : t.impact) + "\n";
  body += "Customers " + (customers.empty() ? "none known" : customers) + "\n";
  if (!t.members.empty()) {
    body += "Incident  " + to_text(t.members.front()) + "\n";
  }
  if (!entry.runbook.empty()) {
    body += "Runbook   " + entry.runbook + "\n";
  }
  if (!entry.evidence.empty()) {
    body += "\nEvidence\n" + entry.evidence;
  }
  return body;
}

std::string payload(const TicketEntry& entry, EffectKind kind, const std::string& what,
                    const std::string& text) {
  JsonWriter json;
  json.object().field("type", "ticket." + what).field("kind", name(kind)).field("text", text);
  json.key("ticket").raw(to_json(entry.ticket)).end();
  return json.take();
}

}  // namespace

const rules::Escalation* Desk::Impl::escalation(const std::string& wanted) const {
  if (program) {
    for (const rules::Escalation& e : program->escalations) {
      if (e.name == wanted) {
        return &e;
      }
    }
  }
  return nullptr;
}

void Desk::Impl::set_timer(TicketId id, TimerKind kind, Instant due) {
  clear_timer(id, kind);
  const auto k = static_cast<std::uint8_t>(kind);
  timers.emplace(due.ns, id.value, k);
  due_of[{id.value, k}] = due.ns;
}

void Desk::Impl::clear_timer(TicketId id, TimerKind kind) {
  const auto k = static_cast<std::uint8_t>(kind);
  if (const auto it = due_of.find({id.value, k}); it != due_of.end()) {
    timers.erase({it->second, id.value, k});
    due_of.erase(it);
  }
}

void Desk::Impl::fire_until(Instant limit, bool inclusive) {
  const Instant now = at;
  while (!timers.empty()) {
    const auto [due, ticket, kind] = *timers.begin();
    if (due > limit.ns || (!inclusive && due == limit.ns)) {
      break;
    }
    timers.erase(timers.begin());
    due_of.erase({ticket, kind});
    TicketEntry* entry = find(TicketId{ticket});
    if (entry == nullptr) {
      continue;
    }
    at = Instant{due};  // a timer acts at its own instant
    if (static_cast<TimerKind>(kind) == TimerKind::Step) {
      fire_step(*entry);
    } else if (entry->ticket.state == TicketState::Resolved) {
      set_state(*entry, TicketState::Closed);
      note(*entry, "belfry", "closed", "resolved for " + to_text(options.close_after));
      forget(TicketId{ticket});
    } else {
      forget(TicketId{ticket});
    }
  }
  at = now;
}

void Desk::Impl::start_run(TicketEntry& entry, IncidentId incident, bool new_episode) {
  Run& run = entry.run;
  run.episode = new_episode ? run.episode + 1 : run.episode;
  run.escalation = entry.ticket.escalation;
  run.incident = incident;
  run.t0 = at;
  run.next = 0;
  run.repeat = 0;
  run.page_now = false;
  run.running = true;
  entry.ticket.steps_done = 0;
  if (escalation(run.escalation) == nullptr) {
    note(entry, "belfry", "escalation_missing", "no escalation is called '" + run.escalation + "'");
  }
  arm(entry);
}

void Desk::Impl::stop_run(TicketEntry& entry) {
  entry.run.running = false;
  entry.ticket.next_step_at = {};
  clear_timer(entry.ticket.id, TimerKind::Step);
}

void Desk::Impl::arm(TicketEntry& entry) {
  Run& run = entry.run;
  clear_timer(entry.ticket.id, TimerKind::Step);
  entry.ticket.next_step_at = {};
  const rules::Escalation* e = escalation(run.escalation);
  if (!run.running) {
    return;
  }
  Instant due = kNever;
  if (e != nullptr && run.next < e->steps.size()) {
    due = run.t0 + e->steps[run.next].after;
    if (run.page_now) {
      due = at;
    }
  } else if (!entry.ticket.acked) {
    // All steps are done and nobody took it: pages come again (P1, P2), or last_resort is called.
    const Duration every = e == nullptr || run.page_now    ? options.last_resort_every
                           : entry.ticket.priority == "P1" ? options.page_repeat_p1
                           : entry.ticket.priority == "P2" ? options.page_repeat_p2
                                                           : Duration{0};
    if (every.count() > 0) {
      const Duration last = e == nullptr || e->steps.empty() ? Duration{0} : e->steps.back().after;
      due = run.t0 + last + every * (run.repeat + 1);
      due = std::max(due, at + Duration(1));
    }
  }
  if (due < kNever) {
    due = std::max(due, at);
    entry.ticket.next_step_at = due;
    set_timer(entry.ticket.id, TimerKind::Step, due);
  }
}

std::string Desk::Impl::skip_reason(const TicketEntry& entry, const rules::EscalationStep& step) {
  const Ticket& t = entry.ticket;
  if (step.unless_acked && t.acked) {
    return "acked by " + t.acked_by;
  }
  if (step.unless_mitigated && entry.mitigated) {
    return "mitigated";
  }
  if (step.condition != nullptr) {
    const Schema& schema = *program->schema;
    const auto& enums = program->enums;
    const std::string_view tier = t.tier.empty() ? std::string_view("solution") : t.tier;
    const Value vars[]{enum_word(schema, enums.tier, tier),
                       enum_word(schema, enums.priority, t.priority),
                       enum_word(schema, enums.impact, t.impact.empty() ? "none" : t.impact),
                       enum_word(schema, enums.severity, name(entry.severity))};
    rules::Env env;
    env.program = program.get();
    env.vars = vars;
    scratch.clear();
    env.arena = &scratch;
    if (!rules::holds(step.condition, env)) {
      return "its condition is false";
    }
  }
  return {};
}

void Desk::Impl::fire_step(TicketEntry& entry) {
  Run& run = entry.run;
  const rules::Escalation* e = escalation(run.escalation);
  if (!run.running) {
    return;
  }
  if (e == nullptr || run.next >= e->steps.size()) {
    if (!entry.ticket.acked) {
      static const rules::Escalation kEmpty;
      fire_repeat(entry, e == nullptr ? kEmpty : *e);
    }
    arm(entry);
    return;
  }
  const rules::EscalationStep& step = e->steps[run.next];
  const std::uint32_t number = run.next++;
  entry.ticket.steps_done = run.next;
  if (run.page_now && step.page) {
    run.page_now = false;
  }
  const std::string reason = skip_reason(entry, step);
  if (!reason.empty()) {
    note(entry, "belfry", "step_skipped", step.target + ": " + reason);
  } else if (!send_step(entry, step.target, step.page, number)) {
    note(entry, "belfry", "step_empty", step.target + ": nobody can be reached");
    run.page_now = true;
  }
  arm(entry);
}

void Desk::Impl::fire_repeat(TicketEntry& entry, const rules::Escalation& e) {
  Run& run = entry.run;
  ++run.repeat;
  bool reached = false;
  for (std::size_t i = 0; i < e.steps.size(); ++i) {
    if (e.steps[i].page && skip_reason(entry, e.steps[i]).empty()) {
      reached |= send_step(entry, e.steps[i].target, true, static_cast<std::uint32_t>(i));
    }
  }
  if (!reached || run.page_now) {
    reached = send_step(entry, options.last_resort, true, 0xFFFF);
    if (!reached) {
      note(entry, "belfry", "paging_hole",
           "nobody can be reached, not even " + options.last_resort);
    }
  }
}

std::vector<DeskTarget> Desk::Impl::resolve_target(const std::string& wanted, bool page) const {
  const auto alias = options.aliases.find(wanted);
  const std::string& target = alias == options.aliases.end() ? wanted : alias->second;
  const auto person = [this](const std::string& who) {
    const auto it = options.people.find(who);
    return it == options.people.end() ? std::vector<DeskTarget>{} : it->second;
  };
  for (const DeskTeam& team : options.teams) {
    if (team.name != target) {
      continue;
    }
    std::vector<DeskTarget> targets = page ? team.page : team.notify;
    if (targets.empty()) {
      targets = page ? team.notify : team.page;
    }
    for (std::size_t i = 0; targets.empty() && i < team.members.size(); ++i) {
      targets = person(team.members[i]);  // the first who can be reached
    }
    return targets;
  }
  return person(target);
}

bool Desk::Impl::send_step(TicketEntry& entry, const std::string& target, bool page,
                           std::uint32_t step) {
  const std::vector<DeskTarget> targets = resolve_target(target, page);
  if (targets.empty()) {
    return false;
  }
  const EffectKind kind = page ? EffectKind::Page : EffectKind::Notify;
  const Run& run = entry.run;
  note(entry, "belfry", page ? "paged" : "notified", target);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::uint64_t salt = hash_mix(hash_mix(run.episode, step), hash_mix(run.repeat, i));
    emit(entry, kind, targets[i], salt, step == 0 && run.repeat == 0 ? "opened" : "escalated",
         page ? "Please take this ticket." : "For your information.");
    entry.told.emplace(targets[i].channel, targets[i].address);
  }
  return true;
}

void Desk::Impl::tell_all(TicketEntry& entry, EffectKind kind, const std::string& what,
                          const std::string& text) {
  std::uint64_t i = 0;
  for (const auto& [channel, address] : entry.told) {
    emit(entry, kind, {channel, address}, hash_mix(kClosingSalt + entry.ticket.version, i++), what,
         text);
  }
}

void Desk::Impl::emit(TicketEntry& entry, EffectKind kind, const DeskTarget& target,
                      std::uint64_t salt, const std::string& what, const std::string& text) {
  const Ticket& t = entry.ticket;
  Effect effect;
  const IncidentId incident = t.members.empty() ? IncidentId{} : t.members.front();
  effect.id = EffectId{hash64(target.channel + '\n' + target.address,
                              hash_mix(hash_mix(incident.value, t.id.value), salt))};
  effect.kind = kind;
  effect.at = at;
  effect.target = target.channel;
  effect.address = target.address;
  effect.incident = incident;
  effect.ticket = t.id;
  effect.subject = "[" + t.priority + "] " + to_text(t.id) + " " + what + ": " + t.title;
  effect.body = mail_body(entry, text);
  effect.json = payload(entry, kind, what, text);
  sent[effect.id] = t.id;
  out->effects.push_back(std::move(effect));
}

}  // namespace belfry
