#include "belfry/runtime/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "belfry/base/json.hpp"
#include "belfry/base/time.hpp"

namespace belfry::log {
namespace {

std::atomic<bool> as_json{false};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

Result<Level> parse_level(std::string_view word) {
  if (word == "debug") {
    return Level::Debug;
  }
  if (word == "info") {
    return Level::Info;
  }
  if (word == "warn") {
    return Level::Warn;
  }
  if (word == "error") {
    return Level::Error;
  }
  return fail(Code::Invalid, "'{}' is not a log level: expected debug, info, warn or error", word);
}

void start(const Options& options) {
  std::shared_ptr<spdlog::logger> logger;
  if (options.file.empty()) {
    logger = std::make_shared<spdlog::logger>(
        "belfry", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  } else {
    logger = std::make_shared<spdlog::logger>(
        "belfry", std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
  }
  as_json = options.json;
  logger->set_pattern(options.json ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%-5l%$ %v");
  logger->set_level(to_spdlog(options.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void write(Level level, std::string_view module, std::string_view text) {
  const auto severity = to_spdlog(level);
  if (!spdlog::default_logger_raw()->should_log(severity)) {
    return;
  }
  if (!as_json) {
    spdlog::log(severity, "{}: {}", module, text);
    return;
  }
  constexpr std::string_view kWords[]{"debug", "info", "warn", "error"};
  JsonWriter json;
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
      spdlog::log_clock::now().time_since_epoch());
  json.object().field("at", to_rfc3339(Instant{now.count()}));
  json.field("level", kWords[static_cast<std::size_t>(level)]).field("module", module);
  json.field("text", text).end();
  spdlog::log(severity, "{}", json.text());
}

}  // namespace belfry::log
