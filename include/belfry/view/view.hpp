#pragma once
// View: what readers see. In-memory tables of live incidents and tickets, nodes and the newest part
// of the feed; written by the committer, read by many threads; every read shows one change number.
//
// Thread: apply() from the committer; everything else from any thread. Readers never hold up the
// fold: a reader holds a shared lock for one copy at most, the committer takes it once per commit.
// Bounds: feed_items_max newest changes in memory (older ones come from the store); closed
// incidents stay listable for closed_keep (1 h) or 10,000 of them.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belfry/model/change.hpp"

namespace belfry {

struct FeedItem {
  ChangeNumber number;
  std::string kind;                         ///< "incident" or "ticket"
  std::shared_ptr<const std::string> json;  ///< one line
};

template <class T>
struct Listed {
  ChangeNumber as_of;  ///< the feed goes on from here
  std::vector<T> items;
};

struct IncidentFilter {
  std::string rule, state, node, customer, text;  ///< empty = any; text: in title or key
  bool closed = false;                            ///< also those that closed lately
  bool symptoms = true;
  std::size_t limit = 1000;
};
struct TicketFilter {
  std::string owner, state, priority, text;
  bool closed = false;
  std::size_t limit = 1000;
};

/// A device as seen: from the inventory or as an unknown sender.
struct NodeSeen {
  std::string node, address;
  bool known = false;
  Instant last_event{0};
  std::uint64_t events = 0;
};

class View {
 public:
  explicit View(std::size_t feed_items_max = 100'000);
  ~View();
  /// Start: the state of the recovered folds as of `as_of`.
  void reset(ChangeNumber as_of, std::vector<Incident> incidents, std::vector<Ticket> tickets);
  void apply(std::vector<Change> changes);
  void apply_nodes(std::vector<NodeSeen> nodes);

  ChangeNumber as_of() const;
  Listed<Incident> incidents(const IncidentFilter& filter) const;
  std::optional<Incident> incident(IncidentId id) const;
  std::vector<Incident> symptoms_of(IncidentId id) const;
  Listed<Ticket> tickets(const TicketFilter& filter) const;  ///< queue order (DESK 4)
  std::optional<Ticket> ticket(TicketId id) const;
  std::vector<TimelineEntry> timeline(
      TicketId id) const;  ///< since the process started; older from the record
  std::vector<NodeSeen> nodes(std::size_t limit) const;

  /// Changes after `after` from memory; nullopt when they are not in memory any more (ask the
  /// store).
  std::optional<std::vector<FeedItem>> changes_after(ChangeNumber after, std::size_t max) const;
  /// Called (committer thread) after each apply(); edges post to their own thread from it.
  void on_change(std::function<void(ChangeNumber)> wake);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
