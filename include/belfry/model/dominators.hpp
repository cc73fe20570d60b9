#pragma once
// Dominators of a flow graph, by Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm":
// which node lies on every path from the start to another. Iterative throughout: a chain of a
// million rows must not use up the stack.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace belfry {

class Dominators {
 public:
  static constexpr std::uint32_t kNothing = UINT32_MAX;

  /// Node 0 is the start. REQUIRES: one list of successors per node.
  explicit Dominators(std::vector<std::vector<std::uint32_t>> successors);
  /// kNothing for the start and for what it does not reach.
  std::uint32_t immediate(std::uint32_t node) const { return node == 0 ? kNothing : idom_[node]; }
  /// Reached nodes, the start last.
  const std::vector<std::uint32_t>& postorder() const { return order_; }

 private:
  void number_in_postorder();
  std::uint32_t intersect(std::uint32_t a, std::uint32_t b) const;
  void solve();

  std::vector<std::vector<std::uint32_t>> successors_, predecessors_;
  std::vector<std::uint32_t> number_, idom_, order_;
};

}  // namespace belfry
