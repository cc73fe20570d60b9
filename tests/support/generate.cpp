#include "generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "belfry/base/check.hpp"
#include "belfry/model/arena.hpp"

namespace belfry::testing {

std::uint64_t Rng::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

namespace {

constexpr std::string_view kPrelude =
    R"(event syslog { msg: text head, node: device, app: string, via: string }
event probe { check: string head, node: device, status: status, value: float?, label: labels, vantage: string }
event alert { name: string head, node: device, state: string, ends: time? }
enum status { up, degraded, down }
table site key name { name: string }
table device key name { name: string, site: site, role: string, spans: set<string> }
table works key id { id: string, refs: set<string>, start: time, end: time }
table link key id { id: string, a: device?, b: device? }
relation behind(device, device) transitive from "behind.csv"
relation near(device, device) from "near.csv"
relation housed(device, site) from device.site
relation over(device, string) from device.spans
)";

/// What a rule is keyed by: decides which atoms and causes fit.
enum class Shape { Node, NodeK, Site, Span, Link };

struct RuleSketch {
  std::string name;
  Shape shape;
  std::size_t place;  ///< rules may only use rules before them
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed) { out_.seed = seed; }
  RandomCase run() {
    defaults();
    signals();
    if (graphs_) {
      graph();
    }
    const std::size_t rules = 1 + rng_.below(4);
    for (std::size_t i = 0; i < rules; ++i) {
      rule(i);
    }
    causes();
    maintenance();
    edits();
    world();
    events();
    return std::move(out_);
  }

 private:
  std::string duration() {
    static const std::vector<std::string> kDurations{"10ms",  "15ms", "20ms", "50ms", "100ms",
                                                     "300ms", "1s",   "2s",   "3s",   "5s"};
    return rng_.pick(kDurations);
  }
  std::string window() {
    static const std::vector<std::string> kWindows{"50ms", "100ms", "1s", "3s", "10s", "640ms"};
    return rng_.pick(kWindows);
  }

  void defaults() {
    out_.declarations.push_back({"defaults",
                                 "defaults {",
                                 "}",
                                 {"  settle " + duration(), "  hold " + duration(),
                                  "  recover " + duration(), "  reopen within " + duration()},
                                 {}});
  }

  void signals() {
    std::vector<std::string> s0{}, s1{"  clear all syslog \"s1 reset\""};
    if (rng_.chance(20)) {
      s0.push_back("  expire " + duration());
    }
    if (rng_.chance(10)) {
      s1.push_back("  expire " + duration());
    }
    out_.declarations.push_back(
        {"s0",
         "signal s0(node: device) {\n  raise syslog \"s0 down\"\n  clear syslog \"s0 up\"",
         "}",
         s0,
         {}});
    out_.declarations.push_back(
        {"s1",
         "signal s1(node: device, k: string) {\n  raise syslog \"%T-3-X: k {k} went down{_}\"\n  "
         "clear syslog \"%T-3-X: k {k} came up{_}\"\n  raise syslog \"s1 {k} "
         "down\"\n  clear syslog \"s1 {k} up\"",
         "}",
         s1,
         {}});
    out_.declarations.push_back({"s2",
                                 "signal s2(node: device) {\n  raise syslog \"%T-3-X: k k1 {_} "
                                 "down{_}\" per via\n  raise syslog \"s2 down\" per via\n  "
                                 "clear syslog \"s2 up\" per via",
                                 "}",
                                 {},
                                 {}});
    out_.declarations.push_back(
        {"s3",
         "signal s3(node: device) {\n  raise probe \"icmp\" where status == down\n  clear probe "
         "\"icmp\" where status == up",
         "}",
         {},
         {}});
    out_.declarations.push_back({"s5",
                                 "signal s5(node: device) {\n  raise alert where state == "
                                 "\"firing\"\n  clear alert where state "
                                 "== \"resolved\"",
                                 "}",
                                 rng_.chance(50)
                                     ? std::vector<std::string>{"  expire " + duration()}
                                     : std::vector<std::string>{},
                                 {}});
    out_.declarations.push_back(
        {"m0", "measure m0(node: device): percent from probe \"load\"", "", {}, {}});
    out_.declarations.push_back(
        {"m1",
         "measure m1(node: device, k: string): bytes from probe \"octets\" where vantage == \"a\" "
         "with k = label.k, value = value + 0.5",
         "",
         {},
         {}});
    out_.declarations.push_back(
        {"s4",
         "signal s4(node: device) {\n  raise m0 where value >= 80%\n  clear m0 where value < 50%",
         "}",
         {},
         {"m0"}});
    out_.declarations.push_back(
        {"d1",
         fmt::format("signal d1(node: device) {{\n  raise when count(s0) {} within {} by node",
                     compare(3), window()),
         "}",
         {rng_.chance(60) ? "  clear when s2 by node" : "  clear when not (s0) by node"},
         {"s0", "s2"}});
    out_.declarations.push_back(
        {"d0",
         "signal d0(site: site) {\n  raise when s0(node) by site = node.site",
         "}",
         {},
         {"s0"}});
  }

  /// Links and devices, seen from one device or from all that are core.
  void graph() {
    static const std::vector<std::string> kDowns{"s0(n)", "s0", "s3(n)", "s1(n, \"k0\")", "d1(n)"};
    static const std::vector<std::string> kRoots{"name == \"n0\"", "name == \"n0\"",
                                                 "device.role == \"core\"", "site.name == \"A\""};
    out_.declarations.push_back(
        {"e0",
         "signal e0(l: link) {\n  raise syslog \"e0 {l} down\"\n  clear syslog \"e0 {l} up\"",
         "}",
         rng_.chance(15) ? std::vector<std::string>{"  expire " + duration()}
                         : std::vector<std::string>{},
         {}});
    const std::string down = rng_.pick(kDowns);
    Declaration d{
        "g0",
        fmt::format("graph g0 {{ nodes device edges link (a, b) roots device where {} down "
                    "e0(l), {} }}",
                    rng_.pick(kRoots), down),
        "",
        {},
        {"e0", down.substr(0, 2)}};
    out_.declarations.push_back(std::move(d));
  }

  /// Something to ask of the graph about the key of a rule.
  std::string graph_condition(Shape shape) {
    const std::string key = shape == Shape::Link ? "l" : "node";
    std::vector<std::string> forms{
        fmt::format("g0.frontier({})", key), fmt::format("not g0.frontier({})", key),
        fmt::format("g0.cut_off({}, \"n1\")", key), fmt::format("not g0.behind({}, \"n1\")", key)};
    if (shape == Shape::Node) {
      forms.push_back("g0.neighbour(node, \"n2\") or g0.frontier(node)");
    }
    return rng_.pick(forms);
  }

  std::string compare(std::size_t max) {
    const std::size_t n = 1 + rng_.below(max);
    const std::size_t op = rng_.below(24);
    return op == 0   ? fmt::format("> {}", n)
           : op == 1 ? fmt::format("< {}", n)
                     : fmt::format(">= {}", n);
  }

  std::string relop() {
    static const std::vector<std::string> kOps{">=", ">=", ">", "<", "<=", "!=", "=="};
    return rng_.pick(kOps);
  }

  /// An aggregate of samples: `m0` is a percentage, `m1` a counter per k.
  std::string sampled(Shape shape) {
    static const std::vector<std::string> kWords{"avg", "min", "max", "sum"};
    static const std::vector<std::string> kRates{"0", "5", "20", "100", "400", "1000", "3000"};
    const bool per_k = shape == Shape::NodeK || (shape != Shape::Node && rng_.chance(50));
    if (shape == Shape::Site || rng_.chance(50)) {
      return fmt::format("{}({}) {} {} within {}", rng_.pick(kWords), per_k ? "m1" : "m0", relop(),
                         per_k ? 500 * rng_.below(8) : 10 * rng_.below(11), window());
    }
    switch (rng_.below(per_k ? 2 : 4)) {
      case 0:
        return fmt::format("rate({}) {} {} within {}", per_k ? "m1" : "m0", relop(),
                           rng_.pick(kRates), window());
      case 1:
        return fmt::format("eta({}, {}) {} {} within {}", per_k ? "m1" : "m0",
                           per_k ? "4000" : "100%", relop(), duration(), window());
      case 2:
        return fmt::format("rate(s0) {} {} within {}", relop(), rng_.below(6), window());
      default:
        return fmt::format("{}(m1) {} {} within {}", rng_.pick(kWords), relop(),
                           500 * rng_.below(8), window());
    }
  }

  /// One item of a pattern for a key of that shape; names of what it uses go to `uses`.
  std::string atom(Shape shape, std::size_t before, std::vector<std::string>& uses) {
    std::vector<std::string> plain;  // may get a `for`
    std::vector<std::string> counted;
    const auto rule_of = [&](Shape of) -> std::string {
      std::vector<std::string> names;
      for (const RuleSketch& r : rules_) {
        if (r.shape == of && r.place < before) {
          names.push_back(r.name);
        }
      }
      return names.empty() ? "" : rng_.pick(names);
    };
    switch (shape) {
      case Shape::Node: {
        plain = {"s0", "s2", "s3", "s3", "s4", "s5", "d1"};
        counted = {fmt::format("count(s0) {} within {}", compare(4), window()),
                   fmt::format("flaps(s0) {} within {}", compare(3), window()),
                   fmt::format("count(s1) {} within {}", compare(70), window()),
                   fmt::format("count(s1) {} within {}", compare(5), window()),
                   fmt::format("count(s1) {} within {}", compare(4), window()),
                   fmt::format("distinct(s1.k) {} within {}", compare(3), window()),
                   fmt::format("count(syslog) {} within {}", compare(8), window()),
                   sampled(shape),
                   sampled(shape)};
        if (rng_.chance(25)) {
          static const std::vector<std::string> kHeard{"s3", "s0", "probe", "m0"};
          counted = {fmt::format("missing {} for {}", rng_.pick(kHeard), duration())};
        }
        if (const std::string r = rule_of(Shape::Node); !r.empty()) {
          plain.push_back(r);
        }
        if (const std::string r = rule_of(Shape::NodeK); !r.empty()) {
          counted.push_back(fmt::format("count({}) {} within {}", r, compare(3), window()));
          counted.push_back(fmt::format("distinct({}.k) {} within {}", r, compare(3), window()));
        }
        break;
      }
      case Shape::NodeK:
        plain = {"s1"};
        counted = {fmt::format("count(s1) {} within {}", compare(4), window()),
                   fmt::format("flaps(s1) {} within {}", compare(3), window()), sampled(shape)};
        if (const std::string r = rule_of(Shape::NodeK); !r.empty()) {
          plain.push_back(r);
        }
        break;
      case Shape::Site:
        if (rng_.chance(50)) {
          plain = {"d0"};
        }
        counted = {fmt::format("share(s0(n), n.housed(site)) >= {}% within {}",
                               20 + 20 * rng_.below(5), window())};
        if (const std::string r = rule_of(Shape::Node); !r.empty()) {
          counted.push_back(fmt::format("share({}(n), n.housed(site)) >= {}% within {}", r,
                                        20 + 20 * rng_.below(5), window()));
        }
        break;
      case Shape::Span:
        counted = {fmt::format("share(s0(node), node.over(span)) >= {}%", 20 + 20 * rng_.below(5))};
        break;
      case Shape::Link:
        plain = {"e0"};
        counted = {fmt::format("count(e0) {} within {}", compare(3), window()),
                   fmt::format("flaps(e0) {} within {}", compare(3), window())};
        if (const std::string r = rule_of(Shape::Link); !r.empty()) {
          plain.push_back(r);
        }
        break;
    }
    std::string text;
    if (samples_ && shape <= Shape::NodeK && rng_.chance(70)) {
      text = sampled(shape);
      note(text, uses);
      return text;
    }
    if (!plain.empty() && (counted.empty() || rng_.chance(60))) {
      text = rng_.pick(plain);
      note(text, uses);
      return rng_.chance(50) ? text + " for " + duration() : text;
    }
    text = rng_.pick(counted);
    note(text, uses);
    return text;
  }

  void note(const std::string& text, std::vector<std::string>& uses) {
    for (const Declaration& d : out_.declarations) {
      if (d.name != "defaults" && text.find(d.name) != std::string::npos) {
        uses.push_back(d.name);
      }
    }
  }

  std::string pattern(Shape shape, std::size_t before, std::vector<std::string>& uses) {
    if (shape == Shape::Span) {
      return fmt::format(
          "share(s0(node), node.over(span)) >= {}% and distinct(s0.node) {} within {}",
          20 + 20 * rng_.below(5), compare(3), window());
    }
    if (shape == Shape::Site && rng_.chance(40)) {
      return by_site(before, uses);
    }
    const std::string first = atom(shape, before, uses);
    switch (rng_.below(11)) {
      case 0:
        return first + " and " + atom(shape, before, uses);
      case 4:
        return fmt::format("({}) then ({}) within {}", first, atom(shape, before, uses), window());
      case 5:
        return fmt::format("({}) then not ({}) within {}", first, atom(shape, before, uses),
                           window());
      case 6:
        return fmt::format("{} or ({} then{} {} within {})", first, item(shape),
                           rng_.chance(50) ? "" : " not", item(shape), window());
      case 1:
        return first + " or " + atom(shape, before, uses);
      case 2:
        return first + " and not (" + atom(shape, before, uses) + ")";
      case 3:
        return "(" + first + " or " + atom(shape, before, uses) + ") and " +
               atom(shape, before, uses);
      default:
        return first;
    }
  }

  /// A signal in a sequence.
  std::string item(Shape shape) {
    static const std::vector<std::string> kNode{"s0", "s2", "s3", "d1", "s4"};
    return shape == Shape::Node    ? rng_.pick(kNode)
           : shape == Shape::NodeK ? "s1"
           : shape == Shape::Link  ? "e0"
                                   : "d0";
  }

  /// Keyed through the node of each signal; the key says `site = node.site`.
  std::string by_site(std::size_t before, std::vector<std::string>& uses) {
    site_key_ = "site = node.site";
    const auto one = [&] {
      std::vector<std::string> forms{
          fmt::format("count(s0) {} within {}", compare(5), window()),
          fmt::format("count(s1) {} within {}", compare(5), window()),
          fmt::format("flaps(s0) {} within {}", compare(4), window()),
          fmt::format("distinct(s0.node) {} within {}", compare(3), window()),
          fmt::format("distinct(s1.k) {} within {}", compare(3), window()),
          sampled(Shape::Site),
          sampled(Shape::Site)};
      for (const RuleSketch& r : rules_) {
        if (r.place < before && (r.shape == Shape::Node || r.shape == Shape::NodeK)) {
          forms.push_back(fmt::format("count({}) {} within {}", r.name, compare(3), window()));
          forms.push_back(
              fmt::format("distinct({}.node) {} within {}", r.name, compare(3), window()));
        }
      }
      const std::string text = rng_.pick(forms);
      note(text, uses);
      return text;
    };
    const std::string first = one();
    return rng_.chance(50) ? first : first + (rng_.chance(50) ? " and " : " or ") + one();
  }

  void rule(std::size_t place) {
    static const std::vector<Shape> kShapes{Shape::Node,  Shape::Node, Shape::Node, Shape::NodeK,
                                            Shape::NodeK, Shape::Site, Shape::Span};
    static const std::vector<Shape> kGraphShapes{Shape::Node, Shape::Node, Shape::Link, Shape::Link,
                                                 Shape::NodeK};
    const Shape shape = rng_.pick(graphs_ ? kGraphShapes : kShapes);
    Declaration d;
    d.name = fmt::format("r{}", place);
    const std::string by = shape == Shape::Node    ? "node"
                           : shape == Shape::NodeK ? "node, k"
                           : shape == Shape::Site  ? "site"
                           : shape == Shape::Link  ? "l"
                                                   : "span";
    if (shape == Shape::Span) {
      d.uses.push_back("s0");
    }
    site_key_ = "site";
    const std::string when = pattern(shape, place, d.uses);
    d.head = fmt::format("rule {} {{\n  when {} by {}\n", d.name, when,
                         shape == Shape::Site ? site_key_ : by);
    clauses(shape, d);
    static const std::vector<std::string> kSeverities{"minor", "major", "critical"};
    const std::string key = shape == Shape::Node    ? "{node}"
                            : shape == Shape::NodeK ? "{node} {k}"
                            : shape == Shape::Site  ? "{site}"
                            : shape == Shape::Link  ? "{l}"
                                                    : "{span} {share} {distinct}";
    const std::string asked =
        graphs_ ? fmt::format(" {{g0.frontier({})}}", shape == Shape::Link ? "l" : "node") : "";
    d.tail = fmt::format("  open {{ title \"{} {}{}{}\" severity {} }}\n}}", d.name, key,
                         measured(when), asked, rng_.pick(kSeverities));
    if (graphs_) {
      d.uses.push_back("g0");
    }
    rules_.push_back({d.name, shape, place});
    out_.declarations.push_back(std::move(d));
  }

  /// What a title can say of such a pattern.
  static std::string measured(const std::string& when) {
    const auto has = [&](std::string_view text) { return when.find(text) != std::string::npos; };
    return fmt::format("{}{}{}", has("(m0") || has("(m1") ? " {value}" : "",
                       has("rate(") ? " {rate}" : "", has("eta(") ? " {eta ?? \"-\"}" : "");
  }

  void clauses(Shape shape, Declaration& d) {
    if (graphs_ && rng_.chance(20)) {
      d.lines.push_back("  where " + graph_condition(shape));
    } else if (shape == Shape::Node && rng_.chance(15)) {
      d.lines.push_back("  where node.role == \"core\"");
    }
    if (shape == Shape::Span) {
      d.lines.push_back("  one by share, distinct");
    }
    if (rng_.chance(8)) {
      d.lines.push_back(rng_.chance(60) ? "  mode shadow" : "  mode off");
    }
    if (rng_.chance(8)) {
      d.lines.push_back(fmt::format("  limit {}", 1 + rng_.below(3)));
    }
    if (rng_.chance(30)) {
      d.lines.push_back("  settle " + duration());
    }
    if (rng_.chance(20)) {
      d.lines.push_back("  hold " + duration());
    }
    if (rng_.chance(20)) {
      d.lines.push_back("  recover " + duration());
    }
    if (rng_.chance(20)) {
      d.lines.push_back("  reopen within " + duration());
    }
    if (shape <= Shape::NodeK && rng_.chance(15)) {
      d.lines.push_back("  unless " + atom(shape, rules_.size(), d.uses));
    }
    if (shape <= Shape::NodeK && rng_.chance(8)) {
      d.lines.push_back("  clear when " + atom(shape, rules_.size(), d.uses));
    } else if (rng_.chance(5)) {
      d.lines.push_back("  clear manual");
    } else if (rng_.chance(35)) {
      d.lines.push_back(rng_.chance(50) ? "  clear after " + duration()
                                        : "  clear quiet " + duration());
    }
  }

  /// In a circle of rules only what asks the graph about the cause can stand.
  void graph_cause(const RuleSketch& a, const RuleSketch& b) {
    const auto by = [](Shape shape) -> std::string {
      return shape == Shape::Node ? "top" : shape == Shape::NodeK ? "top, k2" : "m";
    };
    const auto of = [](Shape shape) -> std::string {
      return shape == Shape::Node ? "node" : shape == Shape::NodeK ? "node, k" : "l";
    };
    const std::string x = b.shape == Shape::Link ? "l" : "node",
                      y = a.shape == Shape::Link ? "m" : "top";
    const std::string near = x == "l" && y == "top"    ? "(l.a == top or top == l.b)"
                             : x == "node" && y == "m" ? "node.edges(m)"
                                                       : fmt::format("g0.neighbour({}, {})", x, y);
    std::vector<std::string> forms{fmt::format("{}.cut_off({})", x, y),
                                   fmt::format("g0.cut_off({}, {})", x, y),
                                   fmt::format("g0.frontier({}) and {}", y, near),
                                   fmt::format("{} and g0.frontier({})", near, y)};
    if (!circles_ && a.name != b.name) {
      forms.push_back(near);
      forms.push_back(fmt::format("g0.behind({}, {})", x, y));
      forms.push_back(fmt::format("{} or {}.cut_off({})", near, x, y));
    }
    out_.declarations.push_back({fmt::format("cause{}", out_.declarations.size()),
                                 fmt::format("cause {}({}) of {}({}) where {}", a.name, by(a.shape),
                                             b.name, of(b.shape), rng_.pick(forms)),
                                 "",
                                 {},
                                 {a.name, b.name, "g0"}});
  }

  void cause(const RuleSketch& a, const RuleSketch& b) {
    if (graphs_ && (circles_ || a.name == b.name || rng_.chance(80) || a.shape == Shape::Link ||
                    b.shape == Shape::Link)) {
      graph_cause(a, b);
      return;
    }
    const auto args = [](Shape shape) -> std::string {
      return shape == Shape::Node    ? "node"
             : shape == Shape::NodeK ? "node, k"
             : shape == Shape::Site  ? "site"
                                     : "span";
    };                                                       // links: graph_cause()
    std::vector<std::pair<std::string, std::string>> forms;  // args of a, where
    const bool b_node = b.shape == Shape::Node || b.shape == Shape::NodeK;
    const bool a_node = a.shape == Shape::Node || a.shape == Shape::NodeK;
    const std::string extra = a.shape == Shape::NodeK ? ", k2" : "";
    if (a.name == b.name) {
      if (a.shape == Shape::Node) {
        forms = {{"top", " where node.behind(top)"}};
      }
    } else if (a_node && b_node) {
      const std::string same =
          a.shape == Shape::NodeK && b.shape == Shape::Node ? "node, k2" : args(a.shape);
      forms = {{same, ""},
               {"top" + extra, " where node.behind(top)"},
               {"top" + extra, " where node.near(top)"},
               {"top" + extra, " where top.near(node)"}};
    } else if (b_node) {
      forms = a.shape == Shape::Site
                  ? std::vector<std::pair<std::string, std::string>>{{"site",
                                                                      " where node.housed(site)"},
                                                                     {"site",
                                                                      " where node.site == site"}}
                  : std::vector<std::pair<std::string, std::string>>{
                        {"span", " where node.over(span)"}, {"span", " where span in node.spans"}};
    } else if (a_node) {
      forms = b.shape == Shape::Site
                  ? std::vector<std::pair<std::string, std::string>>{{"top" + extra,
                                                                      " where top.housed(site)"}}
                  : std::vector<std::pair<std::string, std::string>>{
                        {"top" + extra, " where top.over(span)"}};
    } else if (a.shape == b.shape) {
      forms = {{args(a.shape), ""}};
    }
    if (forms.empty()) {
      return;
    }
    const auto& [a_args, where] = rng_.pick(forms);
    out_.declarations.push_back(
        {fmt::format("cause{}", out_.declarations.size()),
         fmt::format("cause {}({}) of {}({}){}", a.name, a_args, b.name, args(b.shape), where),
         "",
         {},
         {a.name, b.name}});
  }

  void causes() {
    for (std::size_t n = rng_.below(graphs_ ? 6 : 4); n > 0; --n) {
      const std::size_t a = rng_.below(rules_.size()), b = rng_.below(rules_.size());
      if (graphs_ && circles_) {
        cause(rules_[a], rules_[b]);
      } else if (a == b) {
        cause(rules_[a], rules_[a]);
      } else if (upward_) {
        cause(rules_[std::min(a, b)], rules_[std::max(a, b)]);
      } else {
        cause(rules_[std::max(a, b)], rules_[std::min(a, b)]);
      }
    }
  }

  void world() {
    out_.world.sites = {"A", "B", "C"};
    static const std::vector<std::string> kSpans{"x", "y", "z"};
    for (std::size_t i = 0; i < 5; ++i) {
      RandomWorld::Device d{fmt::format("n{}", i),
                            rng_.pick(out_.world.sites),
                            rng_.chance(60) ? "core" : "edge",
                            {}};
      for (const std::string& span : kSpans) {
        if (rng_.chance(40)) {
          d.spans.push_back(span);
        }
      }
      out_.world.devices.push_back(d);
      if (i > 0 && rng_.chance(75)) {
        out_.world.behind.emplace_back(d.name, fmt::format("n{}", rng_.below(i)));
      }
      if (rng_.chance(50)) {
        out_.world.near.emplace_back(d.name, fmt::format("n{}", rng_.below(5)));
      }
    }
    for (std::size_t n = 1 + rng_.below(4); n > 0; --n) {
      out_.world.works.push_back(works_row(n));
    }
    links();
    later();
  }

  void links() {
    for (std::size_t i = graphs_ ? 3 + rng_.below(5) : 0; i > 0; --i) {
      const auto end = [&] {  // n5 is in no table; some ends nobody wrote down
        return rng_.chance(4) ? std::string() : fmt::format("n{}", rng_.below(6));
      };
      out_.world.links.emplace_back(end(), end());
    }
  }

  /// The other version of the inventory.
  void later() {
    RandomWorld& later = out_.later = out_.world;
    for (std::size_t n = 1 + rng_.below(3); n > 0; --n) {
      const std::size_t i = rng_.below(later.devices.size());
      if (!later.links.empty() && rng_.chance(50)) {
        later.links[rng_.below(later.links.size())].first = fmt::format("n{}", rng_.below(5));
        continue;
      }
      switch (rng_.below(7)) {
        case 4:
          later.works.pop_back();
          later.works.push_back(works_row(5 + n));
          break;
        case 5:
          later.works[0] = works_row(1);
          break;
        case 0:
          later.devices.erase(later.devices.begin() + static_cast<std::ptrdiff_t>(i));
          break;
        case 1:
          later.devices[i].site = rng_.pick(later.sites);
          break;
        case 2:
          later.devices[i].role = later.devices[i].role == "core" ? "edge" : "core";
          break;
        case 3:
          later.devices[i].spans = {"x"};
          break;
        default:
          if (!later.behind.empty()) {
            later.behind.pop_back();
          }
          later.near.emplace_back("n1", "n3");
          break;
      }
    }
  }

  /// Works of the inventory and one fixed window, over some of the rules.
  void maintenance() {
    if (!rng_.chance(40)) {
      return;
    }
    for (std::size_t n = 1 + rng_.below(2); n > 0; --n) {
      const RuleSketch& rule = rng_.pick(rules_);
      const bool by_node = rule.shape <= Shape::NodeK;
      std::string covers = fmt::format("{}({})", rule.name,
                                       rule.shape == Shape::Node    ? "node"
                                       : rule.shape == Shape::NodeK ? "node, k"
                                       : rule.shape == Shape::Site  ? "site"
                                                                    : "span");
      if (by_node && rng_.chance(30)) {
        covers = "any(node: device)";
      }
      const std::string name = fmt::format("w{}", n);
      const std::string grace = rng_.chance(50) ? "\n  grace " + duration() : "";
      if (rng_.chance(65)) {
        out_.declarations.push_back(
            {name,
             fmt::format("maintenance {} {{\n  each w in works\n  covers {} where {}{}", name,
                         covers, by_node ? "node.name in w.refs" : "w.id != \"W2\"", grace),
             "}",
             {},
             {rule.name}});
      } else {
        out_.declarations.push_back(
            {name,
             fmt::format("maintenance {} {{\n  from 1970-01-01T00:16:{} to 1970-01-01T00:17:{} "
                         "\"UTC\"\n  covers {}{}",
                         name, 42 + rng_.below(17), 10 + rng_.below(30), covers, grace),
             "}",
             {},
             {rule.name}});
      }
    }
  }

  RandomWorld::Works works_row(std::size_t n) {
    static const std::vector<std::int64_t> kMs{0,    5,    10,    500,   2000,  5000,
                                               8000, 9990, 10000, 15000, 20000, 40000};
    const std::int64_t from = rng_.pick(kMs), length = rng_.pick(kMs);
    RandomWorld::Works w{fmt::format("W{}", n), {}, 0, 0};
    w.start_ns = 1'000'000'000'000 + from * 1'000'000;
    w.end_ns = w.start_ns + length * 1'000'000;
    for (std::size_t i = 0; i < 5; ++i) {
      if (rng_.chance(50)) {
        w.refs.push_back(fmt::format("n{}", i));
      }
    }
    return w;
  }

  /// What the other version of the rules has different.
  void edits() {
    if (!rng_.chance(35)) {
      return;
    }
    for (std::size_t n = 1 + rng_.below(3); n > 0; --n) {
      const RuleSketch& rule = rng_.pick(rules_);
      const auto found = std::find_if(out_.declarations.begin(), out_.declarations.end(),
                                      [&](const Declaration& d) { return d.name == rule.name; });
      const auto replaces = [&](const std::string& from, const std::string& to) {
        out_.edits.push_back({rule.name, from, to});
      };
      const std::string has = fmt::format("{}\n{}", found->head, fmt::join(found->lines, "\n"));
      switch (rng_.below(8)) {
        case 0:
          replaces("", "");
          break;
        case 1:
          replaces("title \"", "title \"other ");
          break;
        case 2:
          if (has.find("mode ") != std::string::npos ||
              found->tail.find("mode ") != std::string::npos ||
              std::any_of(out_.edits.begin(), out_.edits.end(), [&](const Edit& e) {
                return e.declaration == rule.name && e.from == "  open {";
              })) {
            replaces("mode shadow", rng_.chance(70) ? "mode live" : "mode off");
            replaces("mode off", "mode live");
          } else {
            replaces("  open {",
                     rng_.chance(60) ? "  mode shadow\n  open {" : "  mode off\n  open {");
          }
          break;
        case 3:
          replaces(" for ", " for 1");  // 10ms becomes 110ms
          break;
        case 4:
          replaces(" within ", rng_.chance(50) ? " within 1" : " within 2");
          break;
        case 5:
          if (has.find("eta(") != std::string::npos) {
            break;
          }
          replaces(">= ", rng_.chance(50) ? ">= 1 + " : ">= 0 + ");
          break;
        case 6:
          out_.edits.push_back({"*", rule.name, rule.name + "new"});
          replaces(" {\n", fmt::format(" {{\n  was {}\n", rule.name));
          return;
        default:
          if (rng_.chance(40)) {  // the same key by another way
            replaces("(s1.k)", "(s1.node)");
            break;
          }
          replaces(" by node\n", " or (d1 then s0 within 1s) by node\n");
          replaces(" by node, k\n", " or s1 for 50ms by node, k\n");
          replaces(" by site\n", " or d0 by site\n");
          break;
      }
    }
  }

  std::int64_t gap() {
    static const std::vector<std::int64_t> kGaps{0,  0,  0,  1,   3,   5,    10,   10,  20,
                                                 50, 90, 95, 100, 300, 1000, 2000, 4000};
    std::int64_t ms = rng_.pick(kGaps);
    if (rng_.chance(3)) {
      ms = 20'000;
    }
    return ms * 1'000'000 + (rng_.chance(3) ? 1 : 0);
  }

  /// The same fact in a vendor's words, with what devices put before and behind.
  std::string tagged(bool up) {
    static const std::vector<std::string> kBefore{"", "", "17: ", "Jan  1 00:00:00: "};
    static const std::vector<std::string> kBehind{"", ".", " ", " again", ": k k2 went down"};
    return fmt::format("{}%T-3-X: k k{} {}{}", rng_.pick(kBefore), rng_.below(3),
                       up ? "came up" : "went down", rng_.pick(kBehind));
  }

  /// A probe with a number: what stands behind the word is the value, then the label `k`.
  std::string sample() {
    static const std::vector<std::string> kKs{"k0", "k1"};
    if (rng_.chance(60)) {
      level_ = rng_.chance(30) ? static_cast<double>(rng_.below(1001)) / 10
                               : std::min(level_ + static_cast<double>(rng_.below(9)), 110.0);
      return rng_.chance(4) ? "load none" : fmt::format("load {}", level_);
    }
    counter_ = rng_.chance(8) ? static_cast<double>(rng_.below(300))
                              : counter_ + static_cast<double>(rng_.below(2000)) / 4;
    return fmt::format("octets {} {}", counter_, rng_.pick(kKs));
  }

  void events() {
    const std::size_t n = 5 + rng_.below(60) + (graphs_ ? 30 : 0);  // more keys to reach
    std::int64_t at = 1'000'000'000'000;
    static const std::vector<std::string> kVias{"a", "b"}, kKs{"k0", "k1", "k2"};
    for (std::size_t i = 0; i < n; ++i) {
      at += gap();
      RandomEvent e{
          at, fmt::format("n{}", rng_.below(rng_.chance(5) ? 7 : 5)), rng_.pick(kVias), {}, 1};
      const bool up = rng_.chance(40);
      switch (rng_.below(10)) {
        case 0:
        case 1:
        case 2:
        case 3:
          e.msg = up ? "s0 up" : "s0 down";
          break;
        case 4:
        case 5:
        case 6:
          e.msg = fmt::format("s1 {} {}", rng_.pick(kKs), up ? "up" : "down");
          if (rng_.chance(30)) {
            e.msg = tagged(up);
          }
          if (rng_.chance(4)) {
            e.msg = "s1 reset";
          }
          break;
        case 7:
          e.msg = up ? "s2 up" : "s2 down";
          break;
        default:
          e.msg = up ? "probe up" : "probe down";
          break;
      }
      if (rng_.chance(6)) {
        e.msg = up                ? "alert resolved"
                : rng_.chance(60) ? fmt::format("alert firing {}", rng_.below(3000))
                                  : "alert firing";
      }
      if (graphs_ && rng_.chance(45)) {
        e.msg = fmt::format("e0 l{} {}", rng_.below(6), up ? "up" : "down");
      } else if (rng_.chance(samples_ ? 75 : graphs_ ? 5 : 20)) {
        e.msg = sample();
        e.node = fmt::format("n{}", rng_.below(3));  // enough of them in a window
      }
      if (rng_.chance(4)) {
        e.msg = fmt::format("close {}", rng_.below(4));
      } else if (!out_.edits.empty() && rng_.chance(6)) {
        e.msg = "rules";
      } else if (versions_ && rng_.chance(5)) {
        e.msg = "rows";
      } else if (rng_.chance(2)) {
        const std::size_t ms = 1 + rng_.below(900);
        e.msg = fmt::format("deaf {}", ms);
        e.at_ns = at += static_cast<std::int64_t>(ms) * 1'000'000;
      } else if (rng_.chance(10)) {
        e.repeat = static_cast<std::uint32_t>(1 + rng_.below(4));
      }
      out_.events.push_back(e);
    }
  }

  Rng rng_;
  RandomCase out_;
  std::vector<RuleSketch> rules_;
  bool upward_ = rng_.chance(50);
  std::string site_key_;
  double level_ = 40, counter_ = 0;
  bool samples_ = rng_.chance(25);  ///< a case about measures
  bool versions_ = rng_.chance(30);
  bool graphs_ = !samples_ && rng_.chance(40);  ///< a case about a graph
  bool circles_ = rng_.chance(50);              ///< its causes go in circles
};

}  // namespace

RandomCase random_case(std::uint64_t seed) { return Generator(seed).run(); }

std::string text_of(const RandomCase& c) {
  std::string out(kPrelude);
  for (const Declaration& d : c.declarations) {
    out += d.head + "\n";
    for (const std::string& line : d.lines) {
      out += line + "\n";
    }
    if (!d.tail.empty()) {
      out += d.tail + "\n";
    }
  }
  return out;
}

RandomCase without(const RandomCase& c, const std::string& name) {
  RandomCase out = c;
  std::set<std::string> gone{name};
  for (bool more = true; more;) {
    more = false;
    for (const Declaration& d : c.declarations) {
      const bool uses = std::any_of(d.uses.begin(), d.uses.end(),
                                    [&](const std::string& used) { return gone.contains(used); });
      more = (uses && gone.insert(d.name).second) || more;
    }
  }
  std::erase_if(out.declarations, [&](const Declaration& d) { return gone.contains(d.name); });
  return out;
}

RandomCase edited(const RandomCase& c) {
  RandomCase out = c;
  for (const Edit& edit : c.edits) {
    if (edit.from.empty()) {
      out = without(out, edit.declaration);
      continue;
    }
    const auto replace = [&](std::string& text) {
      for (std::size_t at = text.find(edit.from); at != std::string::npos;
           at = text.find(edit.from, at + edit.to.size())) {
        text.replace(at, edit.from.size(), edit.to);
      }
    };
    for (Declaration& d : out.declarations) {
      if (edit.declaration == "*" || edit.declaration == d.name) {
        replace(d.head);
        std::for_each(d.lines.begin(), d.lines.end(), replace);
        replace(d.tail);
      }
    }
  }
  return out;
}

namespace {

std::string describe(const RandomWorld& world) {
  std::string out;
  for (const RandomWorld::Device& d : world.devices) {
    out += fmt::format("# device {} site {} role {} spans {}\n", d.name, d.site, d.role,
                       fmt::join(d.spans, ","));
  }
  for (const auto& [x, y] : world.behind) {
    out += fmt::format("# {} behind {}\n", x, y);
  }
  for (const auto& [x, y] : world.near) {
    out += fmt::format("# {} near {}\n", x, y);
  }
  for (const RandomWorld::Works& w : world.works) {
    out +=
        fmt::format("# works {} of {} from +{:.3f}ms to +{:.3f}ms\n", w.id, fmt::join(w.refs, ","),
                    static_cast<double>(w.start_ns - 1'000'000'000'000) / 1e6,
                    static_cast<double>(w.end_ns - 1'000'000'000'000) / 1e6);
  }
  for (std::size_t i = 0; i < world.links.size(); ++i) {
    out += fmt::format("# l{} {} - {}\n", i, world.links[i].first, world.links[i].second);
  }
  return out;
}

bool has(const RandomCase& c, std::string_view message) {
  return std::any_of(c.events.begin(), c.events.end(),
                     [&](const RandomEvent& e) { return e.msg == message; });
}

}  // namespace

std::string describe(const RandomCase& c) {
  std::string out = fmt::format("# seed {}\n{}", c.seed, text_of(c));
  if (has(c, "rules")) {
    out += fmt::format("#### `rules`:\n{}####\n",
                       text_of(edited(c)).substr(std::string_view(kPrelude).size()));
  }
  out += describe(c.world);
  if (has(c, "rows")) {
    out += "#### `rows`:\n" + describe(c.later) + "####\n";
  }
  for (const RandomEvent& e : c.events) {
    out += fmt::format("# +{:.6f}ms {} via {}: {}{}\n",
                       static_cast<double>(e.at_ns - 1'000'000'000'000) / 1e6, e.node, e.via, e.msg,
                       e.repeat == 1 ? "" : fmt::format(" x{}", e.repeat));
  }
  return out;
}

std::shared_ptr<const Inventory> inventory_of(const RandomCase& c, const rules::Program& program,
                                              bool later) {
  const RandomWorld& world = later ? c.later : c.world;
  const Schema& schema = *program.schema;
  const auto set_of = [](const std::vector<std::string>& words, std::vector<Value>& items,
                         ValueSet& set) {
    for (const std::string& word : words) {
      items.push_back(Value::string(word));
    }
    set = ValueSet{items};
    Value value;
    value.type = Type::Set;
    value.set = &set;
    return value;
  };
  const std::uint32_t site = schema.find_table("site"), device = schema.find_table("device");
  InventoryBuilder builder(program.schema);
  Arena arena;
  for (const std::string& name : world.sites) {
    builder.add_row(site, std::vector<Value>{Value::string(name)});
  }
  for (const RandomWorld::Device& d : world.devices) {
    std::vector<Value> items;
    ValueSet set;
    const Value spans = set_of(d.spans, items, set);
    builder.add_row(device, std::vector<Value>{Value::string(d.name), Value::row(site, d.site),
                                               Value::string(d.role), spans});
  }
  for (const RandomWorld::Works& w : world.works) {
    std::vector<Value> items;
    ValueSet set;
    const Value refs = set_of(w.refs, items, set);
    builder.add_row(schema.find_table("works"),
                    std::vector<Value>{Value::string(w.id), refs, Value::time(Instant{w.start_ns}),
                                       Value::time(Instant{w.end_ns})});
  }
  for (const auto& [x, y] : world.behind) {
    builder.add_pair(schema.find_relation("behind"), Value::row(device, x), Value::row(device, y));
  }
  for (const auto& [x, y] : world.near) {
    builder.add_pair(schema.find_relation("near"), Value::row(device, x), Value::row(device, y));
  }
  const auto end = [&](const std::string& name) {
    return name.empty() ? Value::none() : Value::row(device, name);
  };
  for (std::size_t i = 0; i < world.links.size(); ++i) {
    const std::string id = fmt::format("l{}", i);
    builder.add_row(schema.find_table("link"),
                    std::vector<Value>{Value::string(id), end(world.links[i].first),
                                       end(world.links[i].second)});
  }
  auto built = builder.build(1);
  BELFRY_CHECK(built.has_value());
  return *built;
}

}  // namespace belfry::testing
