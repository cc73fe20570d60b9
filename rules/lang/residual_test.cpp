#include "residual.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "clause_index.hpp"
#include "eval_ops.hpp"
#include "expressions_for_test.hpp"

namespace belfry::rules {
namespace {

using namespace belfry::rules::test;

// LANGUAGE 10.3: the bytecode gives what evaluate() gives, in whatever order lines ask, with every
// equal part computed once.
TEST(Residuals, BytecodeIsEvaluate) {
  const auto tables = schema();
  const auto rows = inventory(tables);
  Program program;
  program.schema = tables;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Expressions random(seed);
    Residuals residuals;
    std::vector<const Expr*> wanted;
    for (int i = 0; i < 40; ++i) {
      wanted.push_back(i % 2 == 0 ? random.condition(4) : random.any(3));
      ASSERT_EQ(residuals.add(*wanted.back(), 0), static_cast<std::uint32_t>(i));
    }
    residuals.finish();
    Registers registers(residuals);
    for (int round = 0; round < 30; ++round) {
      const RandomEvent random_event(random);
      Arena arena;
      Env env;
      env.program = &program;
      env.inventory = rows.get();
      env.event = &random_event.event;
      env.vars = random_event.holes;
      env.arena = &arena;
      registers.next_event();
      for (int ask = 0; ask < 40; ++ask) {
        const std::uint32_t i = random.pick(40);
        bool over = false;
        ASSERT_EQ(shown(registers.run(i, env, over)), shown(evaluate(*wanted[i], env)))
            << "seed " << seed << ", expression " << i;
        ASSERT_FALSE(over);
      }
    }
  }
}

TEST(Residuals, EqualPartsAreOneRegisterAndScopesKeepTheirVariables) {
  std::deque<Expr> all;
  const auto make = [&](ExprKind kind, std::vector<const Expr*> args = {}) {
    Expr& e = all.emplace_back();
    e.kind = kind;
    e.args = std::move(args);
    return &e;
  };
  const auto var_is = [&](std::int64_t n) {
    Expr* var = make(ExprKind::Var);
    var->index = 0;
    Expr* constant = make(ExprKind::Const);
    constant->value = Value::integer(n);
    return make(ExprKind::Equal, {var, constant});
  };
  Residuals residuals;
  residuals.add(*var_is(1), 0);
  const std::size_t one = residuals.registers();
  residuals.add(*var_is(1), 0);
  EXPECT_EQ(residuals.registers(), one);
  residuals.add(*var_is(2), 0);
  EXPECT_EQ(residuals.registers(), one + 2) << "the variable is shared, the constant is new";
  residuals.add(*var_is(1), 1);
  EXPECT_EQ(residuals.registers(), one + 4) << "another template's hole is another value";
}

TEST(Residuals, StepsAreBounded) {
  Expr constant;
  constant.value = Value::boolean(true);
  std::deque<Expr> all;
  const Expr* tree = &constant;
  for (int i = 0; i < 250; ++i) {
    Expr& e = all.emplace_back();
    e.kind = ExprKind::Not;
    e.args = {tree};
    tree = &e;
  }
  Residuals residuals;
  const std::uint32_t id = residuals.add(*tree, 0);
  residuals.finish();
  Registers registers(residuals);
  registers.next_event();
  Env env;
  bool over = false;
  EXPECT_TRUE(registers.run(id, env, over).truth());
  EXPECT_FALSE(over);
  registers.next_event();
  env.steps_max = 100;
  EXPECT_TRUE(registers.run(id, env, over).is_none());
  EXPECT_TRUE(over);
}

// A shared part that one line could not afford is not known to be none for the next line.
TEST(Residuals, WhatWasTooMuchForOneLineIsComputedForTheNext) {
  std::deque<Expr> all;
  const auto make = [&](ExprKind kind, std::vector<const Expr*> args) {
    Expr& e = all.emplace_back();
    e.kind = kind;
    e.args = std::move(args);
    return &e;
  };
  std::vector<const Expr*> items;
  for (int i = 0; i < 60; ++i) {
    Expr* item = make(ExprKind::Const, {});
    item->value = Value::integer(i);
    items.push_back(item);
  }
  const Expr* set = make(ExprKind::SetOf, items);
  Residuals residuals;
  const std::uint32_t none = residuals.add(*make(ExprKind::IsNone, {set}), 0);
  const std::uint32_t some = residuals.add(*make(ExprKind::IsSome, {set}), 0);
  residuals.finish();
  Registers registers(residuals);
  registers.next_event();
  Arena arena;
  Env env;
  env.arena = &arena;
  env.steps_max = 20;
  bool over = false;
  EXPECT_TRUE(registers.run(none, env, over).is_none());
  EXPECT_TRUE(over);
  env.steps_max = kLineStepsMax;
  over = false;
  EXPECT_TRUE(registers.run(some, env, over).truth());
  EXPECT_FALSE(registers.run(none, env, over).truth());
  EXPECT_FALSE(over);
}

// What `==` calls equal must have equal hashes, or a filter would lose a line.
TEST(Residuals, EqualValuesHaveEqualFilterHashes) {
  const Value some[]{Value::integer(0),
                     Value::real(-0.0),
                     Value::integer(7),
                     Value::real(7),
                     Value::string("down"),
                     Value::enumerator(0, 2, "down"),
                     Value::string("10.0.0.1"),
                     Value::of_text(Type::Ip, "10.0.0.1"),
                     Value::string("r1"),
                     Value::row(kDevice, "r1"),
                     Value::boolean(true),
                     Value::duration(std::chrono::seconds(1)),
                     Value::of_text(Type::Mac, "aa:bb:cc:dd:ee:ff"),
                     Value::string("aa:bb:cc:dd:ee:ff")};
  for (const Value& a : some) {
    for (const Value& b : some) {
      if (same(a, b)) {
        EXPECT_EQ(filter_hash(a), filter_hash(b)) << to_text(a);
      }
    }
  }
}

}  // namespace
}  // namespace belfry::rules
