#pragma once
// Tokens of Bell. Every byte of a file is in exactly one token, white space and comments included,
// so the tokens joined are the file again.
#include <cstdint>
#include <string_view>
#include <vector>

#include "report.hpp"

namespace belfry::rules {

enum class TokenKind : std::uint8_t {
  Space,
  Comment,  // trivia
  Word,
  String,
  Regex,  ///< /.../ behind an event type
  Number,
  Percent,
  Duration,
  Ip,
  Cidr,
  Time,
  TimeOfDay,
  Oid,
  MibName,
  OpenBrace,
  CloseBrace,
  OpenParen,
  CloseParen,
  OpenBracket,
  CloseBracket,
  Comma,
  Colon,
  Dot,
  Assign,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Plus,
  Minus,
  Star,
  Slash,
  Coalesce,
  Question,
  Arrow,
  Bad,
  End,
};
constexpr bool is_trivia(TokenKind kind) {
  return kind == TokenKind::Space || kind == TokenKind::Comment;
}

struct Token {
  TokenKind kind = TokenKind::End;
  bool first_on_line = false;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// Tokens of text[begin, end), offsets in `text`. Total: what is no token of Bell is a Bad one,
/// told to the report (nullptr: told to nobody).
std::vector<Token> lex(std::string_view text, std::size_t begin, std::size_t end, Index file,
                       Report* report);

/// A piece of a string token: literal text (escapes resolved) or the bounds of what stands in a
/// hole.
struct StringPiece {
  bool hole = false;
  std::string literal;
  std::size_t begin = 0,
              end = 0;  ///< offsets in the text: of the hole without braces, or of the literal
};
/// Splits the string token at text[begin, end) (with its quotes). Holes and literals alternate as
/// written.
std::vector<StringPiece> split_string(std::string_view text, std::size_t begin, std::size_t end);
/// The string without escapes; holes stay as written.
std::string unquote(std::string_view token);

}  // namespace belfry::rules
