#include "run_command.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "belfry/runtime/log.hpp"
#include "config.hpp"
#include "server.hpp"

namespace belfry {
namespace {

int refuse(const std::string& text, int code) {
  fmt::print(stderr, "belfry run: {}\n", text);
  return code;
}

/// Signals that end or reload are taken by sigwait on the main thread alone: they are blocked
/// before the first thread is made, and every thread inherits that.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&set, number);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

/// Each sender of a stream is a descriptor; the soft limit of most shells is 1,024. The hard limit
/// is the administrator's word.
void raise_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    constexpr rlim_t kEnough = 1'000'000;
    limit.rlim_cur = std::min(limit.rlim_max, kEnough);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int run_command(const std::string& config_file) {
  const auto config = load_config(config_file);
  if (!config) {
    return refuse(config.error().what, 2);
  }
  const auto level = log::parse_level(config->log_level);
  log::start({level.value_or(log::Level::Info), config->log_format == "json", config->log_file});
  LoadedVersions loaded = load_versions(*config);
  if (!loaded.errors.empty()) {
    if (!loaded.rendered.empty()) {
      fmt::print(stderr, "{}", loaded.rendered);
    }
    std::string all = fmt::format("{} errors in rules and inventory", loaded.errors.size());
    for (const std::string& error : loaded.errors) {
      all += "\n  " + error;
    }
    return refuse(all, 2);
  }
  raise_descriptors();
  const sigset_t signals = block_signals();
  Server server(*config, std::move(loaded));
  if (const auto started = server.start(); !started) {
    return refuse(started.error().what, 1);
  }
  fmt::print("{}", server.summary());
  std::fflush(stdout);
  for (int number = 0;;) {
    if (sigwait(&signals, &number) != 0) {
      continue;
    }
    if (number == SIGHUP) {
      server.reload();
      continue;
    }
    log::info("run", "signal {}: draining and stopping", number);
    server.stop();
    return 0;
  }
}

}  // namespace belfry
