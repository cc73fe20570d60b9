// LANGUAGE 12: random rules x random streams, engine == reference, whatever the batches, restarts
// and reloads were.
#include <gtest/gtest.h>

#include "compare.hpp"

namespace belfry::testing {
namespace {

/// About three seconds on one core.
constexpr std::uint64_t kSeeds = 400;
/// Cases per test: ctest runs them side by side.
constexpr std::uint64_t kParts = 4;

class Property : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Property, EngineAndReferenceSayTheSame) {
  std::size_t changes = 0;
  for (std::uint64_t seed = GetParam(); seed < kSeeds; seed += kParts) {
    const RandomCase c = random_case(seed);
    const std::string wrong = check_case(c);
    if (!wrong.empty()) {
      const RandomCase small =
          shrink(c, [](const RandomCase& smaller) { return !check_case(smaller).empty(); });
      FAIL() << "seed " << seed << ": " << wrong << "\nmade smaller: " << check_case(small)
             << describe(small);
    }
    changes += run_engine(c, compile_case(c).program).lines.size();
  }
  EXPECT_GT(changes, 5 * kSeeds / kParts) << "the random cases do next to nothing";
}

INSTANTIATE_TEST_SUITE_P(Seeds, Property, ::testing::Range<std::uint64_t>(0, kParts));

}  // namespace
}  // namespace belfry::testing
