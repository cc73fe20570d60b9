#include "belfry/model/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "belfry/model/oid.hpp"

namespace belfry {

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    return a.type == Type::Int && b.type == Type::Int ? a.i == b.i : a.number() == b.number();
  }
  if (a.type != b.type || a.is_none()) {
    return false;
  }
  switch (a.type) {
    case Type::Bool:
    case Type::Duration:
    case Type::Time:
      return a.i == b.i;
    case Type::Enum:
      return a.aux == b.aux && a.i == b.i;
    case Type::Row:
      return a.aux == b.aux && a.text == b.text;
    case Type::Set:
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end());
    default:
      return a.text == b.text;
  }
}

bool sorts_before(const Value& a, const Value& b) {
  if (a.type != b.type) {
    return a.type < b.type;
  }
  switch (a.type) {
    case Type::None:
      return false;
    case Type::Float:
      return a.f < b.f;
    case Type::Bool:
    case Type::Int:
    case Type::Duration:
    case Type::Time:
      return a.i < b.i;
    case Type::Enum:
      return a.aux != b.aux ? a.aux < b.aux : a.i < b.i;
    case Type::Row:
      return a.aux != b.aux ? a.aux < b.aux : a.text < b.text;
    case Type::Set:
      return std::lexicographical_compare(a.items().begin(), a.items().end(), b.items().begin(),
                                          b.items().end(), sorts_before);
    default:
      return a.text < b.text;
  }
}

int compare(const Value& a, const Value& b) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.is_number() && b.is_number()) {
    if (a.type == Type::Int && b.type == Type::Int) {
      return sign(a.i, b.i);
    }
    return std::isnan(a.number()) || std::isnan(b.number()) ? 2 : sign(a.number(), b.number());
  }
  if (a.type != b.type) {
    return 2;
  }
  switch (a.type) {
    case Type::None:
    case Type::Set:
      return 2;
    case Type::Bool:
    case Type::Duration:
    case Type::Time:
      return sign(a.i, b.i);
    case Type::Enum:
      return a.aux == b.aux ? sign(a.i, b.i) : 2;
    case Type::Row:
      return a.aux == b.aux ? sign(a.text, b.text) : 2;
    default:
      return sign(a.text, b.text);
  }
}

std::string to_text(const Value& v) {
  switch (v.type) {
    case Type::None:
      return "none";
    case Type::Bool:
      return v.i != 0 ? "true" : "false";
    case Type::Int:
      return fmt::format("{}", v.i);
    case Type::Float:
      return fmt::format("{:.6g}", v.f);
    case Type::Duration:
      return to_text(Duration(v.i));
    case Type::Time:
      return to_rfc3339(Instant{v.i});
    case Type::Oid:
      return oid_to_text(v.text);
    case Type::Row: {
      std::string out(v.text);
      for (std::size_t at = 0; (at = out.find('\x1f', at)) != std::string::npos; at += 2) {
        out.replace(at, 1, ", ");
      }
      return out;
    }
    case Type::Set: {
      std::string out;
      for (const Value& item : v.items()) {
        out += (out.empty() ? "" : ", ") + to_text(item);
      }
      return out;
    }
    default:
      return std::string(v.text);
  }
}

std::string key_text(std::span<const Value> key) {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) {
      out += ", ";
    }
    const std::string part = to_text(key[i]);
    for (const char c : part) {
      if (c == ',' || c == '\\') {
        out.push_back('\\');
      }
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace belfry
