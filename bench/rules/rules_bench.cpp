// What rules cost: compiling them, events that nothing matches, events that one of many rules
// matches, many clauses behind one head, causes. Prints one line per figure, `key value` first, so
// that bench.py can make its table. `--stream` runs a file of syslog lines through decoder, matcher
// and fold, for the comparison with SEC.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kPrelude = R"(
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
event trap   { oid: oid head, node: device, var: varbinds, via: string }
table device key name { name: string, role: string? }
defaults { settle 0s  hold 0s  reopen within 30m  limit 1000000 }
)";

double ns_since(Clock::time_point from) {
  return static_cast<double>((Clock::now() - from) / std::chrono::nanoseconds(1));
}

/// Compiled rules with an empty inventory, matcher and fold: the server's path without its sockets.
class Engine {
 public:
  explicit Engine(const std::string& text) {
    const rules::SourceFile file{"bench.bell", std::string(kPrelude) + text};
    rules::Compiled compiled = rules::compile(std::span(&file, 1));
    if (!compiled.program) {
      fmt::print(stderr, "{}",
                 rules::render(compiled.diagnostics, std::span(&file, 1), false).substr(0, 4000));
      std::exit(2);
    }
    InventoryBuilder builder(compiled.program->schema);
    const auto inventory = *builder.build(1);
    matcher_ = std::make_unique<rules::Matcher>(compiled.program, inventory);
    fold_.set_program(compiled.program, Seq{1}, Instant{1}, changes);
    fold_.set_inventory(inventory, Seq{2}, Instant{1}, changes);
    changes.clear();
  }
  void match(Batch& batch) { matcher_->match(batch); }
  /// Matches and folds; one event a millisecond.
  void run(Batch& batch) {
    match(batch);
    std::size_t at = 0;
    for (std::size_t e = 0; e < batch.events.size(); ++e) {
      const std::size_t from = at;
      while (at < batch.matches.size() && batch.matches[at].event == e) {
        ++at;
      }
      now_ += 1'000'000;
      fold_.on_event(batch.events[e], std::span(batch.matches).subspan(from, at - from),
                     Seq{++seq_}, Instant{now_}, changes);
    }
  }
  std::vector<IncidentChange> changes;

 private:
  std::unique_ptr<rules::Matcher> matcher_;
  Correlator fold_;
  std::uint64_t seq_ = 2;
  std::int64_t now_ = 1'000'000'000;
};

Event message(std::string_view node, std::string_view text, std::string_view tag = {}) {
  Event e;
  e.type = "syslog";
  e.node = node;
  e.message = text;
  e.tag = tag;
  return e;
}

/// n signals with a tagged raise and an untagged clear, and a rule on each.
std::string unit_rules(std::size_t n, bool with_rules) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    out += fmt::format(R"(
signal s{0}(node: device, port: string) {{
  raise syslog "%UNIT{0}-3-FAULT: Port {{port}} of unit {0} has failed"
  clear syslog "supervisor {0} says port {{port}} is healthy again"
}})",
                       i);
    if (with_rules) {
      out += fmt::format("rule r{0} {{ when s{0} open {{ title \"port {{port}} of unit {0}\" }} }}",
                         i);
    }
  }
  return out;
}

/// Texts that live as long as the events made of them.
struct Stream {
  std::vector<std::string> texts;
  std::vector<Event> events;
};

/// Ports fail and heal: units 0..units-1, 16 nodes, 4 ports, in turn.
Stream toggles(std::size_t events, std::size_t units) {
  Stream out;
  out.texts.reserve(events * 2);
  for (std::size_t k = 0; k < events; ++k) {
    const std::size_t key = k / 2;
    const std::size_t unit = key % units;
    const std::size_t port = (key / units) % 4;
    const bool fails = k % 2 == 0;
    out.texts.push_back(
        fails ? fmt::format("%UNIT{0}-3-FAULT: Port {1} of unit {0} has failed", unit, port)
              : fmt::format("supervisor {} says port {} is healthy again", unit, port));
    const std::string_view text = out.texts.back();
    out.texts.push_back(fmt::format("r{}", key % 16));
    out.events.push_back(
        message(out.texts.back(), text, fails ? text.substr(1, text.find(':') - 1) : ""));
  }
  return out;
}

/// What a network says all day and no rule asks for.
Stream chatter(std::size_t events) {
  static constexpr std::string_view kTexts[]{
      "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
      "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ops] [Source: 10.0.0.9] at 10:00:01",
      "Accepted publickey for deploy from 10.1.2.3 port 51234 ssh2",
      "%SYS-5-CONFIG_I: Configured from console by ops on vty0 (10.0.0.9)",
      "rcu: INFO: rcu_sched self-detected stall on CPU, port 7 of unit 9 said nothing",
      "UI_COMMIT_PROGRESS: Commit operation in progress: commit wrapup",
      "dnsmasq-dhcp[812]: DHCPACK(eth0) 10.9.8.7 00:11:22:33:44:55 printer-4",
      "supervisor has nothing to say about ports today"};
  Stream out;
  for (std::size_t k = 0; k < events; ++k) {
    const std::string_view text = kTexts[k % std::size(kTexts)];
    const std::size_t colon = text.find(':');
    out.events.push_back(
        message("r1", text, text.starts_with('%') ? text.substr(1, colon - 1) : ""));
  }
  return out;
}

/// Nanoseconds an event, the best of several rounds over the stream.
double cost(const Stream& stream, const std::function<void(Batch&)>& work) {
  constexpr std::size_t kRounds = 9;
  double best = 1e18;
  std::vector<Batch> batches;
  for (std::size_t from = 0; from < stream.events.size(); from += kBatchEventsMax) {
    const std::size_t to = std::min(from + kBatchEventsMax, stream.events.size());
    batches.emplace_back().events.assign(stream.events.begin() + static_cast<std::ptrdiff_t>(from),
                                         stream.events.begin() + static_cast<std::ptrdiff_t>(to));
  }
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (Batch& batch : batches) {
      batch.arena.clear();
      batch.matches.clear();
      work(batch);
    }
    best = std::min(best, ns_since(start) / static_cast<double>(stream.events.size()));
  }
  return best;
}

void say(std::string_view key, double value, std::string_view what) {
  fmt::print("{} {:.3f} # {}\n", key, value, what);
  std::fflush(stdout);
}

void compile_cost() {
  const rules::SourceFile file{"bench.bell", std::string(kPrelude) + unit_rules(5000, true)};
  double best = 1e18;
  for (int i = 0; i < 3; ++i) {
    const auto start = Clock::now();
    const rules::Compiled compiled = rules::compile(std::span(&file, 1));
    best = std::min(best, ns_since(start) / 1e9);
    if (!compiled.program) {
      std::exit(2);
    }
  }
  say("compile", best, "s: 5,000 signals and 5,000 rules compile");
  const auto start = Clock::now();
  Engine engine(unit_rules(5000, true));
  say("compile_all", ns_since(start) / 1e9, "s: the same with the matcher's index and the fold");
}

void no_match_cost() {
  const Stream stream = chatter(16384);
  for (const std::size_t templates : {10U, 100U, 1000U, 5000U, 20000U}) {
    Engine engine(unit_rules(templates / 2, false));
    say(fmt::format("no_match_{}", templates), cost(stream, [&](Batch& b) { engine.match(b); }),
        "ns: an event that no template matches, matcher alone");
  }
}

void per_rule_cost() {
  const Stream few = toggles(16384, 10);
  const Stream all = toggles(65536, 10000);
  const Stream none = chatter(16384);
  for (const std::size_t rules : {10U, 1000U, 10000U}) {
    Engine engine(unit_rules(rules, true));
    const auto work = [&](Batch& b) {
      engine.run(b);
      engine.changes.clear();
    };
    say(fmt::format("hit_{}", rules), cost(few, work),
        "ns: an event that opens or closes an incident of the first ten rules, matcher and fold");
    say(fmt::format("miss_{}", rules), cost(none, work), "ns: an event that no rule wants");
    if (rules == 10000) {
      say("hit_all_10000", cost(all, work),
          "ns: events over all 10,000 rules (their state is cold)");
    }
  }
}

/// n clauses behind one trap OID, told apart by a varbind; each with conditions that all share.
void one_head_cost() {
  const std::string oid = *oid_from_text("1.3.6.1.4.1.99999.0.1");
  const std::string var_oid = *oid_from_text("1.3.6.1.4.1.99999.1.1.0");
  for (const std::size_t n : {1U, 10U, 100U, 1000U}) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) {
      text += fmt::format(
          "signal t{0}(node: device) {{ raise trap 1.3.6.1.4.1.99999.0.1 where var[2] >= 2 and "
          "(node.role is none or node.role == \"core\") and var[3] == {0} expire 1h }}\n",
          i);
    }
    Engine engine(text);
    Stream stream;
    std::vector<std::array<Varbind, 3>> varbinds(8192);
    for (std::size_t k = 0; k < varbinds.size(); ++k) {
      for (Varbind& vb : varbinds[k]) {
        vb = {var_oid, VarType::Integer, {}, 2};
      }
      varbinds[k][2].number = static_cast<std::int64_t>(k % (2 * n));
      Event e;
      e.kind = EventKind::Trap;
      e.type = "trap";
      e.node = "r1";
      e.trap_oid = oid;
      e.varbinds = varbinds[k];
      stream.events.push_back(e);
    }
    say(fmt::format("one_head_{}", n), cost(stream, [&](Batch& b) { engine.match(b); }),
        "ns: a trap with that many clauses behind its OID, half of the traps match one");
  }
}

/// A symptom asks which of n live causes explains it.
void cause_cost() {
  const std::string text = R"(
signal up_down(node: device) { raise syslog "node lost" clear syslog "node back" }
signal p_down(node: device, port: string) { raise syslog "port {port} lost" clear syslog "port {port} back" }
rule node_lost { when up_down open { title "x" } }
rule port_lost { when p_down open { title "y" } }
cause node_lost(node) of port_lost(node, port)
)";
  for (const std::size_t n : {10U, 10000U}) {
    Engine engine(text);
    Stream causes;
    Stream symptoms;
    causes.texts.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
      causes.texts.push_back(fmt::format("r{}", i));
      causes.events.push_back(message(causes.texts.back(), "node lost"));
    }
    Batch opening;
    opening.events = causes.events;
    engine.run(opening);
    for (std::size_t i = 0; i < 8192; ++i) {
      symptoms.events.push_back(
          message(causes.texts[(i / 2) % 10], i % 2 == 0 ? "port 1 lost" : "port 1 back"));
    }
    say(fmt::format("cause_{}", n),
        cost(symptoms,
             [&](Batch& b) {
               engine.run(b);
               engine.changes.clear();
             }),
        "ns: an event that makes or ends a symptom while that many causes are open");
  }
}

/// The comparison with SEC: lines in, one line per opening and closing out.
int run_stream(const std::string& path, std::size_t rules, const std::string& write) {
  Engine engine(unit_rules(rules, true));
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::ofstream out(write);
  Batch batch;
  std::size_t lines = 0;
  const auto flush = [&] {
    engine.run(batch);
    for (const IncidentChange& c : engine.changes) {
      const bool closes = c.after.state == IncidentState::Closed;
      if (closes || c.after.state == IncidentState::Open) {
        out << (closes ? "CLOSE " : "OPEN ") << c.after.rule << ' ' << c.after.key[0] << ' '
            << c.after.key[1] << '\n';
      }
    }
    engine.changes.clear();
    batch.clear();
  };
  const auto start = Clock::now();
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    Event& event = batch.events.emplace_back();
    syslog::decode(batch.arena.copy(std::string_view(text).substr(at, end - at)), batch.arena,
                   Instant{1'764'064'800'000'000'000}, event);
    event.type = "syslog";
    event.node = event.host;
    at = end + 1;
    if (batch.full()) {
      flush();
    }
  }
  flush();
  say("stream", static_cast<double>(lines) / (ns_since(start) / 1e9),
      "lines/s: decoder, matcher, fold and the written lines");
  return 0;
}

}  // namespace
}  // namespace belfry

int main(int argc, char** argv) {
  std::string stream, write = "/dev/null";
  std::size_t rules = 10;
  std::string_view only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view word = argv[i];
    if (word == "--stream") {
      stream = argv[i + 1];
    } else if (word == "--rules") {
      rules = std::strtoul(argv[i + 1], nullptr, 10);
    } else if (word == "--write") {
      write = argv[i + 1];
    } else if (word == "--only") {
      only = argv[i + 1];
    }
  }
  if (!stream.empty()) {
    return belfry::run_stream(stream, rules, write);
  }
  const auto wanted = [&](std::string_view name) { return only.empty() || only == name; };
  if (wanted("compile")) {
    belfry::compile_cost();
  }
  if (wanted("no_match")) {
    belfry::no_match_cost();
  }
  if (wanted("rules")) {
    belfry::per_rule_cost();
  }
  if (wanted("one_head")) {
    belfry::one_head_cost();
  }
  if (wanted("causes")) {
    belfry::cause_cost();
  }
  return 0;
}
