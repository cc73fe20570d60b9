// Graphs: from text to Program, and what is told of texts that are wrong (LANGUAGE 3, 6.8).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "belfry/rules/compile.hpp"
#include "compiled_for_test.hpp"

namespace belfry::rules {
namespace {

using ::testing::HasSubstr;

const char* const kTables = R"bell(
table link key id { id: string, a: device, b: device, weight: int }
signal link_down(l: link)   { raise syslog "link {l} down"  clear syslog "link {l} up" }
signal host_down(n: device) { raise probe "icmp" where status == down with n = node  clear probe "icmp" where status == up with n = node }
signal card_down(l: link, n: device, slot: string) { raise syslog "card {slot} of {n} on {l} out"  expire 1h }
)bell";
const char* const kGraph = R"bell(
graph backbone {
  nodes device
  edges link (a, b)
  roots device where role == "vantage" and tier >= solution
  down  link_down(link), host_down(device), card_down(_, n, "re0")
}
)bell";
const char* const kRules = R"bell(
rule link_failed { when link_down(l)  open { title "{l.id}" severity major } }
rule node_down   { when host_down(n)  open { title "{n.name} down" if backbone.frontier(n) else "{n.name} unreachable" severity critical } }
)bell";
const char* const kCauses = R"bell(
cause node_down(n)   of link_failed(l)  where backbone.frontier(n) and (l.a == n or l.b == n)
cause node_down(up)  of node_down(node) where node.cut_off(up)
cause link_failed(l) of node_down(node) where node.cut_off(l)
)bell";

Built build(const std::string& text) { return build_with_prelude(kTables + text); }

TEST(Graphs, AreReadWithTheirTablesRootsAndSignals) {
  const Built r = build(std::string(kGraph) + kRules + kCauses);
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const Program& p = *r.out.program;
  ASSERT_EQ(p.graphs.size(), 1U);
  const Graph& g = p.graphs[0];
  EXPECT_EQ(p.schema->tables[g.nodes].name, "device");
  EXPECT_EQ(p.schema->tables[g.edges].name, "link");
  EXPECT_EQ(g.column_a, 1U);
  EXPECT_EQ(g.column_b, 2U);
  ASSERT_NE(g.roots, nullptr);
  ASSERT_EQ(g.down.size(), 3U);
  EXPECT_TRUE(g.down[0].edge);
  EXPECT_FALSE(g.down[1].edge);
  EXPECT_FALSE(g.down[2].edge) << "the one that is named";
  EXPECT_EQ(g.down[2].part, 1U);
  EXPECT_EQ(g.down[2].filters.size(), 1U);
}

TEST(Graphs, CausesAreFoundByProbes) {
  const Built r = build(std::string(kGraph) + kRules + kCauses + R"bell(
rule session { when host_down(n)  open { title "x" severity minor } }
cause link_failed(l) of session(n) where n.edges(l)
cause node_down(m) of session(n) where n.neighbour(m)
cause node_down(up) of session(n) where backbone.behind(n, up)
)bell");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const std::vector<Cause>& causes = r.out.program->causes;
  ASSERT_EQ(causes.size(), 6U);
  EXPECT_EQ(causes[0].probes[0].kind, ProbeKind::Items) << "l.a or l.b";
  EXPECT_EQ(causes[1].probes[0].kind, ProbeKind::Graph);
  EXPECT_EQ(causes[1].probes[0].ask, ExprKind::CutOff);
  EXPECT_FALSE(causes[1].probes[0].edge);
  EXPECT_TRUE(causes[2].probes[0].edge);
  EXPECT_EQ(causes[3].probes[0].ask, ExprKind::Ends);
  EXPECT_EQ(causes[4].probes[0].ask, ExprKind::Neighbour);
  EXPECT_EQ(causes[5].probes[0].ask, ExprKind::Behind);
  EXPECT_THAT(r.text(), Not(HasSubstr("B0806")));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(causes[i].circle, 0U) << i;
    EXPECT_EQ(causes[i].graphs, std::vector<Index>{0}) << i;
  }
  EXPECT_EQ(causes[3].circle, kNone);
  EXPECT_TRUE(causes[3].graphs.empty()) << "tables, nothing live";
  const Program& p = *r.out.program;
  EXPECT_EQ(p.rules[p.find_rule("node_down")].cause_depth,
            p.rules[p.find_rule("link_failed")].cause_depth);
  EXPECT_EQ(p.rules[p.find_rule("session")].cause_depth, 1U);
}

TEST(Graphs, ARelationOfTheSameNameGoesFirst) {
  const Built r = build(std::string(kGraph) + R"bell(
rule node_down { when host_down(n) where n.behind("x") open { title "x" severity minor } }
rule link_failed { when link_down(l) where not l.behind(l.a) open { title "x" severity minor } }
)bell");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  EXPECT_EQ(r.out.program->rules[0].where->kind, ExprKind::Related);
  EXPECT_EQ(r.out.program->rules[1].where->args[0]->kind, ExprKind::Behind);
}

TEST(Graphs, ARuleThatAsksComesAfterWhatIsDown) {
  const Built r = build(R"bell(
graph g { nodes device edges link (a, b) roots device where role == "v" down link_down(l), late(n) }
rule dead { when host_down(n) where g.frontier(n) open { title "x" severity minor } }
signal late(n: device) { raise when host_down(n) for 1m by n }
)bell");
  ASSERT_NE(r.out.program, nullptr) << r.text();
  const Program& p = *r.out.program;
  const auto place = [&](std::string_view name) {
    return std::find(p.signal_order.begin(), p.signal_order.end(), p.find_signal(name));
  };
  EXPECT_LT(place("late"), place("dead"));
}

struct Wrong {
  const char* text;
  const char* code;
  const char* message;
};
class WrongGraphs : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongGraphs, AreToldOnceWithTheirCode) {
  const Built r = build(GetParam().text);
  EXPECT_EQ(r.out.errors, 1U) << r.text();
  EXPECT_EQ(r.out.program, nullptr);
  EXPECT_THAT(r.text(), HasSubstr(GetParam().code));
  EXPECT_THAT(r.text(), HasSubstr(GetParam().message));
  EXPECT_FALSE(explain_code(GetParam().code).empty());
}

#define GRAPH "graph g { nodes device edges link (a, b) roots device where role == \"v\" down "
#define OPEN " open { title \"x\" severity minor } } "
INSTANTIATE_TEST_SUITE_P(
    Texts, WrongGraphs,
    ::testing::Values(
        Wrong{"graph g { nodes device roots device down host_down }", "B0680", "each once"},
        Wrong{"graph g { nodes device edges link (a, b) edges link (a, b) roots device down "
              "host_down }",
              "B0680", "each once"},
        Wrong{"graph g { nodes devices edges link (a, b) roots devices down host_down }", "B0206",
              "did you mean 'device'?"},
        Wrong{"graph g { nodes device edges device (a, b) roots device down host_down }", "B0681",
              "two tables"},
        Wrong{"graph g { nodes device edges link (a, weight) roots device down host_down }",
              "B0681", "an end of an edge is device"},
        Wrong{"graph g { nodes device edges link (a, c) roots device down host_down }", "B0203",
              "no column 'c'"},
        Wrong{"graph g { nodes device edges link (a, b) roots site down host_down }", "B0681",
              "roots are nodes"},
        Wrong{"graph g { nodes device edges link (a, b) roots device where rol == \"v\" down "
              "host_down }",
              "B0202", "did you mean 'role'?"},
        Wrong{GRAPH "hots_down }", "B0200", "did you mean 'host_down'?"},
        Wrong{GRAPH "card_down }", "B0682", "which one is down?"},
        Wrong{GRAPH "mains(s) } signal mains(s: site) { raise syslog \"mains {s} lost\" expire 1h "
                    "}",
              "B0682", "says nothing about a device or a link"},
        Wrong{GRAPH "r } rule r { when host_down" OPEN, "B0682", "'r' is a rule"},
        Wrong{GRAPH "s } rule r { when host_down(n) where g.frontier(n)" OPEN
                    "signal s(n: device) { raise when r(n) by n }",
              "B0610", "r -> s -> g -> r"},
        Wrong{GRAPH "host_down } signal s(n: device) { raise syslog \"sick {n}\" where "
                    "g.frontier(node) expire 1h }",
              "B0683", "cannot be asked"},
        Wrong{GRAPH "host_down } rule r { when host_down where g.frontiers(n)" OPEN, "B0684",
              "did you mean 'frontier'?"},
        Wrong{GRAPH "host_down } rule r { when host_down where g.frontier" OPEN, "B0684",
              "it answers questions"},
        Wrong{GRAPH "host_down } rule r { when host_down where g.frontier(n.site)" OPEN, "B0684",
              "has no site"},
        Wrong{GRAPH "host_down } rule r { when host_down where n.cut_off(n.site)" OPEN, "B0684",
              "g has device and link"},
        Wrong{GRAPH "host_down } rule r { when host_down where n.edges(n)" OPEN, "B0684",
              "an end of an edge"},
        Wrong{GRAPH "host_down } "
                    "graph h { nodes device edges link (a, b) roots device down "
                    "host_down } rule r { when host_down where n.cut_off(n)" OPEN,
              "B0684", "both graphs 'g' and 'h'"},
        Wrong{"rule r { when host_down where n.cut_off(n)" OPEN, "B0684", "declare the graph"},
        Wrong{GRAPH "host_down } rule a { when host_down" OPEN "rule b { when host_down" OPEN
                    "cause a(x) of b(y) where y.cut_off(x) cause b(x) of a(y) where y.neighbour(x)",
              "B0600", "only steps that ask one and the same graph"},
        Wrong{GRAPH "host_down } rule a { when host_down" OPEN
                    "cause a(x) of a(y) where y.cut_off(x) cause a(x) of a(y) where y.behind(x)",
              "B0600", "go different ways"},
        Wrong{GRAPH "host_down } rule a { when host_down" OPEN
                    "cause a(x) of a(y) where y.neighbour(x)",
              "B0601", "would explain itself"}));
#undef GRAPH
#undef OPEN

}  // namespace
}  // namespace belfry::rules
