#pragma once
// `belfry check --cost`: what each signal, rule and cause costs: state per key, how it is found.
#include <memory>
#include <string>

#include "belfry/rules/program.hpp"

namespace belfry {

/// A table of at most 80 columns, then what tries everything, and how exact the windows are.
std::string cost_table(const std::shared_ptr<const rules::Program>& program);
/// One JSON object per signal, rule and cause, a line each.
std::string cost_json(const std::shared_ptr<const rules::Program>& program);

}  // namespace belfry
