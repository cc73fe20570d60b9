#include "sequencer.hpp"

#include <algorithm>

#include "belfry/runtime/log.hpp"

namespace belfry {
namespace {
constexpr Duration kWaitMax = std::chrono::seconds(1);
constexpr int kLooksBeforePark = 64;                   // short spin: two cores are shared
constexpr std::int64_t kAliveEveryNs = 5'000'000'000;  // how exact the begin of downtime is
constexpr std::int64_t kSwitchWarnNs = 5'000'000'000;
constexpr std::size_t kDrainBatchesMax = 100'000;  // at stop
}  // namespace

Instant Sequencer::now() {
  const AtClock::Reading reading = clock_.read(context_.clock.wall(), context_.clock.boot_ns());
  if (reading.stepped) {
    log::warn("pipeline", "the wall clock stepped by {}",
              to_text(reading.offset - reading.offset_before));
    context_.metrics.clock_steps.add();
    emit(record_item(RecordKind::ClockStep, reading.at,
                     encode(ClockStep{.before = reading.offset_before, .after = reading.offset})));
  }
  return reading.at;
}

CommitItemPtr Sequencer::item(Seq last, Instant at) {
  auto out = std::make_unique<CommitItem>();
  out->last = last;
  out->at = at;
  out->versions = name_.number;
  out->wall_offset = clock_.offset();
  return out;
}

CommitItemPtr Sequencer::record_item(RecordKind kind, Instant at, std::string payload) {
  seq_.value += 1;
  CommitItemPtr out = item(seq_, at);
  out->records.push_back({.seq = seq_, .kind = kind, .at = at, .payload = std::move(payload)});
  return out;
}

void Sequencer::take_out(CommitItem& to) {
  to.changes = std::move(out_.changes);
  to.effects = std::move(out_.effects);
  out_.clear();
}

void Sequencer::emit(CommitItemPtr out) {
  context_.crash.pass(CrashPoint::AfterFold);
  inputs_since_snapshot_ += out->batch ? out->batch->events.size() : 1;
  while (!context_.commit_ring.try_push(std::move(out))) {
    // The committer is behind: the rings fill, and the collectors' policies apply.
    context_.shared.fold_waker.wait(
        [&] { return context_.commit_ring.size() < context_.commit_ring.capacity(); }, kWaitMax);
  }
  context_.commit_waker.notify();
}

void Sequencer::begin(Recovered recovered, const std::function<void(CommitItemPtr)>& commit) {
  seq_ = recovered.mark.seq;
  name_ = recovered.versions;
  pair_ = std::move(recovered.pair);
  desk_ = std::move(recovered.desk);
  const AtClock::Reading reading = clock_.start(recovered.mark.at, recovered.mark.wall_offset,
                                                context_.clock.wall(), context_.clock.boot_ns());
  snapshot_ns_ = alive_ns_ = context_.clock.boot_ns();
  const Instant at = reading.at;
  commit(record_item(RecordKind::Start, at, fmt::format("fold {}", kFoldVersion)));
  if (reading.stepped) {
    commit(
        record_item(RecordKind::ClockStep, at,
                    encode(ClockStep{.before = reading.offset_before, .after = reading.offset})));
  }
  if (recovered.mark.at.ns != 0 && recovered.mark.at < at) {
    const Deaf deaf{.from = recovered.mark.at, .to = at, .why = "not running"};
    CommitItemPtr out = record_item(RecordKind::Deaf, at, encode(deaf));
    folds_.on_deaf(deaf.from, deaf.to, seq_, at, out_);
    take_out(*out);
    commit(std::move(out));
  }
}

void Sequencer::start_versions(Reload reload, const std::function<void(CommitItemPtr)>& commit) {
  if (pair_ && reload.name.rules == name_.rules && reload.name.inventory == name_.inventory) {
    context_.shared.board.set(pair_);
    return;
  }
  fold_versions(reload, commit);
}

void Sequencer::start_desk(const DeskOptions& options,
                           const std::function<void(CommitItemPtr)>& commit) {
  ByteWriter bytes;
  encode(options, bytes);
  if (bytes.bytes() == desk_) {
    return;
  }
  desk_ = bytes.take();
  const Instant at = clock_.last();
  CommitItemPtr out = record_item(RecordKind::Desk, at, desk_);
  folds_.set_desk(options, seq_, at, out_);
  take_out(*out);
  commit(std::move(out));
}

void Sequencer::start_corrections(const std::vector<IncidentId>& ids,
                                  const std::function<void(CommitItemPtr)>& commit) {
  const Instant at = clock_.last();
  CommitItemPtr out =
      record_item(RecordKind::Start, at, fmt::format("corrected by fold {}", kFoldVersion));
  for (const Incident& incident : folds_.correlator().live()) {
    if (std::find(ids.begin(), ids.end(), incident.id) == ids.end()) {
      continue;
    }
    IncidentChange change;
    change.before = incident.state;
    change.reason = IncidentReason::Corrected;
    change.note = "a replay by a newer program gave another course";
    change.after = incident;
    folds_.add_change(std::move(change), seq_, at, out_);
  }
  take_out(*out);
  commit(std::move(out));
}

void Sequencer::fold_versions(Reload& reload, const std::function<void(CommitItemPtr)>& commit) {
  const bool rules = !pair_ || reload.name.rules != name_.rules;
  const bool inventory = !pair_ || reload.name.inventory != name_.inventory || rules;
  const Instant at = switching_ ? now() : clock_.last();
  auto pair = std::make_shared<Versions>(reload.versions);
  pair->number = name_.number + 1;
  reload.name.number = pair->number;
  name_ = reload.name;
  pair_ =
      switching_ ? context_.shared.board.get() : std::shared_ptr<const Versions>(std::move(pair));
  CommitItemPtr out = record_item(RecordKind::Versions, at, encode(name_));
  out->sources = std::move(reload.sources);
  out->done = std::move(reload.done);
  out->pair = pair_;
  folds_.set_versions(*pair_, rules, inventory, seq_, at, out_);
  take_out(*out);
  if (!switching_) {
    context_.shared.board.set(pair_);
  }
  commit(std::move(out));
}

void Sequencer::run() {
  int looks = 0;
  while (true) {
    bool did = drain_posted();
    did = try_switch() || did;
    did = take_batch() || did;
    did = did || fire_timers();
    if (did) {
      looks = 0;
      continue;
    }
    if (context_.stopping.load(std::memory_order_acquire)) {
      break;
    }
    keep_alive();
    context_.shared.fold_idle.store(true, std::memory_order_relaxed);
    if (++looks > kLooksBeforePark) {
      wait();
    }
    context_.shared.fold_idle.store(false, std::memory_order_relaxed);
  }
  finish();
}

bool Sequencer::work_waits() {
  if (posted_.load(std::memory_order_acquire) ||
      context_.stopping.load(std::memory_order_acquire)) {
    return true;
  }
  if (switching_) {
    return true;  // looked at again after a short wait
  }
  return std::any_of(context_.ports.begin(), context_.ports.end(),
                     [](const auto& port) { return port->front() != nullptr; });
}

void Sequencer::wait() {
  Duration limit = kWaitMax;
  if (const Instant due = folds_.next_deadline(); due != kNever) {
    limit = std::clamp<Duration>(due - clock_.last(), Duration(0), kWaitMax);
  }
  if (switching_) {
    // Ports ring when they adopt; what is parked was adopted at the first look.
    context_.shared.fold_waker.wait([&] { return posted_.load(std::memory_order_acquire); },
                                    std::min<Duration>(limit, std::chrono::milliseconds(10)));
    return;
  }
  context_.shared.fold_waker.wait([&] { return work_waits(); }, limit);
}

bool Sequencer::drain_posted() {
  if (!posted_.exchange(false, std::memory_order_acq_rel)) {
    return false;
  }
  std::deque<PostedCommand> commands;
  std::deque<std::function<void()>> controls;
  {
    const absl::MutexLock lock(&mutex_);
    commands.swap(commands_);
    controls.swap(controls_);
  }
  for (PostedCommand& command : commands) {
    fold_command(std::move(command));
  }
  for (const std::function<void()>& control : controls) {
    control();
  }
  return true;
}

bool Sequencer::take_batch() {
  PortImpl* oldest = nullptr;
  std::int64_t oldest_ns = INT64_MAX;
  std::size_t waiting = 0;
  for (const auto& port : context_.ports) {
    const Batch* head = port->front();
    if (head == nullptr) {
      continue;
    }
    waiting += port->waiting();
    // Behind its marker: waits until all ports are there.
    const bool behind = switching_ && head->program_version > name_.number;
    if (!behind && head->first_received_ns < oldest_ns) {
      oldest = port.get();
      oldest_ns = head->first_received_ns;
    }
  }
  context_.metrics.fold_rings.set(static_cast<double>(waiting));
  if (oldest == nullptr) {
    return false;
  }
  fold_batch(*oldest, oldest->pop());
  return true;
}

void Sequencer::fold_batch(PortImpl& port, std::unique_ptr<Batch> batch) {
  if (batch->program_version == 0) {
    match_here(*batch);
  }
  BELFRY_CHECK(batch->program_version == name_.number);
  const Instant at = now();
  const Seq first{seq_.value + 1};
  // An empty batch has no place in the journal; its number must become durable all the same.
  seq_.value += batch->events.size();
  context_.metrics.batches.add();
  context_.metrics.events.add(batch->events.size());
  context_.metrics.matched.add(batch->matches.size());
  if (!batch->events.empty()) {
    folds_.on_batch(*batch, first, at, out_);
  }
  CommitItemPtr out = item(batch->events.empty() ? Seq{0} : seq_, at);
  out->first = first;
  out->port = &port;
  out->pair = pair_;
  out->batch = std::move(batch);
  take_out(*out);
  maybe_snapshot(*out, false);
  emit(std::move(out));
}

// A port that pushed before there was any version: matched here, as its replay will be.
void Sequencer::match_here(Batch& batch) {
  if (!matcher_ || matcher_version_ != name_.number) {
    matcher_.emplace(pair_->program, pair_->inventory);
    matcher_version_ = name_.number;
  }
  batch.matches.clear();
  matcher_->match(batch);
  batch.program_version = batch.inventory_version = name_.number;
}

void Sequencer::fold_command(PostedCommand posted) {
  const Instant at = now();
  context_.metrics.commands.add();
  CommitItemPtr out = record_item(RecordKind::Command, at, {});
  CommandResult result = folds_.on_command(posted.command, seq_, at, out_);
  out->records.back().payload = encode_command_record(posted.command, result);
  take_out(*out);
  if (posted.done) {
    out->done = [done = std::move(posted.done), result = std::move(result)] { done(result); };
  }
  emit(std::move(out));
}

void Sequencer::fold_deaf(const Deaf& deaf) {
  const Instant at = now();
  CommitItemPtr out = record_item(RecordKind::Deaf, at, encode(deaf));
  folds_.on_deaf(deaf.from, deaf.to, seq_, at, out_);
  take_out(*out);
  emit(std::move(out));
}

bool Sequencer::fire_timers() {
  const Instant due = folds_.next_deadline();
  if (due == kNever) {
    return false;
  }
  const Instant at = now();
  if (due > at) {
    return false;
  }
  context_.metrics.advances.add();
  CommitItemPtr out = record_item(RecordKind::Advance, at, {});
  folds_.on_advance(seq_, at, out_);
  take_out(*out);
  maybe_snapshot(*out, false);
  emit(std::move(out));
  return true;
}

// So that after kill -9 the begin of the downtime is known to five seconds, also without inputs.
void Sequencer::keep_alive() {
  const std::int64_t boot = context_.clock.boot_ns();
  if (boot - alive_ns_ < kAliveEveryNs) {
    return;
  }
  alive_ns_ = boot;
  emit(item(Seq{0}, now()));
  const Correlator::Sizes sizes = folds_.correlator().sizes();
  context_.metrics.signal_keys.set(static_cast<double>(sizes.signal_keys));
  context_.metrics.live_incidents.set(static_cast<double>(sizes.incidents));
  context_.metrics.rules_over_budget.set(static_cast<double>(sizes.over_budget));
  context_.metrics.rules_cut_off.set(static_cast<double>(sizes.cut_off));
}

bool Sequencer::try_switch() {
  if (reloads_.empty()) {
    return false;
  }
  Reload& reload = reloads_.front();
  if (!switching_) {
    switching_ = true;
    switch_warned_ = false;
    switch_began_ns_ = context_.clock.boot_ns();
    auto pair = std::make_shared<Versions>(reload.versions);
    pair->number = name_.number + 1;
    context_.shared.board.set(std::move(pair));
  }
  const std::uint64_t number = name_.number + 1;
  bool all = true;
  for (const auto& port : context_.ports) {
    if (!port->at_marker(number)) {
      all = false;
      if (!switch_warned_ && port->front() == nullptr &&
          context_.clock.boot_ns() - switch_began_ns_ > kSwitchWarnNs) {
        switch_warned_ = true;
        log::warn("pipeline", "collector {} has not taken the new version yet: others wait for it",
                  port->name());
      }
    }
  }
  if (!all) {
    return false;
  }
  fold_versions(reload, [this](CommitItemPtr out) { emit(std::move(out)); });
  switching_ = false;
  reloads_.pop_front();
  log::info("pipeline", "version {} is in force (rules {}, inventory {})", name_.number,
            name_.rules.substr(0, 8), name_.inventory.substr(0, 8));
  return true;
}

// The state is taken here, between two inputs, by a fork: the folds stand still for as long as the
// kernel needs to copy its page tables (belfry_snapshot_fold_seconds). The last one before the end,
// and any when there is no process to be had, is copied in place.
void Sequencer::maybe_snapshot(CommitItem& out, bool at_once) {
  const std::int64_t boot = context_.clock.boot_ns();
  const bool due = boot - snapshot_ns_ >= context_.options.snapshot_every.count() ||
                   inputs_since_snapshot_ >= context_.options.snapshot_inputs;
  if (out.last.value == 0 ||
      (!at_once &&
       (!due || switching_ || context_.snapshot_busy.load(std::memory_order_acquire)))) {
    return;
  }
  context_.snapshot_busy.store(true, std::memory_order_release);
  snapshot_ns_ = boot;
  inputs_since_snapshot_ = 0;
  const auto state = [this] {
    ByteWriter bytes;
    encode(SnapshotHead{.seq = seq_,
                        .at = clock_.last(),
                        .wall_offset = clock_.offset(),
                        .versions = name_,
                        .desk = desk_},
           bytes);
    folds_.save(bytes);
    return bytes.take();
  };
  if (!at_once) {
    auto child = SnapshotChild::start(
        [this, &state] { return SnapshotFiles(context_.store->dir()).write_aside(seq_, state()); });
    if (child) {
      out.snapshot.child = std::move(*child);
    } else {
      context_.metrics.snapshots_in_place.add();
      log::warn("pipeline", "the folds stand still for their snapshot: {}", child.error());
    }
  }
  if (!out.snapshot.any()) {
    out.snapshot.state = state();
  }
  context_.metrics.snapshot_fold_seconds.record_ns(context_.clock.boot_ns() - boot);
}

// Collectors are told to refuse; what they pushed before is taken, then nothing comes any more.
void Sequencer::finish() {
  for (std::size_t i = 0; i < kDrainBatchesMax && (drain_posted() || take_batch()); ++i) {
  }
  CommitItemPtr out = record_item(RecordKind::Advance, now(), {});
  folds_.on_advance(seq_, out->at, out_);
  take_out(*out);
  maybe_snapshot(*out, true);
  out->end = true;
  emit(std::move(out));
}

bool Sequencer::submit(Command command, std::function<void(const CommandResult&)> done) {
  {
    const absl::MutexLock lock(&mutex_);
    if (commands_.size() >= kCommandsMax || context_.stopping.load(std::memory_order_acquire)) {
      return false;
    }
    commands_.push_back({std::move(command), std::move(done)});
  }
  posted_.store(true, std::memory_order_release);
  context_.shared.fold_waker.notify();
  return true;
}

void Sequencer::ask(std::function<void()> question) {
  {
    const absl::MutexLock lock(&mutex_);
    controls_.push_back(std::move(question));
  }
  posted_.store(true, std::memory_order_release);
  context_.shared.fold_waker.notify();
}

void Sequencer::reload(Reload reload) {
  auto shared = std::make_shared<Reload>(std::move(reload));
  ask([this, shared] { reloads_.push_back(std::move(*shared)); });
}

void Sequencer::delivery_failed(EffectId id, std::string reason) {
  ask([this, failed = DeliveryFailed{.effect = id, .reason = std::move(reason)}] {
    const Instant at = now();
    CommitItemPtr out = record_item(RecordKind::DeliveryFailed, at, encode(failed));
    folds_.on_delivery_failed(failed.effect, failed.reason, seq_, at, out_);
    take_out(*out);
    out->settled.push_back(failed.effect);
    emit(std::move(out));
  });
}

void Sequencer::set_disk_full(bool full) {
  ask([this, full] {
    if (full) {
      deaf_since_ = now();
    } else if (deaf_since_) {
      const Instant from = *deaf_since_;
      deaf_since_.reset();
      fold_deaf({.from = from, .to = now(), .why = "disk full"});
    }
  });
}

}  // namespace belfry
