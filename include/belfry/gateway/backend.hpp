#pragma once
// GatewayBackend: what the gateway asks of the rest of the program. The program gives an adapter
// over pipeline and view; tests give a fake.
//
// Thread: everything from any thread; what is marked `blocking` is only called on helper threads.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/command.hpp"
#include "belfry/view/view.hpp"

namespace belfry {

struct ReloadOutcome {
  bool ok = true;
  std::vector<std::string> errors;  ///< `file:line:column: what was expected`, one each
};

struct ServerStatus {
  std::string version;  ///< of the program
  bool ready = false;
  std::string not_ready_reason;
  std::uint64_t rule_version = 0, inventory_version = 0;
  std::string rule_hash;
  Instant started_at{0};
  Instant reload_at{0};                    ///< last reload, by API or signal; 0 = none
  std::vector<std::string> reload_errors;  ///< empty when it went well
};

class GatewayBackend {
 public:
  virtual ~GatewayBackend() = default;

  virtual std::string epoch() const = 0;
  virtual ChangeNumber as_of() const = 0;
  virtual ServerStatus status() const = 0;

  virtual Listed<Incident> incidents(const IncidentFilter& filter) const = 0;
  virtual std::optional<Incident> incident(IncidentId id) const = 0;
  virtual std::vector<Incident> symptoms_of(IncidentId id) const = 0;
  virtual Listed<Ticket> tickets(const TicketFilter& filter) const = 0;
  virtual std::optional<Ticket> ticket(TicketId id) const = 0;
  virtual std::optional<Ticket> ticket_of(IncidentId id) const = 0;
  virtual std::vector<NodeSeen> nodes(std::size_t limit) const = 0;

  /// Feed, from memory; nullopt: ask changes_in_store().
  virtual std::optional<std::vector<FeedItem>> changes_in_memory(ChangeNumber after,
                                                                 std::size_t max) const = 0;
  /// Called after each published commit, on any thread.
  virtual void on_change(std::function<void()> wake) = 0;

  /// False when the ring is full. `done` runs on another thread, after the commit.
  virtual bool submit(Command command, std::function<void(const CommandResult&)> done) = 0;

  /// Blocking. NotFound when the range was dropped.
  virtual Result<std::vector<FeedItem>> changes_in_store(ChangeNumber after,
                                                         std::size_t max) const = 0;
  virtual Result<std::vector<std::string>> events_json(std::string_view node,
                                                       std::size_t max) const = 0;  ///< blocking
  virtual Result<std::vector<TimelineEntry>> timeline(TicketId id) const = 0;       ///< blocking
  /// Blocking: reads, compiles and swaps rules and inventory; the old version stays on errors.
  virtual ReloadOutcome reload() = 0;
};

}  // namespace belfry
