// Patterns: leaves with their variables, keys and the way from each leaf to the key.
#include <algorithm>

#include "belfry/base/hash.hpp"
#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

/// Chains of rules that are declared last to first are followed this deep.
constexpr std::size_t kRuleChainMax = 200;

/// The condition behind the comma of an aggregate: `share(s(c), c.over(span))`.
NodeRef condition_of(NodeRef aggregate_of) {
  for (const NodeRef& child : aggregate_of.children()) {
    if (!child.is(NodeKind::Args)) {
      return child;
    }
  }
  return {};
}

/// Names in an expression that can be variables: no tables before `[`, no functions before `(`.
void variables_in(NodeRef node, std::vector<std::string_view>& out) {
  if (node.is(NodeKind::Name)) {
    out.push_back(node.token(std::size_t{0}).text());
    return;
  }
  const bool skip = (node.is(NodeKind::Subscript) || node.is(NodeKind::Call)) &&
                    node.child(std::size_t{0}).is(NodeKind::Name);
  bool first = true;
  for (const NodeRef& child : node.children()) {
    if (!(first && skip)) {
      variables_in(child, out);
    }
    first = false;
  }
}

std::string_view lone_name(NodeRef node) {
  return node.is(NodeKind::Name) ? node.token(std::size_t{0}).text() : std::string_view{};
}

void conjuncts_of(NodeRef node, std::vector<NodeRef>& out) {
  if (node.is(NodeKind::Paren)) {
    conjuncts_of(node.child(std::size_t{0}), out);
  } else if (node.is(NodeKind::Binary) && node.token(std::size_t{0}).text() == "and") {
    conjuncts_of(node.child(std::size_t{0}), out);
    conjuncts_of(node.child(1), out);
  } else if (node) {
    out.push_back(node);
  }
}

CompareOp compare_op(NodeRef aggregate) {
  for (const TokenRef& token : aggregate.tokens()) {
    switch (token.kind()) {
      case TokenKind::GreaterEqual:
        return CompareOp::GreaterEqual;
      case TokenKind::Greater:
        return CompareOp::Greater;
      case TokenKind::LessEqual:
        return CompareOp::LessEqual;
      case TokenKind::Less:
        return CompareOp::Less;
      case TokenKind::Equal:
        return CompareOp::Equal;
      case TokenKind::NotEqual:
        return CompareOp::NotEqual;
      default:
        break;
    }
  }
  return CompareOp::GreaterEqual;
}

std::string signature(std::string_view name, const std::vector<Param>& params) {
  std::string out(name);
  out += '(';
  for (std::size_t i = 0; i < params.size(); ++i) {
    out += (i == 0 ? "" : ", ") + params[i].name;
  }
  return out + ')';
}

}  // namespace

void Checker::ensure_rule(Index rule) {
  RuleState& state = states_[rule];
  const NodeRef node = rule_nodes_[rule];
  if (state.done) {
    return;
  }
  if (state.started || running_.size() >= kRuleChainMax) {
    if (state.ok && state.started) {
      std::string path;
      const auto from = std::find(running_.begin(), running_.end(), rule);
      for (auto at = from; at != running_.end(); ++at) {
        path += program_->rules[*at].name + " -> ";
      }
      error(node.token(1), "B0610",
            fmt::format("the pattern of '{}' depends on itself", program_->rules[rule].name),
            path + program_->rules[rule].name);
    } else if (state.ok) {
      error(node.token(1), "B0611",
            fmt::format("rules are chained more than {} deep", kRuleChainMax),
            "declare a rule before the rules that name it");
    }
    state.ok = false;
    return;
  }
  state.started = true;
  running_.push_back(rule);
  ensure_rule_inner(rule);
  running_.pop_back();
  state.done = true;
}

void Checker::ensure_rule_inner(Index index) {
  RuleState& state = states_[index];
  Rule& rule = program_->rules[index];
  const NodeRef node = rule_nodes_[index];
  state.node = node;
  state.patterns = &rule.patterns;
  const NodeRef when = node.child(NodeKind::When);
  if (!when) {
    if (!node.broken()) {
      error(node.token(1), "B0505", fmt::format("the rule '{}' has no 'when'", rule.name),
            "when PATTERN by KEY");
    }
    state.ok = false;
    return;
  }
  if (!rule_key(state, when, nullptr)) {
    state.ok = false;
    return;
  }
  rule.key = state.key;
  program_->signals[rule.signal].params = state.key;
  rule.when = pattern(when.child(std::size_t{0}), state, Duration{0});
  if (rule.when != nullptr) {
    rule.pattern_hash = pattern_hash(rule.when, rule.key);
  }
}

const std::vector<Param>* Checker::params_of(Index signal, NodeRef at) {
  (void)at;
  const Index rule = program_->signals[signal].rule;
  if (rule == kNone) {
    return &program_->signals[signal].params;
  }
  ensure_rule(rule);
  return states_[rule].ok ? &states_[rule].key : nullptr;
}

std::optional<Index> Checker::resolve_signal(TokenRef word) {
  if (!word || word.kind() != TokenKind::Word) {
    return std::nullopt;
  }
  if (const auto found = signals_.find(word.text()); found != signals_.end()) {
    return found->second;
  }
  if (report_.first_time("signal", word.text())) {
    std::vector<std::string_view> near = names_of(signals_);
    for (const std::string_view name : names_of(events_)) {
      near.push_back(name);
    }
    error(word, "B0200",
          fmt::format("no signal, measure, rule or event is called '{}'", word.text()),
          did_you_mean(word.text(), near));
    if (const std::string_view meant = nearest(word.text(), near); !meant.empty()) {
      report_.mend_examples(word.text(), meant);
    }
  }
  return std::nullopt;
}

void Checker::collect_leaves(NodeRef node, std::vector<NodeRef>& out) {
  if (node.is(NodeKind::SignalRef) || node.is(NodeKind::AggregateOf)) {
    out.push_back(node);
    return;
  }
  for (const NodeRef& child : node.children()) {
    collect_leaves(child, out);
  }
}

const LeafScope* Checker::leaf_scope(NodeRef ref) {
  const auto key = std::pair(ref.tree, ref.index);
  auto found = leaves_.find(key);
  if (found == leaves_.end()) {
    LeafScope scope;
    scope.ok = new_leaf_scope(ref, scope);
    found = leaves_.emplace(key, std::move(scope)).first;
  }
  return found->second.ok ? &found->second : nullptr;
}

bool Checker::new_leaf_scope(NodeRef ref, LeafScope& out) {
  const auto signal = resolve_signal(ref.token(std::size_t{0}));
  const std::vector<Param>* params = signal ? params_of(*signal, ref) : nullptr;
  if (params == nullptr) {
    return false;
  }
  out.signal = *signal;
  out.node = ref;
  out.scope.place = "in this pattern";
  for (std::size_t i = 0; i < params->size(); ++i) {
    ScopeVar var;
    var.name = keep((*params)[i].name);
    var.index = static_cast<Index>(i);
    var.ty = ty_of((*params)[i]);
    out.params.push_back(var);
  }
  return bind_args(out, ref.child(NodeKind::Args), *params);
}

bool Checker::bind_args(LeafScope& leaf, NodeRef args, const std::vector<Param>& params) {
  const std::vector<NodeRef> given = args.children(NodeKind::Arg);
  const std::string name = program_->signals[leaf.signal].name;
  if (given.size() > params.size()) {
    error(leaf.node.token(std::size_t{0}), "B0301",
          fmt::format("'{}' has {} parameter{}, {} given", name, params.size(),
                      params.size() == 1 ? "" : "s", given.size()),
          signature(name, params));
    return false;
  }
  bool ok = true;
  for (std::size_t n = 0; n < given.size(); ++n) {
    std::size_t i = n;
    if (given[n].token(TokenKind::Colon)) {
      const TokenRef word = given[n].token(std::size_t{0});
      const auto named = [&](const Param& p) { return p.name == word.text(); };
      i = static_cast<std::size_t>(std::find_if(params.begin(), params.end(), named) -
                                   params.begin());
      if (i == params.size()) {
        error(word, "B0221", fmt::format("'{}' has no parameter '{}'", name, word.text()),
              signature(name, params));
        ok = false;
        continue;
      }
    }
    const NodeRef value = given[n].child(std::size_t{0});
    const std::string_view word = lone_name(value);
    const bool enum_word = params[i].type == Type::Enum && params[i].of < schema_->enums.size() &&
                           std::find(schema_->enums[params[i].of].words.begin(),
                                     schema_->enums[params[i].of].words.end(),
                                     word) != schema_->enums[params[i].of].words.end();
    if (!word.empty() && !enum_word && word != "true" && word != "false" && word != "none") {
      leaf.params[i].name = word == "_" ? std::string_view{} : word;
      continue;
    }
    const Expr* constant_value = expr(value, leaf.scope, ty_of(params[i]));
    if (constant_value == nullptr) {
      ok = false;
      continue;
    }
    Ty boolean;
    boolean.type = Type::Bool;
    Expr* var = make(ExprKind::Var, ty_of(params[i]), value);
    var->index = static_cast<Index>(i);
    var->name = keep(params[i].name);
    Expr* filter = make(ExprKind::Equal, boolean, value);
    filter->args = {var, constant_value};
    leaf.filters.push_back(filter);
  }
  for (const ScopeVar& var : leaf.params) {
    const ScopeVar* same = var.name.empty() ? nullptr : find_var(leaf.scope, var.name);
    if (same != nullptr) {  // if_down(node, x) with x twice: both must be equal
      Ty boolean;
      boolean.type = Type::Bool;
      Expr* a = make(ExprKind::Var, same->ty, leaf.node);
      a->index = same->index;
      Expr* b = make(ExprKind::Var, var.ty, leaf.node);
      b->index = var.index;
      Expr* filter = make(ExprKind::Equal, boolean, leaf.node);
      filter->args = {a, b};
      leaf.filters.push_back(filter);
    } else if (!var.name.empty()) {
      leaf.scope.vars.push_back(var);
    }
  }
  return ok;
}

bool Checker::binds(NodeRef node, const Scope& scope) const {
  std::vector<std::string_view> names;
  variables_in(node, names);
  return std::all_of(names.begin(), names.end(),
                     [&](std::string_view n) { return find_var(scope, n) != nullptr; });
}

bool Checker::rule_key(RuleState& state, NodeRef when, const std::vector<Param>* fixed) {
  const NodeRef pattern_node = when.child(std::size_t{0});
  std::vector<NodeRef> leaf_nodes;
  collect_leaves(pattern_node, leaf_nodes);
  if (!key_names(state, when.child(NodeKind::Keys), leaf_nodes, fixed)) {
    return false;
  }
  find_links(state, leaf_nodes);
  std::vector<const LeafScope*> leaves;
  bool ok = true;
  for (const NodeRef& leaf : leaf_nodes) {
    const LeafScope* scope = leaf_scope(leaf);
    ok = ok && scope != nullptr;
    if (scope != nullptr) {
      leaves.push_back(scope);
    }
  }
  if (!ok) {
    return false;
  }
  for (std::size_t i = 0; i < state.key_names.size(); ++i) {
    ok = key_type(state, i, leaves, i < state.key_nodes.size() ? state.key_nodes[i] : when) && ok;
  }
  if (!ok) {
    return false;
  }
  for (std::size_t i = 0; i < state.key_names.size(); ++i) {
    const Ty& ty = state.key_types[i];
    state.key.push_back({state.key_names[i], ty.type, ty.of});
    if (fixed != nullptr && !assignable(ty, ty_of((*fixed)[i]))) {
      error(state.key_exprs[i] ? state.key_exprs[i] : when, "B0300",
            fmt::format("'{}' is {}, found {}", state.key_names[i], type_name(ty_of((*fixed)[i])),
                        type_name(ty)));
      return false;
    }
  }
  return true;
}

bool Checker::key_names(RuleState& state, NodeRef keys, const std::vector<NodeRef>& leaves,
                        const std::vector<Param>* fixed) {
  if (fixed != nullptr) {
    return fixed_key(state, keys, *fixed);
  }
  if (!keys) {
    const LeafScope* first = leaves.empty() ? nullptr : leaf_scope(leaves.front());
    if (first == nullptr) {
      return false;
    }
    for (std::size_t i = 0; i < first->params.size(); ++i) {
      if (!first->params[i].name.empty()) {  // `_` keeps a parameter out of the key
        state.key_names.emplace_back(first->params[i].name);
        state.key_exprs.emplace_back();
      }
    }
    return true;
  }
  for (const NodeRef& key : keys.children(NodeKind::Key)) {
    const NodeRef value = key.child(std::size_t{0});
    std::string_view name = lone_name(value);
    if (key.token(TokenKind::Assign)) {
      name = key.token(std::size_t{0}).text();
    } else if (value.is(NodeKind::Field)) {
      name = value.token(TokenKind::Word).text();
    }
    if (name.empty()) {
      if (!key.broken()) {
        error(key, "B0502", "this part of the key needs a name",
              fmt::format("by NAME = {}", value.text()));
      }
      return false;
    }
    if (std::find(state.key_names.begin(), state.key_names.end(), name) != state.key_names.end()) {
      error(key, "B0210", fmt::format("'{}' is twice in the key", name));
      return false;
    }
    state.key_names.emplace_back(name);
    state.key_exprs.push_back(lone_name(value) == name ? NodeRef{} : value);
    state.key_nodes.push_back(key);
  }
  return true;
}

bool Checker::fixed_key(RuleState& state, NodeRef keys, const std::vector<Param>& fixed) {
  for (const Param& param : fixed) {
    state.key_names.push_back(param.name);
    state.key_exprs.emplace_back();
  }
  for (const NodeRef& key : keys.children(NodeKind::Key)) {
    const NodeRef value = key.child(std::size_t{0});
    const bool named = key.token(TokenKind::Assign).operator bool();
    const std::string_view name = named                       ? key.token(std::size_t{0}).text()
                                  : value.is(NodeKind::Field) ? value.token(TokenKind::Word).text()
                                                              : lone_name(value);
    const auto found = std::find(state.key_names.begin(), state.key_names.end(), name);
    if (found == state.key_names.end()) {
      std::vector<std::string_view> near(state.key_names.begin(), state.key_names.end());
      error(key, "B0221", fmt::format("the signal has no parameter '{}'", name),
            did_you_mean(name, near, join_or(near)));
      return false;
    }
    state.key_exprs[static_cast<std::size_t>(found - state.key_names.begin())] =
        lone_name(value) == name ? NodeRef{} : value;
  }
  return true;
}

void Checker::find_links(RuleState& state, const std::vector<NodeRef>& leaves) {
  for (const NodeRef& node : leaves) {
    const NodeRef condition = node.is(NodeKind::AggregateOf) ? condition_of(node) : NodeRef{};
    const LeafScope* leaf = condition ? leaf_scope(node) : nullptr;
    std::vector<NodeRef> parts;
    conjuncts_of(condition, parts);
    for (const NodeRef& part : parts) {
      if (leaf != nullptr) {
        find_link(state, part, *leaf);
      }
    }
  }
}

void Checker::find_link(RuleState& state, NodeRef condition, const LeafScope& leaf) {
  const NodeRef callee = condition.is(NodeKind::Call) ? condition.child(std::size_t{0}) : NodeRef{};
  const std::vector<NodeRef> args = condition.child(NodeKind::Args).children(NodeKind::Arg);
  if (!callee.is(NodeKind::Field) || args.size() != 1) {
    return;
  }
  const auto relation = relations_.find(callee.token(TokenKind::Word).text());
  if (relation == relations_.end()) {
    return;
  }
  const auto free_key = [&](NodeRef node) {
    const std::string_view name = lone_name(node);
    const bool key =
        std::find(state.key_names.begin(), state.key_names.end(), name) != state.key_names.end();
    return key && find_var(leaf.scope, name) == nullptr ? name : std::string_view{};
  };
  const NodeRef left = callee.child(std::size_t{0}), right = args[0].child(std::size_t{0});
  Link link;
  link.leaf = leaf.node;
  link.relation = relation->second;
  if (!free_key(right).empty()) {
    link.key = free_key(right);
    link.from = left;
  } else if (!free_key(left).empty()) {
    link.key = free_key(left);
    link.from = right;
    link.reversed = true;
  }
  if (!link.key.empty()) {
    state.links.push_back(link);
  }
}

bool Checker::key_type(RuleState& state, std::size_t part,
                       const std::vector<const LeafScope*>& leaves, NodeRef at) {
  const std::string& name = state.key_names[part];
  state.key_types.emplace_back();
  for (const LeafScope* leaf : leaves) {
    if (state.key_exprs[part] && binds(state.key_exprs[part], leaf->scope)) {
      const Expr* e = expr(state.key_exprs[part], leaf->scope);
      if (e == nullptr) {
        return false;
      }
      if (e->type == Type::Set || e->type == Type::None) {
        error(at, "B0503",
              fmt::format("'{}' names one thing: {} cannot be part of a key", name,
                          type_name(ty_of(e))));
        return false;
      }
      state.key_types.back() = ty_of(e);
      return true;
    }
    const ScopeVar* var = state.key_exprs[part] ? nullptr : find_var(leaf->scope, name);
    if (var != nullptr) {
      state.key_types.back() = var->ty;
      return var->ty.ok;
    }
  }
  for (const Link& link : state.links) {
    if (link.key == name && !state.key_exprs[part]) {
      const RelationSchema& relation = schema_->relations[link.relation];
      Ty& ty = state.key_types.back();
      ty.type = link.reversed ? relation.left_type : relation.right_type;
      ty.of = link.reversed ? relation.left : relation.right;
      return ty.known();
    }
  }
  std::vector<std::string_view> near;
  for (const LeafScope* leaf : leaves) {
    for (const ScopeVar& var : leaf->scope.vars) {
      near.push_back(var.name);
    }
  }
  error(at, "B0500", fmt::format("nothing in the pattern determines '{}', a part of the key", name),
        did_you_mean(name, near,
                     near.empty() ? "" : fmt::format("the pattern has {}", join_or(near))));
  return false;
}

Pattern& Checker::new_pattern(PatternKind kind, RuleState& state, NodeRef node) {
  Pattern& p = program_->pattern_nodes.emplace_back();
  p.kind = kind;
  p.id = static_cast<Index>(state.patterns->size());
  p.place = place(node);
  state.patterns->push_back(&p);
  return p;
}

Scope Checker::key_scope(const RuleState& state, std::string_view where) const {
  Scope scope;
  scope.place = where;
  for (std::size_t i = 0; i < state.key_names.size(); ++i) {
    ScopeVar var;
    var.name = state.key_names[i];
    var.index = static_cast<Index>(i);
    var.ty = i < state.key_types.size() ? state.key_types[i] : Ty{};
    scope.vars.push_back(var);
  }
  return scope;
}

const Pattern* Checker::pattern(NodeRef node, RuleState& state, Duration within) {
  switch (node.kind()) {
    case NodeKind::PatternParen:
      return pattern(node.child(std::size_t{0}), state, within);
    case NodeKind::PatternOr:
      return junction(node, state, PatternKind::Or, within);
    case NodeKind::PatternAnd: {
      Duration chain = within;
      const std::vector<NodeRef> children = node.children();
      const NodeRef last = children.back();
      const NodeRef bound = last.is(NodeKind::Within) ? last : last.child(NodeKind::Within);
      duration(bound, chain);
      return junction(node, state, PatternKind::And, chain);
    }
    case NodeKind::PatternThen:
      return sequence(node, state);
    case NodeKind::PatternNot: {
      Pattern& p = new_pattern(PatternKind::Not, state, node);
      const Pattern* inner = pattern(node.child(std::size_t{0}), state, within);
      p.children = {inner};
      return inner == nullptr ? nullptr : &p;
    }
    case NodeKind::PatternSignal:
      return signal_pattern(node, state);
    case NodeKind::PatternMissing:
      return missing_pattern(node, state);
    case NodeKind::PatternAggregate:
      return aggregate(node, state, within);
    default:
      return nullptr;
  }
}

const Pattern* Checker::junction(NodeRef node, RuleState& state, PatternKind kind,
                                 Duration within) {
  std::vector<NodeRef> parts = node.children();
  std::erase_if(parts, [](const NodeRef& part) { return part.is(NodeKind::Within); });
  if (parts.size() == 1) {
    return pattern(parts[0], state, within);
  }
  Pattern& p = new_pattern(kind, state, node);
  bool ok = true;
  for (const NodeRef& part : parts) {
    const Pattern* child = pattern(part, state, within);
    ok = ok && child != nullptr;
    p.children.push_back(child);
  }
  return ok ? &p : nullptr;
}

const Pattern* Checker::sequence(NodeRef node, RuleState& state) {
  Pattern& p =
      new_pattern(node.has_word("not") ? PatternKind::ThenNot : PatternKind::Then, state, node);
  const Pattern* a = pattern(node.child(std::size_t{0}), state, Duration{0});
  const Pattern* b = pattern(node.child(1), state, Duration{0});
  p.children = {a, b};
  return duration(node, p.duration) && a != nullptr && b != nullptr ? &p : nullptr;
}

const Pattern* Checker::signal_pattern(NodeRef node, RuleState& state) {
  const NodeRef ref = node.child(NodeKind::SignalRef);
  const LeafScope* leaf = leaf_scope(ref);
  if (leaf == nullptr || is_measure(ref, leaf->signal)) {
    return nullptr;
  }
  Pattern* waiting = nullptr;
  if (node.has_word("for")) {
    waiting = &new_pattern(PatternKind::For, state, node);
    if (!duration(node, waiting->duration)) {
      return nullptr;
    }
  }
  Pattern& p = new_pattern(PatternKind::Signal, state, ref);
  if (!bind_leaf(p.leaf, *leaf, state, {})) {
    return nullptr;
  }
  if (!state.affected.known() && !leaf->params.empty()) {
    state.affected = leaf->params.front().ty;
  }
  if (waiting != nullptr) {
    waiting->children = {&p};
    return waiting;
  }
  return &p;
}

const Pattern* Checker::missing_pattern(NodeRef node, RuleState& state) {
  const LeafScope* leaf = leaf_scope(node.child(NodeKind::SignalRef));
  if (leaf == nullptr) {
    return nullptr;
  }
  Pattern& p = new_pattern(PatternKind::Missing, state, node);
  return duration(node, p.duration) && bind_leaf(p.leaf, *leaf, state, {}) ? &p : nullptr;
}

const Pattern* Checker::aggregate(NodeRef node, RuleState& state, Duration within) {
  const NodeRef of = node.child(NodeKind::AggregateOf);
  const std::string_view word = node.token(std::size_t{0}).text();
  const LeafScope* leaf = leaf_scope(of);
  if (leaf == nullptr) {
    return nullptr;
  }
  Pattern& p = new_pattern(PatternKind::Aggregate, state, node);
  p.duration = within;
  duration(node.child(NodeKind::Within), p.duration);
  const NodeRef second = condition_of(of);  // what stands behind the comma
  const NodeRef condition = word == "eta" ? NodeRef{} : second;
  if (!aggregate_kind(p, node, state, *leaf) || !bind_leaf(p.leaf, *leaf, state, condition) ||
      !series(p, node, state, second)) {
    return nullptr;
  }
  if (p.aggregate == AggregateKind::Share && !share_condition(p, *leaf, state, condition)) {
    return nullptr;
  }
  if (!leaf->params.empty() &&
      state.counts + state.distincts + state.shares + state.flaps + state.samples == 1) {
    state.affected = leaf->params.front().ty;
  }
  const NodeRef compared = node.children().size() > 1 ? node.child(1) : NodeRef{};
  if (!compared || compared.is(NodeKind::Within)) {
    return nullptr;  // not compared: told by the parser
  }
  p.op = compare_op(node);
  p.threshold = threshold(p, compared, state, word);
  return p.threshold == nullptr ? nullptr : &p;
}

bool Checker::aggregate_kind(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf) {
  const std::string_view word = node.token(std::size_t{0}).text();
  if (sample_kind(word)) {
    return sample_aggregate(p, node, state, leaf);
  }
  return (word == "count" || !is_measure(node.child(NodeKind::AggregateOf), leaf.signal)) &&
         event_aggregate(p, node, state, leaf);
}

/// `count(...) as n >= 5`: the name is one for titles.
void Checker::name_aggregate(NodeRef node, RuleState& state, Measured measured, Index index,
                             Index of) {
  const std::vector<TokenRef> tokens = node.tokens();
  const auto as = std::find_if(tokens.begin(), tokens.end(),
                               [](const TokenRef& t) { return t.text() == "as"; });
  if (as != tokens.end() && as + 1 != tokens.end() && (as + 1)->kind() == TokenKind::Word) {
    state.aggregates.push_back({(as + 1)->text(), measured, index, of});
  }
}

bool Checker::event_aggregate(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf) {
  const std::string_view word = node.token(std::size_t{0}).text();
  const NodeRef of = node.child(NodeKind::AggregateOf);
  const bool is_rule = program_->signals[leaf.signal].rule != kNone;
  const bool path = of.token(TokenKind::Dot).operator bool();
  Measured measured = Measured::Count;
  if (word == "count") {
    p.aggregate = is_rule ? AggregateKind::CountKeys : AggregateKind::CountEvents;
    p.name_index = state.counts++;
  } else if (word == "flaps") {
    p.aggregate = AggregateKind::Flaps;
    p.name_index = state.flaps++;
    measured = Measured::Flaps;
  } else if (word == "distinct") {
    p.aggregate = AggregateKind::DistinctKeys;
    p.name_index = state.distincts++;
    measured = Measured::Distinct;
    if (!distinct_value(p, of, leaf)) {
      return false;
    }
  } else {
    p.aggregate = AggregateKind::Share;
    p.name_index = state.shares++;
    measured = Measured::Share;
  }
  if (path && word != "distinct") {
    error(of, "B0507", fmt::format("'{}' takes a signal, not one of its parameters", word),
          "distinct(signal.parameter) does");
    return false;
  }
  const bool events =
      p.aggregate == AggregateKind::CountEvents || p.aggregate == AggregateKind::Flaps;
  if (events && p.duration.count() == 0 && !node.broken()) {
    error(node, "B0506",
          fmt::format("'{}' counts events and needs a time: expected 'within <duration>'", word),
          "state for an unbounded count would never be freed");
    return false;
  }
  name_aggregate(node, state, measured, p.name_index, kNone);
  return true;
}

bool Checker::distinct_value(Pattern& p, NodeRef of, const LeafScope& leaf) {
  const std::vector<TokenRef> tokens = of.tokens();
  std::vector<TokenRef> path;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (tokens[i - 1].kind() == TokenKind::Dot && tokens[i].kind() == TokenKind::Word) {
      path.push_back(tokens[i]);
    }
  }
  const std::vector<Param>& params = *params_of(leaf.signal, of);
  std::size_t index = 0;
  if (!path.empty()) {
    const auto named = [&](const Param& q) { return q.name == path[0].text(); };
    index = static_cast<std::size_t>(std::find_if(params.begin(), params.end(), named) -
                                     params.begin());
  }
  if (index >= params.size() || (path.empty() && params.size() != 1)) {
    error(path.empty() ? tokens.front() : path.front(), "B0221",
          path.empty() ? std::string("'distinct' counts the values of one parameter")
                       : fmt::format("'{}' has no parameter '{}'", tokens.front().text(),
                                     path.front().text()),
          fmt::format("of {}", signature(tokens.front().text(), params)));
    return false;
  }
  Expr* var = make(ExprKind::Var, ty_of(params[index]), of);
  var->index = static_cast<Index>(index);
  var->name = keep(params[index].name);
  const Expr* value = var;
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) {
    value = column_at(path[i], value);
  }
  p.distinct = value;
  return value != nullptr;
}

bool Checker::share_condition(Pattern& p, const LeafScope& leaf, RuleState& state,
                              NodeRef condition) {
  std::vector<NodeRef> parts;
  conjuncts_of(condition, parts);
  if (p.leaf.relation == kNone || parts.size() != 1) {
    error(condition ? condition : leaf.node, "B0504",
          "share needs one relation to a part of the key: of all x with x.relation(key), how many "
          "are active",
          "e.g. share(circuit_down(c), c.over(span)) >= 60% by span");
    return false;
  }
  Scope scope = leaf.scope;
  for (ScopeVar var : key_scope(state, "").vars) {
    if (find_var(scope, var.name) == nullptr) {
      var.index += static_cast<Index>(leaf.params.size());
      scope.vars.push_back(var);
    }
  }
  p.condition = this->condition(condition, scope);
  return p.condition != nullptr;
}

/// The way to key part `k`: the leaf's own condition, or else that of another aggregate of the
/// rule.
const Link* Checker::link_of(const RuleState& state, std::size_t k, const LeafScope& leaf) const {
  const Link* other = nullptr;
  for (const Link& link : state.links) {
    if (link.key == state.key_names[k] && binds(link.from, leaf.scope)) {
      if (link.leaf.tree == leaf.node.tree && link.leaf.index == leaf.node.index) {
        return &link;
      }
      other = other == nullptr ? &link : other;
    }
  }
  return other;
}

bool Checker::bind_leaf(Leaf& out, const LeafScope& leaf, RuleState& state, NodeRef condition) {
  out.signal = leaf.signal;
  out.filters = leaf.filters;
  std::vector<NodeRef> parts;
  conjuncts_of(condition, parts);
  for (std::size_t k = 0; k < state.key_names.size(); ++k) {
    out.key.push_back(nullptr);
    if (state.key_exprs[k]) {
      if (binds(state.key_exprs[k], leaf.scope)) {
        out.key[k] = expr(state.key_exprs[k], leaf.scope, state.key_types[k]);
        if (out.key[k] == nullptr) {
          return false;
        }
      }
    } else if (const ScopeVar* var = find_var(leaf.scope, state.key_names[k])) {
      if (!assignable(var->ty, state.key_types[k])) {
        error(leaf.node, "B0300",
              fmt::format("'{}' is {} here and {} in the key", var->name, type_name(var->ty),
                          type_name(state.key_types[k])));
        return false;
      }
      Expr* e = make(ExprKind::Var, var->ty, leaf.node);
      e->index = var->index;
      e->name = keep(var->name);
      out.key[k] = e;
    }
    if (out.key[k] != nullptr) {
      continue;
    }
    if (const Link* link = link_of(state, k, leaf); link != nullptr && out.relation == kNone) {
      const RelationSchema& relation = schema_->relations[link->relation];
      Ty want;
      want.type = link->reversed ? relation.right_type : relation.left_type;
      want.of = link->reversed ? relation.right : relation.left;
      out.relation_from = expr(link->from, leaf.scope, want);
      out.relation = link->relation;
      out.relation_key = static_cast<Index>(k);
      out.relation_reversed = link->reversed;
      if (out.relation_from == nullptr) {
        return false;
      }
    }
    if (out.relation_key != k) {
      std::vector<std::string_view> has;
      for (const ScopeVar& var : leaf.scope.vars) {
        has.push_back(var.name);
      }
      error(leaf.node, "B0501",
            fmt::format("'{}' does not determine '{}', a part of the key",
                        program_->signals[leaf.signal].name, state.key_names[k]),
            has.empty() ? "it has no parameters" : fmt::format("it determines {}", join_or(has)));
      return false;
    }
  }
  return leaf_filters(out, leaf, condition);
}

/// What stands behind the comma and is not the way to the key narrows the leaf.
bool Checker::leaf_filters(Leaf& out, const LeafScope& leaf, NodeRef condition_node) {
  std::vector<NodeRef> parts;
  conjuncts_of(condition_node, parts);
  for (const NodeRef& part : parts) {
    const NodeRef callee = part.is(NodeKind::Call) ? part.child(std::size_t{0}) : NodeRef{};
    const auto relation = relations_.find(callee.token(TokenKind::Word).text());
    if (out.relation != kNone && callee.is(NodeKind::Field) && relation != relations_.end() &&
        relation->second == out.relation && !binds(part, leaf.scope)) {
      continue;
    }
    const Expr* filter = condition(part, leaf.scope);
    if (filter == nullptr) {
      return false;
    }
    out.filters.push_back(filter);
  }
  return true;
}

void Checker::describe(const Expr* e, std::string& out) const {
  if (e == nullptr) {
    out += "-;";
    return;
  }
  out += fmt::format("{},{},{},{},{},{},{}(", static_cast<int>(e->kind), static_cast<int>(e->type),
                     static_cast<int>(e->field), static_cast<int>(e->measured), e->position,
                     e->instance, e->oid);
  switch (e->kind) {
    case ExprKind::Const:
      out += to_text(e->value);
      break;
    case ExprKind::Column:
      out += schema_->tables[e->table].columns[e->index].name;
      break;
    case ExprKind::Lookup:
      out += schema_->tables[e->table].name;
      break;
    case ExprKind::Related:
    case ExprKind::RelatedSet:
      out += schema_->relations[e->index].name;
      break;
    case ExprKind::Active:
      out += program_->signals[e->index].name;
      break;
    case ExprKind::Field:
      out += e->name;
      break;
    case ExprKind::PolicyCall:
      out += program_->policies[e->index].name;
      break;
    default:
      out += fmt::format("{}", e->index);
      break;
  }
  for (const std::string_view text : e->texts) {
    out += fmt::format("'{}'", text);
  }
  for (const Expr* arg : e->args) {
    describe(arg, out);
  }
  out += ')';
}

void Checker::describe(const Leaf& leaf, std::string& out) const {
  if (leaf.signal == kNone) {
    return;
  }
  out += program_->signals[leaf.signal].name;
  for (const Expr* filter : leaf.filters) {
    describe(filter, out);
  }
  for (const Expr* key : leaf.key) {
    describe(key, out);
  }
  if (leaf.relation != kNone) {
    out += fmt::format("~{}{}{}", schema_->relations[leaf.relation].name, leaf.relation_key,
                       leaf.relation_reversed);
    describe(leaf.relation_from, out);
  }
}

void Checker::describe(const Pattern* p, std::string& out) const {
  out += fmt::format("[{},{},{},{}", static_cast<int>(p->kind), p->duration.count(),
                     static_cast<int>(p->aggregate), static_cast<int>(p->op));
  describe(p->leaf, out);
  describe(p->threshold, out);
  describe(p->distinct, out);
  describe(p->target, out);
  for (const Pattern* child : p->children) {
    describe(child, out);
  }
  out += ']';
}

/// What the memory of a leaf is of, by names: its signal, filters, keys and what it counts.
void Checker::name_reach() {
  for (Pattern& p : program_->pattern_nodes) {
    std::string text;
    describe(p.leaf, text);
    describe(p.distinct, text);
    p.reach = hash64(text);
  }
}

std::uint64_t Checker::pattern_hash(const Pattern* p, const std::vector<Param>& key) {
  std::string text;
  for (const Param& param : key) {
    text += param.name + ";";
  }
  describe(p, text);
  return hash64(text);
}

}  // namespace belfry::rules
