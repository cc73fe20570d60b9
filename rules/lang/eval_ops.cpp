// Operations on values: what evaluate() and the bytecode of conditions share, so that both compute
// the same.
#include "eval_ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "belfry/model/mib_names.hpp"
#include "belfry/model/oid.hpp"
#include "eval_types.hpp"

namespace belfry::rules {
namespace {

Value text_or_none(std::string_view text) {
  return text.empty() ? Value::none() : Value::string(text);
}

Value severity_value(const Program* program, Severity severity) {
  if (program == nullptr || program->enums.severity == kNone) {
    return Value::enumerator(kNone, static_cast<std::int64_t>(severity), belfry::name(severity));
  }
  return Value::enumerator(program->enums.severity, static_cast<std::int64_t>(severity),
                           belfry::name(severity));
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

/// What a duration can be divided by; 0 for everything else.
double divisor(const Value& v) {
  return v.type == Type::Duration ? static_cast<double>(v.i) : v.is_number() ? v.number() : 0;
}

}  // namespace

const Schema* schema_of(const Env& env) {
  return env.inventory != nullptr                                   ? &env.inventory->schema()
         : env.program != nullptr && env.program->schema != nullptr ? env.program->schema.get()
                                                                    : nullptr;
}

Value field_of(const Expr& e, const Env& env) {
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

Value varbind_of(const Expr& e, const Env& env) {
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
    std::size_t named = e.oid.size();
    if (e.oid.empty()) {  // by position: what its name does not cover
      const auto name = mib_find(found->oid);
      named = name ? name->octets : 0;
    }
    const std::string_view rest = found->oid.substr(std::min(named, found->oid.size()));
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
    return text.empty()
               ? Value::none()
               : typed_value(text_in(env.arena, text), e.type, e.of, schema_of(env), env.arena);
  }
  if (found->type == VarType::OctetString || found->type == VarType::Opaque) {
    return typed_octets(found->bytes, e.type, e.of, schema_of(env), env.arena);
  }
  // The type is known only on the wire: what the rule wants of it decides.
  return typed_value(varbind_value(*found, env.arena), e.type, e.of, schema_of(env), env.arena);
}

Value column_of(const Value& row, const Expr& e, const Env& env) {
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

Value in_of(const Value& what, const Value& where) {
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

Value arithmetic_of(ExprKind kind, const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) {
    return Value::none();
  }
  if (a.is_number() && b.is_number()) {
    if (a.type == Type::Int && b.type == Type::Int && kind != ExprKind::Divide) {
      std::int64_t r = 0;
      const bool overflow = kind == ExprKind::Add        ? __builtin_add_overflow(a.i, b.i, &r)
                            : kind == ExprKind::Subtract ? __builtin_sub_overflow(a.i, b.i, &r)
                                                         : __builtin_mul_overflow(a.i, b.i, &r);
      return overflow ? Value::none() : Value::integer(r);
    }
    const double x = a.number();
    const double y = b.number();
    const double r = kind == ExprKind::Add        ? x + y
                     : kind == ExprKind::Subtract ? x - y
                     : kind == ExprKind::Multiply ? x * y
                     : y == 0                     ? NAN
                                                  : x / y;
    return std::isfinite(r) ? Value::real(r) : Value::none();
  }
  // Times and durations: time - time, time +- duration, duration +- duration, duration * number.
  std::int64_t r = 0;
  if (kind == ExprKind::Subtract && a.type == Type::Time && b.type == Type::Time) {
    return __builtin_sub_overflow(a.i, b.i, &r) ? Value::none() : Value::duration(Duration(r));
  }
  const bool dates = (a.type == Type::Time || a.type == Type::Duration) && b.type == Type::Duration;
  if (dates && (kind == ExprKind::Add || kind == ExprKind::Subtract)) {
    const bool overflow = kind == ExprKind::Add ? __builtin_add_overflow(a.i, b.i, &r)
                                                : __builtin_sub_overflow(a.i, b.i, &r);
    return overflow               ? Value::none()
           : a.type == Type::Time ? Value::time(Instant{r})
                                  : Value::duration(Duration(r));
  }
  if (kind == ExprKind::Multiply && a.type == Type::Duration && b.is_number()) {
    const double d = static_cast<double>(a.i) * b.number();
    return std::abs(d) < 9e18 ? Value::duration(Duration(static_cast<std::int64_t>(d)))
                              : Value::none();
  }
  if (kind == ExprKind::Divide && a.type == Type::Duration && divisor(b) != 0) {
    const double d = static_cast<double>(a.i) / divisor(b);
    if (b.type == Type::Duration) {
      return Value::real(d);
    }
    return std::abs(d) < 9e18 ? Value::duration(Duration(static_cast<std::int64_t>(d)))
                              : Value::none();
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

Value negate_of(const Value& v) {
  return v.type == Type::Int        ? Value::integer(v.i == INT64_MIN ? v.i : -v.i)
         : v.type == Type::Float    ? Value::real(-v.f)
         : v.type == Type::Duration ? Value::duration(Duration(v.i == INT64_MIN ? v.i : -v.i))
                                    : Value::none();
}

Value differ_of(const Value& a, const Value& b) {
  return Value::boolean(!a.is_none() && !b.is_none() && !same(a, b));
}

Value lookup_of(const Expr& e, std::span<const Value> key, const Env& env) {
  if (env.inventory == nullptr ||
      std::any_of(key.begin(), key.end(), [](const Value& v) { return v.is_none(); })) {
    return Value::none();
  }
  const Row* row = env.inventory->find(e.table, key);
  return row == nullptr ? Value::none() : Value::row(e.table, row->key);
}

Value related_of(const Expr& e, const Value& a, const Value& b, const Env& env) {
  return Value::boolean(env.inventory != nullptr && !a.is_none() && !b.is_none() &&
                        env.inventory->related(e.index, a, b));
}

Value unknown_of(const Value& v, const Env& env) {
  return Value::boolean(v.type == Type::Row && (env.inventory == nullptr ||
                                                env.inventory->find(v.aux, v.text) == nullptr));
}

}  // namespace belfry::rules
