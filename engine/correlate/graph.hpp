#pragma once
// LiveGraph: one `graph` of the rules as it is now: what the roots reach without what is down (R),
// and where that ends (F, the frontier). The definitions stand in SEMANTICS.md.
//
//   build(tables) ─> take_out() / put_back() ... ─> settle() ─> frontier(), cut_off(), range()
//
// settle() walks the whole graph: arrays in one piece, no allocation, about 10 ns an element, so a
// thousand nodes with two thousand links take some 30 us however much of it fails. Walking less
// would need a forest of paths that lives through deletions: not worth it below a million elements.
//
// Elements are numbers: the nodes first, then the edges, each in the order of their key texts.
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/hash.hpp"
#include "slab.hpp"

namespace belfry::correlate {

class LiveGraph {
 public:
  using Element = std::uint32_t;
  struct EdgeRow {
    std::string_view key, a, b;
  };
  struct Tables {
    std::vector<std::string_view> nodes, roots;
    std::vector<EdgeRow> edges;  ///< with both ends; an end need not be among the nodes
  };
  enum class Ask : std::uint8_t { Behind, CutOff, Neighbour, Ends, EndsOf };

  LiveGraph() = default;
  LiveGraph(LiveGraph&&) = default;  // views into keys_: a copy would point into the original
  LiveGraph& operator=(LiveGraph&&) = default;

  /// Everything anew: nothing is down, and settled.
  void build(const Tables& tables);

  Element find(std::string_view key, bool edge) const;  ///< kNil: not in the graph
  bool is_edge(Element e) const { return e >= nodes_; }
  std::string_view key(Element e) const { return keys_[e]; }
  std::size_t size() const { return keys_.size(); }

  /// One more, one less reason for it to be down. What is down counts from the next settle() on.
  void take_out(Element e);
  void put_back(Element e);
  bool touched() const { return touched_; }
  /// R and F anew. Elements about which an answer may have changed go to `changed`; false: none.
  bool settle(std::vector<Element>& changed);

  /// There are roots, and all are down: nobody can say what is reached.
  bool blind() const;
  bool is_root(Element x) const { return std::binary_search(roots_.begin(), roots_.end(), x); }

  bool frontier(Element x) const { return state_[x].frontier; }
  bool cut_off(Element x, Element y) const;
  bool behind(Element x, Element y) const;
  bool neighbour(Element x, Element y) const;
  bool ends(Element node, Element edge) const;
  /// All y with x.ask(y) (EndsOf: the ends of the edge x); ascending, each once.
  void range(Ask ask, Element x, std::vector<Element>& out) const;

 private:
  /// Of one element; `answer` names all that can be asked about it: F, and what cuts it off.
  struct State {
    bool reached = false, frontier = false;
    std::uint32_t part = kNil;  ///< outside R: elements that are joined outside R share it
    std::uint64_t answer = 0;
  };
  struct Ends {
    Element a = 0, b = 0;
  };
  const Ends& ends_of(Element edge) const { return ends_[edge - nodes_]; }
  std::span<const Element> edges_of(Element node) const {
    return std::span(edges_).subspan(edges_at_[node], edges_at_[node + 1] - edges_at_[node]);
  }
  Element other_end(Element edge, Element node) const {
    return ends_of(edge).a == node ? ends_of(edge).b : ends_of(edge).a;
  }
  void number(const Tables& tables);
  void join(const Tables& tables);
  void dominate();
  void reach();
  void find_frontier();
  void find_parts();
  void part_from(Element node, std::uint32_t part);
  std::uint64_t answer_of(Element e) const;

  std::uint32_t nodes_ = 0;
  std::vector<std::string> keys_;                                             ///< by element
  absl::flat_hash_map<std::string_view, Element> node_by_key_, edge_by_key_;  ///< into keys_
  std::vector<Ends> ends_;                                                    ///< by edge
  std::vector<Element> edges_;         ///< of each node, one list after the other
  std::vector<std::size_t> edges_at_;  ///< by node, one more at the end
  std::vector<Element> roots_;
  std::vector<std::uint32_t> above_;  ///< immediate dominator; kNil: none, or not reached
  std::vector<std::uint32_t> down_;   ///< reasons
  std::vector<State> state_;
  std::vector<std::uint64_t> part_sums_;         ///< by part: of its frontier elements
  std::vector<std::vector<Element>> part_cuts_;  ///< by part: its frontier elements
  std::uint32_t parts_ = 0;
  std::vector<Element> queue_;
  bool touched_ = false;
};

}  // namespace belfry::correlate
