// Signals: keyed facts. A raise adds a contributor, a clear removes them; the key is up while any
// is there (LANGUAGE 6.15). Idle keys are forgotten at once: what outlives them (windows,
// sequences) belongs to the keys of the rules.
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

namespace {

/// The attribute by which an alert says until when it holds (a Prometheus alert's `endsAt`).
constexpr std::string_view kLeaseAttr = "ends";

std::int64_t lease_end(const Event& of) {
  if (of.kind == EventKind::Alert) {
    for (const Attr& attr : of.attrs) {
      if (attr.name == kLeaseAttr && attr.value.type == Type::Time) {
        return attr.value.i;
      }
    }
  }
  return kForever;
}

}  // namespace

/// How long a key stays up after its last raise; kForever: until something clears it.
std::int64_t Fold::expire_of(const SignalKey& key) const {
  const std::int64_t clause = plan->signals[key.signal].expire;
  return std::min(clause > 0 ? clause : kForever, key.lease);
}

void Fold::arm_expiry(std::uint32_t record, std::int64_t from) {
  const std::int64_t expire = expire_of(signal_keys[record]);
  timers.arm(signal_keys[record].timer, {record, true},
             expire == kForever ? kForever : from + std::min(expire, kForever - from));
}

void Fold::apply(const Match& match, const Event& of) {
  if (match.clause >= plan->program->clauses.size() || cut_lines[match.clause]) {
    return;
  }
  const Unit line{Unit::Kind::Line, match.clause};
  if (match.over_budget) {
    strike(line);
    return;
  }
  const rules::Clause& clause = plan->program->clauses[match.clause];
  if (clause.signal >= plan->signals.size() || plan->signals[clause.signal].refused) {
    return;
  }
  Contributor by;
  if (clause.per_vantage && clause.per != nullptr) {
    const Piece piece(*this, line);
    rules::Env at_door = env({});
    at_door.event = &of;
    const Value vantage = rules::evaluate(*clause.per, at_door);
    by.kind = Contributor::Kind::Vantage;
    by.vantage = vantage.is_none() ? std::string_view() : arena.copy(to_text(vantage));
  }
  if (clause.kind != rules::ClauseKind::Clear) {
    by.until = lease_end(of);
    sampled = match.value;
    raise(clause.signal, match.key, by, std::max<std::uint32_t>(of.repeat, 1));
    return;
  }
  const Contributor* only = by.kind == Contributor::Kind::Vantage ? &by : nullptr;
  const bool bound =
      std::none_of(match.key.begin(), match.key.end(), [](const Value& v) { return v.is_none(); });
  if (clause.clear_all || !bound) {
    if (clause.clear_all) {
      clear_matching(clause.signal, match.key, only);
    }
    return;
  }
  if (options.keep_members) {
    log_event(clause.signal, key_text(match.key), false);
  }
  clear(clause.signal, match.key, only);
}

void Fold::raise(std::uint32_t signal, std::span<const Value> key, const Contributor& by,
                 std::uint64_t times) {
  if (cut_owners[signal]) {
    return;
  }
  const std::vector<rules::Param>& params = *plan->signals[signal].params;
  Key found;
  std::uint32_t record = kNil;
  if (find_key(params, key, found)) {
    record = signal_tables[signal].find(found);
  }
  const bool went_up = record == kNil;
  if (went_up) {
    if (!make_key(params, key, found)) {
      return;
    }
    record = add_signal_key(signal, found);
    if (record == kNil) {
      return;
    }
  }
  ++raises;
  SignalKey& state = signal_keys[record];
  add_contributor(state, by);
  state.count += times;
  state.last = now;
  state.lease = by.until == kForever ? kForever : std::max<std::int64_t>(by.until - now, 0);
  if (state.timer.deadline != kForever || expire_of(state) != kForever) {
    arm_expiry(record, now);
  }
  if (options.keep_members && by.kind != Contributor::Kind::Derived) {
    log_event(signal, signal_text(state), went_up);
  }
  if (went_up) {
    graph_fact(record, true);
    link(record);
  }
  for (std::uint32_t e = signal_keys[record].edges; e != kNil; e = edges[e].next_of_signal) {
    notify(edges[e], times, went_up);
  }
}

std::uint32_t Fold::add_signal_key(std::uint32_t signal, const Key& key) {
  if (signal_tables[signal].size() >= plan->signals[signal].limit) {
    release(key);
    refuse(signal);
    return kNil;
  }
  const std::uint32_t record = signal_keys.add();
  SignalKey& state = signal_keys[record];
  state.key = key;
  state.signal = signal;
  state.first = now;
  signal_tables[signal].insert(record);
  if (plan->signals[signal].by_first_part) {
    by_first[signal][key.parts[0]].insert(record);
  }
  return record;
}

bool Fold::add_contributor(SignalKey& key, const Contributor& by) {
  switch (by.kind) {
    case Contributor::Kind::Plain:
      return !std::exchange(key.plain, true);
    case Contributor::Kind::Derived:
      return !std::exchange(key.derived, true);
    case Contributor::Kind::Vantage:
      break;
  }
  if (key.vantages == nullptr) {
    key.vantages = std::make_unique<std::vector<Text>>();
  }
  const Text known = strings.find(by.vantage);
  if (known != kNil &&
      std::find(key.vantages->begin(), key.vantages->end(), known) != key.vantages->end()) {
    return false;
  }
  key.vantages->push_back(strings.acquire(by.vantage));
  ++vantages_of[key.signal];
  weigh(key.signal);
  return true;
}

void Fold::clear(std::uint32_t signal, std::span<const Value> key, const Contributor* only) {
  Key found;
  const std::uint32_t record = find_key(*plan->signals[signal].params, key, found)
                                   ? signal_tables[signal].find(found)
                                   : kNil;
  if (record != kNil) {
    clear_record(record, only);
  }
}

/// `clear all`: every key that agrees with the parts that are bound.
void Fold::clear_matching(std::uint32_t signal, std::span<const Value> key,
                          const Contributor* only) {
  const std::vector<rules::Param>& params = *plan->signals[signal].params;
  Key wanted;
  std::string scratch;
  for (std::size_t i = 0; i < params.size() && i < key.size(); ++i) {
    if (key[i].is_none()) {
      continue;
    }
    const auto text = part_text(key[i], params[i], scratch);
    wanted.parts[i] = text ? strings.find(*text) : kNil;
    if (wanted.parts[i] == kNil) {
      return;
    }
  }
  std::vector<std::pair<std::string, std::uint32_t>> hit;
  const auto take = [&](std::uint32_t record) {
    const Key& have = signal_keys[record].key;
    for (std::size_t i = 0; i < kKeyPartsMax; ++i) {
      if (wanted.parts[i] != kNil && wanted.parts[i] != have.parts[i]) {
        return;
      }
    }
    hit.emplace_back(signal_text(signal_keys[record]), record);
  };
  if (wanted.parts[0] != kNil) {
    const auto it = by_first[signal].find(wanted.parts[0]);
    if (it != by_first[signal].end()) {
      std::for_each(it->second.begin(), it->second.end(), take);
    }
  } else {
    std::for_each(signal_tables[signal].begin(), signal_tables[signal].end(), take);
  }
  std::sort(hit.begin(), hit.end());
  for (const auto& [text, record] : hit) {
    if (options.keep_members && event != nullptr) {
      log_event(signal, text, false);
    }
    clear_record(record, only);
  }
}

/// Removes one contributor, or all of them.
void Fold::clear_record(std::uint32_t record, const Contributor* only) {
  SignalKey& state = signal_keys[record];
  if (only != nullptr && only->kind == Contributor::Kind::Vantage && state.vantages != nullptr) {
    const Text known = strings.find(only->vantage);
    const auto it = std::find(state.vantages->begin(), state.vantages->end(), known);
    if (known != kNil && it != state.vantages->end()) {
      strings.release(*it);
      state.vantages->erase(it);
      --vantages_of[state.signal];
    }
  }
  if (only != nullptr) {
    state.derived &= only->kind != Contributor::Kind::Derived;
    if (state.plain || state.derived || (state.vantages != nullptr && !state.vantages->empty())) {
      for (std::uint32_t e = state.edges; e != kNil; e = edges[e].next_of_signal) {
        mark_dirty(edges[e].key);  // it was touched: its windows are counted as of now
      }
      return;
    }
  }
  if (event != nullptr && event->kind == EventKind::Probe) {
    for (std::uint32_t e = state.edges; e != kNil; e = edges[e].next_of_signal) {
      const std::uint32_t incident = keys[edges[e].key].incident;
      if (incident != kNil) {
        add_proof(incidents[incident]);  // asked or not: it shows why the alarm ended
      }
    }
  }
  drop_signal_key(record);
}

void Fold::drop_signal_key(std::uint32_t record) {
  graph_fact(record, false);
  unlink(record);
  SignalKey& state = signal_keys[record];
  signal_tables[state.signal].erase(record);
  if (plan->signals[state.signal].by_first_part) {
    auto& group = by_first[state.signal];
    const auto it = group.find(state.key.parts[0]);
    if (it != group.end()) {
      it->second.erase(record);
      if (it->second.empty()) {
        group.erase(it);
      }
    }
  }
  if (state.vantages != nullptr) {
    vantages_of[state.signal] -= state.vantages->size();
    for (const Text vantage : *state.vantages) {
      strings.release(vantage);
    }
  }
  release(state.key);
  signal_keys.remove(record);
}

/// The key, when all its texts are in use somewhere; takes no part in their counts.
bool Fold::find_key(const std::vector<rules::Param>& params, std::span<const Value> values,
                    Key& to) {
  std::string scratch;
  to = Key{};
  if (values.size() < params.size()) {
    return false;
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto text = part_text(values[i], params[i], scratch);
    to.parts[i] = text ? strings.find(*text) : kNil;
    if (to.parts[i] == kNil) {
      return false;
    }
  }
  return true;
}

/// The key with one use of each of its texts; false (and nothing held) when a part is missing.
bool Fold::make_key(const std::vector<rules::Param>& params, std::span<const Value> values,
                    Key& to) {
  std::string scratch;
  to = Key{};
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto text = i < values.size() ? part_text(values[i], params[i], scratch) : std::nullopt;
    if (!text) {
      release(to);
      return false;
    }
    to.parts[i] = strings.acquire(*text);
  }
  return true;
}

void Fold::release(const Key& key) {
  for (const Text part : key.parts) {
    if (part != kNil) {
      strings.release(part);
    }
  }
}

void Fold::retain(const Key& key) {
  for (const Text part : key.parts) {
    if (part != kNil) {
      strings.retain(part);
    }
  }
}

Vars Fold::values_of(const Key& key, const std::vector<rules::Param>& params) const {
  Vars vars;
  vars.size = params.size();
  for (std::size_t i = 0; i < params.size(); ++i) {
    vars.values[i] = part_value(strings.view(key.parts[i]), params[i], plan->program->schema.get());
  }
  return vars;
}

std::string Fold::text_of(const Key& key, const std::vector<rules::Param>& params) const {
  return key_text(values_of(key, params).span());
}
std::string Fold::signal_text(const SignalKey& key) const {
  return text_of(key.key, *plan->signals[key.signal].params);
}
std::string Fold::owner_text(const OwnerKey& key) const {
  return text_of(key.key, *plan->owners[key.owner].params);
}

}  // namespace belfry::correlate
