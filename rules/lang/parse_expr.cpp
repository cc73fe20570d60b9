// Expressions, by binding power (LANGUAGE 4): or < and < not < comparisons < ?? < + - < * / < unary
// - < . [] ()
#include <algorithm>
#include <array>

#include "parser.hpp"

namespace belfry::rules {

namespace {

enum Power : int { Or = 1, And, Not, Compare, Coalesce, Add, Multiply, Unary };

int power_of(TokenKind kind, std::string_view text) {
  switch (kind) {
    case TokenKind::Word:
      if (text == "or") {
        return Power::Or;
      }
      if (text == "and") {
        return Power::And;
      }
      return text == "in" || text == "is" || text == "during" ? Power::Compare : 0;
    case TokenKind::Assign:
    case TokenKind::Equal:
    case TokenKind::NotEqual:
    case TokenKind::Less:
    case TokenKind::LessEqual:
    case TokenKind::Greater:
    case TokenKind::GreaterEqual:
      return Power::Compare;
    case TokenKind::Coalesce:
      return Power::Coalesce;
    case TokenKind::Plus:
    case TokenKind::Minus:
      return Power::Add;
    case TokenKind::Star:
    case TokenKind::Slash:
      return Power::Multiply;
    default:
      return 0;
  }
}

/// Words that end what stands before them; none of them can be a name in an expression.
constexpr std::array<std::string_view, 14> kNotNames{"or",   "and",  "in",     "is",     "if",
                                                     "else", "then", "with",   "within", "where",
                                                     "when", "by",   "unless", "as"};

}  // namespace

bool Parser::at_expression_end() {
  return at(TokenKind::Word) &&
         std::find(kNotNames.begin(), kNotNames.end(), text()) != kNotNames.end();
}

void Parser::value() {
  const Point from = start();
  expression();
  if (!accept_word("if")) {
    return;
  }
  expression();
  if (accept_word("else")) {
    if (deeper()) {
      value();  // x if a else y if b else z
    }
    shallower();
  }
  finish(NodeKind::Conditional, from);
}

void Parser::expression(int least) {
  const Point from = start();
  if (!deeper()) {
    shallower();
    if (!at_end()) {
      skip_group();
      error_pos_ = pos_;  // what follows is a consequence
    }
    finish(NodeKind::Error, from);
    return;
  }
  prefix();
  while (infix(least, from)) {
    if (height(from) > kTreeHeightMax) {
      error("B0002", "this expression has too many parts", "name the parts");
      break;
    }
  }
  shallower();
}

bool Parser::infix(int least, Point from) {
  const TokenKind op = kind();
  const std::string_view word = text();
  const int power = power_of(op, word);
  if (power == 0 || power < least || (in_step_ && word == "during")) {
    return false;
  }
  if (op == TokenKind::Assign) {
    error("B0107", "'=' gives a name to a value and does not compare", "write ==");
  }
  bump();
  NodeKind node = NodeKind::Binary;
  if (op == TokenKind::Word && word == "is") {
    accept_word("not");
    if (!accept_word("none") && !accept_word("some")) {
      error("B0100", fmt::format("expected 'none' or 'some' after 'is', found {}", found()));
    }
    node = NodeKind::Is;
  } else {
    expression(power + 1);
    node = op == TokenKind::Word && word == "during" ? NodeKind::During : NodeKind::Binary;
  }
  finish(node, from);
  if (power == Power::Compare && power_of(kind(), text()) == Power::Compare &&
      !(in_step_ && text() == "during")) {
    error("B0106", "comparisons do not chain", "write a < b and b < c");
  }
  return true;
}

void Parser::prefix() {
  const Point from = start();
  switch (kind()) {
    case TokenKind::Minus:
    case TokenKind::Plus:
      bump();
      expression(Power::Unary);
      finish(NodeKind::Unary, from);
      return;
    case TokenKind::OpenParen: {
      const Brackets brackets(in_step_);
      bump();
      value();
      expect(TokenKind::CloseParen, "')'");
      finish(NodeKind::Paren, from);
      break;
    }
    case TokenKind::OpenBrace:
      object();
      break;
    case TokenKind::Word:
      if (at_word("not")) {
        bump();
        expression(Power::Not);
        finish(NodeKind::Unary, from);
        return;
      }
      if (at_expression_end() || at_border()) {
        error("B0100", fmt::format("expected a value, found {}", found()));
        finish(NodeKind::Error, from);
        return;
      }
      bump();
      finish(NodeKind::Name, from);
      break;
    case TokenKind::String:
    case TokenKind::Number:
    case TokenKind::Percent:
    case TokenKind::Duration:
    case TokenKind::Ip:
    case TokenKind::Cidr:
    case TokenKind::Time:
    case TokenKind::TimeOfDay:
    case TokenKind::Oid:
    case TokenKind::MibName:
      bump();
      finish(NodeKind::Literal, from);
      break;
    default:
      error("B0100", fmt::format("expected a value, found {}", found()));
      if (at(TokenKind::Bad)) {
        bump();
      }
      finish(NodeKind::Error, from);
      return;
  }
  postfix(from);
}

void Parser::postfix(Point from) {
  while (height(from) <= kTreeHeightMax) {
    if (accept(TokenKind::Dot)) {
      expect(TokenKind::Word, "a name after '.'");
      finish(NodeKind::Field, from);
    } else if (accept(TokenKind::OpenBracket)) {
      const Brackets brackets(in_step_);
      do {
        expression();
      } while (accept(TokenKind::Comma));
      expect(TokenKind::CloseBracket, "']'");
      finish(NodeKind::Subscript, from);
    } else if (at(TokenKind::OpenParen) && stack_.size() == from + 1 && stack_.back().is_node &&
               (tree_.nodes[stack_.back().index].kind == NodeKind::Name ||
                tree_.nodes[stack_.back().index].kind == NodeKind::Field)) {
      args();
      finish(NodeKind::Call, from);
    } else {
      return;
    }
  }
  error("B0002", "this expression has too many parts", "name the parts");
}

void Parser::object() {
  const Brackets brackets(in_step_);
  const Point from = start();
  const Mark opened = mark();
  if (!expect(TokenKind::OpenBrace, "'{'")) {
    finish(NodeKind::Error, from);
    return;
  }
  while (!at(TokenKind::CloseBrace) && !at_end() && !at_declaration()) {
    const std::size_t before = pos_;
    object_item();
    accept(TokenKind::Comma);
    if (pos_ == before) {
      skip_until(std::array<std::string_view, 1>{"expect"});
      break;
    }
  }
  close("object", opened);
  finish(NodeKind::Object, from);
}

void Parser::object_item() {
  const Point from = start();
  if ((at(TokenKind::Word) || at(TokenKind::String)) && kind(1) == TokenKind::Colon) {
    bump();
    bump();
  }
  expression();
  finish(NodeKind::ObjectItem, from);
}

}  // namespace belfry::rules
