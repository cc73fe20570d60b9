#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/model/oid.hpp"

namespace belfry::testing {

using rules::AggregateKind;
using rules::Clause;
using rules::ClauseKind;
using rules::CompareOp;
using rules::Index;
using rules::kNone;
using rules::Leaf;
using rules::Pattern;
using rules::PatternKind;

namespace {

std::string text_of(const std::vector<Value>& key) { return key_text(key); }

bool nothing_left(std::string_view text) {
  const auto blanks = [&] {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\0')) {
      text.remove_prefix(1);
    }
  };
  blanks();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    blanks();
  }
  return text.empty();
}

/// Tries every way to cut `text` along the template, shortest holes first.
bool cut(const Clause& clause, std::size_t part, std::string_view text,
         std::vector<std::string_view>& holes) {
  if (part == clause.head_template.size()) {
    return nothing_left(text);
  }
  const rules::TemplatePart& p = clause.head_template[part];
  if (!p.literal.empty()) {
    return text.starts_with(p.literal) &&
           cut(clause, part + 1, text.substr(p.literal.size()), holes);
  }
  const bool one_word = p.hole != kNone && part + 1 < clause.head_template.size() &&
                        clause.head_template[part + 1].literal.starts_with(' ');
  for (std::size_t n = p.hole == kNone ? 0 : 1; n <= text.size(); ++n) {
    if (one_word && text[n - 1] == ' ') {
      return false;
    }
    if (p.hole != kNone) {
      holes[p.hole] = text.substr(0, n);
    }
    if (cut(clause, part + 1, text.substr(n), holes)) {
      return true;
    }
  }
  return false;
}

/// A template that begins with a vendor's tag begins where the `%` stands, others at the front or
/// behind the tag.
bool matches_head(const Clause& clause, std::string_view text,
                  std::vector<std::string_view>& holes) {
  const bool tagged = clause.head_template[0].literal.starts_with('%');
  if (!tagged && cut(clause, 0, text, holes)) {
    return true;
  }
  const std::size_t percent = text.find('%');
  if (percent == std::string_view::npos) {
    return false;
  }
  if (tagged) {
    return cut(clause, 0, text.substr(percent), holes);
  }
  const std::size_t end = text.find(": ", percent);
  return end != std::string_view::npos && cut(clause, 0, text.substr(end + 2), holes);
}

std::string_view head_text(const Clause& clause, const Event& event) {
  switch (clause.head) {
    case rules::EventField::Msg:
      return event.message;
    case rules::EventField::Tag:
      return event.tag;
    case rules::EventField::Node:
      return event.node;
    case rules::EventField::Attr:
      for (const Attr& attr : event.attrs) {
        if (attr.name == clause.head_attr) {
          return attr.value.text;
        }
      }
      return {};
    default:
      return {};
  }
}

}  // namespace

bool Reference::ByDepth::operator()(const IncidentRef& a, const IncidentRef& b) const {
  const auto place = [](const IncidentRef& ref) {
    const rules::Rule* rule = ref.first->rule;
    return std::tuple(rule == nullptr ? 0U : rule->cause_depth,
                      rule == nullptr ? std::string_view() : std::string_view(rule->name),
                      ref.first->signal, std::string_view(ref.second->text));
  };
  return place(a) < place(b);
}

Reference::Reference(std::shared_ptr<const rules::Program> program,
                     std::shared_ptr<const Inventory> inventory, Instant start)
    : program_(std::move(program)), inventory_(std::move(inventory)), now_(start) {
  signals_.resize(program_->signals.size());
  active_ = [this](Index signal, std::span<const Value> key) { return active(signal, key); };
  ask_graph_ = [this](rules::ExprKind what, Index graph, const Value& x, const Value& y) {
    return ask_graph(what, graph, x, y);
  };
  make_nodes();
}

void Reference::start(std::vector<IncidentChange>& out) {
  declare_rows();
  finish_round(Seq{0}, out);
}

/// Rules and derived signals, contributors first. A rule in shadow has patterns and no incidents.
void Reference::make_nodes() {
  for (const Index index : program_->signal_order) {
    const rules::Signal& signal = program_->signals[index];
    Node node;
    node.signal = index;
    node.name = signal.name;
    if (signal.rule != kNone) {
      const rules::Rule& rule = program_->rules[signal.rule];
      node.rule = &rule;
      node.live = rule.mode == rules::Mode::Live;
      node.params = &rule.key;
      node.when = rule.when;
      node.unless = rule.unless;
      node.clear_when = rule.clear_when;
      node.patterns = &rule.patterns;
      node.limit = rule.limit;
      if (rule.mode == rules::Mode::Off) {
        continue;
      }
    } else if (signal.raise_when != nullptr) {
      node.params = &signal.params;
      node.when = signal.raise_when;
      node.clear_when = signal.clear_when;
      node.patterns = &signal.patterns;
      node.limit = signal.limit;
    } else {
      continue;
    }
    nodes_.push_back(std::move(node));
  }
}

rules::Env Reference::env(std::span<const Value> vars) {
  return {.program = program_.get(),
          .inventory = inventory_.get(),
          .event = nullptr,
          .vars = vars,
          .measured = nullptr,
          .active = &active_,
          .graph = &ask_graph_,
          .arena = &arena_};
}

Value Reference::keep(const Value& value) {
  Value copy = value;
  copy.text = arena_.copy(value.text);
  return copy;
}

Reference::Key Reference::keep(const Key& key) {
  Key copy;
  for (const Value& value : key) {
    copy.push_back(keep(value));
  }
  return copy;
}

bool Reference::active(Index signal, std::span<const Value> key) const {
  return signals_[signal].contains(key_text(key));
}

bool Reference::passed(Instant deadline) const {
  return timer_round_ ? now_.ns >= up(deadline) : now_.ns > up(deadline);
}

void Reference::arm(Instant deadline, const std::string& name, const std::string& key) {
  if (!passed(deadline)) {
    timers_.emplace(up(deadline), name, key);
  }
}

Instant Reference::next_deadline() const {
  return timers_.empty() ? kNever : Instant{std::get<0>(*timers_.begin())};
}

// ---------------------------------------------------------------------------------------- inputs

void Reference::begin_round(Instant at, bool timers) {
  now_ = at;
  timer_round_ = timers;
  ++round_;
}

void Reference::on_event(const Event& event, Seq seq, Instant at,
                         std::vector<IncidentChange>& out) {
  begin_round(at, false);
  match(event);
  finish_round(seq, out);
}

void Reference::advance(Instant at, Seq seq, std::vector<IncidentChange>& out) {
  while (!timers_.empty() && std::get<0>(*timers_.begin()) <= at.ns) {
    const std::int64_t tick = std::get<0>(*timers_.begin());
    begin_round({tick}, true);
    std::vector<std::pair<std::string, std::string>> due;
    while (!timers_.empty() && std::get<0>(*timers_.begin()) == tick) {
      due.emplace_back(std::get<1>(*timers_.begin()), std::get<2>(*timers_.begin()));
      timers_.erase(timers_.begin());
    }
    for (const auto& [name, key] : due) {
      const Index signal = program_->find_signal(name);
      if (signal >= signals_.size()) {
        continue;  // of a rule that is gone
      }
      const auto found = signals_[signal].find(key);
      if (found != signals_[signal].end() && found->second.expires &&
          passed(*found->second.expires)) {
        gone(signal, key);
      }
      for (Node& node : nodes_) {
        if (node.signal == signal && node.keys.contains(key)) {
          node.touched.insert(key);
        }
      }
    }
    finish_round(seq, out);
  }
}

/// While nobody listened nothing fell silent: `expire` and `missing` begin anew at `to`.
void Reference::deaf(Instant from, Instant to, Seq seq, std::vector<IncidentChange>& out) {
  advance(from, seq, out);
  for (Index signal = 0; signal < signals_.size(); ++signal) {
    for (auto& [text, key] : signals_[signal]) {
      if (key.expires) {
        key.expires = to + expire_of(signal, key);
        arm(*key.expires, program_->signals[signal].name, text);
      }
    }
  }
  for (Node& node : nodes_) {
    for (const Pattern* pattern : *node.patterns) {
      for (auto& [text, key] : node.keys) {
        NodeState& state = key.nodes[pattern->id];
        if (pattern->kind == PatternKind::Missing && !state.truth && state.newest) {
          state.newest = std::max(*state.newest, to);
          arm(*state.newest + pattern->duration, node.name, text);
        }
      }
    }
  }
  advance(to - Duration(1), seq, out);
  begin_round(to, false);
  finish_round(seq, out);
}

bool Reference::close_by_hand(IncidentId id, Seq seq, Instant at,
                              std::vector<IncidentChange>& out) {
  begin_round(at, false);
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      if (node.rule == nullptr || key.id != id ||
          (key.life != Life::Open && key.life != Life::Symptom && key.life != Life::Clearing)) {
        continue;
      }
      close({&node, &key}, IncidentReason::ByHand, out);
      push_symptoms({&node, &key});
      work_.insert({&node, &key});
      finish_round(seq, out);
      return true;
    }
  }
  return false;
}

void Reference::finish_round(Seq seq, std::vector<IncidentChange>& out) {
  propagate();
  work_after_graphs();
  while (!work_.empty()) {
    const IncidentRef ref = *work_.begin();
    work_.erase(work_.begin());
    seen_.insert(ref);
    run(ref, seq, out);
  }
  update_visible(out);
  forget_idle();
  tell_overflow(seq, out);
}

// ----------------------------------------------------------------------------------------- facts

void Reference::match(const Event& event) {
  for (std::size_t i = 0; i < program_->clauses.size(); ++i) {
    const Clause& clause = program_->clauses[i];
    Key key;
    std::string by;
    double value = 0;
    if (!clause_matches(clause, event, key, by, value)) {
      continue;
    }
    if (clause.kind != ClauseKind::Clear) {
      leased_ = kNoLease;
      for (const Attr& attr : event.attrs) {
        if (event.kind == EventKind::Alert && attr.name == "ends" &&
            attr.value.type == Type::Time) {
          leased_ = std::max(Instant{attr.value.i} - now_, Duration{0});
        }
      }
      raise(clause.signal, key, by, event.repeat, value);
      leased_ = kNoLease;
    } else {
      clear(clause.signal, key, by);
    }
  }
}

bool Reference::clause_matches(const Clause& clause, const Event& event, Key& key, std::string& by,
                               double& number) {
  if (clause.event_type != event.type) {
    return false;
  }
  if (!clause.oid.empty() && clause.oid != event.trap_oid) {
    return false;
  }
  std::vector<std::string_view> texts(clause.holes.size());
  if (!clause.head_template.empty() && !matches_head(clause, head_text(clause, event), texts)) {
    return false;
  }
  Key holes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Value value = Value::of_text(clause.holes[i].type, texts[i]);
    value.aux = clause.holes[i].of;
    holes.push_back(value);
  }
  rules::Env e = env(holes);
  e.event = &event;
  if (!rules::holds(clause.where, e)) {
    return false;
  }
  for (const rules::Expr* part : clause.key) {
    key.push_back(part == nullptr ? Value::none() : keep(rules::evaluate(*part, e)));
    if (key.back().is_none() && !clause.clear_all) {
      return false;  // a key with a missing part is no key
    }
  }
  if (clause.kind == ClauseKind::Sample) {
    const Value read = rules::evaluate(*clause.value, e);
    if (!read.is_number() || !(std::abs(read.number()) <= 1e30)) {
      return false;
    }
    number = read.number() == 0 ? 0 : read.number();
  }
  if (clause.per_vantage && clause.per != nullptr) {
    by = "v:" + to_text(rules::evaluate(*clause.per, e));
  } else {
    by = "plain";
  }
  return true;
}

/// Until the last raise is no more: by the signal's `expire`, or by the alert's own lease.
Duration Reference::expire_of(Index signal, const SignalKey& key) const {
  const Duration clause = program_->signals[signal].expire;
  return clause.count() > 0 ? std::min(clause, key.lease) : key.lease;
}

void Reference::raise(Index signal, const Key& key, const std::string& by, std::uint64_t repeat,
                      double value) {
  const std::string text = text_of(key);
  const bool edge = !signals_[signal].contains(text);
  if (edge && signals_[signal].size() >= program_->signals[signal].limit) {
    refuse(program_->signals[signal].name);
    return;
  }
  SignalKey& state = signals_[signal][text];
  state.key = key;
  state.last = now_;
  state.count += repeat;
  state.contributors.insert(by);
  state.lease = leased_;
  state.expires.reset();
  if (const Duration expire = expire_of(signal, state); expire != kNoLease) {
    state.expires = now_ + expire;
    arm(*state.expires, program_->signals[signal].name, text);
  }
  if (edge) {
    state.first = now_;
    make_keys(signal, state);
  }
  hear(signal, state, {now_, repeat, edge, value, {}});
}

void Reference::clear(Index signal, const Key& key, const std::string& by) {
  std::vector<std::string> cleared;
  for (auto& [text, state] : signals_[signal]) {
    bool same = true;
    for (std::size_t i = 0; i < key.size(); ++i) {
      same = same && (key[i].is_none() || key[i] == state.key[i]);
    }
    if (!same) {
      continue;
    }
    if (by == "plain") {
      state.contributors.clear();
    } else {
      state.contributors.erase(by);
    }
    touch(signal, state);
    if (state.contributors.empty()) {
      cleared.push_back(text);
    }
  }
  for (const std::string& text : cleared) {
    gone(signal, text);
  }
}

void Reference::gone(Index signal, const std::string& text) {
  const auto found = signals_[signal].find(text);
  if (found != signals_[signal].end()) {
    touch(signal, found->second);
    signals_[signal].erase(found);
  }
}

/// Every rule key that it reaches looks again.
void Reference::touch(Index signal, const SignalKey& key) {
  for (Node& node : nodes_) {
    for (const Pattern* pattern : *node.patterns) {
      for (const auto& [text, rule_key] : node.keys) {
        if (is_leaf(*pattern) && pattern->leaf.signal == signal &&
            reaches(pattern->leaf, key.key, rule_key.key)) {
          node.touched.insert(text);
        }
      }
    }
  }
}

/// A signal key that goes up makes the rule keys that its leaves determine. (Those of `missing` are
/// made by the inventory.)
void Reference::make_keys(Index signal, const SignalKey& key) {
  for (Node& node : nodes_) {
    for (const Pattern* pattern : *node.patterns) {
      if (!is_leaf(*pattern) || pattern->kind == PatternKind::Missing ||
          pattern->leaf.signal != signal || !passes(pattern->leaf, key.key) ||
          !exact(pattern->leaf)) {
        continue;
      }
      for (const Key& rule_key : reached(pattern->leaf, key.key)) {
        if (!node.keys.contains(text_of(rule_key))) {
          add_key(node, rule_key);
        }
      }
    }
  }
}

/// Null when the rule is full.
Reference::RuleKey* Reference::add_key(Node& node, const Key& key) {
  if (node.keys.size() >= node.limit && !make_room(node)) {
    if (node.live) {
      refuse(node.name);
    }
    return nullptr;
  }
  RuleKey fresh;
  fresh.key = keep(key);
  fresh.text = text_of(key);
  fresh.nodes.resize(node.patterns->size());
  RuleKey& made = node.keys.emplace(fresh.text, fresh).first->second;
  meet(node, made);
  node.touched.insert(made.text);
  return &made;
}

/// A new key knows when the signals that reach it were last raised; it has counted none of that.
void Reference::meet(Node& node, RuleKey& key) {
  for (const Pattern* pattern : *node.patterns) {
    if (pattern->kind != PatternKind::Signal) {
      continue;
    }
    std::optional<Instant>& newest = key.nodes[pattern->id].newest;
    for (const auto& [text, signal] : signals_[pattern->leaf.signal]) {
      if (reaches(pattern->leaf, signal.key, key.key)) {
        newest = newest ? std::max(*newest, signal.last) : signal.last;
      }
    }
  }
}

void Reference::refuse(const std::string& name) {
  ++overflows_[name].refused;
  overflows_[name].changed = true;
}

/// Evicts the key that has been idle for longest, by round and key text.
bool Reference::make_room(Node& node) {
  const RuleKey* victim = nullptr;
  for (const auto& [text, key] : node.keys) {
    if (key.idle_since && !busy(node, key) &&
        (victim == nullptr || *key.idle_since < *victim->idle_since)) {
      victim = &key;
    }
  }
  if (victim == nullptr) {
    return false;
  }
  node.touched.erase(victim->text);
  node.keys.erase(std::string(victim->text));
  return true;
}

/// Every leaf that is reached remembers the raise; the incident counts it once.
void Reference::hear(Index signal, const SignalKey& from, const Heard& raise) {
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      bool counts = false;
      for (const Pattern* pattern : *node.patterns) {
        if (!is_leaf(*pattern) || pattern->leaf.signal != signal ||
            !reaches(pattern->leaf, from.key, key.key)) {
          continue;
        }
        NodeState& state = key.nodes[pattern->id];
        state.heard.push_back(raise);
        state.heard.back().word = word_of(*pattern, from.key);
        state.newest = now_;
        state.raised = pattern->kind == PatternKind::Signal;
        key.idle_since.reset();
        node.touched.insert(text);
        counts = counts || in_tree(node.when, pattern);
      }
      if (counts && program_->signals[signal].measure) {
        key.last_sample = now_;
      } else if (counts) {
        key.count += raise.repeat;
        key.flaps += raise.edge ? 1 : 0;
        key.last_raise = now_;
      }
    }
  }
}

/// One incident for each rule or signal that was full, until a tenth of its places is free again.
void Reference::tell_overflow(Seq seq, std::vector<IncidentChange>& out) {
  for (const rules::Signal& signal : program_->signals) {
    const auto found = overflows_.find(signal.name);
    if (found == overflows_.end()) {
      continue;
    }
    Overflow& full = found->second;
    std::uint64_t limit = signal.limit;
    std::size_t size = signals_[program_->find_signal(signal.name)].size();
    for (const Node& node : nodes_) {
      if (node.name == signal.name) {
        limit = node.limit;
        size = node.keys.size();
      }
    }
    IncidentChange change;
    if (!full.shown && full.changed) {
      full.nth = 0;
      Incident& i = change.after;
      i.rule = signal.name;
      i.key = {"(overflow)"};
      i.id = make_id(signal.name, "(overflow)", now_, seq);
      i.state = IncidentState::Open;
      i.severity = Severity::Major;
      const bool is_rule = signal.rule != rules::kNone;
      const rules::Place& place = is_rule ? program_->rules[signal.rule].place : signal.place;
      i.title = (is_rule ? "rule " : "signal ") + signal.name + " (" + program_->files[place.file] +
                ":" + std::to_string(place.line) + "): more than " + std::to_string(limit) +
                " keys, further ones are not followed";
    } else if (full.shown && !full.changed && size * 10 <= limit * 9) {
      change.after = *full.shown;
      change.after.state = IncidentState::Closed;
    } else {
      full.changed = false;
      continue;
    }
    full.changed = false;
    change.after.count = full.refused;
    change.reason = IncidentReason::Overflow;
    change.nth = ++full.nth;
    full.shown.reset();
    if (change.after.state == IncidentState::Open) {
      full.shown = change.after;
    } else {
      full.refused = 0;
    }
    out.push_back(change);
  }
}

}  // namespace belfry::testing
