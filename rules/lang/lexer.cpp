#include <fmt/format.h>

#include <array>

#include "belfry/base/text.hpp"
#include "belfry/base/time.hpp"
#include "token.hpp"

namespace belfry::rules {

namespace {

constexpr bool digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool word_part(char c) { return letter(c) || digit(c); }
constexpr bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// End (behind the `}`) of the hole that starts at text[at] == '{', or 0 when it is not one: a hole
/// lies in one line, holds no other brace, and strings inside it are skipped.
std::size_t hole_end(std::string_view text, std::size_t at, std::size_t end) {
  const std::size_t last = std::min(end, at + kHoleBytesMax);
  bool quoted = false;
  for (std::size_t i = at + 1; i < last; ++i) {
    const char c = text[i];
    if (c == '\n' || (!quoted && c == '{')) {
      return 0;
    }
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == '}') {
      return i + 1;
    }
  }
  return 0;
}

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t begin, std::size_t end, Index file, Report* report)
      : text_(text.substr(0, end)), at_(begin), file_(file), report_(report) {}

  std::vector<Token> run() {
    tokens_.reserve((text_.size() - at_) / 4 + 1);
    while (at_ < text_.size()) {
      const std::size_t start = at_;
      const TokenKind kind = next();
      add(kind, start);
    }
    add(TokenKind::End, at_);
    return std::move(tokens_);
  }

 private:
  char look(std::size_t n = 0) const { return at_ + n < text_.size() ? text_[at_ + n] : '\0'; }

  void add(TokenKind kind, std::size_t start) {
    Token token;
    token.kind = kind;
    token.offset = static_cast<std::uint32_t>(start);
    token.length = static_cast<std::uint32_t>(at_ - start);
    token.first_on_line = line_start_;
    if (kind == TokenKind::Space) {
      line_start_ =
          line_start_ || text_.substr(start, at_ - start).find('\n') != std::string_view::npos;
    } else if (kind != TokenKind::Comment) {
      line_start_ = false;
    }
    tokens_.push_back(token);
  }

  void complain(std::size_t start, std::string_view code, std::string message, std::string label) {
    if (report_ != nullptr) {
      const Mark mark{file_, static_cast<std::uint32_t>(start),
                      static_cast<std::uint32_t>(at_ - start)};
      report_->error(mark, code, std::move(message), std::move(label));
    }
  }

  TokenKind next() {
    const char c = look();
    if (at_ == 0 && text_.starts_with("\xEF\xBB\xBF")) {
      at_ = 3;  // a byte order mark: some editors write one
      return TokenKind::Space;
    }
    if (blank(c)) {
      while (at_ < text_.size() && blank(text_[at_])) {
        ++at_;
      }
      return TokenKind::Space;
    }
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') {
        ++at_;
      }
      return TokenKind::Comment;
    }
    if (letter(c)) {
      return word();
    }
    if (digit(c)) {
      return number();
    }
    if (c == '/' && head_may_stand()) {
      return regex();
    }
    return c == '"' ? string() : sign();
  }

  /// Behind `raise EVENT`, `clear EVENT`, `clear all EVENT` and `from EVENT`: there a slash begins
  /// a regular expression, everywhere else it divides.
  bool head_may_stand() const {
    std::array<std::string_view, 2> words;  // the last first
    std::size_t found = 0;
    for (std::size_t i = tokens_.size(); i > 0 && found < words.size(); --i) {
      const Token& token = tokens_[i - 1];
      if (is_trivia(token.kind)) {
        continue;
      }
      if (token.kind != TokenKind::Word) {
        return false;
      }
      words[found++] = text_.substr(token.offset, token.length);
    }
    return words[1] == "raise" || words[1] == "clear" || words[1] == "all" || words[1] == "from";
  }

  TokenKind regex() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '\n') {
      if (text_[at_] == '/') {
        ++at_;
        return TokenKind::Regex;
      }
      at_ += text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
    }
    complain(start, "B0011",
             "this regular expression has no end: expected '/' before the end of the line",
             "write \\/ for the sign itself");
    return TokenKind::Regex;
  }

  TokenKind word() {
    // IF-MIB::linkDown: module names have hyphens, words do not.
    std::size_t end = at_;
    while (end < text_.size() && (word_part(text_[end]) || text_[end] == '-')) {
      ++end;
    }
    if (text_.substr(end, 2) == "::" && end + 2 < text_.size() && letter(text_[end + 2])) {
      at_ = end + 2;
      while (at_ < text_.size() &&
             (word_part(text_[at_]) || (text_[at_] == '-' && word_part(look(1))))) {
        ++at_;
      }
      return TokenKind::MibName;
    }
    while (at_ < text_.size() && word_part(text_[at_])) {
      ++at_;
    }
    return TokenKind::Word;
  }

  TokenKind string() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '\n') {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return TokenKind::String;
      }
      if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
        at_ += 2;
      } else if (c == '{') {
        const std::size_t end = hole_end(text_, at_, text_.size());
        at_ = end != 0 ? end : at_ + 1;
      } else {
        ++at_;
      }
    }
    complain(start, "B0011", "this string has no end: expected '\"' before the end of the line",
             "a string stays in one line");
    return TokenKind::String;
  }

  std::size_t digits() {
    const std::size_t start = at_;
    while (digit(look())) {
      ++at_;
    }
    return at_ - start;
  }

  /// text_ at `from` looks like the pattern, where 'd' is any digit.
  bool looks_like(std::size_t from, std::string_view pattern) const {
    if (from + pattern.size() > text_.size()) {
      return false;
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const char c = text_[from + i];
      if (pattern[i] == 'd' ? !digit(c) : c != pattern[i]) {
        return false;
      }
    }
    return true;
  }

  TokenKind number() {
    const std::size_t start = at_;
    if (looks_like(start, "dddd-dd-ddTdd:dd")) {
      return time(start);
    }
    if (looks_like(start, "dd:dd") && !word_part(look(5))) {
      at_ += 5;
      return TokenKind::TimeOfDay;
    }
    digits();
    std::size_t dots = 0;
    while (look() == '.' && digit(look(1))) {
      ++at_;
      ++dots;
      digits();
    }
    if (dots >= 2) {
      return dotted(start, dots);
    }
    if (look() == '%') {
      ++at_;
      return TokenKind::Percent;
    }
    if (!letter(look())) {
      return TokenKind::Number;
    }
    while (word_part(look())) {
      ++at_;
    }
    const std::string_view text = text_.substr(start, at_ - start);
    if (parse_duration(text)) {
      return TokenKind::Duration;
    }
    complain(start, "B0012",
             fmt::format("'{}' is neither a number nor a duration", printable(text, 40)),
             dots > 0 ? "durations are whole numbers: 90m, not 1.5h"
                      : "units are ms s m h d w, e.g. 30s");
    return TokenKind::Bad;
  }

  TokenKind time(std::size_t start) {
    at_ = start + 16;
    if (looks_like(at_, ":dd")) {
      at_ += 3;
      if (look() == '.' && digit(look(1))) {
        ++at_;
        digits();
      }
    }
    if (look() == 'Z') {
      ++at_;
    } else if (looks_like(at_, "+dd:dd") || looks_like(at_, "-dd:dd")) {
      at_ += 6;
    }
    return TokenKind::Time;
  }

  TokenKind dotted(std::size_t start, std::size_t dots) {
    bool address = dots == 3;
    for (const std::string_view part : split(text_.substr(start, at_ - start), '.')) {
      address = address && part.size() <= 3 && parse_int(part).value_or(256) <= 255;
    }
    if (!address) {
      return TokenKind::Oid;
    }
    if (look() == '/' && digit(look(1))) {
      ++at_;
      digits();
      return TokenKind::Cidr;
    }
    return TokenKind::Ip;
  }

  TokenKind sign() {
    struct Sign {
      std::string_view text;
      TokenKind kind;
    };
    static constexpr std::array<Sign, 24> kSigns{{
        {"==", TokenKind::Equal},      {"!=", TokenKind::NotEqual},
        {"<=", TokenKind::LessEqual},  {">=", TokenKind::GreaterEqual},
        {"??", TokenKind::Coalesce},   {"->", TokenKind::Arrow},
        {"{", TokenKind::OpenBrace},   {"}", TokenKind::CloseBrace},
        {"(", TokenKind::OpenParen},   {")", TokenKind::CloseParen},
        {"[", TokenKind::OpenBracket}, {"]", TokenKind::CloseBracket},
        {",", TokenKind::Comma},       {":", TokenKind::Colon},
        {".", TokenKind::Dot},         {"=", TokenKind::Assign},
        {"<", TokenKind::Less},        {">", TokenKind::Greater},
        {"+", TokenKind::Plus},        {"-", TokenKind::Minus},
        {"*", TokenKind::Star},        {"/", TokenKind::Slash},
        {"?", TokenKind::Question},    {"", TokenKind::Bad},
    }};
    for (const Sign& sign : kSigns) {
      if (!sign.text.empty() && text_.substr(at_).starts_with(sign.text)) {
        at_ += sign.text.size();
        return sign.kind;
      }
    }
    return bad();
  }

  TokenKind bad() {
    // A run of strange bytes is one mistake (a binary file, a word with accents), not one per byte.
    const std::size_t start = at_;
    do {
      ++at_;
    } while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x80);
    const std::string_view text = text_.substr(start, at_ - start);
    std::string label = "only strings and comments hold other characters than ASCII";
    if (text == ";") {
      label = "Bell needs no ';'";
    } else if (text == "'") {
      label = "strings stand in double quotes";
    } else if (text == "&" || text == "|" || text == "!") {
      label = "write and, or, not";
    }
    complain(start, "B0010", fmt::format("'{}' has no meaning here", printable(text, 40)), label);
    return TokenKind::Bad;
  }

  std::string_view text_;
  std::size_t at_;
  Index file_;
  Report* report_;
  bool line_start_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(std::string_view text, std::size_t begin, std::size_t end, Index file,
                       Report* report) {
  return Lexer(text, begin, end, file, report).run();
}

std::vector<StringPiece> split_string(std::string_view text, std::size_t begin, std::size_t end) {
  std::vector<StringPiece> out;
  const std::size_t stop = end > begin + 1 && text[end - 1] == '"' ? end - 1 : end;
  const auto literal = [&out](char c, std::size_t at) {
    if (out.empty() || out.back().hole) {
      out.emplace_back().begin = at;
    }
    out.back().literal.push_back(c);
    out.back().end = at + 1;
  };
  for (std::size_t at = begin + 1; at < stop;) {
    const char c = text[at];
    const std::size_t behind = c == '{' ? hole_end(text, at, end) : 0;
    if (c == '\\' && at + 1 < stop) {
      const char next = text[at + 1];
      literal(next == 'n' ? '\n' : next == 't' ? '\t' : next, at + 1);
      at += 2;
    } else if (behind != 0) {
      StringPiece hole;
      hole.hole = true;
      hole.begin = at + 1;
      hole.end = behind - 1;
      out.push_back(std::move(hole));
      at = behind;
    } else {
      literal(c, at++);
    }
  }
  return out;
}

std::string unquote(std::string_view token) {
  std::string out;
  for (const StringPiece& piece : split_string(token, 0, token.size())) {
    out += piece.hole ? fmt::format("{{{}}}", token.substr(piece.begin, piece.end - piece.begin))
                      : piece.literal;
  }
  return out;
}

}  // namespace belfry::rules
