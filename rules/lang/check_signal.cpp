// Signals: raise and clear lines fed by events, expiry, derived signals.
#include <algorithm>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "checker.hpp"
#include "limits.hpp"
#include "regex.hpp"
#include "template.hpp"

namespace belfry::rules {

namespace {

bool is_name(std::string_view text) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), part);
}

/// The hole of this name, with the type of the parameter that it binds.
Hole hole_for(std::string_view name, const std::vector<Param>& params) {
  Hole hole;
  hole.name = name;
  for (const Param& param : params) {
    if (param.name == name) {
      hole.type = param.type;
      hole.of = param.of;
    }
  }
  return hole;
}

}  // namespace

void Checker::signal(Index index) {
  const NodeRef node = signal_nodes_[index];
  if (const TokenRef words = node.token(TokenKind::String)) {
    program_->signals[index].description = unquote(words.text());
  }
  for (const NodeRef& each : node.children()) {
    if (each.is(NodeKind::Feed)) {
      feed(index, each);
    } else if (each.is(NodeKind::Expire)) {
      duration(each, program_->signals[index].expire);
    }
  }
  share_per(index, node);
  signal_warnings(index, node);
}

/// `raise ... per FIELD` tells raisers apart; the clear lines must tell them apart by the same
/// field.
void Checker::share_per(Index index, NodeRef node) {
  std::string_view per;
  for (const Index c : program_->signals[index].clauses) {
    const Clause& clause = program_->clauses[c];
    per = clause.per != nullptr ? clause.per->name : per;
  }
  for (const Index c : program_->signals[index].clauses) {
    Clause& clause = program_->clauses[c];
    if (per.empty() || clause.per_vantage) {
      continue;
    }
    Scope scope;
    scope.event = &program_->event_types[events_.at(clause.event_type)];
    const auto same = [&](const EventType::Field& f) {
      return f.name == per && f.type != Type::None;
    };
    if (std::any_of(scope.event->fields.begin(), scope.event->fields.end(), same)) {
      clause.per = event_field(node, scope, per);
      clause.per_vantage = true;
    }
  }
  const auto& clauses = program_->signals[index].clauses;
  const bool told_apart = std::any_of(clauses.begin(), clauses.end(), [this](Index c) {
    return program_->clauses[c].kind == ClauseKind::Raise && program_->clauses[c].per_vantage;
  });
  for (const Index c : clauses) {
    Clause& clause = program_->clauses[c];
    if (!told_apart && clause.kind == ClauseKind::Clear) {
      clause.per = nullptr;  // a raiser that no raise names could never be cleared
      clause.per_vantage = false;
    }
  }
}

void Checker::feed(Index index, NodeRef node) {
  if (node.has_word("when")) {
    derived(index, node);
  } else if (node.child(NodeKind::Source)) {
    event_clause(index, node);
  }
}

/// What `with` names must be parameters; of a measure also its value.
void Checker::bound_names(const Clause& clause, NodeRef source) {
  const Signal& signal = program_->signals[clause.signal];
  std::vector<std::string_view> names;
  for (const Param& p : signal.params) {
    names.push_back(p.name);
  }
  if (signal.measure) {
    names.emplace_back("value");
  }
  for (const NodeRef& with : source.children(NodeKind::With)) {
    const TokenRef name = with.token(std::size_t{0});
    if (name && std::find(names.begin(), names.end(), name.text()) == names.end()) {
      error(name, "B0221", fmt::format("'{}' has no parameter '{}'", signal.name, name.text()),
            did_you_mean(name.text(), names));
    }
  }
}

/// `per` names the field that tells the raisers apart (for probes: their vantage).
void Checker::raisers(Clause& clause, NodeRef node, const EventType& event, const Scope& scope) {
  const Signal& signal = program_->signals[clause.signal];
  const auto is_param = [&](std::string_view name) {
    return std::any_of(signal.params.begin(), signal.params.end(),
                       [&](const Param& p) { return p.name == name; });
  };
  const auto field_named = [&](std::string_view name) {
    return std::any_of(event.fields.begin(), event.fields.end(),
                       [&](const EventType::Field& f) { return f.name == name; });
  };
  std::string_view per = node.has_word("per") ? node.tokens().back().text() : std::string_view{};
  if (per.empty() && event.name == "probe" && !is_param("vantage") && field_named("vantage")) {
    per = "vantage";
  }
  if (!per.empty() && !field_named(per)) {
    std::vector<std::string_view> names;
    for (const EventType::Field& f : event.fields) {
      names.push_back(f.name);
    }
    error(node.tokens().back(), "B0205", fmt::format("'{}' has no field '{}'", event.name, per),
          did_you_mean(per, names));
  } else if (!per.empty()) {
    clause.per_vantage = true;
    clause.per = event_field(node, scope, per);
  }
}

const EventType* Checker::source_event(NodeRef source) {
  const TokenRef word = source.token(std::size_t{0});
  const auto found = events_.find(word.text());
  if (found != events_.end()) {
    return &program_->event_types[found->second];
  }
  if (report_.first_time("event", word.text())) {
    std::vector<std::string_view> near = names_of(events_);
    for (const std::string_view name : names_of(measures_)) {
      near.push_back(name);
    }
    error(word, "B0204", fmt::format("no event type is called '{}'", word.text()),
          did_you_mean(word.text(), near,
                       fmt::format("declare it: event {} {{ node: device, ... }}", word.text())));
  }
  return nullptr;
}

void Checker::hole_vars(const Clause& clause, Scope& scope) {
  for (std::size_t i = 0; i < clause.holes.size(); ++i) {
    ScopeVar var;
    var.name = keep(clause.holes[i].name);
    var.index = static_cast<Index>(i);
    var.ty.type = clause.holes[i].type;
    var.ty.of = clause.holes[i].of;
    var.ty.ok = var.ty.known();
    scope.vars.push_back(var);
  }
}

const Expr* Checker::source_where(NodeRef source, const Scope& scope) {
  const Expr* where = nullptr;
  for (const NodeRef& each : source.children()) {
    if (!each.is(NodeKind::With) && !each.is(NodeKind::Error)) {
      where = condition(each, scope);
    }
  }
  return where;
}

/// Head and condition of a line; `scope` becomes what its other expressions can read.
void Checker::source_clause(Clause& clause, NodeRef source, const EventType& event, Scope& scope,
                            std::vector<std::string>& oids) {
  clause.event_type = event.name;
  head(clause, source, event, oids);
  scope.event = &event;
  scope.place = "in this line";
  hole_vars(clause, scope);
  clause.where = source_where(source, scope);
}

/// A notification has two OIDs where SNMPv1 maps it differently: the same clause for each.
void Checker::add_clauses(Clause& clause, const std::vector<std::string>& oids) {
  Signal& signal = program_->signals[clause.signal];
  for (std::size_t i = 0; i < std::max<std::size_t>(1, oids.size()); ++i) {
    clause.oid = oids.empty() ? std::string() : oids[i];
    signal.clauses.push_back(static_cast<Index>(program_->clauses.size()));
    program_->clauses.push_back(clause);
  }
}

void Checker::event_clause(Index index, NodeRef node) {
  const NodeRef source = node.child(NodeKind::Source);
  const std::string_view word = source.token(std::size_t{0}).text();
  if (const auto measured = measures_.find(word);
      measured != measures_.end() && !events_.contains(word)) {
    measure_clause(index, node, measure_index(measured->second));
    return;
  }
  const EventType* event = source_event(source);
  if (event == nullptr) {
    return;
  }
  Signal& signal = program_->signals[index];
  Clause clause;
  clause.kind =
      node.token(std::size_t{0}).text() == "clear" ? ClauseKind::Clear : ClauseKind::Raise;
  clause.signal = index;
  clause.clear_all = node.has_word("all");
  clause.place = place(node);
  std::vector<std::string> oids;
  Scope scope;
  source_clause(clause, source, *event, scope, oids);
  for (const Param& param : signal.params) {
    clause.key.push_back(bind(clause, param, source, scope));
  }
  bound_names(clause, source);
  raisers(clause, node, *event, scope);
  signal.probe_fed =
      signal.probe_fed || (event->name == "probe" && clause.kind == ClauseKind::Raise);
  add_clauses(clause, oids);
}

void Checker::head(Clause& clause, NodeRef source, const EventType& event,
                   std::vector<std::string>& oids) {
  const TokenRef literal = source.token(1);
  const bool given = literal.kind() == TokenKind::String || literal.kind() == TokenKind::Regex ||
                     literal.kind() == TokenKind::MibName || literal.kind() == TokenKind::Oid ||
                     literal.kind() == TokenKind::Ip;
  const auto found = std::find_if(event.fields.begin(), event.fields.end(),
                                  [](const EventType::Field& f) { return f.head; });
  if (found == event.fields.end()) {
    if (given) {
      error(literal, "B0404", fmt::format("'{}' has no head field for this to match", event.name),
            fmt::format("mark one: event {} {{ FIELD: TYPE head }}", event.name));
    }
    return;
  }
  clause.head = found->field;
  clause.head_attr = found->field == EventField::Attr ? found->name : std::string();
  if (!given) {
    return;
  }
  if (found->type == Type::String && literal.kind() == TokenKind::Regex) {
    head_regex(clause, literal);
  } else if (found->type == Type::Oid && literal.kind() != TokenKind::Regex) {
    trap_head(literal, oids);
  } else if (found->type == Type::String && literal.kind() == TokenKind::String) {
    head_template(clause, literal);
  } else {
    error(literal, "B0404",
          fmt::format("the head field '{}' of '{}' is matched by {}", found->name, event.name,
                      found->type == Type::Oid ? "a trap name or an OID" : "a string"));
  }
}

void Checker::trap_head(TokenRef token, std::vector<std::string>& oids) {
  const bool quoted = token.kind() == TokenKind::String;
  const std::string text = quoted ? unquote(token.text()) : std::string(token.text());
  if (const auto oid = oid_from_text(text)) {
    oids.push_back(*oid);
    return;
  }
  const std::size_t colons = text.find("::");
  const std::string module = colons == std::string::npos ? std::string() : text.substr(0, colons);
  const std::string name = colons == std::string::npos ? text : text.substr(colons + 2);
  oids = mibs_.trap_oids(module, name);
  if (oids.empty()) {
    if (const auto oid = mibs_.oid(module, name)) {
      oids.push_back(*oid);
    }
  }
  if (oids.empty()) {
    oids.emplace_back("\x7f");  // matches nothing; the program is refused anyway
    if (report_.first_time("mib", text)) {
      const std::vector<std::string_view> names = mibs_.names(module);
      error(token, "B0207", fmt::format("no MIB name '{}' is known", text),
            did_you_mean(name, names, "write its number, e.g. 1.3.6.1.4.1.9.9.41.2.0.1"));
    }
  }
}

void Checker::head_template(Clause& clause, TokenRef token) {
  const Mark mark = token.mark();
  const std::vector<Param>& params = program_->signals[clause.signal].params;
  std::size_t longest = 0;
  for (const StringPiece& piece :
       split_string(token.tree->text, mark.offset, mark.offset + mark.length)) {
    TemplatePart part;
    if (!piece.hole) {
      part.literal = piece.literal;
      longest = std::max(longest, piece.literal.size());
      clause.head_template.push_back(std::move(part));
      continue;
    }
    const Mark at{mark.file, static_cast<std::uint32_t>(piece.begin - 1),
                  static_cast<std::uint32_t>(piece.end - piece.begin + 2)};
    const std::string_view name =
        trim(token.tree->text.substr(piece.begin, piece.end - piece.begin));
    if (!is_name(name)) {
      report_.error(at, "B0401",
                    fmt::format("a hole is a name or '_', found '{}'", printable(name, 40)),
                    "write \\{ for the sign itself");
      continue;
    }
    if (!clause.head_template.empty() && clause.head_template.back().literal.empty()) {
      report_.error(at, "B0402", "two holes in a row: nothing says where the first one ends",
                    "put text between them");
    }
    if (name != "_") {
      const auto twice = [&](const Hole& h) { return h.name == name; };
      if (std::any_of(clause.holes.begin(), clause.holes.end(), twice)) {
        report_.error(at, "B0401", fmt::format("the hole '{}' stands twice in this text", name));
      }
      if (clause.holes.size() == kHolesMax) {
        report_.error(at, "B0403", fmt::format("a text has at most {} named holes", kHolesMax),
                      "name the others _");
        continue;
      }
      part.hole = static_cast<Index>(clause.holes.size());
      clause.holes.push_back(hole_for(name, params));
    }
    clause.head_template.push_back(std::move(part));
  }
  if (clause.head != EventField::Attr && clause.head_template.size() > 1 &&
      longest < kAnchorBytesMin) {
    report_.warning(
        mark, "B0802",
        fmt::format("no piece of this text is {} bytes long: every message has to be tried",
                    kAnchorBytesMin),
        "add fixed text");
  }
}

void Checker::head_regex(Clause& clause, TokenRef token) {
  const std::string_view text = token.text();
  const bool closed = text.size() >= 2 && text.back() == '/';
  clause.regex = regex_of(text.substr(1, text.size() - (closed ? 2 : 1)));
  const RegexFacts facts = regex_facts(clause.regex);
  if (!facts.error.empty() || clause.regex.empty()) {
    if (closed) {  // else told already
      error(token, "B0405",
            fmt::format("this regular expression cannot be run: {}",
                        facts.error.empty() ? "it is empty" : printable(facts.error, 120)),
            "RE2 syntax: no look-around, no back references");
    }
    clause.regex = "^\\z";  // matches nothing; the program is refused anyway
    return;
  }
  if (facts.groups.size() > kHolesMax) {
    error(token, "B0403", fmt::format("a text has at most {} named groups", kHolesMax),
          "leave the others unnamed: (?:...)");
    return;
  }
  const std::vector<Param>& params = program_->signals[clause.signal].params;
  for (const std::string& name : facts.groups) {
    clause.holes.push_back(hole_for(name, params));
  }
  if (!facts.anchored) {
    report_.warning(token.mark(), "B0802",
                    fmt::format("no piece of {} bytes must stand in a text that this matches: "
                                "every message has to be tried",
                                kAnchorBytesMin),
                    "add fixed text, or write a template");
  }
}

const Expr* Checker::bind(const Clause& clause, const Param& param, NodeRef source,
                          const Scope& scope) {
  const Ty want = ty_of(param);
  for (const NodeRef& with : source.children(NodeKind::With)) {
    if (with.token(std::size_t{0}).text() == param.name) {
      const NodeRef value = with.child(std::size_t{0});
      return value ? expr(value, scope, want) : nullptr;
    }
  }
  for (const Alias& alias : scope.aliases) {
    if (alias.name == param.name) {
      return alias.expr != nullptr && want.known() ? coerce(alias.expr, want, source) : nullptr;
    }
  }
  for (std::size_t i = 0; i < clause.holes.size(); ++i) {
    if (clause.holes[i].name == param.name) {
      Expr* e = make(ExprKind::Var, want, source);
      e->index = static_cast<Index>(i);
      e->name = keep(param.name);
      return e;
    }
  }
  for (const EventType::Field& field : scope.event->fields) {
    if (field.name == param.name && field.type != Type::None) {
      const Expr* e = event_field(source, scope, param.name);
      return want.known() ? coerce(e, want, source) : nullptr;
    }
  }
  if (!clause.clear_all && want.known() && !source.broken()) {
    error(source, "B0400",
          fmt::format(
              "'{}' is not bound: expected a hole {{{}}}, 'with {} = ...', or a field '{}' of {}",
              param.name, param.name, param.name, param.name, clause.event_type),
          clause.kind == ClauseKind::Clear ? "or clear all, which clears every matching key" : "");
  }
  return nullptr;
}

void Checker::derived(Index index, NodeRef node) {
  const NodeRef when =
      node.child(std::size_t{0}).is(NodeKind::Keys) ? NodeRef{} : node.child(std::size_t{0});
  if (!when) {
    return;
  }
  Signal& signal = program_->signals[index];
  const bool raise = node.token(std::size_t{0}).text() == "raise";
  if ((raise ? signal.raise_when : signal.clear_when) != nullptr) {
    error(node, "B0222",
          fmt::format("'{}' has two '{} when' lines", signal.name, raise ? "raise" : "clear"),
          "join them by 'or'");
    return;
  }
  RuleState& state = derived_states_.emplace_back();
  state.node = node;
  state.patterns = &signal.patterns;
  if (!rule_key(state, node, &signal.params)) {
    return;
  }
  const Pattern* compiled = pattern(when, state, Duration{0});
  (raise ? signal.raise_when : signal.clear_when) = compiled;
}

void Checker::signal_warnings(Index index, NodeRef node) {
  const Signal& signal = program_->signals[index];
  bool raised = false, cleared = signal.expire.count() > 0 || signal.raise_when != nullptr ||
                                 signal.clear_when != nullptr;
  for (const Index c : signal.clauses) {
    const bool raise = program_->clauses[c].kind == ClauseKind::Raise;
    raised = raised || raise;
    cleared = cleared || !raise;
  }
  if (raised && !cleared && !node.broken()) {
    report_.warning(
        node.token(1).mark(), "B0801",
        fmt::format("'{}' is raised but never cleared: it stays up for ever", signal.name),
        "add a clear line, or expire 24h");
  }
}

}  // namespace belfry::rules
