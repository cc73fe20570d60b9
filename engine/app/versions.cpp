#include "versions.hpp"

#include "belfry/inventory/load.hpp"
#include "belfry/rules/compile.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

std::string line_of(const rules::Diagnostic& d, const std::vector<rules::SourceFile>& files) {
  const std::string file = d.place.file < files.size() ? files[d.place.file].path : "rules";
  return fmt::format("{}:{}:{}: {}{}{}", file, d.place.line, d.place.column, d.message,
                     d.label.empty() ? "" : "; ", d.label);
}

void compile_rules(const std::vector<rules::SourceFile>& files, LoadedVersions& out) {
  const rules::Compiled compiled = rules::compile(files);
  std::vector<rules::Diagnostic> errors;
  for (const rules::Diagnostic& d : compiled.diagnostics) {
    const bool error = d.level == rules::DiagnosticLevel::Error;
    (error ? out.errors : out.warnings).push_back(line_of(d, files));
    if (error) {
      errors.push_back(d);
    }
  }
  out.rendered = rules::render(errors, files, false);
  out.versions.program = compiled.program;
}

void build_inventory(const std::vector<InventoryFile>& files, LoadedVersions& out) {
  const LoadedInventory loaded = load_inventory(out.versions.program->schema, files, 0);
  for (const InventoryError& error : loaded.errors) {
    out.errors.push_back(to_text(error));
  }
  if (loaded.errors_more > 0) {
    out.errors.push_back(fmt::format("and {} more", loaded.errors_more));
  }
  for (const InventoryError& warning : loaded.warnings) {
    out.warnings.push_back(to_text(warning));
  }
  out.versions.inventory = loaded.inventory;
}

}  // namespace

LoadedVersions load_versions(const Config& config) {
  LoadedVersions out;
  const auto rules = read_rules(config.rules);
  if (!rules) {
    out.errors.push_back(rules.error().what);
  } else {
    compile_rules(*rules, out);
    for (const rules::SourceFile& file : *rules) {
      out.sources.rules.emplace_back(file.path, file.text);
    }
  }
  const auto inventory = read_inventory(config.inventory);
  if (!inventory) {
    out.errors.push_back(inventory.error().what);
  } else if (out.versions.program) {
    build_inventory(*inventory, out);
    out.sources.inventory = *inventory;
  }
  if (!out.errors.empty()) {
    out.versions = {};
  }
  return out;
}

Result<Versions> build_versions(const VersionSources& sources) {
  LoadedVersions out;
  std::vector<rules::SourceFile> files;
  for (const auto& [path, text] : sources.rules) {
    files.push_back({path, text});
  }
  compile_rules(files, out);
  if (out.versions.program) {
    build_inventory(sources.inventory, out);
  }
  if (!out.errors.empty()) {
    return fail(Code::Invalid, "a stored version does not build any more: {}", out.errors.front());
  }
  return out.versions;
}

}  // namespace belfry
