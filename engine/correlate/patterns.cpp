// Patterns: the truth of one rule key. Every node is asked each time (a sequence must see its
// items), and says by `wake_at` when time alone may change its answer. What flips by time flips in
// a timer round only, so that an event at the very tick still sees it as before.
#include <algorithm>
#include <cmath>

#include "fold.hpp"

namespace belfry::correlate {

namespace {
std::int64_t add_sat(std::int64_t a, std::int64_t b) { return b > kForever - a ? kForever : a + b; }
std::int64_t tick(std::int64_t at) { return at == kForever ? at : round_up_to_tick(at); }
}  // namespace

/// A deadline has passed: at its own tick in timer rounds only.
bool Fold::reached(std::int64_t deadline) const {
  return timer_round ? now >= deadline : now > deadline;
}

void Fold::wake_at(OwnerKey& key, std::int64_t deadline) {
  key.pattern_next = std::min(key.pattern_next, tick(deadline));
}

void Fold::evaluate_key(std::uint32_t record) {
  OwnerKey& key = keys[record];
  const OwnerPlan& owner = plan->owners[key.owner];
  const Piece piece(*this, {Unit::Kind::Owner, key.owner});
  const Vars vars = values_of(key.key, *owner.params);
  key.dirty = false;
  key.pattern_next = kForever;
  Truth when = owner.when == kNoNode ? Truth{} : evaluate(key, owner.when, vars);
  const bool unless = owner.unless != kNoNode && evaluate(key, owner.unless, vars).holds;
  const bool clearing = owner.clear_when != kNoNode && evaluate(key, owner.clear_when, vars).holds;
  if (owner.rule != nullptr && when.started) {
    const bool allowed =
        !unless && (!owner.has_missing || key.declared) &&
        (owner.rule->where == nullptr || rules::holds(owner.rule->where, env(vars.span())));
    when.holds = when.holds && allowed;
    when.started = allowed;
  }
  const bool was = key.holds;
  const bool clear_edge = clearing && !key.clearing;
  const bool changed = was != when.holds || key.started != when.started || key.clearing != clearing;
  key.holds = when.holds;
  key.started = when.started;
  key.clearing = clearing;
  drive_signal(record, was, when.holds, clear_edge);
  if (owner.rule != nullptr && owner.live && (changed || keys[record].fired)) {
    add_work(record);
  }
  keys[record].fired = false;
  arm(record);
  maybe_remove(record);
}

/// The signal that a pattern drives follows its edges.
void Fold::drive_signal(std::uint32_t record, bool was, bool is, bool clear_edge) {
  const std::uint32_t signal = keys[record].owner;
  const OwnerPlan& owner = plan->owners[signal];
  if (owner.rule != nullptr && (!owner.live || plan->signals[signal].uses.empty())) {
    return;
  }
  const bool own_clear = owner.rule == nullptr && owner.clear_when != kNoNode;
  if (rebuilding && !own_clear) {  // other rules: what was true may not have been told
    const std::uint32_t told = signal_tables[signal].find(keys[record].key);
    was = told != kNil && signal_keys[told].derived;
  }
  if (was == is && !clear_edge) {
    return;
  }
  const Vars vars = values_of(keys[record].key, *owner.params);
  const Contributor by{Contributor::Kind::Derived, {}};
  if (is && !was) {
    raise(signal, vars.span(), by, 1);
  }
  if (own_clear) {
    if (clear_edge) {
      clear(signal, vars.span(), nullptr);
    }
  } else if (was && !is) {
    clear(signal, vars.span(), &by);
  }
}

Truth Fold::evaluate(OwnerKey& key, std::uint16_t index, const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  Truth truth;
  switch (node.kind()) {
    case PatternKind::Signal:
      truth.holds = truth.started = key.nodes[index].count > 0;
      break;
    case PatternKind::For:
      truth = evaluate_for(key, index, vars);
      break;
    case PatternKind::And:
      truth = {true, true};
      for (const std::uint16_t child : node.children) {
        const Truth t = evaluate(key, child, vars);
        truth = {truth.holds && t.holds, truth.started && t.started};
      }
      break;
    case PatternKind::Or:
      for (const std::uint16_t child : node.children) {
        const Truth t = evaluate(key, child, vars);
        truth = {truth.holds || t.holds, truth.started || t.started};
      }
      break;
    case PatternKind::Not: {
      const Truth t = evaluate(key, node.children[0], vars);
      truth = {!t.holds, !t.holds};
      break;
    }
    case PatternKind::Aggregate:
      truth = evaluate_aggregate(key, index, vars);
      break;
    case PatternKind::Then:
      truth = evaluate_then(key, index, vars);
      break;
    case PatternKind::ThenNot:
      truth = evaluate_then_not(key, index, vars);
      break;
    case PatternKind::Missing:
      truth = evaluate_missing(key, index);
      break;
  }
  NodeState& state = key.nodes[index];
  if (truth.holds && !state.holds && node.kind() != PatternKind::Signal) {
    state.y = now;
  }
  state.holds = truth.holds;
  return truth;
}

Truth Fold::evaluate_for(OwnerKey& key, std::uint16_t index, const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  const Truth child = evaluate(key, node.children[0], vars);
  NodeState& state = key.nodes[index];
  if (!child.holds) {
    state.x = kNotYet;
    state.on = false;
    return {false, child.started};
  }
  const std::int64_t span = node.pattern->duration.count();
  if (state.x == kNotYet) {
    const std::int64_t from = rebuilding ? since(key, node.children[0]) : now;
    state.x = tick(add_sat(from, span));
    state.on = rebuilding && state.x <= now;
  }
  state.on = state.on || reached(state.x);
  if (!state.on) {
    wake_at(key, state.x);
  }
  return {state.on, child.started};
}

/// Since when an item is true, as far as its signals know: for a `for` that changed under way.
std::int64_t Fold::since(const OwnerKey& key, std::uint16_t index) const {
  std::int64_t first = now;
  if (plan->owners[key.owner].nodes[index].kind() == PatternKind::Signal) {
    for (std::uint32_t e = key.nodes[index].edges; e != kNil; e = edges[e].next_of_node) {
      first = std::min(first, signal_keys[edges[e].signal].first);
    }
  }
  return first;
}

double Fold::keys_value(const OwnerKey& key, std::uint16_t index) const {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  const NodeState& state = key.nodes[index];
  const double all = !node.distinct ? static_cast<double>(state.count)
                     : state.window == kNil
                         ? 0.0
                         : static_cast<double>(value_counts[state.window].size());
  return share_of(key, index, all);
}

/// Over the keys whose newest raise lies in the window.
double Fold::near_value(const OwnerKey& key, std::uint16_t index) const {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  const std::int64_t from = now - node.pattern->duration.count();
  std::size_t near = 0;
  absl::flat_hash_set<Text> values;
  for (std::uint32_t e = key.nodes[index].edges; e != kNil; e = edges[e].next_of_node) {
    if (signal_keys[edges[e].signal].last <= from) {
      continue;
    }
    near += node.distinct
                ? (edges[e].value != kNil && values.insert(edges[e].value).second ? 1U : 0U)
                : 1U;
  }
  return share_of(key, index, static_cast<double>(near));
}

/// share: divided by the population; with none it is -1, which no comparison of a share wants.
double Fold::share_of(const OwnerKey& key, std::uint16_t index, double part) const {
  const rules::Pattern& pattern = *plan->owners[key.owner].nodes[index].pattern;
  if (pattern.aggregate != AggregateKind::Share) {
    return part;
  }
  const rules::Leaf& leaf = pattern.leaf;
  const std::vector<rules::Param>& params = *plan->owners[key.owner].params;
  if (leaf.relation == rules::kNone || leaf.relation_key >= params.size() || inventory == nullptr) {
    return -1;
  }
  const Value y = part_value(strings.view(key.key.parts[leaf.relation_key]),
                             params[leaf.relation_key], plan->program->schema.get());
  const std::size_t population = leaf.relation_reversed
                                     ? inventory->forward(leaf.relation, y).size()
                                     : inventory->backward(leaf.relation, y).size();
  return population == 0 ? -1 : part / static_cast<double>(population);
}

/// A number, or the seconds of a duration (eta); NaN when it is missing.
double Fold::threshold_of(const rules::Pattern& pattern, const Vars& vars) {
  if (pattern.threshold == nullptr) {
    return NAN;
  }
  const Value v = pattern.threshold->kind == rules::ExprKind::Const
                      ? pattern.threshold->value
                      : rules::evaluate(*pattern.threshold, env(vars.span()));
  return v.is_number()              ? v.number()
         : v.type == Type::Duration ? static_cast<double>(v.i) / 1e9
                                    : NAN;
}

Truth Fold::evaluate_aggregate(OwnerKey& key, std::uint16_t index, const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  const rules::Pattern& pattern = *node.pattern;
  const double threshold = threshold_of(pattern, vars);
  if (!node.by_keys) {
    return evaluate_window(key, index, threshold, vars);
  }
  if (std::isnan(threshold)) {
    return {};
  }
  NodeState& state = key.nodes[index];
  const double all = keys_value(key, index);
  if (all < 0 || !rules::compare_number(pattern.op, all, threshold)) {
    state.on = false;
    return {};
  }
  const bool latches =
      pattern.duration.count() > 0 &&
      (pattern.op == rules::CompareOp::GreaterEqual || pattern.op == rules::CompareOp::Greater ||
       pattern.op == rules::CompareOp::Equal);
  if (latches && !state.on) {
    state.on = rules::compare_number(pattern.op, near_value(key, index), threshold);
  } else {
    state.on = true;
  }
  return {state.on, state.on};
}

Truth Fold::evaluate_window(OwnerKey& key, std::uint16_t index, double threshold,
                            const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  NodeState& state = key.nodes[index];
  const double value = node.window == WindowKind::Samples ? samples_value(node, state, vars)
                                                          : window_value(node, state);
  // What is none compares as false, with != too.
  const bool holds = !std::isnan(value) && !std::isnan(threshold) &&
                     rules::compare_number(node.pattern->op, value, threshold);
  wake_at(key, window_next(node, state, value, threshold));
  return {holds, holds};
}

double Fold::measured_value(OwnerKey& key, std::uint16_t index) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  if (node.by_keys) {
    return std::max(keys_value(key, index), 0.0);
  }
  if (node.window == WindowKind::Samples) {
    const Vars vars = values_of(key.key, *plan->owners[key.owner].params);
    return samples_value(node, key.nodes[index], vars);
  }
  return window_value(node, key.nodes[index]);
}

/// Newest raise of an item of a sequence: for a signal any raise, else its last false->true edge.
std::int64_t Fold::newest_raise(const OwnerKey& key, std::uint16_t index) const {
  const NodeState& state = key.nodes[index];
  return plan->owners[key.owner].nodes[index].kind() == PatternKind::Signal ? state.x : state.y;
}

/// An item of a sequence was raised in this round: a signal by any raise, else by becoming true.
bool Fold::raised_now(const OwnerKey& key, std::uint16_t index, bool was) const {
  const NodeState& state = key.nodes[index];
  return plan->owners[key.owner].nodes[index].kind() == PatternKind::Signal
             ? state.y >= static_cast<std::int64_t>(first_raise_of_round)
             : state.holds && !was;
}

Truth Fold::evaluate_then(OwnerKey& key, std::uint16_t index, const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  const std::uint16_t second = node.children[1];
  evaluate(key, node.children[0], vars);
  const bool b_was = key.nodes[second].holds;
  const Truth b = evaluate(key, second, vars);
  NodeState& state = key.nodes[index];
  const std::int64_t span = node.pattern->duration.count();
  const std::int64_t a_at = newest_raise(key, node.children[0]);
  if (!b.holds) {
    state.on = false;
  } else if (raised_now(key, second, b_was)) {
    state.on = state.on || (a_at != kNotYet && now - a_at <= span);
  }
  if (a_at != kNotYet && !reached(tick(add_sat(a_at, span)))) {
    wake_at(key, add_sat(a_at, span));  // the key is kept until `a` is too old to matter
  }
  return {state.on, state.on};
}

Truth Fold::evaluate_then_not(OwnerKey& key, std::uint16_t index, const Vars& vars) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  NodeState& state = key.nodes[index];
  const std::uint16_t first = node.children[0], second = node.children[1];
  const bool a_was = key.nodes[first].holds, b_was = key.nodes[second].holds;
  const Truth a = evaluate(key, first, vars);
  const Truth b = evaluate(key, second, vars);
  if (!a.holds || b.holds || raised_now(key, second, b_was)) {
    state.armed = false;
    state.on = false;
  } else if (!a_was) {
    state.armed = true;
    state.on = false;
    state.x = tick(add_sat(now, node.pattern->duration.count()));
  }
  if (state.armed && reached(state.x)) {
    state.armed = false;
    state.on = true;
  }
  if (state.armed) {
    wake_at(key, state.x);
  }
  return {state.on, state.on || state.armed};
}

Truth Fold::evaluate_missing(OwnerKey& key, std::uint16_t index) {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  NodeState& state = key.nodes[index];
  if (!key.declared || state.x == kNotYet) {
    return {};
  }
  const std::int64_t deadline = tick(add_sat(state.x, node.pattern->duration.count()));
  state.on = reached(deadline) || (state.on && deadline <= now);
  if (!state.on) {
    wake_at(key, deadline);
  }
  return {state.on, state.on};
}

/// How long the `for`s of what is true now would run if they began now (LANGUAGE 6.7).
std::int64_t Fold::release_delay(const OwnerKey& key, std::uint16_t index) const {
  const PlanNode& node = plan->owners[key.owner].nodes[index];
  std::int64_t delay = 0;
  switch (node.kind()) {
    case PatternKind::For:
      return add_sat(node.pattern->duration.count(), release_delay(key, node.children[0]));
    case PatternKind::And:
      for (const std::uint16_t child : node.children) {
        delay = std::max(delay, release_delay(key, child));
      }
      return delay;
    case PatternKind::Or:
      delay = kForever;
      for (const std::uint16_t child : node.children) {
        if (key.nodes[child].holds) {
          delay = std::min(delay, release_delay(key, child));
        }
      }
      return delay == kForever ? 0 : delay;
    default:
      return 0;
  }
}

/// No window of an exact leaf and no sequence remembers anything.
bool Fold::keys_empty(const OwnerKey& key) const {
  const OwnerPlan& owner = plan->owners[key.owner];
  if (!owner.windowed) {
    return true;
  }
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    const PlanNode& node = owner.nodes[n];
    if (node.exact && !window_empty(node, key.nodes[n])) {
      return false;
    }
    if (node.kind() == PatternKind::Then) {
      const std::int64_t a_at = newest_raise(key, node.children[0]);
      if (a_at != kNotYet && !reached(tick(add_sat(a_at, node.pattern->duration.count())))) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace belfry::correlate
