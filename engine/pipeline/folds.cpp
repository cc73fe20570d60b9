#include "folds.hpp"

#include <algorithm>

#include "belfry/base/check.hpp"
#include "belfry/base/hash.hpp"

namespace belfry {

void Folds::set_versions(const Versions& versions, bool rules, bool inventory, Seq seq, Instant at,
                         FoldOut& out) {
  fire_before(at, seq, out);
  ready_ = true;
  if (rules) {
    correlator_.set_program(versions.program, seq, at, incidents_, inventory);
    desk_.set_program(versions.program, seq, at, desk_out_);
    flow_desk(seq, at, out);
  }
  if (inventory) {
    correlator_.set_inventory(versions.inventory, seq, at, incidents_);
  }
  flow(seq, at, out);
}

void Folds::set_desk(const DeskOptions& options, Seq seq, Instant at, FoldOut& out) {
  fire_before(at, seq, out);
  desk_.set_options(options, seq, at, desk_out_);
  flow_desk(seq, at, out);
}

void Folds::on_batch(const Batch& batch, Seq first, Instant at, FoldOut& out) {
  fire_before(at, first, out);
  const std::span<const Match> matches(batch.matches);
  for (std::size_t i = 0; i < matches.size();) {
    // Events without a match changed nothing and are not looked at.
    const std::uint32_t event = matches[i].event;
    std::size_t end = i + 1;
    while (end < matches.size() && matches[end].event == event) {
      ++end;
    }
    const Seq seq{first.value + event};
    correlator_.on_event(batch.events[event], matches.subspan(i, end - i), seq, at, incidents_);
    if (!incidents_.empty()) {
      flow(seq, at, out);
    }
    i = end;
  }
}

void Folds::on_advance(Seq seq, Instant at, FoldOut& out) {
  if (!ready_) {
    return;
  }
  fire_before(at, seq, out);
  fire(at, seq, out);
}

CommandResult Folds::on_command(const Command& command, Seq seq, Instant at, FoldOut& out) {
  if (!ready_) {
    return {.ok = false, .code = Code::Unavailable, .message = "no rules are in force yet"};
  }
  fire_before(at, seq, out);
  CommandResult result;
  switch (command.kind) {
    case CommandKind::CloseIncident:
    case CommandKind::Silence:
    case CommandKind::Unsilence:
      result = correlator_.on_command(command, seq, at, incidents_);
      flow(seq, at, out);
      break;
    default:
      result = desk_.on_command(command, seq, at, desk_out_);
      flow_desk(seq, at, out);
  }
  return result;
}

void Folds::on_deaf(Instant from, Instant to, Seq seq, Instant at, FoldOut& out) {
  if (!ready_) {
    return;
  }
  // Deafness first: what became due while nobody listened must see that nobody listened.
  correlator_.on_deaf(from, to, seq, incidents_);
  flow(seq, at, out);
  fire_before(at, seq, out);
}

void Folds::on_delivery_failed(EffectId effect, std::string_view reason, Seq seq, Instant at,
                               FoldOut& out) {
  fire_before(at, seq, out);
  desk_.on_delivery_failed(effect, reason, seq, at, desk_out_);
  flow_desk(seq, at, out);
}

Instant Folds::next_deadline() const {
  return !ready_ ? kNever : std::min(correlator_.next_deadline(), desk_.next_deadline());
}

// Timers of both folds in order of their instants: the desk sees at t1 what the correlator opened
// at t0, also after a long gap in which both were due.
void Folds::fire_before(Instant at, Seq seq, FoldOut& out) {
  for (Instant due = next_deadline(); due < at; due = next_deadline()) {
    fire(due, seq, out);
    // A fold whose deadline does not pass would hang the process for ever.
    BELFRY_CHECK(next_deadline() > due);
  }
}

void Folds::fire(Instant at, Seq seq, FoldOut& out) {
  correlator_.advance(at, seq, incidents_);
  flow(seq, at, out);
  desk_.advance(at, seq, desk_out_);
  flow_desk(seq, at, out);
}

void Folds::flow(Seq seq, Instant at, FoldOut& out) {
  for (IncidentChange& change : incidents_) {
    desk_.on_incident(change, seq, at, desk_out_);
    // Pending is not on the feed: the incident is shown again when it opens or closes.
    if (change.after.state != IncidentState::Pending) {
      add_change(std::move(change), seq, at, out);
    }
    flow_desk(seq, at, out);
  }
  incidents_.clear();
}

void Folds::add_change(IncidentChange incident, Seq seq, Instant at, FoldOut& out) {
  Change& change = out.changes.emplace_back();
  change.number = last_change_ = {last_change_.value + 1};
  change.seq = seq;
  change.at = at;
  change.incident = std::move(incident);
}

void Folds::flow_desk(Seq seq, Instant at, FoldOut& out) {
  for (TicketChange& ticket : desk_out_.changes) {
    Change& change = out.changes.emplace_back();
    change.number = last_change_ = {last_change_.value + 1};
    change.seq = seq;
    change.at = at;
    change.ticket = std::move(ticket);
  }
  for (Effect& effect : desk_out_.effects) {
    out.effects.push_back(std::move(effect));
  }
  desk_out_.changes.clear();
  desk_out_.effects.clear();
}

void Folds::save(ByteWriter& out) const {
  out.varint(last_change_.value);
  ByteWriter part;
  correlator_.save(part);
  out.string(part.bytes());
  part.clear();
  desk_.save(part);
  out.string(part.bytes());
}

Result<void> Folds::load(ByteReader& in) {
  last_change_ = {in.varint()};
  ByteReader correlator(in.string());
  BELFRY_CHECK_OK(correlator_.load(correlator));
  ByteReader desk(in.string());
  BELFRY_CHECK_OK(desk_.load(desk));
  if (in.failed() || correlator.failed() || desk.failed()) {
    return fail(Code::Corrupt, "a snapshot of the folds is cut short");
  }
  return {};
}

std::uint64_t Folds::state_hash() const {
  return hash_mix(correlator_.state_hash(), desk_.state_hash());
}

}  // namespace belfry
