// From text to Program: what the matcher, the fold and the desk read.
#include "belfry/rules/compile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "belfry/model/oid.hpp"
#include "belfry/rules/tests.hpp"
#include "compiled_for_test.hpp"

namespace belfry::rules {
namespace {

using ::testing::HasSubstr;

Built build(std::string text) {
  Built r;
  r.files.push_back({"t.bell", std::move(text)});
  r.files.push_back({"calendars/fr_holidays.csv", texts::kHolidays});
  r.out = compile(r.files);
  return r;
}

const char* const kSignals = R"bell(
signal if_down(node: device, ifname: string) {
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}
signal host_down(node: device) { raise probe "icmp" where status == down  clear probe "icmp" where status == up }
signal dns_silent(node: device, vantage: string) {
  raise probe "dns" where status == down
  clear probe "dns" where status == up
}
)bell";

Built with_signals(const std::string& text) { return build_with_prelude(kSignals + text); }

const Rule& rule(const Built& r, std::string_view name) {
  return r.out.program->rules[r.out.program->find_rule(name)];
}
const Signal& signal(const Built& r, std::string_view name) {
  return r.out.program->signals[r.out.program->find_signal(name)];
}

class Network : public ::testing::Test {
 protected:
  void SetUp() override {
    r.files.push_back({"prelude.bell", texts::kPrelude});
    r.files.push_back({"network.bell", texts::kNetwork});
    r.files.push_back({"calendars/fr_holidays.csv", texts::kHolidays});
    r.out = compile(r.files);
    ASSERT_EQ(r.text(), "");
    ASSERT_NE(r.out.program, nullptr);
  }
  Built r;
};

TEST_F(Network, SignalsKnowTheirClauses) {
  const Program& p = *r.out.program;
  const Signal& down = signal(r, "if_down");
  EXPECT_EQ(down.description, "interface down");
  ASSERT_EQ(down.params.size(), 2U);
  EXPECT_EQ(down.params[0].type, Type::Row);
  EXPECT_EQ(p.schema->tables[down.params[0].of].name, "device");
  ASSERT_EQ(down.clauses.size(), 4U);
  const Clause& trap = p.clauses[down.clauses[0]];
  EXPECT_EQ(trap.event_type, "trap");
  EXPECT_EQ(trap.oid, *oid_from_text("1.3.6.1.6.3.1.1.5.3"));
  ASSERT_EQ(trap.key.size(), 2U);
  EXPECT_EQ(trap.key[0]->kind, ExprKind::Field);
  EXPECT_EQ(trap.key[0]->field, EventField::Node);
  EXPECT_EQ(trap.key[1]->kind, ExprKind::Varbind);
  EXPECT_EQ(trap.key[1]->oid, *oid_from_text("1.3.6.1.2.1.2.2.1.2"));
  const Clause& text = p.clauses[down.clauses[1]];
  EXPECT_EQ(text.head, EventField::Msg);
  ASSERT_EQ(text.head_template.size(), 3U);
  EXPECT_EQ(text.head_template[0].literal, "%LINK-3-UPDOWN: Interface ");
  EXPECT_EQ(text.head_template[1].hole, 0U);
  EXPECT_EQ(text.key[1]->kind, ExprKind::Var);
  EXPECT_EQ(p.clauses[down.clauses[2]].kind, ClauseKind::Clear);
  const auto& lines =
      signal(r, "bgp_down").clauses;  // its notification has several OIDs, a clause each
  const auto of_text = std::find_if(lines.begin(), lines.end(),
                                    [&](Index c) { return p.clauses[c].event_type == "syslog"; });
  const Clause& bgp = p.clauses[*of_text];
  ASSERT_EQ(bgp.holes.size(), 1U);
  EXPECT_EQ(bgp.holes[0].type, Type::Ip);
  ASSERT_EQ(bgp.head_template.size(), 4U);
  EXPECT_EQ(bgp.head_template[3].hole, kNone);
  EXPECT_EQ(bgp.head_template[3].literal, "");
}

TEST_F(Network, ProbesAreUpPerVantage) {
  const Program& p = *r.out.program;
  const Signal& host = signal(r, "host_down");
  EXPECT_TRUE(host.probe_fed);
  const Clause& raise = p.clauses[host.clauses[0]];
  EXPECT_TRUE(raise.per_vantage);
  ASSERT_NE(raise.per, nullptr);
  EXPECT_EQ(raise.per->name, "vantage");
  EXPECT_EQ(raise.head, EventField::Attr);
  EXPECT_EQ(raise.head_attr, "check");
  ASSERT_NE(raise.where, nullptr);
  EXPECT_EQ(raise.where->kind, ExprKind::Equal);
  EXPECT_EQ(raise.where->args[1]->value.text, "down");
  EXPECT_EQ(raise.where->args[1]->value.i, 2);
}

TEST_F(Network, DerivedSignalsAndRelationKeys) {
  const Program& p = *r.out.program;
  const Signal& circuit = signal(r, "circuit_down");
  ASSERT_NE(circuit.raise_when, nullptr);
  ASSERT_EQ(circuit.raise_when->leaf.key.size(), 1U);
  EXPECT_EQ(circuit.raise_when->leaf.key[0]->kind, ExprKind::Column);

  const Rule& cut = rule(r, "fibre_cut");
  ASSERT_EQ(cut.key.size(), 1U);
  EXPECT_EQ(cut.key[0].name, "span");
  EXPECT_EQ(cut.key[0].type, Type::String);
  ASSERT_EQ(cut.when->kind, PatternKind::And);
  ASSERT_EQ(cut.when->children.size(), 2U);
  const Pattern& share = *cut.when->children[0];
  const Pattern& distinct = *cut.when->children[1];
  EXPECT_EQ(share.aggregate, AggregateKind::Share);
  EXPECT_EQ(distinct.aggregate, AggregateKind::DistinctKeys);
  EXPECT_EQ(share.duration, 60s) << "a trailing within covers the chain";
  EXPECT_EQ(distinct.duration, 60s);
  for (const Pattern* leaf : {&share, &distinct}) {
    EXPECT_EQ(p.schema->relations[leaf->leaf.relation].name, "over");
    EXPECT_EQ(leaf->leaf.relation_key, 0U);
    EXPECT_FALSE(leaf->leaf.relation_reversed);
    EXPECT_EQ(leaf->leaf.key[0], nullptr);
    EXPECT_EQ(leaf->leaf.relation_from->kind, ExprKind::Var);
  }
  EXPECT_DOUBLE_EQ(share.threshold->value.f, 0.6);
  EXPECT_EQ(cut.clear, ClearKind::After);
  EXPECT_EQ(cut.clear_for, 5min);
  EXPECT_TRUE(cut.settle_given);
  EXPECT_EQ(cut.one_by.size(), 2U);
  EXPECT_EQ(cut.when->id, 0U);
  EXPECT_EQ(share.id, 1U);
  EXPECT_EQ(cut.patterns.size(), 3U);
}

TEST_F(Network, RulesTakeDefaultsAndKeys) {
  const Rule& down = rule(r, "interface_down");
  ASSERT_EQ(down.key.size(), 2U);
  EXPECT_EQ(down.key[1].name, "ifname");
  EXPECT_EQ(down.when->kind, PatternKind::For);
  EXPECT_EQ(down.when->duration, 20s);
  EXPECT_FALSE(down.settle_given);
  EXPECT_EQ(down.settle, 10s);
  EXPECT_EQ(down.hold, 2min);
  EXPECT_EQ(down.reopen, 30min);
  EXPECT_TRUE(down.explainable);
  EXPECT_EQ(down.cause_depth, 1U);
  EXPECT_EQ(rule(r, "bgp_session_down").cause_depth, 2U);
  EXPECT_FALSE(rule(r, "fibre_cut").explainable);
  const Rule& flap = rule(r, "link_flap");
  EXPECT_EQ(flap.when->aggregate, AggregateKind::Flaps);
  EXPECT_EQ(flap.clear, ClearKind::Quiet);
  EXPECT_EQ(flap.when->duration, 10min);
}

TEST_F(Network, CausesHaveProbes) {
  const Program& p = *r.out.program;
  const auto find = [&](std::string_view a, std::string_view b) -> const Cause& {
    return *std::find_if(p.causes.begin(), p.causes.end(), [&](const Cause& c) {
      return p.rules[c.cause].name == a && p.rules[c.symptom].name == b;
    });
  };
  const Cause& fibre = find("fibre_cut", "interface_down");
  ASSERT_EQ(fibre.probes.size(), 1U);
  EXPECT_EQ(fibre.probes[0].kind, ProbeKind::Forward);
  EXPECT_EQ(p.schema->relations[fibre.probes[0].relation].name, "over");
  const Cause& bgp = find("interface_down", "bgp_session_down");
  ASSERT_EQ(bgp.probes.size(), 2U);
  EXPECT_EQ(bgp.probes[0].kind, ProbeKind::Var);
  EXPECT_EQ(bgp.vars[bgp.probes[0].var].name, "node");
  EXPECT_EQ(bgp.probes[1].kind, ProbeKind::Equal);
  EXPECT_EQ(bgp.probes[1].from->kind, ExprKind::Column);
  const Cause& up = find("unreachable", "unreachable");
  EXPECT_EQ(up.probes[0].kind, ProbeKind::Forward);
}

TEST_F(Network, OpenFieldsAreTyped) {
  const Rule& host = rule(r, "unreachable");
  const auto field = [&](std::string_view name) {
    return std::find_if(host.open.begin(), host.open.end(),
                        [&](const OpenField& f) { return f.name == name; })
        ->value;
  };
  EXPECT_EQ(field("title")->kind, ExprKind::Interpolate);
  EXPECT_EQ(field("title")->args[1]->measured, Measured::SymptomCount);
  EXPECT_EQ(field("severity")->value.text, "critical");
  EXPECT_EQ(field("impact")->kind, ExprKind::If);
  EXPECT_EQ(field("customer")->kind, ExprKind::RelatedSet);
  EXPECT_EQ(field("priority")->kind, ExprKind::PolicyCall);
  EXPECT_EQ(field("priority")->args[0], field("impact")) << "a field can read another one";
  EXPECT_EQ(field("escalate")->kind, ExprKind::If);
  EXPECT_EQ(field("escalate")->args[0]->value.text, "run_24x7");
}

TEST_F(Network, PoliciesEscalationsAndTests) {
  const Program& p = *r.out.program;
  ASSERT_EQ(p.policies.size(), 1U);
  EXPECT_EQ(p.policies[0].lines.size(), 5U);
  EXPECT_EQ(p.policies[0].lines.back().condition, nullptr);
  ASSERT_EQ(p.escalations.size(), 3U);
  EXPECT_TRUE(p.escalations[0].steps[1].page);
  EXPECT_TRUE(p.escalations[0].steps[1].unless_acked);
  EXPECT_TRUE(p.escalations[0].steps[2].unless_mitigated);
  EXPECT_NE(p.escalations[0].steps[3].condition, nullptr);
  ASSERT_EQ(p.tests.size(), 3U);
  const rules::Test& first = *p.tests[0];
  ASSERT_EQ(first.given.size(), 1U);
  EXPECT_EQ(p.schema->tables[first.given[0].table].name, "session");
  EXPECT_EQ(first.given[0].fields[1].second.value.type, Type::Ip);
  ASSERT_EQ(first.steps.size(), 5U);
  EXPECT_EQ(first.steps[0].event.fields[1].second.value.type, Type::Oid);
  EXPECT_TRUE(first.steps[0].event.fields[2].second.is_object);
  EXPECT_EQ(first.steps[2].expect.key.size(), 2U);
  EXPECT_EQ(first.steps[2].expect.key[0].type, Type::Row);
  EXPECT_EQ(first.steps[3].expect.kind, ExpectKind::No);
  const rules::Test& flaps = *p.tests[1];
  EXPECT_EQ(flaps.steps[0].times, 6U);
  EXPECT_EQ(flaps.steps[0].every, 60s);
  EXPECT_EQ(flaps.steps[1].expect.kind, ExpectKind::CountOpen);
  EXPECT_EQ(p.schema->relations[p.tests[2]->given[0].relation].name, "behind")
      << "by the name of its file";
}

TEST_F(Network, SignalsComeAfterWhatTheyReadOf) {
  const Program& p = *r.out.program;
  ASSERT_EQ(p.signal_order.size(), p.signals.size());
  const auto at = [&](std::string_view name) {
    return std::find(p.signal_order.begin(), p.signal_order.end(), p.find_signal(name)) -
           p.signal_order.begin();
  };
  EXPECT_LT(at("if_down"), at("circuit_down"));
  EXPECT_LT(at("circuit_down"), at("fibre_cut"));
  EXPECT_LT(at("if_down"), at("interface_down"));
}

TEST_F(Network, TheSameTextGivesTheSameHashes) {
  const Compiled again = compile(r.files);
  EXPECT_EQ(again.program->hash, r.out.program->hash);
  EXPECT_EQ(again.program->rules[0].pattern_hash, r.out.program->rules[0].pattern_hash);
  r.files[1].text += "\n# a comment\n";
  const Compiled commented = compile(r.files);
  EXPECT_NE(commented.program->hash, r.out.program->hash);
  EXPECT_EQ(commented.program->rules[0].pattern_hash, r.out.program->rules[0].pattern_hash);
}

TEST(Rules, ChainsOfRulesAndShareOfARule) {
  const Built r = with_signals(R"bell(
rule dns_pool_down {
  when share(dns_unresponsive(node), node.housed(site)) >= 50% within 5m by site
  open { title "{affected.count} resolvers at {site.name}" }
}
rule dns_unresponsive { when distinct(dns_silent.vantage) as points >= 2 within 90s by node  open { title "{points} of {node.name}" } }
cause dns_pool_down(site) of dns_unresponsive(node) where node.housed(site)
test "t" { +0s expect no dns_pool_down +1s expect no dns_unresponsive }
)bell");
  ASSERT_EQ(r.text(), "");
  const Rule& pool = rule(r, "dns_pool_down");
  EXPECT_EQ(pool.key[0].type, Type::Row);
  EXPECT_EQ(r.out.program->schema->tables[pool.key[0].of].name, "site");
  EXPECT_EQ(r.out.program->signals[pool.when->leaf.signal].rule,
            r.out.program->find_rule("dns_unresponsive"));
}

TEST(Rules, ReversedRelationsAndNamedKeys) {
  const Built r = with_signals(R"bell(
signal site_down(site: site) { raise when host_down by site = node.site }
rule a { when count(site_down(s), node.housed(s)) >= 1 within 1m by node  open { title "{node.name}" } }
rule b { when count(host_down) >= 3 within 5m by pool = node.pool  open { title "{pool} {count}" } }
rule c { when host_down by node.site  open { title "{site.name}" } }
test "t" { +0s expect no a +0s expect no b +0s expect no c }
)bell");
  ASSERT_EQ(r.text(), "");
  EXPECT_TRUE(rule(r, "a").when->leaf.relation_reversed);
  EXPECT_EQ(rule(r, "b").key[0].name, "pool");
  EXPECT_EQ(rule(r, "b").key[0].type, Type::String);
  EXPECT_EQ(rule(r, "c").key[0].name, "site");
  EXPECT_EQ(rule(r, "c").key[0].type, Type::Row);
}

TEST(Rules, ConstantArgumentsFilterTheLeaf) {
  const Built r = with_signals(R"bell(
rule a { when if_down(node, "eth0") and not host_down(node) for 5s by node  unless dns_silent(node, _)  open { title "x" } }
test "t" { +0s expect no a }
)bell");
  ASSERT_EQ(r.text(), "");
  const Rule& a = rule(r, "a");
  ASSERT_EQ(a.when->children[0]->leaf.filters.size(), 1U);
  EXPECT_EQ(a.when->children[0]->leaf.filters[0]->kind, ExprKind::Equal);
  EXPECT_EQ(a.when->children[1]->kind, PatternKind::Not);
  ASSERT_NE(a.unless, nullptr);
  EXPECT_EQ(a.patterns.size(), 6U);
}

TEST(Rules, SequencesMissingAndRawEvents) {
  const Built r = with_signals(R"bell(
rule a { when host_down(node) then not if_down(node, _) within 30s by node  open { title "x" } }
rule b { when missing beat for 3m by node  where node.role == "probe"  open { title "no beat for {silence}" } }
rule c { when count(trap) >= 2000 within 10s by node  open { title "{count} traps" } }
test "t" { +0s expect no a +0s expect no b +0s expect no c }
)bell");
  ASSERT_EQ(r.text(), "");
  EXPECT_EQ(rule(r, "a").when->kind, PatternKind::ThenNot);
  EXPECT_EQ(rule(r, "b").when->kind, PatternKind::Missing);
  EXPECT_EQ(rule(r, "b").when->duration, 3min);
  EXPECT_EQ(r.out.program->signals[rule(r, "b").when->leaf.signal].name, "beat");
  EXPECT_EQ(rule(r, "c").when->aggregate, AggregateKind::CountEvents);
  EXPECT_TRUE(
      with_signals("rule a { when host_down(node) then beat(node) within 3s open { title \"x\" } }")
          .has("B0510"));
}

TEST(Rules, AnyMakesACausePerRule) {
  const Built r = with_signals(R"bell(
signal site_down(site: site) { raise when host_down by site = node.site }
rule power { when site_down open { title "x" } }
rule i { when if_down open { title "x" } }
rule h { when host_down open { title "x" } }
cause power(site) of any(node: device) where node.housed(site)
test "t" { +0s expect no i +0s expect no h +0s expect no power }
)bell");
  ASSERT_EQ(r.text(), "");
  ASSERT_EQ(r.out.program->causes.size(), 2U);
  EXPECT_EQ(r.out.program->causes[0].probes[0].kind, ProbeKind::Forward);
  EXPECT_TRUE(rule(r, "i").explainable);
}

TEST(Causes, ArgumentsCanBeExpressions) {
  const Built r = with_signals(R"bell(
signal site_down(site: site) { raise when host_down by site = node.site }
rule power { when site_down open { title "x" } }
rule h { when host_down open { title "x" } }
rule i { when if_down open { title "x" } }
cause power(node.site) of h(node)
cause i(node, "uplink") of h(node)
test "t" { +0s expect no i +0s expect no h +0s expect no power }
)bell");
  ASSERT_EQ(r.text(), "");
  ASSERT_EQ(r.out.program->causes.size(), 2U);
  const Cause& power = r.out.program->causes[0];
  ASSERT_EQ(power.filters.size(), 1U);
  EXPECT_EQ(power.probes[0].kind, ProbeKind::Equal);
  EXPECT_EQ(power.probes[0].from->kind, ExprKind::Column);
  const Cause& uplink = r.out.program->causes[1];
  EXPECT_EQ(uplink.probes[0].kind, ProbeKind::Var);
  EXPECT_EQ(uplink.probes[1].kind, ProbeKind::Equal);
  EXPECT_EQ(uplink.probes[1].from->value.text, "uplink");
}

TEST(Rules, EachAggregateHasItsOwnWayToTheKey) {
  const Built r = with_signals(R"bell(
relation near(device, string) from "near.csv"
relation on(device, string) from "on.csv"
rule a {
  when share(host_down(n), n.near(zone)) >= 50% and distinct(dns_silent(n, v), n.on(zone)) >= 2 within 1m by zone
  open { title "{zone}" }
}
test "t" { +0s expect no a }
)bell");
  EXPECT_TRUE(r.has("B0221")) << "distinct of a signal with two parameters names one\n" << r.text();
  const Built ok = with_signals(R"bell(
relation near(device, string) from "near.csv"
relation on(device, string) from "on.csv"
rule a {
  when share(host_down(n), n.near(zone)) >= 50% and count(host_down(n), n.on(zone)) >= 2 within 1m by zone
  open { title "{zone}" }
}
test "t" { +0s expect no a }
)bell");
  ASSERT_EQ(ok.text(), "");
  EXPECT_NE(rule(ok, "a").when->children[0]->leaf.relation,
            rule(ok, "a").when->children[1]->leaf.relation);
}

TEST(Signals, VarbindsByPositionNumberAndInstance) {
  const Built r = build_with_prelude(R"bell(
signal s(node: device, x: string, n: int) {
  raise trap 1.3.6.1.4.1.9.9.1 where var[3] == 2 with x = var[1.3.6.1.2.1.2.2.1.2], n = var.ifIndex.instance
  clear trap 1.3.6.1.4.1.9.9.1 where var[3] != 2 with x = var[1], n = var[2]
}
signal level(node: device) { raise syslog where level >= major and not (app in { "cron", "su" })  expire 1h }
signal relayed(node: device) { raise syslog "one thing is down" per via  clear syslog "one thing is up" }
signal proved(node: device) {
  raise trap 1.3.6.1.4.1.9.9.3
  clear trap 1.3.6.1.4.1.9.9.4
  clear probe "proof" where status == up
}
signal either(node: device, x: string) {
  raise trap 1.3.6.1.4.1.9.9.2 where var.ifOperStatus ?? var[2] == 2 and var[4] in { 1, 2 } and var[5] ?? "?" != "x" with x = var.ifDescr ?? var.ifName
  expire 1h
}
signal addr(node: device) { raise syslog "x {a} end" where node.ip in 10.0.0.0/8 or node.ip == "2001:db8:0::1"  expire 1h }
signal probe_label(node: device, mount: string) {
  raise probe "disk" where label.size > 5 and value ?? 0.0 >= 95% with mount = label.mount
  clear all probe "reset"
}
)bell");
  ASSERT_EQ(r.text(), "");
  const Clause& raise = r.out.program->clauses[signal(r, "s").clauses[0]];
  EXPECT_EQ(raise.where->args[0]->position, 3U);
  EXPECT_EQ(raise.where->args[0]->type, Type::Int)
      << "a varbind is read as what it is compared with";
  EXPECT_TRUE(raise.key[2]->instance);
  for (const Index c : signal(r, "relayed").clauses) {
    EXPECT_TRUE(r.out.program->clauses[c].per_vantage)
        << "a clear tells its raiser by the same field";
    EXPECT_EQ(r.out.program->clauses[c].per->field, EventField::Via);
  }
  for (const Index c : signal(r, "proved").clauses) {
    EXPECT_FALSE(r.out.program->clauses[c].per_vantage)
        << "no probe raises it: one that clears it clears it whole";
  }
  const Clause& either = r.out.program->clauses[signal(r, "either").clauses[0]];
  EXPECT_EQ(either.where->args[0]->args[0]->args[0]->args[0]->type, Type::Int);
  EXPECT_EQ(either.where->args[0]->args[1]->args[0]->type, Type::Int);
  const Clause& addr = r.out.program->clauses[signal(r, "addr").clauses[0]];
  EXPECT_EQ(addr.where->args[1]->args[1]->value.text, "2001:db8::1") << "canonical, RFC 5952";
  const Clause& label = r.out.program->clauses[signal(r, "probe_label").clauses[0]];
  EXPECT_EQ(label.key[1]->name, "label.mount");
  EXPECT_EQ(label.where->args[0]->args[0]->type, Type::Int);
  EXPECT_EQ(r.out.program->clauses[signal(r, "probe_label").clauses[1]].key[1], nullptr);
}

TEST(Signals, ANotificationWithTwoOidsIsTwoClauses) {
  const Built r = build_with_prelude(
      "signal s(node: device) { raise trap UPS-MIB::upsTrapOnBattery expire 1h }");
  ASSERT_EQ(r.text(), "");
  EXPECT_GE(signal(r, "s").clauses.size(), 2U);
}

TEST(Diagnostics, LookAsTheLanguagePageShowsThem) {
  const Built r = build(R"bell(signal if_down(node: string, ifname: string) { raise when if_down }
rule r {

  when if_down
}
rule a { when count(if_donw) within 10m
}
rule b {
  when if_down(x, y) then if_down(x, y)

  open { title "x" }
}
cause r(up, x) of if_down(node, ifname, extra)
)bell");
  EXPECT_THAT(r.text(), HasSubstr(R"(error: no signal, measure, rule or event is called 'if_donw'
 --> t.bell:6:21
6 | rule a { when count(if_donw) within 10m
  |                     ^^^^^^^  did you mean 'if_down'?
error: an aggregate is compared: expected >=, >, <, <=, == or !=, found 'within'
 --> t.bell:6:30
6 | rule a { when count(if_donw) within 10m
  |                              ^^^^^^  e.g. count(if_down) >= 5 within 10m
error: a sequence needs a time bound: expected 'within <duration>', found 'open'
  --> t.bell:11:3
11 |   open { title "x" }
   |   ^^^^  state for an unbounded wait would never be freed
error: 'if_down' has 2 parameters, 3 given
  --> t.bell:13:19
13 | cause r(up, x) of if_down(node, ifname, extra)
   |                   ^^^^^^^  if_down(node, ifname)
)"));
}

struct Wrong {
  const char* text;
  const char* code;
  const char* message;
};

class WrongTexts : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongTexts, AreToldOnceWithTheirCode) {
  const Built r = with_signals(GetParam().text);
  EXPECT_EQ(r.out.errors, 1U) << r.text();
  EXPECT_EQ(r.out.program, nullptr);
  EXPECT_TRUE(r.has(GetParam().code)) << r.text();
  EXPECT_THAT(r.text(), HasSubstr(GetParam().message));
  EXPECT_FALSE(explain_code(GetParam().code).empty()) << GetParam().code;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTexts,
    ::testing::Values(
        Wrong{"rule a { when host_donw open { title \"x\" } }", "B0200",
              "did you mean 'host_down'?"},
        Wrong{"signal s(node: devise) { raise syslog \"hello\" expire 1h }", "B0201",
              "did you mean 'device'?"},
        Wrong{"rule a { when host_down open { title \"{nod.name}\" } }", "B0202",
              "did you mean 'node'?"},
        Wrong{"rule a { when host_down open { title \"{node.nam}\" } }", "B0203",
              "did you mean 'name'?"},
        Wrong{"signal s(node: device) { raise sysloog \"hello\" expire 1h }", "B0204",
              "did you mean 'syslog'?"},
        Wrong{"rule a { when host_down where node.behnd(node) open { title \"x\" } }", "B0206",
              "did you mean 'behind'?"},
        Wrong{"signal s(node: device) { raise trap IF-MIB::linkDwn expire 1h }", "B0207",
              "did you mean 'linkDown'?"},
        Wrong{"rule a { when host_down open { escalate backbon } }", "B0208",
              "did you mean 'backbone'?"},
        Wrong{"rule host_down { when if_down open { title \"x\" } }", "B0210",
              "of a signal and of a rule"},
        Wrong{"rule a { when host_down open { severity crit } }", "B0211",
              "'crit' is no word of the enum severity"},
        Wrong{"rule a { when host_down open { serverity major } }", "B0213",
              "did you mean 'severity'?"},
        Wrong{"signal count(node: device) { }", "B0214", "cannot name a signal"},
        Wrong{"rule a { when host_down(nodes: x) open { title \"x\" } }", "B0221",
              "host_down(node)"},
        Wrong{"signal s(peer: ip) { raise syslog \"hello\" with peer = app expire 1h }", "B0300",
              "expected ip, found string"},
        Wrong{"rule a { when host_down(a, b) open { title \"x\" } }", "B0301",
              "'host_down' has 1 parameter, 2 given"},
        Wrong{"signal s(peer: ip) { raise syslog \"hello\" with peer = \"10.0.0.300\" expire 1h }",
              "B0303", "is no ip"},
        Wrong{"rule a { when host_down where node.role == 5 open { title \"x\" } }", "B0304",
              "cannot be compared"},
        Wrong{"rule a { when host_down where node.role open { title \"x\" } }", "B0305",
              "true or false"},
        Wrong{"rule a { when host_down where node.pool == none open { title \"x\" } }", "B0306",
              "is none"},
        Wrong{"signal s(peer: ip) { raise syslog \"hello\" expire 1h }", "B0400",
              "'peer' is not bound"},
        Wrong{"signal s(app: string) { raise syslog \"hello {app}{_}\" expire 1h }", "B0402",
              "two holes"},
        Wrong{"rule a { when host_down by nod open { title \"x\" } }", "B0500",
              "nothing in the pattern determines 'nod'"},
        Wrong{"rule a { when if_down and host_down by node, ifname open { title \"x\" } }", "B0501",
              "does not determine 'ifname'"},
        Wrong{"rule a { when host_down by node == node open { title \"x\" } }", "B0502",
              "needs a name"},
        Wrong{"rule a { when share(host_down(node), node.role == \"x\") >= 5% by node open { title "
              "\"x\" } }",
              "B0504", "share needs one relation"},
        Wrong{"rule a { open { title \"x\" } }", "B0505", "has no 'when'"},
        Wrong{"rule a { when count(host_down) >= 5 open { title \"x\" } }", "B0506",
              "within <duration>"},
        Wrong{"rule a { when host_down settle 1s settle 2s open { title \"x\" } }", "B0508",
              "twice"},
        Wrong{"rule a { when beat open { title \"x\" } }", "B0510",
              "nothing says when this incident ends"},
        Wrong{"rule a { when host_down open { title \"x\" } } cause a(n) of a(m) where "
              "n.housed(m.site)",
              "B0601", "explain itself"},
        Wrong{"rule a { when host_down open { title \"x\" } } rule b { when host_down open { title "
              "\"x\" } } cause a(n) of b(n) cause b(n) of a(n)",
              "B0600", "-> "},
        Wrong{"rule a { when b open { title \"x\" } } rule b { when a open { title \"x\" } }",
              "B0610", "depends on itself"},
        Wrong{"policy q(i: impact) -> priority { P1 if i == outage }", "B0650", "else VALUE"},
        Wrong{
            "policy q(i: impact, t: tier) -> priority { P1 if i >= at_risk  P2 if t >= solution }",
            "B0650", "e.g. i none, t corporate has no answer"},
        Wrong{"policy q(i: impact) -> priority { P1 if i == outage  else q(i) }", "B0652",
              "declared after"},
        Wrong{"rule a { when host_down open { title \"x\" } } rule b { when host_down was a open { "
              "title \"x\" } }",
              "B0511", "still a rule"},
        Wrong{"test \"t\" { given device { nam: \"x\" } }", "B0203", "did you mean 'name'?"},
        Wrong{"test \"t\" { given devices { name: \"x\", tier: gold } }", "B0211",
              "corporate, solution or premium"},
        Wrong{"use \"nowhere.bell\"", "B0212", "no file 'nowhere.bell'"},
        Wrong{"rule a { when count(host_down) >= usual within 5m open { title \"x\" } }", "B0905",
              "not available"},
        Wrong{"rule a { when host_down open { title \"x\n } }", "B0011", "has no end"},
        Wrong{"signal s(node: device) { raise syslog /abc\n expire 1h }", "B0011", "has no end"},
        Wrong{"signal s(node: device) { raise syslog /a(?=b)/ expire 1h }", "B0405",
              "no look-around"},
        Wrong{"signal s(node: device) { raise syslog // expire 1h }", "B0405", "it is empty"},
        Wrong{"signal s(node: device, x: string) { raise syslog /link (?P<y>\\S+)/ expire 1h }",
              "B0400", "'x' is not bound"},
        Wrong{"signal s(node: device) { raise trap /abc/ expire 1h }", "B0404",
              "a trap name or an OID"},
        Wrong{"signal s(node: device) { raise syslog \"hello\" where node.ip == \"2001:db8::zz\" "
              "expire 1h }",
              "B0303", "is no ip"},
        Wrong{"rule a { when host_down for 5x open { title \"x\" } }", "B0012", "units are"},
        Wrong{"rule a { when host_down for 5 open { title \"x\" } }", "B0100",
              "a duration has a unit"},
        Wrong{"rule a { when host_down where node.role = \"x\" open { title \"x\" } }", "B0107",
              "write =="},
        Wrong{"rul a { when host_down }", "B0104", "did you mean 'rule'?"},
        Wrong{"rule a { when host_down  opne { title \"x\" } }", "B0105", "did you mean 'open'?"},
        Wrong{"rule a { when host_down and\n settle 5s open { title \"x\" } }", "B0100",
              "found 'settle'"},
        Wrong{"signal s(node: device) { raise syslog \"hello\" where\n clear syslog \"bye\" }",
              "B0100", "found 'clear'"},
        Wrong{"rule a { when (host_down\n open { title \"x\" } }", "B0100", "expected ')'"},
        Wrong{"rule a { when host_down by open { title \"x\" } }", "B0100", "found 'open'"},
        Wrong{"rule a { when host_down open { title \"x\" } }\ncause a of\ncause a(x) of a(y) "
              "where x.behind(y)",
              "B0100", "found 'cause'"},
        Wrong{"test \"t\" {\n +5 syslog { node: \"x\" }\n +6s syslog { node: \"x\" }\n }", "B0100",
              "a duration has a unit"},
        Wrong{"test \"t\" { +5s syslog { node \"x\" } }", "B0701", "FIELD: VALUE"},
        Wrong{"rule a { when host_down open { title \"x\" }", "B0103", "its '{' is in line"}));

struct Doubtful {
  const char* text;
  const char* code;
};
class DoubtfulTexts : public ::testing::TestWithParam<Doubtful> {};

TEST_P(DoubtfulTexts, AreWarnedAbout) {
  const Built r = with_signals(GetParam().text);
  EXPECT_EQ(r.out.errors, 0U) << r.text();
  EXPECT_NE(r.out.program, nullptr);
  EXPECT_TRUE(r.has(GetParam().code)) << r.text();
  EXPECT_FALSE(explain_code(GetParam().code).empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, DoubtfulTexts,
    ::testing::Values(
        Doubtful{"signal s(node: device) { raise syslog \"hello world\" }", "B0801"},
        Doubtful{"signal s(node: device) { raise syslog \"{_}: {_}\" expire 1h }", "B0802"},
        Doubtful{"signal s(node: device) { raise syslog /(up|down)$/ expire 1h }", "B0802"},
        Doubtful{"signal s(node: device) { raise syslog /hello/ raise syslog /hello/ expire 1h }",
                 "B0803"},
        Doubtful{"signal s(node: device) { raise syslog \"hello\" expire 1h } signal t(node: "
                 "device) { raise syslog \"hello\" expire 1h }",
                 "B0803"},
        Doubtful{
            "policy q(i: impact) -> priority { P1 if i == outage  P2 if i == outage  else P4 }",
            "B0804"},
        Doubtful{
            "policy q(i: impact, t: tier) -> priority { P1 if i == outage  P2 if i == outage and "
            "t >= solution  else P4 }",
            "B0804"},
        Doubtful{"policy q(i: impact) -> priority { P1 if i >= none  P2 if i is none  P3 if i == "
                 "degraded  else P4 }",
                 "B0804"},
        Doubtful{
            "rule a { when host_down open { title \"x\" severity major if node.role == \"x\" } }",
            "B0813"},
        Doubtful{
            "rule a { when host_down open { title \"x\" priority P1 if node.role == \"x\" else P2 "
            "if node.role == \"y\" } }",
            "B0813"},
        Doubtful{"rule a { when host_down open { title \"x\" } }", "B0805"},
        Doubtful{"rule a { when missing beat for 3m by node open { title \"x\" } }", "B0808"},
        Doubtful{"rule a { when host_down open { title \"x\" } } rule b { when host_down open { "
                 "title \"x\" } } "
                 "cause a(n) of b(m) where n.site == m.site",
                 "B0806"}));

TEST(Diagnostics, CountsCharactersAndCleansTheLine) {
  const Built r = build("rule a { when \"\xC3\xA9\xC3\xA9\" \x01 }\n");
  EXPECT_THAT(r.text(), HasSubstr(" --> t.bell:1:15\n"));
  EXPECT_THAT(r.text(), ::testing::Not(HasSubstr("\x01")));
}

TEST(Diagnostics, AnyNumberOfMistakesIsBounded) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += "rule r" + std::to_string(i) + " { when s" + std::to_string(i) +
            " open { title \"{x}\" } }\n";
  }
  const Built r = build(text);
  EXPECT_EQ(r.out.errors, 3000U);
  EXPECT_LE(r.out.diagnostics.size(), 400U);
}

}  // namespace
}  // namespace belfry::rules
