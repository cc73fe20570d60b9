#pragma once
// Lines of a formatted file: cells of tokens, columns, comments; how they are aligned, broken and
// printed. What stands in which line is format.cpp's business.
#include <string>
#include <string_view>
#include <vector>

#include "syntax.hpp"

namespace belfry::rules {

/// A comment, in front of the significant token that follows it.
struct Note {
  std::string_view text;
  bool own_line = false;
  bool blank = false;  ///< an empty line stands before it
};

/// How one significant token is set.
struct TokenStyle {
  bool space = true;         ///< before it, when it does not begin a line
  bool drop = false;         ///< an optional comma that the canonical form does not have
  bool comma_after = false;  ///< one that it has
  std::uint16_t breaks = 0;  ///< a line may be broken before it; lower is better, 0 = never
};

/// The significant tokens of a tree, End last.
struct Tokens {
  explicit Tokens(const Tree& tree);

  const Tree& tree;
  std::vector<std::uint32_t> index;     ///< into tree.tokens
  std::vector<std::uint32_t> position;  ///< of a token of the tree in `index`
  std::vector<std::vector<Note>> before;
  std::vector<bool> blank;  ///< an empty line stands directly before it
  std::vector<TokenStyle> style;

  std::uint32_t at(TokenRef token) const { return position[token.index]; }
  std::uint32_t first(NodeRef node) const { return at(node.first()); }
  std::uint32_t end(NodeRef node) const { return at(node.last()) + 1; }
  std::string_view text(std::uint32_t i) const { return tree.token_text(index[i]); }
  TokenKind kind(std::uint32_t i) const { return tree.tokens[index[i]].kind; }
  bool commented(std::uint32_t from, std::uint32_t to) const;  ///< before any of [from, to)
};

/// Spaces, breaks and optional commas by the grammar.
void set_styles(Tokens& tokens);

struct Cell {
  std::uint32_t first = 0, end = 0;  ///< significant tokens, half open
  std::string tag;                   ///< cells of one column have equal tags
  std::uint32_t gap = 1;             ///< spaces behind it
  bool near = false;                 ///< aligned with directly neighbouring lines only
  bool free = false;                 ///< neither it nor what follows is aligned
  std::uint32_t width = 0, pad = 0;
};

struct Line {
  std::vector<Cell> cells;
  std::vector<Note> above;
  std::string_view beside;      ///< the comment behind it
  bool blank = false;           ///< an empty line before it, below the comments above
  bool comma = false;           ///< behind the last cell
  bool row = false;             ///< data: broken only when it is many things, not one long text
  std::uint32_t hang_cell = 0;  ///< continued under this cell, else four deeper
  std::uint32_t hang_more = 0;  ///< and so far right of its beginning
  std::uint32_t indent = 0, above_indent = 0;
  std::uint32_t group = 0;  ///< lines of one group share columns; 0: none
};

/// Columns and spaces as text.
class Layout {
 public:
  explicit Layout(const Tokens& tokens) : tokens_(tokens) {}
  std::uint32_t width(const Line& line) const;  ///< unaligned
  std::string print(std::vector<Line>& lines);

 private:
  struct Piece {
    std::string_view text;
    bool comma = false;
    std::uint32_t spaces = 0, width = 0;
    std::uint16_t breaks = 0;
  };
  std::uint32_t width(const Cell& cell) const;
  std::uint32_t padded(const Line& line) const;
  bool broken(const Line& line) const;  ///< a comment stands inside
  void align(const std::vector<Line*>& lines, std::size_t column);
  void align_column(const std::vector<Line*>& lines, std::size_t column);
  void align_group(std::vector<Line>& lines, std::size_t first, std::size_t end);
  void print_notes(const Line& line, bool first_in_file);
  void print_broken(const Line& line);
  void print_line(const Line& line);
  std::vector<Piece> pieces(const Line& line) const;
  std::vector<std::size_t> break_up(const Line& line, const std::vector<Piece>& all,
                                    std::uint32_t hang) const;
  std::uint32_t hang(const Line& line) const;
  static bool keeps_whole(const Line& line, const std::vector<Piece>& all);
  void finish_comment(const Line& line, std::uint32_t column);

  const Tokens& tokens_;
  const Line* lines_begin_ = nullptr;
  std::vector<std::uint32_t> beside_column_;  ///< by line: where its comment begins, 0 = two behind
  std::string out_;
};

}  // namespace belfry::rules
