#pragma once
// Recursive descent over the declarations, Pratt for expressions. Never throws, always gives a
// tree. After an error it goes on at the next border: a clause, a `}`, or a declaration at a line
// start; at most one error is told per token, so that one mistake is one message.
#include <initializer_list>
#include <utility>

#include "syntax.hpp"

namespace belfry::rules {

Tree parse_file(std::string_view text, Index file, Report& report);
/// The expression in a string's hole: text[begin, end).
Tree parse_hole(std::string_view text, std::size_t begin, std::size_t end, Index file,
                Report& report);

class Parser {
 public:
  Parser(Tree& tree, Report& report);
  void file();
  void hole();

 private:
  using Point = std::size_t;  ///< a place in the stack of unfinished elements

  /// Inside brackets `during` is an operator again, whatever is outside.
  struct Brackets {
    explicit Brackets(bool& in_step) : flag(in_step), outside(std::exchange(in_step, false)) {}
    ~Brackets() { flag = outside; }
    Brackets(const Brackets&) = delete;
    Brackets& operator=(const Brackets&) = delete;
    bool& flag;
    bool outside;
  };

  // Tokens (parser.cpp)
  TokenKind kind(std::size_t ahead = 0);
  std::string_view text(std::size_t ahead = 0) const;
  bool at(TokenKind k) { return kind() == k; }
  bool at_word(std::string_view word) { return at(TokenKind::Word) && text() == word; }
  bool at_end() { return at(TokenKind::End); }
  Mark mark() const;
  std::string found() const;
  void bump();
  bool accept(TokenKind k);
  bool accept_word(std::string_view word);
  bool expect(TokenKind k, std::string_view what, std::string_view label = {});
  bool expect_word(std::string_view word, std::string_view label = {});
  void error(std::string_view code, std::string message, std::string label = {});

  // Tree
  Point start();
  void finish(NodeKind kind, Point from);
  std::uint32_t height(Point from) const;
  bool deeper();  ///< false, with an error, when the nesting is at its bound
  void shallower() { --depth_; }

  // Recovery
  bool at_declaration() const;
  bool at_border();  ///< a declaration or a clause begins here: no operand can
  void skip_group();
  void skip_until(std::span<const std::string_view> words);
  void close(std::string_view what, Mark opened);
  /// `{ item item ... }`: item() says whether it took something.
  template <class Item>
  void block(std::string_view what, std::span<const std::string_view> starts, Item item);

  // Declarations (parse_decl.cpp)
  void declaration();
  bool declaration_of(std::string_view word, Point from);
  void use();
  void event();
  void enumeration();
  void table();
  void relation();
  void graph();
  void calendar();
  void defaults();
  void measure();
  void columns(NodeKind each, std::string_view what);
  void column(NodeKind each);
  void type();
  void params();
  void param();
  void signal();
  bool feed();
  void source();
  void policy();
  void policy_line();
  void escalation();
  void step();
  void test();
  bool test_item();
  void test_step();
  void expectation();

  // Rules, patterns, causes (parse_rule.cpp)
  void rule();
  bool clause(bool in_defaults);
  void duration_clause(NodeKind kind);
  void clear_clause();
  void open_clause();
  void keys();
  void key();
  void pattern();
  void pattern_and();
  void pattern_step();
  void pattern_item();
  void missing();
  void within();
  void aggregate();
  bool at_relop();
  bool duration(std::string_view what);
  void signal_ref();
  void args();
  void arg();
  void cause();
  void target();
  void maintenance();

  // Expressions (parse_expr.cpp)
  void value();
  void expression(int least = 0);
  bool infix(int least, Point from);
  void prefix();
  void postfix(Point from);
  void object();
  void object_item();
  bool at_expression_end();

  Tree& tree_;
  Report& report_;
  std::vector<std::uint32_t> significant_;  ///< tokens without trivia, End last
  std::size_t pos_ = 0;
  std::uint32_t taken_ = 0;  ///< tokens that hang in the tree or the stack
  std::vector<Element> stack_;
  std::size_t error_pos_ = SIZE_MAX;
  std::size_t depth_ = 0;
  bool too_deep_told_ = false;
  bool in_step_ = false;  ///< `during` is the step's own clause, no operator
  std::uint64_t fuel_ = 0;
};

template <class Item>
void Parser::block(std::string_view what, std::span<const std::string_view> starts, Item item) {
  const Mark opened = mark();
  if (!expect(TokenKind::OpenBrace, "'{'")) {
    if (at_declaration() || at_end()) {
      return;
    }
    skip_until(starts);
    if (!accept(TokenKind::OpenBrace) && (at_declaration() || at_end())) {
      return;
    }
  }
  while (!at(TokenKind::CloseBrace) && !at_end() && !at_declaration()) {
    const std::size_t before = pos_;
    if (!item() || pos_ == before) {
      skip_until(starts);
    }
    if (pos_ == before && !at(TokenKind::CloseBrace) && !at_end() && !at_declaration()) {
      bump();
    }
  }
  close(what, opened);
}

}  // namespace belfry::rules
