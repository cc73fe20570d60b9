#pragma once
// Timeline: Bell text and a stream in virtual time, for the tests of this module: compiler, matcher
// and correlator as they run in the server, with what the correlator said at each step.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"
#include "belfry/correlate/correlator.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"

namespace belfry::correlate::test {

/// Tables and events that all tests share, in the manner of LANGUAGE 7.
inline constexpr const char* kPrelude = R"(
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
event probe  { check: string head, node: device, status: status, vantage: string }
event beat   { node: device, seq: int }
event alert  { name: string head, node: device, state: string, ends: time? }
enum status  { up, degraded, down }
enum impact  { none, at_risk, degraded, outage }
enum tier    { corporate, solution, premium }
enum priority { P4, P3, P2, P1 }
table site     key name       { name: string } from "sites.csv"
table device   key name       { name: string, site: site, role: string, pool: string?, tier: tier } from "devices.csv"
table customer key id         { id: string, name: string, tier: tier } from "customers.csv"
table circuit  key id         { id: string, spans: set<string>, customer: customer } from "circuits.csv"
table port     key node, ifname { node: device, ifname: string, circuit: circuit? } from "ports.csv"
table session  key node, peer { node: device, peer: string, name: string, ifname: string } from "bgp.csv"
relation behind(device, device) transitive from "uplinks.csv"
relation over(circuit, string)  from circuit.spans
relation housed(device, site)   from device.site
defaults { settle 10s  hold 2m  recover 2m  reopen within 30m  limit 100000 }

signal if_down(node: device, ifname: string) {
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}
signal bgp_down(node: device, peer: string) {
  raise syslog "%BGP-5-ADJCHANGE: neighbor {peer} Down"
  clear syslog "%BGP-5-ADJCHANGE: neighbor {peer} Up"
}
signal host_down(node: device) {
  raise probe "icmp" where status == down
  clear probe "icmp" where status == up
}
)";

inline constexpr const char* kLinks = R"(
rule interface_down {
  when if_down for 20s
  open { title "{node.name} {ifname} down"  severity minor }
}
rule bgp_session_down {
  when bgp_down for 30s
  open { title "BGP {peer} ({session[node, peer].name}) down on {node.name}"  severity major  impact at_risk }
}
cause interface_down(node, ifname) of bgp_session_down(node, peer) where session[node, peer].ifname == ifname
)";

class Timeline {
 public:
  explicit Timeline(const std::string& bell, CorrelatorOptions options = {})
      : options_(options), correlator_(std::make_unique<Correlator>(options)) {
    program_ = compiled(kPrelude + bell);
  }

  static std::shared_ptr<const rules::Program> compiled(const std::string& text) {
    const std::vector<rules::SourceFile> files{{"test.bell", text}};
    rules::Compiled result = rules::compile(files);
    if (result.program == nullptr) {
      ADD_FAILURE() << rules::render(result.diagnostics, files, false);
      BELFRY_CHECK(result.program != nullptr);
    }
    return result.program;
  }

  /// Cells as text, in column order; sets are separated by spaces, empty = missing.
  Timeline& row(const std::string& table, std::vector<std::string> cells) {
    rows_.emplace_back(table, std::move(cells));
    return *this;
  }
  Timeline& pair(const std::string& relation, const std::string& x, const std::string& y) {
    pairs_.push_back({relation, {x, y}});
    return *this;
  }
  void drop_row(const std::string& table, const std::string& first_cell) {
    std::erase_if(rows_,
                  [&](const auto& r) { return r.first == table && r.second[0] == first_cell; });
  }

  /// Builds the inventory and gives both versions to the fold.
  Timeline& start() {
    started_ = true;
    correlator_->set_program(program_, next_seq(), now_, out_);
    inventory_ = built();
    correlator_->set_inventory(inventory_, next_seq(), now_, out_);
    take();
    matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
    return *this;
  }
  void new_inventory(double at) {
    go_before(at);
    inventory_ = built();
    correlator_->set_inventory(inventory_, next_seq(), now_, out_);
    take();
    matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
  }
  void new_rules(double at, const std::string& bell) {
    go_before(at);
    program_ = compiled(kPrelude + bell);
    correlator_->set_program(program_, next_seq(), now_, out_, true);
    take();
    inventory_ = built();
    correlator_->set_inventory(inventory_, next_seq(), now_, out_);
    take();
    matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
  }

  void syslog(double at, const std::string& node, const std::string& message,
              std::uint32_t repeat = 1) {
    Event& event = begin(EventKind::Syslog, "syslog", node);
    event.message = text(message);
    event.raw = event.message;
    event.repeat = repeat;
    if (message.starts_with("%")) {
      event.tag = event.message.substr(1, message.find(':') - 1);
    }
    send(at);
  }
  void link(double at, const std::string& node, const std::string& ifname, bool up) {
    syslog(at, node,
           "%LINK-3-UPDOWN: Interface " + ifname + ", changed state to " + (up ? "up" : "down"));
  }
  void bgp(double at, const std::string& node, const std::string& peer, bool up) {
    syslog(at, node, "%BGP-5-ADJCHANGE: neighbor " + peer + (up ? " Up" : " Down"));
  }
  void probe(double at, const std::string& check, const std::string& node,
             const std::string& status, const std::string& vantage = "v1") {
    Event& event = begin(EventKind::Probe, "probe", node);
    attrs_ = {{"check", Value::string(text(check))},
              {"status", Value::string(text(status))},
              {"vantage", Value::string(text(vantage))}};
    event.attrs = attrs_;
    send(at);
  }
  /// `ends` > 0: its lease.
  void alert(double at, const std::string& what, const std::string& node, const std::string& state,
             double ends = 0) {
    Event& event = begin(EventKind::Alert, "alert", node);
    attrs_ = {{"name", Value::string(text(what))}, {"state", Value::string(text(state))}};
    if (ends > 0) {
      attrs_.push_back({"ends", Value::time(instant(ends))});
    }
    event.attrs = attrs_;
    send(at);
  }
  void beat(double at, const std::string& node) {
    Event& event = begin(EventKind::Beat, "beat", node);
    attrs_ = {{"seq", Value::integer(1)}};
    event.attrs = attrs_;
    send(at);
  }

  /// Timers up to and at an instant.
  void go(double at) {
    now_ = instant(at);
    correlator_->advance(now_, next_seq(), out_);
    take();
  }
  void deaf(double from, double to) {
    go(from);
    now_ = instant(to);
    correlator_->on_deaf(instant(from), now_, next_seq(), out_);
    take();
  }
  CommandResult close(double at, const std::string& rule, const std::string& key) {
    go_before(at);
    Command command;
    command.kind = CommandKind::CloseIncident;
    command.who = "eva";
    command.incident = known_[rule + "(" + key + ")"].id;
    const CommandResult result = correlator_->on_command(command, next_seq(), now_, out_);
    take();
    return result;
  }
  CommandResult silence(double at, const std::string& what, double until) {
    go_before(at);
    Command command;
    command.kind = CommandKind::Silence;
    command.who = "eva";
    command.text = what;
    command.until = instant(until);
    const CommandResult result = correlator_->on_command(command, next_seq(), now_, out_);
    take();
    return result;
  }
  /// A new fold from a snapshot of this one; the old one is thrown away.
  void restart() {
    ByteWriter bytes;
    correlator_->save(bytes);
    const std::uint64_t hash = correlator_->state_hash();
    auto fresh = std::make_unique<Correlator>(options_);
    std::vector<IncidentChange> none;
    fresh->set_program(program_, Seq{0}, Instant{0}, none);
    fresh->set_inventory(inventory_, Seq{0}, Instant{0}, none);
    EXPECT_TRUE(none.empty());
    ByteReader reader(bytes.bytes());
    const Result<void> loaded = fresh->load(reader);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().what;
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(fresh->state_hash(), hash);
    EXPECT_EQ(fresh->next_deadline().ns, correlator_->next_deadline().ns);
    correlator_ = std::move(fresh);
  }

  /// "open", "symptom of RULE", ... as the feed knows it; "none" when it never was on it.
  std::string state(const std::string& rule, const std::string& key) const {
    const auto it = known_.find(rule + "(" + key + ")");
    return it == known_.end() ? "none" : std::string(name(it->second.state));
  }
  const Incident& last(const std::string& rule, const std::string& key) const {
    static const Incident kNone{};
    const auto it = known_.find(rule + "(" + key + ")");
    return it == known_.end() ? kNone : it->second;
  }
  /// The live incident with today's counts.
  Incident live(const std::string& rule, const std::string& key) const {
    for (const Incident& incident : correlator_->live()) {
      if (incident.rule == rule && key_of(incident) == key) {
        return incident;
      }
    }
    return {};
  }
  std::size_t count(IncidentState state) const {
    std::size_t n = 0;
    for (const Incident& incident : correlator_->live()) {
      n += incident.state == state ? 1 : 0;
    }
    return n;
  }
  /// All changes since the last call, one per line: `+20.00 open interface_down(r1, et0) due`.
  std::string said() { return std::exchange(said_, {}); }
  Correlator& fold() { return *correlator_; }
  const std::vector<IncidentChange>& all() const { return all_; }

 private:
  static Instant instant(double at) {
    return {1'000'000'000'000'000'000 + static_cast<std::int64_t>(at * 1e9 + 0.5)};
  }
  Seq next_seq() { return Seq{++seq_}; }
  std::string_view text(const std::string& s) { return batch_.arena.copy(s); }
  static std::string key_of(const Incident& incident) {
    std::string out;
    for (const std::string& part : incident.key) {
      out += (out.empty() ? "" : ", ") + part;
    }
    return out;
  }
  void go_before(double at) {
    now_ = instant(at);
    correlator_->advance_before(now_, next_seq(), out_);
    take();
  }
  Event& begin(EventKind kind, std::string_view type, const std::string& node) {
    BELFRY_CHECK(started_);
    batch_.clear();
    Event& event = batch_.events.emplace_back();
    event.kind = kind;
    event.type = type;
    event.node = text(node);
    return event;
  }
  void send(double at) {
    now_ = instant(at);
    const Seq seq = next_seq();
    correlator_->advance_before(now_, seq, out_);
    take();
    matcher_->match(batch_);
    correlator_->on_event(batch_.events[0], batch_.matches, seq, now_, out_);
    take();
  }
  void take() {
    for (IncidentChange& change : out_) {
      const Incident& after = change.after;
      const std::string name_text = after.rule + "(" + key_of(after) + ")";
      said_ += std::string(name(after.state)) + " " + name_text + " " +
               std::string(name(change.reason)) + "\n";
      EXPECT_EQ(change.nth, ++nth_[after.id]) << name_text;
      known_[name_text] = after;
      all_.push_back(change);
    }
    out_.clear();
  }
  Value cell(const ColumnSchema& column, Type type, const std::string& from) {
    const std::string& kept = texts_.emplace_back(from);
    switch (type) {
      case Type::Row:
        return Value::row(column.of, kept);
      case Type::Enum: {
        const std::vector<std::string>& words = program_->schema->enums[column.of].words;
        for (std::size_t i = 0; i < words.size(); ++i) {
          if (words[i] == kept) {
            return Value::enumerator(column.of, static_cast<std::int64_t>(i), words[i]);
          }
        }
        return Value::none();
      }
      case Type::Time:  // seconds of the timeline
        return Value::time(instant(parse_float(kept).value_or(0)));
      default:
        return Value::string(kept);
    }
  }
  std::shared_ptr<const Inventory> built() {
    InventoryBuilder builder(program_->schema);
    for (const auto& [table_name, cells] : rows_) {
      const std::uint32_t table = program_->schema->find_table(table_name);
      const std::vector<ColumnSchema>& columns = program_->schema->tables[table].columns;
      std::vector<Value> values(columns.size());
      std::deque<ValueSet> sets;
      std::deque<std::vector<Value>> items;
      for (std::size_t c = 0; c < columns.size() && c < cells.size(); ++c) {
        if (cells[c].empty()) {
          continue;
        }
        if (columns[c].is_set) {
          std::vector<Value>& list = items.emplace_back();
          for (const std::string_view word : split(cells[c], ' ')) {
            list.push_back(cell(columns[c], columns[c].type, std::string(word)));
          }
          sets.push_back({list});
          values[c].type = Type::Set;
          values[c].set = &sets.back();
        } else {
          values[c] = cell(columns[c], columns[c].type, cells[c]);
        }
      }
      builder.add_row(table, values);
    }
    for (const auto& [relation_name, xy] : pairs_) {
      const std::uint32_t relation = program_->schema->find_relation(relation_name);
      const RelationSchema& schema = program_->schema->relations[relation];
      const auto side = [&](Type type, std::uint32_t of, const std::string& s) {
        const std::string& kept = texts_.emplace_back(s);
        return type == Type::Row ? Value::row(of, kept) : Value::string(kept);
      };
      builder.add_pair(relation, side(schema.left_type, schema.left, xy.first),
                       side(schema.right_type, schema.right, xy.second));
    }
    Result<std::shared_ptr<const Inventory>> result = builder.build(++inventory_version_);
    BELFRY_CHECK(result.has_value());
    return *result;
  }

  CorrelatorOptions options_;
  std::shared_ptr<const rules::Program> program_;
  std::shared_ptr<const Inventory> inventory_;
  std::unique_ptr<Correlator> correlator_;
  std::unique_ptr<rules::Matcher> matcher_;
  std::vector<std::pair<std::string, std::vector<std::string>>> rows_;
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> pairs_;
  std::deque<std::string> texts_;
  std::vector<Attr> attrs_;
  Batch batch_;
  std::vector<IncidentChange> out_, all_;
  std::map<std::string, Incident> known_;
  std::map<IncidentId, std::uint32_t> nth_;
  std::string said_;
  Instant now_ = instant(0);
  std::uint64_t seq_ = 0, inventory_version_ = 0;
  bool started_ = false;
};

}  // namespace belfry::correlate::test
