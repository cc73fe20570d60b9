#include "mibs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "belfry/model/mib_names.hpp"
#include "belfry/snmp/mibs.hpp"

namespace belfry {

void MibNames::use(std::string_view module, std::string_view name) const {
  if (mib_oid(module, name)) {
    return;
  }
  if (auto octets = table_->oid(module, name)) {
    const MibTable::Node* node = table_->find(*octets);
    const std::string_view owner = !module.empty() || node == nullptr ? module : node->module;
    const std::lock_guard lock(mutex_);
    used_.emplace(std::pair(std::string(owner), std::string(name)), std::move(*octets));
  }
}

std::optional<std::string> MibNames::oid(std::string_view module, std::string_view name) const {
  use(module, name);
  return table_->oid(module, name);
}

std::vector<std::string> MibNames::trap_oids(std::string_view module, std::string_view name) const {
  use(module, name);
  return table_->trap_oids(module, name);
}

std::vector<std::string_view> MibNames::names(std::string_view module) const {
  std::vector<std::string_view> out = table_->names(module);
  const auto known = rules::MibResolver::names(module);
  out.insert(out.end(), known.begin(), known.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string MibNames::used() const {
  const std::lock_guard lock(mutex_);
  if (used_.empty()) {
    return {};
  }
  std::string out = MibTable::head();
  for (const auto& [name, octets] : used_) {
    out += MibTable::line(name.first, name.second, octets, false);
  }
  return out + MibTable::end(used_.size());
}

bool use_mibs(const std::string& folder, std::string_view command) {
  if (folder.empty()) {
    return true;
  }
  auto loaded = snmp::load_mibs(folder);
  if (!loaded) {
    fmt::print(stderr, "{}: --mibs {}\n", command, loaded.error());
    return false;
  }
  MibTable::set_current(loaded->table);
  return true;
}

int mibs_command(const MibsArguments& arguments) {
  if (arguments.raw) {
    return snmp::compile_mibs(arguments.folder, arguments.skip, stdout);
  }
  const auto loaded = snmp::load_mibs(arguments.folder);
  if (!loaded) {
    fmt::print(stderr, "belfry mibs: {}\n", loaded.error());
    return 2;
  }
  for (const std::string& warning : loaded->warnings) {
    fmt::print("{}\n", warning);
  }
  fmt::print("{} files, {} modules, {} names in {:.1f} s; {} warnings\n", loaded->files,
             loaded->table->modules(), loaded->table->size(), loaded->seconds,
             loaded->warnings.size());
  return loaded->warnings.empty() ? 0 : 1;
}

}  // namespace belfry
