#include "belfry/runtime/ledger.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <deque>
#include <map>
#include <set>
#include <tuple>

namespace belfry {
namespace {

constexpr std::size_t kSamplesMax = 64;
constexpr std::size_t kSampleBytesMax = 256;

using Key = std::tuple<std::string, std::string, std::string>;

/// Order of Key without building one for a look-up.
struct KeyLess {
  using is_transparent = void;
  using View = std::tuple<std::string_view, std::string_view, std::string_view>;
  static View view(const Key& k) { return {std::get<0>(k), std::get<1>(k), std::get<2>(k)}; }
  static View view(const View& v) { return v; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return view(a) < view(b);
  }
};

}  // namespace

struct Ledger::Impl {
  explicit Impl(std::size_t sources) : sources_max(sources) {}
  const std::size_t sources_max;
  mutable absl::Mutex mutex;
  std::map<Key, std::uint64_t, KeyLess> counts ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> sources
      ABSL_GUARDED_BY(mutex);
  std::deque<Sample> samples ABSL_GUARDED_BY(mutex);

  /// The source itself while there is room for it, else "other".
  std::string_view admit(std::string_view collector, std::string_view source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (source.empty()) {
      return source;
    }
    auto it = sources.find(collector);
    if (it == sources.end()) {
      it = sources.emplace(collector, std::set<std::string, std::less<>>{}).first;
    }
    if (it->second.contains(source)) {
      return source;
    }
    if (it->second.size() >= sources_max) {
      return "other";
    }
    it->second.emplace(source);
    return source;
  }
};

Ledger::Ledger(std::size_t sources_max) : impl_(std::make_unique<Impl>(sources_max)) {}
Ledger::~Ledger() = default;

void Ledger::add(std::string_view collector, std::string_view source, std::string_view reason,
                 std::uint64_t count) {
  const absl::MutexLock lock(&impl_->mutex);
  const KeyLess::View key{collector, impl_->admit(collector, source), reason};
  const auto it = impl_->counts.find(key);
  if (it != impl_->counts.end()) {
    it->second += count;
  } else {
    impl_->counts.emplace(Key(std::get<0>(key), std::get<1>(key), std::get<2>(key)), count);
  }
}

std::vector<LedgerRow> Ledger::rows() const {
  const absl::MutexLock lock(&impl_->mutex);
  std::vector<LedgerRow> out;
  out.reserve(impl_->counts.size());
  for (const auto& [key, count] : impl_->counts) {
    out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  return out;
}

std::uint64_t Ledger::refused() const {
  std::uint64_t total = 0;
  for (const LedgerRow& row : rows()) {
    if (row.reason != "received" && row.reason != "stored" && row.reason != "folded") {
      total += row.count;
    }
  }
  return total;
}

void Ledger::sample(std::string_view collector, std::string_view source, std::string_view reason,
                    std::string_view bytes) {
  const absl::MutexLock lock(&impl_->mutex);
  if (impl_->samples.size() >= kSamplesMax) {
    impl_->samples.pop_front();
  }
  impl_->samples.push_back({std::string(collector), std::string(source), std::string(reason),
                            std::string(bytes.substr(0, kSampleBytesMax))});
}

std::vector<Ledger::Sample> Ledger::samples() const {
  const absl::MutexLock lock(&impl_->mutex);
  return {impl_->samples.begin(), impl_->samples.end()};
}

}  // namespace belfry
