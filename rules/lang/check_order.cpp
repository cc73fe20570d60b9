// The whole: what is computed before what, warnings over all declarations, the run of the checker.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "belfry/base/hash.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

void signals_in(const Expr* e, std::vector<Index>& out) {
  if (e == nullptr) {
    return;
  }
  if (e->kind == ExprKind::Active) {
    out.push_back(e->index);
  }
  for (const Expr* arg : e->args) {
    signals_in(arg, out);
  }
}

void signals_in(const std::vector<const Pattern*>& patterns, std::vector<Index>& out) {
  for (const Pattern* p : patterns) {
    if (p->leaf.signal != kNone) {
      out.push_back(p->leaf.signal);
    }
    signals_in(p->threshold, out);
    signals_in(p->target, out);
  }
}

}  // namespace

/// Kahn's order, smallest index first, so that it does not depend on hashes. A rule whose where
/// asks a graph comes after all that is down in it.
void Checker::signal_order() {
  const std::size_t n = program_->signals.size();
  std::vector<std::vector<Index>> derived(n);
  std::vector<std::uint32_t> waiting(n, 0);
  std::vector<std::vector<Index>> uses(n);
  std::map<std::pair<Index, Index>, std::string> through;
  for (Index s = 0; s < n; ++s) {
    const Signal& signal = program_->signals[s];
    signals_in(signal.patterns, uses[s]);
    if (signal.rule != kNone) {
      signals_in(program_->rules[signal.rule].patterns, uses[s]);
      signals_in(program_->rules[signal.rule].where, uses[s]);
      for (const Index graph : program_->rules[signal.rule].graphs) {
        for (const Graph::Down& down : program_->graphs[graph].down) {
          uses[s].push_back(down.signal);
          through[{down.signal, s}] = program_->graphs[graph].name + " -> ";
        }
      }
    }
    for (const Index from : uses[s]) {
      derived[from].push_back(s);
      ++waiting[s];
    }
  }
  std::vector<Index> ready;
  for (Index s = 0; s < n; ++s) {
    if (waiting[s] == 0) {
      ready.push_back(s);
    }
  }
  for (std::size_t done = 0; done < ready.size(); ++done) {
    for (const Index next : derived[ready[done]]) {
      if (--waiting[next] == 0) {
        ready.push_back(next);
      }
    }
  }
  program_->signal_order = ready;
  if (ready.size() == n) {
    return;
  }
  Index at = 0;
  while (waiting[at] == 0) {
    ++at;
  }
  const auto before = [&](Index s) {
    return *std::find_if(uses[s].begin(), uses[s].end(), [&](Index u) { return waiting[u] > 0; });
  };
  for (std::size_t i = 0; i < n; ++i) {
    at = before(at);
  }
  std::string path = program_->signals[at].name;
  Index to = at;
  do {
    const Index from = before(to);
    const auto graph = through.find({from, to});
    path = fmt::format("{} -> {}{}", program_->signals[from].name,
                       graph == through.end() ? "" : graph->second, path);
    to = from;
  } while (to != at);
  const Index rule = program_->signals[at].rule;
  const NodeRef node = rule == kNone ? signal_nodes_[at] : rule_nodes_[rule];
  error(node.token(1), "B0610", fmt::format("'{}' depends on itself", program_->signals[at].name),
        path);
}

void Checker::template_warnings() {
  // Two raises of different signals that match the same text; by (event, head, where).
  std::map<std::string, const Clause*> seen;
  for (const Clause& clause : program_->clauses) {
    if (clause.kind != ClauseKind::Raise ||
        (clause.head_template.empty() && clause.oid.empty() && clause.regex.empty())) {
      continue;
    }
    std::string text = clause.event_type + "|" + clause.oid + "|" + clause.regex + "|";
    for (const TemplatePart& part : clause.head_template) {
      text += part.literal.empty() ? "{}" : part.literal;
    }
    describe(clause.where, text);
    const auto [at, fresh] = seen.emplace(std::move(text), &clause);
    if (!fresh && at->second->signal == clause.signal && clause.place.file < trees_.size()) {
      const NodeRef node = signal_nodes_[clause.signal];
      report_.warning(node.token(1).mark(), "B0803",
                      fmt::format("two raises of '{}' match the same event (the second in line {})",
                                  program_->signals[clause.signal].name, clause.place.line),
                      "leave one out");
    } else if (!fresh) {
      const NodeRef node = signal_nodes_[clause.signal];
      report_.warning(node.token(1).mark(), "B0803",
                      fmt::format("'{}' and '{}' are raised by the same event (line {})",
                                  program_->signals[at->second->signal].name,
                                  program_->signals[clause.signal].name, clause.place.line),
                      "add a where to one of them if that is not meant");
    }
  }
}

void Checker::final_warnings() {
  template_warnings();
  hints();
  for (std::size_t r = 0; r < program_->rules.size(); ++r) {
    if (!tested_[r]) {
      report_.warning(rule_nodes_[r].token(1).mark(), "B0805",
                      fmt::format("no test names the rule '{}'", program_->rules[r].name),
                      "test \"...\" { +0s ... +1m expect open ... }");
    }
  }
}

/// A gap without an error would be a rule that silently never fires: our own mistake, told as one.
void Checker::complete() {
  const auto gap = [this](NodeRef node) {
    error(node.first(), "B0999", "the compiler lost this without saying why",
          "please report it with the file");
  };
  for (std::size_t r = 0; r < program_->rules.size(); ++r) {
    const Rule& rule = program_->rules[r];
    const bool values = std::all_of(rule.open.begin(), rule.open.end(),
                                    [](const OpenField& f) { return f.value != nullptr; });
    if (rule.when == nullptr || !values) {
      gap(rule_nodes_[r]);
    }
  }
  for (std::size_t s = 0; s < signal_nodes_.size(); ++s) {
    const Signal& signal = program_->signals[s];
    const std::size_t feeds = signal_nodes_[s].children(NodeKind::Feed).size();
    if (signal.clauses.size() + (signal.raise_when != nullptr) + (signal.clear_when != nullptr) <
        feeds) {
      gap(signal_nodes_[s]);
    }
  }
  std::set<std::tuple<Index, std::uint32_t, std::uint32_t>> made;
  for (const Cause& c : program_->causes) {
    made.emplace(c.place.file, c.place.line, c.place.column);
  }
  for (const NodeRef& node : cause_nodes_) {
    const Place at = place(node);
    if (!node.child(NodeKind::AnyOf) && !made.contains({at.file, at.line, at.column})) {
      gap(node);
    }
  }
}

void Checker::declare_rules() {
  for (std::size_t i = 0; i < rule_nodes_.size(); ++i) {
    const std::string_view name = rule_nodes_[i].token(1).text();
    const Index index = static_cast<Index>(program_->signals.size());
    if (!signals_.emplace(name, index).second) {
      error(rule_nodes_[i].token(1), "B0210",
            fmt::format("'{}' is the name of a signal and of a rule", name), "rename one of them");
    }
    Signal& signal = program_->signals.emplace_back();
    signal.name = name;
    signal.rule = static_cast<Index>(i);
    signal.place = place(rule_nodes_[i]);
    Rule& rule = program_->rules.emplace_back(default_rule_);
    rule.name = name;
    rule.signal = index;
    rule.limit = default_limit_;
    rule.place = signal.place;
    states_.emplace_back();
  }
}

/// What names rules and is named by none.
void Checker::about_rules() {
  for (const NodeRef& node : cause_nodes_) {
    cause(node);
  }
  for (const NodeRef& node : maintenance_nodes_) {
    maintenance(node);
  }
}

std::shared_ptr<const Program> Checker::run() {
  declare();
  program_->schema = schema_;
  schema();
  for (std::size_t i = 0; i < signal_nodes_.size(); ++i) {
    program_->signals[i].params = params(signal_nodes_[i].child(NodeKind::Params));
    program_->signals[i].limit = default_limit_;
  }
  for (std::size_t i = 0; i < measure_nodes_.size(); ++i) {
    Signal& signal = program_->signals[measure_index(i)];
    signal.params = params(measure_nodes_[i].child(NodeKind::Params));
    signal.limit = default_limit_;
  }
  program_->calendars.resize(calendar_nodes_.size());
  for (std::size_t i = 0; i < calendar_nodes_.size(); ++i) {
    calendar(calendar_nodes_[i], program_->calendars[i]);
  }
  event_signals();
  declare_rules();
  tested_.resize(rule_nodes_.size());
  graphs();
  program_->policies.resize(policy_nodes_.size());
  program_->escalations.resize(escalation_nodes_.size());
  for (std::size_t i = 0; i < policy_nodes_.size(); ++i) {
    policy_head(policy_nodes_[i], static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < measure_nodes_.size(); ++i) {
    measure(i);
  }
  for (std::size_t i = 0; i < rule_nodes_.size(); ++i) {
    ensure_rule(static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < signal_nodes_.size(); ++i) {
    signal(static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < policy_nodes_.size(); ++i) {
    policy(policy_nodes_[i], static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < escalation_nodes_.size(); ++i) {
    escalation(escalation_nodes_[i], static_cast<Index>(i));
  }
  for (std::size_t i = 0; i < rule_nodes_.size(); ++i) {
    rule_body(static_cast<Index>(i));
  }
  measure_lifetimes();
  about_rules();
  for (const NodeRef& node : test_nodes_) {
    test(node);
  }
  if (report_.errors() == 0) {
    complete();
  }
  if (report_.errors() == 0) {
    signal_order();
    cause_order();
    name_reach();
  }
  if (report_.errors() == 0) {
    final_warnings();
  }
  for (Expr& e : program_->exprs) {
    e.index = e.kind == ExprKind::Field ? kNone : e.index;
  }
  std::string all;
  for (const SourceFile& file : files_) {
    program_->files.push_back(file.path);
    all += fmt::format("{}\n{}\n", file.text.size(), file.text);
  }
  program_->hash = content_hash(all);
  return report_.errors() == 0 ? program_ : nullptr;
}

}  // namespace belfry::rules
