#include "residual.hpp"

#include <algorithm>
#include <array>

#include "belfry/base/bytes.hpp"
#include "eval_ops.hpp"

namespace belfry::rules {
namespace {

/// Higher trees go to evaluate() whole, which bounds its own stack the same for all.
constexpr std::uint32_t kHeightMax = 300;

OpCode op_of(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Const:
      return e.value.type == Type::Set ? OpCode::Evaluate : OpCode::Nothing;
    case ExprKind::Field:
      return OpCode::Field;
    case ExprKind::Varbind:
      return OpCode::Varbind;
    case ExprKind::Var:
      return OpCode::Var;
    case ExprKind::Column:
      return OpCode::Column;
    case ExprKind::Lookup:
      return e.args.size() <= kLookupKeysMax ? OpCode::Lookup : OpCode::Evaluate;
    case ExprKind::Related:
      return OpCode::Related;
    case ExprKind::Not:
      return OpCode::Not;
    case ExprKind::Negate:
      return OpCode::Negate;
    case ExprKind::Equal:
      return OpCode::Equal;
    case ExprKind::NotEqual:
      return OpCode::NotEqual;
    case ExprKind::Less:
    case ExprKind::LessEqual:
    case ExprKind::Greater:
    case ExprKind::GreaterEqual:
      return OpCode::Order;
    case ExprKind::Add:
    case ExprKind::Subtract:
    case ExprKind::Multiply:
    case ExprKind::Divide:
      return OpCode::Arithmetic;
    case ExprKind::In:
      return OpCode::In;
    case ExprKind::IsNone:
      return OpCode::IsNone;
    case ExprKind::IsSome:
      return OpCode::IsSome;
    case ExprKind::Unknown:
      return OpCode::Unknown;
    case ExprKind::And:
    case ExprKind::Or:
      return OpCode::Truth;
    case ExprKind::Coalesce:
    case ExprKind::If:
      return OpCode::Copy;
    default:
      return OpCode::Evaluate;
  }
}

void write_value(const Value& v, ByteWriter& to) {
  to.u8(static_cast<std::uint8_t>(v.type));
  to.varint(v.aux);
  to.string(v.text);
  if (v.type == Type::Set) {
    to.varint(v.items().size());
    for (const Value& item : v.items()) {
      write_value(item, to);
    }
  } else {
    to.fixed64(static_cast<std::uint64_t>(v.i));  // of a float: its bits
  }
}

/// All of a node but its operands.
void write_node(const Expr& e, Index scope, ByteWriter& to) {
  to.u8(static_cast<std::uint8_t>(e.kind));
  to.u8(static_cast<std::uint8_t>(e.type));
  to.u8(static_cast<std::uint8_t>(e.item_type));
  to.varint(e.of);
  to.u8(static_cast<std::uint8_t>(e.field));
  to.u8(static_cast<std::uint8_t>(e.measured));
  to.varint(e.index);
  to.varint(e.table);
  to.varint(e.position);
  to.boolean(e.instance);
  to.string(e.kind == ExprKind::Field ? e.name : std::string_view());
  to.string(e.oid);
  to.varint(e.kind == ExprKind::Var ? scope : 0);
  if (e.kind == ExprKind::Const) {
    write_value(e.value, to);
  }
  for (const std::string_view text : e.texts) {
    to.string(text);
  }
}

}  // namespace

Register Residuals::node_of(const Expr& e, Index scope) {
  Node node;
  node.code = op_of(e);
  node.kind = e.kind;
  node.expr = &e;
  node.has_var = e.kind == ExprKind::Var;
  ByteWriter id;
  write_node(e, scope, id);
  for (const Expr* arg : e.args) {
    if (arg == nullptr) {  // an `if` without `else`
      continue;
    }
    const Register r = node_of(*arg, scope);
    node.args.push_back(r);
    node.has_var = node.has_var || nodes_[r].has_var;
    node.height = std::max(node.height, nodes_[r].height + 1);
    id.varint(r);
  }
  // What calls evaluate() reads the variables itself.
  if (node.height > kHeightMax) {
    node.code = OpCode::Evaluate;
  }
  if (node.has_var && node.code == OpCode::Evaluate) {
    id.varint(scope);
  }
  const auto [it, added] = known_.try_emplace(id.take(), static_cast<Register>(nodes_.size()));
  if (added) {
    nodes_.push_back(std::move(node));
  }
  return it->second;
}

std::uint32_t Residuals::add(const Expr& expr, Index scope) {
  const Register root = node_of(expr, scope);
  use(root);
  roots_.push_back(root);
  return static_cast<std::uint32_t>(roots_.size() - 1);
}

/// Counts who asks for a register: what only one asks for needs no look whether it is there.
void Residuals::use(Register node) {
  if (nodes_[node].uses++ > 0 || nodes_[node].code == OpCode::Evaluate) {
    return;
  }
  for (const Register arg : nodes_[node].args) {
    use(arg);
  }
}

void Residuals::finish() {
  known_.clear();
  for (const Register root : roots_) {
    Entry entry;
    entry.begin = static_cast<std::uint32_t>(code_.size());
    entry.result = root;
    emit(root);
    entry.end = static_cast<std::uint32_t>(code_.size());
    entries_.push_back(entry);
  }
}

std::uint32_t Residuals::jump(OpCode code, Register dst, Register a) {
  Op op;
  op.code = code;
  op.dst = dst;
  op.a = a;
  code_.push_back(op);
  return static_cast<std::uint32_t>(code_.size() - 1);
}

void Residuals::emit(Register r) {
  const OpCode code = nodes_[r].code;
  if (code == OpCode::Nothing) {
    return;
  }
  const bool is_shared = nodes_[r].uses > 1;
  const std::uint32_t known = is_shared ? jump(OpCode::Known, r, 0) : 0;
  if (code == OpCode::Truth || code == OpCode::Copy) {
    emit_lazy(r);
  } else {
    emit_strict(r);
  }
  if (is_shared) {
    land(known);
  }
}

void Residuals::emit_lazy(Register r) {
  const Node& node = nodes_[r];
  const Register a = node.args[0];
  const Register b = node.args[1];
  if (node.kind != ExprKind::If) {
    emit(a);
    const std::uint32_t done = jump(node.kind == ExprKind::And  ? OpCode::FalseUnless
                                    : node.kind == ExprKind::Or ? OpCode::TrueIf
                                                                : OpCode::CopyIfSome,
                                    r, a);
    emit(b);
    jump(node.code, r, b);
    land(done);
    return;
  }
  emit(b);  // `a if b else c`
  const std::uint32_t otherwise = jump(OpCode::UnlessTrue, r, b);
  emit(a);
  jump(OpCode::Copy, r, a);
  const std::uint32_t done = jump(OpCode::Jump, r, 0);
  land(otherwise);
  if (node.args.size() > 2) {
    emit(node.args[2]);
    jump(OpCode::Copy, r, node.args[2]);
  } else {
    jump(OpCode::Nothing, r, 0);
  }
  land(done);
}

void Residuals::emit_strict(Register r) {
  const Node& node = nodes_[r];
  Op op;
  op.code = node.code;
  op.kind = node.kind;
  op.dst = r;
  op.expr = node.expr;
  if (node.code != OpCode::Evaluate) {
    for (const Register arg : node.args) {
      emit(arg);
    }
    if (node.code == OpCode::Lookup) {
      op.a = static_cast<Register>(operands_.size());
      op.b = static_cast<Register>(node.args.size());
      operands_.insert(operands_.end(), node.args.begin(), node.args.end());
    } else {
      op.a = node.args.empty() ? 0 : node.args[0];
      op.b = node.args.size() < 2 ? 0 : node.args[1];
    }
  }
  code_.push_back(op);
}

Registers::Registers(const Residuals& residuals)
    : residuals_(residuals), values_(residuals.registers()), epochs_(residuals.registers()) {
  for (std::size_t r = 0; r < values_.size(); ++r) {
    if (residuals.nodes_[r].code == OpCode::Nothing) {
      values_[r] = residuals.nodes_[r].expr->value;
    }
  }
}

void Registers::next_event() {
  if (++epoch_ == 0) {
    std::fill(epochs_.begin(), epochs_.end(), 0);
    epoch_ = 1;
  }
}

/// What is not worth a place in the loop of run().
Value Registers::apply(const Op& op, const Env& env, std::uint64_t& steps) const {
  const Expr& e = *op.expr;
  switch (op.code) {
    case OpCode::Column:
      if (values_[op.a].type != Type::Set) {
        return column_of(values_[op.a], e, env);
      }
      break;
    case OpCode::Lookup: {
      std::array<Value, kLookupKeysMax> key;
      for (std::size_t i = 0; i < op.b; ++i) {
        key[i] = values_[residuals_.operands_[op.a + i]];
      }
      return lookup_of(e, {key.data(), op.b}, env);
    }
    case OpCode::Related:
      return related_of(e, values_[op.a], values_[op.b], env);
    case OpCode::Negate:
      return negate_of(values_[op.a]);
    case OpCode::NotEqual:
      return differ_of(values_[op.a], values_[op.b]);
    case OpCode::Arithmetic:
      return arithmetic_of(op.kind, values_[op.a], values_[op.b]);
    case OpCode::In:
      steps += values_[op.b].items().size() / 8;
      return in_of(values_[op.a], values_[op.b]);
    case OpCode::Unknown:
      return unknown_of(values_[op.a], env);
    default:
      break;
  }
  Env inner = env;
  inner.steps = &steps;
  return evaluate(e, inner);
}

bool Registers::equal(const Op& op) const {
  const Value& a = values_[op.a];
  const Value& b = values_[op.b];
  return a.type == Type::Int && b.type == Type::Int ? a.i == b.i : same(a, b);
}

bool Registers::in_order(const Op& op) const {
  const Value& a = values_[op.a];
  const Value& b = values_[op.b];
  const bool whole = a.type == Type::Int && b.type == Type::Int;
  return ordered(op.kind, whole ? (a.i > b.i) - (a.i < b.i) : compare(a, b));
}

/// Where it goes on after an op that may jump.
std::uint32_t Registers::go(const Op& op, std::uint32_t next) {
  switch (op.code) {
    case OpCode::Known:
      return epochs_[op.dst] == epoch_ ? op.target : next;
    case OpCode::UnlessTrue:
      return values_[op.a].truth() ? next : op.target;
    case OpCode::FalseUnless:
    case OpCode::TrueIf: {
      const bool ends = op.code == OpCode::TrueIf;
      if (values_[op.a].truth() != ends) {
        return next;
      }
      set(op.dst, ends);
      return op.target;
    }
    case OpCode::CopyIfSome:
      if (values_[op.a].is_none()) {
        return next;
      }
      set(op.dst, values_[op.a]);
      return op.target;
    default:
      return op.target;
  }
}

Value Registers::run(std::uint32_t added, const Env& env, bool& over) {
  const Residuals::Entry& entry = residuals_.entry(added);
  const Op* const code = residuals_.code_.data();
  std::uint64_t steps = 0;
  for (std::uint32_t at = entry.begin; at < entry.end;) {
    const Op& op = code[at];
    ++at;
    if (++steps >= env.steps_max) {
      over = true;
      return Value::none();
    }
    switch (op.code) {
      case OpCode::Copy:
        set(op.dst, values_[op.a]);
        break;
      case OpCode::Field:
        set(op.dst, field_of(*op.expr, env));
        break;
      case OpCode::Varbind:
        set(op.dst, varbind_of(*op.expr, env));
        break;
      case OpCode::Var:
        set(op.dst, op.expr->index < env.vars.size() ? env.vars[op.expr->index] : Value::none());
        break;
      case OpCode::Truth:
        set(op.dst, values_[op.a].truth());
        break;
      case OpCode::Not:
        set(op.dst, !values_[op.a].truth());
        break;
      case OpCode::Equal:
        set(op.dst, equal(op));
        break;
      case OpCode::Order:
        set(op.dst, in_order(op));
        break;
      case OpCode::IsNone:
      case OpCode::IsSome:
        set(op.dst, values_[op.a].is_none() == (op.code == OpCode::IsNone));
        break;
      case OpCode::Nothing:
        set(op.dst, Value::none());
        break;
      case OpCode::Known:
      case OpCode::Jump:
      case OpCode::UnlessTrue:
      case OpCode::FalseUnless:
      case OpCode::TrueIf:
      case OpCode::CopyIfSome:
        at = go(op, at);
        break;
      default: {
        const Value v = apply(op, env, steps);
        if (steps >= env.steps_max) {  // not kept: other lines have steps of their own
          over = true;
          return Value::none();
        }
        set(op.dst, v);
        break;
      }
    }
  }
  return values_[entry.result];
}

}  // namespace belfry::rules
