#include "belfry/rules/eval.hpp"

#include <gtest/gtest.h>

#include "belfry/model/oid.hpp"
#include "eval_types.hpp"

namespace belfry::rules {
namespace {

constexpr Index kSite = 0, kDevice = 1, kSession = 2;
constexpr Index kHoused = 0;

class Eval : public testing::Test {
 protected:
  Eval() {
    auto schema = std::make_shared<Schema>();
    schema->enums.push_back({"tier", {"corporate", "solution", "premium"}});
    schema->tables.push_back({"site", {{"name"}, {"limit", Type::Float}}, {0}, ""});
    schema->tables.push_back({"device",
                              {{"name"},
                               {"site", Type::Row, kSite, false, true},
                               {"tags", Type::String, kNoIndex, true}},
                              {0},
                              ""});
    schema->tables.push_back(
        {"session", {{"node", Type::Row, kDevice}, {"peer", Type::Ip}, {"label"}}, {0, 1}, ""});
    schema->relations.push_back(
        {"housed", Type::Row, Type::Row, kDevice, kSite, false, "", kDevice, 1});
    program_.schema = schema;
    InventoryBuilder builder(schema);
    const Value site[]{Value::string("PAR2"), Value::real(27.5)};
    builder.add_row(kSite, site);
    const Value tags[]{Value::string("core"), Value::string("edge")};
    const ValueSet set{tags};
    Value tag_set;
    tag_set.type = Type::Set;
    tag_set.set = &set;
    const Value r1[]{Value::string("r1"), Value::row(kSite, "PAR2"), tag_set};
    const Value r2[]{Value::string("r2"), Value::row(kSite, "PAR2"), Value::none()};
    const Value r3[]{Value::string("r3"), Value::none(), Value::none()};
    builder.add_row(kDevice, r1);
    builder.add_row(kDevice, r2);
    builder.add_row(kDevice, r3);
    const Value s1[]{Value::row(kDevice, "r1"), Value::of_text(Type::Ip, "10.0.0.2"),
                     Value::string("TRANSIT-A")};
    builder.add_row(kSession, s1);
    inventory_ = *builder.build(1);
    env_.program = &program_;
    env_.inventory = inventory_.get();
    env_.arena = &arena_;
  }

  const Expr* make(ExprKind kind, std::vector<const Expr*> args, Index index = kNone,
                   Index table = kNone) {
    Expr& e = program_.exprs.emplace_back();
    e.kind = kind;
    e.args = std::move(args);
    e.index = index;
    e.table = table;
    return &e;
  }
  const Expr* constant(const Value& v) {
    Expr& e = program_.exprs.emplace_back();
    e.value = v;
    return &e;
  }
  const Expr* number(std::int64_t n) { return constant(Value::integer(n)); }
  const Expr* word(std::string_view s) { return constant(Value::string(s)); }
  const Expr* device(std::string_view s) { return constant(Value::row(kDevice, s)); }
  const Expr* none() { return constant(Value::none()); }
  Value value(const Expr* e) { return evaluate(*e, env_); }
  std::string text(const Expr* e) { return to_text(value(e)); }
  bool true_of(ExprKind kind, const Expr* a, const Expr* b) {
    return value(make(kind, {a, b})).truth();
  }

  Program program_;
  std::shared_ptr<const Inventory> inventory_;
  Arena arena_;
  Env env_;
};

TEST_F(Eval, ComparingWhatIsMissingIsFalse) {
  for (const ExprKind kind :
       {ExprKind::Equal, ExprKind::NotEqual, ExprKind::Less, ExprKind::LessEqual, ExprKind::Greater,
        ExprKind::GreaterEqual, ExprKind::In}) {
    EXPECT_FALSE(true_of(kind, none(), number(1)));
    EXPECT_FALSE(true_of(kind, number(1), none()));
    EXPECT_FALSE(true_of(kind, none(), none()));
  }
  EXPECT_TRUE(value(make(ExprKind::IsNone, {none()})).truth());
  EXPECT_TRUE(value(make(ExprKind::IsSome, {number(0)})).truth());
  EXPECT_EQ(text(make(ExprKind::Coalesce, {none(), number(4)})), "4");
  EXPECT_EQ(text(make(ExprKind::Coalesce, {number(3), number(4)})), "3");
  EXPECT_TRUE(value(make(ExprKind::Not, {none()})).truth());
  EXPECT_FALSE(true_of(ExprKind::And, none(), constant(Value::boolean(true))));
  EXPECT_TRUE(true_of(ExprKind::Or, none(), constant(Value::boolean(true))));
}

TEST_F(Eval, NumbersWidenAndOverflowIsMissing) {
  EXPECT_TRUE(true_of(ExprKind::Equal, number(2), constant(Value::real(2.0))));
  EXPECT_TRUE(true_of(ExprKind::Less, number(2), constant(Value::real(2.5))));
  EXPECT_EQ(text(make(ExprKind::Add, {number(2), constant(Value::real(0.5))})), "2.5");
  EXPECT_EQ(text(make(ExprKind::Divide, {number(7), number(2)})), "3.5");
  EXPECT_TRUE(value(make(ExprKind::Divide, {number(7), number(0)})).is_none());
  EXPECT_TRUE(value(make(ExprKind::Add, {number(INT64_MAX), number(1)})).is_none());
  EXPECT_TRUE(value(make(ExprKind::Multiply, {number(INT64_MIN), number(-1)})).is_none());
}

TEST_F(Eval, TimesAndDurations) {
  const Expr* t1 = constant(Value::time(Instant{1'000'000'000}));
  const Expr* t2 = constant(Value::time(Instant{61'000'000'000}));
  const Expr* minute = constant(Value::duration(60s));
  EXPECT_EQ(text(make(ExprKind::Subtract, {t2, t1})), "1m");
  EXPECT_TRUE(true_of(ExprKind::Equal, make(ExprKind::Add, {t1, minute}), t2));
  EXPECT_EQ(text(make(ExprKind::Multiply, {minute, number(3)})), "3m");
  EXPECT_EQ(text(make(ExprKind::Divide, {minute, number(2)})), "30s");
  EXPECT_EQ(text(make(ExprKind::Divide, {minute, constant(Value::duration(20s))})), "3");
  EXPECT_TRUE(value(make(ExprKind::Add, {minute, number(3)})).is_none());
}

TEST_F(Eval, RowsColumnsAndLookups) {
  const Expr* site = make(ExprKind::Column, {device("r1")}, 1, kDevice);
  EXPECT_EQ(text(make(ExprKind::Column, {site}, 0, kSite)), "PAR2");
  EXPECT_EQ(text(make(ExprKind::Column, {site}, 1, kSite)), "27.5");
  EXPECT_TRUE(value(make(ExprKind::Column, {device("r3")}, 1, kDevice)).is_none());
  EXPECT_TRUE(value(make(ExprKind::Column, {none()}, 1, kDevice)).is_none());
  // An unknown row has its key and nothing else.
  EXPECT_EQ(text(make(ExprKind::Column, {device("stranger")}, 0, kDevice)), "stranger");
  EXPECT_TRUE(value(make(ExprKind::Column, {device("stranger")}, 1, kDevice)).is_none());
  EXPECT_TRUE(value(make(ExprKind::Unknown, {device("stranger")})).truth());
  EXPECT_FALSE(value(make(ExprKind::Unknown, {device("r1")})).truth());
  const Expr* peer = constant(Value::of_text(Type::Ip, "10.0.0.2"));
  const Expr* session = make(ExprKind::Lookup, {device("r1"), peer}, kNone, kSession);
  EXPECT_EQ(text(make(ExprKind::Column, {session}, 2, kSession)), "TRANSIT-A");
  EXPECT_TRUE(value(make(ExprKind::Lookup, {device("r2"), peer}, kNone, kSession)).is_none());
  EXPECT_TRUE(value(make(ExprKind::Lookup, {device("r1"), none()}, kNone, kSession)).is_none());
}

TEST_F(Eval, RelationsAndSets) {
  const Expr* par2 = constant(Value::row(kSite, "PAR2"));
  EXPECT_TRUE(value(make(ExprKind::Related, {device("r1"), par2}, kHoused)).truth());
  EXPECT_FALSE(value(make(ExprKind::Related, {device("r3"), par2}, kHoused)).truth());
  EXPECT_FALSE(value(make(ExprKind::Related, {none(), par2}, kHoused)).truth());
  EXPECT_EQ(text(make(ExprKind::RelatedSet, {device("r1")}, kHoused)), "PAR2");
  const Expr* both = make(ExprKind::SetOf, {device("r2"), device("r1"), device("r3"), none()});
  EXPECT_EQ(text(both), "r1, r2, r3");
  EXPECT_EQ(text(make(ExprKind::Column, {both}, 1, kDevice)), "PAR2");  // none dropped, once
  const Expr* tags = make(ExprKind::Column, {device("r1")}, 2, kDevice);
  EXPECT_TRUE(true_of(ExprKind::In, word("core"), tags));
  EXPECT_FALSE(true_of(ExprKind::In, word("access"), tags));
}

TEST_F(Eval, AddressesInNets) {
  const auto in = [&](std::string_view ip, std::string_view net) {
    return true_of(ExprKind::In, constant(Value::of_text(Type::Ip, ip)),
                   constant(Value::of_text(Type::Cidr, net)));
  };
  EXPECT_TRUE(in("10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(in("11.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(in("10.1.2.3", "0.0.0.0/0"));
  EXPECT_TRUE(in("10.1.2.129", "10.1.2.128/25"));
  EXPECT_FALSE(in("10.1.2.127", "10.1.2.128/25"));
  EXPECT_TRUE(in("2001:db8::5", "2001:db8::/32"));
  EXPECT_FALSE(in("2001:db9::5", "2001:db8::/32"));
  EXPECT_FALSE(in("10.1.2.3", "2001:db8::/32"));
  EXPECT_TRUE(in("2001:db8::5", "2001:db8::5/128"));
}

TEST_F(Eval, IfAndInterpolation) {
  const Expr* yes = constant(Value::boolean(true));
  EXPECT_EQ(text(make(ExprKind::If, {word("a"), yes, word("b")})), "a");
  EXPECT_EQ(text(make(ExprKind::If, {word("a"), none(), word("b")})), "b");
  EXPECT_TRUE(value(make(ExprKind::If, {word("a"), none()})).is_none());
  Expr& title = program_.exprs.emplace_back();
  title.kind = ExprKind::Interpolate;
  Expr& share = program_.exprs.emplace_back();
  share.kind = ExprKind::Measured;
  share.measured = Measured::Share;
  share.index = 0;
  title.texts = {"", " at ", ": ", " of them"};
  title.args = {device("r1"), make(ExprKind::Column, {device("stranger")}, 0, kDevice), &share};
  const double shares[]{0.714};
  MeasuredValues measured;
  measured.share = shares;
  env_.measured = &measured;
  EXPECT_EQ(render_text(title, env_), "r1 at stranger: 71% of them");
}

TEST_F(Eval, AffectedMapsThroughColumns) {
  Expr& affected = program_.exprs.emplace_back();
  affected.kind = ExprKind::Measured;
  affected.measured = Measured::Affected;
  const Value keys[]{Value::row(kDevice, "r3"), Value::row(kDevice, "r2"),
                     Value::row(kDevice, "r1")};
  MeasuredValues measured;
  measured.affected = keys;
  env_.measured = &measured;
  EXPECT_EQ(text(&affected), "r1, r2, r3");
  EXPECT_EQ(text(make(ExprKind::Column, {&affected}, 1, kDevice)), "PAR2");
}

TEST_F(Eval, PoliciesTakeTheFirstLineAndEnd) {
  Policy policy;
  policy.name = "p";
  policy.params = {{"n", Type::Int, kNone}};
  Expr& var = program_.exprs.emplace_back();
  var.kind = ExprKind::Var;
  var.index = 0;
  policy.lines = {{word("big"), make(ExprKind::Greater, {&var, number(10)}), {}},
                  {word("small"), nullptr, {}}};
  program_.policies.push_back(policy);
  Policy endless;
  endless.name = "endless";
  endless.lines = {{make(ExprKind::PolicyCall, {}, 1), nullptr, {}}};
  program_.policies.push_back(endless);
  const Value eleven[]{Value::integer(11)};
  const Value missing[]{Value::none()};
  EXPECT_EQ(to_text(run_policy(program_, 0, eleven, arena_)), "big");
  EXPECT_TRUE(run_policy(program_, 0, missing, arena_).is_none());
  EXPECT_TRUE(run_policy(program_, 1, {}, arena_).is_none());
  EXPECT_EQ(text(make(ExprKind::PolicyCall, {number(3)}, 0)), "small");
}

TEST_F(Eval, VarbindsTakeTheTypeThatIsAsked) {
  const std::string oid = *oid_from_text("1.3.6.1.4.1.9.1");
  const std::string full = *oid_from_text("1.3.6.1.4.1.9.1.7.300");
  using namespace std::string_view_literals;
  Expr& e = program_.exprs.emplace_back();
  e.kind = ExprKind::Varbind;
  e.oid = oid;
  Event event;
  env_.event = &event;
  const auto read = [&](VarType type, std::string_view bytes, std::int64_t n, Type want) {
    const Varbind varbinds[]{{full, type, bytes, n}};
    event.varbinds = varbinds;
    e.type = want;
    const Value v = evaluate(e, env_);
    EXPECT_TRUE(v.is_none() || v.type == want);
    return to_text(v);
  };
  EXPECT_EQ(read(VarType::OctetString, "abc\0"sv, 0, Type::String), "abc");
  EXPECT_EQ(read(VarType::OctetString, "\x00\x1a\xff\x00"sv, 0, Type::String), "00:1a:ff:00");
  EXPECT_EQ(read(VarType::OctetString, "\x0a\x00\x00\x02"sv, 0, Type::Ip), "10.0.0.2");
  EXPECT_EQ(read(VarType::OctetString, "10.0.0.2"sv, 0, Type::Ip), "10.0.0.2");
  EXPECT_EQ(read(VarType::IpAddress, "\x0a\x00\x00\x02"sv, 0, Type::Ip), "10.0.0.2");
  EXPECT_EQ(read(VarType::OctetString, "\x00\x11\x22\xaa\xbb\xcc"sv, 0, Type::Mac),
            "00:11:22:aa:bb:cc");
  EXPECT_EQ(read(VarType::Integer, "", 2, Type::Int), "2");
  EXPECT_EQ(read(VarType::Integer, "", 2, Type::String), "2");
  EXPECT_EQ(read(VarType::OctetString, "42", 0, Type::Int), "42");
  EXPECT_EQ(read(VarType::OctetString, "many", 0, Type::Int), "none");
  EXPECT_EQ(read(VarType::OctetString, "", 0, Type::String), "none");
  EXPECT_EQ(read(VarType::OctetString, "\x00"sv, 0, Type::String), "none");
  EXPECT_EQ(read(VarType::Null, "", 0, Type::String), "none");
  e.instance = true;
  EXPECT_EQ(read(VarType::Integer, "", 2, Type::String), "7.300");
}

TEST(Types, TextsAreReadAndCanonical) {
  Arena arena;
  EXPECT_EQ(canonical_ip("2001:DB8::0:1", &arena), "2001:db8::1");
  EXPECT_EQ(canonical_ip("010.0.0.1", &arena), "");
  EXPECT_EQ(typed_text("10.1.2.3/8", Type::Cidr, 0, nullptr, &arena).text, "10.0.0.0/8");
  EXPECT_EQ(typed_text("00-11-22-AA-bb-cc", Type::Mac, 0, nullptr, &arena).text,
            "00:11:22:aa:bb:cc");
  EXPECT_TRUE(typed_text("00-11-22-AA-bb", Type::Mac, 0, nullptr, &arena).is_none());
  EXPECT_TRUE(typed_text("10.0.0.0/33", Type::Cidr, 0, nullptr, &arena).is_none());
  EXPECT_EQ(typed_text("90s", Type::Duration, 0, nullptr, &arena).i, 90'000'000'000);
}

TEST(Operators, CompareNumber) {
  EXPECT_TRUE(compare_number(CompareOp::GreaterEqual, 5, 5));
  EXPECT_FALSE(compare_number(CompareOp::Greater, 5, 5));
  EXPECT_TRUE(compare_number(CompareOp::NotEqual, 5, 4));
  EXPECT_TRUE(compare_number(CompareOp::LessEqual, 4, 5));
}

}  // namespace
}  // namespace belfry::rules
