// Entry points: each sets what the input is, fires what was due before it, and dispatches.
#include "belfry/desk/desk.hpp"

#include <algorithm>

#include "belfry/base/hash.hpp"
#include "state.hpp"

namespace belfry {

Desk::Desk() : impl_(std::make_unique<Impl>()) {}
Desk::~Desk() = default;

void Desk::set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                       DeskOut& out) {
  impl_->begin(seq, at, out);
  impl_->fire_until(at, false);
  impl_->program = std::move(program);
}

void Desk::set_options(const DeskOptions& options, Seq seq, Instant at, DeskOut& out) {
  Impl& d = *impl_;
  d.begin(seq, at, out);
  d.fire_until(at, false);
  d.options = options;
  // Nobody who left the roster keeps a ticket: owners move in the same input (DESK 5).
  for (auto& [id, entry] : d.tickets) {
    if (is_open(entry.ticket.state) && !d.is_person(entry.ticket.owner)) {
      const std::string before = entry.ticket.owner;
      d.set_owner(entry, d.default_owner());
      entry.ticket.claimed = false;
      d.note(entry, "belfry", "owner",
             before + " is no longer on the roster: " + entry.ticket.owner + " owns it");
    }
  }
}

void Desk::on_incident(const IncidentChange& change, Seq seq, Instant at, DeskOut& out) {
  Impl& d = *impl_;
  d.begin(seq, at, out);
  d.fire_until(at, false);
  const Incident& incident = change.after;
  if (incident.state == IncidentState::Symptom) {
    d.causes[incident.id] = incident.causes;
  } else {
    d.causes.erase(incident.id);
  }
  TicketEntry* entry = d.ticket_of(incident.id);
  switch (incident.state) {
    case IncidentState::Open:
      if (entry == nullptr) {
        d.open_ticket(change);
      } else {
        d.refresh(*entry, incident);
      }
      break;
    case IncidentState::Symptom:
      if (entry != nullptr) {
        d.adopt(*entry, incident);
      }
      break;
    case IncidentState::Planned:
      if (entry != nullptr) {
        d.plan(*entry, change);
      }
      break;
    case IncidentState::Pending:
      if (entry != nullptr) {
        d.stop_run(*entry);
        entry->member_states[incident.id] = incident.state;
        if (change.reason == IncidentReason::Released) {
          d.release(*entry);
        }
      }
      break;
    case IncidentState::Clearing:
      if (entry != nullptr) {
        d.refresh(*entry, incident);
      }
      break;
    case IncidentState::Closed:
      d.waiting_merge.erase(incident.id);
      if (entry != nullptr) {
        d.member_closed(*entry, incident.id);
      }
      break;
  }
}

CommandResult Desk::on_command(const Command& command, Seq seq, Instant at, DeskOut& out) {
  Impl& d = *impl_;
  d.begin(seq, at, out);
  d.fire_until(at, false);
  const std::string key =
      command.idempotency_key.empty() ? "" : command.who + '\n' + command.idempotency_key;
  if (const auto it = d.answers.find(key); !key.empty() && it != d.answers.end()) {
    return it->second;
  }
  CommandResult result = d.answer(command);
  if (!key.empty()) {
    if (d.answer_order.size() >= kAnswersMax) {
      d.answers.erase(d.answer_order.front());
      d.answer_order.pop_front();
    }
    d.answers.emplace(key, result);
    d.answer_order.push_back(key);
  }
  return result;
}

void Desk::on_delivery_failed(EffectId effect, std::string_view reason, Seq seq, Instant at,
                              DeskOut& out) {
  Impl& d = *impl_;
  d.begin(seq, at, out);
  d.fire_until(at, false);
  const auto it = d.sent.find(effect);
  TicketEntry* entry = it == d.sent.end() ? nullptr : d.find(it->second);
  if (entry == nullptr || !is_open(entry->ticket.state)) {
    return;
  }
  d.note(*entry, "belfry", "delivery_failed", std::string(reason));
  if (entry->run.running && !entry->ticket.acked) {
    entry->run.page_now = true;
    d.arm(*entry);
    d.fire_until(at, true);
  }
}

void Desk::advance(Instant at, Seq seq, DeskOut& out) {
  impl_->begin(seq, at, out);
  impl_->fire_until(at, true);
}

void Desk::advance_before(Instant at, Seq seq, DeskOut& out) {
  impl_->begin(seq, at, out);
  impl_->fire_until(at, false);
}

Instant Desk::next_deadline() const {
  return impl_->timers.empty() ? kNever : Instant{std::get<0>(*impl_->timers.begin())};
}

std::vector<Ticket> Desk::tickets() const {
  std::vector<Ticket> out;
  for (const auto& [id, entry] : impl_->tickets) {
    if (entry.ticket.state != TicketState::Closed && entry.ticket.state != TicketState::Cancelled) {
      out.push_back(entry.ticket);
    }
  }
  // Without clocks every next due is +infinity: priority, premium first, origin, id (DESK 4).
  std::stable_sort(out.begin(), out.end(), [](const Ticket& a, const Ticket& b) {
    return std::make_tuple(a.priority, a.tier != "premium", a.origin, a.id) <
           std::make_tuple(b.priority, b.tier != "premium", b.origin, b.id);
  });
  return out;
}

std::vector<TimelineEntry> Desk::timeline(TicketId id) const {
  const auto it = impl_->tickets.find(id);
  if (it == impl_->tickets.end()) {
    return {};
  }
  return {it->second.timeline.begin(), it->second.timeline.end()};
}

std::uint64_t Desk::state_hash() const {
  ByteWriter out;
  save(out);
  return hash64(out.bytes());
}

}  // namespace belfry
