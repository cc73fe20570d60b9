// The life of incidents (LANGUAGE 6.5 to 6.9, 6.16).
#include <algorithm>

#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "reference.hpp"

namespace belfry::testing {

IncidentId Reference::make_id(const std::string& rule, const std::string& key, Instant at,
                              Seq seq) {
  std::string bytes = rule;
  bytes.push_back('\0');
  bytes += key;
  bytes.push_back('\0');
  for (std::uint64_t n : {static_cast<std::uint64_t>(at.ns), seq.value}) {
    for (int i = 0; i < 8; ++i, n >>= 8) {
      bytes.push_back(static_cast<char>(n & 0xff));
    }
  }
  return {hash64(bytes)};
}

void Reference::run(const IncidentRef& ref, Seq seq, std::vector<IncidentChange>& out) {
  bool changed = false;
  while (step(ref, seq, out)) {
    changed = true;
  }
  if (changed) {
    push_symptoms(ref);
  }
}

/// One step of the state machine; true when the state changed.
bool Reference::step(const IncidentRef& ref, Seq seq, std::vector<IncidentChange>& out) {
  RuleKey* k = ref.second;
  if (!k->holds) {
    k->blocked = false;
  }
  if (k->removed && step_removed(ref, out)) {
    return true;
  }
  switch (k->life) {
    case Life::Idle:
    case Life::Closed:
      return step_idle(ref, seq);
    case Life::Pending:
      return step_pending(ref, out);
    case Life::Waiting:
      return step_waiting(ref, out);
    case Life::Open:
    case Life::Symptom:
      return step_live(ref, out);
    case Life::Clearing:
      return step_clearing(ref, out);
  }
  return false;
}

bool Reference::step_idle(const IncidentRef& ref, Seq seq) {
  const auto& [node, k] = ref;
  if (k->begun && !k->blocked) {
    if (k->life == Life::Idle) {
      k->began = now_;
      k->began_seq = seq;
      k->id = make_id(node->rule->name, k->text, now_, seq);
    }
    k->life = Life::Pending;
    k->released = false;
    return true;
  }
  if (k->life == Life::Closed) {
    if (passed(k->closed_at + node->rule->reopen)) {
      forget(*k);
      return true;
    }
    arm(k->closed_at + node->rule->reopen, node->rule->name, k->text);
  }
  return false;
}

bool Reference::step_pending(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  if (k->released && !k->holds) {
    close(ref, IncidentReason::PatternEnded, out);
    return true;
  }
  if (!k->begun) {
    return drop(*k);
  }
  if (k->released) {
    if (k->due.ns > now_.ns && !passed(k->due)) {
      arm(k->due, node->rule->name, k->text);
      return false;
    }
  } else if (!k->holds) {
    return false;
  } else {
    k->due = now_;
  }
  k->life = Life::Waiting;
  return true;
}

bool Reference::step_live(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  if (node->rule->clear == rules::ClearKind::When) {
    if (k->cleared) {
      close(ref, IncidentReason::PatternEnded, out);
      return true;
    }
  } else if (!k->holds && node->rule->clear != rules::ClearKind::Manual) {
    return end_pattern(ref, out);
  }
  const auto found = candidates(ref);
  if (k->life == Life::Symptom) {
    if (found.empty()) {
      release(ref, out);
      return true;
    }
    refresh_causes(ref);
    return false;
  }
  const bool due = std::any_of(found.begin(), found.end(), [](const IncidentRef& a) {
    return a.second->life != Life::Pending;
  });
  if (due) {
    become_symptom(ref, IncidentReason::Adopted, out);
  } else {
    step_planned(ref, out);
  }
  return due;
}

bool Reference::step_waiting(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  const rules::Rule& rule = *node->rule;
  if (!k->holds) {
    if (k->released) {
      close(ref, IncidentReason::PatternEnded, out);
      return true;
    }
    if (!k->begun) {
      return drop(*k);
    }
    k->life = Life::Pending;
    return true;
  }
  bool waits = false;
  for (const auto& [a_node, a] : candidates(ref)) {
    if (a->life != Life::Pending && a->life != Life::Waiting) {
      become_symptom(ref, IncidentReason::Explained, out);
      return true;
    }
    waits = true;
  }
  const auto wait = [&](Instant until) {
    if (passed(until)) {
      return false;
    }
    arm(until, rule.name, k->text);
    return true;
  };
  if (waits && rule.hold.count() > 0 && wait(k->due + rule.hold)) {
    return false;
  }
  const bool settles = rule.explainable || !rule.one_by.empty();
  if (settles && rule.settle.count() > 0 && wait(k->due + rule.settle)) {
    return false;
  }
  if (k->released && rule.recover.count() > 0 && wait(k->released_at + rule.recover)) {
    return false;
  }
  if (k->released && probe_fed(*node) &&
      std::max(k->last_raise, k->last_sample) <= k->released_at) {
    return false;  // until a probe says that it is still so
  }
  if (!rule.one_by.empty() && step_one_by(ref, out)) {
    return true;
  }
  open(ref, out);
  return true;
}

bool Reference::probe_fed(const Node& node) const {
  return std::any_of(node.patterns->begin(), node.patterns->end(), [&](const rules::Pattern* p) {
    return is_leaf(*p) && program_->signals[p->leaf.signal].probe_fed;
  });
}

/// K would open: true when it became the symptom of a greater one.
bool Reference::step_one_by(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  std::vector<IncidentRef> waiting{ref}, opened;
  for (auto& [text, other] : node->keys) {
    if (&other == k || !share_contributor(*node, *k, other)) {
      continue;
    }
    if (other.life == Life::Open) {
      opened.push_back({node, &other});
    } else if (other.life == Life::Waiting) {
      waiting.push_back({node, &other});
    }
  }
  const auto best = [&](std::vector<IncidentRef>& of) {
    return *std::min_element(of.begin(), of.end(), [&](const IncidentRef& a, const IncidentRef& b) {
      const auto va = one_by_values(a), vb = one_by_values(b);
      return va != vb ? va > vb : a.second->text < b.second->text;
    });
  };
  const IncidentRef first = best(opened.empty() ? waiting : opened);
  if (first.second == k) {
    return false;
  }
  if (opened.empty()) {
    open(first, out);
    push_symptoms(first);
    work_.insert(first);
  }
  k->sibling = first.second->id;
  become_symptom(ref, IncidentReason::Explained, out);
  return true;
}

bool Reference::share_contributor(Node& node, const RuleKey& a, const RuleKey& b) {
  for (const rules::Pattern* pattern : *node.patterns) {
    if (!is_leaf(*pattern) || !in_tree(node.when, pattern)) {
      continue;
    }
    for (const auto& [text, signal] : signals_[pattern->leaf.signal]) {
      if (reaches(pattern->leaf, signal.key, a.key) && reaches(pattern->leaf, signal.key, b.key)) {
        return true;
      }
    }
  }
  return false;
}

std::vector<double> Reference::one_by_values(const IncidentRef& ref) {
  Numbers measured = numbers(*ref.first, *ref.second);
  rules::Env e = env(ref.second->key);
  e.measured = &measured.values;
  std::vector<double> out;
  for (const rules::Expr* expr : ref.first->rule->one_by) {
    const Value value = rules::evaluate(*expr, e);
    out.push_back(value.is_number() ? value.number() : -1e300);
  }
  return out;
}

bool Reference::end_pattern(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  if (node->rule->clear == rules::ClearKind::WithPattern) {
    close(ref, IncidentReason::PatternEnded, out);
    return true;
  }
  k->ended_at = now_;
  const auto before = k->life == Life::Symptom ? IncidentState::Symptom : IncidentState::Open;
  k->was_symptom = k->life == Life::Symptom;
  k->life = Life::Clearing;
  emit(ref, before, IncidentReason::PatternEnded, out);
  return true;
}

Instant Reference::clear_deadline(const IncidentRef& ref) const {
  const auto& [node, k] = ref;
  if (node->rule->clear == rules::ClearKind::Quiet) {
    return std::max(k->ended_at, k->last_raise + node->rule->clear_for);
  }
  return k->ended_at + node->rule->clear_for;
}

bool Reference::step_clearing(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  if (k->holds) {
    const auto found = candidates(ref);
    const bool due = std::any_of(found.begin(), found.end(), [](const IncidentRef& a) {
      return a.second->life != Life::Pending;
    });
    k->life = due ? Life::Symptom : Life::Open;
    refresh_causes(ref);
    if (!due) {
      k->causes.clear();
      plan(ref);
    }
    emit(ref, IncidentState::Clearing, IncidentReason::Returned, out);
    return true;
  }
  const Instant from = clear_deadline(ref);
  if (passed(from)) {
    close(ref, IncidentReason::PatternEnded, out);
    return true;
  }
  refresh_causes(ref);
  arm(from, node->rule->name, k->text);
  return false;
}

/// Pending that ends before it was due leaves no trace.
bool Reference::drop(RuleKey& key) {
  if (key.shown_before) {
    key.life = Life::Closed;
  } else {
    const auto [count, flaps] = std::pair(key.count, key.flaps);
    forget(key);  // there was no incident yet: what the key counts stays
    key.count = count;
    key.flaps = flaps;
  }
  return true;
}

void Reference::forget(RuleKey& key) {
  key.life = Life::Idle;
  key.removed = false;
  key.count = 0;
  key.flaps = 0;
  key.nth = 0;
  key.shown_before = false;
  key.released = false;
  key.sibling = {};
  key.causes.clear();
  key.told_causes.clear();
  key.told_symptoms = 0;
  key.told.reset();
  key.told_window = {"", Instant{0}};
  key.noted.clear();
  key.planned = false;
}

void Reference::open(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  RuleKey& k = *ref.second;
  k.life = Life::Open;
  k.causes.clear();
  plan(ref);
  emit(ref, IncidentState::Pending, k.shown_before ? IncidentReason::Reopened : IncidentReason::Due,
       out);
  k.released = false;
  arm_windows(ref);
}

void Reference::close(const IncidentRef& ref, IncidentReason reason,
                      std::vector<IncidentChange>& out) {
  RuleKey& k = *ref.second;
  k.life = Life::Closed;
  k.closed_at = now_;
  k.shown_before = true;
  emit(ref, IncidentState::Open, reason, out);
  k.released = false;
  k.removed = false;
  k.planned = false;
  k.noted.clear();
  k.sibling = {};
  k.causes.clear();
  k.blocked = reason != IncidentReason::PatternEnded && k.holds;
}

void Reference::become_symptom(const IncidentRef& ref, IncidentReason reason,
                               std::vector<IncidentChange>& out) {
  RuleKey& k = *ref.second;
  const auto before = k.life == Life::Open ? IncidentState::Open : IncidentState::Pending;
  k.life = Life::Symptom;
  k.planned = false;
  k.released = false;
  refresh_causes(ref);
  emit(ref, before, reason, out);
}

void Reference::release(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  RuleKey& k = *ref.second;
  k.life = Life::Pending;
  k.released = true;
  k.released_at = now_;
  k.due = now_ + delay(k, *ref.first->when);
  k.sibling = {};
  k.causes.clear();
  emit(ref, IncidentState::Symptom, IncidentReason::Released, out);
}

// ---------------------------------------------------------------------------------------- causes

std::vector<Reference::IncidentRef> Reference::candidates(const IncidentRef& ref) {
  const auto& [node, b] = ref;
  std::vector<IncidentRef> out;
  for (Node& other : nodes_) {
    for (auto& [text, a] : other.keys) {
      const bool lives = other.live && a.life != Life::Idle && a.life != Life::Closed;
      if (other.rule == nullptr || !lives || &a == b) {
        continue;
      }
      bool explained = b->sibling.value != 0 && a.id == b->sibling;
      for (const rules::Cause& cause : program_->causes) {
        explained =
            explained || (&program_->rules[cause.cause] == other.rule &&
                          &program_->rules[cause.symptom] == node->rule && explains(cause, a, *b));
      }
      if (explained) {
        out.push_back({&other, &a});
      }
    }
  }
  std::sort(out.begin(), out.end(), [](const IncidentRef& x, const IncidentRef& y) {
    return std::tuple(x.second->began, x.first->rule->name, x.second->text) <
           std::tuple(y.second->began, y.first->rule->name, y.second->text);
  });
  return out;
}

bool Reference::explains(const rules::Cause& cause, const RuleKey& a, const RuleKey& b) {
  std::vector<Value> vars;
  for (const rules::CauseVar& var : cause.vars) {
    Value value;
    if (var.cause_part != rules::kNone) {
      value = a.key[var.cause_part];
    }
    if (var.symptom_part != rules::kNone) {
      const Value& other = b.key[var.symptom_part];
      if (var.cause_part != rules::kNone && !(value == other)) {
        return false;
      }
      value = other;
    }
    vars.push_back(value);
  }
  const bool in_circle = cause.circle != rules::kNone;
  for (const Value& part : b.key) {  // a step in a circle: not of what is in the frontier itself
    if (in_circle && ask_graph(rules::ExprKind::Frontier, cause.circle, part, {})) {
      return false;
    }
  }
  const rules::Env e = env(vars);
  for (const rules::Expr* filter : cause.filters) {
    if (!rules::holds(filter, e)) {
      return false;
    }
  }
  return rules::holds(cause.where, e);
}

/// Whoever this incident could explain looks again.
void Reference::push_symptoms(const IncidentRef& ref) {
  for (Node& other : nodes_) {
    for (auto& [text, b] : other.keys) {
      if (other.rule == nullptr || b.life == Life::Idle || &b == ref.second) {
        continue;
      }
      bool can = b.sibling.value != 0 && b.sibling == ref.second->id;
      for (const rules::Cause& cause : program_->causes) {
        can = can ||
              (&program_->rules[cause.cause] == ref.first->rule &&
               &program_->rules[cause.symptom] == other.rule && explains(cause, *ref.second, b));
      }
      if (can) {
        work_.insert({&other, &b});
      }
    }
  }
}

void Reference::refresh_causes(const IncidentRef& ref) {
  RuleKey& k = *ref.second;
  if (k.life == Life::Symptom || (k.life == Life::Clearing && k.was_symptom)) {
    k.causes.clear();
    for (const auto& [node, a] : candidates(ref)) {
      k.causes.push_back(a->id);
    }
  }
}

std::uint32_t Reference::symptoms_of(const RuleKey& key) const {
  std::uint32_t n = 0;
  for (const Node& node : nodes_) {
    for (const auto& [text, b] : node.keys) {
      const bool symptom = b.life == Life::Symptom || (b.life == Life::Clearing && b.was_symptom);
      n += symptom && !b.causes.empty() && b.causes.front() == key.id ? 1 : 0;
    }
  }
  return n;
}

}  // namespace belfry::testing
