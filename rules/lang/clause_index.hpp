#pragma once
// ClauseIndex: how the lines of a program are found from an event. Built once per program, shared
// by its matchers. Three steps, each only for what passed before:
//
//   event type, then OID | tag | equal head | literal anchor | regular expression  -> groups
//   a group = all lines with one head: its template is matched once, its holes are bound once
//   in a group, lines that ask `x == constant` are found by the hash of x (filters); the rest is
//   tried
//
// So many lines behind one head cost what one costs. Private to rules. Thread: immutable.
#include <absl/container/flat_hash_map.h>
#include <hs/hs.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/rules/program.hpp"
#include "regex.hpp"
#include "residual.hpp"

namespace belfry::rules {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return absl::Hash<std::string_view>{}(s); }
};
using Groups = std::vector<Index>;
using ByText = absl::flat_hash_map<std::string, Groups, TextHash, std::equal_to<>>;

/// Clauses of a group by the value of one expression.
struct Filter {
  std::uint32_t value = 0;  ///< in Residuals
  absl::flat_hash_map<std::uint64_t, std::vector<Index>> clauses;
};

enum class HeadKind : std::uint8_t { Equal, Template, Regex };  ///< Equal: dispatch was enough

struct Group {
  HeadKind kind = HeadKind::Equal;
  Index shape = kNone;       ///< a clause with its template, holes and expression
  std::vector<Index> plain;  ///< tried each time
  std::vector<Filter> filters;
  std::unique_ptr<Regex> regex;
};

/// Groups of one event type by how they are found.
struct TypeIndex {
  ByText by_oid, by_tag, by_head;
  Groups any;                        ///< no head: every event of the type
  Groups unanchored;                 ///< templates without a usable anchor: tried on each text
  std::vector<Groups> by_anchor;     ///< anchor id -> groups
  hs_database_t* anchors = nullptr;  ///< literals of templates, then atoms of expressions
  EventField head = EventField::Msg;
  std::string head_attr;
  RegexFilter regexes;
  ~TypeIndex() { hs_free_database(anchors); }
  TypeIndex() = default;
  TypeIndex(const TypeIndex&) = delete;
  TypeIndex& operator=(const TypeIndex&) = delete;
};

/// What a clause needs behind its head; kNone: nothing.
struct ClauseCode {
  std::uint32_t where = kNone, value = kNone;
  std::vector<std::uint32_t> key;
};

struct ClauseIndex {
  explicit ClauseIndex(const Program& program);

  std::map<std::string, TypeIndex, std::less<>> types;
  std::vector<Group> groups;
  Residuals residuals;
  std::vector<ClauseCode> code;     ///< by clause
  std::vector<Index> ifname_param;  ///< by signal: parameter called `ifname`, or kNone
};

/// Equal values (as `==` has it) have equal hashes; of what equals nothing: 0.
std::uint64_t filter_hash(const Value& v);

}  // namespace belfry::rules
