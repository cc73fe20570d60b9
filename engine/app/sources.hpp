#pragma once
// Rule files from disk: what `check`, `test`, `replay` and `run` read, bounded.
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/rules/compile.hpp"

namespace belfry {

inline constexpr std::size_t kRuleFilesMax = 10'000;

/// `*.bell` below the given files and folders, sorted by path; a file named twice is read once.
/// Behind them the lists of dates that calendars name: `calendars/*.csv` and `*.txt` in the
/// folders, and beside the files.
/// An empty result is an error: nothing to do is never right.
Result<std::vector<rules::SourceFile>> read_rules(const std::vector<std::string>& paths);

/// Standard input as one rule file, `<stdin>`.
Result<std::vector<rules::SourceFile>> read_standard_input();

/// Compiles and prints what was found to standard error (coloured on a terminal). nullptr on
/// errors.
std::shared_ptr<const rules::Program> compile_or_print(const std::vector<rules::SourceFile>& files);

}  // namespace belfry
