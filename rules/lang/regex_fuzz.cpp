// Any expressions, any text: what RE2 takes never crashes, an expression that matches is among the
// candidates whatever its pieces are, and the slices lie inside the text.
#include <cctype>
#include <cstdint>
#include <cstdlib>

#include "regex.hpp"

namespace {

using namespace belfry;
using namespace belfry::rules;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

/// Atoms that stand in the text, as vectorscan would tell.
std::vector<int> atoms_in(const std::vector<std::string>& atoms, std::string_view text) {
  std::vector<int> found;
  const std::string low = lower(text);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (low.find(atoms[i]) != std::string::npos) {
      found.push_back(static_cast<int>(i));
    }
  }
  return found;
}

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

/// Lines: up to four expressions, then the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kExpressions = 4;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> patterns;
  while (patterns.size() < kExpressions) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      break;
    }
    const std::string pattern(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (pattern.size() <= kRegexBytesMax && regex_facts(regex_of(pattern)).error.empty()) {
      patterns.push_back(regex_of(pattern));
    }
  }
  RegexFilter filter;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    filter.add(patterns[i], static_cast<Index>(i));
  }
  const std::vector<int> atoms = atoms_in(filter.finish(), rest);
  std::vector<Index> candidates;
  if (!patterns.empty()) {
    filter.candidates(rest, atoms, candidates);
  }
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Slices slices;
    if (!Regex(patterns[i]).match(rest, slices)) {
      continue;
    }
    must(std::find(candidates.begin(), candidates.end(), static_cast<Index>(i)) !=
         candidates.end());
    for (std::size_t g = 0; g < regex_facts(patterns[i]).groups.size() && g < slices.size(); ++g) {
      must(slices[g].data() == nullptr ||
           (slices[g].data() >= rest.data() &&
            slices[g].data() + slices[g].size() <= rest.data() + rest.size()));
    }
  }
  return 0;
}
