// Members: for replay's `--incidents`, every event of every incident by signal key. Unbounded, and
// so only under keep_members; not part of snapshots.
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

void Fold::log_event(std::uint32_t signal, const std::string& key, bool went_up) {
  KeyLog& log = key_logs[{signal, key}];
  if (log.events.empty() || log.events.back() != seq) {
    log.events.push_back(seq);
  }
  if (went_up) {
    log.up_since = seq;
  }
}

/// A signal key begins to count for a rule key. What its own pattern stands on is reached through
/// it.
void Fold::log_link(std::uint32_t owner_key, const SignalKey& signal_key) {
  const OwnerKey& key = keys[owner_key];
  Session& session = sessions[{key.owner, owner_text(key)}];
  const std::string text = signal_text(signal_key);
  Seq since = session.since;
  if (const auto log = key_logs.find({signal_key.signal, text}); log != key_logs.end()) {
    since = std::min(since, log->second.up_since);
  }
  if (plan->owners[signal_key.signal].used) {
    if (const auto inner = sessions.find({signal_key.signal, text}); inner != sessions.end()) {
      since = std::min(since, inner->second.since);
    }
  }
  session.parts.insert({signal_key.signal, text, since});
}

void Fold::collect(const KeyName& owner, Seq since, std::map<KeyName, std::set<Seq>>& found,
                   std::set<KeyName>& seen) const {
  const auto session = sessions.find(owner);
  if (session == sessions.end() || !seen.insert(owner).second) {
    return;
  }
  for (const Contribution& part : session->second.parts) {
    const KeyName name{part.signal, part.key};
    const Seq from = std::max(part.since, std::min(since, part.since));
    if (const auto log = key_logs.find(name); log != key_logs.end()) {
      for (const Seq event_seq : log->second.events) {
        if (event_seq >= from) {
          found[name].insert(event_seq);
        }
      }
    }
    if (plan->owners[part.signal].used) {
      collect(name, from, found, seen);
    }
  }
}

IncidentMembers Fold::members_of(std::uint32_t record) const {
  const OwnerKey& key = keys[record];
  const KeyName name{key.owner, owner_text(key)};
  std::map<KeyName, std::set<Seq>> found;
  std::set<KeyName> seen;
  const auto session = sessions.find(name);
  collect(name, session == sessions.end() ? Seq{} : session->second.since, found, seen);
  IncidentMembers members;
  members.id = incidents[key.incident].id;
  std::set<Seq> all;
  for (const auto& [signal, events] : found) {
    all.insert(events.begin(), events.end());
    members.alarms.push_back({std::string(plan->signals[signal.first].name), signal.second,
                              std::vector<Seq>(events.begin(), events.end())});
  }
  std::sort(members.alarms.begin(), members.alarms.end(), [](const auto& a, const auto& b) {
    return std::tie(a.signal, a.key) < std::tie(b.signal, b.key);
  });
  members.members.assign(all.begin(), all.end());
  return members;
}

/// Its life is over: what follows on these keys is another incident's.
void Fold::archive(std::uint32_t record) {
  IncidentMembers members = members_of(record);
  archived[members.id] = std::move(members);
  const OwnerKey& key = keys[record];
  Session& session = sessions[{key.owner, owner_text(key)}];
  session.parts.clear();
  session.since = seq;
  const OwnerPlan& owner = plan->owners[key.owner];
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    for (std::uint32_t e = key.nodes[n].edges; e != kNil; e = edges[e].next_of_node) {
      log_link(record, signal_keys[edges[e].signal]);
    }
  }
}

std::vector<IncidentMembers> Fold::members() const {
  std::map<IncidentId, IncidentMembers> all = archived;
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i)) {
      IncidentMembers members = members_of(incidents[i].key);
      all[members.id] = std::move(members);
    }
  }
  std::vector<IncidentMembers> list;
  for (auto& [id, members] : all) {
    list.push_back(std::move(members));
  }
  return list;
}

}  // namespace belfry::correlate
