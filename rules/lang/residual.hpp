#pragma once
// Residuals: the conditions and keys of lines as register bytecode over one event (LANGUAGE 10.3).
// Equal parts are one register over all lines of the program, computed at most once per event:
//
//   var[3] == 7 and node.role == "core"      r1 <- varbind 3      r3 <- node      r6 <- r2 and r5
//   var[3] == 8 and node.role == "core"      r2 <- r1 == 7        r4 <- r3.role   ...
//                                            r7 <- r1 == 8        r5 <- r4 == "core"
//
// Gives what evaluate() gives. What is rare (policies, sets, texts) calls evaluate(). Private to
// rules. Thread: Residuals any, once finished; Registers one thread.
#include <cstdint>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "belfry/rules/eval.hpp"

namespace belfry::rules {

using Register = std::uint32_t;

enum class OpCode : std::uint8_t {
  Field,
  Varbind,
  Var,
  Column,
  Lookup,  ///< operands [a, a + b)
  Related,
  Not,
  Negate,
  Equal,
  NotEqual,
  Order,  ///< `kind` says which
  Arithmetic,
  In,
  IsNone,
  IsSome,
  Unknown,
  Evaluate,     ///< the whole expression by evaluate()
  Known,        ///< goes to `target` when `dst` was computed for this event
  Copy,         ///< dst <- a
  Truth,        ///< dst <- a is true
  Nothing,      ///< dst <- none
  Jump,         ///< to `target`
  UnlessTrue,   ///< a is not true: to `target`
  FalseUnless,  ///< a is not true: dst <- false, to `target`
  TrueIf,       ///< a is true: dst <- true, to `target`
  CopyIfSome,   ///< a is some: dst <- a, to `target`
};

struct Op {
  OpCode code = OpCode::Nothing;
  ExprKind kind = ExprKind::Const;
  Register dst = 0, a = 0, b = 0;
  std::uint32_t target = 0;
  const Expr* expr = nullptr;
};

class Residuals {
 public:
  /// One that was added; the code is ready after finish(). Variables are those of `scope`: the
  /// holes of one template. `expr` lives as long as this.
  std::uint32_t add(const Expr& expr, Index scope);
  void finish();

  /// The number of the expression as a value: equal ones (in one scope, or without variables) are
  /// equal numbers.
  Register value_of(const Expr& expr, Index scope) { return node_of(expr, scope); }
  bool is_constant(Register node) const { return nodes_[node].code == OpCode::Nothing; }

  struct Entry {
    std::uint32_t begin = 0, end = 0;  ///< of the code
    Register result = 0;
  };
  const Entry& entry(std::uint32_t added) const { return entries_[added]; }
  std::size_t registers() const { return nodes_.size(); }
  std::size_t ops() const { return code_.size(); }

 private:
  friend class Registers;
  struct Node {
    OpCode code = OpCode::Nothing;  ///< Nothing: a constant
    ExprKind kind = ExprKind::Const;
    const Expr* expr = nullptr;
    std::vector<Register> args;
    std::uint32_t uses = 0;
    std::uint32_t height = 0;
    bool has_var = false;
  };

  Register node_of(const Expr& expr, Index scope);
  void use(Register node);
  void emit(Register node);
  void emit_lazy(Register node);
  void emit_strict(Register node);
  std::uint32_t jump(OpCode code, Register dst, Register a);
  void land(std::uint32_t op) { code_[op].target = static_cast<std::uint32_t>(code_.size()); }

  std::vector<Node> nodes_;
  absl::flat_hash_map<std::string, Register> known_;
  std::vector<Register> roots_;
  std::vector<Entry> entries_;
  std::vector<Op> code_;
  std::vector<Register> operands_;
};

/// The registers of one thread.
class Registers {
 public:
  explicit Registers(const Residuals& residuals);
  /// Forgets what was computed for the last event.
  void next_event();
  /// `env.steps_max` bounds it; `over` is set when that was not enough (then the value is none).
  Value run(std::uint32_t added, const Env& env, bool& over);

 private:
  Value apply(const Op& op, const Env& env, std::uint64_t& steps) const;
  std::uint32_t go(const Op& op, std::uint32_t next);
  bool equal(const Op& op) const;
  bool in_order(const Op& op) const;
  void set(Register r, const Value& v) {
    values_[r] = v;
    epochs_[r] = epoch_;
  }
  void set(Register r, bool truth) {
    values_[r].type = Type::Bool;
    values_[r].aux = 0;
    values_[r].i = truth ? 1 : 0;
    values_[r].text = {};
    epochs_[r] = epoch_;
  }

  const Residuals& residuals_;
  std::vector<Value> values_;
  std::vector<std::uint32_t> epochs_;  ///< when the register was computed
  std::uint32_t epoch_ = 0;
};

}  // namespace belfry::rules
