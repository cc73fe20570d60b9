#include "belfry/view/view.hpp"

#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <deque>
#include <tuple>

#include "belfry/base/text.hpp"

namespace belfry {
namespace {

constexpr Duration kClosedKeep = std::chrono::hours(1);
constexpr std::size_t kClosedMax =
    10'000;  // ended incidents, and ended tickets with their timeline
constexpr std::size_t kTimelineMax = 1'000;  // entries of a ticket in memory
constexpr std::size_t kNodesMax = 200'000;

using IncidentPtr = std::shared_ptr<const Incident>;
using TicketPtr = std::shared_ptr<const Ticket>;

bool ended(TicketState state) {
  return state == TicketState::Closed || state == TicketState::Cancelled ||
         state == TicketState::Merged;
}

bool has(const std::vector<std::string>& texts, std::string_view wanted) {
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

/// `wanted` is in lower case already.
bool mentions(std::string_view text, std::string_view wanted) {
  return to_lower(text).find(wanted) != std::string::npos;
}

bool passes(const Incident& i, const IncidentFilter& f, std::string_view text) {
  if (i.state == IncidentState::Closed && !f.closed && f.state != "closed") {
    return false;
  }
  if (i.state == IncidentState::Symptom && !f.symptoms && f.state != "symptom") {
    return false;
  }
  return (f.rule.empty() || i.rule == f.rule) && (f.state.empty() || name(i.state) == f.state) &&
         (f.node.empty() || has(i.nodes, f.node)) &&
         (f.customer.empty() || has(i.customers, f.customer)) &&
         (text.empty() || mentions(i.title, text) ||
          std::any_of(i.key.begin(), i.key.end(),
                      [&](const std::string& part) { return mentions(part, text); }));
}

bool passes(const Ticket& t, const TicketFilter& f, std::string_view text) {
  if (ended(t.state) && !f.closed && f.state != name(t.state)) {
    return false;
  }
  return (f.owner.empty() || t.owner == f.owner) && (f.state.empty() || name(t.state) == f.state) &&
         (f.priority.empty() || t.priority == f.priority) &&
         (text.empty() || mentions(t.title, text));
}

bool comes_before(const IncidentPtr& a, const IncidentPtr& b) {
  return std::tie(a->began_at, a->rule, a->key, a->id) <
         std::tie(b->began_at, b->rule, b->key, b->id);
}

/// Queue order of DESK 4; without clocks every next due is +infinity.
bool queues_before(const TicketPtr& a, const TicketPtr& b) {
  const auto rank = [](const Ticket& t) {
    return std::make_tuple(std::string_view(t.priority), t.tier != "premium", t.origin, t.id);
  };
  return rank(*a) < rank(*b);
}

template <class Ptr, class Filter, class Order>
auto pick(std::vector<Ptr> all, const Filter& filter, Order order) {
  const std::string text = to_lower(filter.text);
  std::erase_if(all, [&](const Ptr& item) { return !passes(*item, filter, text); });
  std::sort(all.begin(), all.end(), order);
  all.resize(std::min(all.size(), filter.limit));
  std::vector<std::decay_t<decltype(*all.front())>> out;
  out.reserve(all.size());
  for (const Ptr& item : all) {
    out.push_back(*item);
  }
  return out;
}
}  // namespace

struct View::Impl {
  explicit Impl(std::size_t feed_items) : feed_items_max(feed_items) {}
  const std::size_t feed_items_max;

  mutable absl::Mutex mutex;
  ChangeNumber as_of ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<IncidentId, IncidentPtr> incidents ABSL_GUARDED_BY(mutex);
  struct Ended {
    IncidentId id;
    Instant at;
  };
  std::deque<Ended> closed
      ABSL_GUARDED_BY(mutex);  // in order of closing; reopened ones are skipped
  absl::flat_hash_map<TicketId, TicketPtr> tickets ABSL_GUARDED_BY(mutex);
  std::deque<TicketId> ended_tickets ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<TicketId, std::deque<TimelineEntry>> timelines ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<std::string, NodeSeen> nodes ABSL_GUARDED_BY(mutex);
  // Numbers have no gaps: item i is change feed_first + i.
  std::deque<FeedItem> feed ABSL_GUARDED_BY(mutex);

  absl::Mutex wake_mutex;
  std::function<void(ChangeNumber)> wake ABSL_GUARDED_BY(wake_mutex);

  void put(const IncidentPtr& incident, Instant at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    incidents[incident->id] = incident;
    if (incident->state == IncidentState::Closed) {
      closed.push_back({incident->id, at});
    }
  }
  void put(const TicketPtr& ticket, const TimelineEntry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    tickets[ticket->id] = ticket;
    auto& timeline = timelines[ticket->id];
    timeline.push_back(entry);
    if (timeline.size() > kTimelineMax) {
      timeline.pop_front();
    }
    if (ended(ticket->state)) {
      ended_tickets.push_back(ticket->id);
    }
  }
  void trim(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    while (!closed.empty() &&
           (closed.size() > kClosedMax || closed.front().at + kClosedKeep < now)) {
      const auto it = incidents.find(closed.front().id);
      if (it != incidents.end() && it->second->state == IncidentState::Closed &&
          it->second->closed_at <= closed.front().at) {
        incidents.erase(it);
      }
      closed.pop_front();
    }
    while (ended_tickets.size() > kClosedMax) {
      const auto it = tickets.find(ended_tickets.front());
      if (it != tickets.end() && ended(it->second->state)) {
        tickets.erase(it);
        timelines.erase(ended_tickets.front());
      }
      ended_tickets.pop_front();
    }
    while (feed.size() > feed_items_max) {
      feed.pop_front();
    }
  }
};

View::View(std::size_t feed_items_max) : impl_(std::make_unique<Impl>(feed_items_max)) {}
View::~View() = default;

void View::reset(ChangeNumber as_of, std::vector<Incident> incidents, std::vector<Ticket> tickets) {
  const absl::MutexLock lock(&impl_->mutex);
  impl_->as_of = as_of;
  impl_->incidents.clear();
  impl_->closed.clear();
  impl_->tickets.clear();
  impl_->ended_tickets.clear();
  impl_->feed.clear();
  for (Incident& incident : incidents) {
    const IncidentId id = incident.id;
    impl_->incidents[id] = std::make_shared<const Incident>(std::move(incident));
  }
  for (Ticket& ticket : tickets) {
    const TicketId id = ticket.id;
    impl_->tickets[id] = std::make_shared<const Ticket>(std::move(ticket));
  }
}

void View::apply(std::vector<Change> changes) {
  if (changes.empty()) {
    return;
  }
  // Texts are made before the lock is taken.
  std::vector<FeedItem> items;
  std::vector<IncidentPtr> incidents(changes.size());
  std::vector<TicketPtr> tickets(changes.size());
  items.reserve(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Change& c = changes[i];
    items.push_back({c.number, c.incident ? "incident" : "ticket",
                     std::make_shared<const std::string>(to_json(c))});
    if (c.incident) {
      incidents[i] = std::make_shared<const Incident>(std::move(c.incident->after));
    } else if (c.ticket) {
      tickets[i] = std::make_shared<const Ticket>(std::move(c.ticket->after));
    }
  }
  const ChangeNumber last = changes.back().number;
  {
    const absl::MutexLock lock(&impl_->mutex);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (incidents[i]) {
        impl_->put(incidents[i], changes[i].at);
      } else if (tickets[i]) {
        impl_->put(tickets[i], changes[i].ticket->entry);
      }
      impl_->feed.push_back(std::move(items[i]));
    }
    impl_->as_of = last;
    impl_->trim(changes.back().at);
  }
  const absl::MutexLock lock(&impl_->wake_mutex);
  if (impl_->wake) {
    impl_->wake(last);
  }
}

void View::apply_nodes(std::vector<NodeSeen> nodes) {
  const absl::MutexLock lock(&impl_->mutex);
  for (NodeSeen& node : nodes) {
    const auto it = impl_->nodes.find(node.node);
    if (it != impl_->nodes.end()) {
      it->second = std::move(node);
    } else if (impl_->nodes.size() < kNodesMax) {
      std::string key = node.node;
      impl_->nodes.emplace(std::move(key), std::move(node));
    }
  }
}

ChangeNumber View::as_of() const {
  const absl::ReaderMutexLock lock(&impl_->mutex);
  return impl_->as_of;
}

Listed<Incident> View::incidents(const IncidentFilter& filter) const {
  Listed<Incident> out;
  std::vector<IncidentPtr> all;
  {
    const absl::ReaderMutexLock lock(&impl_->mutex);
    out.as_of = impl_->as_of;
    all.reserve(impl_->incidents.size());
    for (const auto& [id, incident] : impl_->incidents) {
      all.push_back(incident);
    }
  }
  out.items = pick(std::move(all), filter, comes_before);
  return out;
}

std::optional<Incident> View::incident(IncidentId id) const {
  IncidentPtr found;
  {
    const absl::ReaderMutexLock lock(&impl_->mutex);
    if (const auto it = impl_->incidents.find(id); it != impl_->incidents.end()) {
      found = it->second;
    }
  }
  return found ? std::optional(*found) : std::nullopt;
}

std::vector<Incident> View::symptoms_of(IncidentId id) const {
  std::vector<IncidentPtr> found;
  {
    const absl::ReaderMutexLock lock(&impl_->mutex);
    for (const auto& [other, incident] : impl_->incidents) {
      if (incident->state != IncidentState::Closed && !incident->causes.empty() &&
          incident->causes.front() == id) {
        found.push_back(incident);
      }
    }
  }
  std::sort(found.begin(), found.end(), comes_before);
  std::vector<Incident> out;
  out.reserve(found.size());
  for (const IncidentPtr& incident : found) {
    out.push_back(*incident);
  }
  return out;
}

Listed<Ticket> View::tickets(const TicketFilter& filter) const {
  Listed<Ticket> out;
  std::vector<TicketPtr> all;
  {
    const absl::ReaderMutexLock lock(&impl_->mutex);
    out.as_of = impl_->as_of;
    all.reserve(impl_->tickets.size());
    for (const auto& [id, ticket] : impl_->tickets) {
      all.push_back(ticket);
    }
  }
  out.items = pick(std::move(all), filter, queues_before);
  return out;
}

std::optional<Ticket> View::ticket(TicketId id) const {
  const absl::ReaderMutexLock lock(&impl_->mutex);
  const auto it = impl_->tickets.find(id);
  return it == impl_->tickets.end() ? std::nullopt : std::optional(*it->second);
}

std::vector<TimelineEntry> View::timeline(TicketId id) const {
  const absl::ReaderMutexLock lock(&impl_->mutex);
  const auto it = impl_->timelines.find(id);
  if (it == impl_->timelines.end()) {
    return {};
  }
  return {it->second.begin(), it->second.end()};
}

std::vector<NodeSeen> View::nodes(std::size_t limit) const {
  std::vector<NodeSeen> out;
  {
    const absl::ReaderMutexLock lock(&impl_->mutex);
    out.reserve(impl_->nodes.size());
    for (const auto& [name, node] : impl_->nodes) {
      out.push_back(node);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const NodeSeen& a, const NodeSeen& b) { return a.node < b.node; });
  out.resize(std::min(out.size(), limit));
  return out;
}

std::optional<std::vector<FeedItem>> View::changes_after(ChangeNumber after,
                                                         std::size_t max) const {
  const absl::ReaderMutexLock lock(&impl_->mutex);
  if (after >= impl_->as_of) {
    return std::vector<FeedItem>{};
  }
  if (impl_->feed.empty() || after.value + 1 < impl_->feed.front().number.value) {
    return std::nullopt;
  }
  const std::size_t from = after.value + 1 - impl_->feed.front().number.value;
  const std::size_t n = std::min(max, impl_->feed.size() - from);
  const auto begin = impl_->feed.begin() + static_cast<std::ptrdiff_t>(from);
  return std::vector<FeedItem>(begin, begin + static_cast<std::ptrdiff_t>(n));
}

void View::on_change(std::function<void(ChangeNumber)> wake) {
  const absl::MutexLock lock(&impl_->wake_mutex);
  impl_->wake = std::move(wake);
}

}  // namespace belfry
