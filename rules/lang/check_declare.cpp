// Declared names and the schema: enums, tables, relations, event types, defaults.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

struct FieldName {
  std::string_view name;
  EventField field;
  Type type;
  bool everywhere;  ///< every event has it; the others are read on syslog and traps only
};
constexpr std::array<FieldName, 21> kFields{{{"node", EventField::Node, Type::String, true},
                                             {"via", EventField::Via, Type::String, true},
                                             {"from", EventField::From, Type::String, true},
                                             {"ifname", EventField::Ifname, Type::String, true},
                                             {"raw", EventField::Raw, Type::String, true},
                                             {"msg", EventField::Msg, Type::String, false},
                                             {"app", EventField::App, Type::String, false},
                                             {"level", EventField::Level, Type::Enum, false},
                                             {"host", EventField::Host, Type::String, false},
                                             {"pid", EventField::Pid, Type::String, false},
                                             {"msgid", EventField::Msgid, Type::String, false},
                                             {"tag", EventField::Tag, Type::String, false},
                                             {"vendor", EventField::Vendor, Type::String, false},
                                             {"facility", EventField::Facility, Type::Int, false},
                                             {"oid", EventField::Oid, Type::Oid, false},
                                             {"stamp", EventField::Stamp, Type::Time, true},
                                             {"repeat", EventField::Repeat, Type::Int, true},
                                             {"valid", EventField::Valid, Type::Bool, false},
                                             {"type", EventField::Type, Type::String, true},
                                             {"agent", EventField::Agent, Type::String, false},
                                             {"id", EventField::Id, Type::String, true}}};

const FieldName* built_in(std::string_view name) {
  const auto found = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const FieldName& f) { return f.name == name; });
  return found == kFields.end() ? nullptr : &*found;
}

struct NamedType {
  std::string_view name;
  Type type;
};
constexpr std::array<NamedType, 11> kTypes{{{"bool", Type::Bool},
                                            {"int", Type::Int},
                                            {"float", Type::Float},
                                            {"string", Type::String},
                                            {"text", Type::String},
                                            {"duration", Type::Duration},
                                            {"time", Type::Time},
                                            {"ip", Type::Ip},
                                            {"cidr", Type::Cidr},
                                            {"oid", Type::Oid},
                                            {"mac", Type::Mac}}};

constexpr std::array<std::string_view, 14> kReserved{"not",   "missing",  "and",   "or",  "count",
                                                     "flaps", "rate",     "sum",   "avg", "min",
                                                     "max",   "distinct", "share", "eta"};

}  // namespace

Checker::Checker(std::span<const SourceFile> files, std::vector<Tree>& trees, Report& report,
                 const MibResolver& mibs)
    : files_(files),
      trees_(trees),
      report_(report),
      mibs_(mibs),
      program_(std::make_shared<Program>()),
      schema_(std::make_shared<Schema>()) {
  default_rule_.settle = 10s;
  default_rule_.hold = 2min;
  default_rule_.recover = 2min;
  default_rule_.reopen = 30min;
}

void Checker::declare() {
  for (Tree& tree : trees_) {
    for (const NodeRef& node : NodeRef{&tree, tree.root}.children()) {
      declare_node(node);
    }
  }
  // One name space for what patterns name: signals, then raw event types in use, then rules.
  for (const NodeRef& node : signal_nodes_) {
    Signal& signal = program_->signals.emplace_back();
    signal.name = node.token(1).text();
    signal.place = place(node);
  }
  declare_measures();
}

bool Checker::declare_name(NodeRef node, Names& names, std::string_view kind, Index index) {
  const TokenRef word = node.token(1);
  if (word.kind() != TokenKind::Word) {
    return false;  // the parser has told
  }
  if (std::find(kReserved.begin(), kReserved.end(), word.text()) != kReserved.end()) {
    error(word, "B0214",
          fmt::format("'{}' is a word of the language and cannot name a {}", word.text(), kind));
    return false;
  }
  if (!names.emplace(word.text(), index).second) {
    error(word, "B0210", fmt::format("the {} '{}' is declared twice", kind, word.text()),
          "rename one of them");
    return false;
  }
  return true;
}

void Checker::declare_node(NodeRef node) {
  const auto add = [&](Names& names, std::vector<NodeRef>& nodes, std::string_view kind) {
    if (declare_name(node, names, kind, static_cast<Index>(nodes.size()))) {
      nodes.push_back(node);
    }
  };
  switch (node.kind()) {
    case NodeKind::Use:
      use(node);
      break;
    case NodeKind::Event:
      add(events_, event_nodes_, "event type");
      break;
    case NodeKind::Enum:
      add(enums_, enum_nodes_, "enum");
      break;
    case NodeKind::Table:
      add(tables_, table_nodes_, "table");
      break;
    case NodeKind::Relation:
      add(relations_, relation_nodes_, "relation");
      break;
    case NodeKind::Calendar:
      add(calendars_, calendar_nodes_, "calendar");
      break;
    case NodeKind::Defaults:
      defaults_nodes_.push_back(node);
      break;
    case NodeKind::Signal:
      add(signals_, signal_nodes_, "signal");
      break;
    case NodeKind::Rule:
      add(rules_, rule_nodes_, "rule");
      break;
    case NodeKind::Cause:
      cause_nodes_.push_back(node);
      break;
    case NodeKind::Policy:
      add(policies_, policy_nodes_, "policy");
      break;
    case NodeKind::Escalation:
      add(escalations_, escalation_nodes_, "escalation");
      break;
    case NodeKind::Test:
      test_nodes_.push_back(node);
      break;
    case NodeKind::Graph:
      add(graphs_, graph_nodes_, "graph");
      break;
    case NodeKind::Measure:
      add(measures_, measure_nodes_, "measure");
      break;
    case NodeKind::Maintenance:
      add(maintenances_, maintenance_nodes_, "maintenance");
      break;
    default:
      break;  // Error: told by the parser
  }
}

void Checker::use(NodeRef node) {
  const TokenRef token = node.token(TokenKind::String);
  if (!token) {
    return;
  }
  const std::string wanted = unquote(token.text());
  std::vector<std::string_view> paths;
  for (const SourceFile& file : files_) {
    const std::string_view path = file.path;
    const std::size_t slash = path.rfind('/');
    paths.push_back(slash == std::string_view::npos ? path : path.substr(slash + 1));
    if (path == wanted || path.ends_with("/" + wanted)) {
      return;
    }
  }
  error(token, "B0212", fmt::format("no file '{}' among the rule files", wanted),
        did_you_mean(wanted, paths));
}

void Checker::schema() {
  for (const NodeRef& node : enum_nodes_) {
    enumeration(node);
  }
  builtin_severity();
  for (std::size_t e = 0; e < schema_->enums.size(); ++e) {
    for (const std::string& word : schema_->enums[e].words) {
      enum_words_[keep(word)].push_back(static_cast<Index>(e));
    }
  }
  for (const NodeRef& node : table_nodes_) {
    schema_->tables.emplace_back().name = node.token(1).text();
  }
  for (const NodeRef& node : table_nodes_) {
    table(node);
  }
  for (const NodeRef& node : relation_nodes_) {
    relation(node);
  }
  for (const NodeRef& node : event_nodes_) {
    event(node);
  }
  well_known();
  for (const NodeRef& node : defaults_nodes_) {
    defaults(node);
  }
}

void Checker::enumeration(NodeRef node) {
  EnumSchema& out = schema_->enums.emplace_back();
  out.name = node.token(1).text();
  const std::vector<TokenRef> tokens = node.tokens();
  for (std::size_t i = 2; i < tokens.size(); ++i) {
    if (tokens[i].kind() != TokenKind::Word) {
      continue;
    }
    const std::string word(tokens[i].text());
    if (std::find(out.words.begin(), out.words.end(), word) != out.words.end()) {
      error(tokens[i], "B0210", fmt::format("the word '{}' is twice in this enum", word));
    } else {
      out.words.push_back(word);
    }
  }
}

void Checker::builtin_severity() {
  const std::vector<std::string> words{"cleared", "indeterminate", "warning",
                                       "minor",   "major",         "critical"};
  const auto declared = enums_.find("severity");
  if (declared == enums_.end()) {
    enums_.emplace("severity", static_cast<Index>(schema_->enums.size()));
    schema_->enums.push_back({"severity", words});
  } else if (schema_->enums[declared->second].words != words) {
    error(enum_nodes_[declared->second].token(1), "B0215", "severity has fixed words",
          "cleared, indeterminate, warning, minor, major, critical: leave the declaration out");
  }
}

Ty Checker::named_type(TokenRef word) {
  Ty ty;
  const std::string_view name = word.text();
  for (const NamedType& known : kTypes) {
    if (known.name == name) {
      ty.type = known.type;
      return ty;
    }
  }
  if (name == "varbinds" || name == "labels") {
    ty.open_map = true;
    return ty;
  }
  if (const auto e = enums_.find(name); e != enums_.end()) {
    ty.type = Type::Enum;
    ty.of = e->second;
    return ty;
  }
  if (const auto t = tables_.find(name); t != tables_.end()) {
    ty.type = Type::Row;
    ty.of = t->second;
    return ty;
  }
  ty.ok = false;
  if (report_.first_time("type", name)) {
    std::vector<std::string_view> words = names_of(tables_);
    for (const std::string_view e : names_of(enums_)) {
      words.push_back(e);
    }
    for (const NamedType& known : kTypes) {
      words.push_back(known.name);
    }
    error(word, "B0201", fmt::format("no type, enum or table is called '{}'", name),
          did_you_mean(name, words,
                       "declare it: table NAME key COLUMN { ... } or enum NAME { ... }"));
  }
  return ty;
}

Ty Checker::type(NodeRef node) {
  Ty ty;
  const TokenRef word = node.token(TokenKind::Word);
  if (!node.is(NodeKind::Type) || !word) {
    ty.ok = false;
    return ty;
  }
  const NodeRef inner = node.child(NodeKind::Type);
  if (inner) {
    const Ty item = type(inner);
    if (word.text() != "set" || item.type == Type::Set) {
      error(word, "B0201", fmt::format("'{}' is no type that takes another one", word.text()),
            "set<TYPE>");
      ty.ok = false;
      return ty;
    }
    ty.type = Type::Set;
    ty.item = item.type;
    ty.of = item.of;
    ty.ok = item.ok;
    return ty;
  }
  ty = named_type(word);
  ty.optional = node.token(TokenKind::Question).operator bool();
  return ty;
}

std::vector<Param> Checker::params(NodeRef node) {
  std::vector<Param> out;
  for (const NodeRef& each : node.children(NodeKind::Param)) {
    const TokenRef word = each.token(TokenKind::Word);
    Param param;
    param.name = word.text();
    const Ty ty = type(each.child(std::size_t{0}));
    param.type = ty.ok ? ty.type : Type::None;
    param.of = ty.of;
    if (ty.type == Type::Set || ty.open_map || ty.optional) {
      error(each, "B0216",
            fmt::format("the parameter '{}' names one thing: it cannot be a {}", param.name,
                        ty.optional ? "value that may be missing" : "set or a map"));
      param.type = Type::None;
    }
    for (const Param& other : out) {
      if (other.name == param.name && word) {
        error(word, "B0210", fmt::format("the parameter '{}' is declared twice", param.name));
      }
    }
    out.push_back(std::move(param));
  }
  return out;
}

void Checker::table(NodeRef node) {
  TableSchema& out = schema_->tables[tables_.at(node.token(1).text())];
  for (const NodeRef& each : node.children(NodeKind::Column)) {
    const Ty ty = type(each.child(std::size_t{0}));
    ColumnSchema column;
    column.name = each.token(std::size_t{0}).text();
    column.is_set = ty.type == Type::Set;
    column.type = column.is_set ? ty.item : ty.type;
    column.of = ty.of;
    column.optional = ty.optional;
    if (ty.open_map) {
      error(each, "B0216", fmt::format("the column '{}' cannot be an open map", column.name));
    }
    const auto same = [&](const ColumnSchema& other) { return other.name == column.name; };
    if (std::any_of(out.columns.begin(), out.columns.end(), same)) {
      error(each, "B0210", fmt::format("the column '{}' is declared twice", column.name));
      continue;
    }
    out.columns.push_back(std::move(column));
  }
  for (const TokenRef& token : node.child(NodeKind::Keys).tokens()) {
    if (token.kind() != TokenKind::Word) {
      continue;
    }
    const auto found = std::find_if(out.columns.begin(), out.columns.end(),
                                    [&](const ColumnSchema& c) { return c.name == token.text(); });
    if (found == out.columns.end()) {
      std::vector<std::string_view> names;
      for (const ColumnSchema& c : out.columns) {
        names.push_back(c.name);
      }
      error(token, "B0203",
            fmt::format("the table '{}' has no column '{}'", out.name, token.text()),
            did_you_mean(token.text(), names));
    } else {
      out.key.push_back(static_cast<std::uint32_t>(found - out.columns.begin()));
    }
  }
  if (const TokenRef from = node.token(TokenKind::String)) {
    out.from = unquote(from.text());
  }
}

void Checker::relation(NodeRef node) {
  RelationSchema& out = schema_->relations.emplace_back();
  out.name = node.token(1).text();
  const std::vector<NodeRef> types = node.children(NodeKind::Type);
  if (types.size() == 2) {
    const Ty left = type(types[0]), right = type(types[1]);
    out.left_type = left.type;
    out.left = left.of;
    out.right_type = right.type;
    out.right = right.of;
    if (left.type == Type::Set || right.type == Type::Set || left.open_map || right.open_map) {
      error(node, "B0216", "a relation is between single values",
            "e.g. relation behind(device, device)");
    }
  }
  out.transitive = node.has_word("transitive");
  if (const TokenRef from = node.token(TokenKind::String)) {
    out.from = unquote(from.text());
  } else {
    relation_column(node, out);
  }
}

void Checker::relation_column(NodeRef node, RelationSchema& out) {
  const NodeRef path = node.child(NodeKind::Path);
  const TokenRef table_name = path.token(TokenKind::Word, 0),
                 column_name = path.token(TokenKind::Word, 1);
  if (!table_name || !column_name) {
    return;
  }
  const auto found = tables_.find(table_name.text());
  if (found == tables_.end()) {
    error(table_name, "B0206", fmt::format("no table is called '{}'", table_name.text()),
          did_you_mean(table_name.text(), names_of(tables_)));
    return;
  }
  const TableSchema& from = schema_->tables[found->second];
  std::vector<std::string_view> names;
  for (std::size_t c = 0; c < from.columns.size(); ++c) {
    names.push_back(from.columns[c].name);
    if (from.columns[c].name != column_name.text()) {
      continue;
    }
    const ColumnSchema& column = from.columns[c];
    out.column_table = found->second;
    out.column = static_cast<std::uint32_t>(c);
    if (out.left_type != Type::Row || out.left != found->second || out.right_type != column.type ||
        out.right != column.of) {
      Ty ty = ty_of(column);
      error(path, "B0300", fmt::format("this column does not relate these two types"),
            fmt::format("{}.{} goes from {} to {}", from.name, column.name, from.name,
                        type_name(ty)));
    }
    return;
  }
  error(column_name, "B0203",
        fmt::format("the table '{}' has no column '{}'", from.name, column_name.text()),
        did_you_mean(column_name.text(), names));
}

void Checker::event(NodeRef node) {
  EventType& out = program_->event_types.emplace_back();
  out.name = node.token(1).text();
  for (const NodeRef& each : node.children(NodeKind::EventField)) {
    const std::vector<TokenRef> tokens = each.tokens();
    const Ty ty = type(each.child(std::size_t{0}));
    EventType::Field field;
    field.name = tokens[0].text();
    field.type = ty.type;
    field.of = ty.of;
    field.optional = ty.optional;
    field.head = std::any_of(tokens.begin() + 1, tokens.end(),
                             [](const TokenRef& t) { return t.text() == "head"; });
    const FieldName* known = built_in(field.name);
    field.field = known != nullptr ? known->field : EventField::Attr;
    if (ty.type == Type::Set) {
      error(each, "B0216", fmt::format("the field '{}' cannot be a set", field.name));
    }
    const auto same = [&](const EventType::Field& f) { return f.name == field.name; };
    if (std::any_of(out.fields.begin(), out.fields.end(), same)) {
      error(each, "B0210", fmt::format("the field '{}' is declared twice", field.name));
      continue;
    }
    out.fields.push_back(std::move(field));
  }
}

void Checker::well_known() {
  const auto index = [](const Names& names, std::string_view name) {
    const auto found = names.find(name);
    return found == names.end() ? kNone : found->second;
  };
  Program& p = *program_;
  p.enums.tier = index(enums_, "tier");
  p.enums.priority = index(enums_, "priority");
  p.enums.impact = index(enums_, "impact");
  p.enums.severity = index(enums_, "severity");
  p.customer_table = index(tables_, "customer");
  p.node_table = index(tables_, "device");
  for (const EventType& event_type : p.event_types) {
    for (const EventType::Field& field : event_type.fields) {
      if (field.field == EventField::Node && field.type == Type::Row) {
        p.node_table = field.of;
      }
    }
  }
  const Index port = index(tables_, "port");
  if (port != kNone) {
    const TableSchema& table = schema_->tables[port];
    const bool fits = table.key.size() == 2 && table.columns[table.key[0]].name == "node" &&
                      table.columns[table.key[1]].name == "ifname";
    p.port_table = fits ? port : kNone;
  }
  // Fields that every syslog message and trap has, declared or not; added behind the declared ones.
  for (EventType& event_type : p.event_types) {
    const bool wire = event_type.name == "syslog" || event_type.name == "trap";
    for (const FieldName& known : kFields) {
      const auto same = [&](const EventType::Field& f) { return f.name == known.name; };
      if ((!wire && !known.everywhere) ||
          std::any_of(event_type.fields.begin(), event_type.fields.end(), same)) {
        continue;
      }
      EventType::Field field;
      field.name = known.name;
      field.field = known.field;
      field.type = known.type;
      field.of = known.type == Type::Enum ? p.enums.severity : kNone;
      if (known.field == EventField::Node && p.node_table != kNone) {
        field.type = Type::Row;
        field.of = p.node_table;
      }
      event_type.fields.push_back(std::move(field));
    }
  }
}

/// Raw event types that patterns name (`missing beat`, `count(trap)`) become signals keyed by node.
void Checker::event_signals() {
  for (Tree& tree : trees_) {
    for (std::uint32_t n = 0; n < tree.nodes.size(); ++n) {
      const NodeRef node{&tree, n};
      if (node.kind() != NodeKind::SignalRef && node.kind() != NodeKind::AggregateOf) {
        continue;
      }
      const std::string_view word = node.token(std::size_t{0}).text();
      const auto found = events_.find(word);
      if (found == events_.end() || signals_.contains(word) || rules_.contains(word)) {
        continue;
      }
      const EventType& event_type = program_->event_types[found->second];
      const Index index = static_cast<Index>(program_->signals.size());
      signals_.emplace(event_type.name, index);
      Signal& signal = program_->signals.emplace_back();
      signal.name = event_type.name;
      signal.place = place(node);
      Clause clause;
      clause.signal = index;
      clause.event_type = event_type.name;
      clause.place = signal.place;
      for (const EventType::Field& field : event_type.fields) {
        if (field.field == EventField::Node) {
          Ty ty;
          ty.type = field.type;
          ty.of = field.of;
          signal.params.push_back({field.name, field.type, field.of});
          clause.key.push_back(make(ExprKind::Field, ty, node));
        }
      }
      signal.clauses.push_back(static_cast<Index>(program_->clauses.size()));
      program_->clauses.push_back(std::move(clause));
    }
  }
}

bool Checker::duration(NodeRef node, Duration& out) {
  const TokenRef token = node.token(TokenKind::Duration);
  const auto value = token ? parse_duration(token.text()) : std::nullopt;
  if (value) {
    out = *value;
  }
  return value.has_value();
}

void Checker::defaults(NodeRef node) {
  for (const NodeRef& each : node.children()) {
    switch (each.kind()) {
      case NodeKind::Settle:
        duration(each, default_rule_.settle);
        break;
      case NodeKind::Hold:
        duration(each, default_rule_.hold);
        break;
      case NodeKind::Recover:
        duration(each, default_rule_.recover);
        break;
      case NodeKind::Reopen:
        duration(each, default_rule_.reopen);
        break;
      case NodeKind::Limit: {
        const auto n = parse_int(each.token(TokenKind::Number).text());
        if (!n || *n <= 0) {
          error(each, "B0302", "a limit is a whole number above 0");
        } else {
          default_limit_ = static_cast<std::uint64_t>(*n);
        }
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace belfry::rules
