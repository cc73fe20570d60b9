// Evaluating typed expressions: a walk over the tree with a step budget. Texts and sets that it
// makes go into the arena of the environment; without one, such an expression gives none.
#include "belfry/rules/eval.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "belfry/model/oid.hpp"
#include "eval_types.hpp"

namespace belfry::rules {
namespace {

/// 100,000 steps are a millisecond: more than any sane title or condition, less than a hang.
constexpr int kStepsMax = 100'000;
/// Set items one evaluation may make.
constexpr std::size_t kSetItemsMax = 100'000;

/// Policies that call policies, expressions inside expressions: bounds the stack.
constexpr int kDepthMax = 400;

struct Walk {
  const Env& env;
  int steps = kStepsMax;
  int depth = 0;

  Value eval(const Expr& e);
  Value field(const Expr& e) const;
  Value varbind(const Expr& e) const;
  Value column(const Expr& e);
  Value column_of(const Value& row, const Expr& e) const;
  Value lookup(const Expr& e);
  Value related_set(const Expr& e);
  Value arithmetic(const Expr& e);
  Value in(const Expr& e);
  Value choose(const Expr& e);
  Value differ(const Expr& e);
  Value related(const Expr& e);
  Value negate(const Expr& e);
  Value unknown(const Expr& e);
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

Value text_or_none(std::string_view text) {
  return text.empty() ? Value::none() : Value::string(text);
}

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

const Schema* schema_of(const Env& env) {
  return env.inventory != nullptr                                   ? &env.inventory->schema()
         : env.program != nullptr && env.program->schema != nullptr ? env.program->schema.get()
                                                                    : nullptr;
}

Value severity_value(const Program* program, Severity severity) {
  if (program == nullptr || program->enums.severity == kNone) {
    return Value::enumerator(kNone, static_cast<std::int64_t>(severity), belfry::name(severity));
  }
  return Value::enumerator(program->enums.severity, static_cast<std::int64_t>(severity),
                           belfry::name(severity));
}

Value Walk::field(const Expr& e) const {
  const Event* event = env.event;
  if (event == nullptr) {
    return Value::none();
  }
  switch (e.field) {
    case EventField::Node:
      return event->node.empty()   ? Value::none()
             : e.type == Type::Row ? Value::row(e.of, event->node)
                                   : Value::string(event->node);
    case EventField::Via:
      return text_or_none(event->via);
    case EventField::From:
      return text_or_none(event->from);
    case EventField::Ifname:
      return text_or_none(event->ifname);
    case EventField::Raw:
      return text_or_none(event->raw);
    case EventField::Msg:
      return text_or_none(event->message);
    case EventField::App:
      return text_or_none(event->app);
    case EventField::Level:
      return event->severity > 7 ? Value::none()
                                 : severity_value(env.program, severity_of_syslog(event->severity));
    case EventField::Host:
      return text_or_none(event->host);
    case EventField::Pid:
      return text_or_none(event->pid);
    case EventField::Msgid:
      return text_or_none(event->msgid);
    case EventField::Tag:
      return text_or_none(event->tag);
    case EventField::Vendor:
      return text_or_none(event->vendor);
    case EventField::Facility:
      return event->facility > 23 ? Value::none() : Value::integer(event->facility);
    case EventField::Oid:
      return event->trap_oid.empty() ? Value::none() : Value::of_text(Type::Oid, event->trap_oid);
    case EventField::Stamp:
      return event->stamp.ns == 0 ? Value::none() : Value::time(event->stamp);
    case EventField::Repeat:
      return Value::integer(event->repeat);
    case EventField::Valid:
      return Value::boolean(event->valid);
    case EventField::Type:
      return text_or_none(event->type);
    case EventField::Agent:
      return text_or_none(event->agent);
    case EventField::Id:
      return text_or_none(event->id);
    case EventField::Attr:
      for (const Attr& attr : event->attrs) {
        if (attr.name == e.name) {
          return typed_value(attr.value, e.type, e.of, schema_of(env), env.arena);
        }
      }
      return Value::none();
  }
  return Value::none();
}

/// The value of a varbind in the type that a rule sees: numbers, OIDs, addresses, texts.
Value varbind_value(const Varbind& vb, Arena* arena) {
  switch (vb.type) {
    case VarType::Integer:
    case VarType::Counter32:
    case VarType::Gauge32:
    case VarType::TimeTicks:
    case VarType::Counter64:
    case VarType::UInteger32:
      return Value::integer(vb.number);
    case VarType::ObjectId:
      return Value::of_text(Type::Oid, vb.bytes);
    case VarType::IpAddress: {
      if (vb.bytes.size() != 4 || arena == nullptr) {
        return Value::none();
      }
      const auto byte = [&](std::size_t i) {
        return static_cast<unsigned>(static_cast<unsigned char>(vb.bytes[i]));
      };
      std::array<char, 16> text{};
      const auto end = fmt::format_to_n(text.data(), text.size(), "{}.{}.{}.{}", byte(0), byte(1),
                                        byte(2), byte(3));
      return Value::of_text(Type::Ip, arena->copy({text.data(), end.size}));
    }
    default:
      return Value::none();
  }
}

Value Walk::varbind(const Expr& e) const {
  if (env.event == nullptr) {
    return Value::none();
  }
  const auto varbinds = env.event->varbinds;
  const Varbind* found = nullptr;
  if (e.position > 0) {
    found = e.position <= varbinds.size() ? &varbinds[e.position - 1] : nullptr;
  } else {
    for (const Varbind& vb : varbinds) {
      if (oid_under(vb.oid, e.oid)) {
        found = &vb;
        break;
      }
    }
  }
  if (found == nullptr) {
    return Value::none();
  }
  if (e.instance) {
    // The rest of the OID as text `7.3`: octets after the prefix, read as sub-identifiers.
    const std::string_view rest = found->oid.substr(std::min(e.oid.size(), found->oid.size()));
    std::string text;
    std::uint64_t arc = 0;
    for (const char c : rest) {
      const auto byte = static_cast<unsigned char>(c);
      arc = (arc << 7) | (byte & 0x7fU);
      if ((byte & 0x80U) == 0) {
        text += fmt::format("{}{}", text.empty() ? "" : ".", arc);
        arc = 0;
      }
    }
    return text.empty() ? Value::none()
                        : typed_value(make_text(text), e.type, e.of, schema_of(env), env.arena);
  }
  if (found->type == VarType::OctetString || found->type == VarType::Opaque) {
    return typed_octets(found->bytes, e.type, e.of, schema_of(env), env.arena);
  }
  // The type is known only on the wire: what the rule wants of it decides.
  return typed_value(varbind_value(*found, env.arena), e.type, e.of, schema_of(env), env.arena);
}

Value Walk::column_of(const Value& row, const Expr& e) const {
  if (row.type != Type::Row || env.inventory == nullptr) {
    return Value::none();
  }
  const Schema& schema = env.inventory->schema();
  const Index table = row.aux;
  if (table >= schema.tables.size()) {
    return Value::none();
  }
  const Row* found = env.inventory->find(table, row.text);
  if (found != nullptr) {
    return e.index < found->cells.size() ? found->cells[e.index] : Value::none();
  }
  // An unknown row has its key and nothing else.
  const TableSchema& t = schema.tables[table];
  std::string_view rest = row.text;
  for (const std::uint32_t key_column : t.key) {
    const std::string_view part = rest.substr(0, rest.find('\x1f'));
    if (key_column == e.index) {
      const ColumnSchema& c = t.columns[key_column];
      return typed_text(part, c.type, c.of, &schema, env.arena);
    }
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return Value::none();
}

Value Walk::column(const Expr& e) {
  const Value from = eval(*e.args[0]);
  if (from.type != Type::Set) {
    return column_of(from, e);
  }
  std::vector<Value> items;
  for (const Value& row : from.items()) {
    const Value v = column_of(row, e);
    if (v.type == Type::Set) {
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
  if (env.inventory == nullptr) {
    return Value::none();
  }
  std::array<Value, 8> key;
  const std::size_t n = std::min(key.size(), e.args.size());
  for (std::size_t i = 0; i < n; ++i) {
    key[i] = eval(*e.args[i]);
    if (key[i].is_none()) {
      return Value::none();
    }
  }
  const Row* row = env.inventory->find(e.table, std::span<const Value>(key.data(), n));
  return row == nullptr ? Value::none() : Value::row(e.table, row->key);
}

Value Walk::related_set(const Expr& e) {
  const Value from = eval(*e.args[0]);
  if (from.is_none() || env.inventory == nullptr || env.arena == nullptr) {
    return Value::none();
  }
  std::vector<Value> items;
  const auto add = [&](const Value& x) {
    const auto more = env.inventory->forward(e.index, x);
    items.insert(items.end(), more.begin(), more.end());
  };
  if (from.type == Type::Set) {
    for (const Value& x : from.items()) {
      add(x);
    }
  } else {
    add(from);
  }
  return make_set_in(env.arena, std::move(items));
}

/// Equal as the language has it. A text off the wire equals the address, row or word it spells.
bool same(const Value& a, const Value& b) {
  const auto spelt = [](Type type) {
    return type == Type::Ip || type == Type::Cidr || type == Type::Mac || type == Type::Enum ||
           type == Type::Row;
  };
  if ((a.type == Type::String && spelt(b.type)) || (b.type == Type::String && spelt(a.type))) {
    return a.text == b.text;
  }
  return a == b;
}

Value Walk::in(const Expr& e) {
  const Value what = eval(*e.args[0]);
  const Value where = eval(*e.args[1]);
  if (what.is_none() || where.is_none()) {
    return Value::boolean(false);
  }
  if (where.type == Type::Cidr) {
    return Value::boolean(in_cidr(what.text, where.text));
  }
  if (where.type == Type::Set) {
    const auto items = where.items();
    return Value::boolean(std::any_of(items.begin(), items.end(), [&](const Value& v) {
      return same(v, what) ||
             (v.type == Type::Cidr && what.type == Type::Ip && in_cidr(what.text, v.text));
    }));
  }
  return Value::boolean(same(where, what));
}

/// What a duration can be divided by; 0 for everything else.
double divisor(const Value& v) {
  return v.type == Type::Duration ? static_cast<double>(v.i) : v.is_number() ? v.number() : 0;
}

Value Walk::arithmetic(const Expr& e) {
  const Value a = eval(*e.args[0]);
  const Value b = eval(*e.args[1]);
  if (a.is_none() || b.is_none()) {
    return Value::none();
  }
  if (a.is_number() && b.is_number()) {
    if (a.type == Type::Int && b.type == Type::Int && e.kind != ExprKind::Divide) {
      std::int64_t r = 0;
      const bool overflow = e.kind == ExprKind::Add        ? __builtin_add_overflow(a.i, b.i, &r)
                            : e.kind == ExprKind::Subtract ? __builtin_sub_overflow(a.i, b.i, &r)
                                                           : __builtin_mul_overflow(a.i, b.i, &r);
      return overflow ? Value::none() : Value::integer(r);
    }
    const double x = a.number();
    const double y = b.number();
    const double r = e.kind == ExprKind::Add        ? x + y
                     : e.kind == ExprKind::Subtract ? x - y
                     : e.kind == ExprKind::Multiply ? x * y
                     : y == 0                       ? NAN
                                                    : x / y;
    return std::isfinite(r) ? Value::real(r) : Value::none();
  }
  // Times and durations: time - time, time +- duration, duration +- duration, duration * number.
  std::int64_t r = 0;
  if (e.kind == ExprKind::Subtract && a.type == Type::Time && b.type == Type::Time) {
    return __builtin_sub_overflow(a.i, b.i, &r) ? Value::none() : Value::duration(Duration(r));
  }
  const bool dates = (a.type == Type::Time || a.type == Type::Duration) && b.type == Type::Duration;
  if (dates && (e.kind == ExprKind::Add || e.kind == ExprKind::Subtract)) {
    const bool overflow = e.kind == ExprKind::Add ? __builtin_add_overflow(a.i, b.i, &r)
                                                  : __builtin_sub_overflow(a.i, b.i, &r);
    return overflow               ? Value::none()
           : a.type == Type::Time ? Value::time(Instant{r})
                                  : Value::duration(Duration(r));
  }
  if (e.kind == ExprKind::Multiply && a.type == Type::Duration && b.is_number()) {
    const double d = static_cast<double>(a.i) * b.number();
    return std::abs(d) < 9e18 ? Value::duration(Duration(static_cast<std::int64_t>(d)))
                              : Value::none();
  }
  if (e.kind == ExprKind::Divide && a.type == Type::Duration && divisor(b) != 0) {
    const double d = static_cast<double>(a.i) / divisor(b);
    if (b.type == Type::Duration) {
      return Value::real(d);
    }
    return std::abs(d) < 9e18 ? Value::duration(Duration(static_cast<std::int64_t>(d)))
                              : Value::none();
  }
  return Value::none();
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

bool ordered(ExprKind kind, int order) {
  switch (kind) {
    case ExprKind::Less:
      return order == -1;
    case ExprKind::LessEqual:
      return order == -1 || order == 0;
    case ExprKind::Greater:
      return order == 1;
    case ExprKind::GreaterEqual:
      return order == 1 || order == 0;
    default:
      return false;
  }
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

Value Walk::related(const Expr& e) {
  const Value a = eval(*e.args[0]);
  const Value b = eval(*e.args[1]);
  return Value::boolean(env.inventory != nullptr && !a.is_none() && !b.is_none() &&
                        env.inventory->related(e.index, a, b));
}

Value Walk::negate(const Expr& e) {
  const Value v = eval(*e.args[0]);
  return v.type == Type::Int        ? Value::integer(v.i == INT64_MIN ? v.i : -v.i)
         : v.type == Type::Float    ? Value::real(-v.f)
         : v.type == Type::Duration ? Value::duration(Duration(v.i == INT64_MIN ? v.i : -v.i))
                                    : Value::none();
}

Value Walk::unknown(const Expr& e) {
  const Value v = eval(*e.args[0]);
  return Value::boolean(v.type == Type::Row && (env.inventory == nullptr ||
                                                env.inventory->find(v.aux, v.text) == nullptr));
}

Value Walk::active(const Expr& e) {
  std::array<Value, 8> key;
  const std::size_t n = std::min(key.size(), e.args.size());
  for (std::size_t i = 0; i < n; ++i) {
    key[i] = eval(*e.args[i]);
  }
  return Value::boolean(env.active != nullptr && (*env.active)(e.index, {key.data(), n}));
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

Value Walk::differ(const Expr& e) {
  const Value a = eval(*e.args[0]);
  const Value b = eval(*e.args[1]);
  return Value::boolean(!a.is_none() && !b.is_none() && !same(a, b));
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
      return field(e);
    case ExprKind::Varbind:
      return varbind(e);
    case ExprKind::Var:
      return e.index < env.vars.size() ? env.vars[e.index] : Value::none();
    case ExprKind::Column:
      return column(e);
    case ExprKind::Lookup:
      return lookup(e);
    case ExprKind::Related:
      return related(e);
    case ExprKind::RelatedSet:
      return related_set(e);
    case ExprKind::Not:
      return Value::boolean(!eval(*e.args[0]).truth());
    case ExprKind::Negate:
      return negate(e);
    case ExprKind::And:
      return Value::boolean(eval(*e.args[0]).truth() && eval(*e.args[1]).truth());
    case ExprKind::Or:
      return Value::boolean(eval(*e.args[0]).truth() || eval(*e.args[1]).truth());
    case ExprKind::Equal:
      return Value::boolean(same(eval(*e.args[0]), eval(*e.args[1])));
    case ExprKind::NotEqual:
      return differ(e);
    case ExprKind::Less:
    case ExprKind::LessEqual:
    case ExprKind::Greater:
    case ExprKind::GreaterEqual:
      return Value::boolean(ordered(e.kind, compare(eval(*e.args[0]), eval(*e.args[1]))));
    case ExprKind::Add:
    case ExprKind::Subtract:
    case ExprKind::Multiply:
    case ExprKind::Divide:
      return arithmetic(e);
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
      return unknown(e);
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

Value evaluate(const Expr& expr, const Env& env) { return Walk{env}.eval(expr); }

bool holds(const Expr* expr, const Env& env) {
  return expr == nullptr || Walk{env}.eval(*expr).truth();
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
  return Walk{env}.policy_lines(policy);
}

}  // namespace belfry::rules
