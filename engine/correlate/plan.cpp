#include "plan.hpp"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <numeric>

#include "keys.hpp"

namespace belfry::correlate {

namespace {

bool asks_affected(const rules::Expr* expr) {
  return expr != nullptr && ((expr->kind == rules::ExprKind::Measured &&
                              (expr->measured == rules::Measured::Affected ||
                               expr->measured == rules::Measured::AffectedCount)) ||
                             std::any_of(expr->args.begin(), expr->args.end(), asks_affected));
}

/// Estimates of what a key and a node of its pattern take (records.hpp), for budgets.
constexpr std::uint64_t kKeyBytes = 256;
constexpr std::uint64_t kNodeBytes = 48;

void collect(const rules::Expr* expr, absl::flat_hash_set<const rules::Expr*>& to) {
  if (expr != nullptr && to.insert(expr).second) {
    for (const rules::Expr* arg : expr->args) {
      collect(arg, to);
    }
  }
}

WindowKind window_of(const rules::Pattern& pattern) {
  if (pattern.kind != PatternKind::Aggregate) {
    return WindowKind::None;
  }
  if (pattern.aggregate == AggregateKind::DistinctValues) {
    return WindowKind::Values;
  }
  if (rules::of_samples(pattern.aggregate)) {
    return WindowKind::Samples;
  }
  if (pattern.aggregate == AggregateKind::RateEvents) {
    return WindowKind::Slices;
  }
  if (pattern.aggregate != AggregateKind::CountEvents &&
      pattern.aggregate != AggregateKind::Flaps) {
    return WindowKind::None;
  }
  const rules::Expr* threshold = pattern.threshold;
  const bool small = threshold != nullptr && threshold->kind == rules::ExprKind::Const &&
                     threshold->value.is_number() &&
                     threshold->value.number() <= static_cast<double>(kRingTimes);
  return small ? WindowKind::Ring : WindowKind::Slices;
}

}  // namespace

Plan::Plan(std::shared_ptr<const rules::Program> from) : program(std::move(from)) {
  const rules::Program& p = *program;
  owners.resize(p.signals.size());
  signals.resize(p.signals.size());
  for (std::uint32_t s = 0; s < p.signals.size(); ++s) {
    const rules::Signal& signal = p.signals[s];
    SignalPlan& plan = signals[s];
    plan.name = signal.name;
    plan.params = signal.rule == rules::kNone ? &signal.params : &p.rules[signal.rule].key;
    plan.refused = plan.params->size() > kKeyPartsMax;
    plan.expire = signal.expire.count();
    plan.limit = signal.limit;
    plan.measure = signal.measure;
  }
  for (const rules::Clause& clause : p.clauses) {
    if (clause.clear_all && clause.signal < signals.size()) {
      signals[clause.signal].by_first_part = true;
    }
  }
  for (std::uint32_t s = 0; s < p.signals.size(); ++s) {
    add_owner(s);
  }
  add_causes();
  add_maintenance();
  add_order();
  add_graphs();
}

void Plan::add_owner(std::uint32_t s) {
  const rules::Program& p = *program;
  const rules::Signal& signal = p.signals[s];
  OwnerPlan& owner = owners[s];
  owner.signal = s;
  owner.params = signals[s].params;
  if (signals[s].refused) {
    return;
  }
  if (signal.rule != rules::kNone) {
    const rules::Rule& rule = p.rules[signal.rule];
    owner.rule = &rule;
    owner.rule_index = signal.rule;
    owner.used = rule.mode != rules::Mode::Off && rule.when != nullptr;
    owner.live = rule.mode == rules::Mode::Live;
    owner.limit = rule.limit;
    if (owner.used) {
      owner.when = add_tree(owner, rule.when, Tree::When, false);
      owner.unless = add_tree(owner, rule.unless, Tree::Unless, false);
      owner.clear_when = add_tree(owner, rule.clear_when, Tree::ClearWhen, false);
    }
  } else if (signal.raise_when != nullptr || signal.clear_when != nullptr) {
    owner.used = true;
    owner.limit = signal.limit;
    owner.when = add_tree(owner, signal.raise_when, Tree::When, false);
    owner.clear_when = add_tree(owner, signal.clear_when, Tree::ClearWhen, false);
  }
  for (std::uint16_t n = 0; n < owner.nodes.size(); ++n) {
    if (owner.nodes[n].is_leaf()) {
      add_use(s, n);
    }
    if (owner.nodes[n].window != WindowKind::None) {
      owner.window_nodes.push_back(n);
    }
  }
  owner.key_bytes = kKeyBytes + owner.nodes.size() * kNodeBytes +
                    owner.window_nodes.size() * static_cast<std::uint64_t>(kSlices) * 8;
  if (owner.rule != nullptr) {
    for (const rules::OpenField& field : owner.rule->open) {
      owner.asks_affected |= asks_affected(field.value);
    }
    for (const rules::Expr* expr : owner.rule->one_by) {
      owner.asks_affected |= asks_affected(expr);
    }
  }
}

std::uint16_t Plan::add_tree(OwnerPlan& owner, const rules::Pattern* pattern, Tree tree,
                             bool raises) {
  if (pattern == nullptr) {
    return kNoNode;
  }
  const auto at = static_cast<std::uint16_t>(owner.nodes.size());
  PlanNode node;
  node.pattern = pattern;
  node.tree = tree;
  node.owner = owner.signal;
  node.window = window_of(*pattern);
  const bool sequence = pattern->kind == PatternKind::Then || pattern->kind == PatternKind::ThenNot;
  if (pattern->kind == PatternKind::Aggregate) {
    node.by_keys = node.window == WindowKind::None;
    node.distinct = node.by_keys && pattern->aggregate != AggregateKind::CountKeys;
    owner.windowed |= node.window != WindowKind::None;
  }
  node.raise_matters =
      raises || pattern->kind == PatternKind::Missing ||
      (pattern->kind == PatternKind::Aggregate && pattern->aggregate != AggregateKind::Flaps);
  owner.windowed |= sequence;
  owner.has_missing |= pattern->kind == PatternKind::Missing;
  owner.nodes.push_back(std::move(node));
  for (const rules::Pattern* child : pattern->children) {
    const std::uint16_t c = add_tree(owner, child, tree, raises || sequence);
    owner.nodes[at].children.push_back(c);
  }
  return at;
}

void Plan::add_use(std::uint32_t owner, std::uint16_t node) {
  const PlanNode& plan = owners[owner].nodes[node];
  const rules::Pattern& pattern = *plan.pattern;
  const rules::Leaf& leaf = pattern.leaf;
  if (leaf.signal >= signals.size() || signals[leaf.signal].refused) {
    return;
  }
  LeafUse use;
  use.owner = owner;
  use.node = node;
  use.leaf = &leaf;
  use.existing_only = plan.kind() == PatternKind::Missing;
  if (plan.window == WindowKind::Values || plan.distinct) {
    use.value = pattern.aggregate == AggregateKind::Share && leaf.relation_from != nullptr
                    ? leaf.relation_from
                    : pattern.distinct;
  }
  const std::size_t parts = owners[owner].params->size();
  for (std::size_t i = 0; i < parts; ++i) {
    const bool given = i < leaf.key.size() && leaf.key[i] != nullptr;
    if (!given && !(leaf.relation != rules::kNone && leaf.relation_key == i)) {
      use.reach = Reach::Partial;
    }
  }
  if (use.reach == Reach::Exact && leaf.relation != rules::kNone) {
    use.reach = Reach::Relation;
  }
  const auto index = static_cast<std::uint32_t>(uses.size());
  if (use.reach == Reach::Partial) {
    owners[owner].partial_uses.push_back(index);
    owners[owner].nodes[node].exact = false;
  } else {
    owners[owner].exact_uses.push_back(index);
  }
  owners[owner].probe_fed |= program->signals[leaf.signal].probe_fed;
  uses.push_back(use);
  signals[leaf.signal].uses.push_back(index);
}

void Plan::add_causes() {
  const rules::Program& p = *program;
  causes_of.resize(p.rules.size());
  causes_by.resize(p.rules.size());
  for (std::uint32_t c = 0; c < p.causes.size(); ++c) {
    const rules::Cause& cause = p.causes[c];
    bool open = false, found = false;
    for (const rules::CauseProbe& probe : cause.probes) {
      open |= probe.kind == rules::ProbeKind::Scan;
      found |= probe.kind != rules::ProbeKind::Scan;
    }
    const bool short_of =
        cause.cause < p.rules.size() && cause.probes.size() < p.rules[cause.cause].key.size();
    cause_scans.push_back((open && !found) || short_of);
    cause_partial.push_back(open && found && !short_of);
    if (cause.cause >= p.rules.size() || cause.symptom >= p.rules.size()) {
      continue;
    }
    const OwnerPlan& from = owners[p.rules[cause.cause].signal];
    const OwnerPlan& to = owners[p.rules[cause.symptom].signal];
    if (from.used && from.live && to.used && to.live) {
      causes_of[cause.symptom].push_back(c);
      causes_by[cause.cause].push_back(c);
    }
  }
}

void Plan::add_maintenance() {
  const rules::Program& p = *program;
  windows_of.resize(p.rules.size());
  for (std::uint32_t m = 0; m < p.maintenances.size(); ++m) {
    const rules::Maintenance& line = p.maintenances[m];
    const OwnerPlan& owner = owners[p.rules[line.rule].signal];
    if (!owner.used || !owner.live) {
      continue;
    }
    WindowUse use{m, kNil};
    if (line.table != rules::kNone) {
      const WindowSource source{line.table, line.start_column, line.end_column, line.grace};
      const auto found = std::find(window_sources.begin(), window_sources.end(), source);
      use.source = static_cast<std::uint32_t>(found - window_sources.begin());
      if (found == window_sources.end()) {
        window_sources.push_back(source);
      }
    }
    windows_of[line.rule].push_back(use);
  }
  add_only_windows();
}

/// A feed of works comes often and changes nothing but windows, unless the rules ask its rows for
/// something else, too.
void Plan::add_only_windows() {
  const rules::Program& p = *program;
  only_windows.assign(p.schema->tables.size(), true);
  absl::flat_hash_set<const rules::Expr*> own;
  for (const rules::Maintenance& line : p.maintenances) {
    collect(line.where, own);
    for (const rules::Expr* filter : line.filters) {
      collect(filter, own);
    }
  }
  const auto reads = [&](Type type, std::uint32_t of) {
    if (type == Type::Row && of < only_windows.size()) {
      only_windows[of] = false;
    }
  };
  for (const rules::Expr& expr : p.exprs) {
    if (!own.contains(&expr)) {
      reads(expr.type, expr.of);
      reads(expr.item_type, expr.of);
      reads(Type::Row, expr.table);
    }
  }
  for (const SignalPlan& signal : signals) {
    for (const rules::Param& param : *signal.params) {
      reads(param.type, param.of);
    }
  }
  for (const RelationSchema& relation : p.schema->relations) {
    reads(relation.left_type, relation.left);
    reads(relation.right_type, relation.right);
    reads(Type::Row, relation.column_table);
  }
  for (const rules::Graph& graph : p.graphs) {
    reads(Type::Row, graph.nodes);
    reads(Type::Row, graph.edges);
  }
  for (const std::uint32_t known : {p.node_table, p.port_table, p.customer_table}) {
    reads(Type::Row, known);
  }
}

void Plan::add_order() {
  const rules::Program& p = *program;
  std::vector<std::uint32_t> by_name(signals.size());
  std::iota(by_name.begin(), by_name.end(), 0U);
  std::sort(by_name.begin(), by_name.end(),
            [&](std::uint32_t a, std::uint32_t b) { return signals[a].name < signals[b].name; });
  rank.resize(signals.size());
  for (std::uint32_t i = 0; i < by_name.size(); ++i) {
    rank[by_name[i]] = i;
  }
  for (std::uint32_t s = 0; s < owners.size(); ++s) {
    owners[s].place = s;
  }
  for (std::uint32_t i = 0; i < p.signal_order.size(); ++i) {
    if (p.signal_order[i] < owners.size()) {
      owners[p.signal_order[i]].place = i;
    }
  }
}

void Plan::add_graphs() {
  const rules::Program& p = *program;
  graphs.resize(p.graphs.size());
  for (std::uint32_t g = 0; g < graphs.size(); ++g) {
    for (std::uint32_t d = 0; d < p.graphs[g].down.size(); ++d) {
      const rules::Index signal = p.graphs[g].down[d].signal;
      if (signal < signals.size() && !signals[signal].refused) {
        signals[signal].downs.push_back({g, d});
        graphs[g].place = std::max(graphs[g].place, owners[signal].place);
      }
    }
  }
  for (std::uint32_t s = 0; s < owners.size(); ++s) {
    if (owners[s].used && owners[s].rule != nullptr) {
      for (const rules::Index g : owners[s].rule->graphs) {
        graphs[g].owners.push_back(s);
      }
    }
  }
  for (std::uint32_t c = 0; c < p.causes.size(); ++c) {
    for (const rules::Index g : p.causes[c].graphs) {
      if (cause_scans[c] || cause_partial[c]) {
        graphs[g].scans.push_back(c);
      }
    }
  }
}

}  // namespace belfry::correlate
