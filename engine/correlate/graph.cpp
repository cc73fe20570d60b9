#include "graph.hpp"

#include "belfry/model/dominators.hpp"

namespace belfry::correlate {

void LiveGraph::build(const Tables& tables) {
  number(tables);
  join(tables);
  dominate();
  down_.assign(keys_.size(), 0);
  state_.assign(keys_.size(), {});
  touched_ = false;
  std::vector<Element> changed;
  settle(changed);
}

void LiveGraph::number(const Tables& tables) {
  std::vector<std::string_view> nodes = tables.nodes;
  for (const EdgeRow& edge : tables.edges) {
    nodes.push_back(edge.a);
    nodes.push_back(edge.b);
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  nodes_ = static_cast<std::uint32_t>(nodes.size());
  node_by_key_.clear();
  edge_by_key_.clear();
  keys_.assign(nodes.begin(), nodes.end());
  for (const EdgeRow& edge : tables.edges) {
    keys_.emplace_back(edge.key);
  }
  std::sort(keys_.begin() + nodes_, keys_.end());
  for (Element e = 0; e < keys_.size(); ++e) {
    (is_edge(e) ? edge_by_key_ : node_by_key_).emplace(keys_[e], e);
  }
}

void LiveGraph::join(const Tables& tables) {
  ends_.assign(keys_.size() - nodes_, {});
  for (const EdgeRow& edge : tables.edges) {
    ends_[edge_by_key_.at(edge.key) - nodes_] = {node_by_key_.at(edge.a), node_by_key_.at(edge.b)};
  }
  edges_at_.assign(nodes_ + 1, 0);
  for (const Ends& e : ends_) {
    ++edges_at_[e.a + 1];
    edges_at_[e.b + 1] += e.a == e.b ? 0 : 1;
  }
  for (std::size_t i = 1; i < edges_at_.size(); ++i) {
    edges_at_[i] += edges_at_[i - 1];
  }
  edges_.assign(edges_at_.back(), 0);
  std::vector<std::size_t> next(edges_at_.begin(), edges_at_.end() - 1);
  for (Element e = nodes_; e < keys_.size(); ++e) {
    edges_[next[ends_of(e).a]++] = e;
    if (ends_of(e).a != ends_of(e).b) {
      edges_[next[ends_of(e).b]++] = e;
    }
  }
  roots_.clear();
  for (const std::string_view root : tables.roots) {
    if (const Element e = find(root, false); e != kNil) {
      roots_.push_back(e);
    }
  }
  std::sort(roots_.begin(), roots_.end());
}

/// Vertex 0 stands before all roots, vertex e + 1 is element e: a path crosses edges as it does
/// nodes.
void LiveGraph::dominate() {
  std::vector<std::vector<std::uint32_t>> next(keys_.size() + 1);
  for (const Element root : roots_) {
    next[0].push_back(root + 1);
  }
  for (Element e = nodes_; e < keys_.size(); ++e) {
    for (const Element end : {ends_of(e).a, ends_of(e).b}) {
      next[end + 1].push_back(e + 1);
      next[e + 1].push_back(end + 1);
    }
  }
  const Dominators dominators(std::move(next));
  above_.assign(keys_.size(), kNil);
  for (Element e = 0; e < keys_.size(); ++e) {
    const std::uint32_t up = dominators.immediate(e + 1);
    above_[e] = up == Dominators::kNothing || up == 0 ? kNil : up - 1;
  }
}

LiveGraph::Element LiveGraph::find(std::string_view key, bool edge) const {
  const auto& by_key = edge ? edge_by_key_ : node_by_key_;
  const auto it = by_key.find(key);
  return it == by_key.end() ? kNil : it->second;
}

void LiveGraph::take_out(Element e) { touched_ |= down_[e]++ == 0; }
void LiveGraph::put_back(Element e) { touched_ |= --down_[e] == 0; }

bool LiveGraph::settle(std::vector<Element>& changed) {
  touched_ = false;
  for (State& state : state_) {
    state.reached = state.frontier = false;
    state.part = kNil;
  }
  reach();
  find_frontier();
  find_parts();
  const std::size_t before = changed.size();
  for (Element e = 0; e < state_.size(); ++e) {
    const std::uint64_t answer = answer_of(e);
    if (answer != state_[e].answer) {
      state_[e].answer = answer;
      changed.push_back(e);
    }
  }
  return changed.size() > before;
}

/// R: nodes first, then the edges that are up and touch one.
void LiveGraph::reach() {
  queue_.clear();
  const auto visit = [this](Element node) {
    if (down_[node] == 0 && !state_[node].reached) {
      state_[node].reached = true;
      queue_.push_back(node);
    }
  };
  for (const Element root : roots_) {
    visit(root);
  }
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    for (const Element edge : edges_of(queue_[i])) {
      if (down_[edge] == 0) {
        state_[edge].reached = true;
        visit(other_end(edge, queue_[i]));
      }
    }
  }
}

void LiveGraph::find_frontier() {
  for (Element node = 0; node < nodes_; ++node) {
    if (down_[node] > 0) {
      const auto edges = edges_of(node);
      state_[node].frontier = std::any_of(edges.begin(), edges.end(), [&](Element edge) {
        return state_[other_end(edge, node)].reached;
      });
    }
  }
  for (Element edge = nodes_; edge < keys_.size(); ++edge) {
    const State &a = state_[ends_of(edge).a], &b = state_[ends_of(edge).b];
    state_[edge].frontier =
        down_[edge] > 0 && (a.reached || b.reached) && !a.frontier && !b.frontier;
  }
}

/// What is joined outside R gets one part; each part knows its frontier elements.
void LiveGraph::find_parts() {
  parts_ = 0;
  for (Element node = 0; node < nodes_; ++node) {
    if (!state_[node].reached && state_[node].part == kNil) {
      part_from(node, parts_++);
    }
  }
  for (Element edge = nodes_; edge < keys_.size(); ++edge) {
    State& state = state_[edge];
    if (!state.reached) {
      const State &a = state_[ends_of(edge).a], &b = state_[ends_of(edge).b];
      state.part = !a.reached ? a.part : b.part;  // both ends in R: joined to nothing
    }
  }
  part_sums_.assign(parts_, 0);
  if (part_cuts_.size() < parts_) {
    part_cuts_.resize(parts_);
  }
  for (std::uint32_t part = 0; part < parts_; ++part) {
    part_cuts_[part].clear();
  }
  for (Element e = 0; e < state_.size(); ++e) {
    if (state_[e].frontier && state_[e].part != kNil) {
      part_sums_[state_[e].part] += hash_mix(1, e);
      part_cuts_[state_[e].part].push_back(e);
    }
  }
}

void LiveGraph::part_from(Element start, std::uint32_t part) {
  queue_.assign(1, start);
  state_[start].part = part;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    for (const Element edge : edges_of(queue_[i])) {
      State& other = state_[other_end(edge, queue_[i])];
      if (!other.reached && other.part == kNil) {
        other.part = part;
        queue_.push_back(other_end(edge, queue_[i]));
      }
    }
  }
}

std::uint64_t LiveGraph::answer_of(Element e) const {
  const State& state = state_[e];
  std::uint64_t answer = state.frontier ? 2 : state.reached ? 1 : 0;
  if (!state.frontier && !state.reached && state.part != kNil) {
    answer = hash_mix(answer, part_sums_[state.part]);
  }
  if (is_edge(e)) {
    for (const Element end : {ends_of(e).a, ends_of(e).b}) {
      answer = hash_mix(answer, state_[end].frontier ? end + 1 : 0);
    }
  }
  return answer;
}

bool LiveGraph::blind() const {
  return !roots_.empty() && std::all_of(roots_.begin(), roots_.end(),
                                        [this](Element root) { return down_[root] > 0; });
}

bool LiveGraph::cut_off(Element x, Element y) const {
  const State &of = state_[x], &by = state_[y];
  if (!by.frontier) {
    return false;
  }
  if (x == y || (is_edge(x) && !is_edge(y) && ends(y, x))) {
    return true;
  }
  return !of.reached && !of.frontier && of.part != kNil && of.part == by.part;
}

bool LiveGraph::behind(Element x, Element y) const {
  for (Element up = above_[x]; up != kNil; up = above_[up]) {
    if (up == y) {
      return true;
    }
  }
  return false;
}

bool LiveGraph::ends(Element node, Element edge) const {
  return !is_edge(node) && is_edge(edge) && (ends_of(edge).a == node || ends_of(edge).b == node);
}

bool LiveGraph::neighbour(Element x, Element y) const {
  if (x == y || is_edge(x) != is_edge(y)) {
    return false;
  }
  if (is_edge(x)) {
    return ends(ends_of(x).a, y) || ends(ends_of(x).b, y);
  }
  const auto edges = edges_of(x);
  return std::any_of(edges.begin(), edges.end(),
                     [&](Element edge) { return other_end(edge, x) == y; });
}

void LiveGraph::range(Ask ask, Element x, std::vector<Element>& out) const {
  out.clear();
  switch (ask) {
    case Ask::Behind:
      for (Element up = above_[x]; up != kNil; up = above_[up]) {
        out.push_back(up);
      }
      break;
    case Ask::CutOff:
      if (state_[x].frontier) {
        out.push_back(x);
      } else if (!state_[x].reached && state_[x].part != kNil) {
        out = part_cuts_[state_[x].part];
      }
      if (is_edge(x)) {
        for (const Element end : {ends_of(x).a, ends_of(x).b}) {
          if (state_[end].frontier) {
            out.push_back(end);
          }
        }
      }
      break;
    case Ask::Neighbour:
      for (const Element end : is_edge(x) ? std::vector<Element>{ends_of(x).a, ends_of(x).b}
                                          : std::vector<Element>{x}) {
        for (const Element edge : edges_of(end)) {
          out.push_back(is_edge(x) ? edge : other_end(edge, x));
        }
      }
      std::erase(out, x);
      break;
    case Ask::Ends:
      if (!is_edge(x)) {
        out.assign(edges_of(x).begin(), edges_of(x).end());
      }
      break;
    case Ask::EndsOf:
      if (is_edge(x)) {
        out = {ends_of(x).a, ends_of(x).b};
      }
      break;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace belfry::correlate
