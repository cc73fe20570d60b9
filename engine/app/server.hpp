#pragma once
// Server: the wiring of one process. Ports before the pipeline starts, collectors after it
// recovered, edges last; stopped in the opposite order, so that nothing is published that nobody
// hears and no input is taken that nobody folds.
#include <memory>

#include "belfry/base/result.hpp"
#include "config.hpp"
#include "versions.hpp"

namespace belfry {

class Server {
 public:
  Server(const Config& config, LoadedVersions loaded);
  ~Server();
  /// Recovers, listens, and writes DATA_DIR/addresses.json. One clear line on failure.
  Result<void> start();
  void stop();
  /// SIGHUP: rules and inventory anew; errors go to the log.
  void reload();
  /// What it says once it runs: where it listens, how much it recovered.
  std::string summary() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
