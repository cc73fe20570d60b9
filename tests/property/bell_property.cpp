// bell_property --seeds N --from S [--keep-going]: the property test for as long as one likes.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "compare.hpp"

namespace {

using namespace belfry::testing;

/// What kind of failure it is: shrinking must not slip from one into another.
std::string_view kind(std::string_view wrong) { return wrong.substr(0, wrong.find(':')); }

bool check_seed(std::uint64_t seed, bool shrinks) {
  const RandomCase c = random_case(seed);
  const std::string wrong = check_case(c);
  if (wrong.empty()) {
    return true;
  }
  fmt::print("seed {}: {}\n", seed, wrong);
  if (shrinks) {
    const RandomCase small = shrink(c, [&](const RandomCase& smaller) {
      const std::string w = check_case(smaller);
      return !w.empty() && kind(w) == kind(wrong);
    });
    fmt::print("made smaller: {}\n{}\n", check_case(small), describe(small));
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 1000, from = 1;
  bool keep_going = false, text = false, shrinks = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seeds" && i + 1 < argc) {
      seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--from" && i + 1 < argc) {
      from = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--keep-going") {
      keep_going = true;
    } else if (word == "--no-shrink") {
      shrinks = false;
    } else if (word == "--text") {
      text = true;
    } else {
      fmt::print(stderr,
                 "usage: bell_property [--seeds N] [--from S] [--keep-going] [--no-shrink] "
                 "[--text]\n");
      return 2;
    }
  }
  std::uint64_t passed = 0, failed = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    if (text) {
      fmt::print("{}\n", describe(random_case(seed)));
      continue;
    }
    (check_seed(seed, shrinks) ? passed : failed) += 1;
    if (failed > 0 && !keep_going) {
      break;
    }
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
