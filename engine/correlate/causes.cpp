// Causes: a symptom writes down, when it begins, under which keys its causes would live (the
// cause's probes, seen from the symptom), so that both sides find each other by one look-up and
// there is no cross product at run time (LANGUAGE 10.6).
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

namespace {
/// Keys one symptom may watch for one cause: a site with more is modelled wrongly, and the work of
/// an input stays bounded.
constexpr std::size_t kSlotsPerCauseMax = 4096;
}  // namespace

bool Fold::explains(std::uint32_t record) const {
  const IncidentRecord* incident = incident_if(record);
  return incident != nullptr && incident->phase != Phase::Closed;
}
bool Fold::is_due(std::uint32_t record) const {
  const IncidentRecord* incident = incident_if(record);
  return incident != nullptr &&
         (incident->phase == Phase::Waiting || incident->phase == Phase::Live ||
          incident->phase == Phase::Clearing);
}
bool Fold::established(std::uint32_t record) const {
  const IncidentRecord* incident = incident_if(record);
  return incident != nullptr &&
         (incident->phase == Phase::Live || incident->phase == Phase::Clearing);
}

IncidentRecord* Fold::by_incident(IncidentId id) {
  const auto it = by_id.find(id);
  return it == by_id.end() ? nullptr : &incident_of(it->second);
}

void Fold::watch_causes(std::uint32_t record) {
  asking = record;
  for (const std::uint32_t cause : plan->causes_of[plan->owners[keys[record].owner].rule_index]) {
    watch_cause(record, cause);
  }
  asking = kNil;
}

void Fold::watch_cause(std::uint32_t record, std::uint32_t index) {
  if (cut_causes[index]) {
    return;
  }
  const Piece piece(*this, {Unit::Kind::Cause, index});
  const bool partial = plan->cause_partial[index];
  if (plan->cause_scans[index] || partial) {
    scan_symptoms[index].insert(record);
  }
  if (plan->cause_scans[index]) {
    return;
  }
  const rules::Program& program = *plan->program;
  const rules::Cause& cause = program.causes[index];
  const std::vector<rules::Param>& params = program.rules[cause.cause].key;
  const Vars symptom = values_of(keys[record].key, *plan->owners[keys[record].owner].params);
  std::vector<Value> vars(cause.vars.size());
  for (std::size_t i = 0; i < vars.size(); ++i) {
    if (cause.vars[i].symptom_part < symptom.size) {
      vars[i] = symptom.values[cause.vars[i].symptom_part];
    }
  }
  std::vector<std::vector<Value>> combinations{{}};
  for (std::size_t part = 0; part < params.size(); ++part) {
    const rules::CauseProbe& probe = cause.probes[part];
    Value single;
    std::span<const Value> range;
    std::vector<Value> found;
    if (probe.kind == rules::ProbeKind::Var) {
      single = probe.var < vars.size() ? vars[probe.var] : Value::none();
    } else if (probe.from != nullptr) {
      single = rules::evaluate(*probe.from, env(vars));
    }
    if (single.is_none() && probe.kind != rules::ProbeKind::Scan) {
      return;
    }
    if (probe.kind == rules::ProbeKind::Forward) {
      range = inventory->forward(probe.relation, single);
    } else if (probe.kind == rules::ProbeKind::Backward) {
      range = inventory->backward(probe.relation, single);
    } else if (probe.kind == rules::ProbeKind::Items) {
      range = single.items();
    } else if (probe.kind == rules::ProbeKind::Graph) {
      graph_range(probe, single, found);
      range = found;
    } else {
      range = {&single, 1};
    }
    std::vector<std::vector<Value>> longer;
    for (const std::vector<Value>& start : combinations) {
      for (const Value& value : range) {
        if (longer.size() < kSlotsPerCauseMax) {
          longer.push_back(start);
          longer.back().push_back(value);
        }
      }
    }
    combinations = std::move(longer);
  }
  for (const std::vector<Value>& values : combinations) {
    Key key;
    // What is open in the key decides too: the condition is asked of each incident found there.
    if ((partial || cause_holds(cause, values, symptom.span())) &&
        make_slot_key(cause, values, key)) {
      add_slot(record, index, key);
    }
  }
}

/// The key under which a cause's incidents are found, with one use of each text; parts that no
/// probe finds stay open.
bool Fold::make_slot_key(const rules::Cause& cause, std::span<const Value> values, Key& to) {
  const std::vector<rules::Param>& params = plan->program->rules[cause.cause].key;
  std::string scratch;
  to = Key{};
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (cause.probes[i].kind == rules::ProbeKind::Scan) {
      continue;
    }
    const auto text = part_text(values[i], params[i], scratch);
    if (!text) {
      release(to);
      return false;
    }
    to.parts[i] = strings.acquire(*text);
  }
  return true;
}

/// The same of an incident's key; no uses are taken.
Key Fold::slot_key(std::uint32_t index, const Key& of) const {
  Key key = of;
  const rules::Cause& cause = plan->program->causes[index];
  for (std::size_t i = 0; i < cause.probes.size() && plan->cause_partial[index]; ++i) {
    if (cause.probes[i].kind == rules::ProbeKind::Scan) {
      key.parts[i] = kNil;
    }
  }
  return key;
}

/// An incident came into being: it may explain others.
void Fold::list_incident(std::uint32_t record) {
  const std::uint32_t rule = plan->owners[keys[record].owner].rule_index;
  incidents_of[rule].insert(record);
  for (const std::uint32_t cause : plan->causes_by[rule]) {
    if (plan->cause_partial[cause]) {
      partial_causes[Slot{cause, slot_key(cause, keys[record].key)}].push_back(record);
    }
  }
}

void Fold::unlist_incident(std::uint32_t record) {
  const std::uint32_t rule = plan->owners[keys[record].owner].rule_index;
  incidents_of[rule].erase(record);
  for (const std::uint32_t cause : plan->causes_by[rule]) {
    if (!plan->cause_partial[cause]) {
      continue;
    }
    const auto it = partial_causes.find(Slot{cause, slot_key(cause, keys[record].key)});
    it->second.erase(std::remove(it->second.begin(), it->second.end(), record), it->second.end());
    if (it->second.empty()) {
      partial_causes.erase(it);
    }
  }
}

/// Takes over the uses of `key`'s texts.
void Fold::add_slot(std::uint32_t record, std::uint32_t index, const Key& key) {
  const rules::Cause& cause = plan->program->causes[index];
  IncidentRecord& incident = incident_of(record);
  const Slot slot{index, key};
  const bool itself = cause.cause == cause.symptom && key == keys[record].key;
  if (itself ||
      std::find(incident.slots.begin(), incident.slots.end(), slot) != incident.slots.end()) {
    release(key);
    return;
  }
  incident.slots.push_back(slot);
  watchers[slot].push_back(record);
}

void Fold::unwatch_causes(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  for (const Slot& slot : incident.slots) {
    const auto it = watchers.find(slot);
    if (it != watchers.end()) {
      it->second.erase(std::remove(it->second.begin(), it->second.end(), record), it->second.end());
      if (it->second.empty()) {
        watchers.erase(it);
      }
    }
    release(slot.key);
  }
  incident.slots.clear();
  forget_asked(record);
  for (const std::uint32_t cause : plan->causes_of[plan->owners[keys[record].owner].rule_index]) {
    scan_symptoms[cause].erase(record);
  }
}

/// The whole condition, over both keys.
bool Fold::cause_holds(const rules::Cause& cause, std::span<const Value> cause_key,
                       std::span<const Value> symptom_key) {
  std::vector<Value> vars(cause.vars.size());
  for (std::size_t i = 0; i < vars.size(); ++i) {
    const rules::CauseVar& var = cause.vars[i];
    const bool from_symptom = var.symptom_part < symptom_key.size();
    const bool from_cause = var.cause_part < cause_key.size();
    vars[i] = from_symptom ? symptom_key[var.symptom_part]
              : from_cause ? cause_key[var.cause_part]
                           : Value::none();
    if (from_symptom && from_cause && to_text(vars[i]) != to_text(cause_key[var.cause_part])) {
      return false;
    }
  }
  if (circle_forbids(cause, symptom_key)) {
    return false;
  }
  const rules::Env scope = env(vars);
  for (const rules::Expr* filter : cause.filters) {
    if (!rules::holds(filter, scope)) {
      return false;
    }
  }
  return rules::holds(cause.where, scope);
}

/// Earliest began, then rule name, then key text.
bool Fold::comes_before(std::uint32_t a, std::uint32_t b) const {
  const IncidentRecord& x = *incident_if(a);
  const IncidentRecord& y = *incident_if(b);
  if (x.began_at != y.began_at) {
    return x.began_at < y.began_at;
  }
  if (keys[a].owner != keys[b].owner) {
    return plan->rank[keys[a].owner] < plan->rank[keys[b].owner];
  }
  return owner_text(keys[a]) < owner_text(keys[b]);
}

/// What lives under a key that the symptom watches.
void Fold::add_candidates(std::uint32_t record, const Slot& slot, std::vector<std::uint32_t>& to) {
  const rules::Cause& cause = plan->program->causes[slot.cause];
  const rules::Rule& rule = plan->program->rules[cause.cause];
  if (!plan->cause_partial[slot.cause]) {
    const std::uint32_t other = find_owner_key(rule.signal, slot.key);
    if (other != kNil && other != record && explains(other)) {
      to.push_back(other);
    }
    return;
  }
  const auto it = partial_causes.find(slot);
  if (it == partial_causes.end()) {
    return;
  }
  const Piece piece(*this, {Unit::Kind::Cause, slot.cause});
  const std::size_t before = to.size();
  const Vars symptom = values_of(keys[record].key, *plan->owners[keys[record].owner].params);
  for (const std::uint32_t other : it->second) {
    if (other != record && explains(other) &&
        cause_holds(cause, values_of(keys[other].key, rule.key).span(), symptom.span())) {
      to.push_back(other);
    }
    if (steps_taken >= options.budgets.steps) {
      to.resize(before);  // as scan()
      return;
    }
  }
}

/// What explains it now, first is what it hangs under.
std::vector<std::uint32_t> Fold::candidates(std::uint32_t record) {
  const IncidentRecord& incident = incident_of(record);
  std::vector<std::uint32_t> found;
  for (const Slot& slot : incident.slots) {
    if (!cut_causes[slot.cause]) {
      add_candidates(record, slot, found);
    }
  }
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  for (const std::uint32_t index : plan->causes_of[owner.rule_index]) {
    if (plan->cause_scans[index] && !cut_causes[index]) {
      scan(record, index, found);
    }
  }
  if (incident.sibling != IncidentId{}) {
    const auto it = by_id.find(incident.sibling);
    if (it != by_id.end() && explains(it->second)) {
      found.push_back(it->second);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::sort(found.begin(), found.end(),
            [&](std::uint32_t a, std::uint32_t b) { return comes_before(a, b); });
  return found;
}

/// All incidents of the cause, none of them when that takes more steps than one look may: which
/// ones come first in the table must not show.
void Fold::scan(std::uint32_t record, std::uint32_t index, std::vector<std::uint32_t>& found) {
  const Piece piece(*this, {Unit::Kind::Cause, index});
  const rules::Program& program = *plan->program;
  const rules::Cause& cause = program.causes[index];
  const Vars symptom = values_of(keys[record].key, *plan->owners[keys[record].owner].params);
  const std::size_t before = found.size();
  for (const std::uint32_t other : incidents_of[cause.cause]) {
    const Vars mine = values_of(keys[other].key, program.rules[cause.cause].key);
    if (other != record && explains(other) && cause_holds(cause, mine.span(), symptom.span())) {
      found.push_back(other);
    }
    if (steps_taken >= options.budgets.steps) {
      found.resize(before);
      return;
    }
  }
}

void Fold::set_causes(std::uint32_t record, const std::vector<std::uint32_t>& to) {
  IncidentRecord& incident = incident_of(record);
  std::vector<IncidentId> ids;
  for (const std::uint32_t cause : to) {
    ids.push_back(incident_of(cause).id);
  }
  if (ids == incident.causes) {
    return;
  }
  const IncidentId was = incident.causes.empty() ? IncidentId{} : incident.causes.front();
  const IncidentId is = ids.empty() ? IncidentId{} : ids.front();
  incident.causes = std::move(ids);
  note_update(record);
  if (was == is) {
    return;
  }
  if (IncidentRecord* old = by_incident(was)) {
    --old->symptoms;
    note_update(old->key);
  }
  if (IncidentRecord* fresh = by_incident(is)) {
    ++fresh->symptoms;
    note_update(fresh->key);
  }
}

/// Whoever may hang under it looks again.
void Fold::tell_symptoms(std::uint32_t record) {
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  for (const std::uint32_t cause : plan->causes_by[owner.rule_index]) {
    if (plan->cause_scans[cause]) {
      for (const std::uint32_t symptom : scan_symptoms[cause]) {
        add_work(symptom);
      }
      continue;
    }
    const auto it = watchers.find(Slot{cause, slot_key(cause, keys[record].key)});
    if (it != watchers.end()) {
      for (const std::uint32_t symptom : it->second) {
        add_work(symptom);
      }
    }
  }
  if (!owner.rule->one_by.empty()) {
    for (const std::uint32_t other : incidents_of[owner.rule_index]) {
      if (incident_if(other)->sibling == incident_of(record).id) {
        add_work(other);
      }
    }
  }
}

}  // namespace belfry::correlate
