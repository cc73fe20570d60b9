// Graphs in the fold: facts take elements out, the propagation settles R and F once all `down`
// signals have been passed, and what asked about an element whose answer changed looks again.
//
//   raise / clear of a `down` signal ─> graph_fact() ─> settle_graphs() ─> rules with where:
//   touched
//                                                              └─> graph_changes ─> ask_again()
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

namespace {

LiveGraph::Ask ask_of(const rules::CauseProbe& probe) {
  switch (probe.ask) {
    case rules::ExprKind::Behind:
      return LiveGraph::Ask::Behind;
    case rules::ExprKind::Neighbour:
      return LiveGraph::Ask::Neighbour;
    case rules::ExprKind::Ends:
      return probe.turned ? LiveGraph::Ask::EndsOf : LiveGraph::Ask::Ends;
    default:
      return LiveGraph::Ask::CutOff;
  }
}

}  // namespace

/// Number of a row in a graph; kNil when it is not in it.
LiveGraph::Element Fold::element(std::uint32_t graph, const Value& row) const {
  const rules::Graph& of = plan->program->graphs[graph];
  if (row.type != Type::Row || (row.aux != of.nodes && row.aux != of.edges)) {
    return kNil;
  }
  return graphs[graph].find(row.text, row.aux == of.edges);
}

/// Everything anew: from the inventory, and from the signal keys that are up. Whoever asked before
/// has to ask again.
void Fold::build_graphs() {
  graphs.clear();
  graphs.resize(plan->program->graphs.size());
  graph_changes.assign(graphs.size(), {});
  askers.assign(graphs.size(), {});
  asked_by.clear();
  for (std::uint32_t g = 0; g < graphs.size(); ++g) {
    build_graph(g);
  }
  for (std::uint32_t i = 0; i < signal_keys.end(); ++i) {
    if (signal_keys.has(i)) {
      graph_fact(i, true);
    }
  }
  for (std::uint32_t g = 0; g < graphs.size(); ++g) {
    graphs[g].settle(graph_changes[g]);
    graph_changes[g].clear();
  }
}

void Fold::build_graph(std::uint32_t index) {
  LiveGraph::Tables tables;
  if (inventory == nullptr) {
    graphs[index].build(tables);
    return;
  }
  const rules::Graph& graph = plan->program->graphs[index];
  for (std::size_t r = 0; r < inventory->row_count(graph.nodes); ++r) {
    const std::string_view key = inventory->row(graph.nodes, r).key;
    tables.nodes.push_back(key);
    const Value row = Value::row(graph.nodes, key);
    if (rules::holds(graph.roots, env({&row, 1}))) {
      tables.roots.push_back(key);
    }
  }
  for (std::size_t r = 0; r < inventory->row_count(graph.edges); ++r) {
    const Row& row = inventory->row(graph.edges, r);
    const Value &a = row.cells[graph.column_a], &b = row.cells[graph.column_b];
    if (a.type == Type::Row && b.type == Type::Row) {
      tables.edges.push_back({row.key, a.text, b.text});
    }
  }
  graphs[index].build(tables);
}

/// A key of a signal went up or down.
void Fold::graph_fact(std::uint32_t signal_key, bool up) {
  const SignalKey& key = signal_keys[signal_key];
  const SignalPlan& signal = plan->signals[key.signal];
  if (signal.downs.empty()) {
    return;
  }
  const Vars vars = values_of(key.key, *signal.params);
  const rules::Env scope = env(vars.span());
  for (const GraphDown& use : signal.downs) {
    const rules::Graph::Down& down = plan->program->graphs[use.graph].down[use.down];
    const bool counts =
        std::all_of(down.filters.begin(), down.filters.end(),
                    [&](const rules::Expr* filter) { return rules::holds(filter, scope); });
    const LiveGraph::Element e =
        counts ? element(use.graph, vars.values[down.part]) : LiveGraph::Element{kNil};
    if (e == kNil) {
      continue;
    }
    if (up) {
      graphs[use.graph].take_out(e);
    } else {
      graphs[use.graph].put_back(e);
    }
  }
}

/// Graphs whose `down` signals have all been passed when the owner at `place` is next.
void Fold::settle_graphs(std::uint32_t place) {
  for (std::uint32_t g = 0; g < graphs.size(); ++g) {
    const GraphPlan& graph_plan = plan->graphs[g];
    if (!graphs[g].touched() || graph_plan.place >= place || !graphs[g].settle(graph_changes[g])) {
      continue;
    }
    for (const std::uint32_t owner : graph_plan.owners) {
      const std::vector<std::uint32_t> all(owner_tables[owner].begin(), owner_tables[owner].end());
      for (const std::uint32_t record : all) {
        mark_dirty(record);
      }
    }
  }
}

/// Incidents that asked about an element whose answer may have changed.
void Fold::ask_again() {
  for (std::uint32_t g = 0; g < graph_changes.size(); ++g) {
    if (graph_changes[g].empty()) {
      continue;
    }
    std::vector<std::uint32_t> again;
    for (const LiveGraph::Element e : graph_changes[g]) {
      const auto it = askers[g].find(e);
      if (it != askers[g].end()) {
        again.insert(again.end(), it->second.begin(), it->second.end());
      }
    }
    graph_changes[g].clear();
    std::sort(again.begin(), again.end());
    again.erase(std::unique(again.begin(), again.end()), again.end());
    for (const std::uint32_t record : again) {
      unwatch_causes(record);
      watch_causes(record);
      add_work(record);
    }
    for (const std::uint32_t cause : plan->graphs[g].scans) {
      for (const std::uint32_t symptom : scan_symptoms[cause]) {
        add_work(symptom);
      }
    }
  }
}

void Fold::note_asked(std::uint32_t graph, LiveGraph::Element e) {
  if (asking == kNil || e == kNil) {
    return;
  }
  absl::InlinedVector<std::uint32_t, 2>& list = askers[graph][e];
  if (list.empty() || list.back() != asking) {  // doubles are removed before they are used
    list.push_back(asking);
    asked_by[asking].push_back({graph, e});
  }
}

void Fold::forget_asked(std::uint32_t record) {
  const auto found = asked_by.find(record);
  if (found == asked_by.end()) {
    return;
  }
  for (const auto& [graph, e] : found->second) {
    const auto it = askers[graph].find(e);
    if (it != askers[graph].end()) {
      it->second.erase(std::remove(it->second.begin(), it->second.end(), record), it->second.end());
      if (it->second.empty()) {
        askers[graph].erase(it);
      }
    }
  }
  asked_by.erase(found);
}

bool Fold::answer(rules::ExprKind what, std::uint32_t graph, const Value& x, const Value& y) {
  if (graph >= graphs.size()) {
    return false;
  }
  const LiveGraph::Element of = element(graph, x);
  if (of == kNil) {
    return false;
  }
  const LiveGraph& live = graphs[graph];
  if (what == rules::ExprKind::Frontier) {
    note_asked(graph, of);
    return live.frontier(of);
  }
  const LiveGraph::Element by = element(graph, y);
  if (what == rules::ExprKind::CutOff) {
    note_asked(graph, of);
  }
  if (by == kNil) {
    return false;
  }
  switch (what) {
    case rules::ExprKind::CutOff:
      return live.cut_off(of, by);
    case rules::ExprKind::Behind:
      return live.behind(of, by);
    case rules::ExprKind::Neighbour:
      return live.neighbour(of, by);
    case rules::ExprKind::Ends:
      return live.ends(of, by);
    default:
      return false;
  }
}

/// Key parts of a cause that a probe into a graph finds.
void Fold::graph_range(const rules::CauseProbe& probe, const Value& from, std::vector<Value>& to) {
  const LiveGraph::Element x = element(probe.relation, from);
  if (x == kNil) {
    return;
  }
  const LiveGraph& live = graphs[probe.relation];
  const rules::Graph& graph = plan->program->graphs[probe.relation];
  if (probe.ask == rules::ExprKind::CutOff) {
    note_asked(probe.relation, x);
  }
  std::vector<LiveGraph::Element> found;
  live.range(ask_of(probe), x, found);
  for (const LiveGraph::Element e : found) {
    if (live.is_edge(e) == probe.edge) {
      to.push_back(Value::row(probe.edge ? graph.edges : graph.nodes, live.key(e)));
    }
  }
}

/// What the incident about a lost vantage point says (LANGUAGE 3); empty for all others.
std::string Fold::blind_note(std::uint32_t record) const {
  const OwnerKey& key = keys[record];
  const Vars vars = values_of(key.key, *plan->owners[key.owner].params);
  for (std::uint32_t g = 0; g < graphs.size(); ++g) {
    if (!graphs[g].blind()) {
      continue;
    }
    for (const Value& part : vars.span()) {
      const LiveGraph::Element e = element(g, part);
      if (e != kNil && graphs[g].is_root(e)) {
        return "all roots of the graph " + plan->program->graphs[g].name +
               " are down: it suppresses nothing";
      }
    }
  }
  return {};
}

/// A step in a circle of causes does not explain what stands in the frontier itself.
bool Fold::circle_forbids(const rules::Cause& cause, std::span<const Value> symptom_key) {
  if (cause.circle == rules::kNone) {
    return false;
  }
  bool inside = false;
  for (const Value& part : symptom_key) {
    inside |= answer(rules::ExprKind::Frontier, cause.circle, part, {});
  }
  return inside;
}

}  // namespace belfry::correlate
