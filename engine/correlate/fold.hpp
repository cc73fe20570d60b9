#pragma once
// Fold: the state of the correlator and its steps, one file per responsibility:
//
//   inputs.cpp     an input or a tick becomes a round: facts, propagation, incidents, updates
//   signals.cpp    raises, clears, expiry, contributors
//   links.cpp      which keys of which owners a signal key reaches
//   windows.cpp    counts over time
//   samples.cpp    numbers over time
//   patterns.cpp   truth of a rule key
//   incidents.cpp  the life of an incident
//   causes.cpp     who explains whom
//   planned.cpp    windows of maintenance
//   graphs.cpp     what the roots of a graph reach, and who asked
//   shown.cpp      what readers see
//   versions.cpp   new rules, new inventory
//   snapshot.cpp   save, load, hash
//   budgets.cpp    rules that use more than they may
//   members.cpp    replay's `--incidents`
#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/rules/eval.hpp"
#include "budgets.hpp"
#include "graph.hpp"
#include "plan.hpp"
#include "records.hpp"

namespace belfry::correlate {

/// What a timer belongs to.
struct TimerRef {
  std::uint32_t record = kNil;
  bool signal = false;  ///< SignalKey, else OwnerKey
};

/// One entry of the list of incidents to step, in the order LANGUAGE 6.2 gives.
struct Work {
  std::uint32_t depth = 0, rank = 0;
  std::string text;
  std::uint32_t key = kNil;
  bool operator>(const Work& o) const {
    return std::tie(depth, rank, text) > std::tie(o.depth, o.rank, o.text);
  }
};

/// Who raises: a plain clause, one vantage, or the signal's own pattern.
struct Contributor {
  enum class Kind : std::uint8_t { Plain, Vantage, Derived } kind = Kind::Plain;
  std::string_view vantage;
  std::int64_t until = kForever;  ///< its own word on when the fact ends unless it is said again
};

/// Keys that a leaf reaches by part of their key only (LANGUAGE 10.6), and signal keys that wait
/// for a rule key to come into being.
struct PartialEntry {
  std::vector<std::uint32_t> signals, keys;
};

/// What a rule could not keep (LANGUAGE 6.17).
struct Overflow {
  std::uint64_t refused = 0;
  std::uint32_t nth = 0;
  std::unique_ptr<Incident> shown;  ///< open while set
  bool changed = false;
};

struct Silence {
  std::string text;  ///< `rule` or `rule(key, *)`
  std::string who;
  Instant until;
};

/// A row of a table of works: [from, until).
struct RowWindow {
  std::int64_t from = 0, until = 0;
  std::uint32_t row = 0;
};
struct RowWindows {
  std::uint64_t version = 0;
  std::vector<RowWindow> rows;  ///< by end
};

/// The values of a key, on the stack.
struct Vars {
  std::array<Value, kKeyPartsMax> values;
  std::size_t size = 0;
  std::span<const Value> span() const { return {values.data(), size}; }
};

/// An incident of a rule that is gone: closed at the version that took the rule away.
struct Orphan {
  IncidentId id;
  std::uint32_t nth = 0;
  std::unique_ptr<Incident> overflow;  ///< set: that of a full rule
};

struct Truth {
  bool holds = false, started = false;
};

/// keep_members: what a rule key's session was made of.
struct Contribution {
  std::uint32_t signal = kNil;
  std::string key;
  Seq since;
  auto operator<=>(const Contribution&) const = default;
};
struct Session {
  Seq since;
  std::set<Contribution> parts;
};
struct KeyLog {
  std::vector<Seq> events;
  Seq up_since;
};

struct Fold;

IncidentId make_incident_id(const std::string& rule, const std::string& key, Instant at, Seq seq);

/// One piece of work on behalf of a unit: its expressions share one budget of steps, and a strike
/// is counted at its end. Pieces may lie inside each other; each pays for its own. Without a unit:
/// a bound that nobody is blamed for.
class Piece {
 public:
  inline explicit Piece(Fold& fold);
  Piece(Fold& fold, const Unit& unit) : Piece(fold) { unit_ = unit; }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece();

 private:
  Fold& fold_;  ///< outlives it
  std::optional<Unit> unit_;
  std::uint64_t outer_;
};

struct Fold {
  explicit Fold(CorrelatorOptions with);

  // inputs.cpp
  void on_event(const Event& event, std::span<const Match> matches, Seq at_seq, Instant at,
                std::vector<IncidentChange>& to);
  void fire(Instant until, bool inclusive, Seq at_seq, std::vector<IncidentChange>& to);
  void on_deaf(Instant from, Instant until, Seq at_seq, std::vector<IncidentChange>& to);
  CommandResult on_command(const Command& command, Seq at_seq, Instant at,
                           std::vector<IncidentChange>& to);
  void begin(Seq at_seq, std::int64_t at, bool timers_fire, std::vector<IncidentChange>& to);
  void finish();  ///< propagation, incidents, updates
  void put_off(std::int64_t tick);
  void run_tick(std::int64_t tick, Seq at_seq, std::vector<IncidentChange>& to);
  void propagate();
  void settle_timers();
  void restart_deaf_timers(std::int64_t at);
  CommandResult close_by_hand(const Command& command);
  CommandResult silence(const Command& command);
  TimerSlot* slot_of(const TimerRef& ref);

  // signals.cpp
  void apply(const Match& match, const Event& event);
  std::int64_t expire_of(const SignalKey& key) const;
  void arm_expiry(std::uint32_t record, std::int64_t from);
  void raise(std::uint32_t signal, std::span<const Value> key, const Contributor& by,
             std::uint64_t times);
  void clear(std::uint32_t signal, std::span<const Value> key, const Contributor* only);
  void clear_matching(std::uint32_t signal, std::span<const Value> key, const Contributor* only);
  void clear_record(std::uint32_t record, const Contributor* only);
  void drop_signal_key(std::uint32_t record);
  std::uint32_t add_signal_key(std::uint32_t signal, const Key& key);
  bool add_contributor(SignalKey& key, const Contributor& by);
  bool find_key(const std::vector<rules::Param>& params, std::span<const Value> values, Key& out);
  bool make_key(const std::vector<rules::Param>& params, std::span<const Value> values, Key& out);
  void release(const Key& key);
  void retain(const Key& key);
  Vars values_of(const Key& key, const std::vector<rules::Param>& params) const;
  std::string text_of(const Key& key, const std::vector<rules::Param>& params) const;
  std::string signal_text(const SignalKey& key) const;
  std::string owner_text(const OwnerKey& key) const;

  // links.cpp
  void link(std::uint32_t signal_key);
  void link_use(std::uint32_t signal_key, std::uint32_t use, std::span<const Value> values);
  void link_related(std::uint32_t signal_key, std::uint32_t use, Text value, Vars& target,
                    const rules::Env& env);
  void link_target(std::uint32_t signal_key, std::uint32_t use, Text value,
                   std::span<const Value> target);
  PartialEntry& wait_for_key(std::uint32_t signal_key, std::uint32_t use, const Key& key);
  void meet(std::uint32_t owner_key, std::uint32_t use, const std::vector<std::uint32_t>& signals,
            bool pins);
  void link_partial(std::uint32_t signal_key, std::uint32_t use, Text value,
                    std::span<const Value> target);
  void link_new_key(std::uint32_t owner_key);
  void add_edge(std::uint32_t signal_key, std::uint32_t owner_key, std::uint16_t node, Text value,
                bool pins);
  void unlink(std::uint32_t signal_key);
  void forget_partial(std::uint32_t signal_key, std::uint32_t use, const Key& key);
  void remove_edge(std::uint32_t edge);
  void drop_partials_of(std::uint32_t owner_key);
  bool windows_may_fall(const OwnerKey& key) const;
  void notify(const Edge& edge, std::uint64_t times, bool went_up);
  std::uint32_t find_owner_key(std::uint32_t owner, const Key& key) const;
  std::uint32_t add_owner_key(std::uint32_t owner, const Key& key);
  std::uint32_t insert_owner_key(std::uint32_t owner, const Key& key);
  bool make_room(std::uint32_t owner);
  void remove_owner_key(std::uint32_t record);
  void maybe_remove(std::uint32_t record);
  void settle_idle();
  void mark_dirty(std::uint32_t record);
  void relink_all();
  Text edge_value(const LeafUse& use, const rules::Env& env);

  // windows.cpp
  void push_window(const PlanNode& plan, NodeState& state, const Edge& edge, std::uint64_t times);
  double window_value(const PlanNode& plan, NodeState& state);
  double samples_value(const PlanNode& plan, NodeState& state, const Vars& vars);
  Samples* samples_of(const NodeState& state);
  std::int64_t window_next(const PlanNode& plan, NodeState& state, double value, double threshold);
  bool window_empty(const PlanNode& plan, const NodeState& state) const;
  void prune_windows();
  void drop_window(const PlanNode& plan, NodeState& state);

  // patterns.cpp
  void evaluate_key(std::uint32_t record);
  Truth evaluate(OwnerKey& key, std::uint16_t node, const Vars& vars);
  Truth evaluate_for(OwnerKey& key, std::uint16_t node, const Vars& vars);
  Truth evaluate_aggregate(OwnerKey& key, std::uint16_t node, const Vars& vars);
  Truth evaluate_window(OwnerKey& key, std::uint16_t node, double threshold, const Vars& vars);
  double threshold_of(const rules::Pattern& pattern, const Vars& vars);
  Truth evaluate_then(OwnerKey& key, std::uint16_t node, const Vars& vars);
  Truth evaluate_then_not(OwnerKey& key, std::uint16_t node, const Vars& vars);
  bool raised_now(const OwnerKey& key, std::uint16_t node, bool was) const;
  Truth evaluate_missing(OwnerKey& key, std::uint16_t node);
  double keys_value(const OwnerKey& key, std::uint16_t node) const;
  double near_value(const OwnerKey& key, std::uint16_t node) const;
  double share_of(const OwnerKey& key, std::uint16_t node, double part) const;
  std::int64_t newest_raise(const OwnerKey& key, std::uint16_t node) const;
  std::int64_t since(const OwnerKey& key, std::uint16_t node) const;
  std::int64_t release_delay(const OwnerKey& key, std::uint16_t node) const;
  double measured_value(OwnerKey& key, std::uint16_t node);
  void drive_signal(std::uint32_t record, bool was, bool is, bool clear_edge);
  void wake_at(OwnerKey& key, std::int64_t deadline);
  bool reached(std::int64_t deadline) const;
  bool keys_empty(const OwnerKey& key) const;

  // incidents.cpp
  void add_work(std::uint32_t record);
  void run_incidents();
  void step(std::uint32_t record);
  bool begin_incident(std::uint32_t record);
  bool step_pending(std::uint32_t record);
  bool step_waiting(std::uint32_t record);
  bool step_live(std::uint32_t record);
  bool step_clearing(std::uint32_t record);
  bool step_closed(std::uint32_t record);
  bool step_removed(std::uint32_t record);
  void become_due(std::uint32_t record);
  void open(std::uint32_t record);
  bool give_way(std::uint32_t record);
  bool holds(const OwnerKey& key) const;
  bool started(const OwnerKey& key) const;
  const rules::Rule& rule_of(const OwnerKey& key) const { return *plan->owners[key.owner].rule; }
  bool shares_contributor(std::uint32_t a, std::uint32_t b) const;
  void become_symptom(std::uint32_t record, IncidentReason reason);
  void release_symptom(std::uint32_t record);
  void end_pattern(std::uint32_t record);
  void close(std::uint32_t record, IncidentReason reason);
  void drop_pending(std::uint32_t record);
  void forget(std::uint32_t record);
  std::int64_t clear_deadline(const OwnerKey& key) const;
  void wait_until(IncidentRecord& incident, std::int64_t deadline);
  void arm(std::uint32_t record);
  std::int64_t last_heard(const OwnerKey& key) const;
  IncidentRecord& incident_of(std::uint32_t record) { return incidents[keys[record].incident]; }
  const IncidentRecord* incident_if(std::uint32_t record) const;
  void add_proof(IncidentRecord& incident);
  std::vector<std::uint32_t> siblings(std::uint32_t record) const;
  bool preferred(std::uint32_t a, std::uint32_t b);
  bool silenced(std::uint32_t record) const;
  std::int64_t silence_ends() const;

  // planned.cpp
  const std::vector<RowWindow>& rows_of(std::uint32_t source);
  void add_windows(const rules::Maintenance& line, std::uint32_t source, std::int64_t began,
                   std::span<const Value> key, std::vector<WorkWindow>& to);
  const Cover& cover_of(std::uint32_t record);
  bool has_windows(std::uint32_t record) const;
  bool is_planned(std::uint32_t record);
  std::string began_before(std::uint32_t record);
  std::string window_note(std::uint32_t record);
  void step_planned(std::uint32_t record);
  bool differs(const IncidentRecord& incident, const WorkWindow& held) const;
  std::int64_t next_window(std::uint32_t record);
  bool only_windows_changed(const Inventory& old) const;
  void look_at_windows();

  // causes.cpp
  void watch_causes(std::uint32_t record);
  void unwatch_causes(std::uint32_t record);
  void watch_cause(std::uint32_t record, std::uint32_t cause);
  void add_slot(std::uint32_t record, std::uint32_t cause, const Key& key);
  bool make_slot_key(const rules::Cause& cause, std::span<const Value> values, Key& to);
  Key slot_key(std::uint32_t cause, const Key& of) const;
  void list_incident(std::uint32_t record);
  void unlist_incident(std::uint32_t record);
  void add_candidates(std::uint32_t record, const Slot& slot, std::vector<std::uint32_t>& to);
  bool cause_holds(const rules::Cause& cause, std::span<const Value> cause_key,
                   std::span<const Value> symptom_key);
  std::vector<std::uint32_t> candidates(std::uint32_t record);
  void scan(std::uint32_t record, std::uint32_t index, std::vector<std::uint32_t>& found);
  void set_causes(std::uint32_t record, const std::vector<std::uint32_t>& to);
  IncidentRecord* by_incident(IncidentId id);
  void tell_symptoms(std::uint32_t record);
  bool comes_before(std::uint32_t a, std::uint32_t b) const;
  bool explains(std::uint32_t record) const;     ///< pending to clearing
  bool is_due(std::uint32_t record) const;       ///< waiting to clearing
  bool established(std::uint32_t record) const;  ///< on the feed

  // graphs.cpp
  LiveGraph::Element element(std::uint32_t graph, const Value& row) const;
  void build_graphs();
  void build_graph(std::uint32_t index);
  void graph_fact(std::uint32_t signal_key, bool up);
  void settle_graphs(std::uint32_t place);
  void ask_again();
  void note_asked(std::uint32_t graph, LiveGraph::Element e);
  void forget_asked(std::uint32_t record);
  bool answer(rules::ExprKind what, std::uint32_t graph, const Value& x, const Value& y);
  void graph_range(const rules::CauseProbe& probe, const Value& from, std::vector<Value>& to);
  std::string blind_note(std::uint32_t record) const;
  bool circle_forbids(const rules::Cause& cause, std::span<const Value> symptom_key);

  // shown.cpp
  void emit(std::uint32_t record, IncidentState before, IncidentReason reason,
            std::string note = {});
  IncidentState state_of(const IncidentRecord& incident) const;
  void note_update(std::uint32_t record);
  void emit_updates();
  void fill(Incident& out, std::uint32_t record);
  void fill_fields(Incident& out, std::uint32_t record);
  void fill_open_field(Incident& out, const rules::OpenField& field, const rules::Env& env);
  void fill_counts(Incident& out, std::uint32_t record) const;
  void fill_tier(Incident& out) const;
  std::vector<std::string> nodes_of(std::uint32_t record) const;
  void collect_nodes(std::uint32_t record, std::set<std::string>& out, int depth) const;
  std::vector<Value> affected(std::uint32_t record) const;
  std::vector<Incident> live() const;
  Incident current(const IncidentRecord& incident) const;
  void fill_identity(Incident& out, const IncidentRecord& incident) const;
  void keep_shown(IncidentRecord& incident, const Incident& shown);
  void drop_shown(IncidentRecord& incident);
  std::vector<Text> texts_of(const std::vector<std::string>& list);
  void save_shown(const Shown& shown, ByteWriter& to) const;
  std::unique_ptr<Shown> load_shown(ByteReader& in);
  void emit_overflow(std::uint32_t signal);
  void refuse(std::uint32_t signal);
  Value measure(const rules::Expr& expr, std::uint32_t record);

  // versions.cpp
  void set_program(std::shared_ptr<const rules::Program> program, Seq at_seq, Instant at,
                   std::vector<IncidentChange>& to, bool inventory_follows);
  void set_inventory(std::shared_ptr<const Inventory> to_use, Seq at_seq, Instant at,
                     std::vector<IncidentChange>& to);
  void count_symptoms();
  void close_orphans(std::vector<Orphan>& orphans, std::map<IncidentId, Incident>& before);
  void reevaluate_all();
  void declare_missing();
  void close_removed(const Inventory& old);
  void reset();

  // snapshot.cpp
  void save(ByteWriter& to) const;
  /// `migrate`: into another program; what is gone there comes back in `orphans`, to be closed.
  Result<void> load(ByteReader& in, bool migrate, std::vector<Orphan>* orphans);
  void save_signal(std::uint32_t signal, ByteWriter& to) const;
  void save_owner(std::uint32_t owner, ByteWriter& to) const;
  void save_owner_key(std::uint32_t record, ByteWriter& to) const;
  void save_incident(const IncidentRecord& incident, ByteWriter& to) const;
  void save_window(const PlanNode& node, const NodeState& state, ByteWriter& to) const;
  bool load_key(ByteReader& in, std::size_t parts, Key& to);
  std::uint32_t known_as(std::string_view name) const;
  Result<void> load_signal(ByteReader& in, bool migrate);
  void load_signal_key(ByteReader& in, std::uint32_t signal, const Key& key, bool migrate);
  Result<void> load_owner(ByteReader& in, bool migrate, std::vector<Orphan>* orphans);
  bool load_owner_key(ByteReader& in, std::uint32_t owner, std::size_t parts,
                      const std::vector<WindowKind>& kinds, const std::vector<bool>& keep,
                      std::vector<Orphan>* orphans);
  void load_window(ByteReader& in, WindowKind kind, NodeState* state);
  void load_incident(ByteReader& in, std::uint32_t record, std::vector<Orphan>* orphans);
  void load_rest(ByteReader& in, bool with_budgets, bool migrate, std::vector<Orphan>* orphans);
  void relink_loaded();

  // budgets.cpp
  struct Named {
    std::string name, what, place;
  };
  void strike(const Unit& unit);
  void cut_off(const Unit& unit, OverBudget::What what);
  std::uint64_t bytes_of(std::uint32_t owner) const;
  std::uint64_t bytes_max(std::uint32_t owner) const;
  void weigh(std::uint32_t owner);
  bool forget_cut_owners();
  void forget_incidents(std::uint32_t owner);
  void forget_links(std::uint32_t owner);
  std::string place_text(const rules::Place& place) const;
  const rules::Place& place_of(std::uint32_t signal) const;
  std::string kind_and_name(std::uint32_t signal) const;
  Named named(const Unit& unit) const;
  void emit_over_budget(const Unit& unit, OverBudget& over);
  std::vector<IncidentChange> lift_budgets();
  static IncidentId self_incident_id(const Incident& of);
  void save_budgets(ByteWriter& to) const;
  void load_budgets(ByteReader& in, bool migrate);

  // members.cpp
  void log_event(std::uint32_t signal, const std::string& key, bool went_up);
  void log_link(std::uint32_t owner_key, const SignalKey& signal_key);
  void archive(std::uint32_t record);
  using KeyName = std::pair<std::uint32_t, std::string>;  ///< signal and key text
  void collect(const KeyName& owner, Seq since, std::map<KeyName, std::set<Seq>>& found,
               std::set<KeyName>& seen) const;
  std::vector<IncidentMembers> members() const;
  IncidentMembers members_of(std::uint32_t record) const;

  rules::Env env(std::span<const Value> vars);

  // --- state ---
  CorrelatorOptions options;
  std::unique_ptr<Plan> plan;
  std::shared_ptr<const Inventory> inventory;
  Strings strings;
  Slab<SignalKey> signal_keys;
  Slab<OwnerKey> keys;
  Slab<Edge> edges;
  Slab<Window> windows;
  Slab<ValueCounts> value_counts;
  Slab<IncidentRecord> incidents;
  std::vector<KeyTable<SignalKey>> signal_tables;  ///< by signal
  std::vector<KeyTable<OwnerKey>> owner_tables;    ///< by owner
  std::vector<absl::btree_map<std::uint64_t, std::uint32_t>>
      idle;  ///< by owner: evictable, oldest first
  std::vector<absl::flat_hash_map<Text, absl::flat_hash_set<std::uint32_t>>>
      by_first;  ///< `clear all`
  absl::flat_hash_map<std::uint32_t, std::vector<std::pair<std::uint32_t, Key>>> partials_of_signal;
  struct PartialKey {
    std::uint32_t use;
    Key key;
    bool operator==(const PartialKey&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const PartialKey& p) {
      return H::combine(std::move(h), p.use, hash_key(p.key));
    }
  };
  absl::flat_hash_map<PartialKey, PartialEntry> partials;
  absl::flat_hash_map<Slot, absl::InlinedVector<std::uint32_t, 2>>
      watchers;  ///< OwnerKeys of symptoms
  absl::flat_hash_map<Slot, absl::InlinedVector<std::uint32_t, 2>>
      partial_causes;  ///< incidents by the part of their key that a cause's probes find
  std::vector<absl::flat_hash_set<std::uint32_t>> scan_symptoms;  ///< by cause
  std::vector<absl::flat_hash_set<std::uint32_t>> incidents_of;   ///< by rule: OwnerKeys
  std::map<std::uint32_t, Overflow> overflows;                    ///< by signal
  std::map<std::string, Silence> silences;
  std::vector<RowWindows> row_windows;  ///< by source
  std::uint64_t windows_version = 1;    ///< of what decides covers: rules and inventory
  bool windows_follow = false;          ///< the inventory of these rules comes with this input
  std::map<Unit, OverBudget> over_budget;
  std::vector<bool> cut_lines, cut_owners, cut_causes;
  /// What owners hold beyond their keys: links, values of windows; vantages by signal.
  std::vector<std::uint64_t> links_of, window_values_of, vantages_of;
  absl::flat_hash_map<IncidentId, std::uint32_t> by_id;  ///< OwnerKeys
  std::vector<LiveGraph> graphs;  ///< by graph of the program; follows from the facts
  std::vector<absl::flat_hash_map<LiveGraph::Element, absl::InlinedVector<std::uint32_t, 2>>>
      askers;  ///< by graph: OwnerKeys of symptoms whose causes depend on the element
  absl::flat_hash_map<std::uint32_t, std::vector<std::pair<std::uint32_t, LiveGraph::Element>>>
      asked_by;  ///< the same by OwnerKey: graph, element
  TimerQueue<TimerRef> timers;
  std::int64_t next_deadline = kForever;
  std::uint64_t touch = 0, raises = 0;

  // --- the round under way ---
  Seq seq;
  std::int64_t now = 0;
  bool timer_round = false;
  bool rebuilding = false;  ///< `for` counts from when its signal went up
  bool loading = false;     ///< links reach existing keys only
  std::uint64_t first_raise_of_round = 0;
  const Event* event = nullptr;
  double sampled = 0;  ///< number of the sample that is being raised
  std::vector<IncidentChange>* out = nullptr;
  std::vector<Work> work;
  std::vector<std::uint32_t> updates;
  std::vector<std::uint32_t> resting;                          ///< rule keys that became idle
  std::vector<std::vector<std::uint32_t>> dirty;               ///< by owner
  std::vector<std::uint32_t> dirty_places;                     ///< heap of places in signal_order
  std::vector<std::uint32_t> owner_at;                         ///< place -> owner
  std::vector<std::uint32_t> owners_to_forget;                 ///< cut off in this round
  std::uint64_t steps_taken = 0;                               ///< of the piece of work under way
  std::vector<std::vector<LiveGraph::Element>> graph_changes;  ///< by graph, not yet told
  std::uint32_t asking = kNil;                                 ///< OwnerKey whose questions count
  Arena arena;
  rules::ActiveQuery active;
  rules::GraphQuery graph_query;

  // --- keep_members ---
  std::map<std::pair<std::uint32_t, std::string>, KeyLog> key_logs;
  std::map<std::pair<std::uint32_t, std::string>, Session> sessions;
  std::map<IncidentId, IncidentMembers> archived;
};

Piece::Piece(Fold& fold) : fold_(fold), outer_(std::exchange(fold.steps_taken, 0)) {}

}  // namespace belfry::correlate
