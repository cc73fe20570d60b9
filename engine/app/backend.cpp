#include "backend.hpp"

#include <algorithm>
#include <future>

#include "belfry/runtime/log.hpp"

namespace belfry {

namespace {

/// A reload that the pipeline has not taken by then goes on; the answer says so.
constexpr auto kReloadWait = std::chrono::seconds(20);

}  // namespace

ServerBackend::ServerBackend(const Config& config, Pipeline& pipeline, Clock& clock,
                             Versions versions)
    : config_(config),
      pipeline_(pipeline),
      clock_(clock),
      started_at_(clock.wall()),
      versions_(std::move(versions)) {}

std::string ServerBackend::epoch() const { return std::string(pipeline_.epoch()); }

ChangeNumber ServerBackend::as_of() const { return pipeline_.view().as_of(); }

ServerStatus ServerBackend::status() const {
  ServerStatus s;
  s.version = BELFRY_VERSION;
  s.ready = pipeline_.ready();
  s.not_ready_reason = pipeline_.not_ready_reason();
  s.started_at = started_at_;
  const absl::MutexLock lock(&mutex_);
  s.rule_version = s.inventory_version = versions_.number;
  s.rule_hash = versions_.program ? versions_.program->hash : "";
  s.reload_at = reload_at_;
  s.reload_errors = reload_errors_;
  return s;
}

Listed<Incident> ServerBackend::incidents(const IncidentFilter& filter) const {
  return pipeline_.view().incidents(filter);
}

std::optional<Incident> ServerBackend::incident(IncidentId id) const {
  return pipeline_.view().incident(id);
}

std::vector<Incident> ServerBackend::symptoms_of(IncidentId id) const {
  return pipeline_.view().symptoms_of(id);
}

Listed<Ticket> ServerBackend::tickets(const TicketFilter& filter) const {
  return pipeline_.view().tickets(filter);
}

std::optional<Ticket> ServerBackend::ticket(TicketId id) const {
  return pipeline_.view().ticket(id);
}

std::optional<Ticket> ServerBackend::ticket_of(IncidentId id) const {
  TicketFilter all;
  all.closed = true;
  all.limit = SIZE_MAX;
  for (Ticket& ticket : pipeline_.view().tickets(all).items) {
    if (std::find(ticket.members.begin(), ticket.members.end(), id) != ticket.members.end()) {
      return std::move(ticket);
    }
  }
  return std::nullopt;
}

std::vector<NodeSeen> ServerBackend::nodes(std::size_t limit) const {
  std::vector<NodeSeen> out = pipeline_.view().nodes(limit);
  const Versions now = versions();
  const std::uint32_t table = now.program ? now.program->node_table : kNoIndex;
  if (table == kNoIndex || !now.inventory) {
    return out;
  }
  std::vector<std::string> seen;
  seen.reserve(out.size());
  for (const NodeSeen& node : out) {
    seen.push_back(node.node);
  }
  std::sort(seen.begin(), seen.end());
  for (std::size_t i = 0; i < now.inventory->row_count(table) && out.size() < limit; ++i) {
    const std::string key(now.inventory->row(table, i).key);
    if (!std::binary_search(seen.begin(), seen.end(), key)) {
      NodeSeen node;
      node.node = key;
      node.known = true;
      out.push_back(std::move(node));
    }
  }
  return out;
}

std::optional<std::vector<FeedItem>> ServerBackend::changes_in_memory(ChangeNumber after,
                                                                      std::size_t max) const {
  return pipeline_.view().changes_after(after, max);
}

void ServerBackend::on_change(std::function<void()> wake) {
  pipeline_.view().on_change([wake = std::move(wake)](ChangeNumber) { wake(); });
}

bool ServerBackend::submit(Command command, std::function<void(const CommandResult&)> done) {
  return pipeline_.submit(std::move(command), std::move(done));
}

Result<std::vector<FeedItem>> ServerBackend::changes_in_store(ChangeNumber after,
                                                              std::size_t max) const {
  return pipeline_.changes_after(after, max);
}

Result<std::vector<std::string>> ServerBackend::events_json(std::string_view node,
                                                            std::size_t max) const {
  return pipeline_.events_json(node, max);
}

Result<std::vector<TimelineEntry>> ServerBackend::timeline(TicketId id) const {
  return pipeline_.timeline(id);
}

ReloadOutcome ServerBackend::reload() {
  const absl::MutexLock one_at_a_time(&reloading_);
  LoadedVersions loaded = load_versions(config_);
  ReloadOutcome outcome;
  outcome.errors = loaded.errors;
  outcome.ok = loaded.errors.empty();
  if (outcome.ok) {
    loaded.versions.number = versions().number + 1;
    auto taken = std::make_shared<std::promise<void>>();
    pipeline_.reload(loaded.sources, loaded.versions, [taken] { taken->set_value(); });
    if (taken->get_future().wait_for(kReloadWait) != std::future_status::ready) {
      log::warn("reload", "the new version is on its way; it was not in force after 20 s");
    }
    log::info("reload", "version {}: {} rules, {} signals", loaded.versions.number,
              loaded.versions.program->rules.size(),
              loaded.versions.program->signals.size() - loaded.versions.program->rules.size());
  }
  for (const std::string& error : outcome.errors) {
    log::error("reload", "the old version stays: {}", error);
  }
  {
    const absl::MutexLock lock(&mutex_);
    reload_at_ = clock_.wall();
    reload_errors_ = outcome.errors;
    if (outcome.ok) {
      versions_ = loaded.versions;
    }
  }
  if (outcome.ok && sink_) {
    sink_(loaded.versions);
  }
  return outcome;
}

Versions ServerBackend::versions() const {
  const absl::MutexLock lock(&mutex_);
  return versions_;
}

void ServerBackend::on_versions(std::function<void(const Versions&)> sink) {
  sink_ = std::move(sink);
}

}  // namespace belfry
