// LANGUAGE 3 "Graphs", 6.8, 6.19: R, F, cut_off and dominance by definition, then in rules and
// causes.
#include "graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "timeline_for_test.hpp"

namespace belfry::correlate::test {
namespace {

using Element = LiveGraph::Element;

/// Edges are called by their ends: "a-b".
struct Net {
  explicit Net(std::vector<std::string> edge_names, std::vector<std::string> root_names = {"root"},
               std::vector<std::string> more_nodes = {})
      : edges(std::move(edge_names)), roots(std::move(root_names)), nodes(std::move(more_nodes)) {
    LiveGraph::Tables tables;
    for (const std::string& edge : edges) {
      const std::size_t dash = edge.find('-');
      const std::string_view whole(edge);
      tables.edges.push_back({whole, whole.substr(0, dash), whole.substr(dash + 1)});
    }
    tables.roots.assign(roots.begin(), roots.end());
    tables.nodes.assign(nodes.begin(), nodes.end());
    graph.build(tables);
  }
  Element at(const std::string& name) const {
    return graph.find(name, name.find('-') != std::string::npos);
  }
  Net& down(const std::string& name) {
    graph.take_out(at(name));
    return settle();
  }
  Net& up(const std::string& name) {
    graph.put_back(at(name));
    return settle();
  }
  Net& settle() {
    changed.clear();
    graph.settle(changed);
    return *this;
  }
  std::string frontier() const {
    std::string out;
    for (Element e = 0; e < graph.size(); ++e) {
      out += graph.frontier(e) ? (out.empty() ? "" : " ") + std::string(graph.key(e)) : "";
    }
    return out;
  }
  bool cut(const std::string& x, const std::string& y) const { return graph.cut_off(at(x), at(y)); }
  bool behind(const std::string& x, const std::string& y) const {
    return graph.behind(at(x), at(y));
  }
  std::string range(LiveGraph::Ask ask, const std::string& x) const {
    std::vector<Element> found;
    graph.range(ask, at(x), found);
    std::string out;
    for (const Element e : found) {
      out += (out.empty() ? "" : " ") + std::string(graph.key(e));
    }
    return out;
  }

  std::vector<std::string> edges, roots, nodes;
  LiveGraph graph;
  std::vector<Element> changed;
};

TEST(LiveGraph, TheFrontierIsWhereTheReachedEnds) {
  Net net({"root-a", "a-b", "b-c"});
  EXPECT_EQ(net.frontier(), "");
  net.down("a").down("b").down("c");
  EXPECT_EQ(net.frontier(), "a");
  EXPECT_TRUE(net.cut("b", "a"));
  EXPECT_TRUE(net.cut("c", "a"));
  EXPECT_TRUE(net.cut("a", "a")) << "by nothing but itself";
  EXPECT_FALSE(net.cut("root", "a"));
  EXPECT_FALSE(net.cut("c", "b")) << "b is not in the frontier";
  net.up("a");
  EXPECT_EQ(net.frontier(), "b");
}

TEST(LiveGraph, TwoHarmlessFailuresCutASiteOffTogether) {
  Net net({"root-a", "root-b", "a-site", "b-site", "site-host"});
  net.down("a");
  EXPECT_EQ(net.frontier(), "a");
  EXPECT_FALSE(net.cut("site", "a")) << "the other way still leads there";
  net.down("b-site");
  EXPECT_EQ(net.frontier(), "a b-site");
  for (const std::string x : {"site", "host", "site-host"}) {
    EXPECT_TRUE(net.cut(x, "a")) << x;
    EXPECT_TRUE(net.cut(x, "b-site")) << x;
  }
  EXPECT_FALSE(net.cut("a", "b-site")) << "no two frontier elements explain each other";
  EXPECT_FALSE(net.cut("b-site", "a"));
}

TEST(LiveGraph, AnEdgeAtAFrontierNodeIsExplainedByThatNode) {
  Net net({"root-a", "root-b", "a-b", "b-c"});
  net.down("root-b").down("a-b");
  EXPECT_EQ(net.frontier(), "a-b root-b") << "all links of b are down, b itself is silent";
  net.down("b");
  EXPECT_EQ(net.frontier(), "b") << "a removed edge does not hide the node behind it";
  EXPECT_TRUE(net.cut("root-b", "b"));
  EXPECT_TRUE(net.cut("a-b", "b"));
  EXPECT_TRUE(net.cut("b-c", "b"));
  EXPECT_TRUE(net.cut("c", "b"));
}

TEST(LiveGraph, ARedundantLinkThatFailsStandsAlone) {
  Net net({"root-a", "root-b", "a-b"});
  net.down("a-b");
  EXPECT_EQ(net.frontier(), "a-b");
  EXPECT_EQ(net.range(LiveGraph::Ask::CutOff, "a-b"), "a-b");
  EXPECT_EQ(net.range(LiveGraph::Ask::CutOff, "a"), "");
}

TEST(LiveGraph, WhenAllRootsAreDownNothingIsCutOff) {
  Net net({"r1-a", "r2-a", "a-b"}, {"r1", "r2"});
  net.down("a").down("b").down("r1");
  EXPECT_EQ(net.frontier(), "a") << "r1 is not next to what r2 reaches";
  net.down("r2");
  EXPECT_EQ(net.frontier(), "");
  EXPECT_FALSE(net.cut("b", "a"));
  EXPECT_FALSE(net.cut("a", "r1"));
  net.up("r1");
  EXPECT_EQ(net.frontier(), "a");
  Net none({"a-b"}, {});
  none.down("a");
  EXPECT_EQ(none.frontier(), "") << "no roots at all";
}

TEST(LiveGraph, ARootThatIsDownIsAFrontierNodeWhereAnotherRootReachesIt) {
  Net net({"r1-a", "a-r2", "r2-b"}, {"r1", "r2"});
  net.down("r2");
  EXPECT_EQ(net.frontier(), "r2");
  EXPECT_TRUE(net.cut("b", "r2"));
}

TEST(LiveGraph, BehindIsOnEveryPathFromEveryRoot) {
  Net net({"r1-a", "r2-a", "a-b", "b-c", "b-d", "d-c", "x-y"}, {"r1", "r2"}, {"alone"});
  EXPECT_TRUE(net.behind("c", "a"));
  EXPECT_TRUE(net.behind("c", "b"));
  EXPECT_TRUE(net.behind("c", "a-b")) << "an edge too";
  EXPECT_TRUE(net.behind("b-c", "b"));
  EXPECT_FALSE(net.behind("c", "d")) << "there is another way";
  EXPECT_FALSE(net.behind("a", "r1")) << "not from the other root";
  EXPECT_FALSE(net.behind("c", "c"));
  EXPECT_FALSE(net.behind("y", "x")) << "no root reaches either";
  EXPECT_FALSE(net.behind("alone", "a"));
  net.down("a");
  EXPECT_TRUE(net.behind("c", "b")) << "the tables decide, not what is down";
  EXPECT_EQ(net.range(LiveGraph::Ask::Behind, "c"), "a b a-b");
}

TEST(LiveGraph, NeighboursAndEnds) {
  Net net({"a-b", "b-c", "c-c", "a-d"});
  EXPECT_TRUE(net.graph.neighbour(net.at("a"), net.at("b")));
  EXPECT_FALSE(net.graph.neighbour(net.at("a"), net.at("c")));
  EXPECT_TRUE(net.graph.neighbour(net.at("a-b"), net.at("b-c")));
  EXPECT_FALSE(net.graph.neighbour(net.at("b-c"), net.at("a-d")));
  EXPECT_FALSE(net.graph.neighbour(net.at("c"), net.at("c"))) << "a loop makes no neighbour";
  EXPECT_TRUE(net.graph.ends(net.at("a"), net.at("a-b")));
  EXPECT_FALSE(net.graph.ends(net.at("a"), net.at("b-c")));
  EXPECT_EQ(net.range(LiveGraph::Ask::Neighbour, "b"), "a c");
  EXPECT_EQ(net.range(LiveGraph::Ask::Ends, "a"), "a-b a-d");
  EXPECT_EQ(net.range(LiveGraph::Ask::EndsOf, "b-c"), "b c");
}

TEST(LiveGraph, ReasonsToBeDownAreCounted) {
  Net net({"root-a", "a-b"});
  net.down("a").down("a");
  net.up("a");
  EXPECT_EQ(net.frontier(), "a");
  net.up("a");
  EXPECT_EQ(net.frontier(), "");
  EXPECT_FALSE(net.graph.touched());
}

TEST(LiveGraph, TellsWhoseAnswersChanged) {
  Net net({"root-a", "a-b", "root-c", "c-d"});
  net.down("d");
  EXPECT_EQ(net.changed.size(), 2U) << "d, and the edge to it";
  net.down("a");
  for (const Element e : net.changed) {
    EXPECT_NE(net.graph.key(e), "d");
    EXPECT_NE(net.graph.key(e), "c");
  }
}

constexpr const char* kBackbone = R"(
table link key id { id: string, a: device?, b: device? } from "links.csv"
signal link_down(l: link) {
  raise syslog "link {l} down"
  clear syslog "link {l} up"
}
graph backbone {
  nodes device
  edges link (a, b)
  roots device where role == "vantage"
  down  link_down(l), host_down(n)
}
rule link_failed { when link_down(l)  open { title "{l.id} failed" severity major } }
rule node_down {
  when host_down(n) for 10s by n
  recover 1m
  open { title "{n.name} down" if backbone.frontier(n) else "{n.name} unreachable"  severity critical }
}
cause node_down(n)   of link_failed(l)  where backbone.frontier(n) and (l.a == n or l.b == n)
cause node_down(up)  of node_down(node) where node.cut_off(up)
cause link_failed(l) of node_down(node) where node.cut_off(l)
)";

/// root - a - b - c, root - d - b
Timeline& with_backbone(Timeline& t) {
  t.row("device", {"root", "PAR", "vantage", "", "premium"});
  for (const char* name : {"a", "b", "c", "d"}) {
    t.row("device", {name, "PAR", "router", "", "premium"});
  }
  t.row("link", {"root-a", "root", "a"}).row("link", {"a-b", "a", "b"});
  t.row("link", {"b-c", "b", "c"}).row("link", {"root-d", "root", "d"});
  t.row("link", {"d-b", "d", "b"});
  return t.start();
}

void ping(Timeline& t, double at, const std::string& node, bool up) {
  t.probe(at, "icmp", node, up ? "up" : "down");
}

TEST(Graph, ADeadNodeExplainsItsLinksAndWhatItCutsOff) {
  Timeline t(kBackbone);
  with_backbone(t);
  for (const char* link : {"a-b", "b-c", "d-b"}) {
    t.syslog(1, "root", std::string("link ") + link + " down");
  }
  ping(t, 5, "c", false);
  ping(t, 9, "b", false);
  t.go(120);
  EXPECT_EQ(t.state("node_down", "b"), "open");
  EXPECT_EQ(t.last("node_down", "b").title, "b down");
  EXPECT_EQ(t.last("node_down", "b").symptoms, 4U);
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
  for (const char* link : {"a-b", "b-c", "d-b"}) {
    EXPECT_EQ(t.state("link_failed", link), "symptom") << link;
  }
  EXPECT_EQ(t.count(IncidentState::Open), 1U);
  t.restart();
  ping(t, 200, "b", true);
  t.go(200);
  EXPECT_EQ(t.state("link_failed", "a-b"), "pending") << "released: b is up, its links are not";
  t.restart();
  t.go(330);
  // c is silent behind b-c, which is at the frontier; a-b and d-b are b's only ways to the root,
  // so b and everything behind it hang under those two.
  EXPECT_EQ(t.state("link_failed", "a-b"), "open");
  EXPECT_EQ(t.state("link_failed", "d-b"), "open");
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
  EXPECT_EQ(t.last("node_down", "c").causes.size(), 2U) << "it hangs under the first, both listed";
}

TEST(Graph, TwoLinksTogetherCutOffWhatNeitherDoesAlone) {
  Timeline t(kBackbone);
  with_backbone(t);
  t.syslog(0, "root", "link a-b down");
  t.syslog(60, "root", "link d-b down");
  ping(t, 61, "c", false);
  t.go(300);
  EXPECT_EQ(t.state("link_failed", "a-b"), "open");
  EXPECT_EQ(t.state("link_failed", "d-b"), "open");
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
  EXPECT_EQ(t.last("node_down", "c").causes.size(), 2U) << "it hangs under the first, both listed";
  EXPECT_EQ(t.last("link_failed", "a-b").symptoms, 1U);
  t.syslog(310, "root", "link d-b up");
  EXPECT_EQ(t.state("node_down", "c"), "pending") << "b is reached: c is at the frontier itself";
}

TEST(Graph, WhenEveryVantageIsLostNothingIsSuppressed) {
  Timeline t(kBackbone);
  with_backbone(t);
  ping(t, 0, "b", false);
  ping(t, 0, "c", false);
  t.go(60);
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
  ping(t, 60, "root", false);
  t.go(60);
  EXPECT_EQ(t.state("node_down", "c"), "pending") << "the graph's word is worth nothing now";
  ping(t, 150, "c", false);
  t.go(300);
  EXPECT_EQ(t.state("node_down", "c"), "open");
  EXPECT_EQ(t.state("node_down", "root"), "open");
  EXPECT_EQ(t.last("node_down", "root").title, "root unreachable");
  std::string notes;
  for (const IncidentChange& change : t.all()) {
    notes += change.note.starts_with("all roots") ? change.after.key[0] + ": " + change.note : "";
  }
  EXPECT_EQ(notes, "root: all roots of the graph backbone are down: it suppresses nothing");
}

TEST(Graph, AnUnknownDeviceNeverCrashes) {
  Timeline t(kBackbone);
  t.row("link", {"half", "void", ""}).row("link", {"far", "nowhere", "root"});
  with_backbone(t);
  ping(t, 0, "ghost", false);
  ping(t, 0, "nowhere", false);
  t.syslog(0, "ghost", "link none down");
  t.syslog(0, "ghost", "link half down");
  t.go(60);
  EXPECT_EQ(t.state("node_down", "ghost"), "open");
  EXPECT_EQ(t.last("node_down", "ghost").title, "ghost unreachable");
  EXPECT_EQ(t.last("node_down", "nowhere").title, "nowhere down") << "an edge names it";
  EXPECT_EQ(t.state("link_failed", "none"), "open");
  EXPECT_EQ(t.state("link_failed", "half"), "open") << "an edge with one end is no edge";
}

TEST(Graph, ANewInventoryBuildsItAnew) {  // 6.19
  Timeline t(kBackbone);
  with_backbone(t);
  ping(t, 0, "b", false);
  ping(t, 0, "c", false);
  t.go(60);
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
  t.row("link", {"root-c", "root", "c"});
  t.new_inventory(100);
  t.go(100);
  EXPECT_EQ(t.state("node_down", "c"), "pending") << "c has a way of its own now";
  t.drop_row("link", "root-c");
  t.new_inventory(110);
  t.go(300);
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
}

TEST(Graph, AVersionOfTheRulesKeepsWhoHangsUnderWhom) {  // 6.18
  Timeline t(kBackbone);
  with_backbone(t);
  ping(t, 0, "b", false);
  ping(t, 0, "c", false);
  t.go(60);
  t.said();
  t.new_rules(100, std::string(kBackbone) + "# a remark\n");
  EXPECT_EQ(t.said(), "");
  EXPECT_EQ(t.state("node_down", "c"), "symptom");
}

TEST(Graph, ARulesWhereFollowsTheFrontier) {
  Timeline t(std::string(kBackbone) + R"(
rule dead { when host_down(n) by n  where backbone.frontier(n)  open { title "{n.name}" severity major } }
)");
  with_backbone(t);
  ping(t, 0, "b", false);
  ping(t, 1, "c", false);
  t.go(60);
  EXPECT_EQ(t.state("dead", "b"), "open");
  EXPECT_EQ(t.state("dead", "c"), "none");
  t.said();
  ping(t, 70, "b", true);  // c is next to what is reached now
  EXPECT_EQ(t.state("dead", "b"), "closed");
  EXPECT_EQ(t.state("dead", "c"), "open");
}

}  // namespace
}  // namespace belfry::correlate::test
