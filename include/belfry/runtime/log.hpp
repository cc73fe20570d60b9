#pragma once
// Log: lines for the operator. Text on a terminal, JSON for a collector. What comes from the
// network is passed through printable() before it gets here. Any thread; never per event.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "belfry/base/result.hpp"

namespace belfry::log {

enum class Level : unsigned char { Debug, Info, Warn, Error };
struct Options {
  Level level = Level::Info;
  bool json = false;
  std::string file;  ///< empty = standard error
};
Result<Level> parse_level(std::string_view word);
void start(const Options& options);
void write(Level level, std::string_view module, std::string_view text);

template <class... A>
void debug(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  write(Level::Debug, module, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void info(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  write(Level::Info, module, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void warn(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  write(Level::Warn, module, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void error(std::string_view module, fmt::format_string<A...> f, A&&... a) {
  write(Level::Error, module, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace belfry::log
