// The syntax tree of every construct, as text: golden/trees.txt holds texts and their trees, `==`
// before a section, `--` before a tree. BELFRY_UPDATE=1 writes the trees anew: read the difference.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "blocks.hpp"
#include "parser.hpp"

namespace belfry::rules {
namespace {

struct Section {
  std::string title, text, tree;
};

std::filesystem::path golden() {
  return std::filesystem::path(BELFRY_ROOT) / "rules/lang/golden/trees.txt";
}

std::vector<Section> sections() {
  std::vector<Section> out;
  std::ifstream in(golden());
  bool tree = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      out.push_back({line.substr(3), "", ""});
      tree = false;
    } else if (line == "--") {
      tree = true;
    } else if (!out.empty()) {
      (tree ? out.back().tree : out.back().text) += line + "\n";
    }
  }
  return out;
}

/// One declaration a line.
std::string tree_of(const Section& section, std::set<NodeKind>& seen) {
  const SourceFile file{section.title, section.text};
  Report report(std::span(&file, 1));
  const Tree tree = parse_file(file.text, 0, report);
  EXPECT_EQ(report.errors(), 0U) << section.title;
  for (const Node& node : tree.nodes) {
    seen.insert(node.kind);
  }
  std::string out = dump(tree, false);
  for (std::size_t at = out.find(" (", 1); at != std::string::npos;) {
    std::size_t depth = 0, end = at + 1;  // a child of the file
    do {
      depth += out[end] == '(' ? 1 : 0;
      depth -= out[end] == ')' ? 1 : 0;
      ++end;
    } while (depth > 0 && end < out.size());
    out[at] = '\n';
    at = end < out.size() && out[end] == ' ' ? end : std::string::npos;
  }
  return out + "\n";
}

TEST(Golden, EveryConstructHasItsTree) {
  std::vector<Section> all = sections();
  ASSERT_GE(all.size(), 20U);
  std::set<NodeKind> seen;
  std::string made;
  for (const Section& section : all) {
    const std::string tree = tree_of(section, seen);
    made += "== " + section.title + "\n" + section.text + "--\n" + tree;
    if (std::getenv("BELFRY_UPDATE") == nullptr) {
      EXPECT_EQ(tree, section.tree) << section.title;
    }
  }
  if (std::getenv("BELFRY_UPDATE") != nullptr) {
    std::ofstream(golden()) << made;
  }
  for (int kind = 0; kind <= static_cast<int>(NodeKind::Conditional); ++kind) {
    const auto k = static_cast<NodeKind>(kind);
    EXPECT_TRUE(k == NodeKind::Error || seen.contains(k)) << kind_name(k);
  }
}

}  // namespace
}  // namespace belfry::rules
