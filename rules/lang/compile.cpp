#include "belfry/rules/compile.hpp"

#include "calendar.hpp"
#include "checker.hpp"
#include "parser.hpp"

namespace belfry::rules {

Compiled compile(std::span<const SourceFile> files) {
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
  out.program = Checker(files, trees, report).run();
  report.finish(out);
  if (out.errors > 0) {
    out.program = nullptr;
  }
  return out;
}

}  // namespace belfry::rules
