// Measures and calendars: from text to Program, to samples, to open hours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "belfry/rules/compile.hpp"
#include "belfry/rules/eval.hpp"
#include "belfry/rules/matcher.hpp"
#include "compiled_for_test.hpp"

namespace belfry::rules {
namespace {

using ::testing::HasSubstr;

const char* const kMeasures = R"bell(
measure disk(node: device, mount: string): percent from probe "disk" with mount = label.mount
measure room(site: site): celsius from probe "temperature" with site = node.site
measure load(node: device): ratio from probe "load"
measure ping(node: device): seconds from probe "rtt"
measure octets(node: device, ifname: string): bytes
  from syslog "%TRAFFIC-6-OCTETS: {ifname} {n} octets" where app == "flowd" with value = 5
)bell";

Built build(const std::string& text, const std::string& list = texts::kHolidays) {
  return build_with_prelude(kMeasures + text, list);
}

std::string rule(const std::string& when) {
  return "rule a { when " + when + " clear after 1m open { title \"x\" } }";
}

const Signal& signal(const Built& r, std::string_view name) {
  return r.out.program->signals[r.out.program->find_signal(name)];
}
const Pattern& when(const Built& r) { return *r.out.program->rules.front().when; }

TEST(Measures, AreSignalsBehindTheDeclaredOnes) {
  const Built r = build("signal s(node: device) { raise syslog \"hello\" expire 1h }" +
                        rule("avg(disk) >= 90% within 10m"));
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const Program& p = *r.out.program;
  EXPECT_EQ(p.find_signal("s"), 0U);
  EXPECT_EQ(p.find_signal("disk"), 1U);
  const Signal& disk = signal(r, "disk");
  EXPECT_TRUE(disk.measure);
  EXPECT_TRUE(disk.probe_fed);
  EXPECT_EQ(disk.unit, "percent");
  EXPECT_EQ(disk.expire, 10min);
  EXPECT_EQ(signal(r, "room").expire, 1h);
  ASSERT_EQ(disk.clauses.size(), 1U);
  const Clause& clause = p.clauses[disk.clauses[0]];
  EXPECT_EQ(clause.kind, ClauseKind::Sample);
  EXPECT_EQ(clause.event_type, "probe");
  ASSERT_NE(clause.value, nullptr);
  EXPECT_EQ(clause.value->name, "value");
  EXPECT_EQ(clause.key.size(), 2U);
}

TEST(Measures, NumbersAreInTheirUnit) {
  const auto number = [](const std::string& pattern) {
    const Built r = build(rule(pattern));
    EXPECT_NE(r.out.program, nullptr) << r.text();
    return r.out.program == nullptr ? NAN : when(r).threshold->value.number();
  };
  EXPECT_EQ(number("avg(disk) >= 95% within 5m"), 95);
  EXPECT_EQ(number("avg(disk) >= 95 within 5m"), 95);
  EXPECT_EQ(number("avg(load) >= 95% within 5m"), 0.95);
  EXPECT_EQ(number("max(ping) >= 200ms within 5m"), 0.2);
  EXPECT_EQ(number("min(room) < 12 within 5m"), 12);
  EXPECT_EQ(number("count(disk) >= 3 within 5m"), 3);
}

TEST(Measures, EtaHasATargetAndADuration) {
  const Built r = build(rule("eta(disk, 100%) < 4h within 6h by node, mount"));
  ASSERT_NE(r.out.program, nullptr) << r.text();
  EXPECT_EQ(when(r).aggregate, AggregateKind::Eta);
  EXPECT_EQ(when(r).target->value.number(), 100);
  EXPECT_EQ(when(r).threshold->type, Type::Duration);
}

TEST(Measures, ThresholdsReadColumnsOfTheKey) {
  const Built r = build(
      "rule hot { when avg(room) >= max(site.room_limit, 18) within 5m by site clear after 10m "
      "open { title \"{site.name}: {value} C, limit {site.room_limit}\" } }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  EXPECT_EQ(when(r).threshold->kind, ExprKind::If);
  EXPECT_EQ(r.out.program->rules[0].open[0].value->args[1]->measured, Measured::Value);
}

TEST(Measures, AreNamedInTitles) {
  const Built r = build(
      "rule a { when avg(disk) as mean >= 50% within 5m and max(disk) as top >= 90% within 5m and "
      "rate(disk) >= 1% within 5m and eta(disk, 100%) < 1h within 1h by node, mount "
      "open { title \"{mean} {top} {value} {rate} {eta ?? \"-\"}\" "
      "severity critical if top >= 98% else warning } }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const auto& args = r.out.program->rules[0].open[0].value->args;
  ASSERT_EQ(args.size(), 5U);
  EXPECT_EQ(args[0]->index, 0U);
  EXPECT_EQ(args[1]->index, 1U);
  EXPECT_EQ(args[2]->index, 0U);
  EXPECT_EQ(args[3]->measured, Measured::Rate);
  EXPECT_EQ(args[3]->index, 2U);
  EXPECT_EQ(args[4]->kind, ExprKind::Coalesce);
  EXPECT_EQ(args[4]->args[0]->index, 3U);
  const Expr* test = r.out.program->rules[0].open[1].value->args[1];
  EXPECT_EQ(test->args[1]->value.number(), 98);
}

TEST(Measures, LinesOfSignalsCompareThem) {
  const Built r = build(
      "signal disk_full(node: device, mount: string) {\n  raise disk where value >= 95% and "
      "status != down\n  clear disk where 90% > value\n}\n"
      "signal busy(ifname: string, node: device) { raise octets where value > 4 clear all octets "
      "where value < 1 }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const Program& p = *r.out.program;
  const Signal& full = signal(r, "disk_full");
  ASSERT_EQ(full.clauses.size(), 2U);
  const Clause& raise = p.clauses[full.clauses[0]];
  EXPECT_EQ(raise.kind, ClauseKind::Raise);
  EXPECT_EQ(raise.event_type, "probe");
  EXPECT_TRUE(raise.per_vantage);
  EXPECT_EQ(raise.head_template.at(0).literal, "disk");
  EXPECT_EQ(raise.where->args[0]->args[1]->value.number(), 95);
  EXPECT_EQ(p.clauses[full.clauses[1]].where->args[0]->value.number(), 90);
  const Clause& busy = p.clauses[signal(r, "busy").clauses[0]];
  EXPECT_EQ(busy.where->kind, ExprKind::And);   // of the measure, and the line's own
  EXPECT_EQ(busy.key[0]->kind, ExprKind::Var);  // keys by name, in the signal's order
  EXPECT_EQ(busy.holes.size(), 2U);
}

struct Wrong {
  std::string text, code, message;
};

void expect_wrong(const Wrong& wrong) {
  const Built r = build(wrong.text);
  EXPECT_EQ(r.out.errors, 1U) << r.text();
  EXPECT_THAT(r.text(), HasSubstr(wrong.message));
  EXPECT_THAT(r.text(), HasSubstr(wrong.code));
  EXPECT_FALSE(explain_code(wrong.code).empty()) << wrong.code;
}

TEST(Measures, MistakesAreToldOnce) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {"measure m(node: device) from beat", "B0520", "no number"},
           {"measure m(node: device): celcius from probe \"x\"", "B0524",
            "did you mean 'celsius'?"},
           {"measure m(node: device, slot: string) from probe \"x\"", "B0400", "'slot'"},
           {"measure m(node: device) from probe \"x\" with valeu = 3", "B0221", "'valeu'"},
           {"measure m(node: device) from probes \"x\"", "B0204", "did you mean 'probe'?"},
           {"measure m(value: string) from probe \"x\"", "B0214", "'value'"},
           {"signal disk(node: device) { raise syslog \"hello\" expire 1h }", "B0210", "'disk'"},
           {rule("avg(room) >= 95% within 5m"), "B0523", "in celsius"},
           {rule("avg(disk) >= 5m within 5m"), "B0523", "is a duration"},
           {rule("avg(disk) >= 95%"), "B0506", "within <duration>"},
           {rule("avg(disk) >= none within 5m"), "B0302", "a number"},
           {rule("eta(disk, 100%) < 4 within 6h"), "B0302", "a duration"},
           {rule("eta(disk) < 4h within 6h"), "B0525", "a number to reach"},
           {rule("eta(room, 95%) < 4h within 6h"), "B0523", "in celsius"},
           {rule("eta(disk, 100%) < 4h within 6h by node"), "B0522", "'mount'"},
           {rule("rate(octets) > 5 within 6h by node"), "B0522", "'ifname'"},
           {rule("disk for 5m"), "B0521", "a number, not up or down"},
           {rule("flaps(disk) >= 5 within 5m"), "B0521", "a number"},
           {rule("avg(disk.mount) >= 5 within 5m"), "B0507", "not one of its parameters"},
           {"signal s(node: device) { raise syslog \"hello\" expire 1h }" +
                rule("avg(s) >= 5 within 5m"),
            "B0521", "works on a measure"},
           {"rule b { when avg(disk) > 5 within 5m open { title \"x\" } }" +
                rule("rate(b) >= 5 within 5m"),
            "B0521", "is a rule"},
           {"rule b { when avg(disk) > 5 within 5m open { title \"{rate}\" } }", "B0202",
            "nothing in this rule measures 'rate'"},
           {"rule b { when avg(disk) > 5 within 5m open { title \"x\" severity critical if disk "
            "else "
            "minor } }",
            "B0521", "is a measure"},
           {"signal s(node: device) { raise disk where value >= 5m clear disk where value < 5 }",
            "B0523", "is a duration"},
           {"signal s(node: device) { raise disk \"x\" where value >= 5 expire 1h }", "B0404",
            "its source is given there"},
           {"signal s(slot: string) { raise disk where value >= 5 expire 1h }", "B0400", "'slot'"},
           {rule("count(disk) >= max(200, 4 * usual) within 5m"), "B0905", "not available"},
       }) {
    expect_wrong(wrong);
  }
}

TEST(Calendars, HaveDaysHoursAZoneAndDaysOff) {
  const Built r = build("calendar nights { sat-mon, wed 00:00-24:00 \"UTC\" }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const auto& calendars = r.out.program->calendars;
  ASSERT_EQ(calendars.size(), 2U);
  EXPECT_EQ(calendars[0].days, 0b0011111);
  EXPECT_EQ(calendars[0].from, 9h);
  EXPECT_EQ(calendars[0].to, 18h);
  EXPECT_EQ(calendars[0].except, std::vector<std::string>{"fr_holidays"});
  EXPECT_EQ(calendars[0].days_off.size(), 2U);
  EXPECT_EQ(calendars[1].days, 0b1100101);
  EXPECT_EQ(calendars[1].to, 24h);
}

TEST(Calendars, MistakesAreToldOnce) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {"calendar c { mon-fry 09:00-18:00 \"UTC\" }", "B0660", "did you mean 'fri'?"},
           {"calendar c { mon 09:00-25:00 \"UTC\" }", "B0660", "no time of day"},
           {"calendar c { mon 22:00-06:00 \"UTC\" }", "B0660", "not after"},
           {"calendar c { mon 09:00-18:00 \"Europe/Pariss\" }", "B0661", "'Europe/Pariss'"},
           {"calendar c { mon 09:00-18:00 \"/etc/localtime\" }", "B0661", "time zone"},
           {"calendar c { mon 09:00-18:00 \"UTC\" tue 09:00-12:00 \"UTC\" }", "B0665", "one line"},
           {"escalation e { after 0m notify \"x\" during office }", "B0664", "'office'"},
           {"signal s(node: device) { raise syslog \"hello\" where stamp during offce_hours expire "
            "1h }",
            "B0664", "did you mean 'office_hours'?"},
           {"signal s(node: device) { raise syslog \"hello\" where app during office_hours expire "
            "1h }",
            "B0300", "expected time"},
       }) {
    expect_wrong(wrong);
  }
  EXPECT_THAT(build("", "14.7.2026\n").text(), HasSubstr("B0663"));
  EXPECT_THAT(build("", "2026-07-14\n2026-02-30\n").text(), HasSubstr("fr_holidays.csv:2:1"));
  EXPECT_THAT(build("calendar c { mon 09:00-18:00 \"UTC\" except \"fr_holiday\" }").text(),
              HasSubstr("did you mean 'fr_holidays'?"));
}

TEST(Calendars, OpenByTheClockOnTheWall) {
  const Built r = build("calendar early { sun 02:30-03:30 \"Europe/Paris\" }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const Calendar& office = r.out.program->calendars[0];
  const Calendar& early = r.out.program->calendars[1];
  const auto at = [](std::string_view text) { return *parse_rfc3339(text); };
  EXPECT_FALSE(lies_in(office, at("2026-07-13T06:59:59Z")));
  EXPECT_TRUE(lies_in(office, at("2026-07-13T07:00:00Z")));  // 09:00 in summer
  EXPECT_FALSE(lies_in(office, at("2026-07-13T16:00:00Z")));
  EXPECT_FALSE(lies_in(office, at("2026-07-14T10:00:00Z")));  // a holiday
  EXPECT_FALSE(lies_in(office, at("2026-07-12T10:00:00Z")));  // a Sunday
  EXPECT_EQ(opens_at(office, at("2026-07-13T10:00:00Z")), at("2026-07-13T10:00:00Z"));
  EXPECT_EQ(opens_at(office, at("2026-07-13T17:00:00Z")), at("2026-07-15T07:00:00Z"));
  EXPECT_EQ(opens_at(office, at("2026-12-18T18:00:00Z")), at("2026-12-21T08:00:00Z"));
  // 02:00-03:00 does not exist on 29 March 2026 and comes twice on 25 October.
  EXPECT_EQ(opens_at(early, at("2026-03-28T00:00:00Z")), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(opens_at(early, at("2026-10-24T00:00:00Z")), at("2026-10-25T00:30:00Z"));
}

class Samples : public ::testing::Test {
 protected:
  Samples()
      : built_(build("signal full(node: device, mount: string) { raise disk where value >= "
                     "95% clear disk where value < 90% }")) {
    inventory_ = *InventoryBuilder(built_.out.program->schema).build(1);
  }
  /// Names of what a probe "disk" of r1:/var says.
  std::string said(const Value& value) {
    Batch batch;
    Event& event = batch.events.emplace_back();
    event.kind = EventKind::Probe;
    event.type = "probe";
    event.node = "r1";
    const Attr attrs[]{{"check", Value::string("disk")},
                       {"value", value},
                       {"label.mount", Value::string("/var")},
                       {"vantage", Value::string("v")}};
    event.attrs = attrs;
    Matcher(built_.out.program, inventory_).match(batch);
    std::string out;
    for (const Match& match : batch.matches) {
      const Clause& clause = built_.out.program->clauses[match.clause];
      const char* kind = clause.kind == ClauseKind::Sample  ? "="
                         : clause.kind == ClauseKind::Raise ? "+"
                                                            : "-";
      out += kind + built_.out.program->signals[clause.signal].name + "(" + key_text(match.key) +
             ")" + (match.value == 0 ? "" : std::to_string(static_cast<int>(match.value))) + " ";
    }
    return out;
  }
  Built built_;
  std::shared_ptr<const Inventory> inventory_;
};

TEST_F(Samples, CarryTheNumber) {
  EXPECT_EQ(said(Value::real(97)), "=disk(r1, /var)97 +full(r1, /var) ");
  EXPECT_EQ(said(Value::integer(93)), "=disk(r1, /var)93 ");
  EXPECT_EQ(said(Value::string("12.5")), "=disk(r1, /var)12 -full(r1, /var) ");
  EXPECT_EQ(said(Value::none()), "");
  EXPECT_EQ(said(Value::string("full")), "");
  EXPECT_EQ(said(Value::real(NAN)), "");
  EXPECT_EQ(said(Value::real(INFINITY)), "+full(r1, /var) ");  // no sample, and yet above
}

}  // namespace
}  // namespace belfry::rules
