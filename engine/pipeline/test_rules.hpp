#pragma once
// A program of one signal and one rule, put together by hand: the pipeline's tests need matches and
// incidents, not a compiler.
//
//   signal down(node: device) { raise syslog "link down"  clear syslog "link up" }
//   rule node_down { when down by node  open { title "..." severity ... } }
//   escalation run_24x7 { 0m notify desk }
#include <memory>
#include <string>

#include "belfry/desk/options.hpp"
#include "belfry/pipeline/port.hpp"

namespace belfry {

inline const rules::Expr* constant(rules::Program& p, const std::string& text) {
  rules::Expr& e = p.exprs.emplace_back();
  e.kind = rules::ExprKind::Const;
  e.type = Type::String;
  e.value = Value::string(p.texts.emplace_back(text));
  return &e;
}

inline void add_clause(rules::Program& p, rules::ClauseKind kind, const std::string& text) {
  rules::Clause& c = p.clauses.emplace_back();
  c.kind = kind;
  c.signal = 0;
  c.event_type = "syslog";
  c.head_template = {{.literal = text}};
  rules::Expr& node = p.exprs.emplace_back();
  node.kind = rules::ExprKind::Field;
  node.field = rules::EventField::Node;
  node.type = Type::Row;
  node.of = 0;
  c.key = {&node};
  p.signals[0].clauses.push_back(static_cast<rules::Index>(p.clauses.size() - 1));
}

inline void add_rule(rules::Program& p, const std::string& title, Duration settle) {
  rules::Expr& var = p.exprs.emplace_back();
  var.kind = rules::ExprKind::Var;
  var.index = 0;
  var.type = Type::Row;
  var.of = 0;
  rules::Pattern& when = p.pattern_nodes.emplace_back();
  when.leaf.signal = 0;
  when.leaf.filters = {};
  when.leaf.key = {&var};
  rules::Rule& rule = p.rules.emplace_back();
  rule.name = "node_down";
  rule.signal = 1;
  rule.key = {{.name = "node", .type = Type::Row, .of = 0}};
  rule.when = &when;
  rule.patterns = {&when};
  rule.settle = settle;
  rule.reopen = std::chrono::hours(1);  // no timer is due while a test's clock stands still
  rule.explainable = settle.count() > 0;
  rule.open = {{.name = "title", .value = constant(p, title)},
               {.name = "severity", .value = constant(p, "major")}};
  rule.pattern_hash = 42;
}

/// The texts of a test's version are its title and its settle: enough to build it again.
inline std::shared_ptr<const rules::Program> test_program(const std::string& title,
                                                          Duration settle = Duration(0)) {
  auto p = std::make_shared<rules::Program>();
  auto schema = std::make_shared<Schema>();
  schema->tables = {{.name = "device", .columns = {{.name = "name"}}, .key = {0}}};
  p->schema = schema;
  p->node_table = 0;
  p->hash = title;
  p->event_types = {{.name = "syslog"}};
  p->signals.resize(2);
  p->signals[0].name = "down";
  p->signals[0].params = {{.name = "node", .type = Type::Row, .of = 0}};
  p->signals[1].name = "node_down";
  p->signals[1].params = p->signals[0].params;
  p->signals[1].rule = 0;
  p->signal_order = {0, 1};
  add_clause(*p, rules::ClauseKind::Raise, "link down");
  add_clause(*p, rules::ClauseKind::Clear, "link up");
  add_rule(*p, title, settle);
  rules::Escalation& escalation = p->escalations.emplace_back();
  escalation.name = "run_24x7";
  escalation.steps = {{.target = "desk"},
                      {.after = std::chrono::minutes(10), .page = true, .target = "desk"}};
  return p;
}

inline Versions test_versions(const std::string& title, int devices,
                              Duration settle = Duration(0)) {
  Versions v;
  v.program = test_program(title, settle);
  InventoryBuilder builder(v.program->schema);
  for (int i = 0; i < devices; ++i) {
    const std::string name = "n" + std::to_string(i);
    const Value cells[]{Value::string(name)};
    builder.add_row(0, cells);
  }
  v.inventory = *builder.build(1);
  return v;
}

inline DeskOptions test_desk() {
  DeskOptions desk;
  desk.teams = {{.name = "desk",
                 .members = {"ana"},
                 .notify = {{"mail", "noc@example.net"}},
                 .page = {{"sms", "1"}}}};
  desk.last_resort = "ana";
  return desk;
}

}  // namespace belfry
