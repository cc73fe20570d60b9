#include "committer.hpp"

#include <algorithm>

#include "belfry/base/hash.hpp"
#include "belfry/runtime/log.hpp"
#include "inputs.hpp"

namespace belfry {
namespace {
constexpr std::size_t kGroupBytesMax = 16U << 20;
constexpr Duration kIdleWait = std::chrono::seconds(1);
constexpr Duration kTimeMarkEvery = std::chrono::minutes(1);
constexpr std::int64_t kNodesEveryNs = 1'000'000'000;
constexpr std::size_t kNodesMax = 200'000;

// Index rows: `k` ticket change, `i` incident change -> nothing; the number is in the key.
std::string index_key(char kind, std::uint64_t id, ChangeNumber number) {
  std::string key(1, kind);
  append_be64(key, id);
  append_be64(key, number.value);
  return key;
}
}  // namespace

void Committer::start(const JournalMark& mark) {
  mark_ = mark;
  last_time_mark_ = Instant{0};
}

void Committer::run() {
  while (!ended_) {
    if (pending_.empty()) {
      gather(kIdleWait);
    }
    // Something is in hand: encode what else comes until the next fsync may start.
    while (!pending_.empty() && !ended_) {
      const std::int64_t due = last_commit_end_ns_ + group_wait().count();
      const std::int64_t left = due - context_.clock.boot_ns();
      if (left <= 0 || !gather(Duration(left))) {
        break;
      }
    }
    if (!pending_.empty() || outbox_waiting()) {
      commit();
      publish();
    }
    publish_nodes(false);
  }
}

// Takes what is there; waits up to `limit` when nothing is. True: something came and more may fit.
bool Committer::gather(Duration limit) {
  CommitItemPtr item;
  if (context_.commit_ring.front() == nullptr) {
    context_.commit_waker.wait(
        [&] { return context_.commit_ring.front() != nullptr || outbox_waiting(); }, limit);
  }
  bool any = false;
  while (pending_.size() < kGroupItemsMax && writes_.bytes() < kGroupBytesMax &&
         context_.commit_ring.try_pop(item)) {
    context_.shared.fold_waker.notify();
    any = true;
    ended_ = item->end;
    encode(*item);
    pending_.push_back(std::move(item));
    if (ended_) {
      break;
    }
  }
  return any && !ended_ && pending_.size() < kGroupItemsMax && writes_.bytes() < kGroupBytesMax;
}

// One fsync's worth: a disk that is slow to sync gets fuller commits.
Duration Committer::group_wait() const {
  if (context_.options.durability != Durability::Group) {
    return Duration(0);
  }
  return std::clamp(Duration(last_commit_took_ns_), context_.options.group_wait_min,
                    context_.options.group_wait_max);
}

void Committer::commit_now(CommitItemPtr item) {
  encode(*item);
  pending_.push_back(std::move(item));
  commit();
  publish();
}

void Committer::encode(CommitItem& item) {
  mark_.at = std::max(mark_.at, item.at);
  if (item.last.value == 0) {
    return;
  }
  if (item.pair && item.pair != names_) {
    names_changed(item.pair);
  }
  must_sync_ = true;
  mark_.seq = item.last;
  mark_.versions = item.versions;
  mark_.wall_offset = item.wall_offset;
  for (const auto& [hash, text] : item.sources) {
    if (const auto stored = context_.journal->put_source(writes_, hash, text); !stored) {
      stop_at_once(stored.error().what);
    }
  }
  if (item.batch && !item.batch->events.empty()) {
    encode_batch(item);
  }
  std::uint32_t index = 0;
  for (Record& record : item.records) {
    record.index = index++;
    context_.journal->append_record(writes_, record, mark_.chain);
  }
  encode_changes(item);
  index = 0;
  for (const Effect& effect : item.effects) {
    const OutboxRow row{.seq = item.last, .index = index++, .pending = {.effect = effect}};
    writes_.put(Table::Outbox, be64(effect.id.value), belfry::encode(row));
  }
  for (const EffectId id : item.settled) {
    writes_.erase(Table::Outbox, be64(id.value));
  }
}

void Committer::encode_batch(CommitItem& item) {
  const Batch& batch = *item.batch;
  BlockHeader header;
  header.first = item.first;
  header.count = static_cast<std::uint32_t>(batch.events.size());
  header.at = item.at;
  header.versions = item.versions;
  header.rules_version = batch.program_version;
  header.inventory_version = batch.inventory_version;
  header.fold_version = kFoldVersion;
  header.collector = batch.collector;
  header.incarnation = batch.incarnation;
  header.batch = batch.number;
  const std::uint64_t before = context_.journal->block_bytes();
  context_.journal->append_block(writes_, header, batch);
  context_.metrics.journal_bytes.add(context_.journal->block_bytes() - before);
  if (item.at - last_time_mark_ >= kTimeMarkEvery) {
    last_time_mark_ = item.at;
    context_.journal->put_time_mark(writes_, item.at, item.first, before);
  }
  see_nodes(item);
}

void Committer::encode_changes(CommitItem& item) {
  if (item.changes.empty()) {
    return;
  }
  // The audit trail names the changes by number and hash; their text stands once, in table
  // `change`.
  ByteWriter trail;
  trail.varint(item.changes.front().number.value);
  trail.varint(item.changes.size());
  for (const Change& change : item.changes) {
    bytes_.clear();
    belfry::encode(change, bytes_);
    trail.fixed64(hash64(bytes_.bytes()));
    writes_.put(Table::Change, be64(change.number.value), bytes_.bytes());
    if (change.incident) {
      const std::uint64_t id = change.incident->after.id.value;
      writes_.put(Table::Incident, be64(id), be64(change.number.value));
      writes_.put(Table::Index, index_key('i', id, change.number), {});
    } else {
      const std::uint64_t id = change.ticket->after.id.value;
      writes_.put(Table::Ticket, be64(id), be64(change.number.value));
      writes_.put(Table::Index, index_key('k', id, change.number), {});
    }
  }
  mark_.change = item.changes.back().number;
  const Record record{.seq = item.last,
                      .index = static_cast<std::uint32_t>(item.records.size()),
                      .kind = RecordKind::Changes,
                      .at = item.at,
                      .payload = trail.take()};
  context_.journal->append_record(writes_, record, mark_.chain);
}

bool Committer::outbox_waiting() {
  const absl::MutexLock lock(&mutex_);
  return !outbox_steps_.empty();
}

void Committer::encode_outbox_steps() {
  std::vector<OutboxStep> steps;
  {
    const absl::MutexLock lock(&mutex_);
    steps.swap(outbox_steps_);
  }
  for (const OutboxStep& step : steps) {
    const std::string key = be64(step.id.value);
    must_sync_ = true;
    if (step.settled) {
      writes_.erase(Table::Outbox, key);
      continue;
    }
    const auto stored = context_.store->get(Table::Outbox, key);
    if (!stored || !*stored) {
      continue;  // settled meanwhile
    }
    if (auto row = decode_outbox_row(**stored); row) {
      row->pending.attempts = step.attempts;
      row->pending.next_attempt = step.next_attempt;
      writes_.put(Table::Outbox, key, belfry::encode(*row));
    }
  }
}

void Committer::commit() {
  encode_outbox_steps();
  context_.journal->put_mark(writes_, mark_);
  context_.crash.pass(CrashPoint::BeforeCommit);
  const std::int64_t begin = context_.clock.boot_ns();
  const bool sync = must_sync_ && context_.options.durability != Durability::Os;
  if (const auto result = context_.store->commit(writes_, sync); !result) {
    stop_at_once(result.error().what);
  }
  context_.crash.pass(CrashPoint::AfterCommit);
  last_commit_end_ns_ = context_.clock.boot_ns();
  last_commit_took_ns_ = last_commit_end_ns_ - begin;
  if (must_sync_) {
    context_.metrics.commits.add();
    context_.metrics.commit_seconds.record_ns(last_commit_took_ns_);
    context_.metrics.commit_items.set(static_cast<double>(pending_.size()));
  }
  writes_.clear();
  must_sync_ = false;
}

void Committer::publish() {
  std::vector<Change> changes;
  std::vector<Effect> effects;
  bool published = false;
  for (CommitItemPtr& item : pending_) {
    const std::int64_t age = item->batch ? last_commit_end_ns_ - item->batch->first_received_ns : 0;
    if (item->batch && item->batch->first_received_ns > 0) {
      context_.metrics.durable_seconds.record_ns(age);
      if (!item->changes.empty()) {
        context_.metrics.feed_seconds.record_ns(age);
      }
    }
    published = published || item->last.value != 0;
    std::move(item->changes.begin(), item->changes.end(), std::back_inserter(changes));
    std::move(item->effects.begin(), item->effects.end(), std::back_inserter(effects));
  }
  context_.committed_at.store(mark_.at.ns, std::memory_order_relaxed);
  context_.metrics.last_seq.set(static_cast<double>(mark_.seq.value));
  context_.metrics.changes.add(changes.size());
  context_.metrics.effects.add(effects.size());
  context_.view.apply(std::move(changes));
  for (CommitItemPtr& item : pending_) {
    if (item->batch) {
      item->port->set_committed(item->batch->number);
      item->port->recycle(std::move(item->batch));
    }
    if (item->done) {
      item->done();
    }
    if (item->snapshot.any() && snapshot_sink_) {
      snapshot_sink_(item->last, std::move(item->snapshot));
    }
  }
  if (!effects.empty()) {
    std::function<void(std::vector<Effect>)> sink;
    {
      const absl::MutexLock lock(&mutex_);
      sink = effect_sink_;
    }
    if (sink) {
      sink(std::move(effects));
    }
  }
  pending_.clear();
  if (published) {
    context_.crash.pass(CrashPoint::AfterPublish);
  }
}

void Committer::settle(EffectId id) {
  {
    const absl::MutexLock lock(&mutex_);
    outbox_steps_.push_back({.id = id, .settled = true});
  }
  context_.commit_waker.notify();
}

void Committer::retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt) {
  {
    const absl::MutexLock lock(&mutex_);
    outbox_steps_.push_back({.id = id, .attempts = attempts, .next_attempt = next_attempt});
  }
  context_.commit_waker.notify();
}

void Committer::on_effects(std::function<void(std::vector<Effect>)> sink) {
  const absl::MutexLock lock(&mutex_);
  effect_sink_ = std::move(sink);
}

void Committer::see_nodes(const CommitItem& item) {
  std::string_view last_name;
  std::size_t last = SIZE_MAX;
  for (const Event& e : item.batch->events) {
    if (e.node.empty()) {
      continue;
    }
    if (last == SIZE_MAX || e.node != last_name) {
      const auto it = node_of_.find(e.node);
      if (it != node_of_.end()) {
        last = it->second;
      } else if (nodes_.size() < kNodesMax) {
        last = nodes_.size();
        NodeSeen& seen = nodes_.emplace_back();
        seen.node = std::string(e.node);
        seen.known = names_ && names_->program->node_table != kNoIndex &&
                     names_->inventory->find(names_->program->node_table, seen.node) != nullptr;
        node_of_.emplace(seen.node, last);
        node_is_dirty_.push_back(false);
      } else {
        continue;
      }
      last_name = e.node;
      nodes_[last].address = e.from;
      nodes_[last].last_event = item.at;
      if (!node_is_dirty_[last]) {
        node_is_dirty_[last] = true;
        nodes_dirty_.push_back(last);
      }
    }
    nodes_[last].events += 1;
  }
}

// Another inventory: its devices are listed even when they never spoke.
void Committer::names_changed(std::shared_ptr<const Versions> pair) {
  names_ = std::move(pair);
  for (NodeSeen& seen : nodes_) {
    seen.known = false;
  }
  const std::uint32_t table = names_->program->node_table;
  const std::size_t rows = table == kNoIndex ? 0 : names_->inventory->row_count(table);
  for (std::size_t i = 0; i < rows && nodes_.size() < kNodesMax; ++i) {
    const std::string_view key = names_->inventory->row(table, i).key;
    const auto it = node_of_.find(key);
    if (it != node_of_.end()) {
      nodes_[it->second].known = true;
      continue;
    }
    NodeSeen& seen = nodes_.emplace_back();
    seen.node = std::string(key);
    seen.known = true;
    node_of_.emplace(seen.node, nodes_.size() - 1);
    node_is_dirty_.push_back(false);
  }
  publish_nodes(true);
}

void Committer::publish_nodes(bool all) {
  const std::int64_t now = context_.clock.boot_ns();
  if (!all && (nodes_dirty_.empty() || now - nodes_shown_ns_ < kNodesEveryNs)) {
    return;
  }
  nodes_shown_ns_ = now;
  std::vector<NodeSeen> shown;
  if (all) {
    shown.assign(nodes_.begin(), nodes_.end());
  } else {
    for (const std::size_t i : nodes_dirty_) {
      shown.push_back(nodes_[i]);
    }
  }
  for (const std::size_t i : nodes_dirty_) {
    node_is_dirty_[i] = false;
  }
  nodes_dirty_.clear();
  context_.view.apply_nodes(std::move(shown));
}

}  // namespace belfry
