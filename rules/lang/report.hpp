#pragma once
// Report: collects what the compiler has to say, by offset; places are worked out once, at the end.
#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/rules/compile.hpp"
#include "limits.hpp"

namespace belfry::rules {

/// A marked piece of a file.
struct Mark {
  Index file = kNone;
  std::uint32_t offset = 0, length = 1;
};

class Report {
 public:
  explicit Report(std::span<const SourceFile> files);

  void error(Mark mark, std::string_view code, std::string message, std::string label = {});
  void warning(Mark mark, std::string_view code, std::string message, std::string label = {});
  /// True the first time a name is asked about: one unknown name is told once, not at every use.
  bool first_time(std::string_view kind, std::string_view name);

  /// An example in a help that repeats a misspelt name shows the right one.
  void mend_examples(std::string_view wrong, std::string_view right);

  Place place(Mark mark) const;
  std::size_t errors() const { return errors_; }
  /// Further errors are counted, not kept: no use in looking for what might have been meant.
  bool full() const { return errors_ >= kDiagnosticsMax; }
  /// In file order.
  void finish(Compiled& out);

 private:
  struct Item {
    Mark mark;
    Diagnostic diagnostic;
  };
  void add(DiagnosticLevel level, Mark mark, std::string_view code, std::string message,
           std::string label);

  std::span<const SourceFile> files_;
  std::vector<std::vector<std::uint32_t>> lines_;  ///< by file: offsets where lines start
  std::vector<Item> items_;
  std::set<std::string, std::less<>> told_;
  std::size_t errors_ = 0, warnings_ = 0;
};

/// `did you mean 'x'?`, or the fallback when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> words,
                         std::string_view fallback = {});
/// `a, b or c`
std::string join_or(std::span<const std::string_view> words);

}  // namespace belfry::rules
