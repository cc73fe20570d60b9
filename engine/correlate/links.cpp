// Links: from a signal key that goes up to the rule keys its leaves reach. Expressions are
// evaluated here once; repeats and clears walk the edges. A leaf that does not determine the whole
// key of the rule meets live rule keys through an index over the parts it determines.
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

void Fold::link(std::uint32_t signal_key) {
  const std::uint32_t signal = signal_keys[signal_key].signal;
  const SignalPlan& signal_plan = plan->signals[signal];
  if (signal_plan.uses.empty()) {
    return;
  }
  const Vars vars = values_of(signal_keys[signal_key].key, *signal_plan.params);
  for (const std::uint32_t use : signal_plan.uses) {
    link_use(signal_key, use, vars.span());
  }
}

void Fold::link_use(std::uint32_t signal_key, std::uint32_t use_index,
                    std::span<const Value> values) {
  const LeafUse& use = plan->uses[use_index];
  if (cut_owners[use.owner]) {
    return;
  }
  const Piece piece(*this, {Unit::Kind::Owner, use.owner});
  const rules::Leaf& leaf = *use.leaf;
  const rules::Env scope = env(values);
  for (const rules::Expr* filter : leaf.filters) {
    if (!rules::holds(filter, scope)) {
      return;
    }
  }
  Vars target;
  target.size = plan->owners[use.owner].params->size();
  for (std::size_t i = 0; i < target.size; ++i) {
    if (i < leaf.key.size() && leaf.key[i] != nullptr) {
      target.values[i] = rules::evaluate(*leaf.key[i], scope);
      if (target.values[i].is_none()) {
        return;  // a key with a missing part is no key
      }
    }
  }
  const Text value = use.value == nullptr ? kNil : edge_value(use, scope);
  switch (use.reach) {
    case Reach::Exact:
      link_target(signal_key, use_index, value, target.span());
      break;
    case Reach::Relation:
      link_related(signal_key, use_index, value, target, scope);
      break;
    case Reach::Partial:
      link_partial(signal_key, use_index, value, target.span());
      break;
  }
  if (value != kNil) {
    strings.release(value);  // every edge holds its own use
  }
}

Text Fold::edge_value(const LeafUse& use, const rules::Env& scope) {
  const Value value = rules::evaluate(*use.value, scope);
  return value.is_none() ? kNil : strings.acquire(to_text(value));
}

void Fold::link_related(std::uint32_t signal_key, std::uint32_t use_index, Text value, Vars& target,
                        const rules::Env& scope) {
  const rules::Leaf& leaf = *plan->uses[use_index].leaf;
  if (leaf.relation_from == nullptr || inventory == nullptr) {
    return;
  }
  const Value from = rules::evaluate(*leaf.relation_from, scope);
  if (from.is_none()) {
    return;
  }
  const std::span<const Value> to = leaf.relation_reversed
                                        ? inventory->backward(leaf.relation, from)
                                        : inventory->forward(leaf.relation, from);
  for (const Value& y : to) {
    if (cut_owners[plan->uses[use_index].owner]) {
      return;
    }
    target.values[leaf.relation_key] = y;
    link_target(signal_key, use_index, value, target.span());
  }
}

/// Reaches the rule key, makes it, or waits for it: a full rule may have place for it later, and
/// the inventory may yet declare it.
void Fold::link_target(std::uint32_t signal_key, std::uint32_t use_index, Text value,
                       std::span<const Value> target) {
  const LeafUse& use = plan->uses[use_index];
  const std::vector<rules::Param>& params = *plan->owners[use.owner].params;
  Key key;
  std::uint32_t record = find_key(params, target, key) ? find_owner_key(use.owner, key) : kNil;
  if (record == kNil && !use.existing_only && !loading) {
    if (!make_key(params, target, key)) {
      return;
    }
    record = add_owner_key(use.owner, key);
  }
  if (record != kNil) {
    add_edge(signal_key, record, use.node, value, true);
  } else if (make_key(params, target, key)) {
    wait_for_key(signal_key, use_index, key);
  }
}

/// The signal key is found under (leaf, key) when such a rule key comes into being. Takes over the
/// uses of `key`'s texts.
PartialEntry& Fold::wait_for_key(std::uint32_t signal_key, std::uint32_t use_index,
                                 const Key& key) {
  partials_of_signal[signal_key].emplace_back(use_index, key);
  ++links_of[plan->uses[use_index].owner];
  const auto [it, added] = partials.try_emplace(PartialKey{use_index, key});
  if (added) {
    retain(key);
  }
  it->second.signals.push_back(signal_key);
  return it->second;
}

/// Registers the signal key under the parts it determines and reaches the rule keys there.
void Fold::link_partial(std::uint32_t signal_key, std::uint32_t use_index, Text value,
                        std::span<const Value> target) {
  const LeafUse& use = plan->uses[use_index];
  const std::vector<rules::Param>& params = *plan->owners[use.owner].params;
  Key key;
  std::string scratch;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (target[i].is_none()) {
      continue;
    }
    const auto text = part_text(target[i], params[i], scratch);
    if (!text) {
      release(key);
      return;
    }
    key.parts[i] = strings.acquire(*text);
  }
  const std::vector<std::uint32_t> reached_keys = wait_for_key(signal_key, use_index, key).keys;
  for (const std::uint32_t record : reached_keys) {
    add_edge(signal_key, record, use.node, value, false);
  }
}

/// A new rule key meets the signal keys that reach it by part of their key, or that waited for it.
void Fold::link_new_key(std::uint32_t record) {
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  for (const std::uint32_t use_index : owner.partial_uses) {
    const LeafUse& use = plan->uses[use_index];
    Key part;
    for (std::size_t i = 0; i < owner.params->size(); ++i) {
      if (i < use.leaf->key.size() && use.leaf->key[i] != nullptr) {
        part.parts[i] = keys[record].key.parts[i];
      }
    }
    const auto [it, added] = partials.try_emplace(PartialKey{use_index, part});
    if (added) {
      retain(part);
    }
    it->second.keys.push_back(record);
    meet(record, use_index, it->second.signals, false);
  }
  for (const std::uint32_t use_index : owner.exact_uses) {
    const auto it = partials.find(PartialKey{use_index, keys[record].key});
    if (it != partials.end()) {
      meet(record, use_index, it->second.signals, true);
    }
  }
}

void Fold::meet(std::uint32_t record, std::uint32_t use_index,
                const std::vector<std::uint32_t>& signals_there, bool pins) {
  const LeafUse& use = plan->uses[use_index];
  for (const std::uint32_t signal_key : signals_there) {
    const Piece piece(*this, {Unit::Kind::Owner, use.owner});
    const SignalKey& from = signal_keys[signal_key];
    const Vars vars = values_of(from.key, *plan->signals[from.signal].params);
    const Text value = use.value == nullptr ? kNil : edge_value(use, env(vars.span()));
    add_edge(signal_key, record, use.node, value, pins);
    if (value != kNil) {
      strings.release(value);
    }
    NodeState& state = keys[record].nodes[use.node];
    state.x = std::max(state.x, from.last);
  }
}

void Fold::drop_partials_of(std::uint32_t record) {
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  for (const std::uint32_t use_index : owner.partial_uses) {
    const LeafUse& use = plan->uses[use_index];
    Key part;
    for (std::size_t i = 0; i < owner.params->size(); ++i) {
      if (i < use.leaf->key.size() && use.leaf->key[i] != nullptr) {
        part.parts[i] = keys[record].key.parts[i];
      }
    }
    const auto it = partials.find(PartialKey{use_index, part});
    if (it == partials.end()) {
      continue;
    }
    std::erase(it->second.keys, record);
    if (it->second.keys.empty() && it->second.signals.empty()) {
      partials.erase(it);
      release(part);
    }
  }
}

void Fold::add_edge(std::uint32_t signal_key, std::uint32_t owner_key, std::uint16_t node,
                    Text value, bool pins) {
  const std::uint32_t index = edges.add();
  Edge& edge = edges[index];
  SignalKey& from = signal_keys[signal_key];
  OwnerKey& to = keys[owner_key];
  NodeState& state = to.nodes[node];
  edge = {signal_key, owner_key, from.edges, state.edges, kNil, value, node, pins};
  from.edges = index;
  if (state.edges != kNil) {
    edges[state.edges].previous_of_node = index;
  }
  state.edges = index;
  ++state.count;
  if (pins && to.pins++ == 0 && to.touched > 0) {
    idle[to.owner].erase(std::exchange(to.touched, 0));
  }
  if (value != kNil) {
    strings.retain(value);
    if (plan->owners[to.owner].nodes[node].distinct) {
      if (state.window == kNil) {
        state.window = value_counts.add();
      }
      ++value_counts[state.window][value];
    }
  }
  if (options.keep_members) {
    log_link(owner_key, from);
  }
  ++links_of[to.owner];
  weigh(to.owner);
  mark_dirty(owner_key);
}

void Fold::remove_edge(std::uint32_t index) {
  const Edge edge = edges[index];
  OwnerKey& to = keys[edge.key];
  NodeState& state = to.nodes[edge.node];
  if (edge.previous_of_node != kNil) {
    edges[edge.previous_of_node].next_of_node = edge.next_of_node;
  } else {
    state.edges = edge.next_of_node;
  }
  if (edge.next_of_node != kNil) {
    edges[edge.next_of_node].previous_of_node = edge.previous_of_node;
  }
  --state.count;
  --links_of[to.owner];
  if (edge.pins) {
    --to.pins;
  }
  if (edge.value != kNil) {
    if (plan->owners[to.owner].nodes[edge.node].distinct && state.window != kNil) {
      ValueCounts& counts = value_counts[state.window];
      const auto it = counts.find(edge.value);
      if (it != counts.end() && --it->second == 0) {
        counts.erase(it);
      }
    }
    strings.release(edge.value);
  }
  mark_dirty(edge.key);
  edges.remove(index);
}

void Fold::unlink(std::uint32_t signal_key) {
  for (std::uint32_t e = signal_keys[signal_key].edges; e != kNil;) {
    const std::uint32_t next = edges[e].next_of_signal;
    remove_edge(e);
    e = next;
  }
  signal_keys[signal_key].edges = kNil;
  const auto it = partials_of_signal.find(signal_key);
  if (it == partials_of_signal.end()) {
    return;
  }
  for (const auto& [use, key] : it->second) {
    forget_partial(signal_key, use, key);
  }
  partials_of_signal.erase(it);
}

/// Takes the signal key out of the index over part of the rule's key.
void Fold::forget_partial(std::uint32_t signal_key, std::uint32_t use, const Key& key) {
  --links_of[plan->uses[use].owner];
  const auto entry = partials.find(PartialKey{use, key});
  if (entry != partials.end()) {
    std::erase(entry->second.signals, signal_key);
    if (entry->second.keys.empty() && entry->second.signals.empty()) {
      partials.erase(entry);
      release(key);
    }
  }
  release(key);
}

/// A key that is touched counts its windows anew; that can only change something where one holds,
/// or where a window is asked for few.
bool Fold::windows_may_fall(const OwnerKey& key) const {
  const OwnerPlan& owner = plan->owners[key.owner];
  for (const std::uint16_t n : owner.window_nodes) {
    const rules::CompareOp op = owner.nodes[n].pattern->op;
    const bool rising = (op == rules::CompareOp::GreaterEqual || op == rules::CompareOp::Greater) &&
                        owner.nodes[n].window != WindowKind::Samples;  // a mean may rise by itself
    if (!rising || key.nodes[n].holds) {
      return true;
    }
  }
  return false;
}

/// One raise arrives at one leaf of one rule key.
void Fold::notify(const Edge& edge, std::uint64_t times, bool went_up) {
  OwnerKey& key = keys[edge.key];
  const OwnerPlan& owner = plan->owners[key.owner];
  const PlanNode& node = owner.nodes[edge.node];
  NodeState& state = key.nodes[edge.node];
  state.x = now;
  if (node.kind() == PatternKind::Signal) {
    state.y = static_cast<std::int64_t>(raises);
  }
  if (node.window != WindowKind::None) {
    const bool flaps = node.pattern->aggregate == AggregateKind::Flaps;
    if (!flaps || went_up) {
      push_window(node, state, edge, flaps ? 1 : times);
    }
  }
  if (node.tree == Tree::When && key.raise_number != raises) {
    key.raise_number = raises;
    if (!plan->signals[node.pattern->leaf.signal].measure) {  // a sample is no raise
      key.count += times;
      key.flaps += went_up ? 1 : 0;
      key.last_raise = now;
      key.first_raise = key.first_raise == kNotYet ? now : key.first_raise;
    }
    if (key.incident != kNil) {
      IncidentRecord& incident = incidents[key.incident];
      add_proof(incident);
      const bool quiet = owner.rule != nullptr && owner.rule->clear == rules::ClearKind::Quiet;
      if ((quiet && incident.phase == Phase::Clearing) || incident.released) {
        add_work(edge.key);
      }
    }
  }
  if (went_up || node.raise_matters || (owner.windowed && windows_may_fall(key))) {
    mark_dirty(edge.key);
  }
}

std::uint32_t Fold::find_owner_key(std::uint32_t owner, const Key& key) const {
  return owner_tables[owner].find(key);
}

/// Takes over the uses of `key`'s texts; kNil when the owner is full.
std::uint32_t Fold::add_owner_key(std::uint32_t owner, const Key& key) {
  if (owner_tables[owner].size() >= plan->owners[owner].limit && !make_room(owner)) {
    release(key);
    refuse(owner);
    return kNil;
  }
  return insert_owner_key(owner, key);
}

std::uint32_t Fold::insert_owner_key(std::uint32_t owner, const Key& key) {
  const std::uint32_t record = keys.add();
  OwnerKey& state = keys[record];
  state.key = key;
  state.owner = owner;
  state.nodes = std::make_unique<NodeState[]>(plan->owners[owner].nodes.size());
  owner_tables[owner].insert(record);
  if (options.keep_members) {
    sessions[{owner, owner_text(state)}].since = seq;
  }
  link_new_key(record);
  return record;
}

/// Evicts the idle key that was used longest ago: one with nothing but an old window.
bool Fold::make_room(std::uint32_t owner) {
  if (idle[owner].empty()) {
    return false;
  }
  const std::uint32_t victim = idle[owner].begin()->second;
  remove_owner_key(victim);
  return true;
}

/// An owner key that nothing keeps: no signal, no window, no incident, not true. One that only a
/// window keeps may be evicted from the next round on.
void Fold::maybe_remove(std::uint32_t record) {
  OwnerKey& key = keys[record];
  if (key.in_work || key.dirty) {
    return;
  }
  if (key.pins > 0 || key.incident != kNil || key.started || key.declared || key.blocked) {
    if (key.touched > 0) {
      idle[key.owner].erase(std::exchange(key.touched, 0));
    }
    return;
  }
  if (keys_empty(key)) {
    remove_owner_key(record);
  } else if (key.touched == 0 && plan->owners[key.owner].windowed && !key.resting) {
    key.resting = true;
    resting.push_back(record);
  }
}

/// The order of eviction: by the round in which they became idle, then owner and key text.
void Fold::settle_idle() {
  std::vector<std::tuple<std::uint32_t, std::string, std::uint32_t>> order;
  for (const std::uint32_t record : resting) {
    if (!keys.has(record) || !keys[record].resting) {
      continue;
    }
    OwnerKey& key = keys[record];
    key.resting = false;
    const bool busy = key.pins > 0 || key.incident != kNil || key.started || key.declared ||
                      key.blocked || key.touched > 0;
    if (!busy) {
      order.emplace_back(key.owner, resting.size() == 1 ? std::string() : owner_text(key), record);
    }
  }
  resting.clear();
  std::sort(order.begin(), order.end());
  for (const auto& [owner, text, record] : order) {
    keys[record].touched = ++touch;
    idle[owner].emplace(touch, record);
  }
}

void Fold::remove_owner_key(std::uint32_t record) {
  OwnerKey& key = keys[record];
  const std::uint32_t owner = key.owner;
  const OwnerPlan& owner_plan = plan->owners[owner];
  if (key.touched > 0) {
    idle[owner].erase(key.touched);
  }
  for (std::size_t n = 0; n < owner_plan.nodes.size(); ++n) {
    while (key.nodes[n].edges !=
           kNil) {  // of partial leaves; take them out of their signal's list too
      const std::uint32_t e = key.nodes[n].edges;
      std::uint32_t* at = &signal_keys[edges[e].signal].edges;
      while (*at != e) {
        at = &edges[*at].next_of_signal;
      }
      *at = edges[e].next_of_signal;
      const bool was_dirty = std::exchange(key.dirty, true);
      remove_edge(e);
      key.dirty = was_dirty;
    }
    drop_window(owner_plan.nodes[n], key.nodes[n]);
  }
  drop_partials_of(record);
  if (key.in_updates) {
    std::erase(updates, record);
  }
  owner_tables[owner].erase(record);
  release(key.key);
  keys.remove(record);
}

void Fold::mark_dirty(std::uint32_t record) {
  OwnerKey& key = keys[record];
  if (key.dirty) {
    return;
  }
  key.dirty = true;
  std::vector<std::uint32_t>& list = dirty[key.owner];
  if (list.empty()) {
    dirty_places.push_back(plan->owners[key.owner].place);
    std::push_heap(dirty_places.begin(), dirty_places.end(), std::greater<>());
  }
  list.push_back(record);
}

/// All edges anew: after a version of the inventory or of the rules.
void Fold::relink_all() {
  std::vector<std::pair<std::pair<std::uint32_t, std::string>, std::uint32_t>> all;
  for (std::uint32_t i = 0; i < signal_keys.end(); ++i) {
    if (signal_keys.has(i)) {
      unlink(i);
      all.push_back({{plan->rank[signal_keys[i].signal], signal_text(signal_keys[i])}, i});
    }
  }
  std::sort(all.begin(), all.end());
  std::vector<bool> existed(keys.end());
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    existed[i] = keys.has(i);
  }
  for (const auto& [name, record] : all) {
    link(record);
    const SignalKey& from = signal_keys[record];
    ++raises;
    for (std::uint32_t e = from.edges; e != kNil; e = edges[e].next_of_signal) {
      OwnerKey& key = keys[edges[e].key];
      const PlanNode& node = plan->owners[key.owner].nodes[edges[e].node];
      NodeState& state = key.nodes[edges[e].node];
      if (node.kind() != PatternKind::Missing) {
        state.x = std::max(state.x, from.last);
      }
      const bool is_new = !plan->signals[from.signal].measure &&
                          (edges[e].key >= existed.size() || !existed[edges[e].key]);
      if (node.tree == Tree::When && is_new && node.kind() != PatternKind::Missing &&
          key.raise_number != raises) {
        key.raise_number = raises;  // a key that this version made: it has seen its signals' raises
        key.count += from.count;
        ++key.flaps;
        key.last_raise = std::max(key.last_raise, from.last);
        key.first_raise =
            key.first_raise == kNotYet ? from.first : std::min(key.first_raise, from.first);
      }
    }
  }
}

}  // namespace belfry::correlate
