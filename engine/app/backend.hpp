#pragma once
// What the gateway asks, answered by pipeline and view: an adapter, nothing decided here but how a
// reload is run.
#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <memory>
#include <string>
#include <vector>

#include "belfry/gateway/backend.hpp"
#include "belfry/pipeline/pipeline.hpp"
#include "belfry/runtime/clock.hpp"
#include "config.hpp"
#include "versions.hpp"

namespace belfry {

class ServerBackend final : public GatewayBackend {
 public:
  ServerBackend(const Config& config, Pipeline& pipeline, Clock& clock, Versions versions);

  std::string epoch() const override;
  ChangeNumber as_of() const override;
  ServerStatus status() const override;
  Listed<Incident> incidents(const IncidentFilter& filter) const override;
  std::optional<Incident> incident(IncidentId id) const override;
  std::vector<Incident> symptoms_of(IncidentId id) const override;
  Listed<Ticket> tickets(const TicketFilter& filter) const override;
  std::optional<Ticket> ticket(TicketId id) const override;
  std::optional<Ticket> ticket_of(IncidentId id) const override;
  std::vector<NodeSeen> nodes(std::size_t limit) const override;
  std::optional<std::vector<FeedItem>> changes_in_memory(ChangeNumber after,
                                                         std::size_t max) const override;
  void on_change(std::function<void()> wake) override;
  bool submit(Command command, std::function<void(const CommandResult&)> done) override;
  Result<std::vector<FeedItem>> changes_in_store(ChangeNumber after,
                                                 std::size_t max) const override;
  Result<std::vector<std::string>> events_json(std::string_view node,
                                               std::size_t max) const override;
  Result<std::vector<TimelineEntry>> timeline(TicketId id) const override;
  ReloadOutcome reload() override;

  Versions versions() const;
  /// Called with each new pair after it is in force (probes take their targets from it).
  void on_versions(std::function<void(const Versions&)> sink);

 private:
  const Config& config_;
  Pipeline& pipeline_;
  Clock& clock_;
  const Instant started_at_;
  std::function<void(const Versions&)> sink_;
  absl::Mutex reloading_;  ///< one reload at a time
  mutable absl::Mutex mutex_;
  Versions versions_ ABSL_GUARDED_BY(mutex_);
  Instant reload_at_ ABSL_GUARDED_BY(mutex_){0};
  std::vector<std::string> reload_errors_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace belfry
