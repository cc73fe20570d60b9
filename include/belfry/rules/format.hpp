#pragma once
// The one canonical form of a rule file (`belfry fmt`): clauses in a fixed order, columns aligned
// inside a block, comments where they were. It depends on the text's tokens and comments alone, not
// on how the lines were broken, except that single blank lines stay.
#include <string>
#include <vector>

#include "belfry/rules/compile.hpp"

namespace belfry::rules {

/// Lines are broken beyond this column where the grammar allows it.
inline constexpr std::size_t kFormatColumnsMax = 100;

struct Formatted {
  bool done = false;  ///< false: `text` is the file as it was, `diagnostics` say why
  std::string text;
  std::vector<Diagnostic> diagnostics;
};

/// Total: a file with errors is left alone. What is given back says the same as the file: it is
/// parsed again and compared, tree by tree.
Formatted format(const SourceFile& file);

}  // namespace belfry::rules
