#pragma once
// Value: what Bell computes with. It owns nothing: `text` points into a batch's arena, a program,
// an inventory or the fold's own table of strings; who keeps a Value keeps that owner alive.
//
// Equality and order are those of the language (LANGUAGE 5): Int and Float compare as numbers,
// everything else only with its own type; None equals nothing and is less than nothing.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "belfry/base/time.hpp"

namespace belfry {

enum class Type : std::uint8_t {
  None,      ///< missing
  Bool,      ///< i is 0 or 1
  Int,       ///< i
  Float,     ///< f
  String,    ///< text
  Duration,  ///< i, nanoseconds
  Time,      ///< i, nanoseconds since the epoch
  Enum,      ///< i = position (low to high), text = the word, aux = index of the enum in the schema
  Ip,        ///< text: canonical (dotted quad; RFC 5952 for IPv6)
  Cidr,      ///< text: canonical `address/length`
  Oid,       ///< text: BER content octets (see oid.hpp): prefix of bytes = prefix of the OID
  Mac,       ///< text: `aa:bb:cc:dd:ee:ff`
  Row,  ///< text: the row's key text; aux = index of the table in the schema. It may be unknown
  Set,  ///< items: sorted, without doubles
};

struct Value;
struct ValueSet {
  std::span<const Value> items;
};

struct Value {
  Type type = Type::None;
  std::uint32_t aux = 0;
  union {
    std::int64_t i = 0;
    double f;
    const ValueSet* set;
  };
  std::string_view text;

  bool is_none() const { return type == Type::None; }
  bool is_number() const { return type == Type::Int || type == Type::Float; }
  bool truth() const { return type == Type::Bool && i != 0; }
  double number() const { return type == Type::Float ? f : static_cast<double>(i); }
  std::span<const Value> items() const {
    return type == Type::Set ? set->items : std::span<const Value>{};
  }

  static Value none() { return {}; }
  static Value boolean(bool b) { return make(Type::Bool, b ? 1 : 0); }
  static Value integer(std::int64_t n) { return make(Type::Int, n); }
  static Value real(double d) {
    Value v;
    v.type = Type::Float;
    v.f = d;
    return v;
  }
  static Value string(std::string_view s) { return make(Type::String, 0, s); }
  static Value duration(Duration d) { return make(Type::Duration, d.count()); }
  static Value time(Instant at) { return make(Type::Time, at.ns); }
  static Value enumerator(std::uint32_t of, std::int64_t position, std::string_view word) {
    Value v = make(Type::Enum, position, word);
    v.aux = of;
    return v;
  }
  static Value row(std::uint32_t table, std::string_view key) {
    Value v = make(Type::Row, 0, key);
    v.aux = table;
    return v;
  }
  static Value of_text(Type type, std::string_view s) { return make(type, 0, s); }

 private:
  static Value make(Type type, std::int64_t n, std::string_view s = {}) {
    Value v;
    v.type = type;
    v.i = n;
    v.text = s;
    return v;
  }
};

bool operator==(const Value& a, const Value& b);
/// Total order for sorting and sets: by type, then by content. Not the language's `<` (compare()).
bool sorts_before(const Value& a, const Value& b);
/// The language's comparison: -1, 0, 1, or 2 when the two cannot be compared (None, other types).
int compare(const Value& a, const Value& b);
/// As titles and `--json` show it: `5`, `2m 3s`, `10.0.0.2`, `1.3.6.1`, `a, b`.
std::string to_text(const Value& v);
/// The parts of a key as one text, unique and ordered: parts joined by `, `; a part that contains
/// `,` or `\` has them escaped by `\`. Decides order wherever the semantics say "key text".
std::string key_text(std::span<const Value> key);

}  // namespace belfry
