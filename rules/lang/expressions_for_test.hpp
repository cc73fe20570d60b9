#pragma once
// Random expressions and events over a small world, from a seed or from the bytes of a fuzzer: for
// the tests that hold the bytecode against evaluate().
#include <array>
#include <deque>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::rules::test {

inline constexpr Index kSite = 0, kDevice = 1;

inline std::shared_ptr<const Schema> schema() {
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

inline std::shared_ptr<const Inventory> inventory(const std::shared_ptr<const Schema>& of) {
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
  /// The choices are the bytes; when there are none left, every choice is the first, a leaf.
  explicit Expressions(std::span<const std::uint8_t> bytes) : bytes_(bytes), from_bytes_(true) {}

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

  std::uint32_t pick(std::uint32_t n) {
    if (!from_bytes_) {
      return static_cast<std::uint32_t>(random_()) % n;
    }
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint32_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte % n;
  }
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
  std::span<const std::uint8_t> bytes_;
  bool from_bytes_ = false;
  std::deque<Expr> all_;
};

/// Type and content: what evaluate() gave, exactly.
inline std::string shown(const Value& v) {
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

}  // namespace belfry::rules::test
