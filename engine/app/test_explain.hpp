#pragma once
// What stands under a line of a failed test: the values of an expression below its text, and the
// priority that the desk would give.
#include <span>
#include <string>
#include <vector>

#include "belfry/model/change.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/eval.hpp"

namespace belfry {

/// The source line without the blanks around it.
std::string source_line(std::span<const rules::SourceFile> files, const rules::Place& place);

/// The expression's lines as written, the values of its names below them:
///
///     where node.site == up.site
///           |            |
///           par1         lyo2 -> false
///
/// Every line is indented by `indent`; the verdict stands behind the values of the last line.
std::vector<std::string> values_under(const rules::Expr& expr, const rules::Env& env,
                                      std::span<const rules::SourceFile> files, std::size_t indent,
                                      std::string_view verdict);

/// What the desk makes of the incident: the word, and the line of the policy that gave it.
struct GivenPriority {
  std::string word;
  rules::Index policy = rules::kNone, line = 0;
};
GivenPriority given_priority(const rules::Program& program, const Incident& incident);

}  // namespace belfry
