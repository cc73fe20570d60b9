#include "blocks.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(NodeKind::Conditional) + 1> kNames{
    "File",
    "Error",
    "Use",
    "Event",
    "EventField",
    "Enum",
    "Table",
    "Column",
    "Relation",
    "Path",
    "Graph",
    "Calendar",
    "Defaults",
    "Measure",
    "Type",
    "Params",
    "Param",
    "Signal",
    "Feed",
    "Expire",
    "Source",
    "With",
    "Rule",
    "When",
    "Where",
    "Unless",
    "Settle",
    "Hold",
    "Recover",
    "OneBy",
    "Was",
    "Clear",
    "Reopen",
    "Limit",
    "Mode",
    "Open",
    "OpenField",
    "Keys",
    "Key",
    "PatternOr",
    "PatternAnd",
    "PatternThen",
    "PatternNot",
    "PatternParen",
    "PatternMissing",
    "PatternSignal",
    "PatternAggregate",
    "Within",
    "SignalRef",
    "Args",
    "Arg",
    "AggregateOf",
    "Cause",
    "AnyOf",
    "Maintenance",
    "Policy",
    "PolicyLine",
    "Escalation",
    "Step",
    "StepCondition",
    "Test",
    "Given",
    "TestStep",
    "TestEvent",
    "Expect",
    "Literal",
    "Name",
    "Paren",
    "Object",
    "ObjectItem",
    "Field",
    "Subscript",
    "Call",
    "Unary",
    "Binary",
    "Is",
    "During",
    "Conditional"};

using Words = std::span<const std::string_view>;

int place_in(Words words, std::string_view word) {
  return static_cast<int>(std::find(words.begin(), words.end(), word) - words.begin());
}

/// LANGUAGE 7: what opens it, what bounds it in time, what closes it, what it says.
constexpr std::array kClauseOrder{
    NodeKind::When, NodeKind::Where,   NodeKind::Unless, NodeKind::OneBy,  NodeKind::Settle,
    NodeKind::Hold, NodeKind::Recover, NodeKind::Clear,  NodeKind::Reopen, NodeKind::Limit,
    NodeKind::Mode, NodeKind::Was,     NodeKind::Open};
constexpr std::array<std::string_view, 7> kFieldOrder{"title",    "severity", "impact",  "priority",
                                                      "customer", "runbook",  "escalate"};
constexpr std::array<std::string_view, 4> kGraphOrder{"nodes", "edges", "roots", "down"};
constexpr std::array<std::string_view, 4> kMaintenanceOrder{"each", "from", "covers", "grace"};

int rank_of(NodeRef parent, NodeRef part) {
  switch (parent.kind()) {
    case NodeKind::Rule:
    case NodeKind::Defaults:
      return static_cast<int>(std::find(kClauseOrder.begin(), kClauseOrder.end(), part.kind()) -
                              kClauseOrder.begin());
    case NodeKind::Open:
      return place_in(kFieldOrder, part.first().text());
    case NodeKind::Signal:
      return part.kind() == NodeKind::Expire ? 1 : 0;
    default:
      return 0;
  }
}

std::span<const Element> elements_of(NodeRef node) {
  const Node& n = node.tree->nodes[node.index];
  return std::span(node.tree->elements).subspan(n.first, n.count);
}

bool has_block(NodeKind kind) {
  switch (kind) {
    case NodeKind::Event:
    case NodeKind::Enum:
    case NodeKind::Table:
    case NodeKind::Graph:
    case NodeKind::Calendar:
    case NodeKind::Defaults:
    case NodeKind::Signal:
    case NodeKind::Rule:
    case NodeKind::Open:
    case NodeKind::Maintenance:
    case NodeKind::Policy:
    case NodeKind::Escalation:
    case NodeKind::Test:
    case NodeKind::Object:
      return true;
    default:
      return false;
  }
}

/// Splits the inside of a block into parts. Parts of graphs, maintenance windows, calendars and
/// enums have no nodes of their own; there a part ends where the grammar says.
class Splitter {
 public:
  Splitter(NodeRef node, Block& block) : node_(node), all_(elements_of(node)), block_(block) {}

  void run() {
    while (at_ < all_.size() && !is(TokenKind::OpenBrace)) {
      ++at_;
    }
    if (at_ == all_.size()) {
      return;
    }
    block_.open = token();
    for (next(); at_ < all_.size() && !is(TokenKind::CloseBrace); skip()) {
      part();
    }
    block_.close = at_ < all_.size() ? token() : TokenRef{};
  }

 private:
  bool trivia() const {
    return !all_[at_].is_node && is_trivia(node_.tree->tokens[all_[at_].index].kind);
  }
  void skip() {
    while (at_ < all_.size() && trivia()) {
      ++at_;
    }
  }
  void next() {
    ++at_;
    skip();
  }
  bool is(TokenKind kind) const {
    return at_ < all_.size() && !all_[at_].is_node && token().kind() == kind;
  }
  bool is_word(std::string_view word) const {
    return is(TokenKind::Word) && token().text() == word;
  }
  TokenRef token() const { return {node_.tree, all_[at_].index}; }
  void take(std::size_t n) {
    for (; n > 0 && at_ < all_.size(); --n) {
      last_ = at_ + 1;
      next();
    }
  }
  void take_until_brace_or(Words words) {
    take(2);  // the word and what it must have: that one's name may be any word
    while (at_ < all_.size() && !is(TokenKind::CloseBrace) &&
           !(is(TokenKind::Word) && place_in(words, token().text()) < std::ssize(words))) {
      take(1);
    }
  }

  void part() {
    Part out;
    out.first = static_cast<std::uint32_t>(at_);
    if (all_[at_].is_node) {
      out.node = {node_.tree, all_[at_].index};
      out.rank = rank_of(node_, out.node);
      take(1);
    } else {
      loose(out);
    }
    out.last = static_cast<std::uint32_t>(last_);
    if (is(TokenKind::Comma)) {
      out.comma = token();
      next();
    }
    if (last_ > out.first) {
      out.begin = out.node ? out.node.first() : TokenRef{node_.tree, all_[out.first].index};
      out.end = end_of(all_[last_ - 1]);
      block_.parts.push_back(out);
    } else if (at_ < all_.size() && !is(TokenKind::CloseBrace)) {
      next();
    }
  }

  TokenRef end_of(const Element& e) const {
    return e.is_node ? NodeRef{node_.tree, e.index}.last() : TokenRef{node_.tree, e.index};
  }

  void loose(Part& out) {
    const std::string_view word = token().text();
    if (node_.is(NodeKind::Graph)) {
      out.rank = place_in(kGraphOrder, word);
      if (word == "nodes") {
        return take(2);
      }
      if (word == "edges") {
        return take(7);
      }
      return take_until_brace_or(kGraphOrder);  // expressions and signals are nodes
    }
    if (node_.is(NodeKind::Maintenance)) {
      out.rank = place_in(kMaintenanceOrder, word);
      if (word == "each" || word == "from") {
        take(4);
        return is(TokenKind::String) ? take(1) : void();
      }
      return take_until_brace_or(kMaintenanceOrder);
    }
    if (node_.is(NodeKind::Calendar)) {
      while (at_ < all_.size() && !is(TokenKind::String) && !is(TokenKind::CloseBrace)) {
        take(1);
      }
      take(is(TokenKind::String) ? 1 : 0);
      while (is_word("except")) {
        take(2);
      }
      return;
    }
    take(1);
  }

  NodeRef node_;
  std::span<const Element> all_;
  Block& block_;
  std::size_t at_ = 0, last_ = 0;
};

class Dumper {
 public:
  Dumper(const Tree& tree, bool canonical) : tree_(tree), canonical_(canonical) {}

  void node(NodeRef ref, std::string& out) {
    out += '(';
    out += kind_name(ref.kind());
    if (canonical_ && has_block(ref.kind())) {
      blocked(ref, out);
    } else {
      for (const Element& e : elements_of(ref)) {
        element(ref, e, out);
      }
    }
    out += ')';
  }

 private:
  void element(NodeRef parent, const Element& e, std::string& out) {
    if (e.is_node) {
      out += ' ';
      node({&tree_, e.index}, out);
      return;
    }
    const Token& token = tree_.tokens[e.index];
    const bool optional = token.kind == TokenKind::Comma &&
                          (parent.is(NodeKind::EventField) || parent.is(NodeKind::Column));
    if (!is_trivia(token.kind) && token.kind != TokenKind::End && !(canonical_ && optional)) {
      out += ' ';
      out += tree_.token_text(e.index);
    }
  }

  void blocked(NodeRef ref, std::string& out) {
    Block block = block_of(ref);
    std::stable_sort(block.parts.begin(), block.parts.end(),
                     [](const Part& a, const Part& b) { return a.rank < b.rank; });
    const std::span<const Element> all = elements_of(ref);
    bool inside = false;
    for (const Element& e : all) {
      const bool opens = !e.is_node && block.open && e.index == block.open.index;
      inside = inside && (e.is_node || !block.close || e.index != block.close.index);
      if (!inside) {
        element(ref, e, out);
      }
      if (opens) {
        inside = true;
        for (const Part& part : block.parts) {
          for (std::uint32_t i = part.first; i < part.last; ++i) {
            element(ref, all[i], out);
          }
        }
      }
    }
  }

  const Tree& tree_;
  bool canonical_;
};

}  // namespace

std::string_view kind_name(NodeKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Block block_of(NodeRef node) {
  Block block;
  if (node && has_block(node.kind())) {
    block.commas = node.is(NodeKind::Event) || node.is(NodeKind::Enum) ||
                   node.is(NodeKind::Table) || node.is(NodeKind::Object);
    Splitter(node, block).run();
    for (Part& part : block.parts) {
      if (block.commas && part.node && !part.comma && part.end.kind() == TokenKind::Comma) {
        part.comma = part.end;  // a column's separator is its own last token
      }
    }
  }
  return block;
}

std::string dump(const Tree& tree, bool canonical) {
  std::string out;
  Dumper(tree, canonical).node({&tree, tree.root}, out);
  return out;
}

}  // namespace belfry::rules
