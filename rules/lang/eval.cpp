// Evaluating typed expressions: a walk over the tree with a step budget. Texts and sets that it
// makes go into the arena of the environment; without one, such an expression gives none.
#include "belfry/rules/eval.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "eval_ops.hpp"
#include "eval_types.hpp"

namespace belfry::rules {
namespace {

/// Set items one evaluation may make.
constexpr std::size_t kSetItemsMax = 100'000;
/// Copying and sorting so many items of a set takes about as long as a step.
constexpr std::size_t kItemsPerStep = 8;

/// Policies that call policies, expressions inside expressions: bounds the stack.
constexpr int kDepthMax = 400;

struct Walk {
  const Env& env;
  int steps = 0;  ///< that are left
  int depth = 0;

  Value eval(const Expr& e);
  Value column(const Expr& e);
  Value lookup(const Expr& e);
  Value related_set(const Expr& e);
  Value in(const Expr& e);
  Value choose(const Expr& e);
  Value active(const Expr& e);
  Value measured(const Expr& e);
  Value set_of(const Expr& e);
  Value during(const Expr& e);
  Value graph(const Expr& e);
  Value interpolate(const Expr& e);
  Value policy(const Expr& e);
  Value policy_lines(Index policy);
  Value step(const Expr& e);
  Value make_text(std::string_view text) const {
    return env.arena == nullptr ? Value::none() : Value::string(env.arena->copy(text));
  }
};

Value make_set_in(Arena* arena, std::vector<Value> items) {
  if (arena == nullptr) {
    return Value::none();
  }
  std::erase_if(items, [](const Value& v) { return v.is_none(); });
  std::sort(items.begin(), items.end(), sorts_before);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  const std::span<const Value> kept = arena->copy(std::span<const Value>(items));
  auto* set = new (arena->allocate(sizeof(ValueSet))) ValueSet{kept};
  Value v;
  v.type = Type::Set;
  v.set = set;
  return v;
}

Value Walk::column(const Expr& e) {
  const Value from = eval(*e.args[0]);
  if (from.type != Type::Set) {
    return column_of(from, e, env);
  }
  std::vector<Value> items;
  for (const Value& row : from.items()) {
    const Value v = column_of(row, e, env);
    if (v.type == Type::Set) {
      steps -= static_cast<int>(v.items().size() / kItemsPerStep);
      items.insert(items.end(), v.items().begin(), v.items().end());
    } else {
      items.push_back(v);
    }
    if (--steps <= 0 || items.size() > kSetItemsMax) {
      break;
    }
  }
  return make_set_in(env.arena, std::move(items));
}

Value Walk::lookup(const Expr& e) {
  std::array<Value, kLookupKeysMax> key;
  const std::size_t n = std::min(key.size(), e.args.size());
  for (std::size_t i = 0; i < n; ++i) {
    key[i] = eval(*e.args[i]);
  }
  return lookup_of(e, {key.data(), n}, env);
}

Value Walk::related_set(const Expr& e) {
  const Value from = eval(*e.args[0]);
  if (from.is_none() || env.inventory == nullptr || env.arena == nullptr) {
    return Value::none();
  }
  std::vector<Value> items;
  const auto add = [&](const Value& x) {
    const auto more = env.inventory->forward(e.index, x);
    steps -= 1 + static_cast<int>(more.size() / kItemsPerStep);
    items.insert(items.end(), more.begin(), more.end());
  };
  if (from.type == Type::Set) {
    for (const Value& x : from.items()) {
      add(x);
      if (steps <= 0 || items.size() > kSetItemsMax) {
        break;
      }
    }
  } else {
    add(from);
  }
  return make_set_in(env.arena, std::move(items));
}

Value pick(std::span<const double> values, Index index) {
  const std::size_t i = index == kNone ? 0 : index;
  return i < values.size() ? Value::real(values[i]) : Value::none();
}

/// Of the samples of a measure: NaN is none.
Value pick_known(std::span<const double> values, Index index) {
  const Value v = pick(values, index);
  return !v.is_none() && std::isnan(v.number()) ? Value::none() : v;
}

Value whole(const Value& v) {
  return v.is_none() ? v : Value::integer(static_cast<std::int64_t>(std::llround(v.number())));
}

Value Walk::measured(const Expr& e) {
  const MeasuredValues* m = env.measured;
  if (m == nullptr) {
    return Value::none();
  }
  switch (e.measured) {
    case Measured::Count:
      return whole(pick(m->count, e.index));
    case Measured::Distinct:
      return whole(pick(m->distinct, e.index));
    case Measured::Share:
      return pick(m->share, e.index);
    case Measured::Flaps:
      return whole(pick(m->flaps, e.index));
    case Measured::First:
      return m->first.ns == 0 ? Value::none() : Value::time(m->first);
    case Measured::Last:
      return m->last.ns == 0 ? Value::none() : Value::time(m->last);
    case Measured::Silence:
      return Value::duration(m->silence);
    case Measured::Affected:
      return make_set_in(env.arena, {m->affected.begin(), m->affected.end()});
    case Measured::AffectedCount:
      return Value::integer(static_cast<std::int64_t>(m->affected.size()));
    case Measured::SymptomCount:
      return Value::integer(static_cast<std::int64_t>(m->symptoms));
    case Measured::Customers:
      return make_set_in(env.arena, {m->customers.begin(), m->customers.end()});
    case Measured::CustomerCount:
      return Value::integer(static_cast<std::int64_t>(m->customers.size()));
    case Measured::Value:
      return pick_known(m->value, e.index);
    case Measured::Rate:
      return pick_known(m->rate, e.index);
    case Measured::Eta: {
      const Value seconds = pick_known(m->eta, e.index);
      return seconds.is_none() || !(seconds.number() < 9e9)
                 ? Value::none()
                 : Value::duration(Duration(static_cast<std::int64_t>(seconds.number() * 1e9)));
    }
  }
  return Value::none();
}

Value Walk::set_of(const Expr& e) {
  std::vector<Value> items;
  for (const Expr* arg : e.args) {
    items.push_back(eval(*arg));
  }
  return make_set_in(env.arena, std::move(items));
}

Value Walk::interpolate(const Expr& e) {
  std::string text;
  for (std::size_t i = 0; i < e.texts.size(); ++i) {
    text += e.texts[i];
    if (i < e.args.size()) {
      const Value v = eval(*e.args[i]);
      // A share is a proportion: people read per cent.
      const bool share =
          e.args[i]->kind == ExprKind::Measured && e.args[i]->measured == Measured::Share;
      text += share && v.is_number() ? fmt::format("{:.0f}%", v.number() * 100) : to_text(v);
    }
  }
  return make_text(text);
}

Value Walk::policy(const Expr& e) {
  if (env.program == nullptr) {
    return Value::none();
  }
  std::array<Value, 8> args;
  const std::size_t n = std::min(args.size(), e.args.size());
  for (std::size_t i = 0; i < n; ++i) {
    args[i] = eval(*e.args[i]);
  }
  Env inner = env;
  inner.vars = {args.data(), n};
  Walk walk{inner, steps, depth};
  const Value v = walk.policy_lines(e.index);
  steps = walk.steps;
  return v;
}

/// The first line whose condition holds; none when an argument is missing: nothing can be decided.
Value Walk::policy_lines(Index policy) {
  if (policy >= env.program->policies.size() ||
      std::any_of(env.vars.begin(), env.vars.end(), [](const Value& v) { return v.is_none(); })) {
    return Value::none();
  }
  for (const PolicyLine& line : env.program->policies[policy].lines) {
    if (line.condition == nullptr || eval(*line.condition).truth()) {
      return line.value == nullptr ? Value::none() : eval(*line.value);
    }
  }
  return Value::none();
}

Value Walk::eval(const Expr& e) {
  if (--steps <= 0 || depth >= kDepthMax) {
    return Value::none();
  }
  ++depth;
  const Value v = step(e);
  --depth;
  return v;
}

Value Walk::active(const Expr& e) {
  std::array<Value, 8> key;
  const std::size_t n = std::min(key.size(), e.args.size());
  for (std::size_t i = 0; i < n; ++i) {
    key[i] = eval(*e.args[i]);
  }
  return Value::boolean(env.active != nullptr && (*env.active)(e.index, {key.data(), n}));
}

Value Walk::in(const Expr& e) {
  const Value what = eval(*e.args[0]);
  const Value where = eval(*e.args[1]);
  steps -= static_cast<int>(where.items().size() / kItemsPerStep);
  return in_of(what, where);
}

/// `x ?? default`, `then if condition else otherwise`.
Value Walk::choose(const Expr& e) {
  if (e.kind == ExprKind::Coalesce) {
    const Value v = eval(*e.args[0]);
    return v.is_none() ? eval(*e.args[1]) : v;
  }
  if (eval(*e.args[1]).truth()) {
    return eval(*e.args[0]);
  }
  return e.args.size() > 2 && e.args[2] != nullptr ? eval(*e.args[2]) : Value::none();
}

Value Walk::during(const Expr& e) {
  const Value at = eval(*e.args[0]);
  return Value::boolean(at.type == Type::Time && e.index < env.program->calendars.size() &&
                        lies_in(env.program->calendars[e.index], Instant{at.i}));
}

Value Walk::graph(const Expr& e) {
  if (env.graph == nullptr) {
    return Value::boolean(false);
  }
  const Value x = eval(*e.args[0]);
  const Value y = e.args.size() > 1 ? eval(*e.args[1]) : Value::none();
  return Value::boolean((*env.graph)(e.kind, e.index, x, y));
}

Value Walk::step(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Const:
      return e.value;
    case ExprKind::Field:
      return field_of(e, env);
    case ExprKind::Varbind:
      return varbind_of(e, env);
    case ExprKind::Var:
      return e.index < env.vars.size() ? env.vars[e.index] : Value::none();
    case ExprKind::Column:
      return column(e);
    case ExprKind::Lookup:
      return lookup(e);
    case ExprKind::Related:
      return related_of(e, eval(*e.args[0]), eval(*e.args[1]), env);
    case ExprKind::RelatedSet:
      return related_set(e);
    case ExprKind::Not:
      return Value::boolean(!eval(*e.args[0]).truth());
    case ExprKind::Negate:
      return negate_of(eval(*e.args[0]));
    case ExprKind::And:
      return Value::boolean(eval(*e.args[0]).truth() && eval(*e.args[1]).truth());
    case ExprKind::Or:
      return Value::boolean(eval(*e.args[0]).truth() || eval(*e.args[1]).truth());
    case ExprKind::Equal:
      return Value::boolean(same(eval(*e.args[0]), eval(*e.args[1])));
    case ExprKind::NotEqual:
      return differ_of(eval(*e.args[0]), eval(*e.args[1]));
    case ExprKind::Less:
    case ExprKind::LessEqual:
    case ExprKind::Greater:
    case ExprKind::GreaterEqual:
      return Value::boolean(ordered(e.kind, compare(eval(*e.args[0]), eval(*e.args[1]))));
    case ExprKind::Add:
    case ExprKind::Subtract:
    case ExprKind::Multiply:
    case ExprKind::Divide:
      return arithmetic_of(e.kind, eval(*e.args[0]), eval(*e.args[1]));
    case ExprKind::In:
      return in(e);
    case ExprKind::Coalesce:
    case ExprKind::If:
      return choose(e);
    case ExprKind::IsNone:
      return Value::boolean(eval(*e.args[0]).is_none());
    case ExprKind::IsSome:
      return Value::boolean(!eval(*e.args[0]).is_none());
    case ExprKind::Unknown:
      return unknown_of(eval(*e.args[0]), env);
    case ExprKind::Interpolate:
      return interpolate(e);
    case ExprKind::SetOf:
      return set_of(e);
    case ExprKind::Active:
      return active(e);
    case ExprKind::Measured:
      return measured(e);
    case ExprKind::PolicyCall:
      return policy(e);
    case ExprKind::During:
      return during(e);
    case ExprKind::Behind:
    case ExprKind::CutOff:
    case ExprKind::Frontier:
    case ExprKind::Neighbour:
    case ExprKind::Ends:
      return graph(e);
  }
  return Value::none();
}

}  // namespace

Value evaluate(const Expr& expr, const Env& env) {
  const std::uint64_t before = env.steps == nullptr ? 0 : *env.steps;
  if (before >= env.steps_max) {
    return Value::none();
  }
  const int budget = static_cast<int>(env.steps_max - before);
  Walk walk{env, budget};
  const Value v = walk.eval(expr);
  if (env.steps != nullptr) {
    *env.steps += static_cast<std::uint64_t>(budget - std::max(walk.steps, 0));
  }
  // A part that was not asked counts as none inside: `not` of it would be true.
  return walk.steps <= 0 ? Value::none() : v;
}

bool holds(const Expr* expr, const Env& env) {
  return expr == nullptr || evaluate(*expr, env).truth();
}

std::string render_text(const Expr& expr, const Env& env) {
  const Value v = evaluate(expr, env);
  return v.is_none() ? std::string() : to_text(v);
}

bool compare_number(CompareOp op, double left, double right) {
  switch (op) {
    case CompareOp::GreaterEqual:
      return left >= right;
    case CompareOp::Greater:
      return left > right;
    case CompareOp::LessEqual:
      return left <= right;
    case CompareOp::Less:
      return left < right;
    case CompareOp::Equal:
      return left == right;
    case CompareOp::NotEqual:
      return left != right;
  }
  return false;
}

Value run_policy(const Program& program, Index policy, std::span<const Value> args, Arena& arena) {
  Env env;
  env.program = &program;
  env.vars = args;
  env.arena = &arena;
  return Walk{env, static_cast<int>(env.steps_max)}.policy_lines(policy);
}

}  // namespace belfry::rules
