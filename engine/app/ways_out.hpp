#pragma once
// Ways out: the outbox with the channels of the configuration, joined to the pipeline: effects come
// after their commit, what became of them goes back as an input.
#include <memory>

#include "belfry/base/result.hpp"
#include "belfry/pipeline/pipeline.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/metrics.hpp"
#include "config.hpp"

namespace belfry {

/// A secret from its file, which nobody else may read.
Result<std::string> read_secret(const std::string& path, std::size_t bytes_max = 4096);

class WaysOut {
 public:
  /// Reads secrets from the files that the configuration names. One line on what is wrong.
  static Result<std::unique_ptr<WaysOut>> make(const Config& config, Pipeline& pipeline,
                                               Clock& clock, Metrics& metrics);
  ~WaysOut();
  /// REQUIRES: the pipeline has started. Takes up what was pending.
  void start();
  void stop();

 private:
  struct Impl;
  explicit WaysOut(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
