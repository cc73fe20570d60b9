// Rule bodies: clauses and the open block.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, 12> kOpenFields{
    "title",    "severity", "impact",      "customer", "runbook", "escalate",
    "priority", "team",     "description", "note",     "service", "link"};

}  // namespace

void Checker::rule_body(Index index) {
  Rule& rule = program_->rules[index];
  RuleState& state = states_[index];
  const NodeRef node = rule_nodes_[index];
  if (const TokenRef words = node.token(TokenKind::String)) {
    rule.description = unquote(words.text());
  }
  if (!state.ok) {
    return;  // its key is not known: everything else would be a consequence
  }
  rule_clauses(rule, state, node);
  program_->signals[rule.signal].limit = rule.limit;
  if (rule.when != nullptr && rule.when->kind == PatternKind::Missing &&
      !node.child(NodeKind::Where)) {
    report_.warning(node.child(NodeKind::When).mark(), "B0808",
                    "every row of the table is expected to be heard",
                    "narrow it: where node.role == \"...\"");
  }
  if (rule.when != nullptr && rule.clear == ClearKind::WithPattern && ends_in_event(rule.when)) {
    error(node.child(NodeKind::When), "B0510",
          "an event is over at once: nothing says when this incident ends",
          "add clear after, clear quiet or clear manual");
  }
}

void Checker::rule_clauses(Rule& rule, RuleState& state, NodeRef node) {
  std::vector<NodeKind> seen;
  for (const NodeRef& clause : node.children()) {
    const NodeKind kind = clause.kind();
    if (kind == NodeKind::Error) {
      continue;
    }
    if (std::find(seen.begin(), seen.end(), kind) != seen.end()) {
      error(clause.token(std::size_t{0}), "B0508",
            fmt::format("'{}' stands twice in this rule", clause.token(std::size_t{0}).text()));
      continue;
    }
    seen.push_back(kind);
    rule_clause(rule, state, clause);
  }
}

void Checker::rule_clause(Rule& rule, RuleState& state, NodeRef clause) {
  switch (clause.kind()) {
    case NodeKind::Where: {
      Scope scope = key_scope(state, "in the key of the rule");
      scope.graphs = true;
      rule.where = condition(clause.child(std::size_t{0}), scope);
      rule.graphs = graphs_in(rule.where);
      break;
    }
    case NodeKind::Unless:
      rule.unless = pattern(clause.child(std::size_t{0}), state, Duration{0});
      break;
    case NodeKind::Settle:
      rule.settle_given = duration(clause, rule.settle);
      break;
    case NodeKind::Hold:
      duration(clause, rule.hold);
      break;
    case NodeKind::Recover:
      duration(clause, rule.recover);
      break;
    case NodeKind::Reopen:
      duration(clause, rule.reopen);
      break;
    case NodeKind::Was:
      rule.was = clause.token(1).text();
      if (rules_.contains(rule.was)) {
        error(clause.token(1), "B0511", fmt::format("'{}' is still a rule", rule.was),
              "'was' names the old name of a renamed rule");
      }
      break;
    case NodeKind::Clear:
      clear_clause(rule, state, clause);
      break;
    case NodeKind::Open:
      open_block(rule, state, clause);
      break;
    case NodeKind::Mode:
      rule.mode = clause.has_word("shadow") ? Mode::Shadow
                  : clause.has_word("off")  ? Mode::Off
                                            : Mode::Live;
      break;
    case NodeKind::Limit: {
      const auto n = parse_int(clause.token(TokenKind::Number).text());
      if (n && *n > 0) {
        rule.limit = static_cast<std::uint64_t>(*n);
      } else if (clause.token(TokenKind::Number)) {
        error(clause, "B0302", "a limit is a whole number above 0");
      }
      break;
    }
    case NodeKind::OneBy: {
      Scope scope = key_scope(state, "in the key of the rule");
      scope.rule = &state;
      for (const NodeRef& each : clause.children()) {
        if (const Expr* e = expr(each, scope)) {
          rule.one_by.push_back(e);
        }
      }
      break;
    }
    default:
      break;
  }
}

void Checker::clear_clause(Rule& rule, RuleState& state, NodeRef node) {
  if (node.has_word("when")) {
    rule.clear = ClearKind::When;
    rule.clear_when = pattern(node.child(std::size_t{0}), state, Duration{0});
  } else if (node.has_word("after") || node.has_word("quiet")) {
    rule.clear = node.has_word("after") ? ClearKind::After : ClearKind::Quiet;
    duration(node, rule.clear_for);
  } else if (node.has_word("manual")) {
    rule.clear = ClearKind::Manual;
  }
}

void Checker::open_block(Rule& rule, RuleState& state, NodeRef node) {
  const std::vector<NodeRef> fields = node.children(NodeKind::OpenField);
  Scope scope = key_scope(state, "in the key of the rule");
  scope.rule = &state;
  scope.open = &fields;
  scope.graphs = true;
  for (const NodeRef& field : fields) {
    const TokenRef word = field.token(std::size_t{0});
    const auto same = [&](const OpenField& f) { return f.name == word.text(); };
    if (std::any_of(rule.open.begin(), rule.open.end(), same)) {
      error(word, "B0508", fmt::format("the field '{}' stands twice", word.text()));
      continue;
    }
    OpenField out;
    out.name = word.text();
    out.place = place(field);
    out.value = open_value(field, scope);
    rule.open.push_back(std::move(out));
  }
}

const Expr* Checker::open_value(NodeRef field, const Scope& scope) {
  const auto key = std::pair(field.tree, field.index);
  if (const auto found = open_values_.find(key); found != open_values_.end()) {
    return found->second;
  }
  const TokenRef word = field.token(std::size_t{0});
  const std::string_view name = word.text();
  const NodeRef value = field.child(std::size_t{0});
  open_running_.push_back(field);
  const Expr* out = nullptr;
  Ty want;
  want.type = Type::String;
  Index of = kNone;
  const bool is_enum = name == "severity" || name == "impact" || name == "priority";
  if (std::find(kOpenFields.begin(), kOpenFields.end(), name) == kOpenFields.end()) {
    error(word, "B0213", fmt::format("an incident has no field '{}'", name),
          did_you_mean(name, kOpenFields, join_or(kOpenFields)));
  } else if (name == "escalate") {
    out = escalation_name(value, scope);
  } else if (name == "customer") {
    out = customer_value(value, scope);
  } else if (is_enum) {
    const auto found = enums_.find(name);
    of = found == enums_.end() ? kNone : found->second;
    want.type = Type::Enum;
    want.of = of;
    if (of != kNone) {
      out = expr(value, scope, want);
    } else if (report_.first_time("enum", name)) {
      error(word, "B0201", fmt::format("no enum is called '{}'", name),
            fmt::format("declare it: enum {} {{ ... }}, low to high", name));
    }
  } else {
    out = expr(value, scope, want);
  }
  open_running_.pop_back();
  open_values_[key] = out;
  return out;
}

const Expr* Checker::escalation_name(NodeRef node, const Scope& scope) {
  if (node.is(NodeKind::Paren)) {
    return escalation_name(node.child(std::size_t{0}), scope);
  }
  Ty text;
  text.type = Type::String;
  if (node.is(NodeKind::Conditional)) {
    const std::vector<NodeRef> parts = node.children();
    if (parts.size() < 2) {
      return nullptr;
    }
    Expr* out = make(ExprKind::If, text, node);
    out->args = {escalation_name(parts[0], scope), condition(parts[1], scope)};
    if (parts.size() > 2) {
      out->args.push_back(escalation_name(parts[2], scope));
    }
    return std::find(out->args.begin(), out->args.end(), nullptr) == out->args.end() ? out
                                                                                     : nullptr;
  }
  const TokenRef token = node.token(std::size_t{0});
  const bool literal = node.is(NodeKind::Literal) && token.kind() == TokenKind::String;
  if (!node.is(NodeKind::Name) && !literal) {
    if (!node.broken()) {
      error(node, "B0208", "expected the name of an escalation", "escalate NAME");
    }
    return nullptr;
  }
  const std::string name = literal ? unquote(token.text()) : std::string(token.text());
  if (!escalations_.contains(name)) {
    if (report_.first_time("escalation", name)) {
      error(token, "B0208", fmt::format("no escalation is called '{}'", name),
            did_you_mean(name, names_of(escalations_)));
    }
    return nullptr;
  }
  return constant(Value::string(keep(name)), text, node);
}

const Expr* Checker::customer_value(NodeRef node, const Scope& scope) {
  const Expr* e = expr(node, scope);
  if (e == nullptr) {
    return nullptr;
  }
  const Type type = e->type == Type::Set ? e->item_type : e->type;
  const bool fits = type == Type::Row ? e->of == program_->customer_table
                                      : type == Type::String || type == Type::None;
  if (!fits) {
    error(node, "B0300",
          fmt::format("expected a customer or a set of customers, found {}", value_name(e)));
    return nullptr;
  }
  return e;
}

bool Checker::ends_in_event(const Pattern* p) const {
  switch (p->kind) {
    case PatternKind::Signal:
      return p->leaf.signal >= signal_nodes_.size() &&
             program_->signals[p->leaf.signal].rule == kNone;
    case PatternKind::For:
      return ends_in_event(p->children[0]);
    case PatternKind::Then:
      return ends_in_event(p->children[1]);
    case PatternKind::And:
    case PatternKind::Or:
      return std::any_of(p->children.begin(), p->children.end(),
                         [this](const Pattern* c) { return ends_in_event(c); });
    default:
      return false;
  }
}

}  // namespace belfry::rules
