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

constexpr std::int64_t kTick = 10'000'000;

/// LANGUAGE 6.2: deadlines are rounded up to full 10 ms.
std::int64_t up(Instant t) { return (t.ns + kTick - 1) / kTick * kTick; }

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

void leaves_of(const Pattern* pattern, std::vector<const Pattern*>& out) {
  if (pattern == nullptr) {
    return;
  }
  if (pattern->kind == PatternKind::Signal || pattern->kind == PatternKind::Aggregate) {
    out.push_back(pattern);
  }
  for (const Pattern* child : pattern->children) {
    leaves_of(child, out);
  }
}

bool is_ring(const Pattern& pattern) {
  return pattern.aggregate != AggregateKind::RateEvents && pattern.threshold != nullptr &&
         pattern.threshold->kind == rules::ExprKind::Const &&
         pattern.threshold->value.number() <= 64;
}

bool counts_events(const Pattern& pattern) {
  return pattern.kind == PatternKind::Aggregate &&
         (pattern.aggregate == AggregateKind::CountEvents ||
          pattern.aggregate == AggregateKind::RateEvents ||
          pattern.aggregate == AggregateKind::Flaps);
}

bool of_samples(const Pattern& pattern) {
  return pattern.kind == PatternKind::Aggregate && rules::of_samples(pattern.aggregate);
}

bool latches(const Pattern& pattern) {
  return pattern.duration.count() > 0 && pattern.op != CompareOp::Less &&
         pattern.op != CompareOp::LessEqual && pattern.op != CompareOp::NotEqual;
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
                     std::shared_ptr<const Inventory> inventory)
    : program_(std::move(program)), inventory_(std::move(inventory)) {
  signals_.resize(program_->signals.size());
  history_.resize(program_->signals.size());
  active_ = [this](Index signal, std::span<const Value> key) { return active(signal, key); };
  for (const Index index : program_->signal_order) {
    const rules::Signal& signal = program_->signals[index];
    if (signal.rule != kNone) {
      const rules::Rule& rule = program_->rules[signal.rule];
      if (rule.mode == rules::Mode::Live) {
        nodes_.push_back(
            {index, &rule, rule.when, rule.unless, rule.clear_when, &rule.patterns, {}, {}});
      }
    } else if (signal.raise_when != nullptr) {
      nodes_.push_back({index,
                        nullptr,
                        signal.raise_when,
                        nullptr,
                        signal.clear_when,
                        &signal.patterns,
                        {},
                        {}});
    }
  }
}

rules::Env Reference::env(std::span<const Value> vars) {
  return {.program = program_.get(),
          .inventory = inventory_.get(),
          .event = nullptr,
          .vars = vars,
          .measured = nullptr,
          .active = &active_,
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

void Reference::on_event(const Event& event, Seq seq, Instant at,
                         std::vector<IncidentChange>& out) {
  now_ = at;
  timer_round_ = false;
  round_order_ = order_;
  match(event);
  finish_round(seq, out);
}

void Reference::advance(Instant at, Seq seq, std::vector<IncidentChange>& out) {
  while (!timers_.empty() && std::get<0>(*timers_.begin()) <= at.ns) {
    const std::int64_t tick = std::get<0>(*timers_.begin());
    now_ = {tick};
    timer_round_ = true;
    round_order_ = order_;
    std::vector<std::pair<std::string, std::string>> due;
    while (!timers_.empty() && std::get<0>(*timers_.begin()) == tick) {
      due.emplace_back(std::get<1>(*timers_.begin()), std::get<2>(*timers_.begin()));
      timers_.erase(timers_.begin());
    }
    for (const auto& [name, key] : due) {
      const Index signal = program_->find_signal(name);
      const auto found = signals_[signal].find(key);
      const Duration expire = program_->signals[signal].expire;
      if (found != signals_[signal].end() && expire.count() > 0 &&
          passed(found->second.last + expire)) {
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

bool Reference::close_by_hand(IncidentId id, Seq seq, Instant at,
                              std::vector<IncidentChange>& out) {
  now_ = at;
  timer_round_ = false;
  round_order_ = order_;
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      if (node.rule == nullptr || key.id != id ||
          (key.life != Life::Open && key.life != Life::Symptom && key.life != Life::Clearing)) {
        continue;
      }
      close({&node, &key}, IncidentReason::ByHand, out);
      key.blocked = key.holds;
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
  while (!work_.empty()) {
    const IncidentRef ref = *work_.begin();
    work_.erase(work_.begin());
    seen_.insert(ref);
    run(ref, seq, out);
  }
  update_visible(out);
  forget_idle();
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
      raise(clause.signal, key, by, event.repeat, value);
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

void Reference::raise(Index signal, const Key& key, const std::string& by, std::uint64_t repeat,
                      double value) {
  const std::string text = text_of(key);
  SignalKey& state = signals_[signal][text];
  Raise raise{key, now_, repeat, state.contributors.empty(), order_++, value};
  state.key = key;
  state.last = now_;
  state.contributors.insert(by);
  const Duration expire = program_->signals[signal].expire;
  if (expire.count() > 0) {
    arm(now_ + expire, program_->signals[signal].name, text);
  }
  history_[signal].push_back(raise);
  touch(signal, key, true);
  count_raise(raise, signal);
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
    touch(signal, state.key, false);
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
    const Key key = found->second.key;
    signals_[signal].erase(found);
    touch(signal, key, false);
  }
}

void Reference::touch(Index signal, const Key& key, bool may_create) {
  for (Node& node : nodes_) {
    for (const Pattern* pattern : *node.patterns) {
      const bool leaf =
          pattern->kind == PatternKind::Signal || pattern->kind == PatternKind::Aggregate;
      if (!leaf || pattern->leaf.signal != signal || !passes(pattern->leaf, key)) {
        continue;
      }
      if (may_create && exact(pattern->leaf)) {
        for (const Key& rule_key : reached(pattern->leaf, key)) {
          RuleKey fresh;
          fresh.key = keep(rule_key);
          fresh.text = text_of(rule_key);
          fresh.born = round_order_;
          fresh.nodes.resize(node.patterns->size());
          node.keys.emplace(fresh.text, fresh);
        }
      }
      for (const auto& [text, rule_key] : node.keys) {
        if (reaches(pattern->leaf, key, rule_key.key)) {
          node.touched.insert(text);
        }
      }
    }
  }
}

void Reference::count_raise(const Raise& raise, Index signal) {
  for (Node& node : nodes_) {
    std::vector<const Pattern*> leaves;
    leaves_of(node.when, leaves);
    for (auto& [text, key] : node.keys) {
      const bool any = std::any_of(leaves.begin(), leaves.end(), [&](const Pattern* p) {
        return p->leaf.signal == signal && reaches(p->leaf, raise.key, key.key);
      });
      if (any && program_->signals[signal].measure) {
        key.last_sample = now_;
      } else if (any) {
        key.count += raise.repeat;
        key.flaps += raise.edge ? 1 : 0;
        key.last_raise = now_;
      }
    }
  }
}

// ----------------------------------------------------------------------------------------- reach

bool Reference::passes(const Leaf& leaf, const Key& key) {
  return std::all_of(leaf.filters.begin(), leaf.filters.end(),
                     [&](const rules::Expr* filter) { return rules::holds(filter, env(key)); });
}

bool Reference::exact(const Leaf& leaf) const {
  for (std::size_t i = 0; i < leaf.key.size(); ++i) {
    if (leaf.key[i] == nullptr && !(leaf.relation != kNone && leaf.relation_key == i)) {
      return false;
    }
  }
  return true;
}

std::vector<Reference::Key> Reference::reached(const Leaf& leaf, const Key& key) {
  std::vector<Key> out(1);
  for (std::size_t i = 0; i < leaf.key.size(); ++i) {
    std::vector<Value> parts;
    if (leaf.key[i] != nullptr) {
      parts.push_back(rules::evaluate(*leaf.key[i], env(key)));
    } else {
      const Value from = rules::evaluate(*leaf.relation_from, env(key));
      const auto range = leaf.relation_reversed ? inventory_->backward(leaf.relation, from)
                                                : inventory_->forward(leaf.relation, from);
      parts.assign(range.begin(), range.end());
    }
    std::vector<Key> next;
    for (const Key& head : out) {
      for (const Value& part : parts) {
        if (!part.is_none()) {
          next.push_back(head);
          next.back().push_back(part);
        }
      }
    }
    out = next;
  }
  return out;
}

bool Reference::reaches(const Leaf& leaf, const Key& key, const Key& rule_key) {
  if (!passes(leaf, key)) {
    return false;
  }
  for (std::size_t i = 0; i < leaf.key.size(); ++i) {
    if (leaf.key[i] != nullptr) {
      if (!(rules::evaluate(*leaf.key[i], env(key)) == rule_key[i])) {
        return false;
      }
    } else if (leaf.relation != kNone && leaf.relation_key == i) {
      const Value from = rules::evaluate(*leaf.relation_from, env(key));
      if (!(leaf.relation_reversed ? inventory_->related(leaf.relation, rule_key[i], from)
                                   : inventory_->related(leaf.relation, from, rule_key[i]))) {
        return false;
      }
    }
  }
  return true;
}

// -------------------------------------------------------------------------------------- patterns

void Reference::propagate() {
  for (const Index signal : program_->signal_order) {
    for (Node& node : nodes_) {
      if (node.signal != signal) {
        continue;
      }
      const std::set<std::string> touched = std::move(node.touched);
      node.touched.clear();
      for (const std::string& text : touched) {
        RuleKey& key = node.keys.at(text);
        evaluate_node(node, key);
        seen_.insert({&node, &key});
        if (node.rule != nullptr) {
          work_.insert({&node, &key});
        }
      }
    }
  }
}

void Reference::evaluate_node(Node& node, RuleKey& key) {
  const bool when = truth(node, key, *node.when);
  const bool unless = node.unless != nullptr && truth(node, key, *node.unless);
  const bool cleared = node.clear_when != nullptr && truth(node, key, *node.clear_when);
  const bool where = node.rule == nullptr || rules::holds(node.rule->where, env(key.key));
  const bool is = when && where && !unless;
  const bool was = key.truth;
  const bool clear_edge = cleared && !key.cleared;
  key.truth = is;
  key.cleared = cleared;
  key.started = started(key, *node.when) && where && !unless;
  // While `clear when` is true there is no incident to begin or to become due.
  const bool masked = node.rule != nullptr && node.rule->clear == rules::ClearKind::When && cleared;
  key.holds = key.truth && !masked;
  key.begun = key.started && !masked;
  const std::string by = "derived";
  if (is && !was) {
    raise(node.signal, key.key, by, 1);
  }
  if (node.rule == nullptr && node.clear_when != nullptr) {
    if (clear_edge) {
      gone(node.signal, key.text);
    }
  } else if (!is && was) {
    clear(node.signal, key.key, by);
  }
}

bool Reference::truth(Node& node, RuleKey& key, const Pattern& pattern) {
  std::vector<bool> children;
  for (const Pattern* child : pattern.children) {
    children.push_back(truth(node, key, *child));
  }
  NodeState& state = key.nodes[pattern.id];
  bool result = false;
  switch (pattern.kind) {
    case PatternKind::Signal:
      for (const auto& [text, signal] : signals_[pattern.leaf.signal]) {
        result = result || reaches(pattern.leaf, signal.key, key.key);
      }
      break;
    case PatternKind::For:
      if (!children[0]) {
        state.running = false;
      } else if (!state.running) {
        state.running = true;
        state.since = now_;
        arm(now_ + pattern.duration, program_->signals[node.signal].name, key.text);
      } else {
        result = state.truth || passed(state.since + pattern.duration);
      }
      break;
    case PatternKind::And:
      result = std::find(children.begin(), children.end(), false) == children.end();
      break;
    case PatternKind::Or:
      result = std::find(children.begin(), children.end(), true) != children.end();
      break;
    case PatternKind::Not:
      result = !children[0];
      break;
    case PatternKind::Aggregate:
      result = aggregate(node, key, pattern);
      break;
    case PatternKind::Then:
    case PatternKind::ThenNot:
    case PatternKind::Missing:
      break;  // not in the reference
  }
  state.truth = result;
  return result;
}

bool Reference::started(RuleKey& key, const Pattern& pattern) const {
  switch (pattern.kind) {
    case PatternKind::For:
      return started(key, *pattern.children[0]);
    case PatternKind::And:
      return std::all_of(pattern.children.begin(), pattern.children.end(),
                         [&](const Pattern* child) { return started(key, *child); });
    case PatternKind::Or:
      return std::any_of(pattern.children.begin(), pattern.children.end(),
                         [&](const Pattern* child) { return started(key, *child); });
    default:
      return key.nodes[pattern.id].truth;
  }
}

Duration Reference::delay(const RuleKey& key, const Pattern& pattern) const {
  Duration result{0};
  bool first = true;
  switch (pattern.kind) {
    case PatternKind::For:
      return pattern.duration + delay(key, *pattern.children[0]);
    case PatternKind::And:
      for (const Pattern* child : pattern.children) {
        result = std::max(result, delay(key, *child));
      }
      return result;
    case PatternKind::Or:
      for (const Pattern* child : pattern.children) {
        if (key.nodes[child->id].truth) {
          const Duration d = delay(key, *child);
          result = first ? d : std::min(result, d);
          first = false;
        }
      }
      return result;
    default:
      return result;
  }
}

bool Reference::aggregate(Node& node, RuleKey& key, const Pattern& pattern) {
  arm_window(node, key, pattern);
  const Value threshold = rules::evaluate(*pattern.threshold, env(key.key));
  const bool seconds = threshold.type == Type::Duration;
  if (!threshold.is_number() && !seconds) {
    return false;
  }
  const double limit = seconds ? static_cast<double>(threshold.i) / 1e9 : threshold.number();
  const auto compare = [&](double value) {
    return !std::isnan(value) && rules::compare_number(pattern.op, value, limit);
  };
  if (of_samples(pattern)) {
    return compare(sampled(key, pattern).first);
  }
  if (counts_events(pattern) || pattern.aggregate == AggregateKind::DistinctValues) {
    return compare(measure(key, pattern, false));
  }
  NodeState& state = key.nodes[pattern.id];
  bool result = compare(measure(key, pattern, false));
  if (latches(pattern)) {
    result = result && (state.latched || compare(measure(key, pattern, true)));
    state.latched = result;
  }
  return result;
}

double Reference::measure(const RuleKey& key, const Pattern& pattern, bool near) {
  const Leaf& leaf = pattern.leaf;
  if (pattern.aggregate == AggregateKind::RateEvents) {
    return count_events(key, pattern) / (static_cast<double>(pattern.duration.count()) / 1e9);
  }
  if (counts_events(pattern)) {
    return count_events(key, pattern);
  }
  if (pattern.aggregate == AggregateKind::CountKeys) {
    double n = 0;
    for (const auto& [text, signal] : signals_[leaf.signal]) {
      const bool in = !near || signal.last > now_ - pattern.duration;
      n += in && reaches(leaf, signal.key, key.key) ? 1 : 0;
    }
    return n;
  }
  const auto n = static_cast<double>(distinct_values(key, pattern, near).size());
  if (pattern.aggregate != AggregateKind::Share) {
    return n;
  }
  const Value& other = key.key[leaf.relation_key];
  const std::size_t population =
      (leaf.relation_reversed ? inventory_->forward(leaf.relation, other)
                              : inventory_->backward(leaf.relation, other))
          .size();
  return population == 0 ? 0 : n / static_cast<double>(population);
}

std::set<std::string> Reference::distinct_values(const RuleKey& key, const Pattern& pattern,
                                                 bool near) {
  const Leaf& leaf = pattern.leaf;
  std::set<std::string> values;
  const auto add = [&](const Key& signal_key) {
    const rules::Expr* what =
        pattern.aggregate == AggregateKind::Share ? leaf.relation_from : pattern.distinct;
    const Value value = rules::evaluate(*what, env(signal_key));
    if (!value.is_none()) {
      values.insert(to_text(value));
    }
  };
  if (pattern.aggregate == AggregateKind::DistinctValues) {
    for (const Raise& raise : history_[leaf.signal]) {
      if (raise.order >= key.born && raise.at > now_ - pattern.duration &&
          reaches(leaf, raise.key, key.key)) {
        add(raise.key);
      }
    }
    return values;
  }
  for (const auto& [text, signal] : signals_[leaf.signal]) {
    if ((!near || signal.last > now_ - pattern.duration) && reaches(leaf, signal.key, key.key)) {
      add(signal.key);
    }
  }
  return values;
}

double Reference::count_events(const RuleKey& key, const Pattern& pattern) {
  const bool ring = is_ring(pattern);
  const std::int64_t width = pattern.duration.count() / 64;
  std::uint64_t n = 0;
  for (const Raise& raise : history_[pattern.leaf.signal]) {
    if (raise.order < key.born || !reaches(pattern.leaf, raise.key, key.key) ||
        (pattern.aggregate == AggregateKind::Flaps && !raise.edge)) {
      continue;
    }
    const bool in =
        ring ? raise.at > now_ - pattern.duration : raise.at.ns / width > now_.ns / width - 64;
    n += in ? (pattern.aggregate == AggregateKind::Flaps ? 1 : raise.repeat) : 0;
  }
  return static_cast<double>(ring ? std::min<std::uint64_t>(n, 64) : n);
}

/// A timer for every entry that will leave the window: more than needed, never fewer.
void Reference::arm_window(const Node& node, const RuleKey& key, const Pattern& pattern) {
  if (pattern.duration.count() <= 0) {
    return;
  }
  const std::int64_t width = pattern.duration.count() / 64;
  for (const Raise& raise : history_[pattern.leaf.signal]) {
    if (raise.order < key.born) {
      continue;
    }
    Instant leaves = raise.at + pattern.duration;
    if (of_samples(pattern) || (counts_events(pattern) && !is_ring(pattern))) {
      leaves = {(raise.at.ns / width + 64) * width};
    }
    arm(leaves, program_->signals[node.signal].name, key.text);
  }
}

bool Reference::in_window(const RuleKey& key, const Pattern& pattern) {
  if (counts_events(pattern)) {
    return count_events(key, pattern) > 0;
  }
  if (of_samples(pattern)) {
    return !std::isnan(sampled(key, pattern).second);
  }
  return pattern.kind == PatternKind::Aggregate &&
         pattern.aggregate == AggregateKind::DistinctValues &&
         !distinct_values(key, pattern, false).empty();
}

bool Reference::exists(const Node& node, const RuleKey& key) {
  if (key.truth || key.life != Life::Idle) {
    return true;
  }
  for (const Pattern* pattern : *node.patterns) {
    const bool leaf =
        pattern->kind == PatternKind::Signal || pattern->kind == PatternKind::Aggregate;
    if (!leaf || !exact(pattern->leaf)) {
      continue;
    }
    if (in_window(key, *pattern)) {
      return true;
    }
    for (const auto& [text, signal] : signals_[pattern->leaf.signal]) {
      if (reaches(pattern->leaf, signal.key, key.key)) {
        return true;
      }
    }
  }
  return false;
}

void Reference::forget_idle() {
  for (const auto& [node, key] : seen_) {
    if (!exists(*node, *key)) {
      node->keys.erase(std::string(key->text));
    }
  }
  seen_.clear();
}

}  // namespace belfry::testing
