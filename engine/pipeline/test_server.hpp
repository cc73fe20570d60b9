#pragma once
// A pipeline in a directory with a clock that stands still, and collectors that push what a test
// says.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "belfry/base/check.hpp"
#include "belfry/pipeline/pipeline.hpp"
#include "belfry/rules/matcher.hpp"
#include "test_rules.hpp"

namespace belfry {

inline constexpr Instant kTestStart{1'700'000'000'000'000'000};

class StandingClock final : public Clock {
 public:
  Instant wall() override { return {wall_.load()}; }
  std::int64_t boot_ns() override { return boot_.load(); }
  void advance(Duration d) {
    wall_ += d.count();
    boot_ += d.count();
  }
  void step_wall(Duration d) { wall_ += d.count(); }

 private:
  std::atomic<std::int64_t> wall_{kTestStart.ns};
  std::atomic<std::int64_t> boot_{1'000'000'000};
};

/// Waits for another thread without a clock of its own: the test's time limit is the bound.
template <class F>
void wait_until(F&& done) {
  while (!done()) {
    std::this_thread::yield();
  }
}

inline VersionSources test_sources(const std::string& title, int devices) {
  return {.rules = {{"a.bell", title}}, .inventory = {{"device.csv", std::to_string(devices)}}};
}

/// A collector thread's part: matches with the pair its port gives it.
class MiniCollector {
 public:
  explicit MiniCollector(Port& port) : port_(port) {}
  void adopt() {
    if (!versions_ || port_.version_changed()) {
      versions_ = port_.versions();
      matcher_.emplace(versions_->program, versions_->inventory);
    }
  }
  std::uint64_t push(const std::vector<std::pair<std::string, std::string>>& events,
                     std::int64_t received_ns = 1) {
    adopt();
    std::unique_ptr<Batch> batch = port_.take_batch();
    batch->first_received_ns = received_ns;
    for (const auto& [node, text] : events) {
      Event e;
      e.type = "syslog";
      e.severity = 3;
      e.facility = 23;
      e.node = batch->arena.copy(node);
      e.from = "192.0.2.1";
      e.raw = batch->arena.copy("<187>" + text);
      e.message = e.raw.substr(5);
      batch->events.push_back(e);
    }
    matcher_->match(*batch);
    const std::uint64_t number = batch->number;
    wait_until([&] { return port_.try_push(batch); });
    return number;
  }
  Port& port() { return port_; }

 private:
  Port& port_;
  std::shared_ptr<const Versions> versions_;
  std::optional<rules::Matcher> matcher_;
};

class TestServer {
 public:
  static PipelineOptions options_of(std::string dir) {
    PipelineOptions options;
    options.store_dir = std::move(dir);
    options.durability = Durability::Os;
    options.disk_warn = options.disk_refuse = 2;  // the machine's disk is not what is tested
    return options;
  }
  explicit TestServer(std::string dir) : TestServer(options_of(std::move(dir))) {}
  explicit TestServer(PipelineOptions options) {
    pipeline.emplace(std::move(options), clock, metrics, ledger,
                     [this](const VersionSources& s) -> Result<Versions> {
                       ++built;
                       return test_versions(s.rules.at(0).second,
                                            std::stoi(s.inventory.at(0).second));
                     });
    pipeline->on_effects([this](std::vector<Effect> effects) {
      const std::lock_guard lock(mutex);
      for (const Effect& e : effects) {
        EXPECT_TRUE(sent.insert(e.id.value).second) << "an effect was handed out twice";
      }
    });
  }
  Result<void> try_start(const std::string& title = "down", int devices = 20) {
    return pipeline->start(test_sources(title, devices), test_versions(title, devices),
                           test_desk());
  }
  void start(const std::string& title = "down", int devices = 20) {
    const auto started = try_start(title, devices);
    ASSERT_TRUE(started) << started.error().what;
  }
  CommandResult command(Command c) {
    std::atomic<bool> answered{false};
    CommandResult result;
    EXPECT_TRUE(pipeline->submit(std::move(c), [&](const CommandResult& r) {
      result = r;
      answered = true;
    }));
    wait_until([&] { return answered.load(); });
    return result;
  }
  void reload(const std::string& title, int devices) {
    std::atomic<bool> done{false};
    pipeline->reload(test_sources(title, devices), test_versions(title, devices),
                     [&] { done = true; });
    wait_until([&] { return done.load(); });
  }
  std::size_t effects_sent() {
    const std::lock_guard lock(mutex);
    return sent.size();
  }

  StandingClock clock;
  Metrics metrics;
  Ledger ledger;
  std::atomic<int> built{0};
  std::mutex mutex;
  std::set<std::uint64_t> sent;
  std::optional<Pipeline> pipeline;
};

class PipelineDir : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "belfry-pipeline-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    store_ = dir_ + "/store";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_, store_;
};

}  // namespace belfry
