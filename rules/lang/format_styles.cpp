// Where spaces and line breaks may be, by the grammar.
#include <algorithm>
#include <array>

#include "blocks.hpp"
#include "layout.hpp"

namespace belfry::rules {

namespace {

/// How good a place for a line break is: 1 is the best. Inside brackets everything is worse.
enum Break : std::uint16_t {
  Clause = 1,
  Choice,  // if, else, or between patterns
  Both,    // and between patterns, or between conditions
  Each,    // and between conditions; `then`; what a comma lists
  Bound,   // within
  Item,    // behind a comma in brackets
  Default,
  Compare,
  Term,
};
constexpr std::uint16_t kPerBracket = 10;

/// Words that the parser takes for a new clause or declaration when they begin a line: no line is
/// broken before one that stands for a value.
constexpr std::array<std::string_view, 32> kBorders{
    "raise",   "clear",  "expire", "when",  "where",  "unless",   "settle",      "hold",
    "recover", "was",    "reopen", "limit", "mode",   "open",     "after",       "given",
    "use",     "event",  "enum",   "table", "graph",  "relation", "calendar",    "defaults",
    "measure", "signal", "rule",   "cause", "policy", "test",     "maintenance", "escalation"};

bool brackets(NodeKind kind) {
  return kind == NodeKind::Paren || kind == NodeKind::PatternParen || kind == NodeKind::Args ||
         kind == NodeKind::Subscript || kind == NodeKind::Object || kind == NodeKind::AggregateOf ||
         kind == NodeKind::Params;
}

class Styler {
 public:
  explicit Styler(Tokens& tokens) : tokens_(tokens) {}

  void node(NodeRef ref, std::uint16_t depth) {
    const Node& n = tokens_.tree.nodes[ref.index];
    depth = static_cast<std::uint16_t>(depth + (brackets(n.kind) ? kPerBracket : 0));
    for (std::uint32_t i = 0; i < n.count; ++i) {
      const Element& e = tokens_.tree.elements[n.first + i];
      if (e.is_node) {
        node({&tokens_.tree, e.index}, depth);
      } else if (!is_trivia(tokens_.tree.tokens[e.index].kind)) {
        const std::uint32_t at = tokens_.position[e.index];
        space(n.kind, at);
        may_break(n.kind, at, depth);
      }
    }
    const Block block = block_of(ref);
    if (block.commas) {
      commas(block, depth);
    }
  }

 private:
  TokenStyle& style(std::uint32_t at) {
    return tokens_.style[std::min<std::size_t>(at, tokens_.style.size() - 1)];
  }

  void space(NodeKind parent, std::uint32_t at) {
    const auto glue = [&](bool before, bool behind) {
      style(at).space = style(at).space && !before;
      style(at + 1).space = !behind && style(at + 1).space;
    };
    switch (tokens_.kind(at)) {
      case TokenKind::Comma:
      case TokenKind::Colon:
      case TokenKind::CloseParen:
      case TokenKind::CloseBracket:
      case TokenKind::Question:
        return glue(true, false);
      case TokenKind::Dot:
      case TokenKind::OpenBracket:
        return glue(true, true);
      case TokenKind::OpenParen:
        return glue(parent == NodeKind::Args || parent == NodeKind::Params ||
                        parent == NodeKind::Relation || parent == NodeKind::PatternAggregate,
                    true);
      case TokenKind::Less:
        return glue(parent == NodeKind::Type, parent == NodeKind::Type);
      case TokenKind::Greater:
        return glue(parent == NodeKind::Type, false);
      case TokenKind::Minus:
        return glue(parent == NodeKind::Calendar,
                    parent == NodeKind::Calendar || parent == NodeKind::Unary);
      case TokenKind::Plus:
        return glue(false, parent == NodeKind::TestStep || parent == NodeKind::Unary);
      case TokenKind::OpenBrace:
        return glue(false, tokens_.kind(at + 1) == TokenKind::CloseBrace);
      default:
        return;
    }
  }

  void may_break(NodeKind parent, std::uint32_t at, std::uint16_t depth) {
    if (tokens_.kind(at) == TokenKind::Comma) {
      const bool listed = parent == NodeKind::Source || parent == NodeKind::Keys ||
                          parent == NodeKind::OneBy || parent == NodeKind::Graph;
      if (parent != NodeKind::Calendar) {
        break_behind(at, static_cast<std::uint16_t>((listed ? Each : Item) + depth));
      }
      return;
    }
    const std::uint16_t kind = kind_of_break(parent, at);
    if (kind != 0) {
      style(at).breaks = static_cast<std::uint16_t>(kind + depth);
    }
  }

  /// Not before a word that would be read as a clause's first there.
  void break_behind(std::uint32_t at, std::uint16_t kind) {
    if (at + 1 < tokens_.index.size() &&
        std::find(kBorders.begin(), kBorders.end(), tokens_.text(at + 1)) == kBorders.end()) {
      style(at + 1).breaks = kind;
    }
  }

  std::uint16_t kind_of_break(NodeKind parent, std::uint32_t at) const {
    const std::string_view word = tokens_.text(at);
    switch (parent) {
      case NodeKind::When:
      case NodeKind::Feed:
        return word == "by" ? Each : word == "per" ? Clause : 0;
      case NodeKind::Source:
        return word == "where" || word == "with" ? Clause : 0;
      case NodeKind::Cause:
      case NodeKind::Maintenance:
      case NodeKind::Graph:
        return word == "where" || word == "of" ? Clause : 0;
      case NodeKind::Table:
      case NodeKind::Measure:
      case NodeKind::Relation:
        return word == "from" ? Clause : 0;
      case NodeKind::StepCondition:
        return word == "unless" || word == "if" || word == "during" ? Clause : 0;
      case NodeKind::Conditional:
      case NodeKind::PolicyLine:
        return word == "if" || word == "else" ? Choice : 0;
      case NodeKind::PatternOr:
        return Choice;
      case NodeKind::PatternAnd:
        return Both;
      case NodeKind::PatternThen:
        return word == "then" ? Each : word == "within" ? Bound : 0;
      case NodeKind::Within:
        return word == "within" ? Bound : 0;
      case NodeKind::Binary:
        return word == "or" ? Both : word == "and" ? Each : word == "??" ? Default : Term;
      case NodeKind::During:
        return Compare;
      default:
        return 0;
    }
  }

  /// One between any two parts, none behind the last.
  void commas(const Block& block, std::uint16_t depth) {
    for (std::size_t i = 0; i < block.parts.size(); ++i) {
      const Part& part = block.parts[i];
      const bool last = i + 1 == block.parts.size();
      if (part.comma && last) {
        style(tokens_.at(part.comma)).drop = true;
        style(tokens_.at(part.comma) + 1).breaks = 0;
      } else if (!part.comma && !last) {
        style(tokens_.at(part.end)).comma_after = true;
        break_behind(tokens_.at(part.end), static_cast<std::uint16_t>(Item + depth));
      }
    }
  }

  Tokens& tokens_;
};

}  // namespace

void set_styles(Tokens& tokens) { Styler(tokens).node({&tokens.tree, tokens.tree.root}, 0); }

}  // namespace belfry::rules
