#pragma once
// Evaluating typed expressions. Total: what is missing gives none, never an exception; a step
// budget bounds the work of one evaluation.
#include <functional>
#include <span>
#include <string>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::rules {

/// What a pattern measured for one incident; the fold fills it before titles and thresholds.
struct MeasuredValues {
  std::span<const double> count, distinct, share, flaps;  ///< by name_index
  Instant first{0}, last{0};
  Duration silence{0};
  std::span<const Value> affected;  ///< keys of the contributing leaf (its first parameter)
  std::uint64_t symptoms = 0;
  std::span<const Value> customers;
};

/// Asks whether a signal is active for a key; given by the fold, absent at the door.
using ActiveQuery = std::function<bool(Index signal, std::span<const Value> key)>;

struct Env {
  const Program* program = nullptr;
  const Inventory* inventory = nullptr;
  const Event* event = nullptr;  ///< stateless half only
  std::span<const Value> vars;
  const MeasuredValues* measured = nullptr;
  const ActiveQuery* active = nullptr;
  Arena* arena = nullptr;  ///< for texts and sets that evaluation makes
};

Value evaluate(const Expr& expr, const Env& env);
/// evaluate() is true; none and everything else is false.
bool holds(const Expr* expr, const Env& env);  ///< nullptr holds
/// The text of a value as a title shows it (rows by key, sets joined by ", ").
std::string render_text(const Expr& expr, const Env& env);
/// Compares with the operator of an aggregate.
bool compare_number(CompareOp op, double left, double right);
/// First matching line of a policy; none when an argument it needs is missing.
Value run_policy(const Program& program, Index policy, std::span<const Value> args, Arena& arena);

}  // namespace belfry::rules
