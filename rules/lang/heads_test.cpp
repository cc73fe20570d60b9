// Heads of raise and clear lines, from text to matches: traps by name, number and varbinds, regular
// expressions, many lines behind one head.
#include <gtest/gtest.h>

#include <random>

#include "belfry/model/oid.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/eval.hpp"
#include "belfry/rules/matcher.hpp"

namespace belfry::rules {
namespace {

constexpr std::string_view kPrelude = R"(
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
event trap   { oid: oid head, node: device, var: varbinds, via: string }
event probe  { check: string head, node: device, status: status, label: labels }
enum status { up, degraded, down }
table device key name { name: string, role: string?, ip: ip?, tags: set<string> }
)";

class Rules {
 public:
  explicit Rules(const std::string& text, const MibResolver* mibs = nullptr) {
    const SourceFile file{"t.bell", std::string(kPrelude) + text};
    Compiled compiled = compile(std::span(&file, 1), mibs);
    EXPECT_TRUE(compiled.program != nullptr)
        << render(compiled.diagnostics, std::span(&file, 1), false);
    program = compiled.program;
    if (program == nullptr) {
      return;
    }
    InventoryBuilder builder(program->schema);
    const auto row = [&](std::string_view name, Value role) {
      const Value cells[]{Value::string(name), role, Value::none(), Value::none()};
      builder.add_row(0, cells);
    };
    row("r1", Value::string("core"));
    row("r2", Value::string("edge"));
    row("r3", Value::none());
    inventory = *builder.build(1);
    matcher.emplace(program, inventory);
  }

  /// "signal(key); ..." in the order of the lines.
  std::string match(const Event& event) {
    batch.clear();
    batch.events = {event};
    matcher->match(batch);
    std::string out;
    for (const Match& m : batch.matches) {
      const Clause& clause = program->clauses[m.clause];
      out += (out.empty() ? "" : "; ") + std::string(clause.kind == ClauseKind::Clear ? "-" : "") +
             program->signals[clause.signal].name + "(" + key_text(m.key) + ")";
    }
    return out;
  }
  std::string text(std::string_view message, std::string_view node = "r1") {
    Event e;
    e.type = "syslog";
    e.node = node;
    e.message = message;
    return match(e);
  }

  std::shared_ptr<const Program> program;
  std::shared_ptr<const Inventory> inventory;
  std::optional<Matcher> matcher;
  Batch batch;
};

/// A trap whose OIDs live as long as it does.
class Trap {
 public:
  explicit Trap(std::string_view oid, std::string_view node = "r1") : oid_(*oid_from_text(oid)) {
    event_.kind = EventKind::Trap;
    event_.type = "trap";
    event_.node = node;
  }
  Trap& number(std::string_view oid, std::int64_t n) {
    varbinds_.push_back({keep(oid), VarType::Integer, {}, n});
    return *this;
  }
  Trap& octets(std::string_view oid, std::string_view bytes) {
    varbinds_.push_back({keep(oid), VarType::OctetString, bytes, 0});
    return *this;
  }
  const Event& event() {
    event_.trap_oid = oid_;
    event_.varbinds = varbinds_;
    return event_;
  }

 private:
  std::string_view keep(std::string_view oid) { return texts_.emplace_back(*oid_from_text(oid)); }
  std::string oid_;
  std::deque<std::string> texts_;
  std::vector<Varbind> varbinds_;
  Event event_;
};

// LANGUAGE 5: 360 of 550 trap pairs have one OID on both sides and differ in a varbind.
TEST(Heads, OneTrapRaisesAndClearsByTheValueOfAVarbind) {
  Rules rules(R"(
signal fan(node: device, slot: string) {
  raise trap 1.3.6.1.4.1.9999.0.7 where var[3] == 2 with slot = var[1]
  clear trap 1.3.6.1.4.1.9999.0.7 where var[3] != 2 with slot = var[1]
})");
  const auto trap = [&](std::int64_t state) {
    return rules.match(Trap("1.3.6.1.4.1.9999.0.7")
                           .octets("1.3.6.1.4.1.9999.1.1.0", "slot 4")
                           .number("1.3.6.1.4.1.9999.1.2.0", 1)
                           .number("1.3.6.1.4.1.9999.1.3.0", state)
                           .event());
  };
  EXPECT_EQ(trap(2), "fan(r1, slot 4)");
  EXPECT_EQ(trap(1), "-fan(r1, slot 4)");
  EXPECT_EQ(rules.match(Trap("1.3.6.1.4.1.9999.0.7").event()), "") << "no varbinds at all";
  EXPECT_EQ(rules.match(Trap("1.3.6.1.4.1.9999.0.8").event()), "") << "another trap";
}

TEST(Heads, VarbindsByNameByPositionByPrefixAndTheirInstances) {
  Rules rules(R"(
signal a(node: device, x: string) { raise trap IF-MIB::linkDown with x = var.ifDescr clear trap IF-MIB::linkUp with x = var.ifDescr }
signal b(node: device, x: string) { raise trap IF-MIB::linkDown with x = var[2] expire 1h }
signal c(node: device, x: string) { raise trap IF-MIB::linkDown with x = var[1.3.6.1.2.1.2.2.1.2] expire 1h }
signal d(node: device, x: string) { raise trap IF-MIB::linkDown with x = var.ifDescr.instance expire 1h }
signal e(node: device, x: int)    { raise trap IF-MIB::linkDown with x = var[2].instance expire 1h }
signal f(node: device, x: string) { raise trap IF-MIB::linkDown with x = var[1.3.6.1.2.1.2].instance expire 1h }
signal g(node: device, x: int)    { raise trap "1.3.6.1.6.3.1.1.5.3" with x = var[1] expire 1h }
)");
  Trap trap("1.3.6.1.6.3.1.1.5.3");
  trap.number("1.3.6.1.2.1.2.2.1.1.7", 7).octets("1.3.6.1.2.1.2.2.1.2.7", "et-0/0/7");
  EXPECT_EQ(rules.match(trap.event()),
            "a(r1, et-0/0/7); b(r1, et-0/0/7); c(r1, et-0/0/7); d(r1, 7); e(r1, 7); "
            "f(r1, 2.1.1.7); g(r1, 7)");
  EXPECT_EQ(rules.match(Trap("1.3.6.1.6.3.1.1.5.4").octets("1.3.6.1.2.1.2.2.1.2.7", "x").event()),
            "-a(r1, x)");
}

TEST(Heads, NamesOfOtherMibsComeFromTheResolver) {
  class Acme : public MibResolver {
   public:
    std::optional<std::string> oid(std::string_view module, std::string_view name) const override {
      return name == "acmeSlot" ? oid_from_text("1.3.6.1.4.1.9999.1.1")
                                : MibResolver::oid(module, name);
    }
    std::vector<std::string> trap_oids(std::string_view module,
                                       std::string_view name) const override {
      return module == "ACME-MIB" && name == "acmeFanFailed"
                 ? std::vector<std::string>{*oid_from_text("1.3.6.1.4.1.9999.0.7")}
                 : MibResolver::trap_oids(module, name);
    }
  };
  const Acme acme;
  Rules rules(
      "signal fan(node: device, slot: int) { raise trap ACME-MIB::acmeFanFailed with slot = "
      "var.acmeSlot expire 1h }",
      &acme);
  EXPECT_EQ(rules.match(Trap("1.3.6.1.4.1.9999.0.7").number("1.3.6.1.4.1.9999.1.1.0", 3).event()),
            "fan(r1, 3)");
}

TEST(Heads, Ipv6IsTextThatIsCheckedAndCanonicalWhenRulesCompile) {
  Rules rules(R"(
signal peer(node: device, peer: ip) {
  raise syslog "neighbor {peer} lost" where peer == "2001:DB8:0:0::1" or peer in "fe80::/10"
  clear syslog "neighbor {peer} found"
})");
  EXPECT_EQ(rules.text("neighbor 2001:db8::0:1 lost"), "peer(r1, 2001:db8::1)");
  EXPECT_EQ(rules.text("neighbor FE80::7 lost"), "peer(r1, fe80::7)");
  EXPECT_EQ(rules.text("neighbor 2001:db8::2 lost"), "");
}

TEST(Heads, RegularExpressionsBindByNamedGroups) {
  Rules rules(R"(
signal port(node: device, port: string, slot: int) {
  raise syslog /[Pp]ort (?P<port>\S+)\/(?<slot>\d+) (?:failed|is dead)$/
  clear syslog /[Pp]ort (?P<port>\S+)\/(?P<slot>\d+) is well( again)?$/
})");
  EXPECT_EQ(rules.text("today port ge/4 failed"), "port(r1, ge, 4)");
  EXPECT_EQ(rules.text("Port ge/4 is dead"), "port(r1, ge, 4)");
  EXPECT_EQ(rules.text("Port ge/4 is dead again"), "");
  EXPECT_EQ(rules.text("Port ge/4 is well"), "-port(r1, ge, 4)");
  EXPECT_EQ(rules.text("Port ge/99999999999999999999 failed"), "") << "no int";
  EXPECT_EQ(rules.text(std::string_view("port \xff\0/4 failed", 16)),
            "port(r1, " + std::string("\xff\0", 2) + ", 4)")
      << "bytes, whatever they are";
}

TEST(Heads, AGroupThatTookNoPartIsMissing) {
  Rules rules(R"(
signal link(node: device, port: string) {
  raise syslog /link on (?P<port>\S+) lost(?: because (?P<why>.+))?$/ where why is none or why != "of a test"
  clear syslog /link on (?P<port>\S+) found/
})");
  EXPECT_EQ(rules.text("link on e1 lost"), "link(r1, e1)");
  EXPECT_EQ(rules.text("link on e1 lost because of rain"), "link(r1, e1)");
  EXPECT_EQ(rules.text("link on e1 lost because of a test"), "");
}

// Without a required piece there is nothing to look for: one shared automaton finds them.
TEST(Heads, ExpressionsWithoutAnchorsWorkBesideOthers) {
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += "signal s" + std::to_string(i) + "(node: device) { raise syslog /^u" +
            std::to_string(i) + ":/ expire 1h }\n";
    text += "signal t" + std::to_string(i) + "(node: device) { raise syslog /(?i)unit" +
            std::to_string(i) + " .*LOST/ expire 1h }\n";
  }
  text += "signal any(node: device) { raise syslog /^[a-z]\\d*:/ expire 1h }\n";
  Rules rules(text);
  EXPECT_EQ(rules.text("u7: unit7 was lost"), "s7(r1); t7(r1); any(r1)");
  EXPECT_EQ(rules.text("unit8 was lost, unit9 was not"), "t8(r1)");
  EXPECT_EQ(rules.text("unit8 was found"), "");
  EXPECT_EQ(rules.text("divided by / two"), "");
}

TEST(Heads, ASlashStillDivides) {
  Rules rules(R"(
signal slow(node: device) {
  raise probe "http" where label.ms / 1000 > 2 / 1
  clear probe "http" where label.ms / 1000 <= 2
})");
  const Attr attrs[]{{"check", Value::string("http")}, {"label.ms", Value::integer(2500)}};
  Event e;
  e.kind = EventKind::Probe;
  e.type = "probe";
  e.node = "r1";
  e.attrs = attrs;
  EXPECT_EQ(rules.match(e), "slow(r1)");
}

// One template, one regular expression, one OID: lines behind them are told apart by hash.
TEST(Heads, LinesBehindOneHeadAreFoundByWhatTheyAsk) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    const std::string n = std::to_string(i);
    text += "signal p" + n + "(node: device) { raise syslog \"port {port} lost\" where port == \"" +
            n + "\" expire 1h }\n";
    text += "signal n" + n + "(node: device) { raise syslog \"port {x} lost\" where node == \"n" +
            n + "\" and x in { \"7\", \"8\" } expire 1h }\n";
    text += "signal v" + n +
            "(node: device) { raise trap 1.3.6.1.4.1.9999.0.1 where var[1] == " + n +
            " or var[1] == " + std::to_string(1000 + i) + " expire 1h }\n";
  }
  text +=
      "signal other(node: device) { raise trap 1.3.6.1.4.1.9999.0.1 where var[1] > 150 expire 1h }";
  Rules rules(text);
  EXPECT_EQ(rules.text("port 7 lost"), "p7(r1)");
  EXPECT_EQ(rules.text("port 7 lost", "n12"), "p7(n12); n12(n12)");
  EXPECT_EQ(rules.text("port 9 lost", "n12"), "p9(n12)");
  EXPECT_EQ(rules.text("port 777 lost"), "");
  const auto trap = [&](std::int64_t n) {
    return rules.match(Trap("1.3.6.1.4.1.9999.0.1").number("1.3.6.1.4.1.9999.1.1.0", n).event());
  };
  EXPECT_EQ(trap(7), "v7(r1)");
  EXPECT_EQ(trap(1007), "v7(r1); other(r1)");
  EXPECT_EQ(trap(160), "v160(r1); other(r1)");
  EXPECT_EQ(trap(900), "other(r1)");
}

/// Conditions over one trap as random text: equalities of all shapes, shared and nested.
std::string random_condition(std::mt19937& random, int depth) {
  const auto pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random()) % n; };
  const auto number = [&] { return std::to_string(pick(5)); };
  if (depth > 0 && pick(2) == 0) {
    const std::string op = pick(3) > 0 ? " and " : " or ";
    return "(" + random_condition(random, depth - 1) + op + random_condition(random, depth - 1) +
           ")";
  }
  switch (pick(8)) {
    case 0:
      return "node.role == \"" + std::string(pick(2) == 0 ? "core" : "edge") + "\"";
    case 1:
      return "node == \"r" + number() + "\"";
    case 2:
      return "var[1] in { " + number() + ", " + number() + " }";
    case 3:
      return "(var[2] ?? 3) == " + number();
    case 4:
      return "var[2] > " + number();
    case 5:
      return number() + " == var[1]";
    case 6:
      return "not var[1] == " + number();
    default:
      return "var[1] == " + number();
  }
}

TEST(Heads, FiltersLoseNothingAndAddNothing) {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    std::string text;
    for (int i = 0; i < 40; ++i) {
      text += "signal s" + std::to_string(i) +
              "(node: device) { raise trap 1.3.6.1.4.1.9999.0.1 where " +
              random_condition(random, 2) + " expire 1h }\n";
    }
    Rules rules(text);
    ASSERT_NE(rules.program, nullptr) << text;
    for (int round = 0; round < 120; ++round) {
      const std::string node = "r" + std::to_string(round % 5);
      Trap sent("1.3.6.1.4.1.9999.0.1", node);
      for (std::uint32_t n = random() % 3; n > 0; --n) {
        sent.number("1.3.6.1.4.1.9999.1.1.0", static_cast<std::int64_t>(random() % 6));
      }
      const Event& event = sent.event();
      std::string expected;
      for (const Clause& clause : rules.program->clauses) {
        Env env;
        env.program = rules.program.get();
        env.inventory = rules.inventory.get();
        env.event = &event;
        Arena arena;
        env.arena = &arena;
        if (holds(clause.where, env)) {
          expected += (expected.empty() ? "" : "; ") + rules.program->signals[clause.signal].name +
                      "(" + node + ")";
        }
      }
      ASSERT_EQ(rules.match(event), expected) << "seed " << seed << "\n" << text;
    }
  }
}

// LANGUAGE 10: no cost that grows with the number of rules that do not match. Counted, not timed:
// the heads compared and the lines asked for events that none, or one, of n lines of each kind
// wants.
TEST(Heads, WhatIsLookedAtDoesNotGrowWithTheRules) {
  const auto text_of = [](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) {
      const std::string id = std::to_string(i);
      text += "signal tag" + id + "(node: device, port: string) { raise syslog \"%UNIT" + id +
              "-3-FAULT: Port {port} of unit " + id + " failed\" expire 1h }\n" + "signal word" +
              id + "(node: device, port: string) { raise syslog \"supervisor " + id +
              " says port {port} is gone\" expire 1h }\n" + "signal whole" + id +
              "(node: device) { raise syslog \"unit " + id + " has failed\" expire 1h }\n" +
              "signal re" + id + "(node: device) { raise syslog /fan [0-9]+ of shelf-" + id +
              "-a stopped/ expire 1h }\n" + "signal oid" + id +
              "(node: device) { raise trap 1.3.6.1.4.1.9999.0." + std::to_string(i + 100) +
              " expire 1h }\n" + "signal var" + id +
              "(node: device) { raise trap 1.3.6.1.4.1.9999.0.7 where var[2] == " + id +
              " and node.role == \"core\" expire 1h }\n";
    }
    return text;
  };
  const auto looks = [&](int n) {
    Rules rules(text_of(n));
    std::string found;
    for (const std::string_view line :
         {"session opened for user root", "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ops]",
          "supervisor 99999 says nothing of ports", "fan 7 of shelf-x-a stopped", "unit 4",
          "%UNIT3-3-FAULT: Port 7 of unit 3 failed", "supervisor 3 says port 7 is gone",
          "unit 3 has failed", "fan 7 of shelf-3-a stopped"}) {
      found += rules.text(line) + ",";
    }
    for (const std::int64_t value : {3, 999'999}) {
      Trap trap("1.3.6.1.4.1.9999.0.7");
      trap.number("1.3.6.1.4.1.9999.1.1.0", 1).number("1.3.6.1.4.1.9999.1.2.0", value);
      found += rules.match(trap.event()) + ",";
      Trap other("1.3.6.1.4.1.9999.0.99");
      found += rules.match(other.event()) + ",";
    }
    const Matcher::Looks& l = rules.matcher->looks();
    return found + " heads " + std::to_string(l.heads) + " lines " + std::to_string(l.lines);
  };
  const std::string few = looks(10);
  EXPECT_NE(few.find("tag3(r1, 7)"), std::string::npos) << few;
  EXPECT_NE(few.find("var3(r1)"), std::string::npos) << few;
  EXPECT_EQ(looks(100), few);
  EXPECT_EQ(looks(1000), few);
}

// What takes more steps than a line may is no match, but the fold hears of it.
TEST(Heads, ALineOverItsStepsIsToldToTheFold) {
  std::string condition = "var[1] == 1";
  for (int i = 0; i < 20; ++i) {
    std::string sum = "var[1] + " + std::to_string(i);  // from the first step on unlike the others
    for (int k = 0; k < 120; ++k) {
      sum = "(" + sum + " + 1)";
    }
    condition += " and " + sum + " > 0";
  }
  Rules rules("signal s(node: device) { raise trap 1.3.6.1.4.1.9999.0.1 where " + condition +
              " expire 1h }");
  rules.match(Trap("1.3.6.1.4.1.9999.0.1").number("1.3.6.1.4.1.9999.1.1.0", 1).event());
  ASSERT_EQ(rules.batch.matches.size(), 1U);
  EXPECT_TRUE(rules.batch.matches[0].over_budget);
  EXPECT_TRUE(rules.batch.matches[0].key.empty());
  rules.match(Trap("1.3.6.1.4.1.9999.0.1").number("1.3.6.1.4.1.9999.1.1.0", 2).event());
  EXPECT_TRUE(rules.batch.matches.empty());
}

}  // namespace
}  // namespace belfry::rules
