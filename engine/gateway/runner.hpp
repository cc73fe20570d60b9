#pragma once
// Runner: where the API's work goes on. The server gives the real one (edge thread, two helpers,
// timers); tests give one that runs by hand in virtual time.
#include <functional>
#include <memory>

#include "belfry/base/time.hpp"

namespace belfry::gateway {

class Runner {
 public:
  virtual ~Runner() = default;
  /// Runs on a helper thread; false when too many wait already.
  virtual bool help(std::function<void()> work) = 0;
  /// For callbacks that may come after the server has gone.
  virtual std::weak_ptr<Runner> weak() = 0;
  /// Runs on the edge thread. From any thread.
  virtual void edge(std::function<void()> work) = 0;
  /// Runs on the edge thread after a while. Edge thread only.
  virtual void later(Duration delay, std::function<void()> work) = 0;
};

}  // namespace belfry::gateway
