#include "belfry/rules/matcher.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "belfry/model/oid.hpp"

namespace belfry::rules {
namespace {

constexpr Index kDevice = 0, kPort = 1;

/// A program made by hand: one table of devices and one of ports, signals as the tests add them.
class World {
 public:
  World() : program_(std::make_shared<Program>()) {
    auto schema = std::make_shared<Schema>();
    schema->enums.push_back({"status", {"up", "degraded", "down"}});
    schema->tables.push_back({"device", {{"name"}}, {0}, ""});
    schema->tables.push_back({"port",
                              {{"node", Type::Row, kDevice},
                               {"ifname"},
                               {"ifindex", Type::Int, kNoIndex, false, true},
                               {"aliases", Type::String, kNoIndex, true}},
                              {0, 1},
                              ""});
    program_->schema = schema;
    program_->node_table = kDevice;
    program_->port_table = kPort;
  }

  /// A signal (node: device, PARAM: TYPE).
  Index signal(std::string name, std::string param, Type type) {
    Signal s;
    s.name = std::move(name);
    s.params = {{"node", Type::Row, kDevice}, {std::move(param), type, kNone}};
    program_->signals.push_back(std::move(s));
    return static_cast<Index>(program_->signals.size() - 1);
  }
  Expr* expr(ExprKind kind) {
    program_->exprs.emplace_back();
    program_->exprs.back().kind = kind;
    return &program_->exprs.back();
  }
  const Expr* node() {
    Expr* e = expr(ExprKind::Field);
    e->field = EventField::Node;
    e->type = Type::Row;
    e->of = kDevice;
    return e;
  }
  const Expr* var(Index i) {
    Expr* e = expr(ExprKind::Var);
    e->index = i;
    return e;
  }
  const Expr* varbind(std::string_view oid, Type type) {
    program_->texts.push_back(*oid_from_text(oid));
    Expr* e = expr(ExprKind::Varbind);
    e->oid = program_->texts.back();
    e->type = type;
    return e;
  }
  /// Syslog clause whose template's only hole is the signal's second parameter.
  Index syslog(Index signal, std::string_view before, std::string_view after,
               ClauseKind kind = ClauseKind::Raise) {
    Clause c;
    c.kind = kind;
    c.signal = signal;
    c.event_type = "syslog";
    const Param& p = program_->signals[signal].params[1];
    c.head_template = {{std::string(before), kNone}, {"", 0}};
    if (!after.empty()) {
      c.head_template.push_back({std::string(after), kNone});
    }
    c.holes = {{p.name, p.type, p.of}};
    c.key = {node(), var(0)};
    return add(std::move(c));
  }
  Index add(Clause c) {
    program_->clauses.push_back(std::move(c));
    return static_cast<Index>(program_->clauses.size() - 1);
  }
  void port(std::string_view node, std::string_view ifname, std::int64_t ifindex,
            std::vector<Value> aliases) {
    const ValueSet set{aliases};
    Value v;
    v.type = Type::Set;
    v.set = &set;
    const Value cells[]{Value::row(kDevice, node), Value::string(ifname), Value::integer(ifindex),
                        v};
    builder().add_row(kPort, cells);
  }
  Matcher matcher() { return Matcher(program_, *builder().build(1)); }
  Program& program() { return *program_; }

 private:
  InventoryBuilder& builder() {
    if (!builder_) {
      builder_.emplace(program_->schema);
    }
    return *builder_;
  }
  std::shared_ptr<Program> program_;
  std::optional<InventoryBuilder> builder_;
};

Event syslog_event(std::string_view message, std::string_view tag = {}) {
  Event e;
  e.kind = EventKind::Syslog;
  e.type = "syslog";
  e.node = "r1";
  e.message = message;
  e.tag = tag;
  return e;
}

std::string matched(const Batch& batch) {
  std::string out;
  for (const Match& m : batch.matches) {
    out += (out.empty() ? "" : "; ") + std::to_string(m.event) + ":" + std::to_string(m.clause) +
           " " + key_text(m.key);
  }
  return out;
}

std::string run(Matcher& matcher, std::initializer_list<Event> events, Batch& batch) {
  batch.clear();
  batch.events = events;
  matcher.match(batch);
  return matched(batch);
}

TEST(Matcher, FindsClausesByTagAndByAnchor) {
  World world;
  const Index if_down = world.signal("if_down", "ifname", Type::String);
  const Index bgp_down = world.signal("bgp_down", "peer", Type::Ip);
  world.syslog(if_down, "%LINK-3-UPDOWN: Interface ", ", changed state to down");
  world.syslog(if_down, "%LINK-3-UPDOWN: Interface ", ", changed state to up", ClauseKind::Clear);
  world.syslog(bgp_down, "neighbor ", " lost its session");
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(
      run(matcher,
          {syslog_event("%LINK-3-UPDOWN: Interface e1, changed state to down", "LINK-3-UPDOWN"),
           syslog_event("%LINK-3-UPDOWN: Interface e1, changed state to up"),
           syslog_event("Interface e2, changed state to up", "LINK-3-UPDOWN"),
           syslog_event("neighbor 10.0.0.2 lost its session"),
           syslog_event("neighbor someone lost its session"), syslog_event("nothing"),
           syslog_event("")},
          batch),
      "0:0 r1, e1; 1:1 r1, e1; 2:1 r1, e2; 3:2 r1, 10.0.0.2");
}

TEST(Matcher, CanonicalAddressesAreOneKey) {
  World world;
  world.syslog(world.signal("bgp_down", "peer", Type::Ip), "neighbor ", " down");
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(run(matcher,
                {syslog_event("neighbor 2001:DB8:0:0::1 down"),
                 syslog_event("neighbor ::ffff:10.0.0.1 down")},
                batch),
            "0:0 r1, 2001:db8::1; 1:0 r1, 10.0.0.1");
  EXPECT_EQ(batch.matches[0].key[1].type, Type::Ip);
}

TEST(Matcher, ShortTemplatesAreTriedOnEachText) {
  World world;
  world.syslog(world.signal("s", "x", Type::String), "up ", "");
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(run(matcher, {syslog_event("up e1"), syslog_event("dn e1")}, batch), "0:0 r1, e1");
}

TEST(Matcher, TrapsByOidWithVarbindsTypedAndIfnameFromIntake) {
  World world;
  const Index if_down = world.signal("if_down", "ifname", Type::String);
  const std::string link_down = *oid_from_text("1.3.6.1.6.3.1.1.5.3");
  Clause c;
  c.signal = if_down;
  c.event_type = "trap";
  c.oid = link_down;
  c.key = {world.node(), world.varbind("1.3.6.1.2.1.2.2.1.2", Type::String)};
  world.add(std::move(c));
  Matcher matcher = world.matcher();
  Event e;
  e.kind = EventKind::Trap;
  e.type = "trap";
  e.node = "r1";
  e.trap_oid = link_down;
  const std::string descr = *oid_from_text("1.3.6.1.2.1.2.2.1.2.7");
  using namespace std::string_view_literals;
  const Varbind varbinds[]{{descr, VarType::OctetString, "et-0/0/0\0"sv, 0}};
  Event with = e;
  with.varbinds = varbinds;
  Event named = e;
  named.ifname = "et-0/0/1";
  Event other = with;
  other.trap_oid = descr;
  Batch batch;
  EXPECT_EQ(run(matcher, {with, named, e, other}, batch), "0:0 r1, et-0/0/0; 1:0 r1, et-0/0/1");
}

TEST(Matcher, AliasesAndIndexesBecomeThePortsName) {
  World world;
  world.syslog(world.signal("if_down", "ifname", Type::String), "Interface ", " is down");
  world.port("r1", "GigabitEthernet0/1", 10101, {Value::string("Gi0/1"), Value::string("uplink")});
  world.port("r1", "uplink", 7, {});
  world.port("r2", "x", 1, {Value::string("Gi0/2")});
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(
      run(matcher,
          {syslog_event("Interface Gi0/1 is down"), syslog_event("Interface 10101 is down"),
           syslog_event("Interface uplink is down"), syslog_event("Interface Gi0/2 is down")},
          batch),
      "0:0 r1, GigabitEthernet0/1; 1:0 r1, GigabitEthernet0/1; 2:0 r1, uplink; 3:0 r1, Gi0/2");
}

TEST(Matcher, ProbesByHeadAndWhere) {
  World world;
  Signal s;
  s.name = "host_down";
  s.params = {{"node", Type::Row, kDevice}};
  world.program().signals.push_back(s);
  Expr* status = world.expr(ExprKind::Field);
  status->field = EventField::Attr;
  status->name = "status";
  status->type = Type::Enum;
  status->of = 0;
  Expr* down = world.expr(ExprKind::Const);
  down->value = Value::enumerator(0, 2, "down");
  Expr* equal = world.expr(ExprKind::Equal);
  equal->args = {status, down};
  Clause c;
  c.signal = 0;
  c.event_type = "probe";
  c.head = EventField::Attr;
  c.head_attr = "check";
  c.head_template = {{"icmp", kNone}};
  c.where = equal;
  c.key = {world.node()};
  world.add(std::move(c));
  Matcher matcher = world.matcher();
  const auto probe = [](std::span<const Attr> attrs) {
    Event e;
    e.kind = EventKind::Probe;
    e.type = "probe";
    e.node = "h1";
    e.attrs = attrs;
    return e;
  };
  const Attr icmp_down[]{{"check", Value::string("icmp")}, {"status", Value::string("down")}};
  const Attr icmp_up[]{{"check", Value::string("icmp")}, {"status", Value::string("up")}};
  const Attr dns_down[]{{"check", Value::string("dns")}, {"status", Value::string("down")}};
  Batch batch;
  EXPECT_EQ(run(matcher, {probe(icmp_down), probe(icmp_up), probe(dns_down), probe({})}, batch),
            "0:0 h1");
}

TEST(Matcher, ClearAllLeavesPartsOpenAndOthersDoNot) {
  World world;
  const Index s = world.signal("if_down", "ifname", Type::String);
  Clause all;
  all.kind = ClauseKind::Clear;
  all.signal = s;
  all.clear_all = true;
  all.event_type = "syslog";
  all.head_template = {{"System restarted", kNone}};
  all.key = {world.node(), nullptr};
  world.add(all);
  Clause one = all;
  one.clear_all = false;
  one.key = {world.node(), world.varbind("1.3.6.1", Type::String)};
  world.add(std::move(one));
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(run(matcher, {syslog_event("System restarted")}, batch), "0:0 r1, none");
}

TEST(Matcher, ClonesShareWhatWasCompiledAndGoOnFromAnEvent) {
  World world;
  world.syslog(world.signal("s", "x", Type::String), "link of ", " is down");
  Matcher first = world.matcher();
  Matcher second = first.clone();
  EXPECT_EQ(&first.program(), &second.program());
  EXPECT_EQ(&first.inventory(), &second.inventory());
  Batch batch;
  batch.events = {syslog_event("link of a is down"), syslog_event("link of b is down")};
  second.match(batch, 1);
  EXPECT_EQ(matched(batch), "1:0 r1, b");
}

TEST(Matcher, ManyTemplatesOneMatch) {
  World world;
  const Index s = world.signal("s", "x", Type::String);
  for (int i = 0; i < 500; ++i) {
    world.syslog(s, "fan " + std::to_string(i) + " of tray ", " failed");
  }
  Matcher matcher = world.matcher();
  Batch batch;
  EXPECT_EQ(run(matcher, {syslog_event("fan 377 of tray 4 failed")}, batch), "0:377 r1, 4");
}

}  // namespace
}  // namespace belfry::rules
