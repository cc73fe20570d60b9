#pragma once
// Metrics: counters and gauges with fixed names and labels, written without locks, read as
// Prometheus text. Registering takes a mutex and happens at start (or once per label set); adding
// is one relaxed atomic. Own code instead of prometheus-cpp: see docs/decisions/0004-metrics.md.
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace belfry {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<double> value_{0};
};

/// Durations in powers of two from 1 us to 64 s: 27 buckets, no floating point on the way in.
class Histogram {
 public:
  void record_ns(std::int64_t ns);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  /// Upper edge of the bucket that holds quantile q (0..1), in seconds.
  double quantile(double q) const;

 private:
  friend class Metrics;
  static constexpr int kBuckets = 27;
  std::atomic<std::uint64_t> buckets_[kBuckets]{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> sum_ns_{0};
};

class Metrics {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  Metrics();
  ~Metrics();
  /// The same name and labels give the same object. References live as long as Metrics.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});
  /// Prometheus text exposition format 0.0.4.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
