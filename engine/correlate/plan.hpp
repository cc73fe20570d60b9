#pragma once
// Plan: a Program as the fold needs it: which patterns listen to a signal, in which order what is
// derived is computed, which causes may explain a rule. Made once per program version.
//
// An *owner* is whatever has a pattern: a rule, or a signal with `raise when` / `clear when`. It
// drives exactly one signal, so owners and signals share their numbers.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/rules/program.hpp"
#include "slab.hpp"

namespace belfry::correlate {

using rules::AggregateKind;
using rules::PatternKind;

inline constexpr std::uint16_t kNoNode = UINT16_MAX;
/// LANGUAGE 6.12: thresholds up to this are counted exactly, over the newest so many times.
inline constexpr std::size_t kRingTimes = 64;
inline constexpr std::int64_t kSlices = 64;

enum class Tree : std::uint8_t { When, Unless, ClearWhen };
enum class WindowKind : std::uint8_t { None, Ring, Slices, Values, Samples };

struct PlanNode {
  const rules::Pattern* pattern = nullptr;
  Tree tree = Tree::When;
  WindowKind window = WindowKind::None;
  bool by_keys = false;   ///< counts keys that are active now, with a latch
  bool distinct = false;  ///< by_keys over edge values
  bool exact = true;      ///< leaf: determines the whole key, so what it remembers keeps the key
  bool raise_matters = false;  ///< its truth may change at a raise of a key that was active already
  std::uint32_t owner = kNil;
  std::vector<std::uint16_t> children;
  PatternKind kind() const { return pattern->kind; }
  bool is_leaf() const {
    return kind() == PatternKind::Signal || kind() == PatternKind::Aggregate ||
           kind() == PatternKind::Missing;
  }
};

enum class Reach : std::uint8_t { Exact, Relation, Partial };

/// One leaf that listens to a signal.
struct LeafUse {
  std::uint32_t owner = kNil;
  std::uint16_t node = kNoNode;
  Reach reach = Reach::Exact;
  const rules::Leaf* leaf = nullptr;
  const rules::Expr* value = nullptr;  ///< what distinct, share and `values` count
  bool existing_only = false;  ///< missing: keys are declared by the inventory, never by events
};

struct OwnerPlan {
  bool used = false;
  std::uint32_t signal = kNil;
  const rules::Rule* rule = nullptr;
  std::uint32_t rule_index = kNil;
  const std::vector<rules::Param>* params = nullptr;
  std::vector<PlanNode> nodes;  ///< when, unless, clear_when in preorder
  std::uint16_t when = kNoNode, unless = kNoNode, clear_when = kNoNode;
  std::uint32_t place = 0;  ///< in signal_order
  bool live = false;        ///< a rule whose incidents are shown and explain
  bool probe_fed = false;
  bool windowed = false;  ///< keys may outlive their signals: windows, sequences
  bool has_missing = false;
  std::uint64_t limit = 0;
  std::uint64_t key_bytes = 0;  ///< of one key with its nodes and full windows
  std::vector<std::uint32_t> partial_uses, exact_uses;
  std::vector<std::uint16_t> window_nodes;
  bool asks_affected = false;   ///< a title or customer field names what contributes
  bool derived_inside = false;  ///< some contributor has a pattern of its own
};

/// One entry of the `down` of a graph, at the signal it names.
struct GraphDown {
  std::uint32_t graph = 0, down = 0;
};

/// Who follows a graph.
struct GraphPlan {
  std::uint32_t place = 0;            ///< last of its `down` signals in signal_order
  std::vector<std::uint32_t> owners;  ///< rules whose `where` asks it
  std::vector<std::uint32_t> scans;   ///< causes that ask it when they are looked at, not before
};

struct SignalPlan {
  const std::vector<rules::Param>* params = nullptr;
  std::string_view name;
  std::vector<std::uint32_t> uses;  ///< leaves that listen
  std::int64_t expire = 0;
  std::uint64_t limit = 0;
  bool by_first_part = false;  ///< some clause clears all keys of a device
  bool refused = false;        ///< more key parts than kKeyPartsMax
  bool measure = false;        ///< raised by samples
  std::vector<GraphDown> downs;
};

/// A table whose rows are windows of maintenance.
struct WindowSource {
  std::uint32_t table = kNil, start = kNil, end = kNil;
  Duration grace{0};
  bool operator==(const WindowSource&) const = default;
};
/// A line of maintenance that covers a rule.
struct WindowUse {
  std::uint32_t line = kNil;    ///< in Program::maintenances
  std::uint32_t source = kNil;  ///< in Plan::window_sources; kNil: a fixed window
};

struct Plan {
  std::shared_ptr<const rules::Program> program;
  std::vector<OwnerPlan> owners;  ///< by signal
  std::vector<SignalPlan> signals;
  std::vector<LeafUse> uses;
  std::vector<std::uint32_t> rank;  ///< by signal: place of its name in name order
  std::vector<std::vector<std::uint32_t>> causes_of;  ///< by rule: causes whose symptom it is
  std::vector<std::vector<std::uint32_t>> causes_by;  ///< by rule: causes whose cause it is
  std::vector<bool> cause_scans;                      ///< by cause: no index helps
  std::vector<bool> cause_partial;  ///< by cause: probes find part of the key, the rest is open
  std::vector<GraphPlan> graphs;

  std::vector<std::vector<WindowUse>> windows_of;  ///< by rule
  std::vector<WindowSource> window_sources;
  std::vector<bool> only_windows;  ///< by table: at most maintenance reads it

  explicit Plan(std::shared_ptr<const rules::Program> from);

 private:
  void add_owner(std::uint32_t signal);
  std::uint16_t add_tree(OwnerPlan& owner, const rules::Pattern* pattern, Tree tree, bool raises);
  void add_use(std::uint32_t owner, std::uint16_t node);
  void add_causes();
  void add_maintenance();
  void add_only_windows();
  void add_order();
  void add_graphs();
};

}  // namespace belfry::correlate
