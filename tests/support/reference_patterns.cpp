// Which keys a signal reaches, and the truth of patterns (LANGUAGE 6.5, 6.11 to 6.14).
#include <algorithm>
#include <cmath>
#include <utility>

#include "reference.hpp"

namespace belfry::testing {

using rules::AggregateKind;
using rules::CompareOp;
using rules::Index;
using rules::kNone;
using rules::Leaf;
using rules::Pattern;
using rules::PatternKind;

namespace {

/// The newest 64 times are kept; else 64 slices.
bool is_ring(const Pattern& pattern) {
  return pattern.aggregate != AggregateKind::RateEvents && pattern.threshold != nullptr &&
         pattern.threshold->kind == rules::ExprKind::Const &&
         pattern.threshold->value.is_number() && pattern.threshold->value.number() <= 64;
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

bool Reference::is_leaf(const Pattern& pattern) {
  return pattern.kind == PatternKind::Signal || pattern.kind == PatternKind::Aggregate ||
         pattern.kind == PatternKind::Missing;
}

/// A pattern or one of its parts.
bool Reference::in_tree(const Pattern* tree, const Pattern* part) {
  return tree != nullptr &&
         (tree == part || std::any_of(tree->children.begin(), tree->children.end(),
                                      [&](const Pattern* child) { return in_tree(child, part); }));
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
      touch_graph_rule(node);
      const std::set<std::string> touched = std::move(node.touched);
      node.touched.clear();
      for (const std::string& text : touched) {
        RuleKey& key = node.keys.at(text);
        evaluate_node(node, key);
        seen_.insert({&node, &key});
        if (node.rule != nullptr && node.live) {
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
  const bool has_missing =
      std::any_of(node.patterns->begin(), node.patterns->end(),
                  [](const Pattern* p) { return p->kind == PatternKind::Missing; });
  const bool allowed = node.rule == nullptr || (!unless && (key.declared || !has_missing) &&
                                                rules::holds(node.rule->where, env(key.key)));
  const bool was = key.truth;
  const bool clear_edge = cleared && !key.cleared;
  key.truth = when && allowed;
  key.cleared = cleared;
  key.started = started(key, *node.when) && allowed;
  // While `clear when` is true there is no incident to begin or to become due.
  const bool masked = node.rule != nullptr && node.rule->clear == rules::ClearKind::When && cleared;
  key.holds = key.truth && !masked;
  key.begun = key.started && !masked;
  for (NodeState& state : key.nodes) {
    state.raised = false;
  }
  drive(node, key, was, clear_edge);
}

/// A rule's signal is raised where some pattern asks for it.
bool Reference::listened(const Node& node) const {
  return node.rule == nullptr || std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& other) {
           return std::any_of(
               other.patterns->begin(), other.patterns->end(),
               [&](const Pattern* p) { return is_leaf(*p) && p->leaf.signal == node.signal; });
         });
}

/// The signal that a pattern drives follows its edges.
void Reference::drive(Node& node, RuleKey& key, bool was, bool clear_edge) {
  const std::string by = "derived";
  const bool own_clear = node.rule == nullptr && node.clear_when != nullptr;
  if (!node.live || !listened(node)) {
    return;  // in shadow nobody hears of it
  }
  if (rebuilding_ && !own_clear) {
    const auto found = signals_[node.signal].find(key.text);
    was = found != signals_[node.signal].end() && found->second.contributors.contains(by);
  }
  if (key.truth && !was) {
    raise(node.signal, key.key, by, 1);
  }
  if (own_clear) {
    if (clear_edge) {
      gone(node.signal, key.text);
    }
  } else if (!key.truth && was) {
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
      result = running_out(node, key, pattern, children[0]);
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
      result = sequence(node, key, pattern);
      break;
    case PatternKind::ThenNot:
      result = sequence_without(node, key, pattern);
      break;
    case PatternKind::Missing:
      result = missing(node, key, pattern);
      break;
  }
  state.became = result && !state.truth;
  if (state.became) {
    state.became_at = now_;
  }
  state.truth = result;
  return result;
}

/// `for`
bool Reference::running_out(const Node& node, RuleKey& key, const Pattern& pattern, bool child) {
  NodeState& state = key.nodes[pattern.id];
  if (!child) {
    state.running = false;
    return false;
  }
  const bool begins = !std::exchange(state.running, true);
  if (begins) {
    state.since = rebuilding_ ? since(key, *pattern.children[0]) : now_;
  }
  const Instant done = state.since + pattern.duration;
  arm(done, node.name, key.text);
  if (begins) {
    return rebuilding_ && up(done) <= now_.ns;
  }
  return state.truth || passed(done);
}

/// When a signal that is true now went up; of anything else we do not know.
Instant Reference::since(const RuleKey& key, const Pattern& pattern) {
  Instant first = now_;
  if (pattern.kind == PatternKind::Signal) {
    for (const auto& [text, signal] : signals_[pattern.leaf.signal]) {
      if (reaches(pattern.leaf, signal.key, key.key)) {
        first = std::min(first, signal.first);
      }
    }
  }
  return first;
}

/// An item of a sequence: a signal's newest raise, else when it last became true.
std::optional<Instant> Reference::newest(const RuleKey& key, const Pattern& item) {
  const NodeState& state = key.nodes[item.id];
  return item.kind == PatternKind::Signal ? state.newest : state.became_at;
}

/// `a then b within T`: complete at a raise of b soon enough after one of a, while b is true.
bool Reference::sequence(const Node& node, RuleKey& key, const Pattern& pattern) {
  NodeState& state = key.nodes[pattern.id];
  const std::optional<Instant> a = newest(key, *pattern.children[0]);
  const NodeState& b = key.nodes[pattern.children[1]->id];
  const bool raised = pattern.children[1]->kind == PatternKind::Signal ? b.raised : b.became;
  if (a) {
    arm(*a + pattern.duration, node.name, key.text);  // so long it may matter
  }
  if (!b.truth) {
    state.on = false;
  } else if (raised && a && now_ - *a <= pattern.duration) {
    state.on = true;
  }
  return state.on;
}

/// `a then not b within T`: T after a became true without a raise of b, until one, while a is true.
bool Reference::sequence_without(const Node& node, RuleKey& key, const Pattern& pattern) {
  NodeState& state = key.nodes[pattern.id];
  const NodeState& a = key.nodes[pattern.children[0]->id];
  const NodeState& b = key.nodes[pattern.children[1]->id];
  if (!a.truth || b.truth || b.raised) {
    state.armed = false;
    state.on = false;
  } else if (a.became) {
    state.armed = true;
    state.on = false;
    state.since = now_;
  }
  if (state.armed) {
    arm(state.since + pattern.duration, node.name, key.text);
  }
  if (state.armed && passed(state.since + pattern.duration)) {
    state.armed = false;
    state.on = true;
  }
  return state.on;
}

bool Reference::missing(const Node& node, RuleKey& key, const Pattern& pattern) {
  const NodeState& state = key.nodes[pattern.id];
  if (!key.declared || !state.newest) {
    return false;
  }
  const Instant due = *state.newest + pattern.duration;
  arm(due, node.name, key.text);
  return passed(due) || (state.truth && up(due) <= now_.ns);
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
    case PatternKind::ThenNot:
      return key.nodes[pattern.id].truth || key.nodes[pattern.id].armed;
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

bool Reference::aggregate(const Node& node, RuleKey& key, const Pattern& pattern) {
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

/// What `distinct` and `share` count of a signal key; empty = nothing.
std::string Reference::word_of(const Pattern& pattern, const Key& signal_key) {
  const rules::Expr* what =
      pattern.aggregate == AggregateKind::Share ? pattern.leaf.relation_from : pattern.distinct;
  if (pattern.kind != PatternKind::Aggregate || what == nullptr) {
    return {};
  }
  const Value value = rules::evaluate(*what, env(signal_key));
  return value.is_none() ? std::string() : to_text(value);
}

std::set<std::string> Reference::distinct_values(const RuleKey& key, const Pattern& pattern,
                                                 bool near) {
  const Leaf& leaf = pattern.leaf;
  std::set<std::string> values;
  if (pattern.aggregate == AggregateKind::DistinctValues) {
    for (const Heard& raise : key.nodes[pattern.id].heard) {
      if (raise.at > now_ - pattern.duration) {
        values.insert(raise.word);
      }
    }
  } else {
    for (const auto& [text, signal] : signals_[leaf.signal]) {
      if ((!near || signal.last > now_ - pattern.duration) && reaches(leaf, signal.key, key.key)) {
        values.insert(word_of(pattern, signal.key));
      }
    }
  }
  values.erase("");
  return values;
}

double Reference::count_events(const RuleKey& key, const Pattern& pattern) {
  const bool ring = is_ring(pattern);
  const std::int64_t width = pattern.duration.count() / 64;
  std::uint64_t n = 0;
  for (const Heard& raise : key.nodes[pattern.id].heard) {
    if (pattern.aggregate == AggregateKind::Flaps && !raise.edge) {
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
  for (const Heard& raise : key.nodes[pattern.id].heard) {
    Instant leaves = raise.at + pattern.duration;
    if (of_samples(pattern) || (counts_events(pattern) && !is_ring(pattern))) {
      leaves = {(raise.at.ns / width + 64) * width};
    }
    arm(leaves, node.name, key.text);
  }
}

bool Reference::in_window(const RuleKey& key, const Pattern& pattern) {
  if (counts_events(pattern)) {
    return count_events(key, pattern) > 0;
  }
  if (of_samples(pattern)) {
    return !std::isnan(sampled(key, pattern).second);
  }
  if (pattern.kind == PatternKind::Aggregate &&
      pattern.aggregate == AggregateKind::DistinctValues) {
    return std::any_of(key.nodes[pattern.id].heard.begin(), key.nodes[pattern.id].heard.end(),
                       [&](const Heard& raise) {
                         return raise.at > now_ - pattern.duration && !raise.word.empty();
                       });
  }
  return false;
}

// ----------------------------------------------------------------------------- which keys there
// are

/// Some active signal key reaches it through a leaf that determines the whole key.
bool Reference::pinned(const Node& node, const RuleKey& key) {
  for (const Pattern* pattern : *node.patterns) {
    if (!is_leaf(*pattern) || !exact(pattern->leaf)) {
      continue;
    }
    for (const auto& [text, signal] : signals_[pattern->leaf.signal]) {
      if (reaches(pattern->leaf, signal.key, key.key)) {
        return true;
      }
    }
  }
  return false;
}

/// It stays whatever comes.
bool Reference::busy(const Node& node, const RuleKey& key) {
  return key.started || key.life != Life::Idle || key.declared || key.blocked || pinned(node, key);
}

/// A window or a sequence may still need it.
bool Reference::remembers(const Node& node, const RuleKey& key) {
  return std::any_of(node.patterns->begin(), node.patterns->end(), [&](const Pattern* p) {
    if (p->kind == PatternKind::Then) {
      const std::optional<Instant> a = newest(key, *p->children[0]);
      return a && !passed(*a + p->duration);
    }
    return is_leaf(*p) && exact(p->leaf) && in_window(key, *p);
  });
}

void Reference::forget_idle() {
  for (const auto& [node, key] : seen_) {
    if (busy(*node, *key)) {
      key->idle_since.reset();
    } else if (remembers(*node, *key)) {
      key->idle_since = key->idle_since.value_or(round_);
    } else {
      node->keys.erase(std::string(key->text));
    }
  }
  seen_.clear();
}

}  // namespace belfry::testing
