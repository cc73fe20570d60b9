// `test` blocks: names and shapes are checked here, values are typed where they are used.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, 19> kExpectFields{
    "title",     "severity", "impact", "customer", "runbook",    "escalate", "priority",
    "symptoms",  "count",    "flaps",  "cause",    "distinct",   "share",    "affected",
    "customers", "state",    "causes", "note",     "maintenance"};

/// `inventory/uplinks.csv` is also called `uplinks`.
std::string_view stem(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  path = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return path.substr(0, path.rfind('.'));
}

}  // namespace

TestValue Checker::test_value(NodeRef node) {
  TestValue out;
  while (node.is(NodeKind::Paren)) {
    node = node.child(std::size_t{0});
  }
  if (node.is(NodeKind::Object)) {
    out.is_object = true;
    out.fields = test_fields(node);
    return out;
  }
  if (node.is(NodeKind::Name)) {
    const std::string_view word = node.token(std::size_t{0}).text();
    out.value = word == "true" || word == "false" ? Value::boolean(word == "true")
                : word == "none"                  ? Value::none()
                                                  : Value::string(keep(word));
    return out;
  }
  if (node.is(NodeKind::Literal) && node.token(std::size_t{0}).kind() == TokenKind::String) {
    // As written, holes too: a message under test may hold braces.
    out.value = Value::string(keep(unquote(node.token(std::size_t{0}).text())));
    return out;
  }
  if (node.is(NodeKind::Call) &&
      node.child(std::size_t{0}).is(NodeKind::Name)) {  // cause: fibre_cut("s1")
    std::vector<Value> key;
    for (const NodeRef& arg : node.child(NodeKind::Args).children(NodeKind::Arg)) {
      key.push_back(test_value(arg.child(std::size_t{0})).value);
    }
    out.value = Value::string(
        keep(fmt::format("{}({})", node.child(std::size_t{0}).text(), key_text(key))));
    return out;
  }
  const Expr* e = expr(node, Scope{});
  if (e != nullptr && e->kind == ExprKind::Const) {
    out.value = e->value;
  } else if (e != nullptr) {
    error(node, "B0700", "a test has fixed values", "e.g. \"text\", 5, 10.0.0.1, word, +30s");
  }
  return out;
}

std::vector<std::pair<std::string, TestValue>> Checker::test_fields(NodeRef object) {
  std::vector<std::pair<std::string, TestValue>> out;
  for (const NodeRef& item : object.children(NodeKind::ObjectItem)) {
    std::string name;
    if (item.token(TokenKind::Colon)) {
      const TokenRef word = item.token(std::size_t{0});
      name = word.kind() == TokenKind::String ? unquote(word.text()) : std::string(word.text());
    }
    out.emplace_back(std::move(name), test_value(item.child(std::size_t{0})));
  }
  return out;
}

void Checker::test(NodeRef node) {
  const TokenRef name = node.token(TokenKind::String);
  if (!name) {
    return;
  }
  auto out = std::make_shared<Test>();
  out->name = unquote(name.text());
  out->place = place(node);
  if (!tests_.emplace(keep(out->name), 0).second) {
    error(name, "B0210", fmt::format("the test {} is declared twice", printable(name.text())),
          "rename one of them");
  }
  for (const NodeRef& each : node.children()) {
    if (each.is(NodeKind::Given)) {
      given(each, *out);
    } else if (each.is(NodeKind::TestStep)) {
      test_step(each, *out);
    }
  }
  program_->tests.push_back(std::move(out));
}

bool Checker::find_given(TokenRef word, TestGiven& out) {
  const std::string_view name = word.text();
  if (const auto t = tables_.find(name); t != tables_.end()) {
    out.table = t->second;
    return true;
  }
  if (const auto r = relations_.find(name); r != relations_.end()) {
    out.relation = r->second;
    return true;
  }
  std::vector<std::string_view> near = names_of(tables_);
  for (std::size_t r = 0; r < schema_->relations.size(); ++r) {
    if (!schema_->relations[r].from.empty() && stem(schema_->relations[r].from) == name) {
      out.relation = static_cast<Index>(r);
      return true;
    }
    near.push_back(schema_->relations[r].name);
  }
  for (std::size_t t = 0; t < schema_->tables.size(); ++t) {
    if (!schema_->tables[t].from.empty() && stem(schema_->tables[t].from) == name) {
      out.table = static_cast<Index>(t);
      return true;
    }
  }
  if (report_.first_time("given", name)) {
    error(word, "B0206", fmt::format("no table or relation is called '{}'", name),
          did_you_mean(name, near));
  }
  return false;
}

void Checker::given(NodeRef node, Test& out) {
  TestGiven given;
  given.place = place(node);
  const TokenRef word = node.token(1);
  const NodeRef object = node.child(NodeKind::Object);
  if (!word || !find_given(word, given) || !object) {
    return;
  }
  bool ok = true;
  for (const NodeRef& item : object.children(NodeKind::ObjectItem)) {
    ok = check_given_field(item, given) && ok;
  }
  if (ok) {
    given.fields = test_fields(object);
    out.given.push_back(std::move(given));
  }
}

bool Checker::check_given_field(NodeRef item, const TestGiven& given) {
  const bool named = item.token(TokenKind::Colon).operator bool();
  const TokenRef word = item.token(std::size_t{0});
  if (!named) {
    if (!item.broken()) {
      error(item, "B0701", given.table != kNone ? "expected COLUMN: VALUE" : "expected LEFT: RIGHT",
            given.table != kNone ? "given device { name: \"r1\" }"
                                 : "given uplinks { \"h1\": \"sw1\" }");
    }
    return false;
  }
  if (given.table == kNone || word.kind() != TokenKind::Word) {
    return true;
  }
  const TableSchema& table = schema_->tables[given.table];
  std::vector<std::string_view> near;
  for (const ColumnSchema& column : table.columns) {
    near.push_back(column.name);
    if (column.name != word.text()) {
      continue;
    }
    const NodeRef value = item.child(std::size_t{0});
    if (column.type == Type::Enum && !column.is_set && value.is(NodeKind::Name)) {
      Ty want = ty_of(column);
      return expr(value, Scope{}, want) != nullptr;
    }
    return true;
  }
  error(word, "B0203", fmt::format("the table '{}' has no column '{}'", table.name, word.text()),
        did_you_mean(word.text(), near, join_or(near)));
  return false;
}

void Checker::test_step(NodeRef node, Test& out) {
  TestStep step;
  step.place = place(node);
  const TokenRef every = node.token(TokenKind::Duration, 1);
  if (!duration(node, step.at)) {
    return;
  }
  if (every) {
    const auto times = parse_int(node.token(TokenKind::Number).text());
    step.times = times && *times > 0 ? static_cast<std::uint64_t>(*times) : 1;
    step.every = parse_duration(every.text()).value_or(Duration{0});
    constexpr std::uint64_t kTimesMax = 1'000'000;
    if (!times || *times <= 0 || step.times > kTimesMax) {
      error(node.token(TokenKind::Number), "B0302",
            fmt::format("expected a number from 1 to {}", kTimesMax));
      return;
    }
  }
  if (const NodeRef expect = node.child(NodeKind::Expect)) {
    step.is_expect = true;
    expectation(expect, step);
    out.steps.push_back(std::move(step));
  } else if (const NodeRef event = node.child(NodeKind::TestEvent)) {
    test_event(event, step);
    out.steps.push_back(std::move(step));
  }
}

void Checker::test_event(NodeRef node, TestStep& out) {
  const TokenRef word = node.token(std::size_t{0});
  const auto found = events_.find(word.text());
  if (found == events_.end()) {
    if (word && report_.first_time("event", word.text())) {
      error(word, "B0204", fmt::format("no event type is called '{}'", word.text()),
            did_you_mean(word.text(), names_of(events_)));
    }
    return;
  }
  const EventType& event = program_->event_types[found->second];
  out.event.event_type = found->second;
  const NodeRef object = node.child(NodeKind::Object);
  for (const NodeRef& item : object.children(NodeKind::ObjectItem)) {
    const TokenRef name = item.token(std::size_t{0});
    const auto same = [&](const EventType::Field& f) { return f.name == name.text(); };
    const bool word_name = item.token(TokenKind::Colon) && name.kind() == TokenKind::Word;
    const auto field = std::find_if(event.fields.begin(), event.fields.end(), same);
    if (!item.token(TokenKind::Colon) && !item.broken()) {
      error(item, "B0701", "expected FIELD: VALUE", "e.g. syslog { node: \"r1\", msg: \"text\" }");
      return;
    }
    if (word_name && field == event.fields.end()) {
      std::vector<std::string_view> near;
      for (const EventType::Field& f : event.fields) {
        near.push_back(f.name);
      }
      error(name, "B0205", fmt::format("'{}' has no field '{}'", event.name, name.text()),
            did_you_mean(name.text(), near));
    } else if (word_name && field->type == Type::Enum &&
               item.child(std::size_t{0}).is(NodeKind::Name)) {
      Ty want;
      want.type = Type::Enum;
      want.of = field->of;
      expr(item.child(std::size_t{0}), Scope{}, want);
    }
  }
  out.event.fields = test_fields(object);
}

void Checker::expectation(NodeRef node, TestStep& out) {
  const TokenRef number = node.token(TokenKind::Number);
  const TokenRef state = node.token(number ? 2 : 1);
  TestExpect& e = out.expect;
  if (number) {
    const auto n = parse_int(number.text());
    e.count = n && *n >= 0 ? static_cast<std::uint64_t>(*n) : 0;
    e.kind = state.text() == "closed"    ? ExpectKind::CountClosed
             : state.text() == "planned" ? ExpectKind::CountPlanned
             : state.text() == "symptom" ? ExpectKind::CountSymptom
                                         : ExpectKind::CountOpen;
    static constexpr std::array<std::string_view, 4> kStates{"open", "closed", "planned",
                                                             "symptom"};
    if (state && std::find(kStates.begin(), kStates.end(), state.text()) == kStates.end()) {
      error(state, "B0702", fmt::format("expected a state, found '{}'", state.text()),
            join_or(kStates));
    }
    return;
  }
  e.kind = state.text() == "closed"    ? ExpectKind::Closed
           : state.text() == "planned" ? ExpectKind::Planned
           : state.text() == "symptom" ? ExpectKind::Symptom
           : state.text() == "no"      ? ExpectKind::No
                                       : ExpectKind::Open;
  const NodeRef ref = node.child(NodeKind::SignalRef);
  const auto rule = ref ? resolve_rule(ref) : std::nullopt;
  if (!rule) {
    return;
  }
  e.rule = *rule;
  tested_[*rule] = true;
  expect_key(ref, e);
  const NodeRef object = node.child(NodeKind::Object);
  for (const NodeRef& item : object.children(NodeKind::ObjectItem)) {
    const TokenRef name = item.token(std::size_t{0});
    if (item.token(TokenKind::Colon) && name.kind() == TokenKind::Word &&
        std::find(kExpectFields.begin(), kExpectFields.end(), name.text()) == kExpectFields.end()) {
      error(name, "B0213", fmt::format("an incident has no field '{}'", name.text()),
            did_you_mean(name.text(), kExpectFields));
    }
  }
  e.fields = test_fields(object);
}

void Checker::expect_key(NodeRef ref, TestExpect& out) {
  if (!states_[out.rule].ok) {
    return;
  }
  const std::vector<Param>& key = states_[out.rule].key;
  const std::vector<NodeRef> given = ref.child(NodeKind::Args).children(NodeKind::Arg);
  if (given.size() > key.size()) {
    error(ref.token(std::size_t{0}), "B0301",
          fmt::format("'{}' has {} parameter{}, {} given", program_->rules[out.rule].name,
                      key.size(), key.size() == 1 ? "" : "s", given.size()));
    return;
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const TokenRef name =
        given[i].token(TokenKind::Colon) ? given[i].token(std::size_t{0}) : TokenRef{};
    if (name && name.text() != key[i].name) {
      error(name, "B0221", fmt::format("expected '{}', found '{}'", key[i].name, name.text()),
            "the key is given in its order, from the left");
      return;
    }
    const Expr* e = expr(given[i].child(std::size_t{0}), Scope{}, ty_of(key[i]));
    if (e == nullptr) {
      return;
    }
    if (e->kind != ExprKind::Const) {
      error(given[i], "B0700", "a test has fixed values", "e.g. \"text\", 5, 10.0.0.1");
      return;
    }
    out.key.push_back(e->value);
  }
}

}  // namespace belfry::rules
