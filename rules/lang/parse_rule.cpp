// Rules, patterns, causes, maintenance (LANGUAGE 4).
#include <algorithm>
#include <array>

#include "parser.hpp"

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, 14> kClauses{
    "open", "when", "where", "unless", "settle", "hold", "recover",
    "one",  "was",  "clear", "reopen", "limit",  "mode", "by"};
constexpr std::array<std::string_view, 10> kAggregates{
    "count", "flaps", "rate", "sum", "avg", "min", "max", "distinct", "share", "eta"};

bool is_aggregate(std::string_view word) {
  return std::find(kAggregates.begin(), kAggregates.end(), word) != kAggregates.end();
}

}  // namespace

void Parser::rule() {
  expect(TokenKind::Word, "the name of the rule");
  accept(TokenKind::String);
  block("rule", kClauses, [this] { return clause(false); });
}

bool Parser::clause(bool in_defaults) {
  const Point from = start();
  const auto with = [&](NodeKind node) {
    finish(node, from);
    return true;
  };
  if (accept_word("settle") || accept_word("hold") || accept_word("recover")) {
    const std::string_view word = tree_.token_text(stack_.back().index);
    duration("a time, e.g. 10s");
    return with(word == "settle" ? NodeKind::Settle
                : word == "hold" ? NodeKind::Hold
                                 : NodeKind::Recover);
  }
  if (accept_word("reopen")) {
    expect_word("within", "reopen within 30m");
    duration("a time, e.g. 30m");
    return with(NodeKind::Reopen);
  }
  if (accept_word("limit")) {
    expect(TokenKind::Number, "a number of keys");
    return with(NodeKind::Limit);
  }
  if (in_defaults) {
    error("B0105",
          fmt::format("expected one of settle hold recover reopen limit, found {}", found()));
    return false;
  }
  if (accept_word("when") || accept_word("unless")) {
    const bool when = tree_.token_text(stack_.back().index) == "when";
    pattern();
    if (when && accept_word("by")) {
      keys();
    }
    return with(when ? NodeKind::When : NodeKind::Unless);
  }
  if (accept_word("where")) {
    expression();
    return with(NodeKind::Where);
  }
  if (accept_word("one")) {
    if (expect_word("by", "one by share")) {
      do {
        expression();
      } while (accept(TokenKind::Comma));
    }
    return with(NodeKind::OneBy);
  }
  if (accept_word("was")) {
    expect(TokenKind::Word, "the rule's old name");
    return with(NodeKind::Was);
  }
  if (accept_word("mode")) {
    if (!accept_word("live") && !accept_word("shadow") && !accept_word("off")) {
      error("B0100", fmt::format("expected 'live', 'shadow' or 'off', found {}", found()));
    }
    return with(NodeKind::Mode);
  }
  if (at_word("clear")) {
    clear_clause();
    return true;
  }
  if (at_word("open")) {
    open_clause();
    return true;
  }
  error(
      "B0105", fmt::format("expected a clause of the rule, found {}", found()),
      did_you_mean(
          std::string(text()), kClauses,
          "when, where, unless, clear, reopen, settle, hold, recover, one by, limit, mode, open"));
  return false;
}

void Parser::clear_clause() {
  const Point from = start();
  bump();
  if (accept_word("when")) {
    pattern();
  } else if (accept_word("after") || accept_word("quiet")) {
    duration("a time, e.g. 5m");
  } else if (!accept_word("manual")) {
    error("B0100", fmt::format("expected 'when', 'after', 'quiet' or 'manual', found {}", found()),
          "e.g. clear quiet 30m");
  }
  finish(NodeKind::Clear, from);
}

void Parser::open_clause() {
  const Point from = start();
  bump();
  block("open block", {}, [this] {
    if (!at(TokenKind::Word)) {
      error("B0100", fmt::format("expected a field, found {}", found()),
            "e.g. title \"...\" severity major");
      return false;
    }
    const Point field = start();
    bump();
    value();
    finish(NodeKind::OpenField, field);
    return true;
  });
  finish(NodeKind::Open, from);
}

void Parser::keys() {
  const Point from = start();
  do {
    key();
  } while (accept(TokenKind::Comma));
  finish(NodeKind::Keys, from);
}

void Parser::key() {
  const Point from = start();
  if (at(TokenKind::Word) && kind(1) == TokenKind::Assign) {
    bump();
    bump();
  }
  expression();
  finish(NodeKind::Key, from);
}

bool Parser::duration(std::string_view what) {
  return expect(TokenKind::Duration, what,
                at(TokenKind::Number) ? "a duration has a unit: ms s m h d w" : "");
}

void Parser::pattern() {
  const Point from = start();
  if (!deeper()) {
    shallower();
    if (!at_end()) {
      skip_group();
      error_pos_ = pos_;
    }
    finish(NodeKind::Error, from);
    return;
  }
  pattern_and();
  if (at_word("or")) {
    while (accept_word("or")) {
      pattern_and();
    }
    finish(NodeKind::PatternOr, from);
  }
  shallower();
}

void Parser::pattern_and() {
  const Point from = start();
  pattern_step();
  if (!at_word("and") && !at_word("within")) {
    return;
  }
  while (accept_word("and")) {
    pattern_step();
  }
  within();
  finish(NodeKind::PatternAnd, from);
}

void Parser::within() {
  if (!at_word("within")) {
    return;
  }
  const Point from = start();
  bump();
  duration("a time, e.g. 10m");
  finish(NodeKind::Within, from);
}

void Parser::pattern_step() {
  const Point from = start();
  pattern_item();
  while (at_word("then") && height(from) <= kTreeHeightMax) {
    bump();
    accept_word("not");
    pattern_item();
    if (accept_word("within")) {
      duration("a time, e.g. 30s");
    } else {
      error("B0102",
            fmt::format("a sequence needs a time bound: expected 'within <duration>', found {}",
                        found()),
            "state for an unbounded wait would never be freed");
    }
    finish(NodeKind::PatternThen, from);
  }
}

void Parser::pattern_item() {
  const Point from = start();
  if (accept_word("not")) {
    if (deeper()) {
      pattern_item();
    }
    shallower();
    finish(NodeKind::PatternNot, from);
    return;
  }
  if (accept(TokenKind::OpenParen)) {
    pattern();
    expect(TokenKind::CloseParen, "')'");
    finish(NodeKind::PatternParen, from);
    return;
  }
  if (at_word("missing") && kind(1) == TokenKind::Word) {
    missing();
    return;
  }
  if (at(TokenKind::Word) && is_aggregate(text()) && kind(1) == TokenKind::OpenParen) {
    aggregate();
    return;
  }
  if (!at(TokenKind::Word) || at_expression_end() || at_border() ||
      std::find(kClauses.begin(), kClauses.end(), text()) != kClauses.end()) {
    error("B0100", fmt::format("expected a signal or a rule, found {}", found()),
          "e.g. when if_down for 20s");
    finish(NodeKind::Error, from);
    return;
  }
  signal_ref();
  if (accept_word("for")) {
    duration("a time, e.g. 20s");
  }
  finish(NodeKind::PatternSignal, from);
}

void Parser::missing() {
  const Point from = start();
  bump();
  signal_ref();
  if (expect_word("for", "missing beat for 3m")) {
    duration("a time, e.g. 3m");
  }
  finish(NodeKind::PatternMissing, from);
}

bool Parser::at_relop() {
  switch (kind()) {
    case TokenKind::Equal:
    case TokenKind::NotEqual:
    case TokenKind::Less:
    case TokenKind::LessEqual:
    case TokenKind::Greater:
    case TokenKind::GreaterEqual:
      return true;
    default:
      return false;
  }
}

void Parser::aggregate() {
  const Point from = start();
  const std::string call(text());
  bump();
  bump();
  const Point of = start();
  std::string inner(text());
  expect(TokenKind::Word, "a signal or a rule");
  if (at(TokenKind::OpenParen)) {
    args();
  }
  while (accept(TokenKind::Dot)) {
    inner += fmt::format(".{}", text());
    expect(TokenKind::Word, "a parameter of the signal");
  }
  if (accept(TokenKind::Comma)) {
    expression();
  }
  finish(NodeKind::AggregateOf, of);
  expect(TokenKind::CloseParen, "')'");
  if (accept_word("as")) {
    expect(TokenKind::Word, "a name for what is measured");
  }
  if (at_relop()) {
    bump();
    constexpr int kTighterThanComparison = 5;  // `>= 60% and ...`: the `and` belongs to the pattern
    expression(kTighterThanComparison);
  } else {
    error(
        "B0101",
        fmt::format("an aggregate is compared: expected >=, >, <, <=, == or !=, found {}", found()),
        fmt::format("e.g. {}({}) >= 5{}", call, inner,
                    at_word("within") && kind(1) == TokenKind::Duration
                        ? fmt::format(" within {}", text(1))
                        : std::string(" within 10m")));
  }
  within();
  finish(NodeKind::PatternAggregate, from);
}

void Parser::signal_ref() {
  const Point from = start();
  if (at_border() || !accept(TokenKind::Word)) {
    error("B0100", fmt::format("expected a signal or a rule, found {}", found()));
  }
  if (at(TokenKind::OpenParen)) {
    args();
  }
  finish(NodeKind::SignalRef, from);
}

void Parser::args() {
  const Brackets brackets(in_step_);
  const Point from = start();
  bump();
  while (!at(TokenKind::CloseParen) && !at_end()) {
    const std::size_t before = pos_;
    arg();
    if (!accept(TokenKind::Comma) || pos_ == before) {
      break;
    }
  }
  expect(TokenKind::CloseParen, "')'");
  finish(NodeKind::Args, from);
}

void Parser::arg() {
  const Point from = start();
  if (at(TokenKind::Word) && kind(1) == TokenKind::Colon) {
    bump();
    bump();
  }
  expression();
  finish(NodeKind::Arg, from);
}

void Parser::target() {
  if (at_word("any") && kind(1) == TokenKind::OpenParen) {
    const Point from = start();
    bump();
    args();
    finish(NodeKind::AnyOf, from);
    return;
  }
  signal_ref();
}

void Parser::cause() {
  signal_ref();
  if (expect_word("of", "cause A(x) of B(y) where ...")) {
    target();
  }
  if (accept_word("where")) {
    expression();
  }
}

void Parser::maintenance() {
  expect(TokenKind::Word, "the name of the maintenance");
  accept(TokenKind::String);
  static constexpr std::array<std::string_view, 5> kParts{"each", "from", "covers", "where",
                                                          "grace"};
  block("maintenance", kParts, [this] {
    if (accept_word("each")) {
      return expect(TokenKind::Word, "a name") && expect_word("in", "each w in works") &&
             expect(TokenKind::Word, "a table");
    }
    if (accept_word("from")) {
      const bool times = expect(TokenKind::Time, "a time, e.g. 2026-03-14T22:00") &&
                         expect_word("to") &&
                         expect(TokenKind::Time, "a time, e.g. 2026-03-15T04:00");
      accept(TokenKind::String);
      return times;
    }
    if (accept_word("covers")) {
      target();
      if (accept_word("where")) {
        expression();
      }
      return true;
    }
    if (accept_word("grace")) {
      return duration("a time, e.g. 15m");
    }
    error("B0105", fmt::format("expected 'each', 'from', 'covers' or 'grace', found {}", found()));
    return false;
  });
}

}  // namespace belfry::rules
