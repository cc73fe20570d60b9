// Shown: what readers see of an incident, built only when it changes. Title, severity, customers
// and the like are evaluated at that moment and kept until the next change (LANGUAGE 6.18, 6.19).
#include <algorithm>
#include <cmath>
#include <optional>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "fold.hpp"

namespace belfry::correlate {

namespace {

constexpr std::size_t kNodesMax = 64;
/// Derived signals of derived signals: deeper than any pack; bounds the walk for node names.
constexpr int kContributorDepthMax = 6;

Severity severity_named(std::string_view word) {
  for (const Severity s : {Severity::Cleared, Severity::Indeterminate, Severity::Warning,
                           Severity::Minor, Severity::Major, Severity::Critical}) {
    if (name(s) == word) {
      return s;
    }
  }
  return Severity::Indeterminate;
}

/// The policy that `priority NAME(...)` calls; the branch an `if` takes now.
std::string policy_of(const rules::Expr& expr, const rules::Env& env) {
  if (expr.kind == rules::ExprKind::PolicyCall) {
    return expr.index < env.program->policies.size() ? env.program->policies[expr.index].name
                                                     : std::string();
  }
  if (expr.kind == rules::ExprKind::If && expr.args.size() >= 2) {
    if (rules::holds(expr.args[1], env)) {
      return policy_of(*expr.args[0], env);
    }
    return expr.args.size() > 2 ? policy_of(*expr.args[2], env) : std::string();
  }
  return {};
}

Evidence shown_proof(const Proof& proof) {
  if (proof.kind == EventKind::Trap) {
    return {proof.seq, proof.at, "trap " + oid_to_text(proof.text)};
  }
  return {proof.seq, proof.at, printable(proof.text, kProofBytesMax)};
}

/// What the pattern of one key measured, with the arrays the spans point to.
struct Measures {
  std::vector<double> count, distinct, share, flaps;
  std::vector<double> value, rate, eta;
  std::vector<Value> affected, customers;
  rules::MeasuredValues values;
  void point() {
    values.count = count;
    values.distinct = distinct;
    values.share = share;
    values.flaps = flaps;
    values.value = value;
    values.rate = rate;
    values.eta = eta;
    values.affected = affected;
    values.customers = customers;
  }
};

void put(std::vector<double>& list, std::size_t index, double value, double missing = 0) {
  if (index >= list.size()) {
    list.resize(index + 1, missing);
  }
  list[index] = value;
}

/// Of a measure: the number of the aggregate, or where that is a rate or a time the newest sample.
void put_sample(Measures& m, std::size_t index, AggregateKind kind, double value, double newest) {
  const bool rate = kind == AggregateKind::Rate || kind == AggregateKind::RateEvents;
  const bool eta = kind == AggregateKind::Eta;
  put(m.value, index, rate || eta ? newest : value, NAN);
  put(m.rate, index, rate ? value : NAN, NAN);
  put(m.eta, index, eta ? value : NAN, NAN);
}

Measures measures_of(Fold& fold, std::uint32_t record) {
  Measures m;
  OwnerKey& key = fold.keys[record];
  const OwnerPlan& owner = fold.plan->owners[key.owner];
  bool missing = false;
  for (std::uint16_t n = 0; n < owner.nodes.size(); ++n) {
    const PlanNode& node = owner.nodes[n];
    missing |= node.kind() == PatternKind::Missing;
    if (node.kind() != PatternKind::Aggregate || node.tree != Tree::When) {
      continue;
    }
    const double value = fold.measured_value(key, n);
    const std::size_t index = std::min<std::size_t>(node.pattern->name_index, 63);
    switch (node.pattern->aggregate) {
      case AggregateKind::CountEvents:
      case AggregateKind::CountKeys:
        put(m.count, index, value);
        break;
      case AggregateKind::Flaps:
        put(m.flaps, index, value);
        break;
      case AggregateKind::DistinctKeys:
      case AggregateKind::DistinctValues:
        put(m.distinct, index, value);
        break;
      case AggregateKind::Share:
        put(m.share, index, value);
        break;
      case AggregateKind::RateEvents:
      case AggregateKind::Avg:
      case AggregateKind::Min:
      case AggregateKind::Max:
      case AggregateKind::Sum:
      case AggregateKind::Rate:
      case AggregateKind::Eta: {
        const Samples* samples = fold.samples_of(key.nodes[n]);
        put_sample(m, index, node.pattern->aggregate, value,
                   samples == nullptr || samples->slices.empty() ? NAN : samples->newest);
        break;
      }
    }
  }
  if (m.count.empty()) {
    m.count.push_back(static_cast<double>(key.count));
  }
  if (m.flaps.empty()) {
    m.flaps.push_back(static_cast<double>(key.flaps));
  }
  if (owner.asks_affected) {
    m.affected = fold.affected(record);
  }
  m.values.first = Instant{key.first_raise == kNotYet ? fold.now : key.first_raise};
  m.values.last = Instant{key.last_raise == kNotYet ? fold.now : key.last_raise};
  if (missing && owner.when != kNoNode) {
    for (std::uint16_t n = 0; n < owner.nodes.size(); ++n) {
      if (owner.nodes[n].kind() == PatternKind::Missing && key.nodes[n].x != kNotYet) {
        m.values.silence = Duration(fold.now - key.nodes[n].x);
        break;
      }
    }
  }
  if (const IncidentRecord* incident = fold.incident_if(record)) {
    m.values.symptoms = incident->symptoms;
  }
  m.point();
  return m;
}

/// Rows or texts of a customer field: one row or a set.
void take_customers(const Value& value, std::vector<Value>& rows, std::vector<std::string>& keys) {
  if (value.type == Type::Set) {
    for (const Value& item : value.items()) {
      take_customers(item, rows, keys);
    }
  } else if (!value.is_none()) {
    rows.push_back(value);
    keys.push_back(to_text(value));
  }
}

}  // namespace

rules::Env Fold::env(std::span<const Value> vars) {
  rules::Env scope;
  scope.program = plan->program.get();
  scope.inventory = inventory.get();
  scope.vars = vars;
  scope.active = &active;
  scope.graph = &graph_query;
  scope.arena = &arena;
  scope.steps = &steps_taken;
  scope.steps_max = options.budgets.steps;
  return scope;
}

/// A Measured expression of `one by` for one key.
Value Fold::measure(const rules::Expr& expr, std::uint32_t record) {
  const Measures m = measures_of(*this, record);
  const Vars vars = values_of(keys[record].key, *plan->owners[keys[record].owner].params);
  rules::Env scope = env(vars.span());
  scope.measured = &m.values;
  return rules::evaluate(expr, scope);
}

IncidentState Fold::state_of(const IncidentRecord& incident) const {
  switch (incident.phase) {
    case Phase::Pending:
    case Phase::Waiting:
      return incident.was_closed ? IncidentState::Closed : IncidentState::Pending;
    case Phase::Live:
      return incident.symptom   ? IncidentState::Symptom
             : incident.planned ? IncidentState::Planned
                                : IncidentState::Open;
    case Phase::Clearing:
      return IncidentState::Clearing;
    case Phase::Closed:
      break;
  }
  return IncidentState::Closed;
}

void Fold::emit(std::uint32_t record, IncidentState before, IncidentReason reason,
                std::string note) {
  const Piece piece(*this, {Unit::Kind::Owner, keys[record].owner});
  IncidentRecord& incident = incident_of(record);
  IncidentChange change;
  change.before = before;
  change.reason = reason;
  change.nth = ++incident.nth;
  change.note = std::move(note);
  fill(change.after, record);
  keep_shown(incident, change.after);
  out->push_back(std::move(change));
}

void Fold::note_update(std::uint32_t record) {
  if (!keys[record].in_updates) {
    keys[record].in_updates = true;
    updates.push_back(record);
  }
}

/// What hangs under it, or what it hangs under, differs from what was last said: one change for all
/// that happened in this round.
void Fold::emit_updates() {
  std::vector<std::tuple<std::uint32_t, std::uint32_t, std::string, std::uint32_t>> order;
  for (const std::uint32_t record : updates) {
    OwnerKey& key = keys[record];
    key.in_updates = false;
    const IncidentRecord* incident = incident_if(record);
    if (incident == nullptr || incident->shown == nullptr || !established(record) ||
        (incident->shown->symptoms == incident->symptoms &&
         incident->shown->causes == incident->causes)) {
      continue;
    }
    order.emplace_back(rule_of(key).cause_depth, plan->rank[key.owner], owner_text(key), record);
  }
  updates.clear();
  std::sort(order.begin(), order.end());
  for (const auto& [depth, rank, text, record] : order) {
    emit(record, state_of(incident_of(record)), IncidentReason::Updated);
  }
}

void Fold::fill(Incident& to, std::uint32_t record) {
  const IncidentRecord& incident = incident_of(record);
  const IncidentState state = state_of(incident);
  if ((state == IncidentState::Clearing || state == IncidentState::Closed) &&
      incident.shown != nullptr) {
    to = current(incident);  // what it was, not the nothing that is left of it
    return;
  }
  fill_identity(to, incident);
  to.causes = incident.causes;
  to.nodes = nodes_of(record);
  fill_counts(to, record);
  fill_fields(to, record);
  if (has_windows(record) && incident.phase == Phase::Live && !incident.symptom) {
    const WorkWindow& held = cover_of(record).held;
    to.maintenance = held.name;
    to.planned_until = Instant{held.until == kNotYet ? 0 : held.until};
  }
}

void Fold::fill_identity(Incident& to, const IncidentRecord& incident) const {
  const OwnerKey& key = keys[incident.key];
  const Vars vars = values_of(key.key, *plan->owners[key.owner].params);
  to.id = incident.id;
  to.rule = rule_of(key).name;
  for (const Value& part : vars.span()) {
    to.key.push_back(to_text(part));
  }
  to.state = state_of(incident);
  to.began_at = incident.began_at;
  to.began_seq = incident.began_seq;
  to.opened_at = Instant{incident.opened_at};
  to.closed_at = Instant{incident.closed_at};
}

/// Keeps what was said; texts that many incidents share are kept once.
void Fold::keep_shown(IncidentRecord& incident, const Incident& from) {
  const auto text = [&](const std::string& s) { return s.empty() ? kNil : strings.acquire(s); };
  auto shown = std::make_unique<Shown>();
  shown->title = from.title;
  shown->severity = from.severity;
  shown->impact = text(from.impact);
  shown->tier = text(from.tier);
  shown->escalation = text(from.escalation);
  shown->policy = text(from.policy);
  shown->runbook = text(from.runbook);
  shown->symptoms = from.symptoms;
  shown->customers = texts_of(from.customers);
  shown->nodes = texts_of(from.nodes);
  shown->causes = from.causes;
  shown->maintenance = text(from.maintenance);
  shown->planned_until = from.planned_until.ns;
  drop_shown(incident);
  incident.shown = std::move(shown);
}

std::vector<Text> Fold::texts_of(const std::vector<std::string>& list) {
  std::vector<Text> texts;
  texts.reserve(list.size());
  for (const std::string& s : list) {
    texts.push_back(strings.acquire(s));
  }
  return texts;
}

void Fold::drop_shown(IncidentRecord& incident) {
  if (incident.shown == nullptr) {
    return;
  }
  const Shown& shown = *incident.shown;
  for (const Text text : {shown.impact, shown.tier, shown.escalation, shown.policy, shown.runbook,
                          shown.maintenance}) {
    if (text != kNil) {
      strings.release(text);
    }
  }
  for (const std::vector<Text>* list : {&shown.customers, &shown.nodes}) {
    for (const Text text : *list) {
      strings.release(text);
    }
  }
  incident.shown = nullptr;
}

void Fold::fill_counts(Incident& to, std::uint32_t record) const {
  const OwnerKey& key = keys[record];
  const IncidentRecord& incident = *incident_if(record);
  to.symptoms = incident.symptoms;
  to.count = key.count;
  to.flaps = key.flaps;
  to.evidence.clear();
  if (incident.proofs == nullptr) {
    return;
  }
  const Proofs& proofs = *incident.proofs;
  for (const Proof& proof : proofs.first) {
    to.evidence.push_back(shown_proof(proof));
  }
  for (std::size_t i = 0; i < proofs.last.size(); ++i) {
    to.evidence.push_back(shown_proof(proofs.last[(proofs.last_head + i) % proofs.last.size()]));
  }
}

void Fold::fill_fields(Incident& to, std::uint32_t record) {
  const rules::Rule& rule = rule_of(keys[record]);
  const Vars vars = values_of(keys[record].key, *plan->owners[keys[record].owner].params);
  Measures m = measures_of(*this, record);
  rules::Env scope = env(vars.span());
  scope.measured = &m.values;
  for (const rules::OpenField& field : rule.open) {
    if ((field.name == "customer" || field.name == "customers") && field.value != nullptr) {
      take_customers(rules::evaluate(*field.value, scope), m.customers, to.customers);
    }
  }
  std::sort(m.customers.begin(), m.customers.end(), sorts_before);
  m.customers.erase(std::unique(m.customers.begin(), m.customers.end()), m.customers.end());
  m.point();
  std::sort(to.customers.begin(), to.customers.end());
  to.customers.erase(std::unique(to.customers.begin(), to.customers.end()), to.customers.end());
  for (const rules::OpenField& field : rule.open) {
    if (field.value != nullptr) {
      fill_open_field(to, field, scope);
    }
  }
  if (to.title.empty()) {
    to.title =
        (rule.description.empty() ? rule.name : rule.description) + ": " + owner_text(keys[record]);
  }
  fill_tier(to);
}

void Fold::fill_open_field(Incident& to, const rules::OpenField& field, const rules::Env& scope) {
  const rules::Expr& value = *field.value;
  if (field.name == "title") {
    to.title = rules::render_text(value, scope);
  } else if (field.name == "severity") {
    to.severity = severity_named(to_text(rules::evaluate(value, scope)));
  } else if (field.name == "impact") {
    to.impact = to_text(rules::evaluate(value, scope));
  } else if (field.name == "runbook") {
    to.runbook = rules::render_text(value, scope);
  } else if (field.name == "escalate" || field.name == "escalation") {
    to.escalation = to_text(rules::evaluate(value, scope));
  } else if (field.name == "priority") {
    to.policy = policy_of(value, scope);
  }
}

/// Highest tier of its customers, else of its nodes.
void Fold::fill_tier(Incident& to) const {
  const rules::Program& program = *plan->program;
  if (program.schema == nullptr || program.enums.tier == rules::kNone || inventory == nullptr) {
    return;
  }
  const auto highest = [&](std::uint32_t table, const std::vector<std::string>& row_keys) {
    std::optional<Value> best;
    if (table >= program.schema->tables.size()) {
      return best;
    }
    const std::vector<ColumnSchema>& columns = program.schema->tables[table].columns;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].type != Type::Enum || columns[c].of != program.enums.tier ||
          columns[c].is_set) {
        continue;
      }
      for (const std::string& row_key : row_keys) {
        const Row* row = inventory->find(table, row_key);
        if (row != nullptr && c < row->cells.size() && row->cells[c].type == Type::Enum &&
            (!best || best->i < row->cells[c].i)) {
          best = row->cells[c];
        }
      }
    }
    return best;
  };
  std::optional<Value> best = highest(program.customer_table, to.customers);
  if (!best) {
    best = highest(program.node_table, to.nodes);
  }
  if (best) {
    to.tier = to_text(*best);
  }
}

std::vector<std::string> Fold::nodes_of(std::uint32_t record) const {
  std::set<std::string> found;
  collect_nodes(record, found, 0);
  std::vector<std::string> list(found.begin(), found.end());
  if (list.size() > kNodesMax) {
    list.resize(kNodesMax);
  }
  return list;
}

void Fold::collect_nodes(std::uint32_t record, std::set<std::string>& to, int depth) const {
  const std::uint32_t table = plan->program->node_table;
  const auto add = [&](const Key& key, const std::vector<rules::Param>& params) {
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (params[i].type == Type::Row && params[i].of == table) {
        to.emplace(strings.view(key.parts[i]));
      }
    }
  };
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  add(keys[record].key, *owner.params);
  if (depth >= kContributorDepthMax) {
    return;
  }
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    if (owner.nodes[n].tree != Tree::When) {
      continue;
    }
    for (std::uint32_t e = keys[record].nodes[n].edges; e != kNil; e = edges[e].next_of_node) {
      const SignalKey& from = signal_keys[edges[e].signal];
      add(from.key, *plan->signals[from.signal].params);
      if (plan->owners[from.signal].used) {
        const std::uint32_t inner = find_owner_key(from.signal, from.key);
        if (inner != kNil) {
          collect_nodes(inner, to, depth + 1);
        }
      }
    }
  }
}

/// Keys of the contributing leaf (its first parameter): of the first aggregate, else of the first
/// leaf.
std::vector<Value> Fold::affected(std::uint32_t record) const {
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  std::optional<std::size_t> leaf;
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    if (owner.nodes[n].tree != Tree::When || !owner.nodes[n].is_leaf()) {
      continue;
    }
    if (!leaf || (owner.nodes[*leaf].kind() != PatternKind::Aggregate &&
                  owner.nodes[n].kind() == PatternKind::Aggregate)) {
      leaf = n;
    }
  }
  std::vector<Value> values;
  if (!leaf) {
    return values;
  }
  for (std::uint32_t e = keys[record].nodes[*leaf].edges; e != kNil; e = edges[e].next_of_node) {
    const SignalKey& from = signal_keys[edges[e].signal];
    const std::vector<rules::Param>& params = *plan->signals[from.signal].params;
    if (!params.empty()) {
      values.push_back(
          part_value(strings.view(from.key.parts[0]), params[0], plan->program->schema.get()));
    }
  }
  std::sort(values.begin(), values.end(), sorts_before);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// As last emitted, with today's counts.
Incident Fold::current(const IncidentRecord& incident) const {
  Incident to;
  fill_identity(to, incident);
  fill_counts(to, incident.key);
  to.causes = incident.causes;
  if (incident.shown == nullptr) {
    return to;
  }
  const Shown& shown = *incident.shown;
  const auto text = [&](Text t) {
    return t == kNil ? std::string() : std::string(strings.view(t));
  };
  to.title = shown.title;
  to.severity = shown.severity;
  to.impact = text(shown.impact);
  to.tier = text(shown.tier);
  to.escalation = text(shown.escalation);
  to.policy = text(shown.policy);
  to.runbook = text(shown.runbook);
  to.maintenance = text(shown.maintenance);
  to.planned_until = Instant{shown.planned_until};
  for (const Text customer : shown.customers) {
    to.customers.push_back(text(customer));
  }
  for (const Text node : shown.nodes) {
    to.nodes.push_back(text(node));
  }
  return to;
}

std::vector<Incident> Fold::live() const {
  std::vector<std::tuple<Instant, std::string, std::string, const IncidentRecord*>> order;
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i) && incidents[i].visible &&
        (incidents[i].phase == Phase::Live || incidents[i].phase == Phase::Clearing)) {
      const OwnerKey& key = keys[incidents[i].key];
      order.emplace_back(incidents[i].began_at, rule_of(key).name, owner_text(key), &incidents[i]);
    }
  }
  std::sort(order.begin(), order.end());
  std::vector<Incident> list;
  for (const auto& [began, rule, text, incident] : order) {
    list.push_back(current(*incident));
  }
  for (const auto& [signal, overflow] : overflows) {
    if (overflow.shown != nullptr) {
      list.push_back(*overflow.shown);
    }
  }
  for (const auto& [unit, over] : over_budget) {
    if (over.shown != nullptr) {
      list.push_back(*over.shown);
    }
  }
  return list;
}

/// A key that did not fit (LANGUAGE 6.17).
void Fold::refuse(std::uint32_t signal) {
  if (plan->owners[signal].rule != nullptr && !plan->owners[signal].live) {
    return;  // in shadow: nobody hears of it
  }
  Overflow& overflow = overflows[signal];
  ++overflow.refused;
  overflow.changed = true;
}

/// One incident per full rule or signal: opened at the first key that did not fit, closed when a
/// tenth of its places is free again.
void Fold::emit_overflow(std::uint32_t signal) {
  Overflow& overflow = overflows[signal];
  const OwnerPlan& owner = plan->owners[signal];
  const std::uint64_t limit = owner.used ? owner.limit : plan->signals[signal].limit;
  const std::size_t size = owner.used ? owner_tables[signal].size() : signal_tables[signal].size();
  const bool open_now = overflow.shown == nullptr && overflow.changed;
  const bool close_now = overflow.shown != nullptr && !overflow.changed && size * 10 <= limit * 9;
  overflow.changed = false;
  if (!open_now && !close_now) {
    return;
  }
  IncidentChange change;
  if (open_now) {
    overflow.nth = 0;
    Incident& to = change.after;
    to.rule = plan->signals[signal].name;
    to.key = {"(overflow)"};
    to.began_at = to.opened_at = Instant{now};
    to.began_seq = seq;
    to.id = self_incident_id(to);
    to.severity = Severity::Major;
    to.state = IncidentState::Open;
    to.title = kind_and_name(signal) + " (" + place_text(place_of(signal)) + "): more than " +
               std::to_string(limit) + " keys, further ones are not followed";
    change.note = "narrow its key or raise its limit";
  } else {
    change.after = *overflow.shown;
    change.before = IncidentState::Open;
    change.after.state = IncidentState::Closed;
    change.after.closed_at = Instant{now};
  }
  change.after.count = overflow.refused;
  change.reason = IncidentReason::Overflow;
  change.nth = ++overflow.nth;
  overflow.shown = open_now ? std::make_unique<Incident>(change.after) : nullptr;
  if (close_now) {
    overflow.refused = 0;
  }
  out->push_back(std::move(change));
}

}  // namespace belfry::correlate
