#include "syntax.hpp"

namespace belfry::rules {

Mark TokenRef::mark() const {
  if (tree == nullptr) {
    return {};
  }
  const Token& token = tree->tokens[index];
  return {tree->file, token.offset, token.length};
}

namespace {

std::span<const Element> elements(const NodeRef& node) {
  if (node.tree == nullptr) {
    return {};
  }
  const Node& n = node.tree->nodes[node.index];
  return std::span(node.tree->elements).subspan(n.first, n.count);
}

bool is_own_token(const Tree& tree, const Element& e) {
  return !e.is_node && !is_trivia(tree.tokens[e.index].kind);
}

}  // namespace

std::vector<NodeRef> NodeRef::children() const {
  std::vector<NodeRef> out;
  for (const Element& e : elements(*this)) {
    if (e.is_node) {
      out.push_back({tree, e.index});
    }
  }
  return out;
}

std::vector<NodeRef> NodeRef::children(NodeKind wanted) const {
  std::vector<NodeRef> out;
  for (const Element& e : elements(*this)) {
    if (e.is_node && tree->nodes[e.index].kind == wanted) {
      out.push_back({tree, e.index});
    }
  }
  return out;
}

NodeRef NodeRef::child(std::size_t n) const {
  for (const Element& e : elements(*this)) {
    if (e.is_node && n-- == 0) {
      return {tree, e.index};
    }
  }
  return {};
}

NodeRef NodeRef::child(NodeKind wanted) const {
  for (const Element& e : elements(*this)) {
    if (e.is_node && tree->nodes[e.index].kind == wanted) {
      return {tree, e.index};
    }
  }
  return {};
}

std::vector<TokenRef> NodeRef::tokens() const {
  std::vector<TokenRef> out;
  for (const Element& e : elements(*this)) {
    if (is_own_token(*tree, e)) {
      out.push_back({tree, e.index});
    }
  }
  return out;
}

TokenRef NodeRef::token(std::size_t n) const {
  for (const Element& e : elements(*this)) {
    if (is_own_token(*tree, e) && n-- == 0) {
      return {tree, e.index};
    }
  }
  return {};
}

TokenRef NodeRef::token(TokenKind wanted, std::size_t n) const {
  for (const Element& e : elements(*this)) {
    if (!e.is_node && tree->tokens[e.index].kind == wanted && n-- == 0) {
      return {tree, e.index};
    }
  }
  return {};
}

bool NodeRef::has_word(std::string_view word) const {
  for (const Element& e : elements(*this)) {
    if (!e.is_node && tree->tokens[e.index].kind == TokenKind::Word &&
        tree->token_text(e.index) == word) {
      return true;
    }
  }
  return false;
}

bool NodeRef::broken() const {
  if (kind() == NodeKind::Error) {
    return true;
  }
  for (const Element& e : elements(*this)) {
    if (e.is_node && NodeRef{tree, e.index}.broken()) {
      return true;
    }
  }
  return false;
}

TokenRef NodeRef::first() const {
  for (const Element& e : elements(*this)) {
    if (e.is_node) {
      if (const TokenRef inner = NodeRef{tree, e.index}.first()) {
        return inner;
      }
    } else if (!is_trivia(tree->tokens[e.index].kind)) {
      return {tree, e.index};
    }
  }
  return {};
}

TokenRef NodeRef::last() const {
  const std::span<const Element> all = elements(*this);
  for (auto e = all.rbegin(); e != all.rend(); ++e) {
    if (e->is_node) {
      if (const TokenRef inner = NodeRef{tree, e->index}.last()) {
        return inner;
      }
    } else if (!is_trivia(tree->tokens[e->index].kind)) {
      return {tree, e->index};
    }
  }
  return {};
}

Mark NodeRef::mark() const {
  const TokenRef a = first(), b = last();
  if (!a || !b) {
    return {tree == nullptr ? kNone : tree->file, 0, 1};
  }
  Mark mark = a.mark();
  const Mark end = b.mark();
  mark.length = end.offset + end.length - mark.offset;
  return mark;
}

std::string_view NodeRef::text() const {
  const Mark m = mark();
  return first() ? tree->text.substr(m.offset, m.length) : std::string_view{};
}

}  // namespace belfry::rules
