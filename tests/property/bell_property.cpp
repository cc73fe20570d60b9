// bell_property --seeds N --from S [--keep-going]: the property test for as long as one likes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
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

/// What the random cases have to have, and how it stands in them.
constexpr std::pair<const char*, const char*> kConstructs[]{
    {"for", " for "},
    {"and", " and "},
    {"or", " or "},
    {"not", "not ("},
    {"then", ") then ("},
    {"then not", "then not"},
    {"missing", "missing "},
    {"count of events", "count(s"},
    {"count of raw events", "count(syslog"},
    {"count of a rule", "count(r"},
    {"flaps", "flaps("},
    {"distinct", "distinct("},
    {"share", "share("},
    {"rate of a signal", "rate(s"},
    {"avg", "avg(m"},
    {"min", "min(m"},
    {"max", "max(m"},
    {"sum", "sum(m"},
    {"rate", "rate(m"},
    {"eta", "eta(m"},
    {"where", "  where "},
    {"unless", "  unless "},
    {"one by", "  one by "},
    {"clear after", "  clear after"},
    {"clear quiet", "  clear quiet"},
    {"clear manual", "  clear manual"},
    {"clear when", "  clear when"},
    {"limit", "  limit "},
    {"mode shadow", "  mode shadow"},
    {"mode off", "  mode off"},
    {"was", "  was "},
    {"alert with a lease", "s5"},
};

/// How often each kind of change came, and how many changes the rules with each construct made.
void count(std::uint64_t seed, std::map<std::string, std::size_t>& counts) {
  const RandomCase c = random_case(seed);
  const Compiled compiled = compile_case(c);
  ++counts[compiled.program == nullptr ? "does not compile" : "cases"];
  if (compiled.program == nullptr) {
    return;
  }
  std::map<std::string, std::size_t> changes;  // by rule
  for (const std::string& line : run_engine(c, compiled.program).lines) {
    const std::size_t end = line.find(" #");
    const std::size_t begin = line.rfind(' ', end - 1) + 1;
    ++counts["change " + line.substr(begin, end - begin)];
    const std::size_t id = line.find(' ') + 1, rule = line.find(' ', id) + 1;
    ++changes[line.substr(rule, line.find('(', rule) - rule)];
  }
  for (const RandomEvent& e : c.events) {
    const std::string word = e.msg.substr(0, e.msg.find(' '));
    if (word == "rules" || word == "rows" || word == "deaf" || word == "close") {
      ++counts["input " + word];
    }
  }
  for (const RandomCase& version : {c, edited(c)}) {
    for (const Declaration& d : version.declarations) {
      const std::string text = fmt::format("{}\n{}\n{}", d.head, fmt::join(d.lines, "\n"), d.tail);
      for (const auto& [name, word] : kConstructs) {
        if (text.find(word) != std::string::npos) {
          const std::string rule = text.substr(0, text.find(" {"));
          counts[fmt::format("changes by {}", name)] +=
              changes[rule.substr(std::min(rule.size(), std::size_t{5}))];
          ++counts[fmt::format("with {}", name)];
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 1000, from = 1;
  bool keep_going = false, text = false, shrinks = true, stats = false;
  std::map<std::string, std::size_t> counts;
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
    } else if (word == "--stats") {
      stats = true;
    } else if (word == "--text") {
      text = true;
    } else {
      fmt::print(
          stderr,
          "usage: bell_property [--seeds N] [--from S] [--keep-going] [--no-shrink] [--stats] "
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
    if (stats) {
      count(seed, counts);
      continue;
    }
    (check_seed(seed, shrinks) ? passed : failed) += 1;
    if (failed > 0 && !keep_going) {
      break;
    }
  }
  for (const auto& [what, n] : counts) {
    fmt::print("{:32} {}\n", what, n);
  }
  if (stats || text) {
    return 0;
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
