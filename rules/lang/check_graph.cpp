// Graphs (LANGUAGE 3): their declaration, and the questions that expressions ask of them.
//
//   x.behind(y)  x.cut_off(y)  x.neighbour(y)  x.edges(e)  GRAPH.frontier(x)
//
// The graph asked is the one that has both things; GRAPH.cut_off(x, y) names it.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

struct Method {
  std::string_view name;
  ExprKind kind;
};
constexpr std::array<Method, 5> kMethods{{{"behind", ExprKind::Behind},
                                          {"cut_off", ExprKind::CutOff},
                                          {"neighbour", ExprKind::Neighbour},
                                          {"edges", ExprKind::Ends},
                                          {"frontier", ExprKind::Frontier}}};

const Method* method_named(std::string_view word) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const Method& m) { return m.name == word; });
  return found == kMethods.end() ? nullptr : &*found;
}

bool has(const Graph& graph, const Expr* e) {
  return e->type == Type::Row && (e->of == graph.nodes || e->of == graph.edges);
}

/// What the method can be asked of: two elements, two of a kind, a node and an edge.
bool fits(const Graph& graph, ExprKind kind, const Expr* x, const Expr* y) {
  switch (kind) {
    case ExprKind::Neighbour:
      return x->of == y->of;
    case ExprKind::Ends:
      return x->of == graph.nodes && y->of == graph.edges;
    default:
      return true;
  }
}

}  // namespace

void Checker::graphs() {
  program_->graphs.resize(graph_nodes_.size());
  for (std::size_t i = 0; i < graph_nodes_.size(); ++i) {
    graph(graph_nodes_[i], program_->graphs[i]);
  }
}

void Checker::graph(NodeRef node, Graph& out) {
  out.name = node.token(1).text();
  out.place = place(node);
  if (!graph_parts(node, out)) {
    return;
  }
  graph_roots(node, out);
  for (const NodeRef& ref : node.children(NodeKind::SignalRef)) {
    graph_down(ref, out);
  }
}

/// nodes T  edges T (a, b)  roots T [where ...]  down ...: each once.
bool Checker::graph_parts(NodeRef node, Graph& out) {
  const std::vector<TokenRef> tokens = node.tokens();
  TokenRef nodes, edges, roots, a, b;
  bool down = false, twice = false;
  for (std::size_t i = 2; i + 1 < tokens.size(); ++i) {
    const std::string_view word = tokens[i].text();
    if (tokens[i].kind() != TokenKind::Word) {
      continue;
    }
    if (word == "nodes" || word == "roots") {
      TokenRef& to = word == "nodes" ? nodes : roots;
      twice = twice || to;
      to = tokens[++i];
    } else if (word == "edges" && i + 5 < tokens.size()) {
      twice = twice || edges;
      edges = tokens[i + 1];
      a = tokens[i + 3];
      b = tokens[i + 5];
      i += 6;
    } else if (word == "down") {
      down = true;
    }
  }
  if (node.broken()) {
    return false;  // told
  }
  if (twice || !nodes || !edges || !roots || !down) {
    error(node.token(1), "B0680",
          fmt::format("the graph '{}' needs its nodes, edges, roots and down, each once", out.name),
          "graph NAME { nodes device  edges link (a, b)  roots device where ...  down link_down(l) "
          "}");
    return false;
  }
  if (!graph_tables(node, out, nodes, edges) || !graph_end(out, a, out.column_a) ||
      !graph_end(out, b, out.column_b)) {
    return false;
  }
  if (roots.text() != nodes.text()) {
    error(roots, "B0681", fmt::format("roots are nodes: expected '{}'", nodes.text()),
          fmt::format("roots {} where ...", nodes.text()));
    return false;
  }
  return true;
}

bool Checker::graph_tables(NodeRef node, Graph& out, TokenRef nodes, TokenRef edges) {
  for (const TokenRef& word : {nodes, edges}) {
    const auto found = tables_.find(word.text());
    if (found == tables_.end()) {
      error(word, "B0206", fmt::format("no table is called '{}'", word.text()),
            did_you_mean(word.text(), names_of(tables_)));
      return false;
    }
    (word.mark().offset == nodes.mark().offset ? out.nodes : out.edges) = found->second;
  }
  if (out.nodes == out.edges) {
    error(node.token(1), "B0681", "nodes and edges are rows of two tables",
          "an edge is a row with two columns that name its ends");
    return false;
  }
  return true;
}

bool Checker::graph_end(Graph& out, TokenRef word, Index& column) {
  const TableSchema& table = schema_->tables[out.edges];
  const std::string& nodes = schema_->tables[out.nodes].name;
  std::vector<std::string_view> near;
  for (Index c = 0; c < table.columns.size(); ++c) {
    const ColumnSchema& each = table.columns[c];
    near.push_back(each.name);
    if (each.name != word.text()) {
      continue;
    }
    if (each.type != Type::Row || each.of != out.nodes || each.is_set) {
      error(word, "B0681",
            fmt::format("'{}.{}' is {}, an end of an edge is {}", table.name, each.name,
                        type_name(ty_of(each)), nodes));
      return false;
    }
    column = c;
    return true;
  }
  error(word, "B0203", fmt::format("the table '{}' has no column '{}'", table.name, word.text()),
        did_you_mean(word.text(), near));
  return false;
}

/// The condition reads the columns of the nodes' table by their names.
void Checker::graph_roots(NodeRef node, Graph& out) {
  const TableSchema& table = schema_->tables[out.nodes];
  Ty row;
  row.type = Type::Row;
  row.of = out.nodes;
  Expr* var = make(ExprKind::Var, row, node);
  var->index = 0;
  var->name = keep(table.name);
  Scope scope;
  scope.place = "in the roots of a graph";
  scope.vars.push_back({keep(table.name), 0, row});
  for (Index c = 0; c < table.columns.size(); ++c) {
    Expr* column = make(ExprKind::Column, ty_of(table.columns[c]), node);
    column->args = {var};
    column->table = out.nodes;
    column->index = c;
    column->name = keep(table.columns[c].name);
    scope.aliases.push_back({column->name, column});
  }
  for (const NodeRef& child : node.children()) {
    if (!child.is(NodeKind::SignalRef) && !child.is(NodeKind::Error)) {
      out.roots = condition(child, scope);
    }
  }
}

void Checker::graph_down(NodeRef ref, Graph& out) {
  const TokenRef word = ref.token(std::size_t{0});
  const auto signal = resolve_signal(word);
  if (!signal) {
    return;
  }
  const bool declared = *signal < signal_nodes_.size();
  if (!declared) {
    const bool rule = program_->signals[*signal].rule != kNone;
    error(word, "B0682",
          fmt::format("'{}' is {}: 'down' names signals", word.text(),
                      rule ? "a rule" : "no declared signal"),
          rule ? "the graph is computed before the rules that ask it: name the rule's signal"
               : "signal NAME(...) { raise ... clear ... }");
    return;
  }
  const LeafScope* leaf = leaf_scope(ref);
  const auto part = leaf == nullptr ? std::nullopt : graph_down_part(ref, out, *leaf);
  if (!part) {
    return;
  }
  Graph::Down down;
  down.signal = *signal;
  down.part = *part;
  down.edge = program_->signals[*signal].params[*part].of == out.edges;
  down.filters = leaf->filters;
  out.down.push_back(std::move(down));
}

/// The one parameter that is a node or an edge, among those that the arguments name.
std::optional<Index> Checker::graph_down_part(NodeRef ref, const Graph& graph,
                                              const LeafScope& leaf) {
  const std::vector<Param>& params = program_->signals[leaf.signal].params;
  const std::size_t given = ref.child(NodeKind::Args).children(NodeKind::Arg).size();
  std::vector<Index> found;
  for (Index p = 0; p < params.size(); ++p) {
    const bool element =
        params[p].type == Type::Row && (params[p].of == graph.nodes || params[p].of == graph.edges);
    if (element && (given == 0 || p < given) && !leaf.params[p].name.empty()) {
      found.push_back(p);
    }
  }
  if (found.size() == 1) {
    return found.front();
  }
  const std::string &nodes = schema_->tables[graph.nodes].name,
                    &edges = schema_->tables[graph.edges].name;
  error(ref, "B0682",
        found.empty() ? fmt::format("'{}' says nothing about a {} or a {}",
                                    program_->signals[leaf.signal].name, nodes, edges)
                      : fmt::format("'{}' names more than one {} or {}: which one is down?",
                                    program_->signals[leaf.signal].name, nodes, edges),
        found.empty() ? fmt::format("a signal with a parameter of type {} or {}", nodes, edges)
                      : "name that one, write '_' for the others");
  return std::nullopt;
}

bool Checker::is_graph_method(std::string_view word) { return method_named(word) != nullptr; }

std::string Checker::graph_things(Index graph) const {
  const Graph& g = program_->graphs[graph];
  const auto name = [this](Index table) {
    return table < schema_->tables.size() ? std::string_view(schema_->tables[table].name)
                                          : std::string_view("?");
  };
  return fmt::format("{} has {} and {}", g.name, name(g.nodes), name(g.edges));
}

/// A relation of the same name goes first, where it relates these two.
bool Checker::takes_graph(const Expr* x, const Expr* y, Index relation) const {
  const RelationSchema& r = schema_->relations[relation];
  const auto same = [](const Expr* e, Type type, Index of) {
    return e->type != Type::Row || (e->type == type && e->of == of);
  };
  if (same(x, r.left_type, r.left) && same(y, r.right_type, r.right)) {
    return false;
  }
  return std::any_of(program_->graphs.begin(), program_->graphs.end(),
                     [&](const Graph& g) { return has(g, x) && has(g, y); });
}

std::optional<Index> Checker::graph_between(TokenRef at, std::string_view method, const Expr* x,
                                            const Expr* y) {
  std::vector<Index> found;
  std::string all;
  for (Index g = 0; g < program_->graphs.size(); ++g) {
    all += (all.empty() ? "" : "; ") + graph_things(g);
    if (has(program_->graphs[g], x) && has(program_->graphs[g], y)) {
      found.push_back(g);
    }
  }
  const bool broken = std::any_of(program_->graphs.begin(), program_->graphs.end(),
                                  [](const Graph& g) { return g.column_b == kNone; });
  if (found.size() == 1 || broken) {
    return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
  }
  if (found.empty()) {
    error(at, "B0684", fmt::format("no graph has {} and {}", value_name(x), value_name(y)),
          all.empty() ? fmt::format("declare the graph, or a relation '{}'", method) : all);
  } else {
    const std::string &a = program_->graphs[found[0]].name, &b = program_->graphs[found[1]].name;
    error(at, "B0684", fmt::format("both graphs '{}' and '{}' can be meant", a, b),
          fmt::format("{}.{}(x, y)", a, method));
  }
  return std::nullopt;
}

/// x.method(y)
const Expr* Checker::graph_method(NodeRef node, const Scope& scope) {
  const NodeRef callee = node.child(std::size_t{0});
  const TokenRef word = callee.token(TokenKind::Word);
  const NodeRef arg = node.child(NodeKind::Args).child(NodeKind::Arg).child(std::size_t{0});
  const NodeRef base = callee.child(std::size_t{0});
  if (word.text() == "frontier") {
    error(word, "B0684", "the frontier is a graph's", "GRAPH.frontier(x)");
    return nullptr;
  }
  const Expr* x = raw_expr(base, scope, {});
  const Expr* y = raw_expr(arg, scope, {});
  if (x == nullptr || y == nullptr) {
    return nullptr;
  }
  const auto graph = graph_between(word, word.text(), x, y);
  return graph ? graph_question(node, scope, word, *graph, x, y) : nullptr;
}

/// GRAPH.frontier(x), GRAPH.method(x, y)
const Expr* Checker::graph_call(NodeRef node, const Scope& scope, Index graph) {
  const NodeRef callee = node.child(std::size_t{0});
  const TokenRef word = callee.token(TokenKind::Word);
  const std::string& name = program_->graphs[graph].name;
  const Method* method = method_named(word.text());
  if (method == nullptr) {
    std::vector<std::string_view> names;
    for (const Method& m : kMethods) {
      names.push_back(m.name);
    }
    error(word, "B0684", fmt::format("a graph has no '{}'", word.text()),
          did_you_mean(word.text(), names, join_or(names)));
    return nullptr;
  }
  const std::vector<NodeRef> given = node.child(NodeKind::Args).children(NodeKind::Arg);
  const std::size_t wanted = method->kind == ExprKind::Frontier ? 1 : 2;
  if (given.size() != wanted) {
    error(word, "B0301",
          fmt::format("'{}' asks about {} thing{}, {} given", word.text(), wanted,
                      wanted == 1 ? "" : "s", given.size()),
          wanted == 1 ? fmt::format("{}.frontier(x)", name)
                      : fmt::format("{}.{}(x, y), or x.{}(y)", name, word.text(), word.text()));
    return nullptr;
  }
  const Expr* x = graph_row(raw_expr(given[0].child(std::size_t{0}), scope, {}), graph, given[0]);
  const Expr* y =
      wanted == 1 || x == nullptr
          ? nullptr
          : graph_row(raw_expr(given[1].child(std::size_t{0}), scope, {}), graph, given[1]);
  if (x == nullptr || (wanted == 2 && y == nullptr)) {
    return nullptr;
  }
  return graph_question(node, scope, word, graph, x, y);
}

/// A node or an edge of the graph; a text names a node.
const Expr* Checker::graph_row(const Expr* e, Index graph, NodeRef node) {
  const Graph& g = program_->graphs[graph];
  if (e == nullptr || g.nodes == kNone || g.edges == kNone) {
    return nullptr;  // told
  }
  if (e->kind == ExprKind::Const && e->type == Type::String) {
    Ty row;
    row.type = Type::Row;
    row.of = g.nodes;
    return coerce(e, row, node);
  }
  if (!has(g, e)) {
    error(node, "B0684", fmt::format("the graph '{}' has no {}", g.name, value_name(e)),
          graph_things(graph));
    return nullptr;
  }
  return e;
}

const Expr* Checker::graph_question(NodeRef node, const Scope& scope, TokenRef method, Index graph,
                                    const Expr* x, const Expr* y) {
  const Graph& g = program_->graphs[graph];
  const ExprKind kind = method_named(method.text())->kind;
  if (!scope.graphs) {
    error(node, "B0683", fmt::format("the graph '{}' cannot be asked {}", g.name, scope.place),
          "in a rule's where, its open block, and a cause's where");
    return nullptr;
  }
  if (y != nullptr && !fits(g, kind, x, y)) {
    error(method, "B0684",
          kind == ExprKind::Ends ? "'edges' asks whether a node is an end of an edge"
                                 : "'neighbour' is between two nodes or two edges",
          kind == ExprKind::Ends ? "NODE.edges(EDGE)"
                                 : "NODE.edges(EDGE) asks of a node and an edge");
    return nullptr;
  }
  Ty boolean;
  boolean.type = Type::Bool;
  Expr* out = make(kind, boolean, node);
  out->index = graph;
  out->name = keep(method.text());
  out->args = y == nullptr ? std::vector<const Expr*>{x} : std::vector<const Expr*>{x, y};
  return out;
}

std::vector<Index> Checker::graphs_in(const Expr* e) {
  std::vector<Index> out;
  if (e == nullptr) {
    return out;
  }
  if (e->kind == ExprKind::Frontier || e->kind == ExprKind::CutOff) {
    out.push_back(e->index);
  }
  for (const Expr* arg : e->args) {
    const std::vector<Index> inner = graphs_in(arg);
    out.insert(out.end(), inner.begin(), inner.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace belfry::rules
