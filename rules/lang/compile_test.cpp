#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "belfry/model/oid.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/tests.hpp"
#include "compile_test_texts.hpp"

namespace belfry::rules {
namespace {

using ::testing::HasSubstr;

Compiled compile_texts(std::vector<std::string> texts) {
  std::vector<SourceFile> files;
  for (std::string& text : texts) {
    files.push_back({"f" + std::to_string(files.size()) + ".bell", std::move(text)});
  }
  Compiled out = compile(files);
  if (out.errors > 0) {
    std::fputs(render(out.diagnostics, files, false).c_str(), stderr);
  }
  return out;
}

TEST(Compile, PreludeAndNetworkRulesHaveNoErrors) {
  const Compiled out = compile_texts({texts::kPrelude, texts::kNetwork});
  ASSERT_EQ(out.errors, 0U);
  EXPECT_EQ(out.warnings, 0U);
  ASSERT_NE(out.program, nullptr);
  EXPECT_EQ(out.program->rules.size(), 5U);
  EXPECT_EQ(out.program->causes.size(), 4U);
  EXPECT_EQ(out.program->tests.size(), 3U);
}

}  // namespace
}  // namespace belfry::rules
