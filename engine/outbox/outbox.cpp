#include "belfry/outbox/outbox.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "belfry/base/hash.hpp"
#include "belfry/runtime/log.hpp"

namespace belfry {
namespace {

struct Item {
  Effect effect;
  std::uint32_t attempts = 0;
  Instant next_attempt{0};
};

/// Effects of one channel: first in, first out per incident; between incidents the earliest due.
class Queue {
 public:
  void push(Item item) {
    std::deque<Item>& line = lines_[item.effect.incident];
    line.push_back(std::move(item));
    ++size_;
    if (line.size() == 1) {
      stand(line.front());
    }
  }
  /// The one that is due; nullopt and the time of the next when none is.
  std::optional<Item> take(Instant now, Instant& next) {
    next = heads_.empty() ? kNever : Instant{std::get<0>(*heads_.begin())};
    if (heads_.empty() || next > now) {
      return std::nullopt;
    }
    const IncidentId incident = std::get<2>(*heads_.begin());
    heads_.erase(heads_.begin());
    return lines_.at(incident).front();  // stays in line until done() or later()
  }
  void done(IncidentId incident) {
    std::deque<Item>& line = lines_.at(incident);
    line.pop_front();
    --size_;
    if (line.empty()) {
      lines_.erase(incident);
    } else {
      stand(line.front());
    }
  }
  void later(IncidentId incident, std::uint32_t attempts, Instant next) {
    Item& item = lines_.at(incident).front();
    item.attempts = attempts;
    item.next_attempt = next;
    stand(item);
  }
  std::size_t size() const { return size_; }

 private:
  void stand(const Item& item) {
    heads_.emplace(item.next_attempt.ns, ++order_, item.effect.incident);
  }
  std::map<IncidentId, std::deque<Item>> lines_;
  std::set<std::tuple<std::int64_t, std::uint64_t, IncidentId>> heads_;
  std::uint64_t order_ = 0;
  std::size_t size_ = 0;
};

struct Worker {
  ChannelOptions options;
  std::unique_ptr<Channel> channel;
  Counter* delivered = nullptr;
  Counter* retried = nullptr;
  Counter* failed = nullptr;
  Gauge* waiting = nullptr;
  absl::Mutex mutex;
  Queue queue ABSL_GUARDED_BY(mutex);
  bool changed ABSL_GUARDED_BY(mutex) = false;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::thread thread;
};

}  // namespace

Duration back_off(std::uint32_t attempts, const RetryPolicy& policy, std::uint64_t random) {
  const std::uint32_t doublings = std::min(attempts > 0 ? attempts - 1 : 0, 30U);
  const double wanted =
      static_cast<double>(policy.first.count()) * static_cast<double>(1ULL << doublings);
  const double ceiling = std::min(wanted, static_cast<double>(policy.max.count()));
  const double part = static_cast<double>(random >> 11) / static_cast<double>(1ULL << 53);
  return std::max<Duration>(50ms, Duration(static_cast<std::int64_t>(ceiling * part)));
}

struct Outbox::Impl {
  Impl(EffectSettler& s, Clock& c, Metrics& m, std::uint64_t seed)
      : settler(s), clock(c), metrics(m), random(seed | 1) {}
  EffectSettler& settler;
  Clock& clock;
  Metrics& metrics;
  std::atomic<std::uint64_t> random;
  std::map<std::string, std::unique_ptr<Worker>, std::less<>> workers;
  absl::Mutex known_mutex;
  std::set<EffectId> known
      ABSL_GUARDED_BY(known_mutex);  ///< pending here: a second hand-over is none

  std::uint64_t next_random() { return hash_mix(random.fetch_add(0x9E3779B97F4A7C15ULL), 0x51); }

  void push(Item item) {
    {
      const absl::MutexLock lock(&known_mutex);
      if (!known.insert(item.effect.id).second) {
        return;
      }
    }
    const auto it = workers.find(item.effect.target);
    if (it == workers.end()) {
      log::error("outbox", "no channel is called '{}': {} is given up", item.effect.target,
                 to_text(item.effect.id));
      settler.settle(item.effect.id, false, "no channel is called '" + item.effect.target + "'");
      return;
    }
    Worker& worker = *it->second;
    const absl::MutexLock lock(&worker.mutex);
    worker.queue.push(std::move(item));
    worker.changed = true;
  }

  /// The next item that is due, waiting for it; nullopt when the outbox stops.
  std::optional<Item> wait(Worker& w) {
    const absl::MutexLock lock(&w.mutex);
    for (;;) {
      if (w.stopping) {
        return std::nullopt;
      }
      Instant next = kNever;
      w.changed = false;
      const Instant now = clock.wall();
      if (auto item = w.queue.take(now, next)) {
        return item;
      }
      w.waiting->set(static_cast<double>(w.queue.size()));
      const auto woken = [&w]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(w.mutex) {
        return w.changed || w.stopping;
      };
      const std::int64_t wait_ns =
          next == kNever ? 60'000'000'000
                         : std::min<std::int64_t>((next - now).count(), 60'000'000'000);
      w.mutex.AwaitWithTimeout(absl::Condition(&woken), absl::Nanoseconds(wait_ns));
    }
  }

  void work(Worker& w) {
    while (auto item = wait(w)) {
      const Instant now = clock.wall();
      const Delivery delivery = w.channel->deliver(item->effect, now);
      const std::uint32_t attempts = item->attempts + 1;
      if (delivery.outcome == Delivery::Outcome::Delivered) {
        w.delivered->add();
        finish(w, *item, true, {});
      } else if (delivery.outcome == Delivery::Outcome::Never ||
                 hopeless(w, *item, attempts, now)) {
        w.failed->add();
        log::warn("outbox", "{}: {} is given up: {}", w.options.name, to_text(item->effect.id),
                  delivery.reason);
        finish(w, *item, false, delivery.reason);
      } else {
        w.retried->add();
        const Duration wait_for =
            std::max(back_off(attempts, w.options.retry, next_random()), delivery.retry_after);
        log::debug("outbox", "{}: {} again in {}: {}", w.options.name, to_text(item->effect.id),
                   to_text(wait_for), delivery.reason);
        const Instant next = clock.wall() + wait_for;
        settler.retry_later(item->effect.id, attempts, next);
        const absl::MutexLock lock(&w.mutex);
        w.queue.later(item->effect.incident, attempts, next);
      }
    }
  }

  static bool hopeless(const Worker& w, const Item& item, std::uint32_t attempts, Instant now) {
    const RetryPolicy& policy = w.options.retry;
    return (item.effect.kind == EffectKind::Page && attempts >= policy.page_attempts_max) ||
           now - item.effect.at > policy.age_max;
  }

  void finish(Worker& w, const Item& item, bool delivered, std::string reason) {
    {
      const absl::MutexLock lock(&known_mutex);
      known.erase(item.effect.id);
    }
    settler.settle(item.effect.id, delivered, std::move(reason));
    const absl::MutexLock lock(&w.mutex);
    w.queue.done(item.effect.incident);
    w.waiting->set(static_cast<double>(w.queue.size()));
  }
};

Outbox::Outbox(EffectSettler& settler, Clock& clock, Metrics& metrics, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(settler, clock, metrics, seed)) {}

Outbox::~Outbox() { stop(); }

void Outbox::add_channel(const ChannelOptions& options, std::unique_ptr<Channel> channel) {
  auto worker = std::make_unique<Worker>();
  worker->options = options;
  worker->channel = std::move(channel);
  Metrics& m = impl_->metrics;
  const Metrics::Labels labels{{"channel", options.name}};
  worker->delivered =
      &m.counter("belfry_outbox_delivered_total", "Effects that their target took.", labels);
  worker->retried =
      &m.counter("belfry_outbox_retried_total", "Tries that will be repeated.", labels);
  worker->failed = &m.counter("belfry_outbox_failed_total", "Effects given up.", labels);
  worker->waiting = &m.gauge("belfry_outbox_pending", "Effects that wait.", labels);
  impl_->workers[options.name] = std::move(worker);
}

void Outbox::start() {
  for (auto& [name, worker] : impl_->workers) {
    Worker* w = worker.get();
    w->thread = std::thread([this, w] { impl_->work(*w); });
  }
}

void Outbox::stop() {
  for (auto& [name, worker] : impl_->workers) {
    const absl::MutexLock lock(&worker->mutex);
    worker->stopping = true;
  }
  for (auto& [name, worker] : impl_->workers) {
    if (worker->thread.joinable()) {
      worker->thread.join();
    }
  }
}

void Outbox::add(std::vector<Effect> effects) {
  for (Effect& effect : effects) {
    impl_->push({std::move(effect), 0, Instant{0}});
  }
}

void Outbox::restore(Effect effect, std::uint32_t attempts, Instant next_attempt) {
  impl_->push({std::move(effect), attempts, next_attempt});
}

std::size_t Outbox::pending() const {
  std::size_t n = 0;
  for (const auto& [name, worker] : impl_->workers) {
    const absl::MutexLock lock(&worker->mutex);
    n += worker->queue.size();
  }
  return n;
}

}  // namespace belfry
