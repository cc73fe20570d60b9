#include "residual.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "belfry/model/oid.hpp"
#include "clause_index.hpp"
#include "eval_ops.hpp"

namespace belfry::rules {
namespace {

constexpr Index kSite = 0, kDevice = 1;

std::shared_ptr<const Schema> schema() {
  auto out = std::make_shared<Schema>();
  out->enums.push_back({"status", {"up", "degraded", "down"}});
  out->tables.push_back({"site", {{"name"}, {"limit", Type::Float}}, {0}, ""});
  out->tables.push_back({"device",
                         {{"name"},
                          {"ip", Type::Ip},
                          {"site", Type::Row, kSite},
                          {"tags", Type::String, kNoIndex, true}},
                         {0},
                         ""});
  out->relations.push_back({"behind", Type::Row, Type::Row, kDevice, kDevice, false, "x.csv"});
  return out;
}

std::shared_ptr<const Inventory> inventory(const std::shared_ptr<const Schema>& of) {
  InventoryBuilder builder(of);
  const Value site[]{Value::string("par"), Value::real(0.5)};
  builder.add_row(kSite, site);
  const Value items[]{Value::string("core"), Value::string("x")};
  const ValueSet set{items};
  Value tags;
  tags.type = Type::Set;
  tags.set = &set;
  const Value r1[]{Value::string("r1"), Value::of_text(Type::Ip, "10.0.0.1"),
                   Value::row(kSite, "par"), tags};
  const Value r2[]{Value::string("r2"), Value::none(), Value::row(kSite, "lyo"), Value::none()};
  builder.add_row(kDevice, r1);
  builder.add_row(kDevice, r2);
  builder.add_pair(0, Value::row(kDevice, "r1"), Value::row(kDevice, "r2"));
  return *builder.build(1);
}

/// Random expressions over a small world: equal parts are common, and so is what is missing. Types
/// are mostly right; wrong ones must give the same nothing in both.
class Expressions {
 public:
  explicit Expressions(std::uint32_t seed) : random_(seed) {}

  const Expr* any(int depth) {
    if (depth <= 0 || chance(4)) {
      return leaf();
    }
    switch (pick(12)) {
      case 0:
        return node(ExprKind::Column, Type::String, {row(depth - 1)}, kDevice, pick(4));
      case 1:
        return node(ExprKind::Lookup, Type::Row, {any(depth - 1)}, kDevice, kNone);
      case 2:
        return node(ExprKind::RelatedSet, Type::Set, {row(depth - 1)}, kNone, 0);
      case 3:
        return node(ExprKind::SetOf, Type::Set, {leaf(), leaf(), any(depth - 1)});
      case 4:
        return node(ExprKind::Coalesce, Type::String, {any(depth - 1), any(depth - 1)});
      case 5:
        return chance(2) ? node(ExprKind::If, Type::String, {any(depth - 1), condition(depth - 1)})
                         : node(ExprKind::If, Type::String,
                                {any(depth - 1), condition(depth - 1), any(depth - 1)});
      case 6:
        return node(ExprKind::Negate, Type::Int, {any(depth - 1)});
      case 7:
      case 8:
        return node(static_cast<ExprKind>(static_cast<std::uint32_t>(ExprKind::Add) + pick(4)),
                    Type::Int, {any(depth - 1), any(depth - 1)});
      default:
        return condition(depth);
    }
  }

  const Expr* condition(int depth) {
    if (depth <= 0) {
      return compared(0);
    }
    switch (pick(9)) {
      case 0:
      case 1:
        return node(ExprKind::And, Type::Bool, {condition(depth - 1), condition(depth - 1)});
      case 2:
      case 3:
        return node(ExprKind::Or, Type::Bool, {condition(depth - 1), condition(depth - 1)});
      case 4:
        return node(ExprKind::Not, Type::Bool, {condition(depth - 1)});
      case 5:
        return node(chance(2) ? ExprKind::IsNone : ExprKind::IsSome, Type::Bool, {any(depth - 1)});
      case 6:
        return node(ExprKind::Unknown, Type::Bool, {row(depth - 1)});
      case 7:
        return node(ExprKind::Related, Type::Bool, {row(depth - 1), row(depth - 1)}, kNone, 0);
      default:
        return compared(depth - 1);
    }
  }

  std::uint32_t pick(std::uint32_t n) { return static_cast<std::uint32_t>(random_()) % n; }
  bool chance(std::uint32_t one_in) { return pick(one_in) == 0; }

 private:
  const Expr* compared(int depth) {
    if (chance(5)) {
      return node(ExprKind::In, Type::Bool, {any(depth), chance(2) ? any(depth) : cidr()});
    }
    return node(static_cast<ExprKind>(static_cast<std::uint32_t>(ExprKind::Equal) + pick(6)),
                Type::Bool, {any(depth), any(depth)});
  }

  const Expr* row(int depth) {
    if (depth > 0 && chance(3)) {
      return node(ExprKind::Column, Type::Row, {row(depth - 1)}, kDevice, 2);
    }
    Expr* e = make(ExprKind::Field, Type::Row);
    e->field = EventField::Node;
    e->of = kDevice;
    return e;
  }

  const Expr* cidr() { return constant(Value::of_text(Type::Cidr, "10.0.0.0/30")); }

  const Expr* leaf() {
    static constexpr std::array<std::string_view, 5> kWords{"r1", "down", "10.0.0.1", "core", "7"};
    switch (pick(8)) {
      case 0:
        return constant(Value::integer(pick(4)));
      case 1:
        return constant(Value::string(kWords[pick(5)]));
      case 2:
        return chance(2) ? constant(Value::duration(std::chrono::seconds(pick(3))))
                         : constant(Value::enumerator(0, pick(3), "down"));
      case 3:
        return constant(chance(3) ? Value::none() : Value::boolean(chance(2)));
      case 4: {
        Expr* e = make(ExprKind::Var, Type::String);
        e->index = pick(4);
        return e;
      }
      case 5: {
        Expr* e = make(ExprKind::Varbind, chance(2) ? Type::Int : Type::String);
        e->position = 1 + pick(3);
        e->instance = chance(4);
        return e;
      }
      default: {
        Expr* e = make(ExprKind::Field, Type::String);
        static constexpr std::array<EventField, 6> kFields{EventField::Msg,    EventField::App,
                                                           EventField::Ifname, EventField::Valid,
                                                           EventField::Repeat, EventField::Attr};
        e->field = kFields[pick(6)];
        e->name = "status";
        return e;
      }
    }
  }

  const Expr* constant(const Value& v) {
    Expr* e = make(ExprKind::Const, v.type);
    e->value = v;
    return e;
  }
  Expr* make(ExprKind kind, Type type) {
    Expr& e = all_.emplace_back();
    e.kind = kind;
    e.type = type;
    return &e;
  }
  const Expr* node(ExprKind kind, Type type, std::vector<const Expr*> args, Index table = kNone,
                   Index index = kNone) {
    Expr* e = make(kind, type);
    e->args = std::move(args);
    e->table = table;
    e->index = index;
    return e;
  }

  std::mt19937 random_;
  std::deque<Expr> all_;
};

/// Type and content: what evaluate() gave, exactly.
std::string shown(const Value& v) {
  std::string out = std::to_string(static_cast<int>(v.type)) + ":" + std::to_string(v.aux) + ":";
  if (v.type == Type::Set) {
    for (const Value& item : v.items()) {
      out += "[" + shown(item) + "]";
    }
    return out;
  }
  return out + to_text(v);
}

struct RandomEvent {
  explicit RandomEvent(Expressions& random) {
    event.node = random.chance(2) ? "r1" : random.chance(2) ? "r2" : "r9";
    event.message = random.chance(2) ? "down" : "core";
    event.app = random.chance(2) ? "7" : "10.0.0.1";
    event.ifname = random.chance(2) ? "" : "r1";
    event.repeat = random.pick(3);
    event.valid = random.chance(2);
    oid = *oid_from_text("1.3.6.1.2.1.2.2.1.2.7");
    for (Varbind& vb : varbinds) {
      vb.oid = oid;
      vb.type = random.chance(2) ? VarType::Integer : VarType::OctetString;
      vb.number = random.pick(4);
      vb.bytes = random.chance(2) ? "7" : "core";
    }
    event.varbinds = std::span(varbinds).first(random.pick(4));
    attrs[0] = {"status", Value::string("down")};
    event.attrs = std::span(attrs).first(random.pick(2));
    for (Value& hole : holes) {
      hole = random.chance(3)   ? Value::none()
             : random.chance(2) ? Value::string("core")
                                : Value::integer(random.pick(4));
    }
  }
  std::string oid;
  Event event;
  std::array<Varbind, 3> varbinds{};
  std::array<Attr, 1> attrs{};
  std::array<Value, 3> holes{};
};

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
