#pragma once
// `belfry fmt`: rule files in their one canonical form.
#include <string>
#include <vector>

namespace belfry {

struct FmtArguments {
  std::vector<std::string> paths;  ///< *.bell files and folders; "-" reads standard input
  bool check = false;              ///< only name the files that would change
};

/// 0 = all are (or now stand) in canonical form, 1 = `--check` found others, 2 = a file has errors
/// and was left alone, or cannot be read or written.
int fmt_command(const FmtArguments& arguments);

}  // namespace belfry
