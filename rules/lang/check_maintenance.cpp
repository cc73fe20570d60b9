// Maintenance: when (a fixed window, or each row of a table) and what it covers (LANGUAGE 6.10).
// One entry per rule that it covers, so that the fold asks only what concerns an incident's rule.
#include <algorithm>

#include "belfry/base/text.hpp"
#include "checker.hpp"
#include "zone.hpp"

namespace belfry::rules {

namespace {

/// It asks what is up now. A window must give the same answer whenever it became known, so only
/// the inventory and the key decide.
bool asks_now(const Expr* e) {
  return e != nullptr && (e->kind == ExprKind::Active || e->kind == ExprKind::Measured ||
                          e->kind == ExprKind::CutOff || e->kind == ExprKind::Frontier ||
                          std::any_of(e->args.begin(), e->args.end(), asks_now));
}

}  // namespace

/// The tokens of a maintenance by what they mean; false: an error was told.
bool Checker::maintenance_parts(NodeRef node, MaintenanceParts& out) {
  const std::vector<TokenRef> tokens = node.tokens();
  std::vector<std::string_view> seen;
  std::size_t i = 2;
  if (i < tokens.size() && tokens[i].kind() == TokenKind::String) {
    out.description = tokens[i++];
  }
  for (; i < tokens.size(); ++i) {
    const std::string_view word = tokens[i].text();
    if (word != "each" && word != "from" && word != "covers" && word != "grace") {
      continue;
    }
    if (std::find(seen.begin(), seen.end(), word) != seen.end()) {
      error(tokens[i], "B0508", fmt::format("'{}' stands twice in this maintenance", word),
            "write one maintenance per window or per rule");
      return false;
    }
    seen.push_back(word);
    if (word == "each") {
      out.row = tokens[i + 1];
      out.table = tokens[i + 3];
      i += 3;
    } else if (word == "from") {
      out.from = tokens[i + 1];
      out.to = tokens[i + 3];
      i += 3;
      if (i + 1 < tokens.size() && tokens[i + 1].kind() == TokenKind::String) {
        out.zone = tokens[++i];
      }
    } else if (word == "grace") {
      out.grace = parse_duration(tokens[++i].text()).value_or(Duration{0});
    }
  }
  if (static_cast<bool>(out.table) == static_cast<bool>(out.from)) {
    error(out.table ? out.from : node.token(1), "B0620",
          out.table ? "a maintenance has either a table or a window of its own"
                    : fmt::format("'{}' does not say when", node.token(1).text()),
          "each w in works, or from TIME to TIME \"Europe/Paris\"");
    return false;
  }
  for (const NodeRef& child : node.children()) {
    (child.is(NodeKind::SignalRef) || child.is(NodeKind::AnyOf) ? out.target : out.where) = child;
  }
  if (!out.target) {
    error(node.token(1), "B0620", fmt::format("'{}' covers nothing", node.token(1).text()),
          "covers RULE(key), or covers any(node: device)");
  }
  return static_cast<bool>(out.target);
}

/// The columns of the table that say when.
bool Checker::maintenance_table(const MaintenanceParts& parts, Maintenance& out) {
  const auto found = tables_.find(parts.table.text());
  if (found == tables_.end()) {
    if (report_.first_time("table", parts.table.text())) {
      error(parts.table, "B0206", fmt::format("no table is called '{}'", parts.table.text()),
            did_you_mean(parts.table.text(), names_of(tables_)));
    }
    return false;
  }
  out.table = found->second;
  const TableSchema& table = schema_->tables[out.table];
  for (const auto& [name, to] :
       {std::pair("start", &out.start_column), std::pair("end", &out.end_column)}) {
    std::vector<std::string_view> times;
    for (Index c = 0; c < table.columns.size(); ++c) {
      const ColumnSchema& column = table.columns[c];
      const bool time = column.type == Type::Time && !column.is_set;
      if (time && column.name == name) {
        *to = c;
      } else if (time) {
        times.push_back(column.name);
      }
    }
    if (*to == kNone) {
      error(parts.table, "B0621",
            fmt::format("the table '{}' has no column '{}' of type time", table.name, name),
            did_you_mean(name, times,
                         times.empty() ? fmt::format("declare it: {}: time", name)
                                       : fmt::format("its times are {}", join_or(times))));
      return false;
    }
  }
  return true;
}

/// One end of a fixed window. A local time that comes twice means the first one where the window
/// begins and the second where it ends; one that is skipped, the jump: the widest reading covers
/// the work whatever the crew's clocks said.
std::optional<Instant> Checker::maintenance_time(TokenRef token, TokenRef zone, bool end) {
  if (says_zone(token.text())) {
    if (zone) {
      error(zone, "B0622", fmt::format("{} says its offset itself", token.text()),
            "leave out the zone, or the offset");
      return std::nullopt;
    }
    return instant_of(token);
  }
  const std::string name = unquote(zone.text());
  const auto local = local_time(token.text(), name);
  if (!local) {
    error(token, "B0303",
          fmt::format("'{}' is no time: there is no such day or hour", token.text()));
    return std::nullopt;
  }
  const Instant at = end ? local->second : local->first;
  if (local->skipped || local->repeated()) {
    report_.warning(token.mark(), "B0809",
                    fmt::format("{} {} in {} that day", token.text(),
                                local->skipped ? "does not come" : "comes twice", name),
                    fmt::format("taken as {}", to_rfc3339(at)));
  }
  return at;
}

std::optional<Instant> Checker::instant_of(TokenRef token) {
  Ty time;
  time.type = Type::Time;
  const auto value = text_as(token.text(), time);
  if (!value) {
    error(token, "B0303",
          fmt::format("'{}' is no time: there is no such day or hour", token.text()));
    return std::nullopt;
  }
  return Instant{value->i};
}

bool Checker::maintenance_window(const MaintenanceParts& parts, Maintenance& out) {
  for (const TokenRef& token : {parts.from, parts.to}) {
    if (!parts.zone && !says_zone(token.text())) {
      error(token, "B0622", fmt::format("{} of which zone?", token.text()),
            "from TIME to TIME \"Europe/Paris\", or each time with Z or its offset");
      return false;
    }
  }
  if (parts.zone && !known_zone(unquote(parts.zone.text()))) {
    const std::string name = unquote(parts.zone.text());
    error(parts.zone, "B0661", fmt::format("no time zone is called '{}'", printable(name, 60)),
          near_zone(name));
    return false;
  }
  const auto from = maintenance_time(parts.from, parts.zone, false);
  const auto to = maintenance_time(parts.to, parts.zone, true);
  if (!from || !to) {
    return false;
  }
  if (*to <= *from) {
    error(parts.to, "B0624", "the window ends before it begins",
          fmt::format("it begins at {}", to_rfc3339(*from)));
    return false;
  }
  out.from = *from;
  out.to = *to;
  return true;
}

void Checker::maintenance(NodeRef node) {
  MaintenanceParts parts;
  if (node.broken() || !maintenance_parts(node, parts)) {
    return;
  }
  Maintenance out;
  out.name = node.token(1).text();
  out.description = parts.description ? unquote(parts.description.text()) : std::string();
  out.grace = parts.grace;
  out.place = place(node);
  if (!(parts.table ? maintenance_table(parts, out) : maintenance_window(parts, out))) {
    return;
  }
  if (parts.target.is(NodeKind::SignalRef)) {
    if (const auto rule = resolve_rule(parts.target, "maintenance covers rules")) {
      cover(parts, out, *rule);
    }
    return;
  }
  cover_any(parts, out);
}

/// `covers any(node: device)`: every rule with a device in its key.
void Checker::cover_any(const MaintenanceParts& parts, const Maintenance& out) {
  const NodeRef arg = parts.target.child(NodeKind::Args).child(NodeKind::Arg);
  const NodeRef type_node = arg.child(std::size_t{0});
  if (!arg.token(TokenKind::Colon) || !type_node.is(NodeKind::Name)) {
    error(parts.target, "B0603", "'any' takes a name and a type", "any(node: device)");
    return;
  }
  const Ty wanted = named_type(type_node.token(std::size_t{0}));
  bool found = !wanted.ok;
  for (Index r = 0; r < program_->rules.size() && wanted.ok; ++r) {
    const auto fits = [&](const Param& p) { return p.type == wanted.type && p.of == wanted.of; };
    if (!states_[r].ok || std::none_of(states_[r].key.begin(), states_[r].key.end(), fits)) {
      continue;
    }
    found = true;
    if (!cover(parts, out, r)) {
      break;  // what is wrong with the text is told once, not per rule
    }
  }
  if (!found) {
    report_.warning(parts.target.mark(), "B0604",
                    fmt::format("no rule has a {} in its key", type_name(wanted)));
  }
}

/// The entry for one rule that is covered; false: an error was told.
bool Checker::cover(const MaintenanceParts& parts, Maintenance out, Index rule) {
  if (!states_[rule].ok) {
    return true;
  }
  const std::vector<Param>& key = states_[rule].key;
  Cause side;  // names of the key's parts are bound as in the symptom of a cause
  std::vector<FixedPart> fixed;
  if (parts.target.is(NodeKind::AnyOf) ? !any_side(side, rule, parts.target)
                                       : !cause_side(side, rule, parts.target, true, fixed)) {
    return false;
  }
  out.rule = rule;
  out.vars = key;
  Scope scope;
  scope.place = "in this maintenance";
  for (const CauseVar& var : side.vars) {
    scope.vars.push_back({var.name, var.symptom_part, ty_of(key[var.symptom_part])});
  }
  if (parts.table) {
    if (find_var(scope, parts.row.text()) != nullptr) {
      error(parts.row, "B0602", fmt::format("'{}' names a part of the key too", parts.row.text()),
            "give the row its own name: each w in ...");
      return false;
    }
    Ty row;
    row.type = Type::Row;
    row.of = out.table;
    scope.vars.push_back({parts.row.text(), static_cast<Index>(key.size()), row});
    out.vars.push_back({std::string(parts.row.text()), Type::Row, out.table});
  }
  for (const FixedPart& part : fixed) {
    const Index at = side.vars[part.var].symptom_part;
    const Expr* value = expr(part.value, scope, ty_of(key[at]));
    if (value == nullptr) {
      return false;
    }
    Expr* left = make(ExprKind::Var, ty_of(key[at]), part.value);
    left->index = at;
    left->name = keep(key[at].name);
    Ty boolean;
    boolean.type = Type::Bool;
    Expr* filter = make(ExprKind::Equal, boolean, part.value);
    filter->args = {left, value};
    out.filters.push_back(filter);
  }
  if (parts.where) {
    out.where = condition(parts.where, scope);
    if (out.where == nullptr) {
      return false;
    }
  }
  if (asks_now(out.where) || std::any_of(out.filters.begin(), out.filters.end(), asks_now)) {
    error(parts.where ? parts.where : parts.target, "B0625",
          "a maintenance cannot ask what is down now",
          "ask the inventory: columns and relations of the key and of the row");
    return false;
  }
  program_->maintenances.push_back(std::move(out));
  return true;
}

}  // namespace belfry::rules
