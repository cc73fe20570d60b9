// The tree is lossless and total: whatever the text, its tokens joined are the text.
#include <gtest/gtest.h>

#include <random>

#include "parser.hpp"

namespace belfry::rules {
namespace {

void collect(const Tree& tree, std::uint32_t node, std::string& out) {
  const Node& n = tree.nodes[node];
  for (std::uint32_t i = 0; i < n.count; ++i) {
    const Element& e = tree.elements[n.first + i];
    if (e.is_node) {
      collect(tree, e.index, out);
    } else {
      out += tree.token_text(e.index);
    }
  }
}

std::string rejoined(const std::string& text) {
  const SourceFile file{"t.bell", text};
  Report report(std::span(&file, 1));
  const Tree tree = parse_file(file.text, 0, report);
  std::string out;
  collect(tree, tree.root, out);
  return out;
}

std::size_t errors_of(const std::string& text) {
  const SourceFile file{"t.bell", text};
  Report report(std::span(&file, 1));
  parse_file(file.text, 0, report);
  return report.errors();
}

/// One of everything in the grammar.
const char* const kEverything = R"bell(use "prelude.bell"   # a comment
event syslog { msg: text head, node: device, label: labels }
enum tier { low, high }
table port key node, ifname { node: device, ifname: string, refs: set<string>, c: circuit? } from "p.csv"
relation behind(device, device) transitive from "up.csv"
relation over(circuit, string) from circuit.spans
graph backbone { nodes device edges link (a, b) roots device where role == "vantage" down link_down(l), host_down(d) }
calendar office { mon-fri 09:00-18:00 "Europe/Paris" except "holidays" }
defaults { settle 10s hold 2m recover 2m reopen within 30m limit 100000 }
measure disk(node: device, mount: string): percent from probe "disk" where a == 1 with mount = label.mount
signal s(node: device, ifname: string) "words" {
  raise trap IF-MIB::linkDown where var[3] == 2 and var[1.3.6.1.2] != 3 with ifname = var.ifDescr.instance per via
  raise trap 1.3.6.1.4.1.9.1
  raise syslog "Interface {ifname}, {_} \"x\" down"
  clear all syslog "boot"
  raise when a(x) and not b(x) by node = x.y
  expire 24h
}
rule r "words" {
  when share(s(c), c.over(span)) >= 60% and distinct(s.c) as n >= 5 within 60s or (a for 5m and missing beat for 3m) by span, p = a.b
  where not (x.y == 10.0.0.1 or z in 10.0.0.0/8) and q is not none
  unless a(node: x) then not b(5, "c") within 30s
  one by share, distinct
  settle 10s hold 1m recover 2m reopen within 1h limit 50 mode shadow was old
  clear quiet 30m
  open { title "{a ?? "-"} is {b.c}" severity critical if a is some else minor  priority desk(a, b.c) }
}
cause a(x) of any(node: device) where node.behind(x)
maintenance m "words" { from 2026-03-14T22:00 to 2026-03-15T04:00 "Europe/Paris" covers any(node: device) where a in b grace 10m }
maintenance w { each w in works covers r(a) }
policy desk(i: impact, t: tier) -> priority { P1 if i == outage and t >= low  else P4 }
escalation e { after 0m notify "desk" during office after 15m page "run" unless acked if tier == high }
test "t" {
  given device { name: "a", start: +1h, set: { "x", "y" } }
  +0s x 6 every 60s trap { node: "a", oid: IF-MIB::linkDown, var: { ifDescr: "x" } }
  +1m expect 1 open
  +1m expect no r
  +2m expect open r("a", "b") { symptoms: 2 }
}
)bell";

TEST(Syntax, ReadsTheWholeGrammar) {
  EXPECT_EQ(errors_of(kEverything), 0U);
  EXPECT_EQ(rejoined(kEverything), kEverything);
}

TEST(Syntax, StaysLosslessUnderRandomEdits) {
  std::mt19937 random(11);
  const std::string seed = kEverything;
  for (int round = 0; round < 1500; ++round) {
    std::string text = seed;
    for (unsigned edit = 0; edit <= random() % 6; ++edit) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 20);
          break;
        case 1:
          text.insert(at, seed.substr(random() % seed.size(), random() % 30));
          break;
        case 2:
          text[at] = static_cast<char>(random() % 256);
          break;
        default:
          text.resize(at + 1);
          break;
      }
    }
    ASSERT_EQ(rejoined(text), text);
  }
}

TEST(Syntax, DeepAndLongTextsEnd) {
  for (const std::string& piece :
       {"(", "not ", "- ", "a.", "a + ", "[", "{", "x if ", "a then b within 1s then "}) {
    std::string text = "rule r { where ";
    std::string pattern = "rule r { when ";
    for (int i = 0; i < 20000; ++i) {
      text += piece;
      pattern += piece;
    }
    EXPECT_EQ(rejoined(text), text);
    EXPECT_EQ(rejoined(pattern), pattern);
    EXPECT_LT(errors_of(text), 12U) << piece;
  }
}

}  // namespace
}  // namespace belfry::rules
