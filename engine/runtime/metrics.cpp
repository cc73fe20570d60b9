#include "belfry/runtime/metrics.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>
#include <vector>

namespace belfry {
namespace {

enum class Kind { Counter, Gauge, Histogram };

std::string label_text(Metrics::Labels labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    out += out.empty() ? "" : ",";
    out.append(key);
    out += "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
      }
      out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    out.push_back('"');
  }
  return out;
}

/// One metric name with all its label sets.
struct Family {
  Kind kind = Kind::Counter;
  std::string help;
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

template <class T>
T& get(std::map<std::string, std::unique_ptr<T>>& of, const std::string& labels) {
  std::unique_ptr<T>& slot = of[labels];
  if (!slot) {
    slot = std::make_unique<T>();
  }
  return *slot;
}

std::string braces(const std::string& labels) { return labels.empty() ? "" : "{" + labels + "}"; }

}  // namespace

void Histogram::record_ns(std::int64_t ns) {
  const auto us = static_cast<std::uint64_t>(ns < 0 ? 0 : ns / 1000);
  const int bucket = us == 0 ? 0 : static_cast<int>(std::bit_width(us));
  buckets_[bucket < kBuckets ? bucket : kBuckets - 1].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(ns, std::memory_order_relaxed);
}

double Histogram::quantile(double q) const {
  const auto total = static_cast<double>(count());
  double seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += static_cast<double>(buckets_[i].load(std::memory_order_relaxed));
    if (total > 0 && seen >= q * total) {
      return std::ldexp(1e-6, i);
    }
  }
  return 0;
}

struct Metrics::Impl {
  mutable absl::Mutex mutex;
  std::map<std::string, Family, std::less<>> families ABSL_GUARDED_BY(mutex);

  Family& family(std::string_view name, std::string_view help, Kind kind)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Family& f = families[std::string(name)];
    f.kind = kind;
    f.help = help;
    return f;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const absl::MutexLock lock(&impl_->mutex);
  return get(impl_->family(name, help, Kind::Counter).counters, label_text(labels));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const absl::MutexLock lock(&impl_->mutex);
  return get(impl_->family(name, help, Kind::Gauge).gauges, label_text(labels));
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
  const absl::MutexLock lock(&impl_->mutex);
  return get(impl_->family(name, help, Kind::Histogram).histograms, label_text(labels));
}

std::string Metrics::text() const {
  const absl::MutexLock lock(&impl_->mutex);
  std::string out;
  const auto to = std::back_inserter(out);
  for (const auto& [name, family] : impl_->families) {
    constexpr std::string_view kKinds[]{"counter", "gauge", "histogram"};
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name,
                   kKinds[static_cast<std::size_t>(family.kind)]);
    for (const auto& [labels, counter] : family.counters) {
      fmt::format_to(to, "{}{} {}\n", name, braces(labels), counter->value());
    }
    for (const auto& [labels, gauge] : family.gauges) {
      fmt::format_to(to, "{}{} {}\n", name, braces(labels), gauge->value());
    }
    for (const auto& [labels, histogram] : family.histograms) {
      const std::string more = labels.empty() ? "" : labels + ",";
      std::uint64_t total = 0;
      for (int i = 0; i < Histogram::kBuckets; ++i) {
        total += histogram->buckets_[i].load(std::memory_order_relaxed);
        const bool last = i + 1 == Histogram::kBuckets;
        fmt::format_to(to, "{}_bucket{{{}le=\"{}\"}} {}\n", name, more,
                       last ? std::string("+Inf") : fmt::format("{:g}", std::ldexp(1e-6, i)),
                       total);
      }
      fmt::format_to(to, "{}_sum{} {}\n", name, braces(labels),
                     static_cast<double>(histogram->sum_ns_.load(std::memory_order_relaxed)) / 1e9);
      fmt::format_to(to, "{}_count{} {}\n", name, braces(labels), total);
    }
  }
  return out;
}

}  // namespace belfry
