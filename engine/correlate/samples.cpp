#include "samples.hpp"

#include <algorithm>
#include <cmath>

namespace belfry::correlate {

namespace {

constexpr double kNone = NAN;
constexpr double kSecond = 1e9;
/// eta: samples closer together than this part of the window say nothing of a trend.
constexpr double kSpread = 8;

std::int64_t width_of(std::int64_t span) { return std::max<std::int64_t>(span / kSlices, 1); }

std::int64_t slice_at(std::int64_t at, std::int64_t width) {
  return at >= 0 ? at / width : -((-at + width - 1) / width);
}

/// Of a counter: a lower number is a new beginning from 0.
double rise(double before, double after) { return after < before ? after : after - before; }

void add(SampleSlice& slice, AggregateKind kind, std::int64_t span, std::int64_t now, double value,
         double times) {
  const bool fresh = slice.n == 0;
  slice.n += times;
  switch (kind) {
    case AggregateKind::Min:
      slice.first = fresh ? value : std::min(slice.first, value);
      break;
    case AggregateKind::Max:
      slice.first = fresh ? value : std::max(slice.first, value);
      break;
    case AggregateKind::Rate:
      if (fresh) {
        slice.first = value;
        slice.first_at = now;
      } else {
        slice.more += rise(slice.last, value);
      }
      slice.last = value;
      slice.last_at = now;
      break;
    case AggregateKind::Eta: {
      const double offset = static_cast<double>(now - slice.slice * width_of(span));
      slice.more += times * offset;
      slice.sum += times * value;
      break;
    }
    default:
      slice.sum += times * value;
      break;
  }
}

double rate_of(const std::vector<SampleSlice>& slices) {
  const std::int64_t time = slices.back().last_at - slices.front().first_at;
  if (time <= 0) {
    return kNone;
  }
  double total = slices.front().more;
  for (std::size_t i = 1; i < slices.size(); ++i) {
    total += rise(slices[i - 1].last, slices[i].first);
    total += slices[i].more;
  }
  return total / (static_cast<double>(time) / kSecond);
}

/// Seconds from the newest sample until the least squares line reaches `target`.
double eta_of(const Samples& samples, std::int64_t span, double target) {
  const std::vector<SampleSlice>& slices = samples.slices;
  const std::int64_t width = width_of(span);
  const auto x_of = [&](const SampleSlice& s) {
    const double start = static_cast<double>(s.slice * width - samples.newest_at) / kSecond;
    return start + s.more / kSecond / s.n;
  };
  const double oldest = x_of(slices.front()), newest = x_of(slices.back());
  if ((newest - oldest) * kSpread < static_cast<double>(span) / kSecond) {
    return kNone;
  }
  double n = 0, sum_x = 0, sum_y = 0;
  for (const SampleSlice& s : slices) {
    n += s.n;
    sum_x += s.n * x_of(s);
    sum_y += s.sum;
  }
  const double mean_x = sum_x / n, mean_y = sum_y / n;
  double sxx = 0, sxy = 0;
  for (const SampleSlice& s : slices) {
    const double dx = x_of(s) - mean_x;
    const double dy = s.sum / s.n - mean_y;
    sxx += s.n * dx * dx;
    sxy += s.n * dx * dy;
  }
  if (!(sxx > 0) || sxy == 0) {
    return kNone;
  }
  const double slope = sxy / sxx;
  const double here = mean_y - slope * mean_x;
  const double left = (target - here) / slope;
  if (left >= 0) {
    return left;
  }
  return left >= oldest ? 0 : kNone;  // reached inside the window, or going away from it
}

}  // namespace

void push_sample(Samples& samples, AggregateKind kind, std::int64_t span, std::int64_t now,
                 double value, double times) {
  prune_samples(samples, span, now);
  const std::int64_t slice = slice_at(now, width_of(span));
  if (samples.slices.empty() || samples.slices.back().slice != slice) {
    samples.slices.emplace_back().slice = slice;
  }
  add(samples.slices.back(), kind, span, now, value, times);
  samples.newest = value;
  samples.newest_at = now;
}

void prune_samples(Samples& samples, std::int64_t span, std::int64_t now) {
  const std::int64_t oldest = slice_at(now, width_of(span)) - kSlices + 1;
  const auto stays = std::find_if(samples.slices.begin(), samples.slices.end(),
                                  [&](const SampleSlice& s) { return s.slice >= oldest; });
  samples.slices.erase(samples.slices.begin(), stays);
}

double sample_value(const Samples& samples, AggregateKind kind, std::int64_t span, double target) {
  const std::vector<SampleSlice>& slices = samples.slices;
  if (slices.empty()) {
    return kNone;
  }
  double n = 0, sum = 0;
  double extreme = slices.front().first;
  switch (kind) {
    case AggregateKind::Rate:
      return rate_of(slices);
    case AggregateKind::Eta:
      return eta_of(samples, span, target);
    case AggregateKind::Min:
    case AggregateKind::Max:
      for (const SampleSlice& s : slices) {
        extreme =
            kind == AggregateKind::Min ? std::min(extreme, s.first) : std::max(extreme, s.first);
      }
      return extreme;
    default:
      for (const SampleSlice& s : slices) {
        n += s.n;
        sum += s.sum;
      }
      return kind == AggregateKind::Avg ? sum / n : sum;
  }
}

std::int64_t samples_leave(const Samples& samples, std::int64_t span) {
  return (samples.slices.front().slice + kSlices) * width_of(span);
}

}  // namespace belfry::correlate
