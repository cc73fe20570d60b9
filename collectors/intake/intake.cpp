#include "belfry/intake/intake.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <ctime>
#include <list>
#include <optional>

#include "belfry/base/check.hpp"
#include "belfry/rules/matcher.hpp"
#include "naming.hpp"
#include "relocate.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

using intake::AddressSet;
using intake::Naming;
using intake::Source;
using intake::SourceTable;

/// How often counts go into the ledger: it is shared and has a lock.
constexpr std::int64_t kSettleNs = 100'000'000;
constexpr std::int64_t kPublishNs = 1'000'000'000;  // the list of unknown senders, for people
/// Samples of refused input between two settlements: each takes the ledger's lock and allocates.
constexpr unsigned kSamplesPerSettle = 16;
constexpr std::size_t kReasonsMax = 32;
/// Part of a batch that one shed() frees: 128 events, so that its sorting is paid by many events.
constexpr std::size_t kShedPart = 8;

/// Nodes that no row of the inventory stands for. Bounded, coldest out.
class UnknownNodes {
 public:
  explicit UnknownNodes(std::size_t max) : max_(max < 1 ? 1 : max) {}
  void saw(std::string_view node, std::string_view address, Instant now) {
    if (last_ != nullptr && last_->node == node) {  // runs of one sender
      ++last_->events;
      last_->last = now;
      return;
    }
    auto it = by_node_.find(node);
    if (it == by_node_.end()) {
      if (by_node_.size() >= max_) {
        by_node_.erase(order_.back().node);
        order_.pop_back();
        ++forgotten_;
      }
      order_.push_front({std::string(node), std::string(address), 0, now});
      it = by_node_.emplace(order_.front().node, order_.begin()).first;
    } else {
      order_.splice(order_.begin(), order_, it->second);
    }
    last_ = &order_.front();
    ++last_->events;
    last_->last = now;
  }
  std::vector<SeenNode> copy() const { return {order_.begin(), order_.end()}; }
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  const std::size_t max_;
  std::list<SeenNode> order_;  // hottest first; its texts are the keys of the map
  absl::flat_hash_map<std::string_view, std::list<SeenNode>::iterator> by_node_;
  SeenNode* last_ = nullptr;
  std::uint64_t forgotten_ = 0;
};

}  // namespace

struct Intake::Impl {
  Impl(Port& p, Clock& c, Ledger& l, Metrics& m, IntakeOptions options)
      : port(p),
        clock(c),
        ledger(l),
        name(p.name()),
        relays(options.relays),
        sources(options.sources_max, relays, [this](std::uint32_t i) { write_counts(sources[i]); }),
        unknown(options.unknown_nodes_max),
        events_total(m.counter("belfry_intake_events_total", "Events handed to the ring",
                               {{"collector", name}})),
        refused_total(m.counter("belfry_intake_refused_total", "Inputs refused, shed or lost",
                                {{"collector", name}})),
        batches_total(m.counter("belfry_intake_batches_total", "Batches handed to the ring",
                                {{"collector", name}})),
        forgotten_gauge(m.gauge("belfry_intake_forgotten",
                                "Senders and unknown nodes pushed out of the bounded tables",
                                {{"collector", name}})),
        polled_ports(options.polled_ports) {
    tick();
    last_settle = boot_ns;
    last_publish = boot_ns - kPublishNs;
  }

  void tick() {
    wall = clock.wall();
    boot_ns = clock.boot_ns();
    if (polled_ports != nullptr && polled_ports->version() != polled_version) {
      polled_version = polled_ports->version();
      polled = polled_ports->view();
    }
  }

  // ---- versions and batches -------------------------------------------------------------------

  /// New rules or inventory: only between two batches.
  void adopt_versions() {
    versions = port.versions();
    naming = Naming::of(versions);
    ++naming_number;
    matcher.reset();
    if (versions != nullptr && versions->program != nullptr && versions->inventory != nullptr) {
      matcher.emplace(versions->program, versions->inventory);
    }
  }

  Batch& open() {
    if (batch == nullptr) [[unlikely]] {
      if (naming == nullptr || port.version_changed()) {
        adopt_versions();
      }
      batch = port.take_batch();
      begin_arena();
      batch_number = batch->number;
    }
    return *batch;
  }
  void begin_arena() { ++arena_serial; }

  // ---- sources --------------------------------------------------------------------------------

  std::uint32_t index_of(std::string_view from) {
    Source& last = sources[last_source];
    if (last.arena_serial == arena_serial && last.in_arena.data() == from.data() &&
        last.in_arena.size() == from.size()) {
      return last_source;
    }
    return last_source = sources.of_text(from);
  }
  Source& touch(std::uint32_t i) {
    Source& s = sources[i];
    if (!s.touched) {
      s.touched = true;
      touched.push_back(i);
    }
    return s;
  }
  static void add_reason(Source& s, std::string_view reason, std::uint64_t count) {
    for (auto& [word, n] : s.reasons) {
      if (word == reason) {
        n += count;
        return;
      }
    }
    if (s.reasons.size() >= kReasonsMax) {
      s.reasons.back().second += count;
      return;
    }
    s.reasons.emplace_back(
        s.reasons.size() + 1 == kReasonsMax ? std::string("refused") : std::string(reason), count);
  }
  void write_counts(Source& s) {
    if (s.received > 0) {
      ledger.add(name, s.text, "received", s.received);
    }
    if (s.stored > 0) {
      ledger.add(name, s.text, "stored", s.stored);
    }
    for (auto& [reason, count] : s.reasons) {
      if (count > 0) {
        ledger.add(name, s.text, reason, count);
        count = 0;
      }
    }
    s.received = s.stored = 0;
  }
  void settle(bool now) {
    if (!now && boot_ns - last_settle < kSettleNs) {
      return;
    }
    last_settle = boot_ns;
    samples_left = kSamplesPerSettle;
    // What lies in the open batch is neither stored nor refused yet: it is counted as received only
    // when that is decided, so that the sums are right at any moment.
    for (const std::uint32_t i : touched) {
      Source& s = sources[i];
      const std::uint64_t held = s.in_batch;
      s.received -= held;
      write_counts(s);
      s.received = held;
      s.touched = held > 0;
    }
    std::erase_if(touched, [this](std::uint32_t i) { return !sources[i].touched; });
    forgotten_gauge.set(static_cast<double>(sources.forgotten() + unknown.forgotten()));
    if (unknown_changed && (now || boot_ns - last_publish >= kPublishNs)) {
      last_publish = boot_ns;
      unknown_changed = false;
      const absl::MutexLock lock(&seen_mutex);
      seen = unknown.copy();
    }
  }

  // ---- naming ---------------------------------------------------------------------------------

  std::string_view node_of(Source& s) {
    if (s.naming != naming_number) {
      s.naming = naming_number;
      s.node = s.is_address ? naming->node_of_address(s.text) : std::string_view();
    }
    return s.node;
  }

  /// What a relay says the event is from; empty when it says nothing that means a device.
  static std::string_view claimed(const Event& e) {
    const std::string_view name = e.kind == EventKind::Trap ? e.agent : e.host;
    if (name == "0.0.0.0" || name == "::" || name == "localhost" || name.starts_with("127.0.0.") ||
        name == "-") {
      return {};
    }
    return name;
  }

  /// Spares names a look-up among addresses.
  static bool looks_like_address(std::string_view name) {
    return (name[0] >= '0' && name[0] <= '9') || name.find(':') != std::string_view::npos;
  }

  void name_event(Event& e, Source& s) {
    if (e.node.empty()) {
      std::string_view sender = node_of(s).empty() ? e.from : node_of(s);
      if (sender.empty()) {
        sender = "unknown";  // a collector that gave neither address nor node
      }
      const std::string_view name_given = s.relay ? claimed(e) : std::string_view();
      if (name_given.empty()) {
        e.node = sender;
        if (node_of(s).empty()) {
          unknown.saw(sender, e.from, wall);
          unknown_changed = true;
        }
      } else {
        e.via = sender;
        std::string_view node = naming->node_of_name(name_given);
        if (node.empty() && looks_like_address(name_given)) {
          node = naming->node_of_address(name_given);
        }
        if (node.empty()) {
          node = name_given;
          unknown.saw(node, e.from, wall);
          unknown_changed = true;
        }
        e.node = node;
      }
    } else if (e.kind == EventKind::Alert) {
      e.node = naming->canonical_node(e.node);
    }
    intake::name_port(*naming, e, polled.get(), &batch->arena);
  }

  // ---- handing over ---------------------------------------------------------------------------

  bool due(bool drained) const {
    if (batch == nullptr || batch->events.empty()) {
      return false;
    }
    return batch->full() || port.version_changed() ||
           boot_ns - batch->first_received_ns >= kBatchAge || (drained && port.idle());
  }

  bool push() {
    if (matcher && matched < batch->events.size()) {
      matcher->match(*batch, matched);
      matched = batch->events.size();
    }
    batch->program_version =
        versions != nullptr && versions->program != nullptr ? versions->program->version : 0;
    batch->inventory_version =
        versions != nullptr && versions->inventory != nullptr ? versions->inventory->version() : 0;
    const std::size_t events = batch->events.size();
    if (!port.try_push(batch)) {
      return false;
    }
    batch.reset();
    matched = 0;
    for (const std::uint32_t i : event_sources) {
      Source& s = sources[i];
      ++s.stored;
      s.in_batch = 0;
    }
    event_sources.clear();
    events_total.add(events);
    batches_total.add();
    return true;
  }

  // ---- fair share -----------------------------------------------------------------------------

  /// The number of events that a source may keep so that `free` events go, the loudest paying
  /// first.
  std::uint32_t fair_level(std::size_t free) {
    std::vector<std::uint32_t>& counts = scratch;
    counts.assign(event_sources.begin(), event_sources.end());
    std::sort(counts.begin(), counts.end());
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    std::uint32_t low = 0, high = 0;
    for (std::uint32_t& i : counts) {
      i = sources[i].in_batch;
      high = std::max(high, i);
    }
    // The highest level whose excess is still enough.
    while (low < high) {
      const std::uint32_t middle = low + (high - low + 1) / 2;
      std::size_t excess = 0;
      for (const std::uint32_t c : counts) {
        excess += c > middle ? c - middle : 0;
      }
      if (excess >= free) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /// Drops the newest events above the level, until `free` are gone; gives the map old -> new
  /// index.
  void drop_above(std::uint32_t level, std::size_t free) {
    std::vector<Event>& events = batch->events;
    keep.assign(events.size(), 1);
    for (std::size_t i = events.size(); i-- > 0 && free > 0;) {
      Source& s = sources[event_sources[i]];
      if (s.in_batch > level) {
        --s.in_batch;
        add_reason(s, "ring-full", 1);
        refused_total.add();
        keep[i] = 0;
        --free;
      }
    }
    if (on_shed) {
      on_shed(keep);
    }
    std::size_t to = 0, match_to = 0, match_at = 0, matched_to = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool kept = keep[i] != 0;
      for (; match_at < batch->matches.size() && batch->matches[match_at].event == i; ++match_at) {
        if (kept) {
          batch->matches[match_to] = batch->matches[match_at];
          batch->matches[match_to++].event = static_cast<std::uint32_t>(to);
        }
      }
      if (kept) {
        matched_to += i < matched ? 1 : 0;
        events[to] = events[i];
        event_sources[to++] = event_sources[i];
      }
    }
    events.resize(to);
    event_sources.resize(to);
    batch->matches.resize(match_to);
    matched = matched_to;
  }

  void rebuild_arena() {
    spare.clear();
    for (Event& e : batch->events) {
      intake::relocate(e, spare);
    }
    for (Match& m : batch->matches) {
      intake::relocate(m, spare);
    }
    std::swap(batch->arena, spare);
    begin_arena();
  }

  static constexpr std::int64_t kBatchAge = std::chrono::nanoseconds(kBatchAgeMax).count();

  Port& port;
  Clock& clock;
  Ledger& ledger;
  const std::string name;
  const AddressSet relays;
  SourceTable sources;
  UnknownNodes unknown;
  bool unknown_changed = false;
  Counter& events_total;
  Counter& refused_total;
  Counter& batches_total;
  Gauge& forgotten_gauge;

  Instant wall{0};
  std::int64_t boot_ns = 0, last_settle = 0, last_publish = 0;
  unsigned samples_left = kSamplesPerSettle;

  std::shared_ptr<const Versions> versions;
  std::shared_ptr<const Naming> naming;
  std::uint64_t naming_number = 0;
  std::optional<rules::Matcher> matcher;

  std::unique_ptr<Batch> batch;
  std::uint64_t batch_number = 0;
  std::uint64_t arena_serial = 0;
  std::size_t matched = 0;                   // events of the open batch that were matched
  std::vector<std::uint32_t> event_sources;  // by event of the open batch
  std::vector<std::uint32_t> touched;        // rows with counts for the ledger
  std::uint32_t last_source = SourceTable::kWhole;
  bool begun = false;
  std::vector<std::uint32_t> scratch;
  const std::shared_ptr<const PolledPorts> polled_ports;
  std::shared_ptr<const PolledPorts::View> polled;
  std::uint64_t polled_version = 0;
  std::vector<char> keep;
  std::function<void(std::span<const char>)> on_shed;
  Arena spare;

  mutable absl::Mutex seen_mutex;
  std::vector<SeenNode> seen ABSL_GUARDED_BY(seen_mutex);
};

Intake::Intake(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions options)
    : impl_(std::make_unique<Impl>(port, clock, ledger, metrics, std::move(options))) {}
Intake::~Intake() = default;
Intake::Intake(Intake&&) noexcept = default;

void Intake::tick() { impl_->tick(); }
Instant Intake::now() const { return impl_->wall; }
std::int64_t Intake::boot_ns() const { return impl_->boot_ns; }
Arena& Intake::arena() { return impl_->open().arena; }

std::string_view Intake::source(const sockaddr* address) {
  Batch& batch = impl_->open();
  const std::uint32_t i = impl_->sources.of_address(intake::address_bytes(address));
  Source& s = impl_->sources[i];
  if (s.arena_serial != impl_->arena_serial) {
    s.in_arena = batch.arena.copy(s.text);
    s.arena_serial = impl_->arena_serial;
  }
  impl_->last_source = i;
  return s.in_arena;
}

std::string_view Intake::proven(std::string_view name) {
  Batch& batch = impl_->open();
  if (impl_->sources[impl_->last_source].relay) {
    return {};
  }
  const std::string_view node = impl_->naming->node_of_name(name);
  return node.empty() ? batch.arena.copy(name) : node;
}

Event& Intake::begin() {
  Batch& batch = impl_->open();
  BELFRY_DCHECK(!impl_->begun);
  if (batch.events.empty()) {
    batch.first_received_ns = impl_->boot_ns;
  }
  impl_->begun = true;
  return batch.events.emplace_back();
}

void Intake::commit() {
  BELFRY_DCHECK(impl_->begun);
  impl_->begun = false;
  Event& e = impl_->batch->events.back();
  const std::uint32_t i = impl_->index_of(e.from);
  Source& s = impl_->touch(i);
  ++s.received;
  ++s.in_batch;
  impl_->event_sources.push_back(i);
  impl_->name_event(e, s);
}

void Intake::drop() {
  BELFRY_DCHECK(impl_->begun);
  impl_->begun = false;
  impl_->batch->events.pop_back();
}

void Intake::refuse(std::string_view source, std::string_view reason, std::string_view bytes) {
  Source& s = impl_->touch(impl_->index_of(source));
  ++s.received;
  Impl::add_reason(s, reason, 1);
  impl_->refused_total.add();
  if (impl_->samples_left > 0) {
    --impl_->samples_left;
    impl_->ledger.sample(impl_->name, source, reason, bytes);
  }
}

void Intake::lost(std::string_view source, std::string_view reason, std::uint64_t count) {
  if (count == 0) {
    return;
  }
  Source& s = impl_->touch(impl_->index_of(source));
  s.received += count;
  Impl::add_reason(s, reason, count);
  impl_->refused_total.add(count);
}

bool Intake::must_flush() const { return impl_->batch != nullptr && impl_->batch->full(); }

bool Intake::try_flush(bool drained) {
  Impl& m = *impl_;
  BELFRY_DCHECK(!m.begun);
  m.tick();
  bool flushed = true;
  if (m.due(drained)) {
    flushed = m.push();
  } else if (m.batch != nullptr && m.batch->events.empty() && m.batch->full()) {
    m.batch->clear();  // nothing but refused input: its bytes may go
    m.begin_arena();
  }
  // Between two batches: an idle collector must show the marker of new versions too.
  if (flushed && (m.batch == nullptr || m.batch->events.empty()) &&
      (m.naming == nullptr || m.port.version_changed())) {
    m.adopt_versions();
  }
  m.settle(false);
  return flushed;
}

void Intake::shed() {
  Impl& m = *impl_;
  if (m.batch == nullptr || m.batch->events.empty()) {
    return;
  }
  const std::size_t free = std::max<std::size_t>(1, m.batch->events.size() / kShedPart);
  m.drop_above(m.fair_level(free), free);
  if (m.batch->arena.bytes() >= kBatchBytesMax / 2) {
    m.rebuild_arena();
  }
  // One event can fill the arena alone.
  if (m.batch->full() && !m.batch->events.empty()) {
    shed();
  }
}

void Intake::on_shed(std::function<void(std::span<const char>)> told) {
  impl_->on_shed = std::move(told);
}

bool Intake::finish() {
  Impl& m = *impl_;
  m.tick();
  if (m.batch != nullptr && !m.batch->events.empty() && !m.push()) {
    m.settle(true);
    return false;
  }
  m.settle(true);
  return true;
}

void Intake::close() {
  constexpr int kTries = 1000;
  const timespec pause{0, 1'000'000};
  for (int i = 0; i < kTries; ++i) {
    if (finish()) {
      return;
    }
    nanosleep(&pause, nullptr);
  }
  Impl& m = *impl_;
  for (const std::uint32_t i : m.event_sources) {
    Impl::add_reason(m.touch(i), "stopped", 1);
    m.sources[i].in_batch = 0;
  }
  m.refused_total.add(m.event_sources.size());
  m.event_sources.clear();
  m.batch.reset();
  m.settle(true);
}

std::size_t Intake::pending() const {
  return impl_->batch == nullptr ? 0 : impl_->batch->events.size();
}
std::uint64_t Intake::open_batch() const { return impl_->batch_number; }
std::uint64_t Intake::committed() const { return impl_->port.committed(); }
bool Intake::refusing() const { return impl_->port.refusing(); }
std::string_view Intake::collector() const { return impl_->name; }

std::vector<SeenNode> Intake::seen() const {
  const absl::MutexLock lock(&impl_->seen_mutex);
  return impl_->seen;
}

}  // namespace belfry
