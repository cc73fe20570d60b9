// Warnings that look at a whole rule or policy once everything is compiled: what compiles and is
// yet hardly meant.
#include <algorithm>
#include <array>

#include "belfry/rules/eval.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

/// Combinations of arguments for which a policy is tried: four enums of eight words each.
constexpr std::size_t kPolicyCasesMax = 4096;
/// Conditions that are asked in all, so that many long policies cost no minutes: about 0.2 s.
constexpr std::size_t kPolicyTriesMax = 4'000'000;

/// Can be evaluated from the arguments alone.
bool of_arguments(const Expr* e) {
  static constexpr std::array kAllowed{
      ExprKind::Const,     ExprKind::Var,     ExprKind::Not,          ExprKind::And,
      ExprKind::Or,        ExprKind::Equal,   ExprKind::NotEqual,     ExprKind::Less,
      ExprKind::LessEqual, ExprKind::Greater, ExprKind::GreaterEqual, ExprKind::In,
      ExprKind::Coalesce,  ExprKind::IsNone,  ExprKind::IsSome,       ExprKind::If,
      ExprKind::SetOf};
  return e == nullptr || (std::find(kAllowed.begin(), kAllowed.end(), e->kind) != kAllowed.end() &&
                          std::all_of(e->args.begin(), e->args.end(), of_arguments));
}

/// All values an argument can have, `none` among them.
std::vector<Value> values_of(const Param& param, const Schema& schema) {
  std::vector<Value> out{Value::none()};
  if (param.type == Type::Bool) {
    out.push_back(Value::boolean(false));
    out.push_back(Value::boolean(true));
  } else if (param.type == Type::Enum && param.of != kNone) {
    const std::vector<std::string>& words = schema.enums[param.of].words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      out.push_back(Value::enumerator(param.of, static_cast<std::int64_t>(i), words[i]));
    }
  }
  return out;
}

/// `x if a` without an else, also at the end of a chain.
bool open_ended(const Expr* e) {
  return e != nullptr && e->kind == ExprKind::If &&
         (e->args.size() < 3 || e->args[2] == nullptr || open_ended(e->args[2]));
}

}  // namespace

/// Calls `each` with every combination of a policy's arguments; false when they are too many, or
/// the policy asks for more than its arguments.
bool Checker::policy_cases(Index index,
                           const std::function<void(std::span<const Value>, std::size_t)>& each) {
  const Policy& policy = program_->policies[index];
  std::vector<std::vector<Value>> domains;
  std::size_t cases = 1;
  for (const Param& param : policy.params) {
    domains.push_back(values_of(param, *schema_));
    cases = domains.back().size() > 1 && cases <= kPolicyCasesMax ? cases * domains.back().size()
                                                                  : kPolicyCasesMax + 1;
  }
  const std::size_t tries = cases * (policy.lines.size() + 1);
  const bool can_try = cases <= kPolicyCasesMax && policy_tries_ + tries <= kPolicyTriesMax &&
                       std::all_of(policy.lines.begin(), policy.lines.end(),
                                   [](const PolicyLine& l) { return of_arguments(l.condition); });
  policy_tries_ += can_try ? tries : 0;
  Arena arena;
  std::vector<Value> args(domains.size());
  for (std::size_t n = 0; can_try && n < cases; ++n) {
    for (std::size_t i = 0, rest = n; i < domains.size(); ++i) {
      args[i] = domains[i][rest % domains[i].size()];
      rest /= domains[i].size();
    }
    Env env;
    env.program = program_.get();
    env.vars = args;
    env.arena = &arena;
    const auto line = std::find_if(policy.lines.begin(), policy.lines.end(),
                                   [&](const PolicyLine& l) { return holds(l.condition, env); });
    each(args, static_cast<std::size_t>(line - policy.lines.begin()));
  }
  return can_try;
}

/// Which lines are ever taken.
void Checker::policy_hints(Index index) {
  const Policy& policy = program_->policies[index];
  std::vector<bool> taken(policy.lines.size() + 1);
  if (!policy_cases(index, [&](auto, std::size_t line) { taken[line] = true; })) {
    return;
  }
  const std::vector<NodeRef> nodes = policy_nodes_[index].children(NodeKind::PolicyLine);
  for (std::size_t i = 0; i < std::min(nodes.size(), policy.lines.size()); ++i) {
    if (!taken[i] && policy.lines[i].condition != nullptr) {
      unreachable_line(nodes[i]);
    }
  }
}

/// Arguments for which a policy without `else` has no answer: "impact none, tier corporate".
std::string Checker::unanswered(Index index) {
  const Policy& policy = program_->policies[index];
  std::string out;
  policy_cases(index, [&](std::span<const Value> args, std::size_t line) {
    const bool known =
        std::none_of(args.begin(), args.end(), [](const Value& arg) { return arg.is_none(); });
    if (line == policy.lines.size() && known && out.empty()) {
      for (std::size_t i = 0; i < args.size(); ++i) {
        out += fmt::format("{}{} {}", i == 0 ? "" : ", ", policy.params[i].name, to_text(args[i]));
      }
    }
  });
  return out;
}

/// Once per line, whoever finds it first.
void Checker::unreachable_line(NodeRef line) {
  if (report_.first_time("policy line",
                         fmt::format("{}:{}", line.mark().file, line.mark().offset))) {
    report_.warning(line.mark(), "B0804",
                    "this line is never reached: earlier lines take everything it would",
                    "the first match wins");
  }
}

/// Severity and priority say how urgent an incident is: one without is in no queue's order.
void Checker::open_hints(Index rule) {
  for (const NodeRef& field :
       rule_nodes_[rule].child(NodeKind::Open).children(NodeKind::OpenField)) {
    const std::string_view name = field.token(std::size_t{0}).text();
    if (name != "priority" && name != "severity") {
      continue;
    }
    const std::vector<OpenField>& open = program_->rules[rule].open;
    const auto found =
        std::find_if(open.begin(), open.end(), [&](const OpenField& f) { return f.name == name; });
    if (found != open.end() && open_ended(found->value)) {
      report_.warning(
          field.mark(), "B0813",
          fmt::format("there is no {} when the condition is false: expected 'else'", name),
          fmt::format("{} ... if ... else ...", name));
    }
  }
}

/// The part of the key that a sender's own words fill: as many keys as there are words.
void Checker::free_text_hint(Index index) {
  const bool bounded =
      rule_nodes_[index].child(NodeKind::Limit) ||
      std::any_of(defaults_nodes_.begin(), defaults_nodes_.end(),
                  [](const NodeRef& d) { return d.child(NodeKind::Limit).operator bool(); });
  if (bounded) {
    return;
  }
  const Rule& rule = program_->rules[index];
  for (const Pattern* pattern : rule.patterns) {
    const Leaf& leaf = pattern->leaf;
    for (std::size_t part = 0; leaf.signal != kNone && part < leaf.key.size(); ++part) {
      const Expr* from = leaf.key[part];
      if (from != nullptr && from->kind == ExprKind::Var && free_text(leaf.signal, from->index)) {
        report_.warning(
            rule_nodes_[index].token(1).mark(), "B0810",
            fmt::format("'{}' of the key is free text of a message, and no limit is set",
                        rule.key[part].name),
            fmt::format("limit 10000: at most so many {}s are kept", rule.key[part].name));
        return;
      }
    }
  }
}

/// The parameter is bound by a hole that takes any text.
bool Checker::free_text(Index signal, Index param) {
  const auto [known, fresh] = free_text_.emplace(std::pair(signal, param), false);
  if (fresh) {
    known->second = binds_free_text(signal, param);
  }
  return known->second;
}

bool Checker::binds_free_text(Index signal, Index param) const {
  for (const Index c : program_->signals[signal].clauses) {
    const Clause& clause = program_->clauses[c];
    const Expr* key = param < clause.key.size() ? clause.key[param] : nullptr;
    if (clause.kind == ClauseKind::Raise && key != nullptr && key->kind == ExprKind::Var &&
        key->index < clause.holes.size()) {
      if (clause.holes[key->index].type == Type::String) {
        return true;
      }
    }
  }
  return false;
}

void Checker::hints() {
  for (Index i = 0; i < program_->policies.size(); ++i) {
    policy_hints(i);
  }
  for (Index i = 0; i < program_->rules.size(); ++i) {
    open_hints(i);
    free_text_hint(i);
  }
}

}  // namespace belfry::rules
