#include "belfry/rules/program.hpp"

namespace belfry::rules {

// Once per test or command, never per event: a walk over the names is fast enough.
Index Program::find_rule(std::string_view name) const {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].name == name) {
      return static_cast<Index>(i);
    }
  }
  return kNone;
}

Index Program::find_signal(std::string_view name) const {
  for (std::size_t i = 0; i < signals.size(); ++i) {
    if (signals[i].name == name) {
      return static_cast<Index>(i);
    }
  }
  return kNone;
}

}  // namespace belfry::rules
