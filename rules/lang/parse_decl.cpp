// Declarations of the schema, signals, policies, escalations and tests (LANGUAGE 4).
#include <array>

#include "belfry/base/text.hpp"
#include "parser.hpp"

namespace belfry::rules {

namespace {

using Words = std::span<const std::string_view>;
constexpr std::array<std::string_view, 16> kDeclarations{
    "use",     "event",  "enum", "table", "relation",    "graph",  "calendar",   "defaults",
    "measure", "signal", "rule", "cause", "maintenance", "policy", "escalation", "test"};
constexpr std::array<std::string_view, 3> kSignalStarts{"raise", "clear", "expire"};
constexpr std::array<std::string_view, 1> kStepStarts{"after"};
constexpr std::array<std::string_view, 2> kTestStarts{"given", "+"};

}  // namespace

void Parser::declaration() {
  const Point from = start();
  if (at(TokenKind::Word) && declaration_of(text(), from)) {
    return;
  }
  const std::string word(text());
  error("B0104", fmt::format("expected a declaration, found {}", found()),
        at(TokenKind::Word)
            ? did_you_mean(word, kDeclarations, "e.g. signal, rule, cause, table, test")
            : "e.g. signal, rule, cause, table, test");
  bump();
  while (!at_end() && !at_declaration()) {
    skip_group();
  }
  finish(NodeKind::Error, from);
}

bool Parser::declaration_of(std::string_view word, Point from) {
  struct Entry {
    std::string_view word;
    NodeKind node;
    void (Parser::*parse)();
  };
  static constexpr std::array<Entry, 16> kEntries{
      {{"use", NodeKind::Use, &Parser::use},
       {"event", NodeKind::Event, &Parser::event},
       {"enum", NodeKind::Enum, &Parser::enumeration},
       {"table", NodeKind::Table, &Parser::table},
       {"relation", NodeKind::Relation, &Parser::relation},
       {"graph", NodeKind::Graph, &Parser::graph},
       {"calendar", NodeKind::Calendar, &Parser::calendar},
       {"defaults", NodeKind::Defaults, &Parser::defaults},
       {"measure", NodeKind::Measure, &Parser::measure},
       {"signal", NodeKind::Signal, &Parser::signal},
       {"rule", NodeKind::Rule, &Parser::rule},
       {"cause", NodeKind::Cause, &Parser::cause},
       {"maintenance", NodeKind::Maintenance, &Parser::maintenance},
       {"policy", NodeKind::Policy, &Parser::policy},
       {"escalation", NodeKind::Escalation, &Parser::escalation},
       {"test", NodeKind::Test, &Parser::test}}};
  for (const Entry& entry : kEntries) {
    if (entry.word == word) {
      bump();
      (this->*entry.parse)();
      finish(entry.node, from);
      return true;
    }
  }
  return false;
}

void Parser::use() { expect(TokenKind::String, "a file name in quotes"); }

void Parser::columns(NodeKind each, std::string_view what) {
  block(what, {}, [&] {
    if (!at(TokenKind::Word)) {
      error("B0100", fmt::format("expected a name, found {}", found()), "NAME: TYPE");
      return false;
    }
    column(each);
    return true;
  });
}

void Parser::column(NodeKind each) {
  const Point from = start();
  bump();
  if (expect(TokenKind::Colon, "':' and a type", "NAME: TYPE")) {
    type();
  }
  if (each == NodeKind::EventField && at_word("head") && kind(1) != TokenKind::Colon) {
    bump();
  }
  accept(TokenKind::Comma);
  finish(each, from);
}

void Parser::type() {
  const Point from = start();
  if (!expect(TokenKind::Word, "a type", "e.g. string, int, ip, severity, a table or an enum")) {
    finish(NodeKind::Error, from);
    return;
  }
  if (accept(TokenKind::Less)) {
    if (deeper()) {
      type();
    }
    shallower();
    expect(TokenKind::Greater, "'>'");
  }
  accept(TokenKind::Question);
  finish(NodeKind::Type, from);
}

void Parser::params() {
  const Point from = start();
  if (expect(TokenKind::OpenParen, "'('", "NAME(KEY: TYPE, ...)") && !at(TokenKind::CloseParen)) {
    do {
      param();
    } while (accept(TokenKind::Comma));
    expect(TokenKind::CloseParen, "')'");
  } else {
    accept(TokenKind::CloseParen);
  }
  finish(NodeKind::Params, from);
}

void Parser::param() {
  const Point from = start();
  if (expect(TokenKind::Word, "a parameter", "NAME: TYPE") &&
      expect(TokenKind::Colon, "':' and a type", "NAME: TYPE")) {
    type();
  }
  finish(NodeKind::Param, from);
}

void Parser::event() {
  expect(TokenKind::Word, "the name of the event type");
  columns(NodeKind::EventField, "event");
}

void Parser::enumeration() {
  expect(TokenKind::Word, "the name of the enum");
  block("enum", {}, [this] {
    if (!expect(TokenKind::Word, "a word of the enum")) {
      return false;
    }
    accept(TokenKind::Comma);
    return true;
  });
}

void Parser::table() {
  expect(TokenKind::Word, "the name of the table");
  if (expect_word("key", "table NAME key COLUMN { ... }")) {
    const Point from = start();
    do {
      expect(TokenKind::Word, "a column of the key");
    } while (accept(TokenKind::Comma));
    finish(NodeKind::Keys, from);
  }
  columns(NodeKind::Column, "table");
  if (accept_word("from")) {
    expect(TokenKind::String, "a file name in quotes");
  }
}

void Parser::relation() {
  expect(TokenKind::Word, "the name of the relation");
  if (expect(TokenKind::OpenParen, "'('", "relation NAME(TYPE, TYPE) from ...")) {
    type();
    expect(TokenKind::Comma, "','", "a relation is between two types");
    type();
    expect(TokenKind::CloseParen, "')'");
  }
  accept_word("transitive");
  if (!expect_word("from", "from \"FILE.csv\" or from TABLE.COLUMN") || accept(TokenKind::String)) {
    return;
  }
  const Point from = start();
  expect(TokenKind::Word, "a file name in quotes, or TABLE.COLUMN");
  while (accept(TokenKind::Dot)) {
    expect(TokenKind::Word, "a column after '.'");
  }
  finish(NodeKind::Path, from);
}

void Parser::graph() {
  expect(TokenKind::Word, "the name of the graph");
  static constexpr std::array<std::string_view, 4> kParts{"nodes", "edges", "roots", "down"};
  block("graph", kParts, [this] {
    if (accept_word("nodes")) {
      return expect(TokenKind::Word, "a table");
    }
    if (accept_word("edges")) {
      return expect(TokenKind::Word, "a table") && expect(TokenKind::OpenParen, "'('") &&
             expect(TokenKind::Word, "a column") && expect(TokenKind::Comma, "','") &&
             expect(TokenKind::Word, "a column") && expect(TokenKind::CloseParen, "')'");
    }
    if (accept_word("roots")) {
      const bool named = expect(TokenKind::Word, "a table");
      if (accept_word("where")) {
        expression();
      }
      return named;
    }
    if (accept_word("down")) {
      do {
        signal_ref();
      } while (accept(TokenKind::Comma));
      return true;
    }
    error("B0105", fmt::format("expected 'nodes', 'edges', 'roots' or 'down', found {}", found()));
    return false;
  });
}

void Parser::calendar() {
  expect(TokenKind::Word, "the name of the calendar");
  block("calendar", {}, [this] {
    if (!expect(TokenKind::Word, "days, e.g. mon-fri")) {
      return false;
    }
    while (at(TokenKind::Minus) || at(TokenKind::Comma)) {
      bump();
      expect(TokenKind::Word, "a day, e.g. fri");
    }
    const bool times = expect(TokenKind::TimeOfDay, "a time, e.g. 09:00") &&
                       expect(TokenKind::Minus, "'-'") &&
                       expect(TokenKind::TimeOfDay, "a time, e.g. 18:00") &&
                       expect(TokenKind::String, "a time zone in quotes");
    while (accept_word("except")) {
      expect(TokenKind::String, "a list of holidays in quotes");
    }
    return times;
  });
}

void Parser::defaults() {
  static constexpr std::array<std::string_view, 5> kClauses{"settle", "hold", "recover", "reopen",
                                                            "limit"};
  block("defaults", kClauses, [this] { return clause(true); });
}

void Parser::measure() {
  expect(TokenKind::Word, "the name of the measure");
  params();
  if (accept(TokenKind::Colon)) {
    expect(TokenKind::Word, "a unit, e.g. percent");
  }
  if (expect_word("from", "measure NAME(KEY): UNIT from probe \"CHECK\"")) {
    source();
  }
}

void Parser::signal() {
  expect(TokenKind::Word, "the name of the signal");
  params();
  accept(TokenKind::String);
  block("signal", kSignalStarts, [this] { return feed(); });
}

bool Parser::feed() {
  const Point from = start();
  if (accept_word("expire")) {
    duration("how long a raise lasts, e.g. 24h");
    finish(NodeKind::Expire, from);
    return true;
  }
  const bool raise = at_word("raise");
  if (!raise && !at_word("clear")) {
    const std::string word(text());
    error("B0105", fmt::format("expected 'raise', 'clear' or 'expire', found {}", found()),
          did_you_mean(word, kSignalStarts));
    return false;
  }
  bump();
  if (!raise) {
    accept_word("all");
  }
  if (accept_word("when")) {
    pattern();
    if (accept_word("by")) {
      keys();
    }
  } else {
    source();
    if (accept_word("per")) {
      expect(TokenKind::Word, "the field that tells the raisers apart", "e.g. per vantage");
    }
  }
  finish(NodeKind::Feed, from);
  return true;
}

void Parser::source() {
  const Point from = start();
  if (!expect(TokenKind::Word, "an event type", "e.g. raise syslog \"text {hole}\"")) {
    finish(NodeKind::Error, from);
    return;
  }
  if (at(TokenKind::String) || at(TokenKind::Regex) || at(TokenKind::MibName) ||
      at(TokenKind::Oid) || at(TokenKind::Ip)) {
    bump();
  }
  if (accept_word("where")) {
    expression();
  }
  if (accept_word("with")) {
    do {
      const Point binding = start();
      if (expect(TokenKind::Word, "a parameter", "with NAME = EXPRESSION") &&
          expect(TokenKind::Assign, "'='", "with NAME = EXPRESSION")) {
        expression();
      }
      finish(NodeKind::With, binding);
    } while (accept(TokenKind::Comma));
  }
  finish(NodeKind::Source, from);
}

void Parser::policy() {
  expect(TokenKind::Word, "the name of the policy");
  params();
  if (expect(TokenKind::Arrow, "'->' and the type of the answer",
             "policy NAME(ARGUMENTS) -> TYPE")) {
    type();
  }
  block("policy", {}, [this] {
    policy_line();
    return true;
  });
}

void Parser::policy_line() {
  const Point from = start();
  if (accept_word("else")) {
    expression();
  } else {
    expression();
    if (expect_word("if", "VALUE if CONDITION; the last line is else VALUE")) {
      expression();
    }
  }
  finish(NodeKind::PolicyLine, from);
}

void Parser::escalation() {
  expect(TokenKind::Word, "the name of the escalation");
  block("escalation", kStepStarts, [this] {
    if (!at_word("after")) {
      error("B0105", fmt::format("expected 'after', found {}", found()),
            "after 15m page \"run\" unless acked");
      return false;
    }
    step();
    return true;
  });
}

void Parser::step() {
  const Point from = start();
  bump();
  if (duration("how long after opening, e.g. 15m")) {
    if (!accept_word("notify") && !accept_word("page")) {
      error("B0100", fmt::format("expected 'notify' or 'page', found {}", found()));
    }
    expect(TokenKind::String, "a team or a person in quotes");
  }
  while (at_word("unless") || at_word("if") || at_word("during")) {
    const Point condition = start();
    const bool expr = at_word("if");
    bump();
    if (expr) {
      in_step_ = true;
      expression();
      in_step_ = false;
    } else {
      expect(TokenKind::Word, "a name");
    }
    finish(NodeKind::StepCondition, condition);
  }
  finish(NodeKind::Step, from);
}

void Parser::test() {
  expect(TokenKind::String, "what is tested, in quotes");
  block("test", kTestStarts, [this] { return test_item(); });
}

bool Parser::test_item() {
  if (at_word("given")) {
    const Point from = start();
    bump();
    expect(TokenKind::Word, "a table or a relation", "given device { name: \"r1\" }");
    object();
    finish(NodeKind::Given, from);
    return true;
  }
  if (at(TokenKind::Plus)) {
    test_step();
    return true;
  }
  error("B0105", fmt::format("expected 'given' or a time such as +30s, found {}", found()),
        "+30s expect open NAME");
  return false;
}

void Parser::test_step() {
  const Point from = start();
  bump();
  if (!duration("a time, e.g. +30s")) {
    finish(NodeKind::TestStep, from);
    return;
  }
  if (at_word("x") && kind(1) == TokenKind::Number) {
    bump();
    bump();
    if (expect_word("every", "+0s x 6 every 60s trap { ... }")) {
      duration("a time, e.g. 60s");
    }
  }
  if (at_word("expect")) {
    expectation();
  } else {
    const Point event = start();
    if (expect(TokenKind::Word, "an event type or 'expect'")) {
      object();
    }
    finish(NodeKind::TestEvent, event);
  }
  finish(NodeKind::TestStep, from);
}

void Parser::expectation() {
  const Point from = start();
  bump();
  if (accept(TokenKind::Number)) {
    expect(TokenKind::Word, "a state", "open, closed, planned or symptom");
  } else if (at_word("open") || at_word("closed") || at_word("planned") || at_word("symptom") ||
             at_word("no")) {
    bump();
    if (at(TokenKind::Word) && !at_word("given") && !at_word("expect")) {
      signal_ref();
      if (at(TokenKind::OpenBrace)) {
        object();
      }
    }
  } else {
    error("B0100",
          fmt::format("expected a number, 'open', 'closed', 'planned', 'symptom' or 'no', found {}",
                      found()),
          "expect open NAME(KEY), or expect 1 open");
  }
  finish(NodeKind::Expect, from);
}

}  // namespace belfry::rules
