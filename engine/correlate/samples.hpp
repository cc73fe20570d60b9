#pragma once
// Samples: what a window keeps of a measure's numbers: per slice of T/64 the sums that its
// aggregate needs (SEMANTICS, Samples). All of it is a pure function of the samples and their
// order.
#include <cstdint>
#include <vector>

#include "plan.hpp"

namespace belfry::correlate {

/// One slice that has samples.
struct SampleSlice {
  std::int64_t slice = 0;
  double n = 0;
  double sum = 0;              ///< avg, sum, eta
  double first = 0, last = 0;  ///< rate. min, max: the extreme is `first`
  double more = 0;             ///< rate: the rise inside. eta: offsets, ns
  std::int64_t first_at = 0, last_at = 0;
};

struct Samples {
  std::vector<SampleSlice> slices;  ///< oldest first, at most kSlices
  double newest = 0;
  std::int64_t newest_at = 0;
};

void push_sample(Samples& samples, AggregateKind kind, std::int64_t span, std::int64_t now,
                 double value, double times);
/// Forgets the slices that have left the window.
void prune_samples(Samples& samples, std::int64_t span, std::int64_t now);
/// NaN is none. REQUIRES: pruned.
double sample_value(const Samples& samples, AggregateKind kind, std::int64_t span, double target);
/// When the oldest slice leaves. REQUIRES: it has one.
std::int64_t samples_leave(const Samples& samples, std::int64_t span);

}  // namespace belfry::correlate
