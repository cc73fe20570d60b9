// The life of an incident (LANGUAGE 6.5-6.9): a small state machine that is stepped whenever its
// pattern, its deadline or one of its causes changed. A step only looks at what is true now, so
// stepping twice changes nothing.
#include <algorithm>
#include <functional>

#include "belfry/base/text.hpp"
#include "fold.hpp"

namespace belfry::correlate {

namespace {

/// No incident needs more turns of its state machine in one step; a bound against our own mistakes.
constexpr int kTurnsMax = 16;
/// Steps per incident in one round, for the same reason: causes are acyclic, so few suffice.
constexpr std::size_t kStepsPerIncident = 64;

std::int64_t after(std::int64_t at, Duration d) {
  return d.count() > kForever - at ? kForever : round_up_to_tick(at + d.count());
}

}  // namespace

/// docs/formats/ids.md
IncidentId make_incident_id(const std::string& rule, const std::string& key, Instant at, Seq seq) {
  ByteWriter bytes;
  bytes.raw(rule.data(), rule.size());
  bytes.u8(0);
  bytes.raw(key.data(), key.size());
  bytes.u8(0);
  bytes.fixed64(static_cast<std::uint64_t>(at.ns));
  bytes.fixed64(seq.value);
  return IncidentId{hash64(bytes.bytes())};
}

bool Fold::holds(const OwnerKey& key) const {
  return key.holds && !(rule_of(key).clear == rules::ClearKind::When && key.clearing);
}
bool Fold::started(const OwnerKey& key) const {
  return key.started && !(rule_of(key).clear == rules::ClearKind::When && key.clearing);
}

const IncidentRecord* Fold::incident_if(std::uint32_t record) const {
  return keys[record].incident == kNil ? nullptr : &incidents[keys[record].incident];
}

void Fold::add_work(std::uint32_t record) {
  OwnerKey& key = keys[record];
  const OwnerPlan& owner = plan->owners[key.owner];
  if (key.in_work || owner.rule == nullptr || !owner.live || cut_owners[key.owner]) {
    return;
  }
  key.in_work = true;
  work.push_back({owner.rule->cause_depth, plan->rank[key.owner], owner_text(key), record});
  std::push_heap(work.begin(), work.end(), std::greater<>());
}

void Fold::run_incidents() {
  std::size_t steps = 0;
  const std::size_t steps_max = (incidents.live() + work.size() + 16) * kStepsPerIncident;
  while (!work.empty()) {
    std::pop_heap(work.begin(), work.end(), std::greater<>());
    const std::uint32_t record = work.back().key;
    work.pop_back();
    if (!keys.has(record) || !keys[record].in_work) {
      continue;
    }
    keys[record].in_work = false;
    if (++steps <= steps_max) {
      step(record);
    }
  }
}

void Fold::step(std::uint32_t record) {
  const Piece piece(*this, {Unit::Kind::Owner, keys[record].owner});
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    if (keys[record].incident == kNil) {
      if (!begin_incident(record)) {
        break;
      }
      continue;
    }
    IncidentRecord& incident = incident_of(record);
    incident.next = kForever;
    bool again = incident.removed && step_removed(record);
    if (!again) {
      switch (incident.phase) {
        case Phase::Pending:
          again = step_pending(record);
          break;
        case Phase::Waiting:
          again = step_waiting(record);
          break;
        case Phase::Live:
          again = step_live(record);
          break;
        case Phase::Clearing:
          again = step_clearing(record);
          break;
        case Phase::Closed:
          again = step_closed(record);
          break;
      }
    }
    if (!again) {
      break;
    }
  }
  arm(record);
  maybe_remove(record);
}

void Fold::arm(std::uint32_t record) {
  OwnerKey& key = keys[record];
  std::int64_t deadline = key.pattern_next;
  if (const IncidentRecord* incident = incident_if(record)) {
    deadline = std::min({deadline, incident->next, incident->removed_until});
  }
  timers.arm(key.timer, {record, false}, deadline);
}

void Fold::wait_until(IncidentRecord& incident, std::int64_t deadline) { incident.next = deadline; }

/// idle -> pending.
bool Fold::begin_incident(std::uint32_t record) {
  OwnerKey& key = keys[record];
  key.blocked = key.blocked && holds(key);
  if (!started(key) || key.blocked) {
    return false;
  }
  const std::uint32_t index = incidents.add();
  IncidentRecord& incident = incidents[index];
  incident.key = record;
  incident.began_at = Instant{now};
  incident.began_seq = seq;
  incident.id = make_incident_id(rule_of(key).name, owner_text(key), incident.began_at, seq);
  key.incident = index;
  by_id[incident.id] = record;
  list_incident(record);
  if (key.raise_number >= first_raise_of_round) {
    add_proof(incident);
  }
  watch_causes(record);
  tell_symptoms(record);
  return true;
}

bool Fold::step_pending(std::uint32_t record) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  if (incident.released) {
    if (!holds(key)) {
      close(record, IncidentReason::PatternEnded);
      return true;
    }
    if (incident.ready_at > now && !reached(round_up_to_tick(incident.ready_at))) {
      wait_until(incident, round_up_to_tick(incident.ready_at));
      return false;
    }
    become_due(record);
    return true;
  }
  if (!started(key)) {
    drop_pending(record);
    return true;
  }
  if (holds(key)) {
    become_due(record);
    return true;
  }
  return false;
}

void Fold::become_due(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  incident.due_at = incident.released ? incident.ready_at : now;
  incident.phase = Phase::Waiting;
  tell_symptoms(record);
}

bool Fold::step_waiting(std::uint32_t record) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  const rules::Rule& rule = rule_of(key);
  if (!holds(key)) {
    incident.phase = Phase::Pending;
    if (started(key) && !incident.released) {
      tell_symptoms(record);
    }
    return true;
  }
  const std::vector<std::uint32_t> causes = candidates(record);
  if (std::any_of(causes.begin(), causes.end(), [&](std::uint32_t c) { return established(c); })) {
    become_symptom(record, IncidentReason::Explained);
    return false;
  }
  std::int64_t deadline = kNotYet;
  if (!causes.empty() && rule.hold.count() > 0) {
    deadline = std::max(deadline, after(incident.due_at, rule.hold));
  }
  if (deadline != kNotYet && !reached(deadline)) {
    wait_until(incident, deadline);
    return false;
  }
  if ((rule.explainable || !rule.one_by.empty()) && rule.settle.count() > 0) {
    deadline = after(incident.due_at, rule.settle);
  }
  if (incident.released) {
    deadline = std::max(deadline, incident.recover_until);
  }
  if (deadline != kNotYet && !reached(deadline)) {
    wait_until(incident, deadline);
    return false;
  }
  if (incident.released && plan->owners[key.owner].probe_fed &&
      last_heard(key) <= incident.released_at) {
    return false;  // until a probe says it is still so
  }
  if (!rule.one_by.empty() && give_way(record)) {
    return false;
  }
  open(record);
  return true;
}

/// Newest raise, or newest sample of a measure.
std::int64_t Fold::last_heard(const OwnerKey& key) const {
  std::int64_t at = key.last_raise;
  const OwnerPlan& owner = plan->owners[key.owner];
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    const rules::Leaf& leaf = owner.nodes[n].pattern->leaf;
    if (owner.nodes[n].tree == Tree::When && leaf.signal < plan->signals.size() &&
        plan->signals[leaf.signal].measure) {
      at = std::max(at, key.nodes[n].x);
    }
  }
  return at;
}

void Fold::open(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  const IncidentState before = state_of(incident);
  incident.phase = Phase::Live;
  incident.symptom = false;
  incident.planned = is_planned(record);
  incident.visible = true;
  incident.opened_at = now;
  incident.closed_at = 0;
  incident.was_closed = false;
  incident.released = false;
  set_causes(record, {});
  std::string note = window_note(record);
  if (note.empty()) {
    note = blind_note(record);
  }
  emit(record, before, incident.closed_once ? IncidentReason::Reopened : IncidentReason::Due,
       std::move(note));
  if (has_windows(record)) {
    wait_until(incident, next_window(record));
  }
  tell_symptoms(record);
}

void Fold::become_symptom(std::uint32_t record, IncidentReason reason) {
  IncidentRecord& incident = incident_of(record);
  const IncidentState before = state_of(incident);
  if (incident.phase == Phase::Waiting) {
    incident.opened_at = now;
    incident.closed_at = 0;
  }
  incident.phase = Phase::Live;
  incident.symptom = true;
  incident.planned = false;
  incident.visible = true;
  incident.was_closed = false;
  incident.released = false;
  set_causes(record, candidates(record));
  std::string note;
  if (!incident.causes.empty()) {
    const IncidentRecord* cause = by_incident(incident.causes.front());
    if (cause != nullptr) {
      const OwnerKey& of = keys[cause->key];
      note = "carried by " + rule_of(of).name + "(" + owner_text(of) + ")";
    }
  }
  emit(record, before, reason, std::move(note));
  tell_symptoms(record);
}

bool Fold::step_live(std::uint32_t record) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  const rules::ClearKind clear_kind = rule_of(key).clear;
  if (clear_kind == rules::ClearKind::When
          ? key.clearing
          : clear_kind != rules::ClearKind::Manual && !holds(key)) {
    end_pattern(record);
    return true;
  }
  const std::vector<std::uint32_t> causes = candidates(record);
  if (incident.symptom) {
    if (causes.empty()) {
      release_symptom(record);
      return true;
    }
    set_causes(record, causes);
    return false;
  }
  if (std::any_of(causes.begin(), causes.end(), [&](std::uint32_t c) { return is_due(c); })) {
    become_symptom(record, IncidentReason::Adopted);
    return false;
  }
  step_planned(record);
  return false;
}

void Fold::end_pattern(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  incident.ended_at = now;
  const rules::ClearKind kind = rule_of(keys[record]).clear;
  if (kind != rules::ClearKind::After && kind != rules::ClearKind::Quiet) {
    close(record, IncidentReason::PatternEnded);
    return;
  }
  const IncidentState before = state_of(incident);
  incident.was_symptom = incident.symptom;
  incident.phase = Phase::Clearing;
  emit(record, before, IncidentReason::PatternEnded);
  tell_symptoms(record);
}

std::int64_t Fold::clear_deadline(const OwnerKey& key) const {
  const rules::Rule& rule = rule_of(key);
  const std::int64_t ended = incidents[key.incident].ended_at;
  if (rule.clear == rules::ClearKind::After) {
    return after(ended, rule.clear_for);
  }
  const std::int64_t quiet =
      key.last_raise == kNotYet ? ended : after(key.last_raise, rule.clear_for);
  return round_up_to_tick(std::max(ended, quiet));
}

bool Fold::step_clearing(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  const std::vector<std::uint32_t> causes = candidates(record);
  if (holds(keys[record])) {
    incident.phase = Phase::Live;
    incident.symptom =
        std::any_of(causes.begin(), causes.end(), [&](std::uint32_t c) { return is_due(c); });
    set_causes(record, incident.symptom ? causes : std::vector<std::uint32_t>{});
    incident.planned = !incident.symptom && is_planned(record);
    emit(record, IncidentState::Clearing, IncidentReason::Returned,
         incident.symptom ? std::string() : window_note(record));
    tell_symptoms(record);
    return true;
  }
  const std::int64_t deadline = clear_deadline(keys[record]);
  if (reached(deadline)) {
    close(record, IncidentReason::PatternEnded);
    return true;
  }
  if (incident.was_symptom) {
    set_causes(record, causes);
  }
  wait_until(incident, deadline);
  return false;
}

void Fold::close(std::uint32_t record, IncidentReason reason) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  const IncidentState before = state_of(incident);
  incident.phase = Phase::Closed;
  incident.closed_once = true;
  incident.closed_at = now;
  emit(record, before, reason);
  incident.visible = false;
  incident.symptom = incident.planned = incident.was_symptom = false;
  incident.released = incident.was_closed = incident.removed = false;
  incident.removed_until = kForever;
  incident.sibling = IncidentId{};
  incident.noted = 0;
  set_causes(record, {});
  key.blocked = reason != IncidentReason::PatternEnded && holds(key);
  tell_symptoms(record);
  unwatch_causes(record);
}

/// Nothing explains it any more: its own `for` runs again (LANGUAGE 6.7).
void Fold::release_symptom(std::uint32_t record) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  const OwnerPlan& owner = plan->owners[key.owner];
  const std::int64_t delay = owner.when == kNoNode ? 0 : release_delay(key, owner.when);
  incident.phase = Phase::Pending;
  incident.symptom = false;
  incident.released = true;
  incident.released_at = now;
  incident.ready_at = delay > kForever - now ? kForever : now + delay;
  incident.recover_until =
      owner.rule->recover.count() > 0 ? after(now, owner.rule->recover) : kNotYet;
  incident.sibling = IncidentId{};
  set_causes(record, {});
  emit(record, IncidentState::Symptom, IncidentReason::Released);
  tell_symptoms(record);
}

/// Pending that never became due: gone without a word, or closed as it was.
void Fold::drop_pending(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  tell_symptoms(record);
  unwatch_causes(record);
  if (incident.was_closed) {
    incident.was_closed = false;
    incident.phase = Phase::Closed;
    return;
  }
  OwnerKey& key = keys[record];
  by_id.erase(incident.id);
  unlist_incident(record);
  drop_shown(incidents[key.incident]);
  incidents.remove(key.incident);
  key.incident = kNil;
}

bool Fold::step_closed(std::uint32_t record) {
  OwnerKey& key = keys[record];
  IncidentRecord& incident = incident_of(record);
  const rules::Rule& rule = rule_of(key);
  key.blocked = key.blocked && holds(key);
  if (started(key) && !key.blocked) {
    incident.phase = Phase::Pending;
    incident.was_closed = true;
    watch_causes(record);
    tell_symptoms(record);
    return true;
  }
  const std::int64_t deadline = after(incident.closed_at, rule.reopen);
  if (reached(deadline)) {
    forget(record);
    return true;
  }
  wait_until(incident, deadline);
  return false;
}

void Fold::forget(std::uint32_t record) {
  OwnerKey& key = keys[record];
  if (options.keep_members) {
    archive(record);
  }
  by_id.erase(incidents[key.incident].id);
  unlist_incident(record);
  drop_shown(incidents[key.incident]);
  incidents.remove(key.incident);
  key.incident = kNil;
  key.count = key.flaps = 0;
  key.first_raise = kNotYet;
}

/// Its row left the inventory: closed after `settle` (LANGUAGE 6.19).
bool Fold::step_removed(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  if (!reached(incident.removed_until)) {
    return false;
  }
  incident.removed = false;
  incident.removed_until = kForever;
  if (incident.visible || incident.released) {
    close(record, IncidentReason::InventoryRemoved);
  } else {
    OwnerKey& key = keys[record];
    drop_pending(record);
    key.blocked = holds(key);
  }
  return true;
}

bool Fold::shares_contributor(std::uint32_t a, std::uint32_t b) const {
  const OwnerPlan& owner = plan->owners[keys[a].owner];
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    if (owner.nodes[n].tree != Tree::When || !owner.nodes[n].is_leaf()) {
      continue;
    }
    for (std::uint32_t e = keys[a].nodes[n].edges; e != kNil; e = edges[e].next_of_node) {
      for (std::uint32_t s = signal_keys[edges[e].signal].edges; s != kNil;
           s = edges[s].next_of_signal) {
        if (edges[s].key == b && owner.nodes[edges[s].node].tree == Tree::When) {
          return true;
        }
      }
    }
  }
  return false;
}

std::vector<std::uint32_t> Fold::siblings(std::uint32_t record) const {
  std::vector<std::uint32_t> found;
  for (const std::uint32_t other : incidents_of[plan->owners[keys[record].owner].rule_index]) {
    if (other != record && is_due(other) && shares_contributor(record, other)) {
      found.push_back(other);
    }
  }
  // In an order of their own: the steps of asking them must not depend on the table's.
  std::sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) {
    return owner_text(keys[a]) < owner_text(keys[b]);
  });
  return found;
}

/// `one by`: greatest expressions first, then key text.
bool Fold::preferred(std::uint32_t a, std::uint32_t b) {
  for (const rules::Expr* expr : rule_of(keys[a]).one_by) {
    const int order = compare(measure(*expr, a), measure(*expr, b));
    if (order == 1 || order == -1) {
      return order == 1;
    }
  }
  return owner_text(keys[a]) < owner_text(keys[b]);
}

/// `one by` (LANGUAGE 6.16): true when another key of the rule carries this one.
bool Fold::give_way(std::uint32_t record) {
  std::uint32_t best = record;
  std::uint32_t carrier = kNil;
  for (const std::uint32_t other : siblings(record)) {
    const IncidentRecord& incident = *incident_if(other);
    if (incident.phase == Phase::Live && !incident.symptom) {
      if (carrier == kNil || preferred(other, carrier)) {
        carrier = other;
      }
    } else if (incident.phase == Phase::Waiting && preferred(other, best)) {
      best = other;
    }
  }
  if (carrier == kNil && best != record) {
    open(best);
    add_work(best);  // it may have a cause that is due
    carrier = best;
  }
  if (carrier == kNil) {
    return false;
  }
  incident_of(record).sibling = incident_if(carrier)->id;
  become_symptom(record, IncidentReason::Explained);
  return true;
}

/// Keeps the first and the last eight events as proof (LANGUAGE 6.20).
void Fold::add_proof(IncidentRecord& incident) {
  if (event == nullptr) {
    return;
  }
  if (incident.proofs == nullptr) {
    incident.proofs = std::make_unique<Proofs>();
  }
  Proofs& proofs = *incident.proofs;
  const std::size_t newest = (proofs.last_head + kProofsMax - 1) % kProofsMax;
  const Proof* before = proofs.last.size() == kProofsMax ? &proofs.last[newest]
                        : !proofs.last.empty()           ? &proofs.last.back()
                        : !proofs.first.empty()          ? &proofs.first.back()
                                                         : nullptr;
  if (before != nullptr && before->seq == seq) {
    return;  // one event that reached several leaves
  }
  Proof* proof = nullptr;
  if (proofs.first.size() < kProofsMax) {
    proof = &proofs.first.emplace_back();
  } else if (proofs.last.size() < kProofsMax) {
    proof = &proofs.last.emplace_back();
  } else {
    proof = &proofs.last[proofs.last_head];
    proofs.last_head = (proofs.last_head + 1) % kProofsMax;
  }
  proof->kind = event->kind;
  proof->seq = seq;
  proof->at = Instant{now};
  const std::string_view text = event->kind == EventKind::Trap ? event->trap_oid
                                : event->message.empty()       ? event->raw
                                                               : event->message;
  proof->text.assign(text.substr(0, kProofBytesMax));
}

}  // namespace belfry::correlate
