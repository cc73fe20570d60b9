#pragma once
// The records of the fold. Sizes matter here: a million signal keys are a million of these.
#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/model/change.hpp"
#include "belfry/runtime/timer_queue.hpp"
#include "keys.hpp"
#include "plan.hpp"
#include "samples.hpp"

namespace belfry::correlate {

inline constexpr std::int64_t kForever = INT64_MAX;
inline constexpr std::int64_t kNotYet = INT64_MIN;  ///< "has not happened"

/// A key of a signal that is up. Idle keys have no record.
struct SignalKey {
  Key key;
  std::uint32_t signal = kNil;
  std::uint32_t edges = kNil;  ///< first Edge
  bool plain = false;          ///< raised by a clause without `per`
  bool derived = false;        ///< raised by `raise when`, or it is a rule
  std::unique_ptr<std::vector<Text>> vantages;
  std::uint64_t count = 0;  ///< raises since it went up
  std::int64_t first = 0, last = 0;
  std::int64_t lease = kForever;  ///< how long the newest raise holds by its own word
  TimerSlot timer;                ///< expire, or the lease
};

/// "This signal key reaches that leaf of that owner key": made when the signal goes up, so that a
/// repeat or a clear evaluates nothing.
struct Edge {
  std::uint32_t signal = kNil;  ///< SignalKey
  std::uint32_t key = kNil;     ///< OwnerKey
  std::uint32_t next_of_signal = kNil;
  std::uint32_t next_of_node = kNil, previous_of_node = kNil;
  Text value = kNil;  ///< what `distinct` and `share` count
  std::uint16_t node = kNoNode;
  bool pins = false;  ///< from an exact leaf: keeps the key alive
};

/// Last raise of each value of a `distinct` over values.
struct ValueTimes {
  absl::flat_hash_map<Text, std::int64_t> last;
  std::int64_t oldest = kForever;  ///< not later than the oldest time in it
  bool many = false;               ///< more than kValuesMax were seen
};
/// Times of a window aggregate.
struct Window {
  std::vector<std::int64_t> ring;  ///< Ring: times, oldest at `head`. Slices: 64 counts
  std::uint32_t head = 0, size = 0;
  std::int64_t newest_slice = 0;
  std::uint64_t total = 0;             ///< Slices: sum
  std::unique_ptr<ValueTimes> values;  ///< Values only
  std::unique_ptr<Samples> samples;    ///< Samples only
};
/// Values: bound of LANGUAGE 6.12.
inline constexpr std::size_t kValuesMax = 4096;

/// Distinct edge values and how many edges carry each.
using ValueCounts = absl::flat_hash_map<Text, std::uint32_t>;

/// What one node of a pattern remembers for one key.
struct NodeState {
  std::int64_t x = kNotYet;  ///< leaf: newest raise. For, ThenNot: deadline
  /// Signal: number of its newest raise, in this run only. Else: last false->true edge.
  std::int64_t y = kNotYet;
  std::uint32_t edges = kNil, count = 0;
  std::uint32_t window = kNil;  ///< Window or ValueCounts, by the node's plan
  bool on = false;              ///< For done, latch, sequence true
  bool armed = false;           ///< ThenNot waits
  bool holds = false;           ///< truth at the last evaluation
};

/// A key of a rule or of a derived signal.
struct OwnerKey {
  Key key;
  std::uint32_t owner = kNil;  ///< = signal it drives
  std::uint32_t incident = kNil;
  std::uint32_t pins = 0;  ///< edges of exact leaves
  bool started = false, holds = false;
  bool clearing = false;  ///< `clear when` is true
  bool blocked = false;   ///< closed by hand: until the pattern was false once
  bool declared = false;  ///< `missing`: a row of the inventory
  bool dirty = false, in_work = false, in_updates = false, fired = false;
  std::unique_ptr<NodeState[]> nodes;
  std::uint64_t count = 0, flaps = 0;  ///< of the incident
  std::uint64_t raise_number = 0;      ///< raise that was counted last: one raise, several leaves
  std::int64_t first_raise = kNotYet, last_raise = kNotYet;
  std::int64_t pattern_next = kForever;
  std::uint64_t touched = 0;  ///< place in the order of eviction; 0 = it may not be evicted
  bool resting = false;       ///< became idle in this round
  TimerSlot timer;
};

enum class Phase : std::uint8_t { Pending, Waiting, Live, Clearing, Closed };

/// One candidate slot a live symptom watches: if this rule key ever lives, it explains.
struct Slot {
  std::uint32_t cause = kNil;
  Key key;
  bool operator==(const Slot&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const Slot& s) {
    return H::combine(std::move(h), s.cause, hash_key(s.key));
  }
};

struct Proof {
  EventKind kind = EventKind::Syslog;
  Seq seq;
  Instant at;
  std::string text;  ///< raw bytes (a trap's OID octets); made printable when shown
};
inline constexpr std::size_t kProofsMax = 8;  ///< first and last so many (DESIGN, LANGUAGE 6.20)
inline constexpr std::size_t kProofBytesMax = 240;
struct Proofs {
  std::vector<Proof> first, last;  ///< `last` is a ring
  std::uint32_t last_head = 0;
};

/// A window of maintenance with its grace: [from, until).
struct WorkWindow {
  std::int64_t from = kForever, until = kNotYet;
  std::string name;
};
/// What covers an incident; follows from its key, its `began_at` and the versions.
struct Cover {
  std::uint64_t version = 0;
  WorkWindow held;                ///< holds `began_at`, with what it joins; its `from` says nothing
  std::vector<WorkWindow> later;  ///< begin after it, in order
};

/// What was last said of an incident and is kept until the next change.
struct Shown {
  std::string title;
  Severity severity = Severity::Indeterminate;
  Text impact = kNil, tier = kNil, escalation = kNil, policy = kNil, runbook = kNil;
  std::uint32_t symptoms = 0;
  std::vector<Text> customers, nodes;
  std::vector<IncidentId> causes;
  Text maintenance = kNil;
  std::int64_t planned_until = 0;
};

struct IncidentRecord {
  std::uint32_t key = kNil;  ///< OwnerKey
  IncidentId id;
  Instant began_at;
  Seq began_seq;
  Phase phase = Phase::Pending;
  bool visible = false;      ///< it is on the feed and not closed
  bool was_closed = false;   ///< pending again inside `reopen`
  bool closed_once = false;  ///< opening it again is `reopened`
  bool released = false;
  bool was_symptom = false;  ///< clearing: what it was
  bool symptom = false;      ///< live: symptom, else open
  bool planned = false;      ///< live: in a maintenance window, or under a silence
  bool removed = false;      ///< its row left the inventory
  std::int64_t due_at = kNotYet, ready_at = kNotYet, recover_until = kNotYet;
  std::int64_t released_at = kNotYet, ended_at = kNotYet, removed_until = kForever;
  std::int64_t opened_at = 0, closed_at = 0;
  std::int64_t next = kForever;  ///< own deadline
  std::uint32_t nth = 0;
  IncidentId sibling;  ///< what `one by` preferred; 0 = none
  std::uint32_t symptoms = 0;
  std::vector<IncidentId> causes;  ///< in order; only while explained
  std::vector<Slot> slots;
  std::uint64_t noted = 0;  ///< hash of the window that was said to have begun after it
  std::unique_ptr<Cover> cover;
  std::unique_ptr<Proofs> proofs;
  std::unique_ptr<Shown> shown;  ///< as last emitted
};

}  // namespace belfry::correlate
