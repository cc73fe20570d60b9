// Measures (SEMANTICS, Samples): all samples that are still in a window, slice by slice, counted
// anew whenever somebody asks.
#include <algorithm>
#include <cmath>

#include "reference.hpp"

namespace belfry::testing {

using rules::AggregateKind;
using rules::Pattern;

namespace {

struct Sample {
  Instant at;
  double value = 0, times = 1;
};
/// Slice -> its samples, in their order.
using SampleSlices = std::map<std::int64_t, std::vector<Sample>>;

double step(double before, double after) { return after < before ? after : after - before; }

double sum_of(const std::vector<Sample>& slice) {
  double sum = 0;
  for (const Sample& s : slice) {
    sum += s.times * s.value;
  }
  return sum;
}

double number_of(const std::vector<Sample>& slice) {
  double n = 0;
  for (const Sample& s : slice) {
    n += s.times;
  }
  return n;
}

double rate_of(const SampleSlices& slices) {
  const Sample* before = nullptr;  // of the slice before
  double total = 0;
  for (const auto& [slice, samples] : slices) {
    double inside = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
      inside += step(samples[i - 1].value, samples[i].value);
    }
    if (before != nullptr) {
      total += step(before->value, samples.front().value);
    }
    total += inside;
    before = &samples.back();
  }
  const Duration time = before->at - slices.begin()->second.front().at;
  return time.count() <= 0 ? NAN : total / (static_cast<double>(time.count()) / 1e9);
}

double eta_of(const SampleSlices& slices, std::int64_t width, Duration span, double target) {
  struct Point {
    double x, y, n, sum;
  };
  std::vector<Point> points;
  const Instant newest = slices.rbegin()->second.back().at;
  for (const auto& [slice, samples] : slices) {
    double offsets = 0;
    for (const Sample& s : samples) {
      offsets += s.times * static_cast<double>(s.at.ns - slice * width);
    }
    const double n = number_of(samples), sum = sum_of(samples);
    const double start = static_cast<double>(slice * width - newest.ns) / 1e9;
    points.push_back({start + offsets / 1e9 / n, sum / n, n, sum});
  }
  const double seconds = static_cast<double>(span.count()) / 1e9;
  if ((points.back().x - points.front().x) * 8 < seconds) {
    return NAN;
  }
  double n = 0, sum_x = 0, sum_y = 0;
  for (const Point& p : points) {
    n += p.n;
    sum_x += p.n * p.x;
    sum_y += p.sum;
  }
  const double mean_x = sum_x / n, mean_y = sum_y / n;
  double sxx = 0, sxy = 0;
  for (const Point& p : points) {
    sxx += p.n * (p.x - mean_x) * (p.x - mean_x);
    sxy += p.n * (p.x - mean_x) * (p.y - mean_y);
  }
  if (!(sxx > 0) || sxy == 0) {
    return NAN;
  }
  const double slope = sxy / sxx;
  const double left = (target - (mean_y - slope * mean_x)) / slope;
  if (left >= 0) {
    return left;
  }
  return left >= points.front().x ? 0 : NAN;
}

}  // namespace

/// The number of an aggregate of a measure and its newest sample; NaN when there is none.
std::pair<double, double> Reference::sampled(const RuleKey& key, const Pattern& pattern) {
  const std::int64_t width = std::max<std::int64_t>(pattern.duration.count() / 64, 1);
  SampleSlices slices;
  double newest = NAN;
  for (const Heard& raise : key.nodes[pattern.id].heard) {
    const std::int64_t slice = raise.at.ns / width;
    if (slice > now_.ns / width - 64) {
      slices[slice].push_back({raise.at, raise.value, static_cast<double>(raise.repeat)});
      newest = raise.value;
    }
  }
  if (slices.empty()) {
    return {NAN, NAN};
  }
  if (pattern.aggregate == AggregateKind::Rate) {
    return {rate_of(slices), newest};
  }
  if (pattern.aggregate == AggregateKind::Eta) {
    const Value target = rules::evaluate(*pattern.target, env(key.key));
    return {target.is_number() ? eta_of(slices, width, pattern.duration, target.number()) : NAN,
            newest};
  }
  double least = INFINITY, greatest = -INFINITY, sum = 0, n = 0;
  for (const auto& [slice, samples] : slices) {
    for (const Sample& s : samples) {
      least = std::min(least, s.value);
      greatest = std::max(greatest, s.value);
    }
    n += number_of(samples);
    sum += sum_of(samples);
  }
  switch (pattern.aggregate) {
    case AggregateKind::Min:
      return {least, newest};
    case AggregateKind::Max:
      return {greatest, newest};
    case AggregateKind::Sum:
      return {sum, newest};
    default:
      return {sum / n, newest};
  }
}

/// Into the lists that titles read.
void Reference::add_sampled(Numbers& out, const Pattern& pattern, RuleKey& key) {
  const std::size_t i = pattern.name_index;
  for (std::vector<double>* list : {&out.value, &out.rate, &out.eta}) {
    list->resize(std::max(list->size(), i + 1), NAN);
  }
  if (pattern.aggregate == AggregateKind::RateEvents) {
    out.rate[i] = measure(key, pattern, false);
    return;
  }
  const auto [value, newest] = sampled(key, pattern);
  if (pattern.aggregate == AggregateKind::Rate) {
    out.rate[i] = value;
    out.value[i] = newest;
  } else if (pattern.aggregate == AggregateKind::Eta) {
    out.eta[i] = value;
    out.value[i] = newest;
  } else {
    out.value[i] = value;
  }
}

}  // namespace belfry::testing
