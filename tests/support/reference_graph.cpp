// Graphs, straight from the definitions (SEMANTICS.md, Graphs): every question walks everything.
#include <algorithm>
#include <functional>

#include "reference.hpp"

namespace belfry::testing {

using rules::ExprKind;
using rules::Index;
using Names = std::set<std::string>;

namespace {

std::string node_name(std::string_view key) { return "node " + std::string(key); }
std::string edge_name(std::string_view key) { return "edge " + std::string(key); }

/// All that is reached from `from` by steps that `may` allows; an edge is joined to its ends.
Names walk(const Reference::NaiveGraph& graph, const Names& from,
           const std::function<bool(const std::string&)>& may) {
  Names seen;
  for (const std::string& start : from) {
    if (may(start)) {
      seen.insert(start);
    }
  }
  for (bool more = true; more;) {
    more = false;
    for (const auto& [edge, ends] : graph.edges) {
      const std::vector<std::string> joined{edge, ends.first, ends.second};
      for (std::size_t i = 0; i < 3; ++i) {
        const bool touches =
            i == 0 ? seen.contains(ends.first) || seen.contains(ends.second) : seen.contains(edge);
        if (touches && may(joined[i]) && seen.insert(joined[i]).second) {
          more = true;
        }
      }
    }
  }
  return seen;
}

bool contains(const std::pair<std::string, std::string>& ends, const std::string& node) {
  return ends.first == node || ends.second == node;
}

}  // namespace

Reference::NaiveGraph Reference::graph_now(Index index) {
  const rules::Graph& graph = program_->graphs[index];
  NaiveGraph out;
  for (std::size_t r = 0; r < inventory_->row_count(graph.nodes); ++r) {
    const Value row = Value::row(graph.nodes, inventory_->row(graph.nodes, r).key);
    out.nodes.insert(node_name(row.text));
    if (rules::holds(graph.roots, env({&row, 1}))) {
      out.roots.insert(node_name(row.text));
    }
  }
  for (std::size_t r = 0; r < inventory_->row_count(graph.edges); ++r) {
    const Row& row = inventory_->row(graph.edges, r);
    const Value &a = row.cells[graph.column_a], &b = row.cells[graph.column_b];
    if (!a.is_none() && !b.is_none()) {
      out.edges[edge_name(row.key)] = {node_name(a.text), node_name(b.text)};
      out.nodes.insert({node_name(a.text), node_name(b.text)});
    }
  }
  for (const rules::Graph::Down& down : graph.down) {
    for (const auto& [text, signal] : signals_[down.signal]) {
      const bool counts = std::all_of(
          down.filters.begin(), down.filters.end(),
          [&](const rules::Expr* filter) { return rules::holds(filter, env(signal.key)); });
      if (counts) {
        const std::string_view key = signal.key[down.part].text;
        out.removed.insert(down.edge ? edge_name(key) : node_name(key));
      }
    }
  }
  find_reached(out);
  return out;
}

/// R and F.
void Reference::find_reached(NaiveGraph& g) {
  g.reached = walk(g, g.roots, [&](const std::string& x) { return !g.removed.contains(x); });
  for (const std::string& node : g.nodes) {
    for (const auto& [edge, ends] : g.edges) {
      const bool touches = contains(ends, node) &&
                           (g.reached.contains(ends.first) || g.reached.contains(ends.second));
      if (g.removed.contains(node) && touches) {
        g.frontier.insert(node);
      }
    }
  }
  for (const auto& [edge, ends] : g.edges) {
    const bool at_r = g.reached.contains(ends.first) || g.reached.contains(ends.second);
    const bool at_f = g.frontier.contains(ends.first) || g.frontier.contains(ends.second);
    if (g.removed.contains(edge) && at_r && !at_f) {
      g.frontier.insert(edge);
    }
  }
}

bool Reference::ask_graph(ExprKind what, Index index, const Value& x, const Value& y) {
  const rules::Graph& graph = program_->graphs[index];
  const NaiveGraph g = graph_now(index);
  const auto name = [&](const Value& v) {
    if (v.type != Type::Row || (v.aux != graph.edges && v.aux != graph.nodes)) {
      return std::string();
    }
    return v.aux == graph.edges ? edge_name(v.text) : node_name(v.text);
  };
  const auto known = [&](const std::string& n) {
    return g.nodes.contains(n) || g.edges.contains(n);
  };
  const std::string a = name(x), b = name(y);
  if (what == ExprKind::Frontier) {
    return g.frontier.contains(a);
  }
  if (!known(a) || !known(b)) {
    return false;
  }
  const bool b_is_end = g.edges.contains(a) && contains(g.edges.at(a), b);
  switch (what) {
    case ExprKind::CutOff: {
      if (!g.frontier.contains(b) || a == b || b_is_end) {
        return g.frontier.contains(b);
      }
      const auto outside = [&](const std::string& n) { return !g.reached.contains(n); };
      return outside(a) && !g.frontier.contains(a) && walk(g, {a}, outside).contains(b);
    }
    case ExprKind::Behind: {
      const auto anything = [](const std::string&) { return true; };
      const auto without = [&](const std::string& n) { return n != b; };
      return a != b && walk(g, g.roots, anything).contains(a) &&
             !walk(g, g.roots, without).contains(a);
    }
    case ExprKind::Neighbour:
      return a != b && neighbours(g, a, b);
    case ExprKind::Ends:
      return g.edges.contains(b) && contains(g.edges.at(b), a);
    default:
      return false;
  }
}

bool Reference::neighbours(const NaiveGraph& g, const std::string& a, const std::string& b) {
  if (g.edges.contains(a) && g.edges.contains(b)) {
    return contains(g.edges.at(b), g.edges.at(a).first) ||
           contains(g.edges.at(b), g.edges.at(a).second);
  }
  return std::any_of(g.edges.begin(), g.edges.end(), [&](const auto& edge) {
    return contains(edge.second, a) && contains(edge.second, b);
  });
}

/// Before a rule is evaluated: its graphs may say something else than when it was last.
void Reference::touch_graph_rule(Node& node) {
  if (node.rule == nullptr) {
    return;
  }
  for (const Index graph : node.rule->graphs) {
    NaiveGraph g = graph_now(graph);
    auto& told = node.graphs[graph];
    if (told != std::pair(g.reached, g.frontier)) {
      told = {g.reached, g.frontier};
      for (const auto& [text, key] : node.keys) {
        node.touched.insert(text);
      }
    }
  }
}

/// R or F differ from the last round: whoever may be explained through them looks again.
void Reference::work_after_graphs() {
  for (Index graph = 0; graph < program_->graphs.size(); ++graph) {
    const NaiveGraph g = graph_now(graph);
    Reached& told = graphs_told_[program_->graphs[graph].name];
    if (told == std::pair(g.reached, g.frontier)) {
      continue;
    }
    told = {g.reached, g.frontier};
    for (Node& node : nodes_) {
      for (auto& [text, key] : node.keys) {
        const bool asks = std::any_of(
            program_->causes.begin(), program_->causes.end(), [&](const rules::Cause& cause) {
              return node.rule == &program_->rules[cause.symptom] &&
                     std::find(cause.graphs.begin(), cause.graphs.end(), graph) !=
                         cause.graphs.end();
            });
        if (asks && node.live && key.life != Life::Idle && key.life != Life::Closed) {
          work_.insert({&node, &key});
        }
      }
    }
  }
}

}  // namespace belfry::testing
