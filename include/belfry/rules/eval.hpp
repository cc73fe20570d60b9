#pragma once
// Evaluating typed expressions. Total: what is missing gives none, never an exception; a step
// budget bounds the work of one evaluation.
#include <functional>
#include <span>
#include <string>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/budget.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::rules {

/// What a pattern measured for one incident; the fold fills it before titles and thresholds.
struct MeasuredValues {
  std::span<const double> count, distinct, share, flaps;  ///< by name_index
  /// By name_index over all aggregates of measures; NaN = none. `value` falls back on the newest
  /// sample of the pattern's first measure. eta in seconds, rate per second.
  std::span<const double> value, rate, eta;
  Instant first{0}, last{0};
  Duration silence{0};
  std::span<const Value> affected;  ///< keys of the contributing leaf (its first parameter)
  std::uint64_t symptoms = 0;
  std::span<const Value> customers;
};

/// Asks whether a signal is active for a key; given by the fold, absent at the door.
using ActiveQuery = std::function<bool(Index signal, std::span<const Value> key)>;
/// Answers what is asked of a graph (Behind to Ends); given by whoever keeps its live state.
/// Absent: the answer is false.
using GraphQuery = std::function<bool(ExprKind what, Index graph, const Value& x, const Value& y)>;

struct Env {
  const Program* program = nullptr;
  const Inventory* inventory = nullptr;
  const Event* event = nullptr;  ///< stateless half only
  std::span<const Value> vars;
  const MeasuredValues* measured = nullptr;
  const ActiveQuery* active = nullptr;
  const GraphQuery* graph = nullptr;
  Arena* arena = nullptr;                         ///< for texts and sets that evaluation makes
  std::uint32_t steps_max = kEvaluationStepsMax;  ///< what is over gives none
  /// Counts the steps taken, when someone asks; those taken before count against steps_max too, so
  /// that several expressions can share one budget.
  std::uint64_t* steps = nullptr;
};

Value evaluate(const Expr& expr, const Env& env);
/// evaluate() is true; none and everything else is false.
bool holds(const Expr* expr, const Env& env);  ///< nullptr holds
/// The text of a value as a title shows it (rows by key, sets joined by ", ").
std::string render_text(const Expr& expr, const Env& env);
/// Compares with the operator of an aggregate.
bool compare_number(CompareOp op, double left, double right);
/// `at` lies in the calendar: its days and hours in its zone, less its days off.
bool lies_in(const Calendar& calendar, Instant at);
/// First instant from `at` on that lies in it; kNever when it does not open in three years.
Instant opens_at(const Calendar& calendar, Instant at);
/// First matching line of a policy; none when an argument it needs is missing.
Value run_policy(const Program& program, Index policy, std::span<const Value> args, Arena& arena);

}  // namespace belfry::rules
