#pragma once
// Csv: cells of a text with the place of each, RFC 4180. Total: any text gives rows and errors.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::inventory {

struct Cell {
  std::string_view text;  ///< into the text, or into the reader where quotes were doubled
  bool quoted = false;
  std::uint32_t line = 1, column = 1;
};

class Csv {
 public:
  /// The text must outlive the reader, and the reader its cells.
  explicit Csv(std::string_view text);

  /// The next row that has something in it; false at the end.
  bool next(std::vector<Cell>& row);
  /// What was wrong with the row that next() gave; empty: nothing.
  const std::string& problem() const { return problem_; }
  std::uint32_t problem_line() const { return problem_line_; }
  std::uint32_t problem_column() const { return problem_column_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  bool skip_line_without_cells();
  void line_end();
  Cell quoted_cell();
  Cell plain_cell();
  void report(const char* what);
  std::uint32_t column() const { return static_cast<std::uint32_t>(at_ - line_begin_ + 1); }

  std::string_view text_;
  std::size_t at_ = 0, line_begin_ = 0;
  std::uint32_t line_ = 1;
  std::string problem_;
  std::uint32_t problem_line_ = 0, problem_column_ = 0;
  std::deque<std::string> unescaped_;
};

}  // namespace belfry::inventory
