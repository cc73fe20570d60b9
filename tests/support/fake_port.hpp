#pragma once
// FakePort: a Port without a pipeline. Keeps what was pushed; full, idle, refusing and new versions
// are set by the test. Also a FakePort::text() of what came, for expectations.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "belfry/pipeline/port.hpp"

namespace belfry::testing {

class FakePort final : public Port {
 public:
  explicit FakePort(std::string name = "fake", std::size_t capacity = 1'000'000)
      : name_(std::move(name)), capacity_(capacity) {}

  CollectorId id() const override { return CollectorId{1}; }
  std::string_view name() const override { return name_; }
  std::shared_ptr<const Versions> versions() override {
    changed_ = false;
    ++versions_taken;
    const std::lock_guard lock(mutex_);
    return versions_;
  }
  bool version_changed() const override { return changed_; }
  std::unique_ptr<Batch> take_batch() override {
    auto batch = std::make_unique<Batch>();
    batch->collector = id();
    batch->incarnation = 1;
    batch->number = ++number_;
    return batch;
  }
  bool try_push(std::unique_ptr<Batch>& batch) override {
    const std::lock_guard lock(mutex_);
    if (batches_.size() >= capacity_) {
      return false;
    }
    events_ += batch->events.size();
    batches_.push_back(std::move(batch));
    return true;
  }
  std::uint64_t committed() const override { return committed_mark; }
  bool idle() const override { return fold_idle; }
  bool refusing() const override { return refuse; }

  // The test's side. Any thread.
  void set_versions(std::shared_ptr<const Versions> versions) {
    const std::lock_guard lock(mutex_);
    versions_ = std::move(versions);
    changed_ = true;
  }
  void set_capacity(std::size_t batches) {
    const std::lock_guard lock(mutex_);
    capacity_ = batches;
  }
  std::vector<std::unique_ptr<Batch>> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(batches_, {});
  }
  std::uint64_t events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  std::atomic<bool> fold_idle{true};
  std::atomic<bool> refuse{false};
  std::atomic<std::uint64_t> committed_mark{0};
  std::atomic<unsigned> versions_taken{0};

 private:
  const std::string name_;
  mutable std::mutex mutex_;  // not Abseil's: the thread sanitizer knows this one
  std::size_t capacity_;
  std::shared_ptr<const Versions> versions_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::uint64_t events_ = 0;
  std::atomic<bool> changed_{false};
  std::uint64_t number_ = 0;
};

}  // namespace belfry::testing
