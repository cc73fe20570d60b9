#pragma once
// Strong<Tag, Rep>: a number that cannot be mistaken for another kind of number.
#include <compare>
#include <cstddef>
#include <functional>

namespace belfry {

template <class Tag, class Rep>
struct Strong {
  Rep value{};
  constexpr auto operator<=>(const Strong&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const Strong& s) {
    return H::combine(std::move(h), s.value);
  }
};

}  // namespace belfry

template <class Tag, class Rep>
struct std::hash<belfry::Strong<Tag, Rep>> {
  std::size_t operator()(const belfry::Strong<Tag, Rep>& s) const noexcept {
    return std::hash<Rep>{}(s.value);
  }
};
