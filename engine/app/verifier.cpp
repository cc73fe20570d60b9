#include "verifier.hpp"

#include <set>

namespace belfry {
namespace {

/// Signals that a pattern stands on, through rules and derived signals.
void collect(const rules::Program& program, const std::vector<const rules::Pattern*>& patterns,
             std::set<rules::Index>& seen) {
  for (const rules::Pattern* pattern : patterns) {
    const rules::Index at = pattern->leaf.signal;
    if (at >= program.signals.size() || !seen.insert(at).second) {
      continue;
    }
    const rules::Signal& signal = program.signals[at];
    collect(program, signal.patterns, seen);
    if (signal.rule < program.rules.size()) {
      collect(program, program.rules[signal.rule].patterns, seen);
    }
  }
}

/// The check that the clause names by a plain text; empty: none.
std::string_view check_of(const rules::Clause& clause) {
  const bool named = clause.kind == rules::ClauseKind::Clear && clause.event_type == "probe" &&
                     clause.head_template.size() == 1 && clause.regex.empty();
  return named ? std::string_view(clause.head_template[0].literal) : std::string_view{};
}

Instant newest_news(const Incident& incident) {
  Instant at =
      incident.opened_at.ns > incident.began_at.ns ? incident.opened_at : incident.began_at;
  for (const Evidence& one : incident.evidence) {
    at = one.at.ns > at.ns ? one.at : at;
  }
  return at;
}

}  // namespace

std::map<std::string, std::vector<std::string>> clearing_checks(const rules::Program& program) {
  std::map<std::string, std::vector<std::string>> out;
  for (const rules::Rule& rule : program.rules) {
    std::set<rules::Index> signals;
    collect(program, rule.patterns, signals);
    std::set<std::string> checks;
    for (const rules::Index at : signals) {
      const rules::Signal& signal = program.signals[at];
      for (const rules::Index clause : signal.clauses) {
        const std::string_view check = check_of(program.clauses[clause]);
        if (!signal.probe_fed && !check.empty()) {
          checks.emplace(check);
        }
      }
    }
    if (!checks.empty()) {
      out[rule.name].assign(checks.begin(), checks.end());
    }
  }
  return out;
}

std::vector<Verifier::Ask> Verifier::due(
    const rules::Program& program,
    const std::function<std::vector<Incident>(const std::string& rule)>& open, Instant now) {
  std::vector<Ask> asks;
  std::map<IncidentId, Instant> still;
  for (const auto& [rule, checks] : clearing_checks(program)) {
    for (const Incident& incident : open(rule)) {
      const auto before = asked_.find(incident.id);
      Instant last = newest_news(incident);
      if (before != asked_.end()) {
        last = before->second.ns > last.ns ? before->second : last;
        still.insert(*before);
      }
      if (now - last < after_ || asks.size() >= kAsksOfOneLook) {
        continue;
      }
      still[incident.id] = now;
      for (const std::string& node : incident.nodes) {
        for (const std::string& check : checks) {
          asks.push_back({node, check});
        }
      }
    }
  }
  asked_ = std::move(still);
  return asks;
}

}  // namespace belfry
