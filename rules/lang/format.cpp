#include "belfry/rules/format.hpp"

#include <algorithm>

#include "blocks.hpp"
#include "layout.hpp"
#include "parser.hpp"

namespace belfry::rules {

namespace {

using Position = std::uint32_t;  ///< of a significant token

/// What stands in which line: one method per kind of declaration.
class Formatter {
 public:
  explicit Formatter(const Tree& tree) : tokens_(tree) { set_styles(tokens_); }

  std::string run() {
    const NodeRef root{&tokens_.tree, tokens_.tree.root};
    for (const NodeRef node : root.children()) {
      const std::size_t from = lines_.size();
      declaration(node);
      between(from, node);
      previous_long_ = lines_.size() - from > 1;
    }
    Line end;
    end.above = own_notes(static_cast<Position>(tokens_.index.size() - 1));
    lines_.push_back(std::move(end));
    return Layout(tokens_).print(lines_);
  }

 private:
  // Building blocks -----------------------------------------------------------------------------

  Cell cell(Position first, Position end, std::string tag = {}, std::uint32_t gap = 1) const {
    Cell out;
    out.first = first;
    out.end = end;
    out.tag = std::move(tag);
    out.gap = gap;
    return out;
  }

  std::vector<Note> own_notes(Position at) const {
    std::vector<Note> out;
    std::copy_if(tokens_.before[at].begin(), tokens_.before[at].end(), std::back_inserter(out),
                 [](const Note& note) { return note.own_line; });
    return out;
  }

  /// The comment that stands behind the token before `at`.
  std::string_view beside(Position at) const {
    const std::vector<Note>& notes = tokens_.before[at];
    return !notes.empty() && !notes[0].own_line ? notes[0].text : std::string_view{};
  }

  Line line(std::vector<Cell> cells, std::uint32_t indent, std::uint32_t group) const {
    Line out;
    const Position first = cells.front().first, end = cells.back().end;
    out.cells = std::move(cells);
    out.above = own_notes(first);
    out.blank = tokens_.blank[first];
    out.beside = beside(end);
    out.indent = out.above_indent = indent;
    out.group = group;
    return out;
  }

  Position begin_of(const Part& part) const { return tokens_.at(part.begin); }
  Position end_of(const Part& part) const {
    return part.comma ? tokens_.at(part.comma) : tokens_.at(part.end) + 1;
  }
  static void sort(Block& block) {
    std::stable_sort(block.parts.begin(), block.parts.end(),
                     [](const Part& a, const Part& b) { return a.rank < b.rank; });
  }
  std::uint32_t new_group() { return ++groups_; }

  // Declarations --------------------------------------------------------------------------------

  void declaration(NodeRef node) {
    switch (node.kind()) {
      case NodeKind::Event:
      case NodeKind::Enum:
      case NodeKind::Table:
        return columns(node);
      case NodeKind::Calendar:
      case NodeKind::Defaults:
      case NodeKind::Escalation:
        return brief(node);
      case NodeKind::Graph:
      case NodeKind::Maintenance:
      case NodeKind::Signal:
      case NodeKind::Rule:
      case NodeKind::Policy:
      case NodeKind::Test:
        return block(node, 0);
      default:
        return one_line(node);
    }
  }

  /// use, relation, measure, cause: one line; like ones in neighbouring lines share columns.
  void one_line(NodeRef node) {
    const Position first = tokens_.first(node), end = tokens_.end(node);
    std::vector<Position> cuts{first};
    for (const TokenRef token : node.tokens()) {
      const Position at = tokens_.at(token);
      const std::string_view word = token.text();
      const bool relation = node.is(NodeKind::Relation) && token.kind() == TokenKind::CloseParen;
      if (relation) {
        cuts.push_back(at + 1);
      } else if ((node.is(NodeKind::Cause) && (word == "of" || word == "where")) ||
                 (node.is(NodeKind::Measure) && word == "from")) {
        cuts.push_back(at);
      }
    }
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      const Position stop = i + 1 < cuts.size() ? cuts[i + 1] : end;
      if (cuts[i] < stop) {
        cells.push_back(cell(cuts[i], stop, std::string(kind_name(node.kind()))));
        cells.back().near = true;
      }
    }
    lines_.push_back(line(std::move(cells), 0, kTopLines));
  }

  /// event, enum, table: one line when it fits, else a line per column.
  void columns(NodeRef node) {
    const Block inside = block_of(node);
    const Position first = tokens_.first(node), end = tokens_.end(node);
    const Position open = tokens_.at(inside.open), close = tokens_.at(inside.close);
    std::vector<Cell> cells{cell(first, std::min(first + 2, open), head_tag(node))};
    if (first + 2 < open) {
      cells.push_back(cell(first + 2, open, "key"));
    }
    cells.push_back(cell(open, close + 1, "columns"));
    if (close + 1 < end) {
      cells.push_back(cell(close + 1, end, "from"));
    }
    if (take_inline(std::move(cells), first, end)) {
      return;
    }
    lines_.push_back(line({cell(first, open + 1)}, 0, 0));
    const std::uint32_t group = new_group();
    for (const Part& part : inside.parts) {
      const Position from = begin_of(part), to = end_of(part);
      std::vector<Cell> parts{cell(from, std::min(from + 2, to), "name")};
      if (from + 2 < to) {
        parts.push_back(cell(from + 2, to, "type"));
      }
      Line out = line(std::move(parts), kIndent, group);
      out.comma = &part != &inside.parts.back();
      if (part.comma) {
        separator(out, tokens_.at(part.comma));
      }
      inner(out, from == open + 1 || &part == &inside.parts.front());
    }
    closing(close, end, 0);
  }

  /// The separator's own comments: in front of it, and the one behind it.
  void separator(Line& out, Position comma) {
    std::vector<Note> notes = tokens_.before[comma];
    for (Note& note : notes) {
      note.blank = false;
    }
    const std::string_view behind = beside(comma + 1);
    if (notes.empty() || !behind.empty()) {
      out.beside = behind;
    }
    if (!notes.empty() && behind.empty() && !notes[0].own_line) {
      out.beside = notes[0].text;
      notes.erase(notes.begin());
    }
    out.above.insert(out.above.end(), notes.begin(), notes.end());
  }

  /// calendar, defaults, escalation: `NAME { part  part }` when it fits.
  void brief(NodeRef node) {
    Block inside = block_of(node);
    sort(inside);
    const Position first = tokens_.first(node), end = tokens_.end(node);
    const Position open = tokens_.at(inside.open);
    if (!take_inline(inline_cells(inside, {cell(first, open, head_tag(node))}), first, end)) {
      block(node, 0);
    }
  }

  std::vector<Cell> inline_cells(const Block& inside, std::vector<Cell> cells) const {
    const Position open = tokens_.at(inside.open), close = tokens_.at(inside.close);
    cells.push_back(cell(open, open + 1));
    cells.back().free = true;
    if (inside.parts.empty()) {
      cells.back().gap = 0;
    }
    for (const Part& part : inside.parts) {
      const bool last = &part == &inside.parts.back();
      cells.push_back(cell(begin_of(part), end_of(part), {}, last ? 1 : 2));
    }
    cells.push_back(cell(close, close + 1));
    return cells;
  }

  bool take_inline(std::vector<Cell> cells, Position first, Position end) {
    if (tokens_.commented(first + 1, end)) {
      return false;
    }
    Line out = line(std::move(cells), 0, kTopLines);
    if (Layout(tokens_).width(out) > kFormatColumnsMax) {
      return false;
    }
    for (Cell& c : out.cells) {
      c.near = true;
    }
    lines_.push_back(std::move(out));
    return true;
  }

  static std::string head_tag(NodeRef node) { return std::string(kind_name(node.kind())); }

  // Blocks --------------------------------------------------------------------------------------

  void block(NodeRef node, std::uint32_t indent) {
    Block inside = block_of(node);
    sort(inside);
    const Position first = tokens_.first(node), end = tokens_.end(node);
    const Position open = tokens_.at(inside.open), close = tokens_.at(inside.close);
    if (inside.parts.empty() && !tokens_.commented(open + 1, close + 1)) {
      Line out = line({cell(first, close + 1)}, indent, 0);
      lines_.push_back(std::move(out));
      return;
    }
    lines_.push_back(line({cell(first, open + 1)}, indent, 0));
    const std::uint32_t group = new_group();
    for (const Part& part : inside.parts) {
      const bool first_part = &part == &inside.parts.front();
      if (part.node.is(NodeKind::Open)) {
        open_block(part.node, indent + kIndent, first_part);
      } else {
        Line out = line(cells_of(node, part), indent + kIndent, group);
        hang(out, part.node);
        inner(out, first_part);
      }
    }
    closing(close, end, indent);
  }

  /// Where the line goes on when it is too long.
  void hang(Line& out, NodeRef node) const {
    out.row = node.is(NodeKind::TestStep) || node.is(NodeKind::Given);
    const auto value = std::find_if(out.cells.begin(), out.cells.end(), [&](const Cell& c) {
      return out.row && tokens_.kind(c.first) == TokenKind::OpenBrace;
    });
    if (node.is(NodeKind::OpenField)) {
      out.hang_cell = 1;
    } else if (value != out.cells.end()) {
      out.hang_cell = static_cast<std::uint32_t>(value - out.cells.begin());
      out.hang_more = 2;  // behind the brace
    }
  }

  /// A line inside a block; the first has no empty line above.
  void inner(Line& out, bool first) {
    if (first) {
      (out.above.empty() ? out.blank : out.above[0].blank) = false;
    }
    lines_.push_back(std::move(out));
  }

  void closing(Position close, Position end, std::uint32_t indent) {
    Line out = line({cell(close, end)}, indent, 0);
    out.above_indent = indent + kIndent;
    out.blank = false;
    lines_.push_back(std::move(out));
  }

  void open_block(NodeRef node, std::uint32_t indent, bool first_part) {
    Block inside = block_of(node);
    sort(inside);
    const Position first = tokens_.first(node), end = tokens_.end(node);
    const std::size_t from = lines_.size();
    Line out = line(inline_cells(inside, {cell(first, first + 1)}), indent, 0);
    if (!tokens_.commented(first + 1, end) && Layout(tokens_).width(out) <= kFormatColumnsMax) {
      lines_.push_back(std::move(out));
    } else {
      block(node, indent);
    }
    if (first_part) {
      Line& top = lines_[from];
      (top.above.empty() ? top.blank : top.above[0].blank) = false;
    }
  }

  std::vector<Cell> cells_of(NodeRef parent, const Part& part) const {
    const Position from = begin_of(part), end = end_of(part);
    switch (part.node.kind()) {
      case NodeKind::Feed:
        return feed_cells(part.node);
      case NodeKind::PolicyLine:
        return policy_cells(part.node);
      case NodeKind::Step:
        return step_cells(part.node);
      case NodeKind::Given:
        return given_cells(part.node);
      case NodeKind::TestStep:
        return test_cells(part.node);
      case NodeKind::OpenField:
        return {cell(from, from + 1, "field"), cell(from + 1, end)};
      default:
        break;
    }
    if (parent.is(NodeKind::Graph) || parent.is(NodeKind::Maintenance)) {
      return {cell(from, from + 1, "part"), cell(from + 1, end)};
    }
    return {cell(from, end)};
  }

  /// raise|clear, event, head, the rest.
  std::vector<Cell> feed_cells(NodeRef node) const {
    const Position from = tokens_.first(node), end = tokens_.end(node);
    const NodeRef source = node.child(NodeKind::Source);
    const Position event = source ? tokens_.first(source) : from + 1;
    std::vector<Cell> out{cell(from, event, "feed")};
    if (!source) {
      out.push_back(cell(event, end));
      return out;
    }
    out.push_back(cell(event, event + 1, "event"));
    Position at = event + 1;
    if (at < end && tokens_.kind(at) != TokenKind::Word) {
      out.push_back(cell(at, at + 1, "head"));
      ++at;
    }
    if (at < end) {
      tail_cells(source, at, end, out);
    }
    return out;
  }

  /// `where X == 1` under `where X != 1`: the operators share a column.
  void tail_cells(NodeRef source, Position at, Position end, std::vector<Cell>& out) const {
    const NodeRef condition = source.child(0U);
    const bool alone = condition.is(NodeKind::Binary) && tokens_.first(condition) == at + 1 &&
                       tokens_.end(condition) == end;
    const TokenRef op = alone ? condition.token(0) : TokenRef{};
    if (!op || op.kind() == TokenKind::Word) {
      out.push_back(cell(at, end, "tail"));
      return;
    }
    std::string left = "where";
    for (Position i = at + 1; i < tokens_.at(op); ++i) {
      left += ' ';
      left += tokens_.text(i);
    }
    out.push_back(cell(at, tokens_.at(op), left));
    out.push_back(cell(tokens_.at(op), tokens_.at(op) + 1, "op"));
    out.push_back(cell(tokens_.at(op) + 1, end));
  }

  /// value, `if` and the first condition, then each `and`/`or` with its own.
  std::vector<Cell> policy_cells(NodeRef node) const {
    const Position from = tokens_.first(node), end = tokens_.end(node);
    const TokenRef word = node.token(TokenKind::Word);
    if (word.text() != "if") {
      return {cell(from, end, "else")};
    }
    std::vector<Position> cuts;
    junctions(node.children().back(), cuts);
    std::sort(cuts.begin(), cuts.end());
    std::vector<Cell> out{cell(from, tokens_.at(word), "value")};
    Position at = tokens_.at(word);
    for (const Position cut : cuts) {
      out.push_back(cell(at, cut, "condition"));
      out.push_back(cell(cut, cut + 1, "junction"));
      at = cut + 1;
    }
    out.push_back(cell(at, end, "condition"));
    return out;
  }

  void junctions(NodeRef node, std::vector<Position>& cuts) const {
    const TokenRef op = node.is(NodeKind::Binary) ? node.token(0) : TokenRef{};
    if (op && (op.text() == "and" || op.text() == "or")) {
      cuts.push_back(tokens_.at(op));
      for (const NodeRef side : node.children()) {
        junctions(side, cuts);
      }
    }
  }

  /// `after 15m  page "run" unless acked`
  std::vector<Cell> step_cells(NodeRef node) const {
    const Position from = tokens_.first(node), end = tokens_.end(node);
    std::vector<Cell> out{cell(from, from + 2, "after", 2), cell(from + 2, from + 3, "how"),
                          cell(from + 3, from + 4, "whom")};
    if (from + 4 < end) {
      out.push_back(cell(from + 4, end));
    }
    return out;
  }

  std::vector<Cell> given_cells(NodeRef node) const {
    const Position from = tokens_.first(node);
    std::vector<Cell> out{cell(from, from + 1, "given"), cell(from + 1, from + 2, "given")};
    out[0].near = out[1].near = true;
    object_cells(node.child(NodeKind::Object), std::string(tokens_.text(from + 1)), out);
    return out;
  }

  std::vector<Cell> test_cells(NodeRef node) const {
    const Position from = tokens_.first(node), end = tokens_.end(node);
    std::vector<Cell> out{cell(from, from + 2, "time", 2)};
    Position at = from + 2;
    if (tokens_.text(at) == "x" && tokens_.kind(at + 1) == TokenKind::Number) {
      out.push_back(cell(at, at + 4, "times", 2));
      at += 4;
    }
    const NodeRef event = node.child(NodeKind::TestEvent);
    if (!event) {
      out.push_back(cell(at, end, "expect"));
      return out;
    }
    out.push_back(cell(at, at + 1, "event"));
    object_cells(event.child(NodeKind::Object), std::string(tokens_.text(at)), out);
    return out;
  }

  /// Items of neighbouring objects with the same names stand below each other.
  void object_cells(NodeRef object, const std::string& of, std::vector<Cell>& out) const {
    const Block inside = block_of(object);
    const Position close = tokens_.end(object);
    Position at = tokens_.first(object);
    for (const Part& part : inside.parts) {
      const bool last = &part == &inside.parts.back();
      const Position end = last ? close : end_of(part) + (part.comma ? 1U : 0U);
      std::string name = of + " ";
      name += part.node.token(0).text();
      out.push_back(cell(at, end, std::move(name)));
      out.back().near = true;
      at = end;
    }
    if (inside.parts.empty()) {
      out.push_back(cell(at, close));
    }
  }

  // Between declarations ------------------------------------------------------------------------

  /// A declaration of several lines stands apart, but for the causes that speak of it; comments
  /// right above a declaration belong to it.
  void between(std::size_t from, NodeRef node) {
    Line& top = lines_[from];
    const bool apart = lines_.size() - from > 1 || (previous_long_ && !node.is(NodeKind::Cause));
    if (!apart || from == 0 || top.blank) {
      return;
    }
    std::size_t i = top.above.size();
    while (i > 0 && !top.above[i - 1].blank) {
      --i;
    }
    if (i == 0) {
      (top.above.empty() ? top.blank : top.above[0].blank) = true;
    }
  }

  static constexpr std::uint32_t kIndent = 2;
  static constexpr std::uint32_t kTopLines = 1;  ///< the group of one-line declarations

  Tokens tokens_;
  std::vector<Line> lines_;
  std::uint32_t groups_ = kTopLines;
  bool previous_long_ = false;  ///< the declaration before took several lines
};

}  // namespace

Formatted format(const SourceFile& file) {
  Formatted out;
  out.text = file.text;
  Report report(std::span<const SourceFile>(&file, 1));
  const auto leave = [&] {
    Compiled found;
    report.finish(found);
    out.diagnostics = std::move(found.diagnostics);
    return out;
  };
  if (file.text.size() > kFileBytesMax) {
    report.error(
        {0, 0, 1}, "B0001",
        fmt::format("the file has {} bytes: expected at most {}", file.text.size(), kFileBytesMax));
    return leave();
  }
  const Tree tree = parse_file(file.text, 0, report);
  if (report.errors() > 0) {
    return leave();
  }
  const SourceFile made{file.path, Formatter(tree).run()};
  Report again(std::span<const SourceFile>(&made, 1));
  const Tree back = parse_file(made.text, 0, again);
  if (again.errors() > 0 || dump(tree, true) != dump(back, true)) {
    report.error({0, 0, 1}, "B0004", "this file would read differently with its lines set anew",
                 "left as it is");
    return leave();
  }
  out.text = made.text;
  out.done = true;
  return out;
}

}  // namespace belfry::rules
