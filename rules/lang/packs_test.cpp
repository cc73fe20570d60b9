// The packs that ship: they compile without a word, and their policies say what the desk's
// specification says. What their rules do is in their own `test` blocks (`belfry test`).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "belfry/rules/compile.hpp"
#include "belfry/rules/eval.hpp"

namespace belfry::rules {
namespace {

std::vector<SourceFile> pack(const std::string& name) {
  std::vector<SourceFile> files;
  const std::filesystem::path folder = std::filesystem::path(BELFRY_ROOT) / "rules/packs" / name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".bell") {
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files.push_back({entry.path().filename().string(), text.str()});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

Value word(const Program& program, std::string_view type, std::string_view text) {
  const Index of = program.schema->find_enum(type);
  const auto& words = program.schema->enums[of].words;
  const auto at = std::find(words.begin(), words.end(), text);
  return Value::enumerator(of, at - words.begin(), *at);
}

TEST(Packs, IspCoreCompilesWithoutAWord) {
  const std::vector<SourceFile> files = pack("isp-core");
  const Compiled compiled = compile(files);
  EXPECT_EQ(render(compiled.diagnostics, files, false), "");
  ASSERT_NE(compiled.program, nullptr);
  EXPECT_NE(compiled.program->find_rule("fibre_cut"), kNone);
  EXPECT_GE(compiled.program->tests.size(), 13U);
  for (const Rule& rule : compiled.program->rules) {
    const auto has = [&](std::string_view field) {
      return std::any_of(rule.open.begin(), rule.open.end(),
                         [&](const OpenField& f) { return f.name == field; });
    };
    EXPECT_TRUE(has("title") && has("severity") && has("impact") && has("escalate")) << rule.name;
  }
}

TEST(Packs, TriageIsTheDesksTable) {
  const Compiled compiled = compile(pack("isp-core"));
  ASSERT_NE(compiled.program, nullptr);
  const Program& program = *compiled.program;
  const auto it = std::find_if(program.policies.begin(), program.policies.end(),
                               [](const Policy& p) { return p.name == "triage"; });
  ASSERT_NE(it, program.policies.end());
  const auto index = static_cast<Index>(it - program.policies.begin());
  // corporate, solution, premium
  const std::pair<const char*, std::array<const char*, 3>> table[]{
      {"outage", {"P2", "P1", "P1"}},
      {"degraded", {"P3", "P3", "P1"}},
      {"at_risk", {"P4", "P4", "P2"}},
      {"none", {"P4", "P4", "P2"}},
  };
  Arena arena;
  for (const auto& [impact, row] : table) {
    for (std::size_t t = 0; t < row.size(); ++t) {
      const char* tier = std::array{"corporate", "solution", "premium"}[t];
      const Value args[]{word(program, "impact", impact), word(program, "tier", tier)};
      EXPECT_EQ(to_text(run_policy(program, index, args, arena)), row[t]) << impact << " " << tier;
    }
  }
}

}  // namespace
}  // namespace belfry::rules
