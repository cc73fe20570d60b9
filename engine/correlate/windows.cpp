// Windows: how many events fell into (now-T, now]. Small constant thresholds keep the newest 64
// times, exactly; others 64 slices of T/64 (LANGUAGE 6.12). Values keep the last time of each.
// Samples of measures: samples.cpp.
#include <algorithm>
#include <cmath>

#include "fold.hpp"

namespace belfry::correlate {

namespace {

std::int64_t span_of(const PlanNode& plan) { return plan.pattern->duration.count(); }

std::int64_t add_sat(std::int64_t a, std::int64_t b) { return b > kForever - a ? kForever : a + b; }

std::int64_t slice_width(std::int64_t span) { return std::max<std::int64_t>(span / kSlices, 1); }

std::int64_t slice_of(std::int64_t at, std::int64_t width) {
  return at >= 0 ? at / width : -((-at + width - 1) / width);
}

std::int64_t& time_at(Window& w, std::size_t i) { return w.ring[(w.head + i) % w.ring.size()]; }

void prune_ring(Window& w, std::int64_t now, std::int64_t span) {
  while (span > 0 && w.size > 0 && time_at(w, 0) <= now - span) {
    w.head = static_cast<std::uint32_t>((w.head + 1) % w.ring.size());
    --w.size;
  }
}

void push_ring(Window& w, std::int64_t now) {
  if (w.size == kRingTimes) {
    w.head = static_cast<std::uint32_t>((w.head + 1) % w.ring.size());
    --w.size;
  }
  if (w.size == w.ring.size()) {
    std::vector<std::int64_t> bigger(std::min(std::max<std::size_t>(w.size * 2U, 4), kRingTimes));
    for (std::uint32_t i = 0; i < w.size; ++i) {
      bigger[i] = time_at(w, i);
    }
    w.ring = std::move(bigger);
    w.head = 0;
  }
  time_at(w, w.size++) = now;
}

/// Slices: forgets what is older than the 64 newest slices up to `slice`.
void move_slices(Window& w, std::int64_t slice) {
  if (w.ring.empty()) {
    w.ring.assign(kSlices, 0);
    w.newest_slice = slice;
  }
  if (slice - w.newest_slice >= kSlices) {
    std::fill(w.ring.begin(), w.ring.end(), 0);
    w.total = 0;
    w.newest_slice = slice;
  }
  while (w.newest_slice < slice) {
    ++w.newest_slice;
    std::int64_t& count = w.ring[static_cast<std::size_t>(w.newest_slice & (kSlices - 1))];
    w.total -= static_cast<std::uint64_t>(count);
    count = 0;
  }
}

}  // namespace

void Fold::push_window(const PlanNode& node, NodeState& state, const Edge& edge,
                       std::uint64_t times) {
  if (state.window == kNil) {
    state.window = windows.add();
  }
  Window& w = windows[state.window];
  const std::int64_t span = span_of(node);
  switch (node.window) {
    case WindowKind::Ring:
      prune_ring(w, now, span);
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(times, kRingTimes); ++i) {
        push_ring(w, now);
      }
      break;
    case WindowKind::Slices: {
      const std::int64_t slice = slice_of(now, slice_width(span));
      move_slices(w, slice);
      w.ring[static_cast<std::size_t>(slice & (kSlices - 1))] += static_cast<std::int64_t>(times);
      w.total += times;
      break;
    }
    case WindowKind::Values: {
      if (edge.value == kNil) {
        break;
      }
      if (w.values == nullptr) {
        w.values = std::make_unique<ValueTimes>();
      }
      auto& last = w.values->last;
      const auto it = last.find(edge.value);
      if (it != last.end()) {
        it->second = now;
      } else if (last.size() < kValuesMax) {
        strings.retain(edge.value);
        last.emplace(edge.value, now);
        ++window_values_of[node.owner];
        weigh(node.owner);
      } else {
        w.values->many = true;
      }
      w.values->oldest = std::min(w.values->oldest, now);
      break;
    }
    case WindowKind::Samples:
      if (w.samples == nullptr) {
        w.samples = std::make_unique<Samples>();
      }
      push_sample(*w.samples, node.pattern->aggregate, span, now, sampled,
                  static_cast<double>(times));
      break;
    case WindowKind::None:
      break;
  }
}

/// The number of an aggregate of a measure; NaN when its window has no sample.
double Fold::samples_value(const PlanNode& node, NodeState& state, const Vars& vars) {
  Samples* samples = samples_of(state);
  if (samples == nullptr) {
    return NAN;
  }
  const std::int64_t span = span_of(node);
  prune_samples(*samples, span, now);
  double target = 0;
  if (node.pattern->target != nullptr) {
    const Value v = rules::evaluate(*node.pattern->target, env(vars.span()));
    if (!v.is_number()) {
      return NAN;
    }
    target = v.number();
  }
  return sample_value(*samples, node.pattern->aggregate, span, target);
}

Samples* Fold::samples_of(const NodeState& state) {
  return state.window == kNil ? nullptr : windows[state.window].samples.get();
}

double Fold::window_value(const PlanNode& node, NodeState& state) {
  if (state.window == kNil) {
    return 0;
  }
  Window& w = windows[state.window];
  const std::int64_t span = span_of(node);
  if (node.window == WindowKind::Ring) {
    prune_ring(w, now, span);
    return static_cast<double>(w.size);
  }
  if (node.window == WindowKind::Slices) {
    move_slices(w, slice_of(now, slice_width(span)));
    const auto total = static_cast<double>(w.total);
    return node.pattern->aggregate == AggregateKind::RateEvents
               ? total / (static_cast<double>(span) / 1e9)
               : total;
  }
  if (w.values == nullptr) {
    return 0;
  }
  ValueTimes& values = *w.values;
  if (span > 0 && values.oldest <= now - span) {
    values.oldest = kForever;
    for (auto it = values.last.begin(); it != values.last.end();) {
      if (it->second <= now - span) {
        strings.release(it->first);
        values.last.erase(it++);
        --window_values_of[node.owner];
      } else {
        values.oldest = std::min(values.oldest, it->second);
        ++it;
      }
    }
    values.many = values.many && values.last.size() >= kValuesMax;
  }
  return static_cast<double>(values.last.size());
}

/// When its value changes next by time alone in a way that matters: as long as a `>=` does not hold
/// only the end of the whole window does (then the key may go).
std::int64_t Fold::window_next(const PlanNode& node, NodeState& state, double value,
                               double threshold) {
  if (state.window == kNil || span_of(node) <= 0) {
    return kForever;
  }
  Window& w = windows[state.window];
  const std::int64_t span = span_of(node);
  const bool rising = node.pattern->op == rules::CompareOp::GreaterEqual ||
                      node.pattern->op == rules::CompareOp::Greater;
  if (node.window == WindowKind::Ring) {
    if (w.size == 0) {
      return kForever;
    }
    std::size_t leaves = 0;  // the entry whose end changes the answer
    if (rising) {
      const bool holds = rules::compare_number(node.pattern->op, value, threshold);
      const double needed =
          node.pattern->op == rules::CompareOp::Greater ? threshold + 1 : threshold;
      leaves = w.size - 1U;
      if (holds) {
        leaves =
            needed < 1 ? w.size - 1U : static_cast<std::size_t>(value - std::min(needed, value));
      }
    }
    return add_sat(time_at(w, std::min<std::size_t>(leaves, w.size - 1U)), span);
  }
  if (node.window == WindowKind::Samples) {
    return w.samples == nullptr || w.samples->slices.empty() ? kForever
                                                             : samples_leave(*w.samples, span);
  }
  if (node.window == WindowKind::Slices) {
    const std::int64_t width = slice_width(span);
    for (std::int64_t s = w.newest_slice - kSlices + 1; w.total > 0 && s <= w.newest_slice; ++s) {
      if (w.ring[static_cast<std::size_t>(s & (kSlices - 1))] != 0) {
        return (s + kSlices) * width;
      }
    }
    return kForever;
  }
  return w.values == nullptr || w.values->last.empty() ? kForever : add_sat(w.values->oldest, span);
}

bool Fold::window_empty(const PlanNode& node, const NodeState& state) const {
  if (node.window == WindowKind::None || state.window == kNil) {
    return true;
  }
  const Window& w = windows[state.window];
  return node.window == WindowKind::Ring      ? w.size == 0
         : node.window == WindowKind::Slices  ? w.total == 0
         : node.window == WindowKind::Samples ? w.samples == nullptr || w.samples->slices.empty()
                                              : w.values == nullptr || w.values->last.empty();
}

/// Forgets what has left its window: other rules may ask for a longer one.
void Fold::prune_windows() {
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (!keys.has(i)) {
      continue;
    }
    const OwnerPlan& owner = plan->owners[keys[i].owner];
    for (const std::uint16_t n : owner.window_nodes) {
      if (owner.nodes[n].window == WindowKind::Ring) {
        window_value(owner.nodes[n], keys[i].nodes[n]);
      }
    }
  }
}

void Fold::drop_window(const PlanNode& node, NodeState& state) {
  if (state.window == kNil) {
    return;
  }
  if (node.window == WindowKind::None) {
    value_counts.remove(state.window);
  } else {
    if (windows[state.window].values != nullptr) {
      window_values_of[node.owner] -= windows[state.window].values->last.size();
      for (const auto& [value, at] : windows[state.window].values->last) {
        strings.release(value);
      }
    }
    windows.remove(state.window);
  }
  state.window = kNil;
}

}  // namespace belfry::correlate
