#pragma once
// Operations on values: what evaluate() and the bytecode of conditions share, so that both compute
// the same. Total: what is missing or of no fitting type gives none or false. Private to rules.
#include <span>
#include <string_view>

#include "belfry/rules/eval.hpp"

namespace belfry::rules {

/// Key columns of a look-up.
inline constexpr std::size_t kLookupKeysMax = 8;

const Schema* schema_of(const Env& env);
/// A text that evaluation made; none without an arena to keep it.
inline Value text_in(Arena* arena, std::string_view text) {
  return arena == nullptr ? Value::none() : Value::string(arena->copy(text));
}

Value field_of(const Expr& e, const Env& env);
Value varbind_of(const Expr& e, const Env& env);
Value column_of(const Value& row, const Expr& e, const Env& env);  ///< of one row
Value lookup_of(const Expr& e, std::span<const Value> key, const Env& env);
Value related_of(const Expr& e, const Value& a, const Value& b, const Env& env);
Value unknown_of(const Value& v, const Env& env);
/// Equal as the language has it. A text off the wire equals the address, row or word it spells.
bool same(const Value& a, const Value& b);
Value differ_of(const Value& a, const Value& b);
Value in_of(const Value& what, const Value& where);
/// Add, Subtract, Multiply, Divide.
Value arithmetic_of(ExprKind kind, const Value& a, const Value& b);
/// Less to GreaterEqual of what compare() said.
bool ordered(ExprKind kind, int order);
Value negate_of(const Value& v);

}  // namespace belfry::rules
