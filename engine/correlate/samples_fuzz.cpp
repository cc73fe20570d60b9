// Any samples at any times: at most 64 slices, numbers that are finite or none, and what the window
// says lies where its samples lie.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <span>

#include "samples.hpp"

namespace {

using namespace belfry;
using namespace belfry::correlate;

constexpr double kSampleMax = 1e30;

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Bytes {
  std::span<const std::uint8_t> rest;
  std::uint8_t byte() {
    if (rest.empty()) {
      return 0;
    }
    const std::uint8_t b = rest.front();
    rest = rest.subspan(1);
    return b;
  }
  double number() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) {
      bits = bits << 8 | byte();
    }
    double out = 0;
    std::memcpy(&out, &bits, sizeof out);
    return out;
  }
};

struct Kept {
  std::int64_t at;
  double value;
};

/// Bounds of what may be in the window: a slice leaves whole, so up to a slice's width more.
void check(const Samples& samples, AggregateKind kind, std::int64_t span, double target,
           const std::deque<Kept>& kept) {
  must(samples.slices.size() <= static_cast<std::size_t>(kSlices));
  const double value = sample_value(samples, kind, span, target);
  must(std::isnan(value) || std::isfinite(value) ||
       kind == AggregateKind::Eta);  // not in this life
  must(!samples.slices.empty() || std::isnan(value));
  if (std::isnan(value) || kept.empty()) {
    return;
  }
  double least = kept.front().value;
  double greatest = least;
  for (const Kept& k : kept) {
    least = std::min(least, k.value);
    greatest = std::max(greatest, k.value);
  }
  if (kind == AggregateKind::Min || kind == AggregateKind::Max) {
    must(value >= least && value <= greatest);
  }
  if (kind == AggregateKind::Avg) {  // rounding of the sums, at worst of opposite signs
    const double slack = 1e-9 * std::max({std::abs(least), std::abs(greatest), 1e-300});
    must(value >= least - slack && value <= greatest + slack);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr AggregateKind kKinds[]{AggregateKind::Avg,  AggregateKind::Min,
                                          AggregateKind::Max,  AggregateKind::Sum,
                                          AggregateKind::Rate, AggregateKind::Eta};
  Bytes bytes{{data, size}};
  const AggregateKind kind = kKinds[bytes.byte() % std::size(kKinds)];
  const std::int64_t span = 1 + (std::int64_t{bytes.byte()} << (bytes.byte() % 45));
  const double target = static_cast<double>(bytes.byte());
  std::int64_t now = 1'000'000'000'000'000'000;
  Samples samples;
  std::deque<Kept> kept;
  while (!bytes.rest.empty()) {
    now += std::int64_t{bytes.byte()} * (span / 100 + 1) / 8;
    prune_samples(samples, span, now);
    while (!kept.empty() &&
           kept.front().at < now - (kSlices + 1) * std::max<std::int64_t>(span / kSlices, 1)) {
      kept.pop_front();
    }
    check(samples, kind, span, target, kept);
    double value = bytes.byte() % 4 == 0 ? bytes.number() : static_cast<double>(bytes.byte());
    if (std::isfinite(value) && std::abs(value) <= kSampleMax) {  // as the matcher has it
      value += 0.0;
      push_sample(samples, kind, span, now, value, 1 + bytes.byte() % 3);
      kept.push_back({now, value});
      must(!samples.slices.empty() && samples_leave(samples, span) > now);
      check(samples, kind, span, target, kept);
    }
  }
  return 0;
}
