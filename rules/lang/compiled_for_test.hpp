#pragma once
// Texts compiled for the tests of this folder, and what was said of them.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/rules/compile.hpp"
#include "compile_test_texts.hpp"

namespace belfry::rules {

struct Built {
  std::vector<SourceFile> files;
  Compiled out;
  std::string text() const { return render(out.diagnostics, files, false); }
  bool has(std::string_view code) const {
    return std::any_of(out.diagnostics.begin(), out.diagnostics.end(),
                       [&](const Diagnostic& d) { return d.code == code; });
  }
};

/// The text behind the prelude, with a list of holidays.
inline Built build_with_prelude(const std::string& text,
                                const std::string& list = texts::kHolidays) {
  Built r;
  r.files = {
      {"prelude.bell", texts::kPrelude}, {"t.bell", text}, {"calendars/fr_holidays.csv", list}};
  r.out = compile(r.files);
  return r;
}

}  // namespace belfry::rules
