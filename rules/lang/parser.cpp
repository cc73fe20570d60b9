#include "parser.hpp"

#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"

namespace belfry::rules {

Parser::Parser(Tree& tree, Report& report) : tree_(tree), report_(report) {
  for (std::size_t i = 0; i < tree.tokens.size(); ++i) {
    if (!is_trivia(tree.tokens[i].kind)) {
      significant_.push_back(static_cast<std::uint32_t>(i));
    }
  }
  fuel_ = kFuelPerToken * (significant_.size() + 4);
}

TokenKind Parser::kind(std::size_t ahead) {
  // Out of fuel everything looks like the end: all loops stop there.
  if (fuel_ == 0) {
    return TokenKind::End;
  }
  --fuel_;
  const std::size_t i = std::min(pos_ + ahead, significant_.size() - 1);
  return tree_.tokens[significant_[i]].kind;
}

std::string_view Parser::text(std::size_t ahead) const {
  const std::size_t i = std::min(pos_ + ahead, significant_.size() - 1);
  return tree_.token_text(significant_[i]);
}

Mark Parser::mark() const {
  const Token& token = tree_.tokens[significant_[pos_]];
  if (token.kind == TokenKind::End && pos_ > 0) {
    const Token& last = tree_.tokens[significant_[pos_ - 1]];  // not the blank end of the file
    return {tree_.file, last.offset, last.length};
  }
  return {tree_.file, token.offset, std::max<std::uint32_t>(1, token.length)};
}

std::string Parser::found() const {
  const Token& token = tree_.tokens[significant_[pos_]];
  if (token.kind == TokenKind::End) {
    return "the end";
  }
  const std::string_view word = text();
  return token.kind == TokenKind::String ? printable(word, 40)
                                         : fmt::format("'{}'", printable(word, 40));
}

void Parser::bump() {
  if (significant_[pos_] + 1 == tree_.tokens.size()) {
    return;  // End stays
  }
  for (; taken_ <= significant_[pos_]; ++taken_) {
    stack_.push_back({taken_, false});
  }
  ++pos_;
}

bool Parser::accept(TokenKind k) {
  if (!at(k)) {
    return false;
  }
  bump();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) {
    return false;
  }
  bump();
  return true;
}

bool Parser::expect(TokenKind k, std::string_view what, std::string_view label) {
  if (accept(k)) {
    return true;
  }
  error("B0100", fmt::format("expected {}, found {}", what, found()), std::string(label));
  return false;
}

bool Parser::expect_word(std::string_view word, std::string_view label) {
  if (accept_word(word)) {
    return true;
  }
  error("B0100", fmt::format("expected '{}', found {}", word, found()), std::string(label));
  return false;
}

void Parser::error(std::string_view code, std::string message, std::string label) {
  if (error_pos_ == pos_ || fuel_ == 0) {
    return;
  }
  error_pos_ = pos_;
  if (kind() != TokenKind::Bad) {  // the lexer has told about it
    report_.error(mark(), code, std::move(message), std::move(label));
  }
}

Parser::Point Parser::start() {
  // White space before a node belongs to its parent: a node begins with its first token.
  for (; taken_ < significant_[pos_]; ++taken_) {
    stack_.push_back({taken_, false});
  }
  return stack_.size();
}

std::uint32_t Parser::height(Point from) const {
  std::uint32_t most = 0;
  for (std::size_t i = from; i < stack_.size(); ++i) {
    if (stack_[i].is_node) {
      most = std::max(most, tree_.nodes[stack_[i].index].height);
    }
  }
  return most;
}

void Parser::finish(NodeKind node_kind, Point from) {
  Node node;
  node.kind = node_kind;
  node.height = height(from) + 1;
  node.first = static_cast<std::uint32_t>(tree_.elements.size());
  node.count = static_cast<std::uint32_t>(stack_.size() - from);
  tree_.elements.insert(tree_.elements.end(), stack_.begin() + static_cast<std::ptrdiff_t>(from),
                        stack_.end());
  stack_.resize(from);
  stack_.push_back({static_cast<std::uint32_t>(tree_.nodes.size()), true});
  tree_.nodes.push_back(node);
}

bool Parser::deeper() {
  if (++depth_ <= kNestingMax) {
    return true;
  }
  if (!too_deep_told_) {
    too_deep_told_ = true;
    error("B0002", fmt::format("this is nested more than {} deep", kNestingMax), "name the parts");
  }
  return false;
}

bool Parser::at_declaration() const {
  static constexpr std::array<std::string_view, 17> kStarts{
      "use",      "event",      "enum",    "table",  "relation", "graph",
      "calendar", "defaults",   "measure", "signal", "rule",     "maintenance",
      "policy",   "escalation", "test",    "cause",  ""};
  const Token& token = tree_.tokens[significant_[pos_]];
  if (token.kind != TokenKind::Word || !token.first_on_line || pos_ + 1 >= significant_.size()) {
    return false;
  }
  const std::string_view word = text();
  if (std::find(kStarts.begin(), kStarts.end(), word) == kStarts.end()) {
    return false;
  }
  const TokenKind next = tree_.tokens[significant_[pos_ + 1]].kind;
  if (word == "use" || word == "test") {
    return next == TokenKind::String;
  }
  return next == (word == "defaults" ? TokenKind::OpenBrace : TokenKind::Word);
}

bool Parser::at_border() {
  static constexpr std::array<std::string_view, 16> kStarts{
      "raise",   "clear", "expire", "when",  "where", "unless", "settle", "hold",
      "recover", "was",   "reopen", "limit", "mode",  "open",   "after",  "given"};
  if (at_declaration()) {
    return true;
  }
  const Token& token = tree_.tokens[significant_[pos_]];
  return token.kind == TokenKind::Word &&
         (token.first_on_line || (text() == "open" && kind(1) == TokenKind::OpenBrace)) &&
         std::find(kStarts.begin(), kStarts.end(), text()) != kStarts.end();
}

void Parser::skip_group() {
  std::size_t open = 0;
  do {
    const TokenKind k = kind();
    open += k == TokenKind::OpenBrace ? 1 : 0;
    open -= k == TokenKind::CloseBrace && open > 0 ? 1 : 0;
    bump();
  } while (open > 0 && !at_end() && !at_declaration());
}

void Parser::skip_until(std::span<const std::string_view> words) {
  const Point from = start();
  while (!at_end() && !at(TokenKind::CloseBrace) && !at_declaration()) {
    const bool start_like =
        at(TokenKind::Word) || at(TokenKind::Plus);  // `+5s` begins a step of a test
    if (start_like && std::find(words.begin(), words.end(), text()) != words.end()) {
      break;
    }
    if (words.empty() && at(TokenKind::OpenBrace)) {
      break;
    }
    skip_group();
  }
  if (stack_.size() > from) {
    finish(NodeKind::Error, from);
  }
}

void Parser::close(std::string_view what, Mark opened) {
  if (accept(TokenKind::CloseBrace)) {
    return;
  }
  const std::uint32_t line = report_.place(opened).line;
  error("B0103", fmt::format("expected '}}' to end the {}, found {}", what, found()),
        fmt::format("its '{{' is in line {}", line));
}

void Parser::file() {
  const Point from = stack_.size();
  while (!at_end()) {
    const std::size_t before = pos_;
    declaration();
    if (pos_ == before) {
      bump();
    }
  }
  if (fuel_ == 0) {
    report_.error(mark(), "B0003", "this file takes too many steps to read", "split it");
  }
  while (taken_ < tree_.tokens.size()) {
    stack_.push_back({taken_++, false});
  }
  finish(NodeKind::File, from);
  tree_.root = stack_.back().index;
}

void Parser::hole() {
  const Point from = stack_.size();
  value();
  if (!at_end()) {
    error("B0100", fmt::format("expected '}}', found {}", found()), "a hole holds one expression");
  }
  while (taken_ < tree_.tokens.size()) {
    stack_.push_back({taken_++, false});
  }
  finish(NodeKind::File, from);
  tree_.root = stack_.back().index;
}

Tree parse_file(std::string_view text, Index file, Report& report) {
  Tree tree;
  tree.text = text;
  tree.file = file;
  tree.tokens = lex(text, 0, text.size(), file, &report);
  Parser(tree, report).file();
  return tree;
}

Tree parse_hole(std::string_view text, std::size_t begin, std::size_t end, Index file,
                Report& report) {
  Tree tree;
  tree.text = text;
  tree.file = file;
  tree.tokens = lex(text, begin, end, file, &report);
  Parser(tree, report).hole();
  return tree;
}

}  // namespace belfry::rules
