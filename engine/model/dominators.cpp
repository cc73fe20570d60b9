#include "belfry/model/dominators.hpp"

#include <utility>

namespace belfry {

Dominators::Dominators(std::vector<std::vector<std::uint32_t>> successors)
    : successors_(std::move(successors)),
      number_(successors_.size(), kNothing),
      idom_(successors_.size(), kNothing) {
  number_in_postorder();
  predecessors_.resize(successors_.size());
  for (std::uint32_t from = 0; from < successors_.size(); ++from) {
    if (number_[from] == kNothing) {
      continue;
    }
    for (const std::uint32_t to : successors_[from]) {
      predecessors_[to].push_back(from);
    }
  }
  solve();
}

void Dominators::number_in_postorder() {
  std::vector<std::pair<std::uint32_t, std::size_t>> stack{{0, 0}};
  std::vector<bool> seen(successors_.size());
  seen[0] = true;
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    if (next < successors_[node].size()) {
      const std::uint32_t to = successors_[node][next++];
      if (!seen[to]) {
        seen[to] = true;
        stack.emplace_back(to, 0);
      }
      continue;
    }
    number_[node] = static_cast<std::uint32_t>(order_.size());
    order_.push_back(node);
    stack.pop_back();
  }
}

std::uint32_t Dominators::intersect(std::uint32_t a, std::uint32_t b) const {
  while (a != b) {
    while (number_[a] < number_[b]) {
      a = idom_[a];
    }
    while (number_[b] < number_[a]) {
      b = idom_[b];
    }
  }
  return a;
}

void Dominators::solve() {
  idom_[0] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = order_.size() - 1; i-- > 0;) {
      const std::uint32_t node = order_[i];
      std::uint32_t best = kNothing;
      for (const std::uint32_t from : predecessors_[node]) {
        if (idom_[from] != kNothing) {
          best = best == kNothing ? from : intersect(from, best);
        }
      }
      if (idom_[node] != best) {
        idom_[node] = best;
        changed = true;
      }
    }
  }
}

}  // namespace belfry
