#pragma once
// `belfry check`: what the compiler says of rule files, for people, as JSON or SARIF; and
// `belfry help B0123`.
#include <string>
#include <vector>

namespace belfry {

struct CheckArguments {
  std::vector<std::string> paths;
  std::string config;   ///< belfry.yaml: what it says of probes; empty = nothing is known of them
  bool json = false;    ///< one object a line
  bool sarif = false;   ///< SARIF 2.1.0
  bool cost = false;    ///< what each signal, rule and cause costs
  bool strict = false;  ///< warnings count as findings
};

/// 0 = no errors, 1 = findings, 2 = cannot be read.
int check_command(const CheckArguments& arguments);
int help_command(const std::string& code);

}  // namespace belfry
