#include "check_command.hpp"

#include <unistd.h>

#include "belfry/base/json.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

std::string to_json(const rules::Diagnostic& d, const std::vector<rules::SourceFile>& files) {
  JsonWriter json;
  json.object().field("level", d.level == rules::DiagnosticLevel::Error ? "error" : "warning");
  json.field("code", d.code).field("message", d.message).field("help", d.label);
  json.field("file", d.place.file < files.size() ? files[d.place.file].path : std::string());
  json.field("line", d.place.line).field("column", d.place.column).field("length", d.length).end();
  return json.take();
}

}  // namespace

int check_command(const CheckArguments& arguments) {
  const auto files = read_rules(arguments.paths);
  if (!files) {
    fmt::print(stderr, "belfry check: {}\n", files.error());
    return 2;
  }
  const rules::Compiled compiled = rules::compile(*files);
  if (arguments.json) {
    for (const rules::Diagnostic& d : compiled.diagnostics) {
      fmt::print("{}\n", to_json(d, *files));
    }
  } else {
    fmt::print("{}", rules::render(compiled.diagnostics, *files, isatty(STDOUT_FILENO) != 0));
    std::string what = fmt::format("{} files: {} errors, {} warnings", files->size(),
                                   compiled.errors, compiled.warnings);
    if (compiled.program) {
      what += fmt::format("; {} signals, {} rules, {} causes, {} tests",
                          compiled.program->signals.size() - compiled.program->rules.size(),
                          compiled.program->rules.size(), compiled.program->causes.size(),
                          compiled.program->tests.size());
    }
    fmt::print("{}\n", what);
  }
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
