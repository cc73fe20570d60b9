// New rules and a new inventory (LANGUAGE 6.14, 6.18, 6.19; SEMANTICS, Versions).
#include <algorithm>
#include <tuple>
#include <utility>

#include "reference.hpp"

namespace belfry::testing {

using rules::AggregateKind;
using rules::Index;
using rules::kNone;
using rules::Pattern;
using rules::PatternKind;

namespace {

/// The parts of all patterns in the order that places them: when, unless, clear when, each before
/// what it is made of.
void list(const Pattern* pattern, int tree, std::vector<std::pair<int, const Pattern*>>& out) {
  if (pattern != nullptr) {
    out.emplace_back(tree, pattern);
    for (const Pattern* child : pattern->children) {
      list(child, tree, out);
    }
  }
}

enum class Memory { None, Ring, Slices, Values, Samples };

Memory memory_of(const Pattern& p) {
  if (p.kind != PatternKind::Aggregate) {
    return Memory::None;
  }
  if (rules::of_samples(p.aggregate)) {
    return Memory::Samples;
  }
  switch (p.aggregate) {
    case AggregateKind::DistinctValues:
      return Memory::Values;
    case AggregateKind::RateEvents:
      return Memory::Slices;
    case AggregateKind::CountEvents:
    case AggregateKind::Flaps:
      return p.threshold->kind == rules::ExprKind::Const && p.threshold->value.is_number() &&
                     p.threshold->value.number() <= 64
                 ? Memory::Ring
                 : Memory::Slices;
    default:
      return Memory::None;
  }
}

/// What it remembers means the same under another program. A ring holds times whatever the window.
auto identity(int tree, const Pattern& p, const rules::Program& of) {
  const bool leaf = p.kind == PatternKind::Signal || p.kind == PatternKind::Aggregate ||
                    p.kind == PatternKind::Missing;
  const Memory memory = memory_of(p);
  return std::tuple(p.kind, tree, memory, leaf ? of.signals[p.leaf.signal].name : std::string(),
                    leaf ? p.aggregate : AggregateKind::CountEvents, leaf ? p.reach : 0,
                    memory == Memory::Ring ? Duration{0} : p.duration);
}

}  // namespace

void Reference::set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                            std::vector<IncidentChange>& out) {
  if (program->hash == program_->hash) {
    return;  // the same texts are no version
  }
  begin_round(at, false);
  std::vector<std::string> old_names;
  for (const rules::Signal& signal : program_->signals) {
    old_names.push_back(signal.name);
  }
  std::vector<Node> old = std::move(nodes_);
  auto old_signals = std::move(signals_);
  const std::shared_ptr<const rules::Program> before = std::move(program_);
  program_ = std::move(program);
  nodes_.clear();
  signals_.assign(program_->signals.size(), {});
  make_nodes();
  take_signals(old_names, old_signals);
  for (Node& node : nodes_) {
    for (Node& from : old) {
      const bool renamed = node.rule != nullptr && node.rule->was == from.name &&
                           program_->find_signal(from.name) >= program_->signals.size();
      if ((from.name == node.name || renamed) && from.params->size() == node.params->size()) {
        take_node(node, from, *before);
        from.live = from.live && !node.live;  // its incidents live on
      }
    }
  }
  close_orphans(old, out);
  rebuilding_ = true;
  reach_anew();
  declare_rows();
  look_again();
  finish_round(seq, out);
  rebuilding_ = false;
}

/// Signals by name, a rule also by the name that it had. What no longer raises is taken out.
void Reference::take_signals(const std::vector<std::string>& old_names,
                             std::vector<std::map<std::string, SignalKey>>& old_signals) {
  for (std::size_t i = 0; i < old_names.size(); ++i) {
    Index index = program_->find_signal(old_names[i]);
    for (const rules::Rule& rule : program_->rules) {
      if (index >= signals_.size() && rule.was == old_names[i]) {
        index = rule.signal;
      }
    }
    if (index >= signals_.size()) {
      continue;
    }
    const rules::Signal& signal = program_->signals[index];
    const std::size_t parts =
        signal.rule == kNone ? signal.params.size() : program_->rules[signal.rule].key.size();
    const bool derives = std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
      return node.signal == index && node.live && listened(node);
    });
    for (auto& [text, key] : old_signals[i]) {
      if (!derives) {
        key.contributors.erase("derived");
      }
      if (key.key.size() != parts || key.contributors.empty()) {
        continue;
      }
      const Duration expire = expire_of(index, key);
      if (expire == kNoLease) {
        key.expires.reset();
      } else if (!key.expires) {
        key.expires = std::max(now_, key.last + expire);
      }
      if (key.expires) {
        arm(*key.expires, signal.name, text);
      }
      signals_[index].emplace(text, key);
    }
  }
}

void Reference::take_node(Node& node, const Node& from, const rules::Program& of) {
  std::vector<std::pair<int, const Pattern*>> parts, old_parts;
  list(node.when, 0, parts);
  list(node.unless, 1, parts);
  list(node.clear_when, 2, parts);
  list(from.when, 0, old_parts);
  list(from.unless, 1, old_parts);
  list(from.clear_when, 2, old_parts);
  for (const auto& [text, old_key] : from.keys) {
    RuleKey key = old_key;
    key.nodes.assign(node.patterns->size(), {});
    for (std::size_t i = 0; i < parts.size() && i < old_parts.size(); ++i) {
      const auto& [tree, part] = parts[i];
      const auto& [old_tree, old_part] = old_parts[i];
      if (identity(tree, *part, *program_) != identity(old_tree, *old_part, of)) {
        continue;
      }
      NodeState& state = key.nodes[part->id];
      state = old_key.nodes[old_part->id];
      if (memory_of(*part) == Memory::Ring) {  // what left the old window is gone
        std::erase_if(state.heard, [&, old = old_part](const Heard& raise) {
          return raise.at <= now_ - old->duration;
        });
      }
    }
    if (!node.live) {  // no incident, but what it counts stays
      const auto [count, flaps] = std::pair(key.count, key.flaps);
      forget(key);
      key.count = count;
      key.flaps = flaps;
    }
    node.keys.emplace(text, std::move(key));
  }
}

/// Incidents whose rule is gone end with it.
void Reference::close_orphans(std::vector<Node>& old, std::vector<IncidentChange>& out) {
  std::vector<IncidentChange> closed;
  for (const Node& node : old) {
    if (node.rule == nullptr || !node.live) {
      continue;
    }
    for (const auto& [text, key] : node.keys) {
      const bool visible = key.life == Life::Open || key.life == Life::Symptom ||
                           key.life == Life::Clearing || key.released;
      if (!visible) {
        continue;
      }
      IncidentChange change;
      Incident& i = change.after;
      i.id = key.id;
      i.rule = node.name;
      for (const Value& part : key.key) {
        i.key.push_back(to_text(part));
      }
      i.state = IncidentState::Closed;
      i.causes = key.causes;
      i.title = key.told->first;
      i.severity = key.told->second;
      std::tie(i.maintenance, i.planned_until) = key.told_window;
      i.count = key.count;
      i.flaps = key.flaps;
      for (const Node& other : old) {  // as it stood before
        for (const auto& [other_text, b] : other.keys) {
          i.symptoms += !b.causes.empty() && b.causes.front() == key.id ? 1 : 0;
        }
      }
      change.reason = IncidentReason::RuleRemoved;
      change.nth = key.nth + 1;
      closed.push_back(change);
    }
  }
  for (auto it = overflows_.begin(); it != overflows_.end();) {
    const bool stays = std::any_of(
        program_->signals.begin(), program_->signals.end(), [&](const rules::Signal& signal) {
          return signal.name == it->first &&
                 (signal.rule == kNone || program_->rules[signal.rule].mode == rules::Mode::Live);
        });
    if (stays) {
      ++it;
      continue;
    }
    if (it->second.shown) {
      IncidentChange& change = closed.emplace_back();
      change.after = *it->second.shown;
      change.after.state = IncidentState::Closed;
      change.after.count = it->second.refused;
      change.reason = IncidentReason::RuleRemoved;
      change.nth = it->second.nth + 1;
    }
    it = overflows_.erase(it);
  }
  std::sort(closed.begin(), closed.end(), [](const IncidentChange& a, const IncidentChange& b) {
    return std::tie(a.after.rule, a.after.key, a.after.id) <
           std::tie(b.after.rule, b.after.key, b.after.id);
  });
  out.insert(out.end(), closed.begin(), closed.end());
}

void Reference::set_inventory(std::shared_ptr<const Inventory> inventory, Seq seq, Instant at,
                              std::vector<IncidentChange>& out) {
  begin_round(at, false);
  const std::shared_ptr<const Inventory> old = std::move(inventory_);
  inventory_ = std::move(inventory);
  if (only_works(*old)) {
    look_at_windows();
    finish_round(seq, out);
    return;
  }
  reach_anew();
  declare_rows();
  mark_removed(*old);
  look_again();
  finish_round(seq, out);
}

/// Which keys the active signals reach now. A key that comes into being this way takes over what
/// the incident counts; windows begin empty.
void Reference::reach_anew() {
  std::set<std::pair<std::string, std::string>> known;
  for (const Node& node : nodes_) {
    for (const auto& [text, key] : node.keys) {
      known.emplace(node.name, text);
    }
  }
  std::vector<std::pair<std::string, Index>> order;
  for (Index signal = 0; signal < signals_.size(); ++signal) {
    order.emplace_back(program_->signals[signal].name, signal);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [name, signal] : order) {
    for (const auto& [signal_text, from] : signals_[signal]) {
      make_keys(signal, from);
      for (Node& node : nodes_) {
        for (auto& [text, key] : node.keys) {
          bool counts = false;
          for (const Pattern* pattern : *node.patterns) {
            if (!is_leaf(*pattern) || pattern->kind == PatternKind::Missing ||
                pattern->leaf.signal != signal || !reaches(pattern->leaf, from.key, key.key)) {
              continue;
            }
            std::optional<Instant>& newest = key.nodes[pattern->id].newest;
            if (pattern->kind == PatternKind::Signal) {
              newest = newest ? std::max(*newest, from.last) : from.last;
            }
            counts = counts || in_tree(node.when, pattern);
          }
          if (counts && !known.contains({node.name, text}) && !program_->signals[signal].measure) {
            key.count += from.count;
            key.flaps += 1;
            key.last_raise = std::max(key.last_raise, from.last);
          }
        }
      }
    }
  }
}

/// Keys of rules with `missing`: the rows that the rule's `where` wants, counted from the version
/// that brought them.
void Reference::declare_rows() {
  for (Node& node : nodes_) {
    const bool has_missing =
        std::any_of(node.patterns->begin(), node.patterns->end(),
                    [](const Pattern* p) { return p->kind == PatternKind::Missing; });
    if (!has_missing || node.params->size() != 1 || (*node.params)[0].type != Type::Row) {
      continue;
    }
    std::set<std::string> before;
    for (auto& [text, key] : node.keys) {
      if (std::exchange(key.declared, false)) {
        before.insert(text);
      }
      node.touched.insert(text);
    }
    const Index table = (*node.params)[0].of;
    for (std::size_t r = 0; r < inventory_->row_count(table); ++r) {
      const Key row{Value::row(table, inventory_->row(table, r).key)};
      if (node.rule != nullptr && !rules::holds(node.rule->where, env(row))) {
        continue;
      }
      const std::string text = key_text(row);
      if (!node.keys.contains(text) && add_key(node, row) == nullptr) {
        continue;
      }
      RuleKey& key = node.keys.at(text);
      key.declared = true;
      for (const Pattern* pattern : *node.patterns) {
        std::optional<Instant>& newest = key.nodes[pattern->id].newest;
        if (pattern->kind == PatternKind::Missing && (!before.contains(text) || !newest)) {
          newest = now_;
        }
      }
      node.touched.insert(text);
    }
  }
}

/// Incidents about rows that this version took away.
void Reference::mark_removed(const Inventory& old) {
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      if (node.rule == nullptr || key.life == Life::Idle || key.life == Life::Closed) {
        continue;
      }
      bool is_gone = false;
      for (std::size_t p = 0; p < node.params->size(); ++p) {
        const rules::Param& param = (*node.params)[p];
        if (param.type == Type::Row) {
          const bool there = inventory_->find(param.of, key.key[p].text) != nullptr;
          const bool was = key.removed || old.find(param.of, key.key[p].text) != nullptr;
          is_gone = is_gone || (!there && was);
        }
      }
      if (is_gone && !key.removed) {
        key.removed_until = now_ + node.rule->settle;
      }
      key.removed = is_gone;
    }
  }
}

/// A version touches every key and every incident.
void Reference::look_again() {
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      node.touched.insert(text);
    }
  }
}

/// Its row left the inventory: closed after `settle`; true when that was done.
bool Reference::step_removed(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  if (!passed(k->removed_until)) {
    arm(k->removed_until, node->name, k->text);
    return false;
  }
  k->removed = false;
  const bool visible =
      k->life == Life::Open || k->life == Life::Symptom || k->life == Life::Clearing || k->released;
  if (visible) {
    close(ref, IncidentReason::InventoryRemoved, out);
  } else {
    drop(*k);
    k->blocked = k->holds;
  }
  return true;
}

}  // namespace belfry::testing
