// What the reference tells of an incident.
#include <algorithm>
#include <tuple>

#include "reference.hpp"

namespace belfry::testing {

Reference::Numbers Reference::numbers(Node& node, RuleKey& key) {
  Numbers out;
  for (const rules::Pattern* pattern : *node.patterns) {
    if (pattern->kind != rules::PatternKind::Aggregate) {
      continue;
    }
    std::vector<double>* to = nullptr;
    switch (pattern->aggregate) {
      case rules::AggregateKind::CountEvents:
      case rules::AggregateKind::CountKeys:
        to = &out.count;
        break;
      case rules::AggregateKind::Flaps:
        to = &out.flaps;
        break;
      case rules::AggregateKind::DistinctValues:
      case rules::AggregateKind::DistinctKeys:
        to = &out.distinct;
        break;
      case rules::AggregateKind::Share:
        to = &out.share;
        break;
      case rules::AggregateKind::RateEvents:
      case rules::AggregateKind::Avg:
      case rules::AggregateKind::Min:
      case rules::AggregateKind::Max:
      case rules::AggregateKind::Sum:
      case rules::AggregateKind::Rate:
      case rules::AggregateKind::Eta:
        add_sampled(out, *pattern, key);
        continue;
    }
    to->resize(std::max<std::size_t>(to->size(), pattern->name_index + 1), 0);
    (*to)[pattern->name_index] = measure(key, *pattern, false);
  }
  if (out.count.empty()) {
    out.count.push_back(static_cast<double>(key.count));
  }
  if (out.flaps.empty()) {
    out.flaps.push_back(static_cast<double>(key.flaps));
  }
  out.values.count = out.count;
  out.values.distinct = out.distinct;
  out.values.share = out.share;
  out.values.flaps = out.flaps;
  out.values.value = out.value;
  out.values.rate = out.rate;
  out.values.eta = out.eta;
  out.values.symptoms = symptoms_of(key);
  return out;
}

void Reference::fill_texts(Incident& i, Node& node, RuleKey& k) {
  Numbers measured = numbers(node, k);
  rules::Env e = env(k.key);
  e.measured = &measured.values;
  for (const rules::OpenField& field : node.rule->open) {
    if (field.value != nullptr && field.name == "title") {
      i.title = rules::render_text(*field.value, e);
    } else if (field.value != nullptr && field.name == "severity") {
      const Value severity = rules::evaluate(*field.value, e);
      if (severity.type == Type::Enum) {
        i.severity = static_cast<Severity>(severity.i);
      }
    }
  }
}

void Reference::emit(const IncidentRef& ref, IncidentState before, IncidentReason reason,
                     std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  IncidentChange change;
  change.before = before;
  change.reason = reason;
  change.nth = ++k->nth;
  Incident& i = change.after;
  i.id = k->id;
  i.rule = node->rule->name;
  for (const Value& part : k->key) {
    i.key.push_back(to_text(part));
  }
  constexpr IncidentState kStates[]{
      IncidentState::Pending, IncidentState::Pending,  IncidentState::Pending, IncidentState::Open,
      IncidentState::Symptom, IncidentState::Clearing, IncidentState::Closed};
  i.state = k->life == Life::Open && k->planned ? IncidentState::Planned
                                                : kStates[static_cast<std::size_t>(k->life)];
  i.began_at = k->began;
  i.began_seq = k->began_seq;
  i.causes = k->causes;
  i.symptoms = symptoms_of(*k);
  i.count = k->count;
  i.flaps = k->flaps;
  // Once the pattern has ended the texts stay: what it was, not the nothing that is left of it.
  if ((k->life == Life::Clearing || k->life == Life::Closed) && k->told) {
    i.title = k->told->first;
    i.severity = k->told->second;
    std::tie(i.maintenance, i.planned_until) = k->told_window;
  } else {
    fill_texts(i, *node, *k);
    const auto held = k->life == Life::Open ? cover_of(ref).held : std::nullopt;
    if (held) {
      i.maintenance = held->name;
      i.planned_until = held->until;
    }
  }
  k->told_window = {i.maintenance, i.planned_until};
  k->told = {i.title, i.severity};
  k->told_causes = k->causes;
  k->told_symptoms = i.symptoms;
  out.push_back(std::move(change));
}

void Reference::update_visible(std::vector<IncidentChange>& out) {
  std::set<IncidentRef, ByDepth> visible;
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      if (node.rule != nullptr &&
          (key.life == Life::Open || key.life == Life::Symptom || key.life == Life::Clearing)) {
        visible.insert({&node, &key});
        refresh_causes({&node, &key});
      }
    }
  }
  for (const IncidentRef& ref : visible) {
    RuleKey& k = *ref.second;
    if (k.causes != k.told_causes || symptoms_of(k) != k.told_symptoms) {
      constexpr IncidentState kBefore[]{IncidentState::Pending, IncidentState::Pending,
                                        IncidentState::Pending, IncidentState::Open,
                                        IncidentState::Symptom, IncidentState::Clearing,
                                        IncidentState::Closed};
      emit(ref, kBefore[static_cast<std::size_t>(k.life)], IncidentReason::Updated, out);
    }
  }
}

std::vector<IncidentId> Reference::live() const {
  std::vector<std::tuple<Instant, std::string, std::string, IncidentId>> all;
  for (const Node& node : nodes_) {
    for (const auto& [text, key] : node.keys) {
      if (node.rule != nullptr &&
          (key.life == Life::Open || key.life == Life::Symptom || key.life == Life::Clearing)) {
        all.emplace_back(key.began, node.rule->name, text, key.id);
      }
    }
  }
  std::sort(all.begin(), all.end());
  std::vector<IncidentId> out;
  for (const auto& [began, rule, text, id] : all) {
    out.push_back(id);
  }
  return out;
}

}  // namespace belfry::testing
