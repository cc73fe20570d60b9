#include "versions.hpp"

#include "belfry/inventory/load.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/runtime/log.hpp"
#include "belfry/snmp/mibs.hpp"
#include "mibs.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

std::string line_of(const rules::Diagnostic& d, const std::vector<rules::SourceFile>& files) {
  const std::string file = d.place.file < files.size() ? files[d.place.file].path : "rules";
  return fmt::format("{}:{}:{}: {}{}{}", file, d.place.line, d.place.column, d.message,
                     d.label.empty() ? "" : "; ", d.label);
}

void compile_rules(const std::vector<rules::SourceFile>& files, const MibNames& mibs,
                   LoadedVersions& out) {
  const rules::Compiled compiled = rules::compile(files, &mibs);
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

/// The configured folder's names, current from here on; the built-in ones where there is none.
std::shared_ptr<const MibTable> load_mib_folder(const Config& config, LoadedVersions& out) {
  if (config.mibs.empty()) {
    return MibTable::built_in();
  }
  auto loaded = snmp::load_mibs(config.mibs);
  if (!loaded) {
    out.errors.push_back(loaded.error().what);
    return MibTable::current();
  }
  constexpr std::size_t kShownMax = 5;
  const std::size_t shown = std::min(loaded->warnings.size(), kShownMax);
  out.warnings.insert(out.warnings.end(), loaded->warnings.begin(),
                      loaded->warnings.begin() + static_cast<std::ptrdiff_t>(shown));
  if (loaded->warnings.size() > shown) {
    out.warnings.push_back(fmt::format("and {} more: `belfry mibs {}` lists them",
                                       loaded->warnings.size() - shown, config.mibs));
  }
  log::info("mibs", "{} files, {} modules, {} names in {:.1f} s", loaded->files,
            loaded->table->modules(), loaded->table->size(), loaded->seconds);
  MibTable::set_current(loaded->table);
  return loaded->table;
}

}  // namespace

LoadedVersions load_versions(const Config& config) {
  LoadedVersions out;
  const auto rules = read_rules(config.rules);
  if (!rules) {
    out.errors.push_back(rules.error().what);
  } else {
    const auto table = load_mib_folder(config, out);
    const MibNames mibs(table);
    compile_rules(*rules, mibs, out);
    for (const rules::SourceFile& file : *rules) {
      out.sources.rules.emplace_back(file.path, file.text);
    }
    if (std::string used = mibs.used(); !used.empty()) {
      out.sources.rules.emplace_back(kMibNamesPath, std::move(used));
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
  std::shared_ptr<const MibTable> table = MibTable::built_in();
  for (const auto& [path, text] : sources.rules) {
    if (path == kMibNamesPath) {
      BELFRY_TRY(table, MibTable::parse(text));
    } else {
      files.push_back({path, text});
    }
  }
  compile_rules(files, MibNames(table), out);
  if (out.versions.program) {
    build_inventory(sources.inventory, out);
  }
  if (!out.errors.empty()) {
    return fail(Code::Invalid, "a stored version does not build any more: {}", out.errors.front());
  }
  return out.versions;
}

}  // namespace belfry
