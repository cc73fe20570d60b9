// Measures: where samples come from, their units, lines of signals that compare them, aggregates.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, 7> kUnits{
    "percent", "bytes", "bits_per_second", "celsius", "seconds", "ratio", "count"};
/// How long a measure is remembered that no window asks for.
constexpr Duration kLifetime = 1h;

struct SampleWord {
  std::string_view word;
  AggregateKind kind;
};
constexpr std::array<SampleWord, 6> kSampleWords{{{"avg", AggregateKind::Avg},
                                                  {"min", AggregateKind::Min},
                                                  {"max", AggregateKind::Max},
                                                  {"sum", AggregateKind::Sum},
                                                  {"rate", AggregateKind::Rate},
                                                  {"eta", AggregateKind::Eta}}};

Ty number_type() {
  Ty ty;
  ty.type = Type::Float;
  return ty;
}

bool is_number(const Expr* e) { return e->type == Type::Int || e->type == Type::Float; }

bool in_unit(AggregateKind kind) { return of_samples(kind) && kind != AggregateKind::Eta; }

}  // namespace

std::optional<AggregateKind> Checker::sample_kind(std::string_view word) {
  const auto found = std::find_if(kSampleWords.begin(), kSampleWords.end(),
                                  [&](const SampleWord& w) { return w.word == word; });
  return found == kSampleWords.end() ? std::nullopt : std::optional(found->kind);
}

Index Checker::measure_index(std::size_t n) const {
  return static_cast<Index>(signal_nodes_.size() + n);
}

/// Measures are numbered behind the declared signals and share their name space.
void Checker::declare_measures() {
  for (std::size_t m = 0; m < measure_nodes_.size(); ++m) {
    const NodeRef node = measure_nodes_[m];
    const TokenRef word = node.token(1);
    if (!signals_.emplace(word.text(), measure_index(m)).second) {
      error(word, "B0210",
            fmt::format("'{}' is the name of a signal and of a measure", word.text()),
            "rename one of them");
    }
    Signal& signal = program_->signals.emplace_back();
    signal.name = word.text();
    signal.measure = true;
    signal.place = place(node);
    const TokenRef unit = node.token(TokenKind::Word, 2);
    if (node.token(TokenKind::Colon) && unit) {
      signal.unit = unit.text();
      if (std::find(kUnits.begin(), kUnits.end(), unit.text()) == kUnits.end()) {
        error(unit, "B0524", fmt::format("'{}' is no unit", unit.text()),
              did_you_mean(unit.text(), kUnits, join_or(kUnits)));
        signal.unit.clear();
      }
    }
  }
}

void Checker::measure(std::size_t n) {
  const Index index = measure_index(n);
  Signal& signal = program_->signals[index];
  const NodeRef source = measure_nodes_[n].child(NodeKind::Source);
  const EventType* event = source ? source_event(source) : nullptr;
  if (event == nullptr) {
    return;
  }
  for (const Param& param : signal.params) {
    if (param.name == "value") {
      error(measure_nodes_[n].child(NodeKind::Params), "B0214",
            "'value' is the number of a measure and cannot name a part of its key");
      return;
    }
  }
  Clause clause;
  clause.kind = ClauseKind::Sample;
  clause.signal = index;
  clause.place = place(measure_nodes_[n]);
  Scope scope;
  std::vector<std::string> oids;
  source_clause(clause, source, *event, scope, oids);
  for (const Param& param : signal.params) {
    clause.key.push_back(bind(clause, param, source, scope));
  }
  bound_names(clause, source);
  clause.value = sample_value(clause, source, *event, scope);
  signal.probe_fed = event->name == "probe";
  if (clause.value != nullptr) {
    add_clauses(clause, oids);
  }
}

/// `with value = ...`, or the event's field `value`.
const Expr* Checker::sample_value(const Clause& clause, NodeRef source, const EventType& event,
                                  const Scope& scope) {
  for (const NodeRef& with : source.children(NodeKind::With)) {
    if (with.token(std::size_t{0}).text() == "value") {
      const NodeRef value = with.child(std::size_t{0});
      return value ? expr(value, scope, number_type()) : nullptr;
    }
  }
  for (const EventType::Field& field : event.fields) {
    if (field.name == "value" && (field.type == Type::Float || field.type == Type::Int)) {
      return event_field(source, scope, "value");
    }
  }
  if (!source.broken()) {
    error(source, "B0520",
          fmt::format("'{}' has no number: '{}' has no field 'value'",
                      program_->signals[clause.signal].name, event.name),
          "with value = EXPRESSION");
  }
  return nullptr;
}

/// `raise disk where value >= 95%`: the measure's own source, narrowed by the comparison.
void Checker::measure_clause(Index index, NodeRef node, Index of) {
  const Signal& measure = program_->signals[of];
  const NodeRef source = node.child(NodeKind::Source);
  if (measure.clauses.empty()) {
    return;  // told at the measure
  }
  const TokenRef literal = source.token(1);
  if (literal && literal.kind() != TokenKind::Word) {
    error(literal, "B0404",
          fmt::format("'{}' is a measure: its source is given there", measure.name),
          "narrow it by where");
    return;
  }
  Clause clause = program_->clauses[measure.clauses.front()];
  const EventType& event = program_->event_types[events_.at(clause.event_type)];
  Scope scope;
  scope.event = &event;
  scope.place = "in this line";
  scope.unit = measure.unit;
  scope.aliases.push_back({"value", clause.value});
  for (std::size_t i = 0; i < measure.params.size(); ++i) {
    scope.aliases.push_back({measure.params[i].name, clause.key[i]});
  }
  hole_vars(clause, scope);
  const Expr* from = clause.where;
  clause.kind =
      node.token(std::size_t{0}).text() == "clear" ? ClauseKind::Clear : ClauseKind::Raise;
  clause.signal = index;
  clause.clear_all = node.has_word("all");
  clause.place = place(node);
  clause.value = nullptr;
  clause.where = source_where(source, scope);
  if (from != nullptr && clause.where != nullptr) {
    Ty boolean;
    boolean.type = Type::Bool;
    Expr* both = make(ExprKind::And, boolean, source);
    both->args = {from, clause.where};
    clause.where = both;
  } else if (from != nullptr) {
    clause.where = from;
  }
  Signal& signal = program_->signals[index];
  clause.key.clear();
  for (const Param& param : signal.params) {
    clause.key.push_back(bind(clause, param, source, scope));
  }
  bound_names(clause, source);
  raisers(clause, node, event, scope);
  signal.probe_fed = signal.probe_fed || (measure.probe_fed && clause.kind == ClauseKind::Raise);
  std::vector<std::string> oids;
  for (const Index c : measure.clauses) {
    if (!program_->clauses[c].oid.empty()) {
      oids.push_back(program_->clauses[c].oid);
    }
  }
  add_clauses(clause, oids);
}

// ------------------------------------------------------------------------------------ aggregates

/// The unit of what an expression reads: of `value` in a line, of a named aggregate in a title.
std::optional<std::string_view> Checker::unit_in(NodeRef node, const Scope& scope) const {
  if (node.is(NodeKind::Name)) {
    const std::string_view word = node.token(std::size_t{0}).text();
    if (find_var(scope, word) != nullptr) {
      return std::nullopt;
    }
    if (word == "value" && !scope.aliases.empty()) {
      return scope.unit;
    }
    if (scope.rule == nullptr) {
      return std::nullopt;
    }
    for (const NamedAggregate& named : scope.rule->aggregates) {
      if (named.name == word && named.of != kNone && named.measured != Measured::Eta) {
        return program_->signals[named.of].unit;
      }
    }
    const Index of = word == "value"  ? scope.rule->value_of
                     : word == "rate" ? scope.rule->rate_of
                                      : kNone;
    return of == kNone ? std::nullopt : std::optional<std::string_view>(program_->signals[of].unit);
  }
  for (const NodeRef& child : node.children()) {
    if (const auto unit = unit_in(child, scope)) {
      return unit;
    }
  }
  return std::nullopt;
}

/// A percentage or a duration where a number in some unit is expected.
const Expr* Checker::literal_in_unit(NodeRef node, TokenRef token) {
  const std::string_view unit = *unit_;
  const std::string_view text = token.text();
  const bool percent = token.kind() == TokenKind::Percent;
  double number = 0;
  if (percent && (unit == "percent" || unit == "ratio" || unit.empty())) {
    number = parse_float(text.substr(0, text.size() - 1)).value_or(0);
    number = unit == "percent" ? number : number / 100;
  } else if (!percent && unit == "seconds") {
    number = static_cast<double>(parse_duration(text)->count()) / 1e9;
  } else {
    error(
        token, "B0523",
        fmt::format("'{}' is {}, the measure is {}", text, percent ? "a percentage" : "a duration",
                    unit.empty() ? "a bare number" : fmt::format("in {}", unit)),
        "write a number in the measure's unit");
    return nullptr;
  }
  return constant(Value::real(number), number_type(), node);
}

const Expr* Checker::in_unit_of(Index signal, NodeRef node, const Scope& scope) {
  const auto before = unit_;
  unit_ = std::string_view(program_->signals[signal].unit);
  const Expr* e = expr(node, scope);
  const bool seconds = *unit_ == "seconds";
  unit_ = before;
  if (e != nullptr && e->type == Type::Duration && seconds) {  // a column of durations
    Ty ty;
    ty.type = Type::Duration;
    Expr* number = make(ExprKind::Divide, number_type(), node);
    number->args = {e, constant(Value::duration(1s), ty, node)};
    return number;
  }
  return e;
}

/// What an aggregate is compared with.
const Expr* Checker::threshold(const Pattern& p, NodeRef node, const RuleState& state,
                               std::string_view word) {
  const Scope scope = key_scope(state, "in the key of the rule");
  const Expr* e = in_unit(p.aggregate) ? in_unit_of(p.leaf.signal, node, scope) : expr(node, scope);
  if (e == nullptr) {
    return nullptr;
  }
  const bool eta = p.aggregate == AggregateKind::Eta;
  if (eta ? e->type != Type::Duration : !is_number(e)) {
    error(node, "B0302",
          fmt::format("{} is compared with a {}, found {}", word, eta ? "duration" : "number",
                      value_name(e)),
          eta ? "e.g. eta(disk, 100%) < 4h within 6h" : "");
    return nullptr;
  }
  return e;
}

/// Which of the aggregates of numbers it is; false when it does not fit what it is about.
bool Checker::sample_aggregate(Pattern& p, NodeRef node, RuleState& state, const LeafScope& leaf) {
  const std::string_view word = node.token(std::size_t{0}).text();
  const NodeRef of = node.child(NodeKind::AggregateOf);
  const Signal& signal = program_->signals[leaf.signal];
  p.aggregate = *sample_kind(word);
  if (word == "rate" && !signal.measure && signal.rule == kNone) {
    p.aggregate = AggregateKind::RateEvents;
  } else if (!signal.measure) {
    error(of, "B0521",
          fmt::format("'{}' works on a measure, '{}' is a {}", word, signal.name,
                      signal.rule == kNone ? "signal" : "rule"),
          "measure NAME(KEY): UNIT from probe \"CHECK\"");
    return false;
  }
  if (of.token(TokenKind::Dot)) {
    error(of, "B0507", fmt::format("'{}' takes a measure, not one of its parameters", word));
    return false;
  }
  if (p.duration.count() == 0 && !node.broken()) {
    error(node, "B0506", fmt::format("'{}' is over a time: expected 'within <duration>'", word),
          "samples of an unbounded time would never be freed");
    return false;
  }
  p.name_index = state.samples++;
  const Measured measured = p.aggregate == AggregateKind::Eta ? Measured::Eta
                            : word == "rate"                  ? Measured::Rate
                                                              : Measured::Value;
  name_aggregate(node, state, measured, p.name_index, signal.measure ? leaf.signal : kNone);
  if (state.done) {
    return true;  // `unless`, `clear when`: titles say what `when` measured
  }
  const auto first = [&](Index& index, Index& named) {
    if (index == kNone) {
      index = p.name_index;
      named = signal.measure ? leaf.signal : kNone;
    }
  };
  if (signal.measure) {
    first(state.value_index, state.value_of);
  }
  if (measured == Measured::Rate) {
    first(state.rate_index, state.rate_of);
  } else if (measured == Measured::Eta) {
    state.eta_index = state.eta_index == kNone ? p.name_index : state.eta_index;
  }
  return true;
}

/// `rate` and `eta` follow one series, `eta` has a target.
bool Checker::series(Pattern& p, NodeRef node, const RuleState& state, NodeRef target) {
  if (p.aggregate != AggregateKind::Rate && p.aggregate != AggregateKind::Eta) {
    return true;
  }
  const Signal& signal = program_->signals[p.leaf.signal];
  for (Index i = 0; i < signal.params.size(); ++i) {
    const auto is_param = [&](const Expr* e) {
      return e != nullptr && e->kind == ExprKind::Var && e->index == i;
    };
    const auto fixes = [&](const Expr* e) {
      return e->kind == ExprKind::Equal && is_param(e->args[0]) &&
             e->args[1]->kind == ExprKind::Const;
    };
    if (std::none_of(p.leaf.key.begin(), p.leaf.key.end(), is_param) &&
        std::none_of(p.leaf.filters.begin(), p.leaf.filters.end(), fixes)) {
      error(node, "B0522",
            fmt::format("'{}' follows one series: '{}' of '{}' is not in the key",
                        node.token(std::size_t{0}).text(), signal.params[i].name, signal.name),
            fmt::format("by ..., {}", signal.params[i].name));
      return false;
    }
  }
  if (p.aggregate != AggregateKind::Eta) {
    return true;
  }
  if (!target) {
    error(node, "B0525", "eta needs a number to reach", "eta(disk, 100%) < 4h within 6h");
    return false;
  }
  p.target = in_unit_of(p.leaf.signal, target, key_scope(state, "in the key of the rule"));
  if (p.target != nullptr && !is_number(p.target)) {
    error(target, "B0302", fmt::format("eta reaches a number, found {}", value_name(p.target)));
    return false;
  }
  return p.target != nullptr;
}

/// True, with an error, when a measure stands where something is up or down.
bool Checker::is_measure(NodeRef at, Index signal) {
  if (!program_->signals[signal].measure) {
    return false;
  }
  const std::string& name = program_->signals[signal].name;
  error(at, "B0521", fmt::format("'{}' is a measure: a number, not up or down", name),
        fmt::format("compare it: avg({}) >= ... within 5m", name));
  return true;
}

/// A measure lives as long as some window may still hold its samples.
void Checker::measure_lifetimes() {
  for (const Pattern& p : program_->pattern_nodes) {
    if (p.leaf.signal < program_->signals.size() && program_->signals[p.leaf.signal].measure) {
      Duration& expire = program_->signals[p.leaf.signal].expire;
      expire = std::max(expire, p.duration);
    }
  }
  for (Signal& signal : program_->signals) {
    if (signal.measure && signal.expire.count() == 0) {
      signal.expire = kLifetime;
    }
  }
}

}  // namespace belfry::rules
