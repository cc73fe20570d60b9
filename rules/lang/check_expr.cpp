// Expressions: names, literals, operators. Every function gives nullptr after telling (or because
// the parser has told), and a nullptr operand stays silent.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "checker.hpp"
#include "parser.hpp"

namespace belfry::rules {

namespace {

Ty simple(Type type, Index of = kNone) {
  Ty ty;
  ty.type = type;
  ty.of = of;
  return ty;
}

bool numeric(const Expr* e) { return e->type == Type::Int || e->type == Type::Float; }

/// Read as whatever the context asks: the type of a varbind is known only on the wire.
bool untyped(const Expr* e) {
  return e->kind == ExprKind::Varbind || (e->kind == ExprKind::Field && e->index == kUntypedField);
}

/// What a text must spell where one is compared with it: checked when rules compile.
bool spelt(Type type) {
  return type == Type::Ip || type == Type::Cidr || type == Type::Oid || type == Type::Time ||
         type == Type::Mac;
}

/// The same of `var.a ?? var.b`.
bool flexible(const Expr* e) {
  return untyped(e) ||
         (e->kind == ExprKind::Coalesce && flexible(e->args[0]) && flexible(e->args[1]));
}

bool compares(TokenKind kind) {
  return kind >= TokenKind::Equal && kind <= TokenKind::GreaterEqual;
}

}  // namespace

const ScopeVar* Checker::find_var(const Scope& scope, std::string_view name) const {
  for (const ScopeVar& var : scope.vars) {
    if (var.name == name) {
      return &var;
    }
  }
  return nullptr;
}

const Expr* Checker::expr(NodeRef node, const Scope& scope, Ty want) {
  const Expr* e = raw_expr(node, scope, want);
  return e == nullptr ? nullptr : coerce(e, want, node);
}

const Expr* Checker::condition(NodeRef node, const Scope& scope) {
  const Expr* e = raw_expr(node, scope, simple(Type::Bool));
  if (e != nullptr && e->type != Type::Bool && !untyped(e)) {
    error(node, "B0305", fmt::format("a condition is true or false, found {}", value_name(e)),
          "compare it: ==, !=, <, >=, in, is none");
    return nullptr;
  }
  return e == nullptr ? nullptr : coerce(e, simple(Type::Bool), node);
}

const Expr* Checker::coerce(const Expr* e, Ty want, NodeRef node) {
  const Ty have = ty_of(e);
  if (!want.known() || have.same(want)) {
    return e;
  }
  if (untyped(e)) {
    Expr* typed = make(e->kind, want, node);
    const Place at = typed->place;
    *typed = *e;
    typed->type = want.type;
    typed->item_type = want.item;
    typed->of = want.of;
    typed->place = at;
    return typed;
  }
  if (e->kind == ExprKind::Const) {
    if (e->type == Type::None) {
      return e;
    }
    if (e->type == Type::Int && want.type == Type::Float) {
      return constant(Value::real(e->value.number()), want, node);
    }
    if (e->type == Type::String || (e->type == Type::Ip && want.type == Type::Oid)) {
      if (const auto value = text_as(e->value.text, want)) {
        return constant(*value, want, node);
      }
      if (want.type == Type::Ip || want.type == Type::Cidr || want.type == Type::Oid ||
          want.type == Type::Time || want.type == Type::Mac) {
        error(node, "B0303", fmt::format("'{}' is no {}", to_text(e->value), type_name(want)));
        return nullptr;
      }
    }
  }
  if (assignable(have, want)) {
    return e;
  }
  std::string help;
  if (have.type == Type::Row && want.type == Type::String && have.of < schema_->tables.size()) {
    const TableSchema& table = schema_->tables[have.of];
    help = table.key.empty() ? ""
                             : fmt::format("{}.{}", node.text(), table.columns[table.key[0]].name);
  } else if (want.type == Type::Enum && want.of < schema_->enums.size()) {
    const std::vector<std::string>& words = schema_->enums[want.of].words;
    help = join_or(std::vector<std::string_view>(words.begin(), words.end()));
  } else if (want.type == Type::String) {
    help = fmt::format("as text: \"{{{}}}\"", node.text());
  }
  error(node, "B0300", fmt::format("expected {}, found {}", type_name(want), value_name(e)), help);
  return nullptr;
}

const Expr* Checker::raw_expr(NodeRef node, const Scope& scope, Ty want) {
  switch (node.kind()) {
    case NodeKind::Literal:
      return literal(node, scope, want);
    case NodeKind::Name:
      return name(node, scope, want);
    case NodeKind::Paren:
      return raw_expr(node.child(std::size_t{0}), scope, want);
    case NodeKind::Object:
      return set_of(node, scope, want);
    case NodeKind::Field:
      return field(node, scope, want);
    case NodeKind::Subscript:
      return subscript(node, scope, want);
    case NodeKind::Call:
      return call(node, scope, want);
    case NodeKind::Unary:
      return unary(node, scope, want);
    case NodeKind::Binary:
      return binary(node, scope, want);
    case NodeKind::Conditional:
      return conditional(node, scope, want);
    case NodeKind::Is: {
      const Expr* e = raw_expr(node.child(std::size_t{0}), scope, {});
      if (e == nullptr || (!node.has_word("none") && !node.has_word("some"))) {
        return nullptr;
      }
      const bool none = node.has_word("none") != node.has_word("not");
      Expr* out = make(none ? ExprKind::IsNone : ExprKind::IsSome, simple(Type::Bool), node);
      out->args = {e};
      return out;
    }
    case NodeKind::During:
      return during(node, scope);
    default:
      return nullptr;
  }
}

const Expr* Checker::literal(NodeRef node, const Scope& scope, Ty want) {
  const TokenRef token = node.token(std::size_t{0});
  const std::string_view text = token.text();
  if (unit_ && (token.kind() == TokenKind::Percent || token.kind() == TokenKind::Duration)) {
    return literal_in_unit(node, token);
  }
  switch (token.kind()) {
    case TokenKind::String:
      return text_literal(node, scope, want);
    case TokenKind::Number:
      if (const auto n = parse_int(text)) {
        return constant(Value::integer(*n), simple(Type::Int), node);
      }
      if (const auto d = parse_float(text)) {
        return constant(Value::real(*d), simple(Type::Float), node);
      }
      error(token, "B0302", fmt::format("'{}' is too large a number", printable(text, 40)));
      return nullptr;
    case TokenKind::Percent: {
      const auto n = parse_float(text.substr(0, text.size() - 1));
      return constant(Value::real(n.value_or(0) / 100), simple(Type::Float), node);
    }
    case TokenKind::Duration:
      return constant(Value::duration(*parse_duration(text)), simple(Type::Duration), node);
    case TokenKind::Ip:
    case TokenKind::Cidr:
    case TokenKind::Time:
    case TokenKind::Oid: {
      const Type type = token.kind() == TokenKind::Ip     ? Type::Ip
                        : token.kind() == TokenKind::Cidr ? Type::Cidr
                        : token.kind() == TokenKind::Time ? Type::Time
                                                          : Type::Oid;
      if (const auto value = text_as(text, simple(type))) {
        return constant(*value, simple(type), node);
      }
      error(token, "B0303", fmt::format("'{}' is no {}", text, type_name(simple(type))));
      return nullptr;
    }
    case TokenKind::MibName: {
      const std::size_t colons = text.find("::");
      if (const auto oid = mibs_.oid(text.substr(0, colons), text.substr(colons + 2))) {
        return constant(Value::of_text(Type::Oid, keep(*oid)), simple(Type::Oid), node);
      }
      const std::vector<std::string_view> names = mibs_.names(text.substr(0, colons));
      if (report_.first_time("mib", text)) {
        error(token, "B0207", fmt::format("no MIB name '{}' is known", text),
              did_you_mean(text.substr(colons + 2), names,
                           "write its number, e.g. 1.3.6.1.4.1.9.9.41.2.0.1"));
      }
      return nullptr;
    }
    default:
      error(token, "B0300", fmt::format("'{}' cannot stand here", printable(text, 40)));
      return nullptr;
  }
}

const Expr* Checker::text_literal(NodeRef node, const Scope& scope, Ty want) {
  const TokenRef token = node.token(std::size_t{0});
  const Mark mark = token.mark();
  const auto pieces = split_string(node.tree->text, mark.offset, mark.offset + mark.length);
  const bool holes =
      std::any_of(pieces.begin(), pieces.end(), [](const StringPiece& p) { return p.hole; });
  if (holes) {
    return interpolation(node, scope);
  }
  const std::string text = pieces.empty() ? std::string() : pieces.front().literal;
  (void)want;  // coerce() turns it into an address, a time, a row where one is expected
  return constant(Value::string(keep(text)), simple(Type::String), node);
}

const Expr* Checker::interpolation(NodeRef node, const Scope& scope) {
  const Mark mark = node.token(std::size_t{0}).mark();
  Expr* out = make(ExprKind::Interpolate, simple(Type::String), node);
  Scope inner = scope;
  inner.texts = true;
  std::string literal;
  bool ok = true;
  for (const StringPiece& piece :
       split_string(node.tree->text, mark.offset, mark.offset + mark.length)) {
    if (!piece.hole) {
      literal += piece.literal;
      continue;
    }
    const Tree& tree = holes_.emplace_back(
        parse_hole(node.tree->text, piece.begin, piece.end, node.tree->file, report_));
    const Expr* e = raw_expr(NodeRef{&tree, tree.root}.child(std::size_t{0}), inner, {});
    ok = ok && e != nullptr;
    out->texts.push_back(keep(literal));
    literal.clear();
    out->args.push_back(e);
  }
  out->texts.push_back(keep(literal));
  return ok ? out : nullptr;
}

const Expr* Checker::name(NodeRef node, const Scope& scope, Ty want) {
  const std::string_view word = node.token(std::size_t{0}).text();
  if (word == "true" || word == "false") {
    return constant(Value::boolean(word == "true"), simple(Type::Bool), node);
  }
  for (const Alias& alias : scope.aliases) {
    if (alias.name == word) {
      return alias.expr;
    }
  }
  if (const ScopeVar* var = find_var(scope, word)) {
    if (!var->ty.ok) {
      return nullptr;
    }
    Expr* e = make(ExprKind::Var, var->ty, node);
    e->index = var->index;
    e->name = keep(word);
    return e;
  }
  if (want.type == Type::Enum && want.of < schema_->enums.size()) {
    if (const Expr* e = enumerator(want.of, word, node)) {
      return e;
    }
  }
  if (word == "none") {
    return constant(Value::none(), {}, node);
  }
  if (scope.event != nullptr) {
    const auto same = [&](const EventType::Field& f) { return f.name == word; };
    if (std::any_of(scope.event->fields.begin(), scope.event->fields.end(), same)) {
      return event_field(node, scope, word);
    }
  }
  if (scope.open != nullptr) {
    for (const NodeRef& open : *scope.open) {
      if (open.token(std::size_t{0}).text() == word) {
        return open_field_name(node, scope, word);
      }
    }
  }
  if (scope.rule != nullptr) {
    const std::size_t before = report_.errors();
    const Expr* e = measured_name(node, scope, word);
    if (e != nullptr || report_.errors() > before) {
      return e;
    }
  }
  return unknown_name(node, scope, want);
}

const Expr* Checker::unknown_name(NodeRef node, const Scope& scope, Ty want) {
  const TokenRef token = node.token(std::size_t{0});
  const std::string_view word = token.text();
  const auto words = enum_words_.find(word);
  if (words != enum_words_.end() && words->second.size() == 1 && want.type != Type::Enum) {
    return enumerator(words->second.front(), word, node);
  }
  if (const auto signal = signals_.find(word); signal != signals_.end()) {
    return active(node, scope, signal->second, {});
  }
  if (word == "usual") {
    unavailable(node, "B0905", "'usual' is");
    return nullptr;
  }
  if (want.type == Type::Enum && want.of < schema_->enums.size()) {
    const EnumSchema& e = schema_->enums[want.of];
    const std::vector<std::string_view> all(e.words.begin(), e.words.end());
    error(token, "B0211", fmt::format("'{}' is no word of the enum {}", word, e.name),
          did_you_mean(word, all, join_or(all)));
    return nullptr;
  }
  std::vector<std::string_view> near;
  for (const ScopeVar& var : scope.vars) {
    near.push_back(var.name);
  }
  for (const Alias& alias : scope.aliases) {
    near.push_back(alias.name);
  }
  if (scope.event != nullptr) {
    for (const EventType::Field& field : scope.event->fields) {
      near.push_back(field.name);
    }
  }
  if (scope.rule != nullptr) {
    near.insert(near.end(), {"count", "distinct", "share", "flaps", "value", "rate", "eta", "first",
                             "last", "silence", "affected", "symptoms", "customers"});
  }
  for (const auto& [enum_word, enums] : enum_words_) {
    if (report_.full()) {
      break;
    }
    near.push_back(enum_word);
  }
  std::sort(near.begin(), near.end());
  std::string known;
  for (const ScopeVar& var : scope.vars) {
    known += (known.empty() ? "" : ", ") + std::string(var.name);
  }
  error(token, "B0202", fmt::format("'{}' is not known {}", word, scope.place),
        did_you_mean(word, near, known.empty() ? "" : fmt::format("known are: {}", known)));
  return nullptr;
}

const Expr* Checker::measured_name(NodeRef node, const Scope& scope, std::string_view word) {
  struct Entry {
    std::string_view name;
    Measured measured;
    Type type;
  };
  static constexpr std::array<Entry, 13> kEntries{{{"count", Measured::Count, Type::Int},
                                                   {"value", Measured::Value, Type::Float},
                                                   {"rate", Measured::Rate, Type::Float},
                                                   {"eta", Measured::Eta, Type::Duration},
                                                   {"distinct", Measured::Distinct, Type::Int},
                                                   {"share", Measured::Share, Type::Float},
                                                   {"flaps", Measured::Flaps, Type::Int},
                                                   {"first", Measured::First, Type::Time},
                                                   {"last", Measured::Last, Type::Time},
                                                   {"silence", Measured::Silence, Type::Duration},
                                                   {"affected", Measured::Affected, Type::Set},
                                                   {"symptoms", Measured::SymptomCount, Type::Int},
                                                   {"customers", Measured::Customers, Type::Set}}};
  for (const NamedAggregate& named : scope.rule->aggregates) {
    if (named.name == word) {
      Type type = Type::Int;
      for (const Entry& entry : kEntries) {
        type = entry.measured == named.measured ? entry.type : type;
      }
      Expr* e = make(ExprKind::Measured, simple(type), node);
      e->measured = named.measured;
      e->index = named.index;
      e->name = keep(word);
      return e;
    }
  }
  for (const Entry& entry : kEntries) {
    if (entry.name != word) {
      continue;
    }
    const RuleState& state = *scope.rule;
    const Index index = entry.measured == Measured::Value  ? state.value_index
                        : entry.measured == Measured::Rate ? state.rate_index
                        : entry.measured == Measured::Eta  ? state.eta_index
                                                           : 0;
    const bool absent = (entry.measured == Measured::Distinct && state.distincts == 0) ||
                        (entry.measured == Measured::Share && state.shares == 0) || index == kNone;
    if (absent) {
      error(node, "B0202", fmt::format("nothing in this rule measures '{}'", word),
            entry.measured == Measured::Value ? std::string("its pattern has no measure: avg(m)")
                                              : fmt::format("its pattern has no {}(...)", word));
      return nullptr;
    }
    Ty ty = simple(entry.type);
    if (entry.measured == Measured::Affected) {
      ty.item = scope.rule->affected.known() ? scope.rule->affected.type : Type::String;
      ty.of = scope.rule->affected.of;
    } else if (entry.measured == Measured::Customers) {
      ty.item = program_->customer_table == kNone ? Type::String : Type::Row;
      ty.of = program_->customer_table;
    }
    Expr* e = make(ExprKind::Measured, ty, node);
    e->measured = entry.measured;
    e->index = index;
    e->name = keep(word);
    return e;
  }
  return nullptr;
}

const Expr* Checker::open_field_name(NodeRef node, const Scope& scope, std::string_view word) {
  for (const NodeRef& open : *scope.open) {
    if (open.token(std::size_t{0}).text() != word) {
      continue;
    }
    for (const NodeRef& running : open_running_) {
      if (running.tree == open.tree && running.index == open.index) {
        error(node, "B0217", fmt::format("the field '{}' is made of itself", word));
        return nullptr;
      }
    }
    Scope inner = scope;
    inner.texts = false;
    return open_value(open, inner);
  }
  return nullptr;
}

const Expr* Checker::event_field(NodeRef node, const Scope& scope, std::string_view word) {
  const auto found = std::find_if(scope.event->fields.begin(), scope.event->fields.end(),
                                  [&](const EventType::Field& f) { return f.name == word; });
  if (found->type == Type::None) {  // an open map: var, label
    error(node, "B0300", fmt::format("'{}' is a map of many values", word),
          fmt::format("name one of them: {}.NAME", word));
    return nullptr;
  }
  Ty ty = simple(found->type, found->of);
  ty.optional = found->optional;
  Expr* e = make(ExprKind::Field, ty, node);
  e->field = found->field;
  e->name = keep(word);
  return e;
}

const Expr* Checker::active(NodeRef node, const Scope& scope, Index signal, NodeRef args) {
  const std::vector<Param>* params = params_of(signal, node);
  if (params == nullptr || is_measure(node, signal)) {
    return nullptr;
  }
  const std::string_view name = program_->signals[signal].name;
  if (scope.event != nullptr) {
    error(node, "B0218",
          fmt::format("'{}' is a state: a line that reads events cannot ask it", name),
          "ask it in a rule");
    return nullptr;
  }
  Expr* out = make(ExprKind::Active, simple(Type::Bool), node);
  out->index = signal;
  const std::vector<NodeRef> given = args ? args.children(NodeKind::Arg) : std::vector<NodeRef>{};
  if (args && given.size() != params->size()) {
    error(node.child(std::size_t{0}), "B0301",
          fmt::format("'{}' has {} parameters, {} given", name, params->size(), given.size()));
    return nullptr;
  }
  for (std::size_t i = 0; i < params->size(); ++i) {
    const Param& param = (*params)[i];
    const ScopeVar* var = args ? nullptr : find_var(scope, param.name);
    if (!args && (var == nullptr || !assignable(var->ty, ty_of(param)))) {
      error(node, "B0219",
            fmt::format("'{}' is asked without its key: '{}' is not known {}", name, param.name,
                        scope.place),
            fmt::format("write {}(...)", name));
      return nullptr;
    }
    const Expr* e = nullptr;
    if (args) {
      e = expr(given[i].child(std::size_t{0}), scope, ty_of(param));
    } else {
      Expr* v = make(ExprKind::Var, var->ty, node);
      v->index = var->index;
      v->name = keep(param.name);
      e = v;
    }
    if (e == nullptr) {
      return nullptr;
    }
    out->args.push_back(e);
  }
  return out;
}

const Expr* Checker::open_map(NodeRef node, const Scope& scope, Ty want) {
  // label.mount, label.a.b: the root is a field that is a map.
  std::string path;
  NodeRef at = node;
  while (at.is(NodeKind::Field)) {
    path = fmt::format(".{}{}", at.token(TokenKind::Word).text(), path);
    at = at.child(std::size_t{0});
  }
  if (!at.is(NodeKind::Name) || scope.event == nullptr) {
    return nullptr;
  }
  const std::string_view root = at.token(std::size_t{0}).text();
  for (const EventType::Field& field : scope.event->fields) {
    if (field.name == root && field.type == Type::None && root != "var") {
      Expr* e = make(ExprKind::Field, want.known() ? want : simple(Type::String), node);
      e->field = EventField::Attr;
      e->index = kUntypedField;
      e->name = keep(fmt::format("{}{}", root, path));
      return e;
    }
  }
  return nullptr;
}

const Expr* Checker::varbind(NodeRef node, const Scope& scope, Ty want) {
  const bool readable = scope.event != nullptr &&
                        std::any_of(scope.event->fields.begin(), scope.event->fields.end(),
                                    [](const EventType::Field& f) { return f.name == "var"; });
  if (!readable) {
    error(node, "B0220", "varbinds can be read of traps only",
          "in raise trap ... and clear trap ...");
    return nullptr;
  }
  Expr* e = make(ExprKind::Varbind, want.known() ? want : simple(Type::String), node);
  if (node.is(NodeKind::Field)) {
    const TokenRef word = node.token(TokenKind::Word);
    const auto oid = mibs_.oid({}, word.text());
    if (!oid) {
      if (word && report_.first_time("mib", word.text())) {
        error(word, "B0207", fmt::format("no MIB name '{}' is known", word.text()),
              did_you_mean(word.text(), mibs_.names({}),
                           "write its number: var[1.3.6.1...], or its position: var[1]"));
      }
      return nullptr;
    }
    e->oid = keep(*oid);
    return e;
  }
  const NodeRef index = node.child(1);
  const TokenRef token = index.token(std::size_t{0});
  if (index.is(NodeKind::Literal) && token.kind() == TokenKind::Number) {
    const auto n = parse_int(token.text());
    if (n && *n >= 1 && *n <= 1000) {
      e->position = static_cast<std::uint32_t>(*n);
      return e;
    }
  }
  if (index.is(NodeKind::Literal) && token.kind() == TokenKind::MibName) {
    const Expr* oid = literal(index, scope, {});
    e->oid = oid == nullptr ? std::string_view{} : oid->value.text;
    return oid == nullptr ? nullptr : e;
  }
  if (const auto oid = index.is(NodeKind::Literal) ? oid_from_text(token.text()) : std::nullopt) {
    e->oid = keep(*oid);
    return e;
  }
  if (!node.broken()) {
    error(index, "B0303", fmt::format("'{}' is neither a position nor an OID", index.text()),
          "var[1] or var[1.3.6.1...]");
  }
  return nullptr;
}

const Expr* Checker::field(NodeRef node, const Scope& scope, Ty want) {
  const NodeRef base = node.child(std::size_t{0});
  const TokenRef word = node.token(TokenKind::Word);
  if (!word) {
    return nullptr;
  }
  const std::string_view base_word =
      base.is(NodeKind::Name) ? base.token(std::size_t{0}).text() : std::string_view{};
  const bool shadowed = find_var(scope, base_word) != nullptr;
  if (base_word == "var" && !shadowed) {
    return varbind(node, scope, want);
  }
  if (!base_word.empty() && !shadowed && graphs_.contains(base_word)) {
    error(node, "B0684", fmt::format("'{}' is a graph: it answers questions", base_word),
          fmt::format("{}.frontier(x)", base_word));
    return nullptr;
  }
  if (const Expr* e = shadowed ? nullptr : open_map(node, scope, want)) {
    return e;
  }
  const Expr* e = raw_expr(base, scope, {});
  if (e == nullptr) {
    return nullptr;
  }
  if (e->kind == ExprKind::Varbind && word.text() == "instance") {
    Expr* out = make(ExprKind::Varbind, want.known() ? want : simple(Type::String), node);
    out->oid = e->oid;
    out->position = e->position;
    out->instance = true;
    return out;
  }
  if (e->kind == ExprKind::Measured && word.text() == "count") {
    const bool symptoms = e->measured == Measured::SymptomCount,
               customers = e->measured == Measured::Customers;
    if (symptoms || customers || e->measured == Measured::Affected) {
      Expr* out = make(ExprKind::Measured, simple(Type::Int), node);
      out->measured = symptoms    ? Measured::SymptomCount
                      : customers ? Measured::CustomerCount
                                  : Measured::AffectedCount;
      out->index = 0;
      return out;
    }
  }
  return column_at(word, e);
}

const Expr* Checker::column_at(TokenRef token, const Expr* base) {
  const std::string_view word = token.text();
  const bool set = base->type == Type::Set;
  if ((set ? base->item_type : base->type) != Type::Row) {
    error(token, "B0203", fmt::format("{} has no '{}'", type_name(ty_of(base)), word),
          "only rows of tables have columns");
    return nullptr;
  }
  const TableSchema& table = schema_->tables[base->of];
  std::vector<std::string_view> near;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const ColumnSchema& column = table.columns[c];
    near.push_back(column.name);
    if (column.name != word) {
      continue;
    }
    Ty ty = ty_of(column);
    if (!ty.known()) {
      return nullptr;  // its type is unknown: told at the table
    }
    if (set && ty.type != Type::Set) {
      ty.item = ty.type;
      ty.type = Type::Set;
    }
    Expr* e = make(ExprKind::Column, ty, token);
    e->args = {base};
    e->table = base->of;
    e->index = static_cast<Index>(c);
    e->name = keep(word);
    return e;
  }
  for (std::size_t r = 0; r < schema_->relations.size(); ++r) {
    const RelationSchema& relation = schema_->relations[r];
    if (relation.left_type != Type::Row || relation.left != base->of) {
      continue;
    }
    near.push_back(relation.name);
    if (relation.name == word && !set) {
      Ty ty = simple(Type::Set, relation.right);
      ty.item = relation.right_type;
      Expr* e = make(ExprKind::RelatedSet, ty, token);
      e->args = {base};
      e->index = static_cast<Index>(r);
      e->name = keep(word);
      return e;
    }
  }
  error(token, "B0203",
        fmt::format("the table '{}' has no column or relation '{}'", table.name, word),
        did_you_mean(word, near, join_or(near)));
  return nullptr;
}

const Expr* Checker::subscript(NodeRef node, const Scope& scope, Ty want) {
  const NodeRef base = node.child(std::size_t{0});
  const std::string_view word =
      base.is(NodeKind::Name) ? base.token(std::size_t{0}).text() : std::string_view{};
  if (word == "var") {
    return varbind(node, scope, want);
  }
  const auto found = tables_.find(word);
  if (found == tables_.end()) {
    if (!word.empty()) {
      error(base, "B0206", fmt::format("no table is called '{}'", word),
            did_you_mean(word, names_of(tables_)));
    } else if (!node.broken()) {
      error(base, "B0206", "only tables are looked up by a key", "TABLE[KEY]");
    }
    return nullptr;
  }
  const TableSchema& table = schema_->tables[found->second];
  const std::vector<NodeRef> children = node.children();
  if (children.size() != table.key.size() + 1) {
    if (!node.broken()) {
      error(base, "B0301",
            fmt::format("the key of '{}' has {} columns, {} given", table.name, table.key.size(),
                        children.size() - 1));
    }
    return nullptr;
  }
  Expr* out = make(ExprKind::Lookup, simple(Type::Row, found->second), node);
  out->table = found->second;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    const Expr* e = expr(children[i + 1], scope, ty_of(table.columns[table.key[i]]));
    if (e == nullptr) {
      return nullptr;
    }
    out->args.push_back(e);
  }
  return out;
}

const Expr* Checker::call(NodeRef node, const Scope& scope, Ty want) {
  const NodeRef callee = node.child(std::size_t{0}), args = node.child(NodeKind::Args);
  if (callee.is(NodeKind::Field)) {
    return relation_call(node, scope);
  }
  const std::string_view word = callee.token(std::size_t{0}).text();
  const std::vector<NodeRef> given = args.children(NodeKind::Arg);
  if (word == "unknown") {
    const Expr* e =
        given.size() == 1 ? raw_expr(given[0].child(std::size_t{0}), scope, {}) : nullptr;
    if (given.size() != 1 || (e != nullptr && e->type != Type::Row)) {
      error(callee, "B0301", "'unknown' asks about one row of a table", "unknown(node)");
      return nullptr;
    }
    Expr* out = make(ExprKind::Unknown, simple(Type::Bool), node);
    out->args = {e};
    return e == nullptr ? nullptr : out;
  }
  if ((word == "max" || word == "min") && given.size() >= 2) {
    return extreme(node, scope, word == "max");
  }
  if (const auto policy = policies_.find(word); policy != policies_.end()) {
    return policy_call(node, scope, policy->second);
  }
  if (const auto signal = signals_.find(word); signal != signals_.end()) {
    return active(node, scope, signal->second, args);
  }
  (void)want;
  std::vector<std::string_view> near = names_of(policies_);
  for (const std::string_view name : names_of(signals_)) {
    near.push_back(name);
  }
  near.insert(near.end(), {"unknown", "max", "min"});
  error(callee, "B0209", fmt::format("no policy, signal or rule is called '{}'", word),
        did_you_mean(word, near));
  return nullptr;
}

const Expr* Checker::relation_call(NodeRef node, const Scope& scope) {
  const NodeRef callee = node.child(std::size_t{0});
  const TokenRef word = callee.token(TokenKind::Word);
  const std::vector<NodeRef> given = node.child(NodeKind::Args).children(NodeKind::Arg);
  const NodeRef base = callee.child(std::size_t{0});
  const std::string_view base_word =
      base.is(NodeKind::Name) ? base.token(std::size_t{0}).text() : std::string_view{};
  const auto named = graphs_.find(base_word);
  if (named != graphs_.end() && find_var(scope, base_word) == nullptr) {
    return graph_call(node, scope, named->second);
  }
  const auto found = relations_.find(word.text());
  if (is_graph_method(word.text()) && given.size() == 1 &&
      (found == relations_.end() || !graphs_.empty())) {
    const Expr* x = raw_expr(base, scope, {});
    const Expr* y = x == nullptr ? nullptr : raw_expr(given[0].child(std::size_t{0}), scope, {});
    if (y == nullptr) {
      return nullptr;
    }
    if (found == relations_.end() || takes_graph(x, y, found->second)) {
      return graph_method(node, scope);
    }
  }
  if (found == relations_.end()) {
    if (!word) {
      return nullptr;
    }
    if (is_graph_method(word.text())) {
      error(word, "B0301",
            fmt::format("'{}' asks about one thing, {} given", word.text(), given.size()),
            fmt::format("x.{}(y)", word.text()));
      return nullptr;
    }
    error(word, "B0206", fmt::format("no relation is called '{}'", word.text()),
          did_you_mean(word.text(), names_of(relations_)));
    return nullptr;
  }
  const RelationSchema& relation = schema_->relations[found->second];
  if (given.size() != 1) {
    error(word, "B0301", fmt::format("a relation asks about one thing, {} given", given.size()),
          fmt::format("x.{}(y)", relation.name));
    return nullptr;
  }
  const Expr* left = expr(base, scope, simple(relation.left_type, relation.left));
  const Expr* right =
      expr(given[0].child(std::size_t{0}), scope, simple(relation.right_type, relation.right));
  if (left == nullptr || right == nullptr) {
    return nullptr;
  }
  Expr* out = make(ExprKind::Related, simple(Type::Bool), node);
  out->index = found->second;
  out->args = {left, right};
  out->name = keep(relation.name);
  return out;
}

const Expr* Checker::policy_call(NodeRef node, const Scope& scope, Index policy) {
  const Policy& called = program_->policies[policy];
  const std::vector<NodeRef> given = node.child(NodeKind::Args).children(NodeKind::Arg);
  if (given.size() != called.params.size()) {
    error(node.child(std::size_t{0}), "B0301",
          fmt::format("'{}' has {} parameters, {} given", called.name, called.params.size(),
                      given.size()));
    return nullptr;
  }
  if (policy_ != kNone && policy >= policy_) {
    error(node.child(std::size_t{0}), "B0652",
          fmt::format("'{}' is declared after the policy that asks it", called.name),
          "so no policy can ask itself: move it up");
    return nullptr;
  }
  Expr* out = make(ExprKind::PolicyCall, simple(called.type, called.of), node);
  out->index = policy;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Expr* e = expr(given[i].child(std::size_t{0}), scope, ty_of(called.params[i]));
    if (e == nullptr) {
      return nullptr;
    }
    out->args.push_back(e);
  }
  return out;
}

/// max(a, b, ...) is a chain of `a if a >= b else b`: values are never computed twice for effect.
const Expr* Checker::extreme(NodeRef node, const Scope& scope, bool greatest) {
  const Expr* best = nullptr;
  for (const NodeRef& arg : node.child(NodeKind::Args).children(NodeKind::Arg)) {
    const Expr* e =
        raw_expr(arg.child(std::size_t{0}), scope, best == nullptr ? Ty{} : ty_of(best));
    if (e == nullptr ||
        (best != nullptr && !(numeric(e) && numeric(best)) && e->type != best->type)) {
      if (e != nullptr) {
        error(arg, "B0304",
              fmt::format("{} and {} cannot be compared", value_name(best), value_name(e)));
      }
      return nullptr;
    }
    if (best == nullptr) {
      best = e;
      continue;
    }
    Expr* test =
        make(greatest ? ExprKind::GreaterEqual : ExprKind::LessEqual, simple(Type::Bool), node);
    test->args = {best, e};
    Expr* both = make(ExprKind::If, best->type == Type::Float ? ty_of(best) : ty_of(e), node);
    both->args = {best, test, e};
    best = both;
  }
  return best;
}

const Expr* Checker::unary(NodeRef node, const Scope& scope, Ty want) {
  const TokenRef op = node.token(std::size_t{0});
  const NodeRef inner = node.child(std::size_t{0});
  if (op.kind() == TokenKind::Word) {
    const Expr* e = condition(inner, scope);
    Expr* out = make(ExprKind::Not, simple(Type::Bool), node);
    out->args = {e};
    return e == nullptr ? nullptr : out;
  }
  const Expr* e = raw_expr(inner, scope, want);
  if (e == nullptr) {
    return nullptr;
  }
  if (!numeric(e) && e->type != Type::Duration) {
    error(node, "B0302", fmt::format("expected a number or a duration, found {}", value_name(e)));
    return nullptr;
  }
  if (op.kind() == TokenKind::Plus) {
    return e;
  }
  if (e->kind == ExprKind::Const) {
    Value v = e->value;
    if (v.type == Type::Float) {
      v.f = -v.f;
    } else {
      v.i = -v.i;
    }
    return constant(v, ty_of(e), node);
  }
  Expr* out = make(ExprKind::Negate, ty_of(e), node);
  out->args = {e};
  return out;
}

const Expr* Checker::binary(NodeRef node, const Scope& scope, Ty want) {
  const TokenRef op = node.token(std::size_t{0});
  switch (op.kind()) {
    case TokenKind::Assign:  // told by the parser
    case TokenKind::Equal:
      return comparison(node, scope, ExprKind::Equal);
    case TokenKind::NotEqual:
      return comparison(node, scope, ExprKind::NotEqual);
    case TokenKind::Less:
      return comparison(node, scope, ExprKind::Less);
    case TokenKind::LessEqual:
      return comparison(node, scope, ExprKind::LessEqual);
    case TokenKind::Greater:
      return comparison(node, scope, ExprKind::Greater);
    case TokenKind::GreaterEqual:
      return comparison(node, scope, ExprKind::GreaterEqual);
    case TokenKind::Plus:
      return arithmetic(node, scope, ExprKind::Add);
    case TokenKind::Minus:
      return arithmetic(node, scope, ExprKind::Subtract);
    case TokenKind::Star:
      return arithmetic(node, scope, ExprKind::Multiply);
    case TokenKind::Slash:
      return arithmetic(node, scope, ExprKind::Divide);
    case TokenKind::Coalesce:
      return coalesce(node, scope, want);
    default:
      break;
  }
  if (op.text() == "in") {
    return membership(node, scope);
  }
  const Expr* left = condition(node.child(std::size_t{0}), scope);
  const Expr* right = condition(node.child(1), scope);
  if (left == nullptr || right == nullptr) {
    return nullptr;
  }
  Expr* out = make(op.text() == "and" ? ExprKind::And : ExprKind::Or, simple(Type::Bool), node);
  out->args = {left, right};
  return out;
}

/// A lone word that is no variable or field: what it means depends on the other side.
bool Checker::bare_word(NodeRef node, const Scope& scope) const {
  while (node.is(NodeKind::Paren)) {
    node = node.child(std::size_t{0});
  }
  if (!node.is(NodeKind::Name)) {
    return false;
  }
  const std::string_view word = node.token(std::size_t{0}).text();
  if (find_var(scope, word) != nullptr || (word == "value" && !scope.aliases.empty())) {
    return false;
  }
  const auto named = [&](const auto& field) { return field.name == word; };
  if (scope.event != nullptr &&
      std::any_of(scope.event->fields.begin(), scope.event->fields.end(), named)) {
    return false;
  }
  return scope.open == nullptr ||
         std::none_of(scope.open->begin(), scope.open->end(), [&](const NodeRef& open) {
           return open.token(std::size_t{0}).text() == word;
         });
}

const Expr* Checker::comparison(NodeRef node, const Scope& scope, ExprKind kind) {
  const NodeRef a = node.child(std::size_t{0}), b = node.child(1);
  if (a.is(NodeKind::Binary) && compares(a.token(std::size_t{0}).kind())) {
    return nullptr;  // a < b < c: the parser has told
  }
  const auto unit = unit_in(node, scope);
  if (unit && !unit_) {  // `value >= 95%`: numbers are in the unit of the measure
    unit_ = unit;
    const Expr* e = comparison(node, scope, kind);
    unit_.reset();
    return e;
  }
  const bool right_first = bare_word(a, scope) && !bare_word(b, scope);
  const Expr* first = raw_expr(right_first ? b : a, scope, {});
  if (first == nullptr) {
    return nullptr;
  }
  const Ty hint = flexible(first) ? Ty{} : ty_of(first);
  const Expr* second = raw_expr(right_first ? a : b, scope, hint);
  if (second == nullptr) {
    return nullptr;
  }
  // Varbinds and labels take the type of the other side; texts become what they are compared with.
  if (flexible(first) && !flexible(second) && second->type != Type::None) {
    first = expr(right_first ? b : a, scope, ty_of(second));
  } else if (flexible(second) && !flexible(first) && first->type != Type::None) {
    second = expr(right_first ? a : b, scope, ty_of(first));
  } else if (second->kind == ExprKind::Const && second->type == Type::String &&
             first->type != Type::String) {
    second = spelt(first->type) || text_as(second->value.text, ty_of(first))
                 ? coerce(second, ty_of(first), right_first ? a : b)
                 : second;
  } else if (first->kind == ExprKind::Const && first->type == Type::String &&
             second->type != Type::String) {
    first = spelt(second->type) || text_as(first->value.text, ty_of(second))
                ? coerce(first, ty_of(second), right_first ? b : a)
                : first;
  }
  if (first == nullptr || second == nullptr) {
    return nullptr;
  }
  const bool same = ty_of(first).same(ty_of(second)) || (numeric(first) && numeric(second)) ||
                    first->type == Type::None || second->type == Type::None;
  const bool ordered = kind != ExprKind::Equal && kind != ExprKind::NotEqual;
  const Expr* left = right_first ? second : first;
  const Expr* right = right_first ? first : second;
  if (!same) {
    std::string help;
    if (left->type == Type::Row && left->of < schema_->tables.size() &&
        !schema_->tables[left->of].key.empty()) {
      const TableSchema& table = schema_->tables[left->of];
      help = fmt::format("{}.{}", a.text(), table.columns[table.key[0]].name);
    }
    error(node, "B0304",
          fmt::format("{} and {} cannot be compared", value_name(left), value_name(right)), help);
    return nullptr;
  }
  if (left->type == Type::None || right->type == Type::None) {
    error(node, "B0306", "a comparison with 'none' is always false",
          "write 'is none' or 'is some'");
    return nullptr;
  }
  if (ordered && (left->type == Type::Set || left->type == Type::Bool)) {
    error(node, "B0304", fmt::format("{} has no order", type_name(ty_of(left))));
    return nullptr;
  }
  Expr* out = make(kind, simple(Type::Bool), node);
  out->args = {left, right};
  return out;
}

const Expr* Checker::membership(NodeRef node, const Scope& scope) {
  const NodeRef a = node.child(std::size_t{0}), b = node.child(1);
  const Expr* left = nullptr;
  const Expr* right = nullptr;
  if (b.is(NodeKind::Object)) {
    left = raw_expr(a, scope, {});
    const bool open = left != nullptr && flexible(left);
    Ty want = left == nullptr || open ? Ty{} : simple(Type::Set, left->of);
    want.item = want.known() ? left->type : Type::None;
    right = left == nullptr ? nullptr : set_of(b, scope, want);
    left = open && right != nullptr ? expr(a, scope, simple(right->item_type, right->of)) : left;
  } else {
    right = raw_expr(b, scope, {});
    if (right != nullptr && right->kind == ExprKind::Const && right->type == Type::String) {
      right = coerce(right, simple(Type::Cidr), b);
    }
    if (right != nullptr && right->type != Type::Set && right->type != Type::Cidr) {
      error(b, "B0304", fmt::format("'in' needs a set or a network, found {}", value_name(right)),
            "e.g. x in { a, b }, or address in 10.0.0.0/8");
      return nullptr;
    }
    const Ty item = right == nullptr            ? Ty{}
                    : right->type == Type::Cidr ? simple(Type::Ip)
                                                : simple(right->item_type, right->of);
    left = right == nullptr ? nullptr : expr(a, scope, item);
  }
  if (left == nullptr || right == nullptr) {
    return nullptr;
  }
  Expr* out = make(ExprKind::In, simple(Type::Bool), node);
  out->args = {left, right};
  return out;
}

const Expr* Checker::arithmetic(NodeRef node, const Scope& scope, ExprKind kind) {
  const Expr* a = raw_expr(node.child(std::size_t{0}), scope, {});
  const Expr* b = raw_expr(node.child(1), scope, {});
  if (a == nullptr || b == nullptr) {
    return nullptr;
  }
  a = untyped(a) ? coerce(a, simple(Type::Float), node.child(std::size_t{0})) : a;
  b = untyped(b) ? coerce(b, simple(Type::Float), node.child(1)) : b;
  const bool add = kind == ExprKind::Add, subtract = kind == ExprKind::Subtract;
  Type type = Type::None;
  if (numeric(a) && numeric(b)) {
    type = a->type == Type::Int && b->type == Type::Int && kind != ExprKind::Divide ? Type::Int
                                                                                    : Type::Float;
  } else if (a->type == Type::Duration && b->type == Type::Duration) {
    type = add || subtract ? Type::Duration : kind == ExprKind::Divide ? Type::Float : Type::None;
  } else if (a->type == Type::Time && b->type == Type::Time) {
    type = subtract ? Type::Duration : Type::None;
  } else if (a->type == Type::Time && b->type == Type::Duration) {
    type = add || subtract ? Type::Time : Type::None;
  } else if (a->type == Type::Duration && numeric(b)) {
    type = add || subtract ? Type::None : Type::Duration;
  } else if (numeric(a) && b->type == Type::Duration) {
    type = kind == ExprKind::Multiply ? Type::Duration : Type::None;
  }
  if (type == Type::None) {
    const bool texts = a->type == Type::String || b->type == Type::String;
    error(node, "B0302",
          fmt::format("'{}' does not work on {} and {}", node.token(std::size_t{0}).text(),
                      value_name(a), value_name(b)),
          texts ? "join texts by \"{a}{b}\"" : "");
    return nullptr;
  }
  Expr* out = make(kind, simple(type), node);
  out->args = {a, b};
  return out;
}

const Expr* Checker::coalesce(NodeRef node, const Scope& scope, Ty want) {
  const Expr* a = raw_expr(node.child(std::size_t{0}), scope, want);
  const Expr* b = a == nullptr ? nullptr : raw_expr(node.child(1), scope, ty_of(a));
  if (a == nullptr || b == nullptr) {
    return nullptr;
  }
  if (!scope.texts) {
    if (untyped(a) && !untyped(b)) {
      a = coerce(a, ty_of(b), node.child(std::size_t{0}));
    }
    b = coerce(b, ty_of(a), node.child(1));
    if (b == nullptr) {
      return nullptr;
    }
  }
  Expr* out = make(ExprKind::Coalesce,
                   ty_of(a).same(ty_of(b)) ? ty_of(a)
                   : scope.texts           ? simple(Type::String)
                                           : ty_of(a),
                   node);
  out->args = {a, b};
  return out;
}

const Expr* Checker::conditional(NodeRef node, const Scope& scope, Ty want) {
  const std::vector<NodeRef> parts = node.children();
  if (parts.size() < 2) {
    return nullptr;
  }
  const Expr* then = expr(parts[0], scope, want);
  const Expr* test = condition(parts[1], scope);
  const Expr* otherwise = nullptr;
  if (parts.size() > 2) {
    const Ty other = want.known() || then == nullptr || scope.texts ? want : ty_of(then);
    otherwise = expr(parts[2], scope, other);
  }
  if (then == nullptr || test == nullptr || (parts.size() > 2 && otherwise == nullptr)) {
    return nullptr;
  }
  const bool same = otherwise == nullptr || ty_of(then).same(ty_of(otherwise));
  Expr* out = make(ExprKind::If, same || !scope.texts ? ty_of(then) : simple(Type::String), node);
  out->args = {then, test};
  if (otherwise != nullptr) {
    out->args.push_back(otherwise);
  }
  return out;
}

const Expr* Checker::set_of(NodeRef node, const Scope& scope, Ty want) {
  Ty item;
  if (want.type == Type::Set) {
    item = simple(want.item, want.of);
  }
  Expr* out = make(ExprKind::SetOf, {}, node);
  for (const NodeRef& each : node.children(NodeKind::ObjectItem)) {
    if (each.token(TokenKind::Colon)) {
      error(each, "B0300", "a set has values, not names", "{ a, b }");
      return nullptr;
    }
    const Expr* e = expr(each.child(std::size_t{0}), scope, item);
    if (e == nullptr) {
      return nullptr;
    }
    item = item.known() ? item : ty_of(e);
    out->args.push_back(e);
  }
  if (item.type == Type::Set) {
    error(node, "B0300", "a set cannot hold sets");
    return nullptr;
  }
  out->type = Type::Set;
  out->item_type = item.type;
  out->of = item.of;
  return out;
}

}  // namespace belfry::rules
