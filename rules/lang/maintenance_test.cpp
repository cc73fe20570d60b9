// Maintenance: from text to Program (LANGUAGE 4, 6.10), and the mistakes one makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "belfry/rules/compile.hpp"
#include "compiled_for_test.hpp"

namespace belfry::rules {
namespace {

using ::testing::HasSubstr;

const char* const kRules = R"bell(
signal if_down(node: device, ifname: string) {
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}
signal room_hot(site: site) { raise syslog "room {site} is hot" expire 1h }
rule interface_down { when if_down open { title "{node.name} {ifname} down" } }
rule hot { when room_hot open { title "{site.name} hot" } }
rule flapping { when flaps(if_down) >= 5 within 10m by node  clear quiet 30m open { title "{node.name}" } }
)bell";

Built build(const std::string& text) { return build_with_prelude(kRules + text); }

Instant at(std::string_view text) { return *parse_rfc3339(text); }

TEST(MaintenanceLines, RowsOfATableAreWindows) {
  const Built r = build(
      "maintenance carrier_works \"carrier\" { each w in works covers interface_down(node, ifname) "
      "where port[node, ifname].circuit.ref in w.refs grace 15m }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  ASSERT_EQ(r.out.program->maintenances.size(), 1U);
  const Maintenance& m = r.out.program->maintenances[0];
  const TableSchema& works = r.out.program->schema->tables[m.table];
  EXPECT_EQ(m.name, "carrier_works");
  EXPECT_EQ(m.description, "carrier");
  EXPECT_EQ(works.name, "works");
  EXPECT_EQ(works.columns[m.start_column].name, "start");
  EXPECT_EQ(works.columns[m.end_column].name, "end");
  EXPECT_EQ(m.grace, 15min);
  EXPECT_EQ(m.rule, r.out.program->find_rule("interface_down"));
  ASSERT_EQ(m.vars.size(), 3U);
  EXPECT_EQ(m.vars[2].name, "w");
  EXPECT_NE(m.where, nullptr);
}

TEST(MaintenanceLines, AFixedWindowIsReadInItsZone) {
  const Built r = build(
      "maintenance ups { from 2026-03-14T22:00 to 2026-07-15T04:00 \"Europe/Paris\" covers "
      "any(n: device) where n.site.name == \"PAR2\" grace 10m }\n"
      "maintenance day { from 2026-03-14T22:00:30+01:00 to 2026-03-15T04:00Z covers hot }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const auto& list = r.out.program->maintenances;
  ASSERT_EQ(list.size(), 3U);  // `any`: interface_down and flapping
  EXPECT_EQ(list[0].table, kNone);
  EXPECT_EQ(list[0].from, at("2026-03-14T21:00:00Z"));
  EXPECT_EQ(list[0].to, at("2026-07-15T02:00:00Z"));
  EXPECT_NE(list[0].rule, list[1].rule);
  EXPECT_EQ(list[2].from, at("2026-03-14T21:00:30Z"));
  EXPECT_EQ(list[2].to, at("2026-03-15T04:00:00Z"));
  EXPECT_EQ(list[2].grace, 0min);
}

TEST(MaintenanceLines, SummerTimeTakesTheWidestReading) {
  // 02:30 comes twice on 25 October 2026 and not at all on 29 March.
  const Built r = build(
      "maintenance a { from 2026-10-25T02:30 to 2026-10-25T02:45 \"Europe/Paris\" covers hot }\n"
      "maintenance b { from 2026-03-29T02:30 to 2026-03-29T06:00 \"Europe/Paris\" covers hot }");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const auto& list = r.out.program->maintenances;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].from, at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(list[0].to, at("2026-10-25T01:45:00Z"));
  EXPECT_EQ(list[1].from, at("2026-03-29T01:00:00Z"));
  EXPECT_THAT(r.text(), HasSubstr("B0809"));
  EXPECT_THAT(r.text(), HasSubstr("comes twice"));
}

struct Wrong {
  std::string text;
  std::string code, says;
};

TEST(MaintenanceLines, MistakesAreToldOnce) {
  const std::string window = "from 2026-03-14T22:00Z to 2026-03-15T04:00Z ";
  for (const Wrong& wrong : std::vector<Wrong>{
           {"maintenance m { each w in work covers hot }", "B0206", "did you mean 'works'?"},
           {"maintenance m { each w in circuit covers hot }", "B0621", "no column 'start'"},
           {"maintenance m { each w in works covers hots }", "B0200", "did you mean 'hot'?"},
           {"maintenance m { each w in works covers room_hot }", "B0200",
            "the rule of this signal is hot"},
           {"maintenance m { each w in works }", "B0620", "covers nothing"},
           {"maintenance m { covers hot }", "B0620", "does not say when"},
           {"maintenance m { each w in works " + window + "covers hot }", "B0620", "either"},
           {"maintenance m { " + window + window + "covers hot }", "B0508", "stands twice"},
           {"maintenance m { from 2026-03-14T22:00 to 2026-03-15T04:00 covers hot }", "B0622",
            "of which zone?"},
           {"maintenance m { from 2026-03-14T22:00Z to 2026-03-15T04:00 \"UTC\" covers hot }",
            "B0622", "its offset itself"},
           {"maintenance m { from 2026-03-14T22:00 to 2026-03-15T04:00 \"paris\" covers hot }",
            "B0661", "did you mean 'Europe/Paris'?"},
           {"maintenance m { from 2026-02-30T22:00 to 2026-03-15T04:00 \"UTC\" covers hot }",
            "B0303", "no such day"},
           {"maintenance m { from 2026-03-15T04:00Z to 2026-03-14T22:00Z covers hot }", "B0624",
            "ends before it begins"},
           {"maintenance m { each w in works covers interface_down(node, ifname, x) }", "B0301",
            "2 parameters"},
           {"maintenance m { each site in works covers hot(site) where site == site }", "B0602",
            "part of the key"},
           {"maintenance m { each w in works covers interface_down(node, ifname) where if_down }",
            "B0625", "down now"},
           {"maintenance m { each w in works covers hot(site) where site.nme == \"x\" }", "B0203",
            "did you mean 'name'?"},
           {"maintenance m { each w in works covers hot(site) where site.name }", "B0305",
            "true or false"},
           {"maintenance m { " + window + "covers any(x) }", "B0603", "any(node: device)"},
           {"maintenance m { " + window + "covers hot }\nmaintenance m { " + window +
                "covers hot }",
            "B0210", "declared twice"},
       }) {
    const Built r = build(wrong.text);
    EXPECT_EQ(r.out.errors, 1U) << wrong.text << "\n" << r.text();
    EXPECT_FALSE(explain_code(wrong.code).empty()) << wrong.code;
    EXPECT_THAT(r.text(), HasSubstr(wrong.code)) << wrong.text;
    EXPECT_THAT(r.text(), HasSubstr(wrong.says)) << wrong.text;
  }
  EXPECT_THAT(build("maintenance m { " + window + "covers any(x: circuit) }").text(),
              HasSubstr("B0604"));
}

}  // namespace
}  // namespace belfry::rules
