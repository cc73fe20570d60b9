#include "belfry/replay/rehearsal.hpp"

#include "belfry/base/check.hpp"

namespace belfry::replay {

Rehearsal::Rehearsal(std::shared_ptr<const rules::Program> program,
                     std::shared_ptr<const Inventory> inventory, Instant start, Sink sink,
                     RehearsalOptions options)
    : program_(std::move(program)),
      inventory_(std::move(inventory)),
      options_(options),
      sink_(std::move(sink)),
      matcher_(std::make_unique<rules::Matcher>(program_, inventory_)),
      correlator_(std::make_unique<Correlator>(options.correlator)),
      now_(start) {
  BELFRY_CHECK(options_.batch_events_max > 0);
  correlator_->set_program(program_, seq_, now_, out_);
  correlator_->set_inventory(inventory_, seq_, now_, out_);
  tell(now_, seq_);
}

Event& Rehearsal::begin() {
  batch_.events.emplace_back();
  return batch_.events.back();
}

Seq Rehearsal::commit(Instant at) {
  const Instant last = ats_.empty() ? now_ : ats_.back();
  BELFRY_CHECK(at >= last);
  ats_.push_back(at);
  ++seq_.value;
  const Seq seq = seq_;
  if (ats_.size() >= options_.batch_events_max || batch_.full()) {
    flush();
  }
  return seq;
}

void Rehearsal::flush() {
  if (ats_.empty()) {
    return;
  }
  matcher_->match(batch_);
  matches_ += batch_.matches.size();
  std::size_t next = 0;
  for (std::size_t i = 0; i < batch_.events.size(); ++i) {
    const std::size_t from = next;
    while (next < batch_.matches.size() && batch_.matches[next].event == i) {
      ++next;
    }
    const auto matches = std::span<const Match>(batch_.matches).subspan(from, next - from);
    ++folded_.value;
    fire_before(ats_[i], folded_);
    now_ = ats_[i];
    if (watch_) {
      watch_(batch_.events[i], matches, folded_, now_);
    }
    correlator_->on_event(batch_.events[i], matches, folded_, now_, out_);
    tell(now_, folded_);
  }
  batch_.clear();
  ats_.clear();
}

/// Tick by tick, so that every change is told with its own instant.
void Rehearsal::fire_before(Instant at, Seq seq) {
  for (Instant due = correlator_->next_deadline(); due < at; due = correlator_->next_deadline()) {
    correlator_->advance(due, seq, out_);
    tell(due, seq);
  }
}

void Rehearsal::advance(Instant at) {
  flush();
  const Seq seq{seq_.value + 1};
  fire_before(at, seq);
  correlator_->advance(at, seq, out_);
  tell(at, seq);
  now_ = at;
}

void Rehearsal::advance_before(Instant at) {
  flush();
  fire_before(at, Seq{seq_.value + 1});
}

void Rehearsal::on_deaf(Instant from, Instant to) {
  flush();
  fire_before(from, Seq{seq_.value + 1});  // what is due later must see that nobody listened
  correlator_->on_deaf(from, to, Seq{seq_.value + 1}, out_);
  tell(to, Seq{seq_.value + 1});
  now_ = to;
}

CommandResult Rehearsal::command(const Command& command, Instant at) {
  flush();
  const Seq seq{seq_.value + 1};
  fire_before(at, seq);
  const CommandResult result = correlator_->on_command(command, seq, at, out_);
  tell(at, seq);
  now_ = at;
  return result;
}

void Rehearsal::set_program(std::shared_ptr<const rules::Program> program, Instant at) {
  flush();
  const Seq seq{seq_.value + 1};
  fire_before(at, seq);
  program_ = std::move(program);
  matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
  correlator_->set_program(program_, seq, at, out_);
  tell(at, seq);
  now_ = at;
}

void Rehearsal::set_inventory(std::shared_ptr<const Inventory> inventory, Instant at) {
  flush();
  const Seq seq{seq_.value + 1};
  fire_before(at, seq);
  inventory_ = std::move(inventory);
  matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
  correlator_->set_inventory(inventory_, seq, at, out_);
  tell(at, seq);
  now_ = at;
}

Result<void> Rehearsal::restart_from_snapshot() {
  flush();
  ByteWriter bytes;
  correlator_->save(bytes);
  auto fresh = std::make_unique<Correlator>(options_.correlator);
  std::vector<IncidentChange> none;
  fresh->set_program(program_, Seq{0}, now_, none);
  fresh->set_inventory(inventory_, Seq{0}, now_, none);
  ByteReader reader(bytes.bytes());
  BELFRY_CHECK_OK(fresh->load(reader));
  correlator_ = std::move(fresh);
  return {};
}

void Rehearsal::tell(Instant at, Seq seq) {
  for (IncidentChange& change : out_) {
    sink_({at, seq, std::move(change)});
  }
  out_.clear();
}

}  // namespace belfry::replay
