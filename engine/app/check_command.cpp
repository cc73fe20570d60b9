#include "check_command.hpp"

#include <unistd.h>

#include "check_report.hpp"
#include "config.hpp"
#include "cost_report.hpp"
#include "mibs.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

std::string summary(const rules::Compiled& compiled, std::size_t files) {
  std::string what =
      fmt::format("{} files: {} errors, {} warnings", files, compiled.errors, compiled.warnings);
  if (compiled.program) {
    what += fmt::format("; {} signals, {} rules, {} causes, {} tests",
                        compiled.program->signals.size() - compiled.program->rules.size(),
                        compiled.program->rules.size(), compiled.program->causes.size(),
                        compiled.program->tests.size());
  }
  return what;
}

void print(const CheckArguments& arguments, const rules::Compiled& compiled,
           const std::vector<rules::SourceFile>& files) {
  if (arguments.sarif) {
    fmt::print("{}\n", sarif(compiled.diagnostics, files));
    return;
  }
  if (arguments.json) {
    for (const rules::Diagnostic& d : compiled.diagnostics) {
      fmt::print("{}\n", finding_json(d, files));
    }
    if (arguments.cost && compiled.program) {
      fmt::print("{}", cost_json(compiled.program));
    }
    return;
  }
  fmt::print("{}", rules::render(compiled.diagnostics, files, isatty(STDOUT_FILENO) != 0));
  if (arguments.cost && compiled.program) {
    fmt::print("{}{}\n", compiled.diagnostics.empty() ? "" : "\n", cost_table(compiled.program));
  }
  fmt::print("{}\n", summary(compiled, files.size()));
}

}  // namespace

int check_command(const CheckArguments& arguments) {
  const auto files = read_rules(arguments.paths);
  if (!files) {
    fmt::print(stderr, "belfry check: {}\n", files.error());
    return 2;
  }
  const MibNames mibs(MibTable::current());
  rules::Compiled compiled = rules::compile(*files, &mibs);
  check_runbooks(arguments.paths, *files, compiled);
  if (!arguments.config.empty()) {
    const Result<Config> config = load_config(arguments.config);
    if (!config) {
      fmt::print(stderr, "belfry check: {}\n", config.error());
      return 2;
    }
    if (config->probes.enabled) {
      check_probe_interval(config->probes.interval, compiled);
    }
  }
  print(arguments, compiled, *files);
  return compiled.errors > 0 || (arguments.strict && compiled.warnings > 0) ? 1 : 0;
}

int help_command(const std::string& code) {
  const std::string_view text = rules::explain_code(code);
  if (text.empty()) {
    fmt::print(
        stderr,
        "belfry help: there is no code '{}': expected one that `belfry check` prints, as B0101\n",
        code);
    return 2;
  }
  fmt::print("{}\n", text);
  return 0;
}

}  // namespace belfry
