#pragma once
// Table: rows for people. On a terminal it fits the width (one column gives way) and may be
// coloured; elsewhere it is plain text of full width.
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

/// The terminal of standard output.
struct Terminal {
  bool colour = false;
  std::size_t width = 0;  ///< 0: no terminal, no limit
  static Terminal of_stdout();
};

enum class Tint : unsigned char { None, Bold, Dim, Red, Yellow, Green };
std::string tinted(std::string_view text, Tint tint, const Terminal& terminal);
/// Columns that the text takes: one a character.
std::size_t display_width(std::string_view text);
/// Shortened with `…` to at most so many columns.
std::string fitted(std::string_view text, std::size_t width);

class Table {
 public:
  /// `giving`: index of the column that is shortened when the table is too wide.
  Table(std::vector<std::string> titles, std::size_t giving);
  struct Cell {
    std::string text;  ///< of the network: made printable here
    Tint tint = Tint::None;
  };
  void row(std::vector<Cell> cells);
  std::string text(const Terminal& terminal) const;
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<std::string> titles_;
  std::size_t giving_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace belfry
