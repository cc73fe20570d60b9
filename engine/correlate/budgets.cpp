// Budgets: a rule that uses more than it may is cut off and an incident names it; the others go on
// (LANGUAGE 6.17). Cutting off is putting it to `mode off` until the rules change: what it holds is
// given back and its incidents close, at the end of the round that found out.
#include "budgets.hpp"

#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

Piece::~Piece() {
  if (unit_ && fold_.steps_taken >= fold_.options.budgets.steps) {
    fold_.strike(*unit_);
  }
  fold_.steps_taken = outer_;
}

/// Reading a snapshot does again what was done and counted before.
void Fold::strike(const Unit& unit) {
  if (loading) {
    return;
  }
  OverBudget& over = over_budget[unit];
  if (over.cut) {
    return;
  }
  if (now - over.last > options.budgets.strike_memory_ns) {
    over.strikes = 0;
  }
  over.last = now;
  ++over.strikes;
  ++over.times;
  over.changed = over.changed || over.shown == nullptr;
  if (over.strikes >= options.budgets.strikes) {
    cut_off(unit, OverBudget::What::Steps);
  }
}

void Fold::cut_off(const Unit& unit, OverBudget::What what) {
  OverBudget& over = over_budget[unit];
  over.what = what;
  over.cut = over.changed = true;
  switch (unit.kind) {
    case Unit::Kind::Line:
      cut_lines[unit.index] = true;
      break;
    case Unit::Kind::Owner:
      cut_owners[unit.index] = true;
      owners_to_forget.push_back(unit.index);
      break;
    case Unit::Kind::Cause: {
      cut_causes[unit.index] = true;
      for (const std::uint32_t record : incidents_of[plan->program->causes[unit.index].symptom]) {
        add_work(record);
      }
      break;
    }
  }
}

std::uint64_t Fold::bytes_of(std::uint32_t owner) const {
  const OwnerPlan& of = plan->owners[owner];
  const std::size_t incidents_here = of.rule == nullptr ? 0 : incidents_of[of.rule_index].size();
  return owner_tables[owner].size() * of.key_bytes + links_of[owner] * kLinkBytes +
         window_values_of[owner] * kValueBytes + incidents_here * kIncidentBytes +
         signal_tables[owner].size() * sizeof(SignalKey) + vantages_of[owner] * kVantageBytes;
}

std::uint64_t Fold::bytes_max(std::uint32_t owner) const {
  const OwnerPlan& of = plan->owners[owner];
  const std::uint64_t limit = of.used ? of.limit : plan->signals[owner].limit;
  const std::uint64_t each = of.key_bytes + sizeof(SignalKey) + options.budgets.bytes_per_key;
  const std::uint64_t all = limit > UINT64_MAX / each ? UINT64_MAX : limit * each;
  return std::max(all, options.budgets.bytes_min);
}

/// Something of the owner grew.
void Fold::weigh(std::uint32_t owner) {
  if (!loading && !cut_owners[owner] && bytes_of(owner) > bytes_max(owner)) {
    cut_off({Unit::Kind::Owner, owner}, OverBudget::What::Memory);
  }
}

/// What owners that were cut off in this round hold; false when there are none.
bool Fold::forget_cut_owners() {
  if (owners_to_forget.empty()) {
    return false;
  }
  std::vector<std::uint32_t> list;
  list.swap(owners_to_forget);
  std::sort(list.begin(), list.end(),
            [&](std::uint32_t a, std::uint32_t b) { return plan->rank[a] < plan->rank[b]; });
  for (const std::uint32_t owner : list) {
    forget_incidents(owner);
    forget_links(owner);
    const std::vector<std::uint32_t> rule_keys(owner_tables[owner].begin(),
                                               owner_tables[owner].end());
    for (const std::uint32_t record : rule_keys) {
      remove_owner_key(record);
    }
    std::vector<std::pair<std::string, std::uint32_t>> up;
    for (const std::uint32_t record : signal_tables[owner]) {
      up.emplace_back(signal_text(signal_keys[record]), record);
    }
    std::sort(up.begin(), up.end());
    for (const auto& [text, record] : up) {
      drop_signal_key(record);
    }
  }
  return true;
}

void Fold::forget_incidents(std::uint32_t owner) {
  std::vector<std::pair<std::string, std::uint32_t>> order;
  for (const std::uint32_t record : owner_tables[owner]) {
    if (keys[record].incident != kNil) {
      order.emplace_back(owner_text(keys[record]), record);
    }
  }
  std::sort(order.begin(), order.end());
  for (const auto& [text, record] : order) {
    const IncidentRecord& incident = incident_of(record);
    if (incident.phase != Phase::Closed) {
      if (incident.visible || incident.released) {
        close(record, IncidentReason::OverBudget);
      } else {
        drop_pending(record);
      }
    }
    if (keys[record].incident != kNil) {
      forget(record);
    }
  }
}

/// All links of the owner in one pass over the signals: an owner that is cut off for its links has
/// millions of them.
void Fold::forget_links(std::uint32_t owner) {
  for (const std::uint32_t record : owner_tables[owner]) {
    keys[record].dirty = true;  // it goes: nobody needs to look at it
  }
  for (std::uint32_t i = 0; i < signal_keys.end(); ++i) {
    if (!signal_keys.has(i)) {
      continue;
    }
    std::uint32_t* at = &signal_keys[i].edges;
    while (*at != kNil) {
      const std::uint32_t e = *at;
      if (keys[edges[e].key].owner == owner) {
        *at = edges[e].next_of_signal;
        remove_edge(e);
      } else {
        at = &edges[e].next_of_signal;
      }
    }
  }
  for (auto& [signal_key, registered] : partials_of_signal) {
    std::erase_if(registered, [&](const std::pair<std::uint32_t, Key>& entry) {
      const bool goes = plan->uses[entry.first].owner == owner;
      if (goes) {
        forget_partial(signal_key, entry.first, entry.second);
      }
      return goes;
    });
  }
}

std::string Fold::place_text(const rules::Place& place) const {
  const std::vector<std::string>& files = plan->program->files;
  return (place.file < files.size() ? files[place.file] : std::string("?")) + ":" +
         std::to_string(place.line);
}

const rules::Place& Fold::place_of(std::uint32_t signal) const {
  const rules::Rule* rule = plan->owners[signal].rule;
  return rule != nullptr ? rule->place : plan->program->signals[signal].place;
}

std::string Fold::kind_and_name(std::uint32_t signal) const {
  return (plan->owners[signal].rule != nullptr ? "rule " : "signal ") +
         std::string(plan->signals[signal].name);
}

/// Whose it is and how it is called, for people.
Fold::Named Fold::named(const Unit& unit) const {
  const rules::Program& program = *plan->program;
  if (unit.kind == Unit::Kind::Line) {
    const rules::Clause& line = program.clauses[unit.index];
    return {std::string(plan->signals[line.signal].name), "a line of " + kind_and_name(line.signal),
            place_text(line.place)};
  }
  if (unit.kind == Unit::Kind::Cause) {
    const rules::Cause& cause = program.causes[unit.index];
    const std::string& symptom = program.rules[cause.symptom].name;
    return {symptom, "cause " + program.rules[cause.cause].name + " of " + symptom,
            place_text(cause.place)};
  }
  return {std::string(plan->signals[unit.index].name), kind_and_name(unit.index),
          place_text(place_of(unit.index))};
}

void Fold::emit_over_budget(const Unit& unit, OverBudget& over) {
  over.changed = false;
  const Named who = named(unit);
  IncidentChange change;
  change.before = over.shown == nullptr ? IncidentState::Pending : IncidentState::Open;
  Incident& to = change.after;
  if (over.shown != nullptr) {
    to = *over.shown;
  } else {
    to.rule = who.name;
    to.key = {"(over-budget)", who.place};
    to.began_at = to.opened_at = Instant{now};
    to.began_seq = seq;
    to.id = self_incident_id(to);
    to.state = IncidentState::Open;
  }
  to.severity = over.cut ? Severity::Major : Severity::Minor;
  to.count = over.times;
  const std::string what = who.what + " (" + who.place + ")";
  const std::uint32_t steps_max =
      unit.kind == Unit::Kind::Line ? rules::kLineStepsMax : options.budgets.steps;
  if (over.what == OverBudget::What::Memory) {
    to.title = what + " is cut off: it holds more than " +
               std::to_string(bytes_max(unit.index) >> 20) + " MiB";
    change.note = "narrow what it counts or links, or raise its limit, and load the rules anew";
  } else {
    to.title = what + (over.cut ? " is cut off: again and again" : " took") + " more than " +
               std::to_string(steps_max) + " steps at once";
    change.note = over.cut ? "make its conditions smaller and load the rules anew"
                           : "what it was asked counts as none; if that goes on, it is cut off";
  }
  change.reason = IncidentReason::OverBudget;
  change.nth = ++over.nth;
  over.shown = std::make_unique<Incident>(to);
  out->push_back(std::move(change));
}

/// A new version of the rules lifts all: what is said of them ends.
std::vector<IncidentChange> Fold::lift_budgets() {
  std::vector<IncidentChange> changes;
  for (const auto& [unit, over] : over_budget) {
    if (over.shown == nullptr) {
      continue;
    }
    IncidentChange& change = changes.emplace_back();
    change.after = *over.shown;
    change.before = IncidentState::Open;
    change.after.state = IncidentState::Closed;
    change.after.count = over.times;
    change.reason = IncidentReason::OverBudget;
    change.note = "the rules were loaded anew";
    change.nth = over.nth + 1;
  }
  std::sort(changes.begin(), changes.end(), [](const IncidentChange& a, const IncidentChange& b) {
    return std::tie(a.after.rule, a.after.key, a.after.id) <
           std::tie(b.after.rule, b.after.key, b.after.id);
  });
  return changes;
}

/// Of an incident about a rule.
IncidentId Fold::self_incident_id(const Incident& of) {
  std::vector<Value> parts;
  for (const std::string& part : of.key) {
    parts.push_back(Value::string(part));
  }
  return make_incident_id(of.rule, key_text(parts), of.began_at, of.began_seq);
}

void Fold::save_budgets(ByteWriter& to) const {
  to.varint(over_budget.size());
  for (const auto& [unit, over] : over_budget) {
    to.u8(static_cast<std::uint8_t>(unit.kind));
    to.varint(unit.index);
    to.u8(static_cast<std::uint8_t>(over.what));
    to.varint(over.strikes);
    to.zigzag(over.last);
    to.varint(over.times);
    to.boolean(over.cut);
    to.varint(over.nth);
    to.boolean(over.shown != nullptr);
    if (over.shown != nullptr) {
      encode(*over.shown, to);
    }
  }
}

/// `migrate`: into other rules, which begin with nothing against them.
void Fold::load_budgets(ByteReader& in, bool migrate) {
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    const Unit unit{static_cast<Unit::Kind>(std::min<std::uint8_t>(in.u8(), 2)),
                    static_cast<std::uint32_t>(in.varint())};
    OverBudget over;
    over.what = static_cast<OverBudget::What>(std::min<std::uint8_t>(in.u8(), 1));
    over.strikes = static_cast<std::uint32_t>(in.varint());
    over.last = in.zigzag();
    over.times = in.varint();
    over.cut = in.boolean();
    over.nth = static_cast<std::uint32_t>(in.varint());
    if (in.boolean()) {
      Result<Incident> shown = decode_incident(in);
      over.shown = shown ? std::make_unique<Incident>(std::move(*shown)) : nullptr;
    }
    std::vector<bool>& cut = unit.kind == Unit::Kind::Line    ? cut_lines
                             : unit.kind == Unit::Kind::Owner ? cut_owners
                                                              : cut_causes;
    if (migrate || in.failed() || unit.index >= cut.size()) {
      continue;
    }
    cut[unit.index] = over.cut;
    over_budget[unit] = std::move(over);
  }
}

}  // namespace belfry::correlate
