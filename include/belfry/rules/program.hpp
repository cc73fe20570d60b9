#pragma once
// Program: compiled Bell. Immutable, shared by all threads; everything by index; it owns every text
// its values point to.
//
//   .bell text -> lossless syntax tree -> typed tree (this) -> stateless half: clauses + Matcher
//                                                           -> stateful half: patterns, rules,
//                                                           causes
//
// Numbers of signals: `signals` holds the declared signals first, then the measures (a measure is a
// signal that every sample raises, with a value, and nothing clears), then one per raw event type
// that a pattern names (`missing beat`, `count(trap)`: keyed by node, raised by every such event,
// never cleared), then one entry per rule (a rule's name is itself a signal, true from due until
// its pattern ends).
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/time.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/model/value.hpp"

namespace belfry::rules {

using Index = std::uint32_t;
inline constexpr Index kNone = kNoIndex;

/// Where in the rule files something stands; for diagnostics, coverage and proofs.
struct Place {
  Index file = kNone;  ///< in Program::files
  std::uint32_t line = 0, column = 0;
};

/// What an expression can read of the event (stateless half only). Names outside this list are
/// attributes of the event (Attr), `Attr` with the name in Expr::name.
enum class EventField : std::uint8_t {
  Node,
  Via,
  From,
  Ifname,
  Raw,
  Msg,
  App,
  Level,
  Host,
  Pid,
  Msgid,
  Tag,
  Vendor,
  Facility,
  Oid,
  Stamp,
  Repeat,
  Valid,
  Type,
  Agent,
  Id,
  Attr,
};

enum class ExprKind : std::uint8_t {
  Const,  ///< value
  Field,  ///< field (name when Attr): of the event; read as `type` (text of an enum, an ip, a row)
  Varbind,  ///< oid (octets, prefix match) or position (1-based); `instance`: the rest of the OID.
            ///< Its type is known on the wire only: `type` is what the rule reads it as
  Var,      ///< index: n-th variable of the scope (signal parameters, rule key, cause variables)
  Column,   ///< args[0] is a row; column `index` of table `table`. Unknown row: none. Of a set of
            ///< rows: the set of their columns
  Lookup,   ///< row of `table` by key args; none when there is no such row
  Related,  ///< args[0].relation(args[1]) -> bool; index = relation
  RelatedSet,  ///< args[0].relation -> set of all y; index = relation
  Not,
  Negate,
  And,
  Or,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  In,        ///< args[0] in args[1] (set, cidr, list)
  Coalesce,  ///< args[0] ?? args[1]
  IsNone,
  IsSome,
  Unknown,      ///< unknown(row): no such row in the inventory
  If,           ///< args: then, condition, else (else may be missing: none)
  Interpolate,  ///< title: texts[0] args[0] texts[1] args[1] ... texts[n]
  SetOf,        ///< { a, b, ... }
  Active,       ///< signal `index` is active for key args
  Measured,     ///< measured, and for Affected optionally a path of columns
  PolicyCall,   ///< policy `index` with args
  During,       ///< args[0] (a time) lies in calendar `index`
  // Of graph `index`; args[0] is a row of its nodes or edges (Expr::of of the argument says which).
  Behind,     ///< every path from every root to args[0] crosses args[1] (the tables decide)
  CutOff,     ///< args[1] is in the frontier and cuts args[0] off (what is down decides)
  Frontier,   ///< args[0] is in the frontier
  Neighbour,  ///< two nodes joined by an edge, or two edges that share a node
  Ends,       ///< args[0].edges(args[1]): args[1] is an edge with args[0] as an end
};

/// What a pattern measured, by name in titles. `index` of the expression: which aggregate (0 =
/// first of its kind).
enum class Measured : std::uint8_t {
  Count,
  Distinct,
  Share,
  Flaps,
  First,
  Last,
  Silence,
  Affected,
  AffectedCount,
  SymptomCount,
  Customers,
  CustomerCount,
  Value,  ///< of the first measure in the pattern: its aggregate, or else its newest sample
  Rate,
  Eta,
};

struct Expr {
  ExprKind kind = ExprKind::Const;
  Type type = Type::None;  ///< static type; Set for sets (items: `item_type`)
  Type item_type = Type::None;
  Index of = kNone;  ///< enum or table of `type` / `item_type`
  belfry::Value value;
  EventField field = EventField::Node;
  Measured measured = Measured::Count;
  Index index = kNone;
  Index table = kNone;
  std::uint32_t position = 0;  ///< Varbind by position; 0 = by OID
  bool instance = false;
  std::string_view name;  ///< Attr name, variable name: for messages
  std::string_view oid;   ///< Varbind: octets
  std::vector<const Expr*> args;
  std::vector<std::string_view> texts;
  Place place;
};

struct Param {
  std::string name;
  Type type = Type::String;
  Index of = kNone;  ///< enum or table
};

/// A piece of a text template: literal text, or a hole that a parameter takes.
struct TemplatePart {
  std::string literal;  ///< non-empty, or this part is a hole
  Index hole = kNone;   ///< index in Clause::holes; kNone with empty literal = `{_}`
};
struct Hole {
  std::string name;          ///< `_` is not stored
  Type type = Type::String;  ///< of the parameter it binds: an ip hole must parse as one
  Index of = kNone;
};

enum class ClauseKind : std::uint8_t { Raise, Clear, Sample };

/// One `raise`/`clear` line fed by events. The stateless half: which events satisfy it, and the
/// key.
struct Clause {
  ClauseKind kind = ClauseKind::Raise;
  Index signal = kNone;
  bool clear_all = false;    ///< key parts may be None: every matching key clears
  bool per_vantage = false;  ///< up only when every raiser has cleared (6.15); key of the
                             ///< contributor = value of `per` (default for probes: vantage)
  const Expr* per = nullptr;
  std::string event_type;             ///< "trap", "syslog", ...
  EventField head = EventField::Msg;  ///< field that the head literal matches
  std::string head_attr;              ///< name when head == Attr
  std::string oid;                    ///< trap head: octets of the notification; empty = any
  std::vector<TemplatePart>
      head_template;  ///< string head; one literal part = equality; empty = any
  std::string regex;  ///< `/.../` head instead of a template; its named groups are the holes
  std::vector<Hole> holes;
  const Expr* where =
      nullptr;  ///< over event fields, varbinds, holes (Var i = hole i) and inventory
  std::vector<const Expr*> key;  ///< by parameter; nullptr only with clear_all. Vars are holes
  const Expr* value = nullptr;   ///< Sample: a number; none is no sample
  Place place;
};

/// LANGUAGE 6.11-6.12. `count`, `flaps` count events; `distinct`, `share`, count of a rule count
/// keys; `avg` to `eta` are over the samples of a measure in the window.
enum class AggregateKind : std::uint8_t {
  CountEvents,
  CountKeys,
  Flaps,
  DistinctValues,
  DistinctKeys,
  Share,
  RateEvents,  ///< raises in the window / its length: per second
  Avg,
  Min,
  Max,
  Sum,
  Rate,  ///< of a counter: increase between the first and the last sample, per second
  Eta,   ///< time until the line through the samples reaches `target`; none when it never does
};
/// Over the samples of a measure: a window with values, not only times.
constexpr bool of_samples(AggregateKind kind) { return kind >= AggregateKind::Avg; }
enum class CompareOp : std::uint8_t { GreaterEqual, Greater, LessEqual, Less, Equal, NotEqual };

/// How one leaf of a pattern (a signal) reaches the keys of the rule.
struct Leaf {
  Index signal = kNone;  ///< in Program::signals (signals and rules)
  /// Arguments that are constants or expressions over the signal's own parameters: the leaf only
  /// sees keys for which all are true. Var i = parameter i of the signal.
  std::vector<const Expr*> filters;
  /// For each key part of the rule: expression over the signal's parameters (Var i), or nullptr
  /// when this leaf does not determine it. All set = Exact.
  std::vector<const Expr*> key;
  /// Set when one key part is reached through a relation: rule key part `relation_key` ranges over
  /// all y with (relation_from).relation(y); then key[relation_key] is nullptr.
  Index relation = kNone;
  Index relation_key = kNone;
  bool relation_reversed = false;       ///< y.relation(x): key part ranges over backward()
  const Expr* relation_from = nullptr;  ///< over the signal's parameters
};

enum class PatternKind : std::uint8_t {
  Signal,
  For,
  And,
  Or,
  Not,
  Aggregate,
  Then,
  ThenNot,
  Missing
};

struct Pattern {
  PatternKind kind = PatternKind::Signal;
  Index id = 0;                          ///< place in the rule's pattern, preorder; names its state
  std::vector<const Pattern*> children;  ///< For, Not: 1. And, Or: n. Then, ThenNot: 2
  Leaf leaf;                             ///< Signal, Aggregate, Missing
  Duration duration{0};  ///< For, Then, ThenNot, Missing: the time. Aggregate: `within`; 0 = none
  AggregateKind aggregate = AggregateKind::CountEvents;
  CompareOp op = CompareOp::GreaterEqual;
  const Expr* threshold = nullptr;  ///< number; may read rule key variables (Var i = key part i)
  const Expr* distinct = nullptr;   ///< Distinct*: value over the signal's parameters
  const Expr* target = nullptr;     ///< Eta: the number to reach; reads what `threshold` may read
  const Expr* condition = nullptr;  ///< Share: the population's condition as written (for explain).
                                    ///< Var i = parameter i of the leaf's signal, then the rule key
  Index name_index = 0;             ///< n-th aggregate of its kind in the rule (titles)
  std::uint64_t reach = 0;  ///< hash of what a leaf hears, for which keys: the same in all versions
  Place place;
};

enum class ClearKind : std::uint8_t { WithPattern, After, Quiet, Manual, When };
enum class Mode : std::uint8_t { Live, Shadow, Off };

struct OpenField {
  std::string name;             ///< title severity impact customer runbook escalate priority ...
  const Expr* value = nullptr;  ///< Var i = key part i; Measured, Active allowed
  Place place;
};

struct Rule {
  std::string name;
  std::string description;
  Index signal = kNone;  ///< the rule as a signal
  std::vector<Param> key;
  const Pattern* when = nullptr;
  std::vector<const Pattern*>
      patterns;                 ///< all nodes of `when` (and of `unless`, `clear when`) by id
  const Expr* where = nullptr;  ///< over the key
  std::vector<Index> graphs;    ///< whose live state `where` asks (frontier, cut_off)
  const Pattern* unless = nullptr;
  ClearKind clear = ClearKind::WithPattern;
  Duration clear_for{0};  ///< After, Quiet
  const Pattern* clear_when = nullptr;
  Duration settle{0}, hold{0}, recover{0}, reopen{0};
  bool settle_given = false;  ///< written in the rule itself, not from `defaults`
  std::uint64_t limit = 100'000;
  Mode mode = Mode::Live;
  std::vector<const Expr*> one_by;  ///< Measured expressions, greatest opens
  std::vector<OpenField> open;
  bool explainable = false;        ///< some cause has it as symptom: else `settle` is skipped
  std::uint32_t cause_depth = 0;   ///< depth in the cause graph, causes first
  std::uint64_t pattern_hash = 0;  ///< of the normalised pattern and keys: state identity (6.18)
  std::string was;
  Place place;
};

/// One variable of a `cause`: bound from the cause's key, the symptom's key, or both (then equal).
struct CauseVar {
  std::string name;
  Index cause_part = kNone, symptom_part = kNone;
  Type type = Type::String;
  Index of = kNone;
};
/// How to find the cause's key part from the symptom (LANGUAGE 10.6): so no cross product at run
/// time.
enum class ProbeKind : std::uint8_t {
  Var,       ///< equals a variable that the symptom binds
  Equal,     ///< equals `from` (over variables that the symptom binds)
  Forward,   ///< ranges over all y with from.relation(y)
  Backward,  ///< ranges over all y with y.relation(from)
  Items,     ///< ranges over the items of the set `from`
  Graph,     ///< ranges over all y of graph `relation` with from.ask(y); or y.ask(from) (`turned`)
  Scan,      ///< nothing helps: look at all live incidents of the cause (check warns)
};
struct CauseProbe {
  ProbeKind kind = ProbeKind::Scan;
  Index var = kNone;  ///< Var: variable index
  const Expr* from = nullptr;
  Index relation = kNone;           ///< Graph: the graph
  ExprKind ask = ExprKind::CutOff;  ///< Graph: Behind, CutOff, Neighbour or Ends
  bool turned = false;              ///< Graph, Ends: `from` is the edge
  bool edge = false;                ///< Graph: the key part is an edge of the graph, else a node
};
struct Cause {
  Index cause = kNone;    ///< rule
  Index symptom = kNone;  ///< rule
  std::vector<CauseVar> vars;
  std::vector<const Expr*> filters;  ///< constant arguments as conditions over vars
  const Expr* where = nullptr;       ///< Var i = vars[i]; the whole condition, always checked
  std::vector<CauseProbe> probes;    ///< one per key part of the cause
  std::vector<Index> graphs;         ///< whose live state `where` asks (frontier, cut_off)
  /// It is a step in a circle of causes, which asks this graph: it does not explain a symptom with
  /// an element of the frontier in its key, so that no circle closes (LANGUAGE 6.8).
  Index circle = kNone;
  Place place;
};

/// A declared signal, or a rule as a signal.
struct Signal {
  std::string name;
  std::string description;
  std::vector<Param> params;
  std::vector<Index> clauses;  ///< in Program::clauses
  Index rule = kNone;          ///< set: this signal is that rule
  /// `raise when PATTERN by KEY` / `clear when`: derived. Active while any contributor is. The
  /// pattern's rule key is this signal's parameters; patterns by id as in Rule.
  const Pattern* raise_when = nullptr;
  const Pattern* clear_when = nullptr;
  std::vector<const Pattern*> patterns;
  Duration expire{0};             ///< 0 = never
  std::uint64_t limit = 100'000;  ///< keys
  bool probe_fed = false;
  bool measure = false;  ///< raised by Sample clauses, never cleared
  std::string unit;      ///< of a measure; empty = a bare number
  Place place;
};

/// `graph`: nodes and edges are rows of two tables; `down` says what takes one out (LANGUAGE 3).
struct Graph {
  std::string name;
  Index nodes = kNone, edges = kNone;        ///< tables
  Index column_a = kNone, column_b = kNone;  ///< of the edges' table: its two ends
  const Expr* roots = nullptr;               ///< Var 0 = a row of the nodes' table
  struct Down {
    Index signal = kNone;  ///< declared; active for a key takes that node or edge out
    Index part = 0;        ///< which parameter of the signal is the node or edge
    bool edge = false;
    std::vector<const Expr*> filters;  ///< constant arguments, as in Leaf. Var i = parameter i
  };
  std::vector<Down> down;
  Place place;
};

/// `calendar`: weekly hours in a zone, less the days of lists of dates.
struct Calendar {
  std::string name;
  std::uint8_t days = 0;               ///< bit 0 = Monday ... bit 6 = Sunday
  Duration from{0}, to{0};             ///< since midnight, local; to > from, at most 24 h
  std::string zone;                    ///< IANA
  std::vector<std::string> except;     ///< as written: names of lists of dates
  std::vector<std::int32_t> days_off;  ///< days since 1970-01-01, sorted; of all lists
  Place place;
};

/// `maintenance`: windows that make incidents planned (LANGUAGE 6.10). One entry per rule it
/// covers.
struct Maintenance {
  std::string name, description;
  /// `each w in TABLE`: every row is a window, its columns `start` and `end` say when. kNone: one
  /// fixed window.
  Index table = kNone;
  Index start_column = kNone, end_column = kNone;
  Instant from{0}, to{0};
  Duration grace{0};
  Index rule = kNone;       ///< covered
  std::vector<Param> vars;  ///< Var i < key.size(): key part i of the rule; the last: row `w`
  std::vector<const Expr*> filters;  ///< constant arguments as conditions over vars
  const Expr* where = nullptr;
  Place place;
};

struct PolicyLine {
  const Expr* value = nullptr;
  const Expr* condition = nullptr;  ///< nullptr on the `else` line
  Place place;
};
struct Policy {
  std::string name;
  std::vector<Param> params;  ///< Var i = argument i
  Type type = Type::Enum;
  Index of = kNone;
  std::vector<PolicyLine> lines;  ///< first match wins; the last has no condition
};

struct EscalationStep {
  Duration after{0};
  bool page = false;   ///< else notify
  std::string target;  ///< team or person, resolved by the desk's configuration
  bool unless_acked = false, unless_mitigated = false;
  const Expr* condition =
      nullptr;           ///< Var 0 = tier, Var 1 = priority, Var 2 = impact, Var 3 = severity
  Index during = kNone;  ///< calendar: taken only when its time lies in it
  Place place;
};
struct Escalation {
  std::string name;
  std::vector<EscalationStep> steps;
  Place place;
};

struct EventType {
  std::string name;
  struct Field {
    std::string name;
    Type type = Type::String;
    Index of = kNone;
    bool optional = false, head = false;
    EventField field = EventField::Attr;
  };
  std::vector<Field> fields;
};

struct Test;  ///< `test` blocks, see belfry/rules/tests.hpp

/// Position of `tier`, `priority`, `impact`, `severity` enums in the schema, kNone when not
/// declared.
struct WellKnownEnums {
  Index tier = kNone, priority = kNone, impact = kNone, severity = kNone;
};

struct Program {
  std::uint64_t version = 0;       ///< given by the sequencer; 0 before
  std::string hash;                ///< content hash of all texts
  std::vector<std::string> files;  ///< paths as given
  std::shared_ptr<const Schema> schema;
  std::vector<EventType> event_types;
  std::vector<Clause> clauses;
  std::vector<Signal> signals;  ///< declared signals, then rules
  std::vector<Rule> rules;
  std::vector<Cause> causes;
  std::vector<Policy> policies;
  std::vector<Escalation> escalations;
  std::vector<Graph> graphs;
  std::vector<Calendar> calendars;
  std::vector<Maintenance> maintenances;
  std::vector<Index> signal_order;  ///< topological: contributors before what is derived from them
  std::vector<std::shared_ptr<const Test>> tests;
  Index node_table = kNone;  ///< table of the events' `node`
  Index port_table = kNone;  ///< table `port` keyed (node, ifname), if declared
  Index customer_table = kNone;
  WellKnownEnums enums;

  // Owners of what the above points to.
  std::deque<Expr> exprs;
  std::deque<Pattern> pattern_nodes;
  std::deque<std::string> texts;
  std::deque<ValueSet> sets;
  std::deque<std::vector<Value>> set_items;

  Index find_rule(std::string_view name) const;
  Index find_signal(std::string_view name) const;  ///< signals and rules
};

}  // namespace belfry::rules
