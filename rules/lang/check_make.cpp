// Building blocks of the checker: expressions, kept texts, types and their names.
#include <arpa/inet.h>

#include <algorithm>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

std::optional<std::string> canonical_ip(std::string_view text) {
  const std::string copy(text);
  in_addr v4{};
  in6_addr v6{};
  char out[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    return inet_ntop(AF_INET, &v4, out, sizeof out) == nullptr ? std::nullopt
                                                               : std::optional<std::string>(out);
  }
  if (copy.find('\0') == std::string::npos && inet_pton(AF_INET6, copy.c_str(), &v6) == 1) {
    return inet_ntop(AF_INET6, &v6, out, sizeof out) == nullptr ? std::nullopt
                                                                : std::optional<std::string>(out);
  }
  return std::nullopt;
}

void clear_host_bits(unsigned char* bytes, std::size_t size, std::int64_t length) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t left = length - static_cast<std::int64_t>(i) * 8;
    const unsigned keep = left >= 8 ? 0xFF : left <= 0 ? 0 : (0xFF00U >> left) & 0xFFU;
    bytes[i] = static_cast<unsigned char>(bytes[i] & keep);
  }
}

std::optional<std::string> canonical_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto length =
      slash == std::string_view::npos ? std::nullopt : parse_int(text.substr(slash + 1));
  if (!length || *length < 0) {
    return std::nullopt;
  }
  const std::string address(text.substr(0, slash));
  const bool v6 = address.find(':') != std::string::npos;
  unsigned char bytes[16] = {};
  char out[INET6_ADDRSTRLEN];
  const int family = v6 ? AF_INET6 : AF_INET;
  if (*length > (v6 ? 128 : 32) || inet_pton(family, address.c_str(), bytes) != 1) {
    return std::nullopt;
  }
  clear_host_bits(bytes, v6 ? 16 : 4, *length);
  if (inet_ntop(family, bytes, out, sizeof out) == nullptr) {
    return std::nullopt;
  }
  return fmt::format("{}/{}", out, *length);
}

std::optional<std::string> canonical_mac(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 6) {
    return std::nullopt;
  }
  const std::string hex = to_hex(*bytes);
  std::string out;
  for (std::size_t i = 0; i < 12; i += 2) {
    out += (i == 0 ? "" : ":") + hex.substr(i, 2);
  }
  return out;
}

std::optional<Instant> time_of(std::string_view text) {
  std::string full(text);
  if (full.size() >= 16 && (full.size() == 16 || full[16] != ':')) {
    full.insert(16, ":00");
  }
  if (full.size() >= 19 && full.find_first_of("Z+", 11) == std::string::npos &&
      full.find('-', 11) == std::string::npos) {
    full += "Z";
  }
  return parse_rfc3339(full);
}

constexpr std::string_view kTypeNames[]{"none",     "bool", "int",  "float", "string",
                                        "duration", "time", "enum", "ip",    "cidr",
                                        "oid",      "mac",  "row",  "set"};

}  // namespace

Expr* Checker::make(ExprKind kind, Ty ty, NodeRef node) {
  Expr& e = program_->exprs.emplace_back();
  e.kind = kind;
  e.type = ty.type;
  e.item_type = ty.item;
  e.of = ty.of;
  e.place = place(node);
  return &e;
}

Expr* Checker::make(ExprKind kind, Ty ty, TokenRef token) {
  Expr* e = make(kind, ty, NodeRef{});
  e->place = report_.place(token.mark());
  return e;
}

const Expr* Checker::constant(Value value, Ty ty, NodeRef node) {
  Expr* e = make(ExprKind::Const, ty, node);
  e->value = value;
  return e;
}

std::string_view Checker::keep(std::string_view text) {
  const auto found = texts_.find(text);
  if (found != texts_.end()) {
    return program_->texts[found->second];
  }
  const std::string& kept = program_->texts.emplace_back(text);
  texts_.emplace(kept, static_cast<Index>(program_->texts.size() - 1));
  return kept;
}

const ValueSet* Checker::keep_set(std::vector<Value> items) {
  std::sort(items.begin(), items.end(), sorts_before);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  program_->set_items.push_back(std::move(items));
  return &program_->sets.emplace_back(ValueSet{program_->set_items.back()});
}

Place Checker::place(NodeRef node) const { return node ? report_.place(node.mark()) : Place{}; }

std::string Checker::type_name(const Ty& ty) const {
  const auto one = [this](Type type, Index of) {
    if (type == Type::Row && of < schema_->tables.size()) {
      return schema_->tables[of].name;
    }
    if (type == Type::Enum && of < schema_->enums.size()) {
      return schema_->enums[of].name;
    }
    return std::string(kTypeNames[static_cast<std::size_t>(type)]);
  };
  return ty.type == Type::Set ? fmt::format("set<{}>", one(ty.item, ty.of)) : one(ty.type, ty.of);
}

std::string Checker::value_name(const Expr* e) const {
  return e->kind == ExprKind::Const && e->type != Type::None
             ? fmt::format("{} '{}'", type_name(ty_of(e)), to_text(e->value))
             : type_name(ty_of(e));
}

Ty Checker::ty_of(const Expr* e) const {
  Ty ty;
  ty.type = e->type;
  ty.item = e->item_type;
  ty.of = e->of;
  return ty;
}

Ty Checker::ty_of(const Param& p) const {
  Ty ty;
  ty.type = p.type;
  ty.of = p.of;
  ty.ok = p.type != Type::None;
  return ty;
}

Ty Checker::ty_of(const ColumnSchema& c) const {
  Ty ty;
  ty.type = c.is_set ? Type::Set : c.type;
  ty.item = c.is_set ? c.type : Type::None;
  ty.of = c.of;
  ty.optional = c.optional;
  return ty;
}

bool Checker::assignable(const Ty& from, const Ty& to) const {
  return !from.known() || !to.known() || from.same(to) ||
         (from.type == Type::Int && to.type == Type::Float);
}

const Expr* Checker::enumerator(Index of, std::string_view word, NodeRef node) {
  const std::vector<std::string>& words = schema_->enums[of].words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) {
      Ty ty;
      ty.type = Type::Enum;
      ty.of = of;
      return constant(Value::enumerator(of, static_cast<std::int64_t>(i), keep(word)), ty, node);
    }
  }
  return nullptr;
}

std::optional<Value> Checker::text_as(std::string_view text, const Ty& want) {
  std::optional<std::string> canonical;
  switch (want.type) {
    case Type::String:
      return Value::string(keep(text));
    case Type::Ip:
      canonical = canonical_ip(text);
      break;
    case Type::Cidr:
      canonical = canonical_cidr(text);
      break;
    case Type::Mac:
      canonical = canonical_mac(text);
      break;
    case Type::Oid:
      canonical = oid_from_text(text);
      break;
    case Type::Row:
      return Value::row(want.of, keep(text));
    case Type::Time: {
      const auto at = time_of(text);
      return at ? std::optional(Value::time(*at)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
  return canonical ? std::optional(Value::of_text(want.type, keep(*canonical))) : std::nullopt;
}

std::vector<std::string_view> Checker::names_of(const Names& names) const {
  std::vector<std::string_view> out;
  if (report_.full()) {
    return out;
  }
  out.reserve(names.size());
  for (const auto& [name, index] : names) {
    out.push_back(name);
  }
  std::sort(out.begin(), out.end());  // the nearest name must not depend on the hash
  return out;
}

void Checker::error(NodeRef node, std::string_view code, std::string message, std::string label) {
  report_.error(node.mark(), code, std::move(message), std::move(label));
}

void Checker::error(TokenRef token, std::string_view code, std::string message, std::string label) {
  report_.error(token.mark(), code, std::move(message), std::move(label));
}

void Checker::unavailable(NodeRef node, std::string_view code, std::string_view what) {
  report_.error(node.first().mark(), code, fmt::format("{} not available in this version", what),
                "it is read and understood, but nothing runs it yet");
}

}  // namespace belfry::rules
