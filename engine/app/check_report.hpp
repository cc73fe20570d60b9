#pragma once
// What `belfry check` found, for machines: JSON lines and SARIF 2.1.0; and what the compiler cannot
// see because it reads no files and knows no configuration.
#include <span>
#include <string>
#include <vector>

#include "belfry/base/time.hpp"
#include "belfry/rules/compile.hpp"

namespace belfry {

/// 1-based, columns count characters; the end is behind the last marked one.
struct MarkedRange {
  std::uint32_t line = 1, column = 1, end_line = 1, end_column = 1;
};
MarkedRange range_of(const rules::Diagnostic& d, std::span<const rules::SourceFile> files);
/// What would mend it in place of the marked text; empty when there is no such word.
std::string fix_of(const rules::Diagnostic& d);

std::string finding_json(const rules::Diagnostic& d, std::span<const rules::SourceFile> files);
std::string sarif(std::span<const rules::Diagnostic> found,
                  std::span<const rules::SourceFile> files);

/// Adds B0811: runbooks that are files and are not there. `roots`: the paths that were given.
void check_runbooks(const std::vector<std::string>& roots, std::span<const rules::SourceFile> files,
                    rules::Compiled& compiled);
/// Adds B0812: rules that open sooner than the next probe of their cause can come.
void check_probe_interval(Duration interval, rules::Compiled& compiled);

}  // namespace belfry
