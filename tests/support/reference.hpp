#pragma once
// Reference: the semantics of LANGUAGE 6 written as plainly as we can, O(rules x events) and worse.
// It is the oracle of the property test: engine and reference must make the same changes.
//
// Every rule key keeps every raise it ever heard and counts again whenever it is asked; every
// clause is tried on every event, every incident as a cause of every other. It shares no code with
// the engine but `rules::evaluate` for expressions and the model's values.
//
// Not in it: budgets, silences, graphs.
//
//   reference.cpp            inputs, facts, timers
//   reference_patterns.cpp   which keys a signal reaches; truth of patterns
//   reference_samples.cpp    measures
//   reference_incidents.cpp  the life of incidents, causes
//   reference_maintenance.cpp  windows that make incidents planned
//   reference_shown.cpp      what is told
//   reference_versions.cpp   new rules, new inventory
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "belfry/model/arena.hpp"
#include "belfry/model/change.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/eval.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::testing {

/// LANGUAGE 6.2: deadlines are rounded up to full 10 ms.
inline std::int64_t up(Instant t) {
  constexpr std::int64_t kTick = 10'000'000;
  return (t.ns + kTick - 1) / kTick * kTick;
}

class Reference {
 public:
  Reference(std::shared_ptr<const rules::Program> program,
            std::shared_ptr<const Inventory> inventory, Instant start);

  /// What the inventory it was made with leads to.
  void start(std::vector<IncidentChange>& out);
  /// A new version of the rules or of the inventory (6.18, 6.19).
  void set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                   std::vector<IncidentChange>& out);
  void set_inventory(std::shared_ptr<const Inventory> inventory, Seq seq, Instant at,
                     std::vector<IncidentChange>& out);
  /// REQUIRES: every deadline before `at` was fired by advance().
  void on_event(const Event& event, Seq seq, Instant at, std::vector<IncidentChange>& out);
  /// Fires all timers at or before `at`.
  void advance(Instant at, Seq seq, std::vector<IncidentChange>& out);
  /// A person closes an incident (6.9); false when there is none to close.
  bool close_by_hand(IncidentId id, Seq seq, Instant at, std::vector<IncidentChange>& out);
  /// From `from` to `to` nobody listened (6.3).
  void deaf(Instant from, Instant to, Seq seq, std::vector<IncidentChange>& out);
  Instant next_deadline() const;
  std::vector<IncidentId> live() const;

  /// A graph at one moment: `node n1`, `edge l7`.
  struct NaiveGraph {
    std::set<std::string> nodes, roots, removed;
    std::map<std::string, std::pair<std::string, std::string>> edges;  ///< with both ends
    std::set<std::string> reached, frontier;                           ///< R and F
  };

 private:
  using Key = std::vector<Value>;
  static constexpr Duration kNoLease = Duration::max();
  enum class Life : std::uint8_t { Idle, Pending, Waiting, Open, Symptom, Clearing, Closed };

  /// One raise as one leaf of one rule key heard it, kept for ever.
  struct Heard {
    Instant at;
    std::uint64_t repeat = 1;
    bool edge = false;  ///< idle -> active
    double value = 0;   ///< of a sample
    std::string word;   ///< what `distinct` counts; empty = none
  };
  struct SignalKey {
    Key key;
    std::set<std::string> contributors;
    Instant first{0}, last{0};
    std::optional<Instant> expires;
    std::uint64_t count = 0;
    Duration lease = kNoLease;  ///< of the newest raise, by its own word
  };
  /// What one part of a pattern remembers for one key.
  struct NodeState {
    bool truth = false;
    bool became = false;   ///< it became true when it was last asked; became_at: the last time
    bool latched = false;  ///< keys: the threshold was reached
    bool on = false;       ///< a sequence is complete
    bool armed = false;    ///< `then not` waits
    bool running = false;
    Instant since{0};               ///< `for` runs, `then not` waits: since when
    std::vector<Heard> heard;       ///< leaf
    std::optional<Instant> newest;  ///< leaf: newest raise
    std::optional<Instant> became_at;
    bool raised = false;  ///< leaf: in this round
  };
  /// One key of a rule or of a derived signal.
  struct RuleKey {
    Key key;
    std::string text;
    std::vector<NodeState> nodes;
    bool truth = false, started = false, cleared = false;
    bool holds = false, begun = false;        ///< for the incident: not while `clear when` is true
    bool declared = false;                    ///< `missing`: a row of the inventory
    std::optional<std::uint64_t> idle_since;  ///< number of the round; it may be evicted
    // incident
    Life life = Life::Idle;
    bool blocked = false, released = false, shown_before = false, was_symptom = false;
    bool removed = false;  ///< its row left the inventory
    bool planned = false;
    std::string noted;  ///< window that stands and began after it
    std::pair<std::string, Instant> told_window{"", Instant{0}};  ///< name and end as last said
    Instant began{0}, due{0}, released_at{0}, closed_at{0}, ended_at{0}, last_raise{0};
    Instant last_sample{0}, removed_until{0};
    Seq began_seq;
    IncidentId id;
    std::uint32_t nth = 0;
    std::uint64_t count = 0, flaps = 0;
    IncidentId sibling;  ///< `one by`: the greater one it hangs under
    std::vector<IncidentId> causes;
    std::vector<IncidentId> told_causes;
    std::uint32_t told_symptoms = 0;
    std::optional<std::pair<std::string, Severity>> told;  ///< title and severity as last said
  };
  struct Window {
    Instant from, until;  ///< grace included
    std::string name;
  };
  struct Cover {
    std::optional<Window> held;
    std::vector<Window> later;
  };
  using Reached = std::pair<std::set<std::string>, std::set<std::string>>;  ///< R and F
  /// A rule or a derived signal: what has a pattern.
  struct Node {
    rules::Index signal = rules::kNone;
    std::string name;
    const rules::Rule* rule = nullptr;
    bool live = true;  ///< not a rule in shadow
    const std::vector<rules::Param>* params = nullptr;
    const rules::Pattern* when = nullptr;
    const rules::Pattern* unless = nullptr;
    const rules::Pattern* clear_when = nullptr;
    const std::vector<const rules::Pattern*>* patterns = nullptr;
    std::uint64_t limit = 0;
    std::map<std::string, RuleKey> keys;
    std::set<std::string> touched;
    std::map<rules::Index, Reached> graphs;  ///< as of its last evaluation
  };
  /// What a rule or signal had no place for.
  struct Overflow {
    std::uint64_t refused = 0;
    std::optional<Incident> shown;
    bool changed = false;
    std::uint32_t nth = 0;
  };
  using IncidentRef = std::pair<Node*, RuleKey*>;
  struct ByDepth {
    bool operator()(const IncidentRef& a, const IncidentRef& b) const;
  };

  // facts
  void match(const Event& event);
  bool clause_matches(const rules::Clause& clause, const Event& event, Key& key, std::string& by,
                      double& value);
  void raise(rules::Index signal, const Key& key, const std::string& by, std::uint64_t repeat,
             double value = 0);
  Duration expire_of(rules::Index signal, const SignalKey& key) const;
  void clear(rules::Index signal, const Key& key, const std::string& by);
  void gone(rules::Index signal, const std::string& text);
  void touch(rules::Index signal, const SignalKey& key);
  void make_keys(rules::Index signal, const SignalKey& key);
  void hear(rules::Index signal, const SignalKey& key, const Heard& raise);
  RuleKey* add_key(Node& node, const Key& key);
  void meet(Node& node, RuleKey& key);
  bool make_room(Node& node);
  void refuse(const std::string& name);
  void tell_overflow(Seq seq, std::vector<IncidentChange>& out);
  void begin_round(Instant at, bool timers);
  static IncidentId make_id(const std::string& rule, const std::string& key, Instant at, Seq seq);

  // reach
  bool passes(const rules::Leaf& leaf, const Key& key);
  bool reaches(const rules::Leaf& leaf, const Key& key, const Key& rule_key);
  std::vector<Key> reached(const rules::Leaf& leaf, const Key& key);
  static std::optional<Instant> newest(const RuleKey& key, const rules::Pattern& item);
  static bool is_leaf(const rules::Pattern& pattern);
  static bool in_tree(const rules::Pattern* tree, const rules::Pattern* part);
  bool exact(const rules::Leaf& leaf) const;

  // patterns
  void finish_round(Seq seq, std::vector<IncidentChange>& out);
  void propagate();
  void evaluate_node(Node& node, RuleKey& key);
  bool truth(Node& node, RuleKey& key, const rules::Pattern& pattern);
  bool listened(const Node& node) const;
  void drive(Node& node, RuleKey& key, bool was, bool clear_edge);
  bool running_out(const Node& node, RuleKey& key, const rules::Pattern& pattern, bool child);
  bool sequence(const Node& node, RuleKey& key, const rules::Pattern& pattern);
  bool sequence_without(const Node& node, RuleKey& key, const rules::Pattern& pattern);
  bool missing(const Node& node, RuleKey& key, const rules::Pattern& pattern);
  bool started(RuleKey& key, const rules::Pattern& pattern) const;
  bool aggregate(const Node& node, RuleKey& key, const rules::Pattern& pattern);
  double measure(const RuleKey& key, const rules::Pattern& pattern, bool near);
  double count_events(const RuleKey& key, const rules::Pattern& pattern);
  void arm_window(const Node& node, const RuleKey& key, const rules::Pattern& pattern);
  Duration delay(const RuleKey& key, const rules::Pattern& pattern) const;
  std::set<std::string> distinct_values(const RuleKey& key, const rules::Pattern& pattern,
                                        bool near);
  std::string word_of(const rules::Pattern& pattern, const Key& signal_key);
  void forget_idle();
  bool pinned(const Node& node, const RuleKey& key);
  bool busy(const Node& node, const RuleKey& key);
  bool remembers(const Node& node, const RuleKey& key);
  bool in_window(const RuleKey& key, const rules::Pattern& pattern);
  Instant since(const RuleKey& key, const rules::Pattern& pattern);

  // maintenance
  bool has_windows(const Node& node) const;
  bool only_works(const Inventory& old) const;
  void look_at_windows();
  std::vector<Window> windows_of(const IncidentRef& ref);
  Cover cover_of(const IncidentRef& ref);
  bool is_planned(const IncidentRef& ref);
  bool note_window(const IncidentRef& ref);
  void plan(const IncidentRef& ref);
  void step_planned(const IncidentRef& ref, std::vector<IncidentChange>& out);
  void arm_windows(const IncidentRef& ref);

  // versions
  void make_nodes();
  void take_signals(const std::vector<std::string>& old_names,
                    std::vector<std::map<std::string, SignalKey>>& old_signals);
  void take_node(Node& node, const Node& from, const rules::Program& of);
  void close_orphans(std::vector<Node>& old, std::vector<IncidentChange>& out);
  void reach_anew();
  void declare_rows();
  void mark_removed(const Inventory& old);
  void look_again();
  bool step_removed(const IncidentRef& ref, std::vector<IncidentChange>& out);

  // incidents
  void run(const IncidentRef& ref, Seq seq, std::vector<IncidentChange>& out);
  bool step(const IncidentRef& ref, Seq seq, std::vector<IncidentChange>& out);
  bool step_idle(const IncidentRef& ref, Seq seq);
  bool step_pending(const IncidentRef& ref, std::vector<IncidentChange>& out);
  bool step_live(const IncidentRef& ref, std::vector<IncidentChange>& out);
  bool step_waiting(const IncidentRef& ref, std::vector<IncidentChange>& out);
  bool probe_fed(const Node& node) const;
  bool step_one_by(const IncidentRef& ref, std::vector<IncidentChange>& out);
  bool end_pattern(const IncidentRef& ref, std::vector<IncidentChange>& out);
  Instant clear_deadline(const IncidentRef& ref) const;
  bool step_clearing(const IncidentRef& ref, std::vector<IncidentChange>& out);
  bool drop(RuleKey& key);
  void forget(RuleKey& key);
  void open(const IncidentRef& ref, std::vector<IncidentChange>& out);
  void close(const IncidentRef& ref, IncidentReason reason, std::vector<IncidentChange>& out);
  void become_symptom(const IncidentRef& ref, IncidentReason reason,
                      std::vector<IncidentChange>& out);
  void release(const IncidentRef& ref, std::vector<IncidentChange>& out);
  std::vector<IncidentRef> candidates(const IncidentRef& ref);
  bool explains(const rules::Cause& cause, const RuleKey& a, const RuleKey& b);
  void push_symptoms(const IncidentRef& ref);
  void refresh_causes(const IncidentRef& ref);
  std::uint32_t symptoms_of(const RuleKey& key) const;
  void update_visible(std::vector<IncidentChange>& out);
  void fill_texts(Incident& i, Node& node, RuleKey& k);
  void emit(const IncidentRef& ref, IncidentState before, IncidentReason reason,
            std::vector<IncidentChange>& out);
  std::vector<double> one_by_values(const IncidentRef& ref);
  bool share_contributor(Node& node, const RuleKey& a, const RuleKey& b);

  // graphs
  NaiveGraph graph_now(rules::Index graph);
  static void find_reached(NaiveGraph& graph);
  bool ask_graph(rules::ExprKind what, rules::Index graph, const Value& x, const Value& y);
  static bool neighbours(const NaiveGraph& graph, const std::string& a, const std::string& b);
  void touch_graph_rule(Node& node);
  void work_after_graphs();

  struct Numbers {
    std::vector<double> count, distinct, share, flaps, value, rate, eta;
    rules::MeasuredValues values;
  };
  Numbers numbers(Node& node, RuleKey& key);
  std::pair<double, double> sampled(const RuleKey& key, const rules::Pattern& pattern);
  void add_sampled(Numbers& out, const rules::Pattern& pattern, RuleKey& key);

  // time
  bool passed(Instant deadline) const;
  void arm(Instant deadline, const std::string& name, const std::string& key);
  Value keep(const Value& value);
  Key keep(const Key& key);
  bool active(rules::Index signal, std::span<const Value> key) const;
  rules::Env env(std::span<const Value> vars);

  std::shared_ptr<const rules::Program> program_;
  std::shared_ptr<const Inventory> inventory_;
  Arena arena_;
  rules::ActiveQuery active_;
  rules::GraphQuery ask_graph_;
  std::map<std::string, Reached> graphs_told_;  ///< by graph, as of the last round
  std::vector<Node> nodes_;
  std::vector<std::map<std::string, SignalKey>> signals_;
  std::map<std::string, Overflow> overflows_;  ///< by name of the rule or signal
  std::uint64_t round_ = 0;
  /// (tick, name of rule or signal, key text)
  std::set<std::tuple<std::int64_t, std::string, std::string>> timers_;
  std::set<IncidentRef, ByDepth> work_;
  std::set<IncidentRef, ByDepth> seen_;  ///< of this round: may be forgotten at its end
  Instant now_{0};
  bool timer_round_ = false;
  bool rebuilding_ = false;  ///< a version of the rules: `for` counts from when its signal went up
  Duration leased_ = kNoLease;  ///< by the event at hand
};

}  // namespace belfry::testing
