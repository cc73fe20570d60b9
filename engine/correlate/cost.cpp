#include "belfry/correlate/cost.hpp"

#include <fmt/format.h>

#include "belfry/base/time.hpp"
#include "plan.hpp"
#include "records.hpp"
#include "samples.hpp"

namespace belfry {

namespace {

using correlate::PlanNode;
using correlate::WindowKind;

/// One entry of a flat hash map beside its value: a control byte and the room it keeps free.
constexpr std::size_t kMapSlack = 5;
/// One entry of the timers' heap.
constexpr std::size_t kTimerBytes = 24;

std::string window_text(const PlanNode& node) {
  const Duration span = node.pattern->duration;
  switch (node.window) {
    case WindowKind::Ring:
      return fmt::format("the newest {} times in {}: exact", correlate::kRingTimes, to_text(span));
    case WindowKind::Slices:
    case WindowKind::Samples:
      return fmt::format("{} in {} slices: off by at most {}", to_text(span), correlate::kSlices,
                         to_text(Duration(span.count() / correlate::kSlices)));
    case WindowKind::Values:
      return fmt::format("values of {}: exact up to {}", to_text(span), correlate::kValuesMax);
    case WindowKind::None:
      break;
  }
  return {};
}

void add_window(const PlanNode& node, StateCost& cost) {
  if (node.window == WindowKind::None) {
    return;
  }
  cost.windows.push_back(window_text(node));
  cost.bytes_per_key += sizeof(correlate::Window);
  if (node.window == WindowKind::Ring) {
    cost.bytes_per_key += correlate::kRingTimes * sizeof(std::int64_t);
  } else if (node.window == WindowKind::Slices) {
    cost.bytes_per_key += static_cast<std::size_t>(correlate::kSlices) * sizeof(std::int64_t);
  } else if (node.window == WindowKind::Samples) {
    cost.bytes_per_key +=
        sizeof(correlate::Samples) +
        static_cast<std::size_t>(correlate::kSlices) * sizeof(correlate::SampleSlice);
  } else {
    cost.bytes_per_value =
        sizeof(correlate::Text) + sizeof(std::int64_t) + sizeof(correlate::Edge) + kMapSlack;
    cost.bytes_per_key += sizeof(correlate::ValueTimes) + cost.bytes_per_value;
  }
}

}  // namespace

std::vector<StateCost> state_costs(const std::shared_ptr<const rules::Program>& program) {
  const correlate::Plan plan(program);
  std::vector<StateCost> out(plan.signals.size());
  for (std::size_t s = 0; s < out.size(); ++s) {
    StateCost& cost = out[s];
    // A rule's own signal is a key too while the rule is due.
    cost.bytes_per_key = sizeof(correlate::SignalKey) + kMapSlack +
                         plan.signals[s].uses.size() * sizeof(correlate::Edge);
    cost.timers_per_key = plan.signals[s].expire > 0 ? 1 : 0;
    const correlate::OwnerPlan& owner = plan.owners[s];
    if (owner.used) {
      cost.bytes_per_key += sizeof(correlate::OwnerKey) + kMapSlack +
                            owner.nodes.size() * sizeof(correlate::NodeState);
      ++cost.timers_per_key;
      for (const PlanNode& node : owner.nodes) {
        add_window(node, cost);
      }
    }
    cost.bytes_per_key += cost.timers_per_key * kTimerBytes;
  }
  return out;
}

}  // namespace belfry
