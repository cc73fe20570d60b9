#include "layout.hpp"

#include <algorithm>
#include <map>

#include "belfry/rules/format.hpp"

namespace belfry::rules {

namespace {

constexpr std::uint32_t kContinued = 4;  ///< a broken line goes on that much deeper
/// Nor under a value that begins further right than this.
constexpr std::uint32_t kHangColumnMax = 48;
/// A test's row with a text longer than this (a log line) stays one row: breaking it elsewhere does
/// not make it short, and the table is easier to read.
constexpr std::uint32_t kLongText = 40;
/// Cells beyond are set without columns: nobody looks down the seventeenth.
constexpr std::size_t kAlignedColumnsMax = 16;

std::uint32_t columns(std::string_view text) {
  std::uint32_t n = 0;
  for (const char c : text) {
    n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
  }
  return n;
}

std::string_view without_end_blanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

Tokens::Tokens(const Tree& of) : tree(of), position(of.tokens.size(), 0) {
  std::vector<Note> notes;
  bool empty_line = false;
  for (std::uint32_t i = 0; i < tree.tokens.size(); ++i) {
    const Token& token = tree.tokens[i];
    position[i] = static_cast<std::uint32_t>(index.size());
    const std::string_view word = tree.token_text(i);
    if (token.kind == TokenKind::Space) {
      empty_line = empty_line || std::count(word.begin(), word.end(), '\n') > 1;
    } else if (token.kind == TokenKind::Comment) {
      notes.push_back({without_end_blanks(word), token.first_on_line, empty_line});
      empty_line = false;
    } else {
      index.push_back(i);
      before.push_back(std::move(notes));
      blank.push_back(empty_line);
      notes.clear();
      empty_line = false;
    }
  }
  style.resize(index.size());
}

bool Tokens::commented(std::uint32_t from, std::uint32_t to) const {
  return std::any_of(before.begin() + from, before.begin() + to,
                     [](const std::vector<Note>& notes) { return !notes.empty(); });
}

std::uint32_t Layout::width(const Cell& cell) const {
  std::uint32_t n = 0;
  for (std::uint32_t i = cell.first; i < cell.end; ++i) {
    if (!tokens_.style[i].drop) {
      n += columns(tokens_.text(i)) + (i > cell.first && tokens_.style[i].space ? 1 : 0) +
           (tokens_.style[i].comma_after ? 1 : 0);
    }
  }
  return n;
}

std::uint32_t Layout::width(const Line& line) const {
  std::uint32_t n = line.indent + (line.comma ? 1 : 0);
  for (std::size_t c = 0; c < line.cells.size(); ++c) {
    n += width(line.cells[c]) + (c + 1 < line.cells.size() ? line.cells[c].gap : 0);
  }
  return n;
}

/// As width(), with the measured cells and their pads.
std::uint32_t Layout::padded(const Line& line) const {
  std::uint32_t n = line.indent + (line.comma ? 1 : 0);
  for (std::size_t c = 0; c < line.cells.size(); ++c) {
    const Cell& cell = line.cells[c];
    n += cell.width + (c + 1 < line.cells.size() ? cell.gap + cell.pad : 0);
  }
  return n;
}

bool Layout::broken(const Line& line) const {
  for (std::size_t c = 0; c < line.cells.size(); ++c) {
    const Cell& cell = line.cells[c];
    if (tokens_.commented(cell.first + (c == 0 ? 1 : 0), std::max(cell.end, cell.first + 1))) {
      return true;
    }
  }
  return false;
}

void Layout::align_column(const std::vector<Line*>& lines, std::size_t column) {
  std::uint32_t widest = 0;
  for (const Line* line : lines) {
    widest = std::max(widest, line->cells[column].width);
  }
  // The first two columns make the block's look: there rather a line is broken.
  const bool always = column < 2 && lines.front()->indent > 0;
  const bool fits = always || std::all_of(lines.begin(), lines.end(), [&](const Line* line) {
                      const std::uint32_t now = padded(*line);
                      return now > kFormatColumnsMax ||
                             now + widest - line->cells[column].width <= kFormatColumnsMax;
                    });
  if (fits) {
    for (Line* line : lines) {
      line->cells[column].pad = widest - line->cells[column].width;
    }
  }
}

void Layout::align(const std::vector<Line*>& lines, std::size_t column) {
  if (column == kAlignedColumnsMax) {
    return;
  }
  const auto settle = [&](std::vector<Line*>& same) {
    // Lines that end in this column give it no width.
    std::erase_if(same, [column](const Line* line) {
      return line->cells.size() <= column + 1 || line->cells[column].free;
    });
    if (same.size() > 1) {
      align_column(same, column);
      align(same, column + 1);
    }
    same.clear();
  };
  std::map<std::string_view, std::vector<Line*>> by_tag;
  for (Line* line : lines) {
    const Cell& cell = line->cells[column];
    std::vector<Line*>& same = by_tag[cell.tag];
    if (cell.near && !same.empty() && line - same.back() != 1) {
      settle(same);
    }
    same.push_back(line);
  }
  for (auto& [tag, same] : by_tag) {
    settle(same);
  }
}

void Layout::align_group(std::vector<Line>& lines, std::size_t first, std::size_t end) {
  std::vector<Line*> plain;
  for (std::size_t i = first; i < end; ++i) {
    if (!lines[i].cells.empty() && !broken(lines[i])) {
      for (Cell& cell : lines[i].cells) {
        cell.width = width(cell);
      }
      plain.push_back(&lines[i]);
    }
  }
  align(plain, 0);
  for (std::size_t i = first; i < end;) {  // comments beside neighbouring lines share a column
    std::size_t stop = i;
    std::uint32_t widest = 0, longest = 0;
    while (stop < end && !lines[stop].beside.empty() && !broken(lines[stop]) &&
           (stop == i || lines[stop].above.empty())) {
      widest = std::max(widest, padded(lines[stop]));
      longest = std::max(longest, columns(lines[stop].beside));
      ++stop;
    }
    if (stop > i + 1 && widest + 2 + longest <= kFormatColumnsMax) {
      std::fill(beside_column_.begin() + static_cast<std::ptrdiff_t>(i),
                beside_column_.begin() + static_cast<std::ptrdiff_t>(stop), widest + 2);
    }
    i = std::max(stop, i + 1);
  }
}

std::string Layout::print(std::vector<Line>& lines) {
  beside_column_.assign(lines.size(), 0);
  lines_begin_ = lines.data();
  for (Line& line : lines) {
    for (Cell& cell : line.cells) {
      cell.width = width(cell);
    }
  }
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t end = i + 1;
    while (lines[i].group != 0 && end < lines.size() && lines[end].group == lines[i].group &&
           !lines[end].blank &&
           std::none_of(lines[end].above.begin(), lines[end].above.end(),
                        [](const Note& note) { return note.blank; })) {
      ++end;
    }
    if (end > i + 1) {
      align_group(lines, i, end);
    }
    i = end;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    print_notes(lines[i], i == 0);
    if (lines[i].cells.empty()) {
      continue;
    }
    out_.append(lines[i].indent, ' ');
    if (broken(lines[i])) {
      print_broken(lines[i]);
    } else {
      print_line(lines[i]);
    }
    out_ += '\n';
  }
  return std::move(out_);
}

void Layout::print_notes(const Line& line, bool first_in_file) {
  bool first = first_in_file;
  for (const Note& note : line.above) {
    out_ += note.blank && !first ? "\n" : "";
    out_.append(line.above_indent, ' ');
    out_ += note.text;
    out_ += '\n';
    first = false;
  }
  out_ += line.blank && !first && !line.cells.empty() ? "\n" : "";
}

/// A comment ends its line, so what follows goes on in the next.
void Layout::print_broken(const Line& line) {
  bool fresh = true;
  const auto go_on = [&] {
    out_ += '\n';
    out_.append(hang(line), ' ');
    fresh = true;
  };
  std::uint32_t gap = 0;
  for (std::size_t c = 0; c < line.cells.size(); ++c) {
    const Cell& cell = line.cells[c];
    for (std::uint32_t i = cell.first; i < cell.end; ++i) {
      const bool first = c == 0 && i == cell.first;
      for (const Note& note : first ? std::vector<Note>{} : tokens_.before[i]) {
        if (note.own_line && !fresh) {
          go_on();
        }
        out_ += fresh ? "" : "  ";
        out_ += note.text;
        go_on();
      }
      if (tokens_.style[i].drop) {
        continue;
      }
      const std::uint32_t spaces = i > cell.first ? (tokens_.style[i].space ? 1 : 0) : gap;
      out_.append(fresh ? 0 : spaces, ' ');
      out_ += tokens_.text(i);
      out_ += tokens_.style[i].comma_after ? "," : "";
      fresh = false;
    }
    gap = cell.gap;
  }
  out_ += line.comma ? "," : "";
  finish_comment(line, 0);
}

std::vector<Layout::Piece> Layout::pieces(const Line& line) const {
  std::vector<Piece> all;
  std::uint32_t pad = 0;
  for (std::size_t c = 0; c < line.cells.size(); ++c) {
    const Cell& cell = line.cells[c];
    for (std::uint32_t i = cell.first; i < cell.end; ++i) {
      const TokenStyle& style = tokens_.style[i];
      if (style.drop) {
        continue;
      }
      Piece piece;
      piece.text = tokens_.text(i);
      piece.comma = style.comma_after;
      piece.spaces = i > cell.first ? (style.space ? 1 : 0) : pad;
      piece.width = columns(piece.text) + (piece.comma ? 1 : 0);
      piece.breaks = style.breaks;
      all.push_back(piece);
    }
    pad = cell.gap + cell.pad;
  }
  if (line.comma && !all.empty()) {
    all.back().comma = true;
    ++all.back().width;
  }
  return all;
}

std::uint32_t Layout::hang(const Line& line) const {
  std::uint32_t column = line.indent + line.hang_more;
  for (std::size_t c = 0; c < line.hang_cell && c < line.cells.size(); ++c) {
    column += line.cells[c].width + line.cells[c].gap + line.cells[c].pad;
  }
  return line.hang_cell == 0 || column > kHangColumnMax ? line.indent + kContinued : column;
}

bool Layout::keeps_whole(const Line& line, const std::vector<Piece>& all) {
  return line.row && std::any_of(all.begin(), all.end(),
                                 [](const Piece& piece) { return piece.width > kLongText; });
}

/// Before which pieces a new line begins. Greedy: of the places that fit the best kind, of these
/// the last.
std::vector<std::size_t> Layout::break_up(const Line& line, const std::vector<Piece>& all,
                                          std::uint32_t hanging) const {
  std::vector<std::size_t> out;
  std::uint32_t left = 0;
  for (const Piece& piece : all) {
    left += piece.spaces + piece.width;
  }
  std::size_t from = 0;
  std::uint32_t start = line.indent;
  while (start + left > kFormatColumnsMax) {
    std::size_t best = 0;
    std::uint32_t column = start, upto = 0, skipped = 0;
    for (std::size_t i = from; i < all.size(); ++i) {
      const std::uint32_t step = (i == from ? 0 : all[i].spaces) + all[i].width;
      if (i > from && all[i].breaks != 0 &&
          (best == 0 || (column <= kFormatColumnsMax && all[i].breaks <= all[best].breaks))) {
        best = i;
        skipped = upto + all[i].spaces;
      }
      if (column > kFormatColumnsMax && best != 0) {
        break;
      }
      column += step;
      upto += step;
    }
    if (best == 0) {
      break;
    }
    out.push_back(best);
    left -= skipped;
    from = best;
    start = hanging;
  }
  return out;
}

void Layout::print_line(const Line& line) {
  const std::vector<Piece> all = pieces(line);
  const std::uint32_t hanging = hang(line);
  const std::vector<std::size_t> breaks =
      keeps_whole(line, all) ? std::vector<std::size_t>{} : break_up(line, all, hanging);
  std::uint32_t column = line.indent;
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (next < breaks.size() && breaks[next] == i) {
      ++next;
      out_ += '\n';
      out_.append(hanging, ' ');
      column = hanging;
    } else {
      out_.append(all[i].spaces, ' ');
      column += all[i].spaces;
    }
    out_ += all[i].text;
    out_ += all[i].comma ? "," : "";
    column += all[i].width;
  }
  finish_comment(line, column);
}

void Layout::finish_comment(const Line& line, std::uint32_t column) {
  if (line.beside.empty()) {
    return;
  }
  const std::uint32_t wanted = beside_column_[static_cast<std::size_t>(&line - lines_begin_)];
  out_.append(wanted > column + 2 && column != 0 ? wanted - column : 2, ' ');
  out_ += line.beside;
}

}  // namespace belfry::rules
