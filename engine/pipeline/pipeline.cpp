#include "belfry/pipeline/pipeline.hpp"

#include <sys/random.h>

#include <algorithm>
#include <future>
#include <thread>

#include "belfry/runtime/log.hpp"
#include "committer.hpp"
#include "event_json.hpp"
#include "inputs.hpp"
#include "keeper.hpp"
#include "recovery.hpp"
#include "sequencer.hpp"

namespace belfry {
namespace {
constexpr std::size_t kBlocksLookedAtMax =
    5'000;  // for events of one node: some five million events
constexpr std::size_t kTimelineMax = 10'000;
}  // namespace

struct Pipeline::Impl {
  Impl(PipelineOptions options, Clock& clock, Metrics& metrics, Ledger& ledger,
       VersionBuilder builder_in)
      : context(std::move(options), clock, metrics, ledger), builder(std::move(builder_in)) {}

  Context context;
  VersionBuilder builder;
  Folds folds;
  Sequencer sequencer{context, folds};
  Committer committer{context};
  Keeper keeper{context, sequencer};
  std::thread fold_thread, commit_thread, keeper_thread;
  std::atomic<bool> running{false};
  std::atomic<bool> open_done{false};
  bool started = false;

  // Set once the recovery is through: what edges may read from then on.
  bool opened() const { return open_done.load(std::memory_order_acquire); }
  Result<void> check_open() const {
    return opened() ? Result<void>() : fail(Code::Unavailable, "the store is not open yet");
  }
  Result<void> open();
  Result<void> recover(const VersionSources& sources, const Versions& versions,
                       const DeskOptions& desk);
  void start_threads();
};

Pipeline::Pipeline(PipelineOptions options, Clock& clock, Metrics& metrics, Ledger& ledger,
                   VersionBuilder builder)
    : impl_(
          std::make_unique<Impl>(std::move(options), clock, metrics, ledger, std::move(builder))) {
  // Names the batches of this process for ever; ports get it when they are made.
  if (::getrandom(&impl_->context.incarnation, sizeof impl_->context.incarnation, 0) < 0) {
    impl_->context.incarnation = static_cast<std::uint64_t>(clock.wall().ns);
  }
}

Pipeline::~Pipeline() { stop(); }

Result<void> Pipeline::Impl::open() {
  BELFRY_TRY(context.store, Store::open({.dir = context.options.store_dir}));
  context.journal = std::make_unique<Journal>(*context.store);
  return context.journal->open();
}

Result<void> Pipeline::Impl::recover(const VersionSources& sources, const Versions& versions,
                                     const DeskOptions& desk) {
  const std::int64_t begin = context.clock.boot_ns();
  NamedSources named = name_sources(sources);
  BELFRY_TRY(RecoveryResult result, belfry::recover(context, folds, builder, named, versions));
  committer.start(result.recovered.mark);
  const ChangeNumber as_of = result.recovered.mark.change;
  context.view.reset(as_of, folds.correlator().live(), folds.desk().tickets());
  context.committed_at.store(result.recovered.mark.at.ns, std::memory_order_relaxed);
  const SnapshotFiles files(context.store->dir());
  files.remove_aside();
  const std::vector<Seq> snapshots = files.list();
  context.oldest_snapshot.store(snapshots.empty() ? 0 : snapshots.front().value,
                                std::memory_order_release);
  if (result.recovered.pair) {
    committer.names_changed(result.recovered.pair);
  }
  const auto commit = [this](CommitItemPtr item) { committer.commit_now(std::move(item)); };
  const std::vector<IncidentId> differing = std::move(result.differing);
  sequencer.begin(std::move(result.recovered), commit);
  if (!differing.empty()) {
    sequencer.start_corrections(differing, commit);
  }
  Sequencer::Reload reload{.name = named.name, .versions = versions};
  reload.sources.emplace_back(named.name.rules, std::move(named.rules));
  reload.sources.emplace_back(named.name.inventory, std::move(named.inventory));
  sequencer.start_versions(std::move(reload), commit);
  sequencer.start_desk(desk, commit);
  const double seconds = static_cast<double>(context.clock.boot_ns() - begin) / 1e9;
  context.metrics.recovery_seconds.set(seconds);
  log::info("pipeline", "store {} is open: {} inputs replayed, change {}, epoch {}, {:.2f} s",
            context.store->dir(), context.metrics.replayed.value(), folds.last_change().value,
            context.journal->epoch(), seconds);
  return {};
}

void Pipeline::Impl::start_threads() {
  committer.on_snapshot(
      [this](Seq seq, SnapshotTaken taken) { keeper.take_snapshot(seq, std::move(taken)); });
  keeper.watch_disk();
  running.store(true, std::memory_order_release);
  commit_thread = std::thread([this] { committer.run(); });
  fold_thread = std::thread([this] { sequencer.run(); });
  keeper_thread = std::thread([this] { keeper.run(); });
  context.shared.refusing.store(context.disk_full.load(), std::memory_order_relaxed);
}

Result<void> Pipeline::start(const VersionSources& sources, const Versions& versions,
                             const DeskOptions& desk) {
  BELFRY_CHECK(!impl_->started && versions.program && versions.inventory);
  BELFRY_CHECK_OK(impl_->open());
  BELFRY_CHECK_OK(impl_->recover(sources, versions, desk));
  impl_->started = true;
  impl_->open_done.store(true, std::memory_order_release);
  impl_->start_threads();
  return {};
}

void Pipeline::stop() {
  Impl& p = *impl_;
  if (!p.running.exchange(false)) {
    return;
  }
  p.context.shared.refusing.store(true, std::memory_order_relaxed);
  p.context.stopping.store(true, std::memory_order_release);
  p.context.shared.fold_waker.notify();
  p.fold_thread.join();
  p.commit_thread.join();
  p.keeper.stop();
  p.keeper_thread.join();
  // The store stays open until the end: edges may still read it.
}

Port& Pipeline::add_port(std::string name) {
  BELFRY_CHECK(!impl_->started);
  Context& c = impl_->context;
  const CollectorId id{static_cast<std::uint32_t>(c.ports.size() + 1)};
  c.ports.push_back(std::make_unique<PortImpl>(id, std::move(name), c.options.ring_capacity,
                                               c.incarnation, c.shared));
  return *c.ports.back();
}

void Pipeline::reload(const VersionSources& sources, Versions versions,
                      std::function<void()> done) {
  NamedSources named = name_sources(sources);
  Sequencer::Reload reload{
      .name = named.name, .versions = std::move(versions), .done = std::move(done)};
  reload.sources.emplace_back(named.name.rules, std::move(named.rules));
  reload.sources.emplace_back(named.name.inventory, std::move(named.inventory));
  impl_->sequencer.reload(std::move(reload));
}

bool Pipeline::submit(Command command, std::function<void(const CommandResult&)> done) {
  return impl_->running.load(std::memory_order_acquire) &&
         impl_->sequencer.submit(std::move(command), std::move(done));
}

View& Pipeline::view() { return impl_->context.view; }
std::string_view Pipeline::epoch() const {
  return impl_->opened() ? std::string_view(impl_->context.journal->epoch()) : std::string_view();
}

std::vector<Pipeline::Pending> Pipeline::pending_effects() const {
  if (!impl_->opened()) {
    return {};
  }
  std::vector<OutboxRow> rows;
  Cursor cursor = impl_->context.store->cursor(Table::Outbox);
  for (cursor.seek({}); cursor.valid(); cursor.next()) {
    auto row = decode_outbox_row(cursor.value());
    if (!row) {
      log::error("pipeline", "{}", row.error());
      continue;
    }
    rows.push_back(std::move(*row));
  }
  std::sort(rows.begin(), rows.end(), [](const OutboxRow& a, const OutboxRow& b) {
    return std::tie(a.seq, a.index) < std::tie(b.seq, b.index);
  });
  std::vector<Pending> out;
  for (OutboxRow& row : rows) {
    out.push_back(std::move(row.pending));
  }
  return out;
}

void Pipeline::on_effects(std::function<void(std::vector<Effect>)> sink) {
  impl_->committer.on_effects(std::move(sink));
}

void Pipeline::settle(EffectId id, bool delivered, std::string reason) {
  if (delivered) {
    impl_->committer.settle(id);
  } else {
    impl_->sequencer.delivery_failed(id, std::move(reason));
  }
}

void Pipeline::retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt) {
  impl_->committer.retry_later(id, attempts, next_attempt);
}

Result<std::vector<FeedItem>> Pipeline::changes_after(ChangeNumber after, std::size_t max) const {
  BELFRY_CHECK_OK(impl_->check_open());
  std::vector<FeedItem> out;
  Cursor cursor = impl_->context.store->cursor(Table::Change);
  for (cursor.seek(be64(after.value + 1)); cursor.valid() && out.size() < max; cursor.next()) {
    BELFRY_TRY(const Change change, decode_change(cursor.value()));
    if (change.number.value != after.value + 1 + out.size()) {
      return fail(Code::NotFound, "changes after {} are not kept any more", after.value);
    }
    out.push_back({change.number, change.incident ? "incident" : "ticket",
                   std::make_shared<const std::string>(to_json(change))});
  }
  BELFRY_CHECK_OK(cursor.error());
  return out;
}

Result<std::vector<std::string>> Pipeline::events_json(std::string_view node,
                                                       std::size_t max) const {
  BELFRY_CHECK_OK(impl_->check_open());
  std::vector<std::string> out;
  std::size_t blocks = 0;
  const auto collector_name = [&](CollectorId id, std::uint64_t incarnation) -> std::string_view {
    // Names belong to this process; an older block's collector has only its number.
    const auto& ports = impl_->context.ports;
    const bool ours =
        incarnation == impl_->context.incarnation && id.value >= 1 && id.value <= ports.size();
    return ours ? ports[id.value - 1]->name() : std::string_view();
  };
  BELFRY_CHECK_OK(impl_->context.journal->read_back([&](const BlockHeader& header, Batch& batch) {
    for (std::size_t i = batch.events.size(); i > 0 && out.size() < max; --i) {
      const Event& event = batch.events[i - 1];
      if (node.empty() || event.node == node) {
        out.push_back(event_json(event, {header.first.value + i - 1}, header.at,
                                 collector_name(header.collector, header.incarnation)));
      }
    }
    return out.size() < max && ++blocks < kBlocksLookedAtMax;
  }));
  return out;
}

Result<std::vector<TimelineEntry>> Pipeline::timeline(TicketId id) const {
  BELFRY_CHECK_OK(impl_->check_open());
  std::vector<TimelineEntry> out;
  std::string prefix(1, 'k');
  append_be64(prefix, id.value);
  Cursor cursor = impl_->context.store->cursor(Table::Index);
  for (cursor.seek(prefix);
       cursor.valid() && cursor.key().starts_with(prefix) && out.size() < kTimelineMax;
       cursor.next()) {
    BELFRY_TRY(const auto stored,
               impl_->context.store->get(Table::Change, cursor.key().substr(prefix.size())));
    if (stored) {
      BELFRY_TRY(Change change, decode_change(*stored));
      if (change.ticket) {
        out.push_back(std::move(change.ticket->entry));
      }
    }
  }
  BELFRY_CHECK_OK(cursor.error());
  return out;
}

Result<void> Pipeline::backup(const std::string& dir) const {
  BELFRY_CHECK_OK(impl_->check_open());
  return backup_store(*impl_->context.store, dir);
}

bool Pipeline::ready() const { return not_ready_reason().empty(); }

std::string Pipeline::not_ready_reason() const {
  if (!impl_->running.load(std::memory_order_acquire)) {
    return impl_->started ? "stopping" : "starting";
  }
  return impl_->keeper.disk_text();
}

std::uint64_t Pipeline::state_hash() {
  if (!impl_->running.load(std::memory_order_acquire)) {
    return impl_->folds.state_hash();
  }
  std::promise<std::uint64_t> answer;
  impl_->sequencer.ask([&] { answer.set_value(impl_->folds.state_hash()); });
  return answer.get_future().get();
}

}  // namespace belfry
