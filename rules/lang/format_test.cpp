// fmt: one canonical form. That it keeps every sentence of the grammar is in grammar_test.cpp; here
// is what it looks like.
#include "belfry/rules/format.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "compile_test_texts.hpp"

namespace belfry::rules {
namespace {

std::string formatted(const std::string& text) {
  const SourceFile file{"f.bell", text};
  const Formatted out = format(file);
  EXPECT_TRUE(out.done) << render(out.diagnostics, std::span(&file, 1), false);
  const Formatted again = format({"f.bell", out.text});
  EXPECT_EQ(again.text, out.text);
  return out.text;
}

TEST(Format, ClausesHaveOneOrderAndFieldsOneColumn) {
  EXPECT_EQ(formatted(R"bell(rule a   "words"{open{escalate backbone severity critical if x is some
      else minor title "t" customer node.serves runbook "runbooks/a-rather-long-name-of-a-book.md"}
   reopen   within 1h settle 10s
   clear  quiet 30m   when   flaps( if_down )>=5 within 10m by node,ifname where node.role=="x"
})bell"),
            R"bell(rule a "words" {
  when flaps(if_down) >= 5 within 10m by node, ifname
  where node.role == "x"
  settle 10s
  clear quiet 30m
  reopen within 1h
  open {
    title    "t"
    severity critical if x is some else minor
    customer node.serves
    runbook  "runbooks/a-rather-long-name-of-a-book.md"
    escalate backbone
  }
}
)bell");
}

TEST(Format, LinesOfABlockShareColumns) {
  EXPECT_EQ(formatted(R"bell(signal s(node:device,p:ip){expire 1h
raise trap X-MIB::a with p=var.b
raise syslog "neighbor {p} Down{_}"
clear trap X-MIB::longer with p=var.b
raise disk where value>=95%
clear disk where value<90%
})bell"),
            R"bell(signal s(node: device, p: ip) {
  raise trap   X-MIB::a      with p = var.b
  raise syslog "neighbor {p} Down{_}"
  clear trap   X-MIB::longer with p = var.b
  raise disk   where value >= 95%
  clear disk   where value <  90%
  expire 1h
}
)bell");
  EXPECT_EQ(formatted(R"bell(policy desk(i:impact,t:tier)->priority{
P1 if i==outage and t>=solution
P10 if i==degraded and (t==premium or t==low)
P2 if i==outage or t==premium
P3 if i==degraded else P4})bell"),
            R"bell(policy desk(i: impact, t: tier) -> priority {
  P1  if i == outage   and t >= solution
  P10 if i == degraded and (t == premium or t == low)
  P2  if i == outage   or  t == premium
  P3  if i == degraded
  else P4
}
)bell");
  EXPECT_EQ(formatted(R"bell(escalation e{after 0m notify "desk" after 15m page "run" unless acked
after 60m notify "service-manager" if tier==premium during office})bell"),
            R"bell(escalation e {
  after 0m   notify "desk"
  after 15m  page   "run"             unless acked
  after 60m  notify "service-manager" if tier == premium during office
}
)bell");
  EXPECT_EQ(formatted(R"bell(test "t" {
given port {node:"r1",ifname:"a"}
given circuit { id : "c" , spans : { "A-B" } }
+0s x 6 every 60s trap {node:"sw1",oid:IF-MIB::linkDown,var:{ifDescr:"a"}}
+5s x 6 every 60s trap {node:"s",oid:IF-MIB::linkUp,var:{ifDescr:"a"},}
+121m expect open r ( "a" ) {symptoms:1}
})bell"),
            R"bell(test "t" {
  given port    { node: "r1", ifname: "a" }
  given circuit { id: "c", spans: { "A-B" } }
  +0s    x 6 every 60s  trap { node: "sw1", oid: IF-MIB::linkDown, var: { ifDescr: "a" } }
  +5s    x 6 every 60s  trap { node: "s",   oid: IF-MIB::linkUp,   var: { ifDescr: "a" } }
  +121m  expect open r("a") { symptoms: 1 }
}
)bell");
}

TEST(Format, TheSchemaStandsInColumnsWhereItFits) {
  EXPECT_EQ(formatted(R"bell(event trap {oid:oid head node:device}
event syslog{msg:text head,node:device,}
enum tier{low high}
relation behind(device,device) transitive from "up.csv"
relation over(circuit,string) from circuit.spans
table a key id{id:string} from "a.csv"
table device key name{name:string,ip:ip,ips:set<ip>,site:site,role:string,pool:string?,tier:tier?} from "d.csv"
calendar office{mon-fri 09:00-18:00 "Europe/Paris" except "days"}
defaults{limit 5 settle 10s}
measure disk(node:device):percent from probe "disk" where a==1
graph g{down link_down(l),host_down(d) edges link(a,b) nodes device roots device where role=="x"}
cause a(x) of b(x)
cause long_name(x) of any(node:device) where node.housed(x)
)bell"),
            R"bell(event trap   { oid: oid head, node: device }
event syslog { msg: text head, node: device }
enum tier { low, high }
relation behind(device, device) transitive from "up.csv"
relation over(circuit, string)  from circuit.spans
table a key id { id: string } from "a.csv"

table device key name {
  name: string,
  ip:   ip,
  ips:  set<ip>,
  site: site,
  role: string,
  pool: string?,
  tier: tier?
} from "d.csv"

calendar office { mon-fri 09:00-18:00 "Europe/Paris" except "days" }
defaults { settle 10s  limit 5 }
measure disk(node: device): percent from probe "disk" where a == 1

graph g {
  nodes device
  edges link (a, b)
  roots device where role == "x"
  down  link_down(l), host_down(d)
}
cause a(x)         of b(x)
cause long_name(x) of any(node: device) where node.housed(x)
)bell");
}

TEST(Format, CommentsStayWhereTheyAre) {
  EXPECT_EQ(formatted(R"bell(# the file


# a rule   
rule a { # why
  # what closes it
  clear manual   # by hand

  when b and   # one
     c # two
  # the end
}   # behind
# last)bell"),
            R"bell(# the file

# a rule
rule a {  # why
  when b and  # one
      c  # two
  # what closes it
  clear manual  # by hand
  # the end
}  # behind
# last
)bell");
}

TEST(Format, LongLinesBreakAtTheLoosestPlace) {
  EXPECT_EQ(formatted(R"bell(rule r {
when share(circuit_down(c), c.over(span)) >= 60% and distinct(circuit_down.c) >= 5 within 60s by span
open { title "a title that takes its place, {node.name} {ifname}" if port[node, ifname].circuit is some else "another title"
severity critical } }
cause interface_down(node, ifname) of bgp_session_down(node, peer) where session[node, peer].ifname == ifname)bell"),
            R"bell(rule r {
  when share(circuit_down(c), c.over(span)) >= 60%
      and distinct(circuit_down.c) >= 5 within 60s by span
  open {
    title    "a title that takes its place, {node.name} {ifname}"
             if port[node, ifname].circuit is some else "another title"
    severity critical
  }
}
cause interface_down(node, ifname) of bgp_session_down(node, peer)
    where session[node, peer].ifname == ifname
)bell");
}

TEST(Format, AFileWithErrorsIsLeftAlone) {
  const SourceFile file{"f.bell", "rule a {\n  when  b\n"};
  const Formatted out = format(file);
  EXPECT_FALSE(out.done);
  EXPECT_EQ(out.text, file.text);
  ASSERT_EQ(out.diagnostics.size(), 1U);
  EXPECT_EQ(out.diagnostics[0].code, "B0103");
}

TEST(Format, ANameThatWouldBecomeAClauseIsNotMoved) {
  // As the second value of a one-line policy `limit` is a name, at the start of a line a clause.
  const SourceFile file{"f.bell", "policy p(a: b) -> c { x if a limit if not a else y }\n"};
  const Formatted out = format(file);
  EXPECT_FALSE(out.done);
  EXPECT_EQ(out.text, file.text);
  ASSERT_EQ(out.diagnostics.size(), 1U);
  EXPECT_EQ(out.diagnostics[0].code, "B0004");
}

TEST(Format, EmptyFilesAndFilesOfComments) {
  EXPECT_EQ(formatted(""), "");
  EXPECT_EQ(formatted(" \n\n"), "");
  EXPECT_EQ(formatted("\xEF\xBB\xBF# a\r\n\r\n\r\n# b\r\n"), "# a\n\n# b\n");
}

TEST(Format, ThePacksThatShipAreCanonical) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(BELFRY_ROOT) / "rules/packs")) {
    if (entry.path().extension() == ".bell") {
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      EXPECT_TRUE(formatted(text.str()) == text.str())
          << entry.path() << ": run `belfry fmt rules/packs`";
      ++files;
    }
  }
  EXPECT_GE(files, 6U);
}

TEST(Format, WhateverIsAcceptedStaysStable) {
  std::mt19937 random(7);
  const std::string seed = texts::kPrelude + texts::kNetwork;
  formatted(seed);
  std::size_t done = 0;
  for (int round = 0; round < 400; ++round) {
    const std::size_t from = random() % seed.size();
    std::string text = seed.substr(from, 200 + random() % 2000);
    const std::size_t start = text.find("\n\n");  // mostly whole declarations
    text = start == std::string::npos ? text : text.substr(start);
    for (unsigned edit = random() % 3; edit > 0; --edit) {
      const std::size_t at = random() % text.size();
      random() % 2 == 0 ? text.erase(at, 1 + random() % 4)
                        : text.insert(at, seed.substr(random() % seed.size(), random() % 12));
    }
    const Formatted once = format({"f.bell", text});
    if (once.done) {
      ++done;
      ASSERT_EQ(format({"f.bell", once.text}).text, once.text) << text;
    }
  }
  EXPECT_GT(done, 20U);
}

TEST(Format, WideAndDeepTextsTakeTheirTimeOnly) {
  std::string cells = "test \"t\" {\n", lines = "test \"t\" {\n", depth = "rule r { where ";
  for (int i = 0; i < 20000; ++i) {
    cells += i == 0 ? "given a { a: 1" : ", b" + std::to_string(i) + ": 1";
    lines += "+" + std::to_string(i) + "s e { f" + std::to_string(i) + ": 1, b: 2 }\n";
  }
  for (int i = 0; i < 150; ++i) {
    depth += "(";
  }
  depth += "a";
  for (int i = 0; i < 150; ++i) {
    depth += ")";
  }
  formatted(cells + " }\n}\n");
  formatted(lines + "}\n");
  formatted(depth + "\n}\n");
}

}  // namespace
}  // namespace belfry::rules
