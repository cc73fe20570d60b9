#pragma once
// Regular expressions: the escape hatch of heads (`raise syslog /link (?P<port>\S+) lost/`). RE2
// only: linear in the text, whatever the expression. They work on bytes, are searched for (write ^
// and $), and named groups are holes. Private to rules; the only place that includes RE2.
//
// Texts in which none of an expression's required pieces stands never reach it: the pieces (atoms,
// at least four bytes, case ignored) are found with the literal anchors. Expressions without such a
// piece share one automaton (RE2::Set) that every text has to pass.
#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/rules/program.hpp"
#include "template.hpp"

namespace belfry::rules {

/// Bytes of one expression; memory of its automaton.
inline constexpr std::size_t kRegexBytesMax = 1'000;
inline constexpr std::int64_t kRegexMemoryMax = 1 << 20;
/// Groups of one expression, named or not.
inline constexpr int kRegexGroupsMax = 32;

/// What a rule's author should know of an expression, without an engine.
struct RegexFacts {
  std::string error;                ///< why RE2 does not take it; empty = it does
  std::vector<std::string> groups;  ///< names, in order
  bool anchored = false;            ///< it has a required piece of at least four bytes
};
RegexFacts regex_facts(const std::string& pattern);
/// The expression as RE2 writes it: `(?<name>` becomes `(?P<name>`.
std::string regex_of(std::string_view written);

class Regex {
 public:
  explicit Regex(const std::string& pattern);  ///< REQUIRES: regex_facts() has no error
  /// Slices of the named groups in order; what took no part has no data.
  bool match(std::string_view text, Slices& slices) const;

 private:
  RE2 re_;
  std::vector<int> named_;
};

/// Which expressions of an event type a text may satisfy.
class RegexFilter {
 public:
  void add(const std::string& pattern, Index group);
  /// The atoms, lower case; their place is their number.
  const std::vector<std::string>& finish();
  /// Nobody looks for the atoms: all expressions are tried.
  void give_up_atoms();
  bool empty() const { return groups_.empty(); }
  /// Appends groups to try. `atoms`: numbers of those that stand in the text, sorted.
  void candidates(std::string_view text, const std::vector<int>& atoms,
                  std::vector<Index>& to) const;

 private:
  struct Entry {
    std::string pattern;
    Index group = kNone;
  };
  std::vector<Entry> groups_;
  std::vector<std::string> atoms_;
  std::unique_ptr<re2::FilteredRE2> filtered_;
  std::vector<Index> filtered_groups_;  ///< by number in filtered_
  std::unique_ptr<RE2::Set> set_;
  std::vector<Index> set_groups_;
  bool try_all_ = false;
};

}  // namespace belfry::rules
