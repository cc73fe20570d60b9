#include "belfry/rules/compile.hpp"

#include "belfry/model/mib_names.hpp"
#include "calendar.hpp"
#include "checker.hpp"
#include "parser.hpp"

namespace belfry::rules {

std::optional<std::string> MibResolver::oid(std::string_view module, std::string_view name) const {
  return mib_oid(module, name);
}

std::vector<std::string> MibResolver::trap_oids(std::string_view module,
                                                std::string_view name) const {
  return mib_trap_oids(module, name);
}

std::vector<std::string_view> MibResolver::names(std::string_view module) const {
  if (!module.empty()) {
    return mib_names(module);
  }
  const auto all = mib_names();
  return {all.begin(), all.end()};
}

Compiled compile(std::span<const SourceFile> files, const MibResolver* mibs) {
  static const MibResolver kBuiltIn;
  Compiled out;
  Report report(files);
  std::vector<Tree> trees;
  trees.reserve(files.size());  // nodes point to their tree
  for (Index f = 0; f < files.size(); ++f) {
    if (is_list(files[f].path) && files[f].text.size() <= kFileBytesMax) {
      continue;  // a calendar reads it
    }
    if (files[f].text.size() > kFileBytesMax) {
      report.error({f, 0, 1}, "B0001",
                   fmt::format("the file has more than {} bytes", kFileBytesMax), "split it");
      continue;
    }
    trees.push_back(parse_file(files[f].text, f, report));
  }
  out.program = Checker(files, trees, report, mibs == nullptr ? kBuiltIn : *mibs).run();
  report.finish(out);
  if (out.errors > 0) {
    out.program = nullptr;
  }
  return out;
}

}  // namespace belfry::rules
