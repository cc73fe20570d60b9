// Inputs: an event, a command, a version or a tick of timers becomes one round (LANGUAGE 6.2):
//   facts -> propagation in signal order -> incidents by (depth, rule, key) -> updates
#include <algorithm>
#include <functional>

#include "belfry/base/check.hpp"
#include "fold.hpp"

namespace belfry::correlate {

namespace {
/// Timers armed for the same tick run in the next round of it; more rounds than this are our
/// mistake, and the rest waits for the next tick.
constexpr int kRoundsPerTickMax = 64;
}  // namespace

Fold::Fold(CorrelatorOptions with) : options(with) {
  active = [this](rules::Index signal, std::span<const Value> key) {
    if (signal >= plan->signals.size()) {
      return false;
    }
    Key found;
    if (!find_key(*plan->signals[signal].params, key, found)) {
      return false;
    }
    if (plan->owners[signal].rule != nullptr) {
      const std::uint32_t record = find_owner_key(signal, found);
      return record != kNil && plan->owners[signal].live && keys[record].holds;
    }
    return signal_tables[signal].find(found) != kNil;
  };
  graph_query = [this](rules::ExprKind what, rules::Index graph, const Value& x, const Value& y) {
    return answer(what, graph, x, y);
  };
}

TimerSlot* Fold::slot_of(const TimerRef& ref) {
  if (ref.signal) {
    return signal_keys.has(ref.record) ? &signal_keys[ref.record].timer : nullptr;
  }
  return keys.has(ref.record) ? &keys[ref.record].timer : nullptr;
}

void Fold::begin(Seq at_seq, std::int64_t at, bool timers_fire, std::vector<IncidentChange>& to) {
  seq = at_seq;
  now = at;
  timer_round = timers_fire;
  out = &to;
  first_raise_of_round = raises + 1;
  steps_taken = 0;
}

/// Second half of a round: what the facts lead to.
void Fold::finish() {
  do {
    propagate();
    ask_again();
    run_incidents();
    emit_updates();
  } while (forget_cut_owners());
  settle_idle();
  for (auto& [signal, overflow] : overflows) {
    emit_overflow(signal);
  }
  for (auto& [unit, over] : over_budget) {
    if (over.changed) {
      emit_over_budget(unit, over);
    }
  }
  arena.clear();
  event = nullptr;
}

void Fold::settle_timers() {
  next_deadline = timers.next([this](const TimerRef& ref) { return slot_of(ref); });
}

void Fold::propagate() {
  while (true) {
    settle_graphs(dirty_places.empty() ? kNil : dirty_places.front());
    if (dirty_places.empty()) {
      return;
    }
    std::pop_heap(dirty_places.begin(), dirty_places.end(), std::greater<>());
    const std::uint32_t owner = owner_at[dirty_places.back()];
    dirty_places.pop_back();
    std::vector<std::uint32_t> list;
    list.swap(dirty[owner]);
    if (list.size() > 1) {
      std::vector<std::pair<std::string, std::uint32_t>> order;
      for (const std::uint32_t record : list) {
        if (keys.has(record) && keys[record].owner == owner) {
          order.emplace_back(owner_text(keys[record]), record);
        }
      }
      std::sort(order.begin(), order.end());
      list.clear();
      for (const auto& [text, record] : order) {
        list.push_back(record);
      }
    }
    for (const std::uint32_t record : list) {
      if (keys.has(record) && keys[record].owner == owner && keys[record].dirty) {
        evaluate_key(record);
      }
    }
    if (dirty[owner].empty()) {
      list.clear();
      dirty[owner].swap(list);  // keeps its memory
    }
  }
}

void Fold::on_event(const Event& of, std::span<const Match> matches, Seq at_seq, Instant at,
                    std::vector<IncidentChange>& to) {
  if (next_deadline < at.ns) {
    fire(at, false, at_seq, to);
  }
  if (matches.empty()) {
    now = std::max(now, at.ns);
    return;
  }
  begin(at_seq, at.ns, false, to);
  event = &of;
  for (const Match& match : matches) {
    apply(match, of);
  }
  finish();
  settle_timers();
}

/// All timers before (or at) an instant, tick by tick.
void Fold::fire(Instant until, bool inclusive, Seq at_seq, std::vector<IncidentChange>& to) {
  std::int64_t at_tick = 0;
  int rounds = 0;
  while (next_deadline != kForever &&
         (inclusive ? next_deadline <= until.ns : next_deadline < until.ns)) {
    rounds = next_deadline == at_tick ? rounds + 1 : 0;
    at_tick = next_deadline;
    BELFRY_DCHECK(rounds < kRoundsPerTickMax);
    if (rounds >= kRoundsPerTickMax) {
      put_off(at_tick);
      continue;
    }
    run_tick(at_tick, at_seq, to);
  }
}

/// What is due at this tick waits for the next one.
void Fold::put_off(std::int64_t tick) {
  TimerRef ref;
  while (timers.take(
      tick, [this](const TimerRef& r) { return slot_of(r); }, ref)) {
    timers.arm(*slot_of(ref), ref, tick + kTimerTick);
  }
  settle_timers();
}

void Fold::run_tick(std::int64_t tick, Seq at_seq, std::vector<IncidentChange>& to) {
  begin(at_seq, tick, true, to);
  const auto slots = [this](const TimerRef& ref) { return slot_of(ref); };
  std::vector<std::tuple<std::uint32_t, std::string, std::uint32_t>> expired;
  TimerRef ref;
  while (timers.take(tick, slots, ref)) {
    if (ref.signal) {
      const SignalKey& key = signal_keys[ref.record];
      expired.emplace_back(plan->rank[key.signal], signal_text(key), ref.record);
      continue;
    }
    OwnerKey& key = keys[ref.record];
    key.fired = true;
    if (key.pattern_next <= tick) {
      mark_dirty(ref.record);
    } else {
      key.fired = false;
      add_work(ref.record);
    }
  }
  std::sort(expired.begin(), expired.end());
  for (const auto& [rank, text, record] : expired) {
    clear_record(record, nullptr);
  }
  finish();
  settle_timers();
}

/// What needs hearing to be true starts anew, full length, when hearing is back (LANGUAGE 6.3).
void Fold::on_deaf(Instant from, Instant until, Seq at_seq, std::vector<IncidentChange>& to) {
  fire(from, true, at_seq, to);
  restart_deaf_timers(until.ns);
  settle_timers();
  fire(until, false, at_seq, to);
  begin(at_seq, std::max(now, until.ns), false, to);
  finish();
  settle_timers();
}

void Fold::restart_deaf_timers(std::int64_t at) {
  for (std::uint32_t i = 0; i < signal_keys.end(); ++i) {
    if (!signal_keys.has(i)) {
      continue;
    }
    if (expire_of(signal_keys[i]) != kForever) {
      arm_expiry(i, at);
    }
  }
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (!keys.has(i) || !plan->owners[keys[i].owner].has_missing) {
      continue;
    }
    const OwnerPlan& owner = plan->owners[keys[i].owner];
    for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
      NodeState& state = keys[i].nodes[n];
      if (owner.nodes[n].kind() == PatternKind::Missing && !state.on && state.x != kNotYet) {
        state.x = std::max(state.x, at);
        mark_dirty(i);
      }
    }
  }
  propagate();
}

CommandResult Fold::on_command(const Command& command, Seq at_seq, Instant at,
                               std::vector<IncidentChange>& to) {
  fire(at, false, at_seq, to);
  begin(at_seq, at.ns, false, to);
  CommandResult result;
  switch (command.kind) {
    case CommandKind::CloseIncident:
      result = close_by_hand(command);
      break;
    case CommandKind::Silence:
    case CommandKind::Unsilence:
      result = silence(command);
      break;
    default:
      result.ok = false;
      result.code = Code::Invalid;
      result.message = "not a command of incidents: close, silence and unsilence are";
      break;
  }
  finish();
  settle_timers();
  return result;
}

CommandResult Fold::close_by_hand(const Command& command) {
  CommandResult result;
  result.incident = command.incident;
  IncidentRecord* incident = by_incident(command.incident);
  if (incident == nullptr) {
    result.ok = false;
    result.code = Code::NotFound;
    result.message = "no incident " + to_text(command.incident) + " is live";
    return result;
  }
  if (!established(incident->key)) {
    result.ok = false;
    result.code = Code::Conflict;
    result.message = "it is " + std::string(name(state_of(*incident))) +
                     "; open, symptom, planned and clearing incidents can be closed";
    return result;
  }
  const std::uint32_t record = incident->key;
  close(record, IncidentReason::ByHand);
  out->back().note = "closed by hand by " + command.who;
  add_work(record);
  return result;
}

CommandResult Fold::silence(const Command& command) {
  CommandResult result;
  if (command.kind == CommandKind::Silence) {
    silences[command.text] = Silence{command.text, command.who, command.until};
  } else if (silences.erase(command.text) == 0) {
    result.ok = false;
    result.code = Code::NotFound;
    result.message = "no silence '" + command.text + "'";
    return result;
  }
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i) && incidents[i].phase == Phase::Live) {
      add_work(incidents[i].key);
    }
  }
  return result;
}

/// When the next silence ends; then planned incidents look again.
std::int64_t Fold::silence_ends() const {
  std::int64_t next = kForever;
  for (const auto& [text, silence] : silences) {
    if (silence.until.ns > now) {
      next = std::min(next, round_up_to_tick(silence.until.ns));
    }
  }
  return next;
}

/// A silence names a rule, or a rule and its key text: `if_down` or `if_down(r1, *)`; `*` ends it.
bool Fold::silenced(std::uint32_t record) const {
  if (silences.empty()) {
    return false;
  }
  const std::string& rule = rule_of(keys[record]).name;
  const std::string full = rule + "(" + owner_text(keys[record]) + ")";
  for (const auto& [text, silence] : silences) {
    if (silence.until.ns != 0 && now >= silence.until.ns) {
      continue;
    }
    const std::size_t star = text.find('*');
    if (text == rule || text == full ||
        (star != std::string::npos && full.starts_with(std::string_view(text).substr(0, star)))) {
      return true;
    }
  }
  return false;
}

}  // namespace belfry::correlate
