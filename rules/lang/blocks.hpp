#pragma once
// The parts of a block (clauses of a rule, fields, steps, lines), whether the tree has a node for
// each or not, with the place each has in the canonical order. For fmt and for tree dumps.
#include <string>
#include <string_view>
#include <vector>

#include "syntax.hpp"

namespace belfry::rules {

std::string_view kind_name(NodeKind kind);

/// A part of a block: its elements in the parent, and the node when it is one.
struct Part {
  std::uint32_t first = 0, last = 0;  ///< elements of the parent, half open, no trivia around
  NodeRef node;
  TokenRef begin, end;  ///< its first and its last token; a column's separator is in it
  int rank = 0;         ///< place in the canonical order; equal ranks stay as written
  TokenRef comma;       ///< the optional separator behind it
};

struct Block {
  TokenRef open, close;  ///< false when the node has none
  std::vector<Part> parts;
  bool commas = false;  ///< parts are separated by commas
};

/// REQUIRES: the node is free of errors.
Block block_of(NodeRef node);

/// The tree as text, `(Rule rule r { (When when ...) })`. `canonical`: without optional commas, the
/// parts of blocks in canonical order, so that a file and its formatted form give the same.
std::string dump(const Tree& tree, bool canonical);

}  // namespace belfry::rules
