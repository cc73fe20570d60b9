// Versions: new rules and a new inventory, as inputs (LANGUAGE 6.18, 6.19). New rules go the way of
// a restart: the state is written down by names and texts and read into the new plan, which keeps
// what still means the same. A new inventory links every active key anew.
#include <algorithm>
#include <iterator>

#include "fold.hpp"

namespace belfry::correlate {

void Fold::reset() {
  const std::size_t signals = plan->signals.size();
  strings.clear();
  signal_keys.clear();
  keys.clear();
  edges.clear();
  windows.clear();
  value_counts.clear();
  incidents.clear();
  signal_tables.assign(signals, KeyTable<SignalKey>(&signal_keys));
  owner_tables.assign(signals, KeyTable<OwnerKey>(&keys));
  idle.assign(signals, {});
  by_first.assign(signals, {});
  dirty.assign(signals, {});
  dirty_places.clear();
  owner_at.assign(signals, 0);
  for (std::uint32_t s = 0; s < signals; ++s) {
    owner_at[plan->owners[s].place] = s;
  }
  partials_of_signal.clear();
  partials.clear();
  watchers.clear();
  partial_causes.clear();
  scan_symptoms.assign(plan->program->causes.size(), {});
  incidents_of.assign(plan->program->rules.size(), {});
  overflows.clear();
  row_windows.assign(plan->window_sources.size(), {});
  ++windows_version;
  over_budget.clear();
  cut_lines.assign(plan->program->clauses.size(), false);
  cut_owners.assign(signals, false);
  cut_causes.assign(plan->program->causes.size(), false);
  links_of.assign(signals, 0);
  window_values_of.assign(signals, 0);
  vantages_of.assign(signals, 0);
  owners_to_forget.clear();
  by_id.clear();
  timers.clear();
  next_deadline = kForever;
  work.clear();
  updates.clear();
  resting.clear();
  build_graphs();
  key_logs.clear();
  sessions.clear();
  archived.clear();
}

void Fold::set_program(std::shared_ptr<const rules::Program> program, Seq at_seq, Instant at,
                       std::vector<IncidentChange>& to, bool inventory_follows) {
  const bool first = plan == nullptr;
  if (!first && !program->hash.empty() && program->hash == plan->program->hash) {
    fire(at, false, at_seq, to);
    plan = std::make_unique<Plan>(std::move(program));  // the same texts: all numbers mean the same
    return;
  }
  ByteWriter image;
  if (!first) {
    fire(at, false, at_seq, to);
    now = std::max(now, at.ns);
    prune_windows();
    save(image);
  }
  std::map<IncidentId, Incident> before;
  for (std::uint32_t i = 0; !first && i < incidents.end(); ++i) {
    if (incidents.has(i) && incidents[i].visible && incidents[i].phase != Phase::Closed) {
      before[incidents[i].id] = current(incidents[i]);
    }
  }
  std::vector<IncidentChange> lifted = lift_budgets();
  plan = std::make_unique<Plan>(std::move(program));
  reset();
  begin(at_seq, first ? at.ns : std::max(now, at.ns), false, to);
  if (first) {
    declare_missing();
    finish();
    settle_timers();
    return;
  }
  std::vector<Orphan> orphans;
  const std::string bytes = image.take();
  ByteReader in(bytes);
  static_cast<void>(load(in, true, &orphans));  // our own bytes of a moment ago
  now = std::max(now, at.ns);
  for (IncidentChange& change : lifted) {
    change.after.closed_at = Instant{now};
    out->push_back(std::move(change));
  }
  close_orphans(orphans, before);
  count_symptoms();
  declare_missing();
  rebuilding = true;
  windows_follow = inventory_follows;
  reevaluate_all();
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (keys.has(i)) {
      add_work(i);  // a rule that leaves the shadow has no incident yet
    }
  }
  finish();
  rebuilding = windows_follow = false;
  settle_timers();
}

/// Incidents whose rule is gone end with it.
void Fold::close_orphans(std::vector<Orphan>& orphans, std::map<IncidentId, Incident>& before) {
  std::vector<IncidentChange> changes;
  for (Orphan& orphan : orphans) {
    const auto it = before.find(orphan.id);
    if (it == before.end() && orphan.overflow == nullptr) {
      continue;
    }
    IncidentChange& change = changes.emplace_back();
    change.after = std::move(it == before.end() ? *orphan.overflow : it->second);
    change.before = change.after.state;
    change.after.state = IncidentState::Closed;
    change.after.closed_at = Instant{now};
    change.reason = IncidentReason::RuleRemoved;
    change.nth = orphan.nth + 1;
  }
  std::sort(changes.begin(), changes.end(), [](const IncidentChange& a, const IncidentChange& b) {
    return std::tie(a.after.rule, a.after.key, a.after.id) <
           std::tie(b.after.rule, b.after.key, b.after.id);
  });
  std::move(changes.begin(), changes.end(), std::back_inserter(*out));
}

/// What hung under an incident may have gone with its rule.
void Fold::count_symptoms() {
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i)) {
      incidents[i].symptoms = 0;
      note_update(incidents[i].key);
    }
  }
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i) && !incidents[i].causes.empty()) {
      if (IncidentRecord* cause = by_incident(incidents[i].causes.front())) {
        ++cause->symptoms;
      }
    }
  }
}

void Fold::set_inventory(std::shared_ptr<const Inventory> to_use, Seq at_seq, Instant at,
                         std::vector<IncidentChange>& to) {
  const std::shared_ptr<const Inventory> old = inventory;
  if (plan == nullptr) {
    inventory = std::move(to_use);
    return;
  }
  fire(at, false, at_seq, to);
  inventory = std::move(to_use);
  ++windows_version;
  begin(at_seq, std::max(now, at.ns), false, to);
  if (old != nullptr && only_windows_changed(*old)) {
    look_at_windows();
    finish();
    settle_timers();
    return;
  }
  build_graphs();
  relink_all();
  declare_missing();
  if (old != nullptr) {
    close_removed(*old);
  }
  reevaluate_all();
  finish();
  settle_timers();
}

/// Every rule key and every incident looks again.
void Fold::reevaluate_all() {
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (keys.has(i)) {
      mark_dirty(i);
    }
  }
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (!incidents.has(i)) {
      continue;
    }
    const std::uint32_t record = incidents[i].key;
    if (incidents[i].phase != Phase::Closed) {
      unwatch_causes(record);
      watch_causes(record);
    }
    add_work(record);
  }
}

/// Keys of rules with `missing`: the rows of the table that the rule's `where` wants, counted from
/// the version that brought them (LANGUAGE 6.14).
void Fold::declare_missing() {
  if (inventory == nullptr) {
    return;
  }
  for (std::uint32_t o = 0; o < plan->owners.size(); ++o) {
    const OwnerPlan& owner = plan->owners[o];
    if (!owner.used || !owner.has_missing || owner.params->size() != 1 ||
        (*owner.params)[0].type != Type::Row || cut_owners[o]) {
      continue;
    }
    const std::vector<std::uint32_t> known(owner_tables[o].begin(), owner_tables[o].end());
    absl::flat_hash_set<std::uint32_t> before;
    for (const std::uint32_t record : known) {
      if (std::exchange(keys[record].declared, false)) {
        before.insert(record);
      }
      mark_dirty(record);
    }
    const std::uint32_t table = (*owner.params)[0].of;
    for (std::size_t r = 0; r < inventory->row_count(table); ++r) {
      const Piece piece(*this, {Unit::Kind::Owner, o});
      const Value row = Value::row(table, inventory->row(table, r).key);
      if (owner.rule != nullptr && !rules::holds(owner.rule->where, env({&row, 1}))) {
        continue;
      }
      Key key;
      if (!make_key(*owner.params, {&row, 1}, key)) {
        continue;
      }
      std::uint32_t record = find_owner_key(o, key);
      if (record != kNil) {
        release(key);
      } else {
        record = add_owner_key(o, key);
      }
      if (record == kNil) {
        continue;
      }
      keys[record].declared = true;
      for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
        NodeState& state = keys[record].nodes[n];
        const bool is_new = state.x == kNotYet || !before.contains(record);
        if (owner.nodes[n].kind() == PatternKind::Missing && is_new) {
          state.x = now;
        }
      }
      mark_dirty(record);
    }
  }
}

/// Incidents about rows that this version took away.
void Fold::close_removed(const Inventory& old) {
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (!incidents.has(i) || incidents[i].phase == Phase::Closed) {
      continue;
    }
    IncidentRecord& incident = incidents[i];
    const OwnerKey& key = keys[incident.key];
    const std::vector<rules::Param>& params = *plan->owners[key.owner].params;
    bool gone = false;
    for (std::size_t p = 0; p < params.size(); ++p) {
      if (params[p].type == Type::Row && params[p].of < old.schema().tables.size() &&
          params[p].of < inventory->schema().tables.size()) {
        const std::string_view row = strings.view(key.key.parts[p]);
        const bool there = inventory->find(params[p].of, row) != nullptr;
        gone |= !there && (incident.removed || old.find(params[p].of, row) != nullptr);
      }
    }
    if (gone && !incident.removed) {
      const std::int64_t settle = rule_of(key).settle.count();
      incident.removed_until = round_up_to_tick(now + std::min(settle, kForever - now));
    } else if (!gone) {
      incident.removed_until = kForever;
    }
    incident.removed = gone;
    add_work(incident.key);
  }
}

}  // namespace belfry::correlate
