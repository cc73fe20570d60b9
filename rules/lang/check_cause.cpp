// Causes: variables joined by name, probes that find the cause from the symptom (LANGUAGE 10.6),
// and the order between rules, which must have no cycle (6.8).
#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

void conjuncts_of(const Expr* e, std::vector<const Expr*>& out) {
  if (e != nullptr && e->kind == ExprKind::And) {
    conjuncts_of(e->args[0], out);
    conjuncts_of(e->args[1], out);
  } else if (e != nullptr) {
    out.push_back(e);
  }
}

bool is_var(const Expr* e, Index var) { return e->kind == ExprKind::Var && e->index == var; }

}  // namespace

std::optional<Index> Checker::resolve_rule(NodeRef ref, std::string_view who) {
  const TokenRef word = ref.token(std::size_t{0});
  if (!word) {
    return std::nullopt;
  }
  if (const auto found = rules_.find(word.text()); found != rules_.end()) {
    return found->second;
  }
  if (signals_.contains(word.text())) {
    LeafScope leaf;  // a wrong number of arguments is the nearer mistake
    const std::size_t errors = report_.errors();
    if (!new_leaf_scope(ref, leaf) && report_.errors() > errors) {
      return std::nullopt;
    }
    std::vector<std::string_view> near;
    for (const Rule& rule : program_->rules) {
      if (rule.when != nullptr && rule.when->leaf.signal == signals_.at(word.text())) {
        near.push_back(rule.name);
      }
    }
    error(word, "B0200", fmt::format("'{}' is a signal; {}", word.text(), who),
          near.empty() ? "name the rule that opens its incident"
                       : fmt::format("the rule of this signal is {}", join_or(near)));
  } else if (report_.first_time("rule", word.text())) {
    error(word, "B0200", fmt::format("no rule is called '{}'", word.text()),
          did_you_mean(word.text(), names_of(rules_)));
  }
  return std::nullopt;
}

void Checker::cause(NodeRef node) {
  const std::vector<NodeRef> refs = node.children(NodeKind::SignalRef);
  const NodeRef any = node.child(NodeKind::AnyOf);
  if (refs.empty() || (refs.size() < 2 && !any)) {
    return;
  }
  const auto from = resolve_rule(refs[0]);
  const auto to = any ? std::nullopt : resolve_rule(refs[1]);
  if (!from || (!any && !to)) {
    return;
  }
  if (!any) {
    cause_pair(node, *from, *to, refs[1]);
    return;
  }
  const NodeRef arg = any.child(NodeKind::Args).child(NodeKind::Arg);
  const NodeRef type_node = arg.child(std::size_t{0});
  if (!arg.token(TokenKind::Colon) || !type_node.is(NodeKind::Name)) {
    error(any, "B0603", "'any' takes a name and a type", "any(node: device)");
    return;
  }
  const Ty wanted = named_type(type_node.token(std::size_t{0}));
  bool found = !wanted.ok;
  for (Index r = 0; r < program_->rules.size() && wanted.ok; ++r) {
    const std::vector<Param>& key = states_[r].key;
    const auto fits = [&](const Param& p) { return p.type == wanted.type && p.of == wanted.of; };
    if (r != *from && states_[r].ok && std::any_of(key.begin(), key.end(), fits)) {
      const std::size_t errors = report_.errors();
      cause_pair(node, *from, r, any);
      found = true;
      if (report_.errors() > errors) {
        break;  // what is wrong with the text is told once, not per rule
      }
    }
  }
  if (!found) {
    report_.warning(any.mark(), "B0604",
                    fmt::format("no rule has a {} in its key", type_name(wanted)));
  }
}

void Checker::cause_pair(NodeRef node, Index from, Index to, NodeRef target) {
  if (!states_[from].ok || !states_[to].ok) {
    return;
  }
  Cause out;
  out.cause = from;
  out.symptom = to;
  out.place = place(node);
  const bool any = target.is(NodeKind::AnyOf);
  std::vector<FixedPart> fixed;
  const bool bound = (any ? any_side(out, to, target) : cause_side(out, to, target, true, fixed)) &&
                     cause_side(out, from, node.child(NodeKind::SignalRef), false, fixed) &&
                     cause_filters(out, fixed);
  if (!bound) {
    return;
  }
  for (const NodeRef& child : node.children()) {
    if (!child.is(NodeKind::SignalRef) && !child.is(NodeKind::AnyOf)) {
      out.where = condition(child, cause_scope(out));
      if (out.where == nullptr) {
        return;
      }
    }
  }
  out.graphs = graphs_in(out.where);
  for (const Expr* filter : out.filters) {
    for (const Index graph : graphs_in(filter)) {
      out.graphs.push_back(graph);
    }
  }
  find_probes(out, node);
  if (from == to && !steps_up(out) && circle_graph(out) == kNone) {
    error(node.child(NodeKind::SignalRef), "B0601",
          fmt::format("'{}' would explain itself", program_->rules[from].name),
          "a rule may be its own cause through a transitive relation or a graph: where "
          "node.behind(up), where node.cut_off(up)");
    return;
  }
  program_->rules[to].explainable = true;
  program_->causes.push_back(std::move(out));
}

bool Checker::any_side(Cause& out, Index rule, NodeRef any) {
  const NodeRef arg = any.child(NodeKind::Args).child(NodeKind::Arg);
  const Ty wanted = named_type(arg.child(std::size_t{0}).token(std::size_t{0}));
  const std::vector<Param>& key = states_[rule].key;
  for (Index part = 0; part < key.size(); ++part) {
    if (key[part].type == wanted.type && key[part].of == wanted.of) {
      return add_var(out, arg.token(std::size_t{0}).text(), part, key[part], true, any);
    }
  }
  return false;
}

bool Checker::add_var(Cause& out, std::string_view name, Index part, const Param& param,
                      bool symptom, NodeRef at) {
  for (CauseVar& var : out.vars) {
    if (var.name != name) {
      continue;
    }
    Index& slot = symptom ? var.symptom_part : var.cause_part;
    if (slot != kNone) {
      error(at, "B0602", fmt::format("'{}' stands twice on this side", name),
            "give each part its own name");
      return false;
    }
    if (var.type != param.type || var.of != param.of) {
      Ty a, b;
      a.type = var.type;
      a.of = var.of;
      b.type = param.type;
      b.of = param.of;
      error(at, "B0602",
            fmt::format("'{}' is {} on one side and {} on the other", name, type_name(a),
                        type_name(b)),
            "the same name means the same value: rename one of them");
      return false;
    }
    slot = part;
    return true;
  }
  CauseVar var;
  var.name = name;
  var.type = param.type;
  var.of = param.of;
  (symptom ? var.symptom_part : var.cause_part) = part;
  out.vars.push_back(std::move(var));
  return true;
}

/// Written arguments name parts of the key (or fix them by a constant), the other parts stay open;
/// without arguments every part has its own name.
bool Checker::cause_side(Cause& out, Index rule, NodeRef ref, bool symptom,
                         std::vector<FixedPart>& fixed) {
  const NodeRef args = ref.child(NodeKind::Args);
  const std::vector<Param>& key = states_[rule].key;
  const std::string& name = program_->rules[rule].name;
  if (!args) {
    for (Index part = 0; part < key.size(); ++part) {
      if (!add_var(out, key[part].name, part, key[part], symptom, ref)) {
        return false;
      }
    }
    return true;
  }
  const std::vector<NodeRef> given = args.children(NodeKind::Arg);
  std::string known;
  for (const Param& p : key) {
    known += (known.empty() ? "" : ", ") + p.name;
  }
  if (given.size() > key.size()) {
    error(ref.token(std::size_t{0}), "B0301",
          fmt::format("'{}' has {} parameter{}, {} given", name, key.size(),
                      key.size() == 1 ? "" : "s", given.size()),
          fmt::format("{}({})", name, known));
    return false;
  }
  for (Index n = 0; n < given.size(); ++n) {
    Index part = n;
    if (given[n].token(TokenKind::Colon)) {
      const std::string_view word = given[n].token(std::size_t{0}).text();
      const auto named = [&](const Param& p) { return p.name == word; };
      part = static_cast<Index>(std::find_if(key.begin(), key.end(), named) - key.begin());
      if (part == key.size()) {
        error(given[n].token(std::size_t{0}), "B0221",
              fmt::format("the key of '{}' has no '{}'", name, word), known);
        return false;
      }
    }
    const NodeRef value = given[n].child(std::size_t{0});
    const std::string_view word =
        value.is(NodeKind::Name) ? value.token(std::size_t{0}).text() : std::string_view{};
    if (word == "_") {
      continue;
    }
    const bool enum_word = key[part].type == Type::Enum && key[part].of < schema_->enums.size() &&
                           std::count(schema_->enums[key[part].of].words.begin(),
                                      schema_->enums[key[part].of].words.end(), word) > 0;
    if (!word.empty() && !enum_word) {
      if (!add_var(out, word, part, key[part], symptom, value)) {
        return false;
      }
      continue;
    }
    const std::string hidden = fmt::format("{}.{}", symptom ? "symptom" : "cause", key[part].name);
    add_var(out, hidden, part, key[part], symptom, value);
    fixed.push_back({static_cast<Index>(out.vars.size() - 1), value});
  }
  return true;
}

/// Arguments that are no names: constants, or expressions over the variables of both sides.
bool Checker::cause_filters(Cause& out, const std::vector<FixedPart>& fixed) {
  for (const FixedPart& part : fixed) {
    const CauseVar& var = out.vars[part.var];
    Ty ty, boolean;
    ty.type = var.type;
    ty.of = var.of;
    boolean.type = Type::Bool;
    const Expr* value = expr(part.value, cause_scope(out), ty);
    if (value == nullptr) {
      return false;
    }
    Expr* left = make(ExprKind::Var, ty, part.value);
    left->index = part.var;
    left->name = keep(var.name);
    Expr* filter = make(ExprKind::Equal, boolean, part.value);
    filter->args = {left, value};
    out.filters.push_back(filter);
  }
  return true;
}

Scope Checker::cause_scope(const Cause& out) const {
  Scope scope;
  scope.place = "in this cause";
  scope.graphs = true;
  for (Index i = 0; i < out.vars.size(); ++i) {
    ScopeVar var;
    var.name = out.vars[i].name;
    var.index = i;
    var.ty.type = out.vars[i].type;
    var.ty.of = out.vars[i].of;
    scope.vars.push_back(var);
  }
  return scope;
}

void Checker::find_probes(Cause& out, NodeRef node) {
  std::vector<const Expr*> conjuncts;
  conjuncts_of(out.where, conjuncts);
  for (const Expr* filter : out.filters) {
    conjuncts_of(filter, conjuncts);
  }
  const std::vector<Param>& key = states_[out.cause].key;
  bool scan = !key.empty();
  for (Index part = 0; part < key.size(); ++part) {
    out.probes.push_back(probe(out, part, conjuncts));
    scan = scan && out.probes.back().kind == ProbeKind::Scan;
  }
  if (scan &&
      report_.first_time("scan", fmt::format("{}:{}", out.place.file, node.mark().offset))) {
    report_.warning(
        node.mark(), "B0806",
        fmt::format("nothing leads from the symptom to '{}': all its incidents are looked at",
                    program_->rules[out.cause].name),
        "join them by a variable, a column or a relation");
  }
}

CauseProbe Checker::probe(const Cause& out, Index part, const std::vector<const Expr*>& conjuncts) {
  Index var = kNone;
  for (Index i = 0; i < out.vars.size(); ++i) {
    var = out.vars[i].cause_part == part ? i : var;
  }
  CauseProbe p;
  if (var == kNone) {
    return p;
  }
  if (out.vars[var].symptom_part != kNone) {
    p.kind = ProbeKind::Var;
    p.var = var;
    return p;
  }
  for (const Expr* c : conjuncts) {
    if (probe_of(out, var, c, p) || probe_either(out, var, c, p)) {
      return p;
    }
  }
  return p;
}

namespace {

/// Only what the symptom binds can lead to the cause.
bool from_symptom(const Cause& out, const Expr* e) {
  if (e->kind == ExprKind::Var && out.vars[e->index].symptom_part == kNone) {
    return false;
  }
  return e->kind != ExprKind::Active &&
         std::all_of(e->args.begin(), e->args.end(),
                     [&](const Expr* arg) { return from_symptom(out, arg); });
}

}  // namespace

bool Checker::probe_of(const Cause& out, Index var, const Expr* c, CauseProbe& p) {
  const Expr* a = c->args.empty() ? nullptr : c->args[0];
  const Expr* b = c->args.size() < 2 ? nullptr : c->args[1];
  if (a == nullptr || b == nullptr) {
    return false;
  }
  const Expr* other = is_var(a, var) ? b : is_var(b, var) ? a : nullptr;
  if (other == nullptr || !from_symptom(out, other)) {
    return false;
  }
  const bool second = is_var(b, var);
  switch (c->kind) {
    case ExprKind::Equal:
      p.kind = ProbeKind::Equal;
      break;
    case ExprKind::Related:
      p.kind = second ? ProbeKind::Forward : ProbeKind::Backward;
      p.relation = c->index;
      break;
    case ExprKind::In:
      if (second || other->type != Type::Set) {
        return false;
      }
      p.kind = ProbeKind::Items;
      break;
    case ExprKind::Behind:
    case ExprKind::CutOff:
    case ExprKind::Neighbour:
    case ExprKind::Ends:
      if (!second && (c->kind == ExprKind::Behind || c->kind == ExprKind::CutOff)) {
        return false;
      }
      p.kind = ProbeKind::Graph;
      p.relation = c->index;
      p.ask = c->kind;
      p.turned = c->kind == ExprKind::Ends && !second;
      p.edge = out.vars[var].of == program_->graphs[c->index].edges;
      break;
    default:
      return false;
  }
  p.from = other;
  return true;
}

/// `l.a == n or l.b == n`: one of a few values.
bool Checker::probe_either(const Cause& out, Index var, const Expr* c, CauseProbe& p) {
  std::vector<const Expr*> ways;
  const std::function<bool(const Expr*)> collect = [&](const Expr* e) {
    if (e->kind == ExprKind::Or) {
      return collect(e->args[0]) && collect(e->args[1]);
    }
    CauseProbe one;
    const bool equal = probe_of(out, var, e, one) && one.kind == ProbeKind::Equal;
    ways.push_back(one.from);
    return equal;
  };
  if (c->kind != ExprKind::Or || !collect(c)) {
    return false;
  }
  Ty set;
  set.type = Type::Set;
  set.item = out.vars[var].type;
  set.of = out.vars[var].of;
  Expr* all = make(ExprKind::SetOf, set, NodeRef{});
  all->place = c->place;
  all->args = std::move(ways);
  p.kind = ProbeKind::Items;
  p.from = all;
  return true;
}

/// The condition asks a transitive relation between the two sides, or dominance in a graph: that is
/// irreflexive and has no cycle.
bool Checker::steps_up(const Cause& cause) const {
  std::vector<const Expr*> conjuncts;
  conjuncts_of(cause.where, conjuncts);
  return std::any_of(conjuncts.begin(), conjuncts.end(), [&](const Expr* c) {
    const bool transitive =
        c->kind == ExprKind::Behind ||
        (c->kind == ExprKind::Related && schema_->relations[c->index].transitive);
    if (!transitive) {
      return false;
    }
    const Expr* a = c->args[0];
    const Expr* b = c->args[1];
    if (a->kind != ExprKind::Var || b->kind != ExprKind::Var) {
      return false;
    }
    const CauseVar& x = cause.vars[a->index];
    const CauseVar& y = cause.vars[b->index];
    const bool up = x.symptom_part != kNone && x.cause_part == kNone && y.cause_part != kNone &&
                    y.symptom_part == kNone;
    const bool down = y.symptom_part != kNone && y.cause_part == kNone && x.cause_part != kNone &&
                      x.symptom_part == kNone;
    return up || down;
  });
}

/// The graph that says that the cause is in its frontier; kNone when nothing says so.
Index Checker::circle_graph(const Cause& cause) const {
  std::vector<const Expr*> conjuncts;
  conjuncts_of(cause.where, conjuncts);
  for (const Expr* c : conjuncts) {
    if (c->kind != ExprKind::CutOff && c->kind != ExprKind::Frontier) {
      continue;
    }
    const Expr* y = c->args.back();
    if (y->kind == ExprKind::Var && cause.vars[y->index].cause_part != kNone) {
      return c->index;
    }
  }
  return kNone;
}

namespace {

using Links = std::vector<std::vector<Index>>;

/// Appends what is reached from `start` and not yet `seen`, each after all that it leads to.
void finish_from(Index start, const Links& next, std::vector<bool>& seen, std::vector<Index>& out) {
  std::vector<std::pair<Index, std::size_t>> stack;
  if (!seen[start]) {
    seen[start] = true;
    stack.emplace_back(start, 0);
  }
  while (!stack.empty()) {
    auto& [at, n] = stack.back();
    if (n == next[at].size()) {
      out.push_back(at);
      stack.pop_back();
      continue;
    }
    const Index to = next[at][n++];
    if (!seen[to]) {
      seen[to] = true;
      stack.emplace_back(to, 0);
    }
  }
}

}  // namespace

/// Kosaraju: rules that lead to each other through causes are in one circle. Circles are numbered
/// causes first.
std::vector<Index> Checker::circles() const {
  const std::size_t n = program_->rules.size();
  Links symptoms(n), causes(n);
  for (const Cause& cause : program_->causes) {
    symptoms[cause.cause].push_back(cause.symptom);
    causes[cause.symptom].push_back(cause.cause);
  }
  std::vector<bool> seen(n, false);
  std::vector<Index> finished;
  for (Index rule = 0; rule < n; ++rule) {
    finish_from(rule, symptoms, seen, finished);
  }
  std::vector<Index> circle(n, kNone);
  seen.assign(n, false);
  Index number = 0;
  for (std::size_t i = n; i-- > 0;) {
    std::vector<Index> members;
    finish_from(finished[i], causes, seen, members);
    for (const Index rule : members) {
      circle[rule] = number;
    }
    number += members.empty() ? 0 : 1;
  }
  return circle;
}

/// Steps inside a circle of rules all ask one graph; a rule's own steps do where one of them does.
void Checker::circle_steps(const std::vector<Index>& circle) {
  struct Steps {
    std::set<Index> graphs;  ///< kNone: some step asks none
    bool several = false;
  };
  std::map<Index, Steps> inside;
  for (const Cause& cause : program_->causes) {
    if (circle[cause.cause] == circle[cause.symptom]) {
      Steps& steps = inside[circle[cause.cause]];
      steps.graphs.insert(circle_graph(cause));
      steps.several |= cause.cause != cause.symptom;
    }
  }
  for (const auto& [of, steps] : inside) {
    const bool graphs = steps.graphs.size() == 1 && *steps.graphs.begin() != kNone;
    const bool relations = steps.graphs.size() == 1 && !graphs && !steps.several;
    if (!graphs && !relations) {
      tell_circle(circle, of);
    }
  }
  for (Cause& cause : program_->causes) {
    if (circle[cause.cause] == circle[cause.symptom]) {
      cause.circle = circle_graph(cause);
    }
  }
}

void Checker::tell_circle(const std::vector<Index>& circle, Index of) {
  std::map<Index, Index> before;  // some cause of each rule in the circle
  for (const Cause& cause : program_->causes) {
    if (circle[cause.cause] == of && circle[cause.symptom] == of && cause.cause != cause.symptom) {
      before.try_emplace(cause.symptom, cause.cause);
    }
  }
  Index at = static_cast<Index>(std::find(circle.begin(), circle.end(), of) - circle.begin());
  for (std::size_t i = 0; i < before.size(); ++i) {
    at = before.at(at);  // until it surely bites its tail
  }
  const std::string& name = program_->rules[at].name;
  std::string path = name;
  for (Index next = before.empty() ? at : before.at(at); next != at; next = before.at(next)) {
    path = program_->rules[next].name + " -> " + path;
  }
  path = name + " -> " + path;
  const bool alone = before.empty();
  error(rule_nodes_[at].token(1), "B0600",
        alone ? fmt::format("the causes of '{}' by itself go different ways", name)
              : fmt::format("'{}' is, through others, its own cause", name),
        alone ? "all through one graph (frontier, cut_off), or all through relations"
              : path + "; only steps that ask one and the same graph (frontier, cut_off) may");
}

/// Depth: the longest way from a rule without causes; one for all rules of a circle.
void Checker::cause_order() {
  const std::vector<Index> circle = circles();
  circle_steps(circle);
  std::vector<std::uint32_t> depth(program_->rules.size(), 0);  // by circle, causes first
  std::set<std::tuple<Index, Index>> steps;
  for (const Cause& cause : program_->causes) {
    if (circle[cause.cause] != circle[cause.symptom]) {
      steps.emplace(circle[cause.cause], circle[cause.symptom]);
    }
  }
  for (const auto& [from, to] : steps) {
    depth[to] = std::max(depth[to], depth[from] + 1);
  }
  for (Index rule = 0; rule < program_->rules.size(); ++rule) {
    program_->rules[rule].cause_depth = depth[circle[rule]];
  }
}

}  // namespace belfry::rules
