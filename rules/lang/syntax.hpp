#pragma once
// The lossless syntax tree: every token of the file, white space and comments included, hangs in it
// in order. Nodes are named after the rules of the grammar (LANGUAGE 4) and stored by index, so a
// tree of any shape is freed without recursion; its height is bounded by the parser.
#include <string_view>
#include <vector>

#include "token.hpp"

namespace belfry::rules {

enum class NodeKind : std::uint8_t {
  File,
  Error,
  Use,
  Event,
  EventField,
  Enum,
  Table,
  Column,
  Relation,
  Path,
  Graph,
  Calendar,
  Defaults,
  Measure,
  Type,
  Params,
  Param,
  Signal,
  Feed,
  Expire,  // Feed: raise / clear [all] (source [per] | when pattern [by keys])
  Source,
  With,
  Rule,
  When,
  Where,
  Unless,
  Settle,
  Hold,
  Recover,
  OneBy,
  Was,
  Clear,
  Reopen,
  Limit,
  Mode,
  Open,
  OpenField,
  Keys,
  Key,
  PatternOr,
  PatternAnd,
  PatternThen,
  PatternNot,
  PatternParen,
  PatternMissing,
  PatternSignal,
  PatternAggregate,
  Within,
  SignalRef,
  Args,
  Arg,
  AggregateOf,
  Cause,
  AnyOf,
  Maintenance,
  Policy,
  PolicyLine,
  Escalation,
  Step,
  StepCondition,
  Test,
  Given,
  TestStep,
  TestEvent,
  Expect,
  // expressions
  Literal,
  Name,
  Paren,
  Object,
  ObjectItem,
  Field,
  Subscript,
  Call,
  Unary,
  Binary,
  Is,
  During,
  Conditional,
};

struct Element {
  std::uint32_t index = 0;
  bool is_node = false;
};
struct Node {
  NodeKind kind = NodeKind::Error;
  std::uint32_t first = 0, count = 0;  ///< in Tree::elements
  std::uint32_t height = 1;
};

struct Tree {
  std::string_view text;  ///< of the whole file; outlives the tree
  Index file = kNone;
  std::vector<Token> tokens;
  std::vector<Node> nodes;
  std::vector<Element> elements;
  std::uint32_t root = 0;

  std::string_view token_text(std::uint32_t token) const {
    return text.substr(tokens[token].offset, tokens[token].length);
  }
};

struct TokenRef {
  const Tree* tree = nullptr;
  std::uint32_t index = 0;
  explicit operator bool() const { return tree != nullptr; }
  TokenKind kind() const { return tree == nullptr ? TokenKind::End : tree->tokens[index].kind; }
  std::string_view text() const {
    return tree == nullptr ? std::string_view{} : tree->token_text(index);
  }
  Mark mark() const;
};

/// A node to read from; a missing one is false and answers everything with nothing.
struct NodeRef {
  const Tree* tree = nullptr;
  std::uint32_t index = 0;
  explicit operator bool() const { return tree != nullptr; }
  NodeKind kind() const { return tree == nullptr ? NodeKind::Error : tree->nodes[index].kind; }
  bool is(NodeKind k) const { return tree != nullptr && kind() == k; }

  std::vector<NodeRef> children() const;
  std::vector<NodeRef> children(NodeKind kind) const;
  NodeRef child(std::size_t n) const;    ///< n-th child node of any kind
  NodeRef child(NodeKind kind) const;    ///< first of that kind
  std::vector<TokenRef> tokens() const;  ///< own tokens without trivia
  TokenRef token(std::size_t n) const;   ///< n-th of these
  TokenRef token(TokenKind kind, std::size_t n = 0) const;
  bool has_word(std::string_view word) const;  ///< among its own tokens
  bool broken() const;                         ///< an error of the parser lies inside
  TokenRef first() const;                      ///< first token without trivia, children included
  TokenRef last() const;
  Mark mark() const;              ///< from the first to the last token
  std::string_view text() const;  ///< as written, without trivia around it
};

}  // namespace belfry::rules
