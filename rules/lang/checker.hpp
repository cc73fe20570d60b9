#pragma once
// Checker: syntax trees in, a Program out. Names are resolved by hash, every expression gets its
// type, every leaf of a pattern its way to the rule's key. What could not be checked because
// something before it was wrong (a nullptr expression, a poisoned name) is not told again.
//
//   declare names -> schema -> signals -> patterns and keys -> rule bodies -> causes -> tests ->
//   orders
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "belfry/rules/compile.hpp"
#include "belfry/rules/program.hpp"
#include "belfry/rules/tests.hpp"
#include "syntax.hpp"

namespace belfry::rules {

/// A static type. Varbinds and Labels are the open maps of events, never types of values.
struct Ty {
  Type type = Type::None;  ///< None: not known, or the literal `none`
  Type item = Type::None;  ///< Set: of the items
  Index of = kNone;        ///< enum or table of the type or the items
  bool optional = false;
  bool open_map = false;
  bool ok = true;  ///< false: told already
  bool known() const { return type != Type::None; }
  bool same(const Ty& other) const {
    return type == other.type && item == other.item && of == other.of;
  }
};

struct ScopeVar {
  std::string_view name;
  Index index = 0;
  Ty ty;
};

struct RuleState;

/// A name that stands for an expression: what a measure says of its source.
struct Alias {
  std::string_view name;
  const Expr* expr = nullptr;
};

/// What names mean where an expression stands.
struct Scope {
  std::vector<ScopeVar> vars;
  std::vector<Alias> aliases;                  ///< before everything else
  std::string_view unit;                       ///< of the alias `value`
  const EventType* event = nullptr;            ///< event fields and varbinds can be read
  const RuleState* rule = nullptr;             ///< what the pattern measured can be read
  const std::vector<NodeRef>* open = nullptr;  ///< fields of the open block can be read
  bool texts = false;                          ///< inside a string: mixed types are fine
  bool graphs = false;                         ///< graphs can be asked
  std::string_view place = "here";             ///< "in the key of the rule"
};

/// `x.relation(K)` of an aggregate: how leaves that do not bind key part K reach it.
struct Link {
  NodeRef leaf;          ///< the aggregate that names it
  NodeRef from;          ///< the expression on the leaf's side
  std::string_view key;  ///< name of the key part
  Index relation = kNone;
  bool reversed = false;
};

struct NamedAggregate {
  std::string_view name;
  Measured measured = Measured::Count;
  Index index = 0;
  Index of = kNone;  ///< the measure
};

/// What is known of a pattern while it is compiled; lives as long as the checker.
struct RuleState {
  NodeRef node;
  std::vector<Param> key;
  std::vector<NodeRef> key_exprs;  ///< by key part; a false one = `key_param` of the first leaf
  std::vector<NodeRef> key_nodes;  ///< as written in `by`; empty without it
  std::vector<std::string> key_names;
  std::vector<Ty> key_types;
  std::vector<Link> links;
  std::vector<NamedAggregate> aggregates;
  Index counts = 0, distincts = 0, shares = 0, flaps = 0;
  Index samples = 0;  ///< aggregates of measures, and rates
  /// The first of each kind in `when`: its index, and the measure whose unit it has.
  Index value_index = kNone, rate_index = kNone, eta_index = kNone;
  Index value_of = kNone, rate_of = kNone;
  Ty affected;
  std::vector<const Pattern*>* patterns = nullptr;
  bool started = false, done = false, ok = true;
};

/// A signal of a pattern with the variables its arguments bind.
struct LeafScope {
  Index signal = kNone;
  NodeRef node;  ///< SignalRef or AggregateOf
  Scope scope;   ///< Var i = parameter i
  std::vector<const Expr*> filters;
  std::vector<ScopeVar> params;  ///< by parameter, under the name the arguments gave it
  bool ok = true;
};

/// Mark in Expr::index of a Field whose type nobody declared (`label.mount`): read as `type`.
inline constexpr Index kUntypedField = kNone - 1;

/// An argument of a cause that fixes a part of a key.
struct FixedPart {
  Index var = kNone;  ///< in Cause::vars
  NodeRef value;
};

/// A maintenance as written: tokens and nodes by what they mean.
struct MaintenanceParts {
  TokenRef description;
  TokenRef row, table;      ///< each ROW in TABLE
  TokenRef from, to, zone;  ///< from TIME to TIME ZONE
  NodeRef target, where;
  Duration grace{0};
};

using Names = std::unordered_map<std::string_view, Index>;

class Checker {
 public:
  Checker(std::span<const SourceFile> files, std::vector<Tree>& trees, Report& report,
          const MibResolver& mibs);
  std::shared_ptr<const Program> run();

 private:
  // check_declare.cpp: names, schema
  void declare();
  void declare_rules();  ///< each as a signal of its own, with the defaults
  void declare_node(NodeRef node);
  bool declare_name(NodeRef node, Names& names, std::string_view kind, Index index);
  void use(NodeRef node);
  void schema();
  void enumeration(NodeRef node);
  void builtin_severity();
  void table(NodeRef node);
  void relation(NodeRef node);
  void relation_column(NodeRef node, RelationSchema& relation);
  void event(NodeRef node);
  void event_signals();
  Ty type(NodeRef node);
  Ty named_type(TokenRef word);
  std::vector<Param> params(NodeRef node);
  void defaults(NodeRef node);
  bool duration(NodeRef node, Duration& out);

  // check_signal.cpp: clauses
  void signal(Index index);
  void feed(Index index, NodeRef node);
  void event_clause(Index index, NodeRef node);
  const EventType* source_event(NodeRef source);  ///< nullptr: told already
  void source_clause(Clause& clause, NodeRef source, const EventType& event, Scope& scope,
                     std::vector<std::string>& oids);
  void hole_vars(const Clause& clause, Scope& scope);
  const Expr* source_where(NodeRef source, const Scope& scope);
  void bound_names(const Clause& clause, NodeRef source);
  void add_clauses(Clause& clause, const std::vector<std::string>& oids);
  void raisers(Clause& clause, NodeRef node, const EventType& event, const Scope& scope);
  void head(Clause& clause, NodeRef source, const EventType& event, std::vector<std::string>& oids);
  void head_template(Clause& clause, TokenRef token);
  void head_regex(Clause& clause, TokenRef token);
  void trap_head(TokenRef token, std::vector<std::string>& oids);
  const Expr* bind(const Clause& clause, const Param& param, NodeRef source, const Scope& scope);
  void derived(Index index, NodeRef node);
  void share_per(Index index, NodeRef node);
  void signal_warnings(Index index, NodeRef node);

  // check_measure.cpp
  static std::optional<AggregateKind> sample_kind(std::string_view word);
  Index measure_index(std::size_t n) const;
  void declare_measures();
  void measure(std::size_t n);
  const Expr* sample_value(const Clause& clause, NodeRef source, const EventType& event,
                           const Scope& scope);
  void measure_clause(Index index, NodeRef node, Index of);
  std::optional<std::string_view> unit_in(NodeRef node, const Scope& scope) const;
  const Expr* literal_in_unit(NodeRef node, TokenRef token);
  const Expr* in_unit_of(Index signal, NodeRef node, const Scope& scope);
  const Expr* threshold(const Pattern& p, NodeRef node, const RuleState& state,
                        std::string_view word);
  bool sample_aggregate(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf);
  bool series(Pattern& p, NodeRef node, const RuleState& state, NodeRef target);
  bool is_measure(NodeRef at, Index signal);
  void measure_lifetimes();

  // check_calendar.cpp
  void calendar(NodeRef node, Calendar& out);
  void calendar_hours(Calendar& out, TokenRef from, TokenRef to);
  void dates_off(Calendar& out, TokenRef name);
  void read_dates(Calendar& out, Index file);
  std::optional<Index> find_calendar(TokenRef word);
  const Expr* during(NodeRef node, const Scope& scope);

  // check_graph.cpp
  void graphs();
  void graph(NodeRef node, Graph& out);
  bool graph_parts(NodeRef node, Graph& out);
  bool graph_tables(NodeRef node, Graph& out, TokenRef nodes, TokenRef edges);
  bool graph_end(Graph& out, TokenRef word, Index& column);
  void graph_roots(NodeRef node, Graph& out);
  void graph_down(NodeRef ref, Graph& out);
  std::optional<Index> graph_down_part(NodeRef ref, const Graph& graph, const LeafScope& leaf);
  static bool is_graph_method(std::string_view word);
  bool takes_graph(const Expr* x, const Expr* y, Index relation) const;
  std::optional<Index> graph_between(TokenRef at, std::string_view method, const Expr* x,
                                     const Expr* y);
  const Expr* graph_call(NodeRef node, const Scope& scope, Index graph);
  const Expr* graph_question(NodeRef node, const Scope& scope, TokenRef method, Index graph,
                             const Expr* x, const Expr* y);
  const Expr* graph_method(NodeRef node, const Scope& scope);
  const Expr* graph_row(const Expr* e, Index graph, NodeRef node);
  std::string graph_things(Index graph) const;
  static std::vector<Index> graphs_in(const Expr* e);  ///< whose live state it asks

  // check_expr.cpp
  const Expr* expr(NodeRef node, const Scope& scope, Ty want = {});
  const Expr* condition(NodeRef node, const Scope& scope);
  const Expr* coerce(const Expr* e, Ty want, NodeRef node);
  const Expr* raw_expr(NodeRef node, const Scope& scope, Ty want);
  const Expr* literal(NodeRef node, const Scope& scope, Ty want);
  const Expr* text_literal(NodeRef node, const Scope& scope, Ty want);
  const Expr* interpolation(NodeRef node, const Scope& scope);
  const Expr* name(NodeRef node, const Scope& scope, Ty want);
  const Expr* unknown_name(NodeRef node, const Scope& scope, Ty want);
  const Expr* measured_name(NodeRef node, const Scope& scope, std::string_view word);
  const Expr* open_field_name(NodeRef node, const Scope& scope, std::string_view word);
  const Expr* event_field(NodeRef node, const Scope& scope, std::string_view word);
  const Expr* active(NodeRef node, const Scope& scope, Index signal, NodeRef args);
  const Expr* field(NodeRef node, const Scope& scope, Ty want);
  const Expr* column_at(TokenRef word, const Expr* base);
  const Expr* open_map(NodeRef node, const Scope& scope, Ty want);
  const Expr* varbind(NodeRef node, const Scope& scope, Ty want);
  const Expr* subscript(NodeRef node, const Scope& scope, Ty want);
  const Expr* call(NodeRef node, const Scope& scope, Ty want);
  const Expr* relation_call(NodeRef node, const Scope& scope);
  const Expr* policy_call(NodeRef node, const Scope& scope, Index policy);
  const Expr* extreme(NodeRef node, const Scope& scope, bool greatest);
  const Expr* unary(NodeRef node, const Scope& scope, Ty want);
  const Expr* binary(NodeRef node, const Scope& scope, Ty want);
  const Expr* comparison(NodeRef node, const Scope& scope, ExprKind kind);
  const Expr* membership(NodeRef node, const Scope& scope);
  const Expr* arithmetic(NodeRef node, const Scope& scope, ExprKind kind);
  const Expr* coalesce(NodeRef node, const Scope& scope, Ty want);
  const Expr* conditional(NodeRef node, const Scope& scope, Ty want);
  const Expr* set_of(NodeRef node, const Scope& scope, Ty want);
  bool bare_word(NodeRef node, const Scope& scope) const;
  const ScopeVar* find_var(const Scope& scope, std::string_view name) const;

  // check_pattern.cpp: patterns, keys
  void ensure_rule(Index rule);
  void ensure_rule_inner(Index rule);
  const std::vector<Param>* params_of(Index signal, NodeRef at);
  void collect_leaves(NodeRef node, std::vector<NodeRef>& out);
  const LeafScope* leaf_scope(NodeRef ref);  ///< nullptr: told already
  bool new_leaf_scope(NodeRef ref, LeafScope& out);
  std::optional<Index> resolve_signal(TokenRef word);
  bool bind_args(LeafScope& leaf, NodeRef args, const std::vector<Param>& params);
  bool rule_key(RuleState& state, NodeRef when, const std::vector<Param>* fixed);
  bool key_names(RuleState& state, NodeRef keys, const std::vector<NodeRef>& leaves,
                 const std::vector<Param>* fixed);
  bool fixed_key(RuleState& state, NodeRef keys, const std::vector<Param>& fixed);
  bool key_type(RuleState& state, std::size_t part, const std::vector<const LeafScope*>& leaves,
                NodeRef at);
  bool binds(NodeRef node, const Scope& scope) const;
  void find_links(RuleState& state, const std::vector<NodeRef>& leaves);
  void find_link(RuleState& state, NodeRef condition, const LeafScope& leaf);
  bool share_condition(Pattern& p, const LeafScope& leaf, RuleState& state, NodeRef condition);
  void describe(const Expr* e, std::string& out) const;
  void describe(const Leaf& leaf, std::string& out) const;
  void describe(const Pattern* p, std::string& out) const;
  const Pattern* pattern(NodeRef node, RuleState& state, Duration within);
  const Pattern* junction(NodeRef node, RuleState& state, PatternKind kind, Duration within);
  const Pattern* sequence(NodeRef node, RuleState& state);
  const Pattern* signal_pattern(NodeRef node, RuleState& state);
  const Pattern* missing_pattern(NodeRef node, RuleState& state);
  const Pattern* aggregate(NodeRef node, RuleState& state, Duration within);
  bool aggregate_kind(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf);
  bool event_aggregate(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf);
  void name_aggregate(NodeRef node, RuleState& state, Measured measured, Index index, Index of);
  bool distinct_value(Pattern& p, NodeRef of, const LeafScope& leaf);
  const Link* link_of(const RuleState& state, std::size_t k, const LeafScope& leaf) const;
  bool bind_leaf(Leaf& out, const LeafScope& leaf, RuleState& state, NodeRef condition);
  bool leaf_filters(Leaf& out, const LeafScope& leaf, NodeRef condition);
  Pattern& new_pattern(PatternKind kind, RuleState& state, NodeRef node);
  Scope key_scope(const RuleState& state, std::string_view place) const;
  void name_reach();
  std::uint64_t pattern_hash(const Pattern* pattern, const std::vector<Param>& key);

  // check_rule.cpp
  void rule_body(Index rule);
  void rule_clause(Rule& rule, RuleState& state, NodeRef clause);
  void rule_clauses(Rule& rule, RuleState& state, NodeRef node);
  void clear_clause(Rule& rule, RuleState& state, NodeRef node);
  void open_block(Rule& rule, RuleState& state, NodeRef node);
  const Expr* open_value(NodeRef field, const Scope& scope);
  const Expr* escalation_name(NodeRef node, const Scope& scope);
  const Expr* customer_value(NodeRef node, const Scope& scope);
  bool ends_in_event(const Pattern* pattern) const;

  // check_cause.cpp: causes and their probes
  void cause(NodeRef node);
  void cause_pair(NodeRef node, Index cause, Index symptom, NodeRef target);
  std::optional<Index> resolve_rule(NodeRef ref, std::string_view who = "causes are between rules");
  bool cause_side(Cause& out, Index rule, NodeRef ref, bool symptom, std::vector<FixedPart>& fixed);
  bool cause_filters(Cause& out, const std::vector<FixedPart>& fixed);
  bool any_side(Cause& out, Index rule, NodeRef any);
  bool add_var(Cause& out, std::string_view name, Index part, const Param& param, bool symptom,
               NodeRef at);
  Scope cause_scope(const Cause& out) const;
  void find_probes(Cause& out, NodeRef node);
  CauseProbe probe(const Cause& out, Index part, const std::vector<const Expr*>& conjuncts);
  bool probe_of(const Cause& out, Index var, const Expr* conjunct, CauseProbe& to);
  bool probe_either(const Cause& out, Index var, const Expr* conjunct, CauseProbe& to);
  void cause_order();
  bool steps_up(const Cause& cause) const;
  Index circle_graph(const Cause& cause) const;
  std::vector<Index> circles() const;  ///< by rule: which circle, or itself alone
  void circle_steps(const std::vector<Index>& circle);
  void tell_circle(const std::vector<Index>& circle, Index of);

  // check_maintenance.cpp
  void maintenance(NodeRef node);
  bool maintenance_parts(NodeRef node, MaintenanceParts& out);
  bool maintenance_table(const MaintenanceParts& parts, Maintenance& out);
  bool maintenance_window(const MaintenanceParts& parts, Maintenance& out);
  std::optional<Instant> maintenance_time(TokenRef token, TokenRef zone, bool end);
  std::optional<Instant> instant_of(TokenRef token);
  void cover_any(const MaintenanceParts& parts, const Maintenance& out);
  bool cover(const MaintenanceParts& parts, Maintenance out, Index rule);

  // check_desk.cpp: policies, escalations
  void policy_head(NodeRef node, Index index);
  void policy(NodeRef node, Index index);
  void escalation(NodeRef node, Index index);
  void escalation_step(NodeRef node, Escalation& out);

  // check_test.cpp
  void test(NodeRef node);
  void given(NodeRef node, Test& out);
  void test_step(NodeRef node, Test& out);
  void test_event(NodeRef node, TestStep& out);
  void expectation(NodeRef node, TestStep& out);
  void expect_key(NodeRef ref, TestExpect& out);
  bool check_given_field(NodeRef item, const TestGiven& given);
  bool find_given(TokenRef word, TestGiven& out);
  TestValue test_value(NodeRef node);
  std::vector<std::pair<std::string, TestValue>> test_fields(NodeRef object);

  // check_order.cpp: what comes before what, warnings over the whole
  void about_rules();
  void signal_order();
  void well_known();
  void complete();
  void final_warnings();
  void template_warnings();

  // check_hints.cpp: warnings over whole rules and policies
  void hints();
  bool policy_cases(Index index,
                    const std::function<void(std::span<const Value>, std::size_t)>& each);
  void policy_hints(Index index);
  std::string unanswered(Index index);
  void unreachable_line(NodeRef line);
  void open_hints(Index rule);
  void free_text_hint(Index index);
  bool free_text(Index signal, Index param);
  bool binds_free_text(Index signal, Index param) const;

  // check_make.cpp: building blocks
  Expr* make(ExprKind kind, Ty ty, NodeRef node);
  Expr* make(ExprKind kind, Ty ty, TokenRef token);
  const Expr* constant(Value value, Ty ty, NodeRef node);
  std::string_view keep(std::string_view text);
  const ValueSet* keep_set(std::vector<Value> items);
  Place place(NodeRef node) const;
  std::string type_name(const Ty& ty) const;
  std::string value_name(const Expr* e) const;
  Ty ty_of(const Expr* e) const;
  Ty ty_of(const Param& p) const;
  Ty ty_of(const ColumnSchema& c) const;
  bool assignable(const Ty& from, const Ty& to) const;
  const Expr* enumerator(Index of, std::string_view word, NodeRef node);
  std::optional<Value> text_as(std::string_view text, const Ty& want);
  std::vector<std::string_view> names_of(const Names& names) const;
  void error(NodeRef node, std::string_view code, std::string message, std::string label = {});
  void error(TokenRef token, std::string_view code, std::string message, std::string label = {});
  void unavailable(NodeRef node, std::string_view code, std::string_view what);

  std::span<const SourceFile> files_;
  std::vector<Tree>& trees_;
  Report& report_;
  const MibResolver& mibs_;
  std::shared_ptr<Program> program_;
  std::shared_ptr<Schema> schema_;

  Names enums_, tables_, relations_, events_, signals_, rules_, policies_, escalations_;
  Names measures_, graphs_, calendars_, maintenances_, tests_;
  std::unordered_map<std::string_view, std::vector<Index>>
      enum_words_;  ///< word -> enums that have it
  std::vector<NodeRef> enum_nodes_, table_nodes_, relation_nodes_, event_nodes_, signal_nodes_,
      rule_nodes_, cause_nodes_, policy_nodes_, escalation_nodes_, test_nodes_, defaults_nodes_,
      measure_nodes_, calendar_nodes_, maintenance_nodes_, graph_nodes_;
  std::unordered_map<std::string_view, Index>
      texts_;                     ///< interned: text -> place in Program::texts
  std::deque<RuleState> states_;  ///< by rule
  std::deque<RuleState> derived_states_;
  std::deque<Tree> holes_;
  std::vector<bool> tested_;           ///< by rule
  std::vector<NodeRef> open_running_;  ///< fields being resolved: no endless turns
  std::map<std::pair<const Tree*, std::uint32_t>, LeafScope> leaves_;
  std::map<std::pair<const Tree*, std::uint32_t>, const Expr*> open_values_;
  std::size_t policy_tries_ = 0;                       ///< conditions asked by policy_cases()
  std::map<std::pair<Index, Index>, bool> free_text_;  ///< by signal and parameter
  Index policy_ = kNone;                               ///< the policy that is being compiled
  std::optional<std::string_view> unit_;               ///< of the numbers that are being compiled
  std::vector<Index> running_;                         ///< rules whose patterns are being compiled
  Rule default_rule_;
  std::uint64_t default_limit_ = 100'000;
};

}  // namespace belfry::rules
