#pragma once
// `belfry check`: what the compiler says of rule files, for people, `--json` or SARIF; and
// `belfry help B0123`.
#include <string>
#include <vector>

namespace belfry {

struct CheckArguments {
  std::vector<std::string> paths;
  bool json = false;
  bool strict = false;  ///< warnings count as findings
};

/// 0 = no errors, 1 = findings, 2 = cannot be read.
int check_command(const CheckArguments& arguments);
int help_command(const std::string& code);

}  // namespace belfry
