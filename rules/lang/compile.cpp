#include "belfry/rules/compile.hpp"

namespace belfry::rules {

Compiled compile(std::span<const SourceFile>) {
  Compiled compiled;
  Diagnostic diagnostic;
  diagnostic.code = "B0001";
  diagnostic.message = "rules are not compiled in this version";
  compiled.diagnostics.push_back(std::move(diagnostic));
  compiled.errors = 1;
  return compiled;
}

std::string render(std::span<const Diagnostic> diagnostics, std::span<const SourceFile>, bool) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    out += "error: " + diagnostic.message + "\n";
  }
  return out;
}

std::string_view explain_code(std::string_view) { return {}; }

}  // namespace belfry::rules
