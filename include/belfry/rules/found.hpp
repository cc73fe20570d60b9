#pragma once
// How a line or a cause is found at run time, in words for its author (`belfry check --cost`).
#include <string>

#include "belfry/rules/program.hpp"

namespace belfry::rules {

struct FoundBy {
  std::string words;   ///< "tag LINK-3-UPDOWN", "text 'neighbor '", "every syslog event" ...
  bool direct = true;  ///< false: each event of the type, or each incident of the cause, is tried
};

/// How an event finds the raise, clear or measure line.
FoundBy found_by(const Clause& clause);
/// How a symptom finds its cause: one entry per part of the cause's key.
FoundBy found_by(const Cause& cause, const Program& program);

}  // namespace belfry::rules
