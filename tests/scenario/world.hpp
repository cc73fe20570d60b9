#pragma once
// World: the way of an event in one thread and virtual time: decode, intake, matcher, both folds.
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/desk/desk.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/pipeline/port.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/ledger.hpp"
#include "belfry/runtime/metrics.hpp"

namespace belfry::scenario {

/// A port whose other side is this thread.
class LoopPort final : public Port {
 public:
  explicit LoopPort(std::shared_ptr<const Versions> versions) : versions_(std::move(versions)) {}
  CollectorId id() const override { return {1}; }
  std::string_view name() const override { return "scenario"; }
  std::shared_ptr<const Versions> versions() override { return versions_; }
  bool version_changed() const override { return false; }
  std::unique_ptr<Batch> take_batch() override;
  bool try_push(std::unique_ptr<Batch>& batch) override;
  std::uint64_t committed() const override { return numbers_; }
  bool idle() const override { return true; }
  bool refusing() const override { return false; }
  std::deque<std::unique_ptr<Batch>> pushed;

 private:
  std::shared_ptr<const Versions> versions_;
  std::uint64_t numbers_ = 0;
};

class World {
 public:
  World(Versions versions, const DeskOptions& desk, Instant start);
  /// Moves virtual time; timers at or before it fire.
  void advance(Instant to);
  void syslog(const std::string& node, const std::string& text);
  void trap(const std::string& node, const std::string& packet);
  void probe(const std::string& node, const std::string& check, const std::string& status);
  CommandResult command(Command command);
  /// A row of `works`, new or moved: a version of the inventory.
  void works(const std::string& id, const std::string& ref, Instant from, Instant to);

  const Correlator& correlator() const { return correlator_; }
  const Desk& desk() const { return desk_; }
  const std::vector<Effect>& effects() const { return effects_; }
  /// Every incident as it stood after its last change, closed ones too.
  const std::vector<Incident>& incidents() const { return incidents_; }
  std::size_t events() const { return events_; }

 private:
  std::string address_of(const std::string& node) const;
  void fold_batches();
  void pass_on(Seq seq, Instant at);
  ManualClock clock_;
  Metrics metrics_;
  Ledger ledger_;
  std::shared_ptr<const Versions> versions_;
  LoopPort port_;
  Intake intake_;
  std::shared_ptr<const Inventory> inventory_;  ///< of the fold: with the works
  Correlator correlator_;
  Desk desk_;
  Instant now_;
  std::uint64_t seq_ = 10;
  std::size_t events_ = 0;
  std::vector<IncidentChange> changes_;
  std::vector<Effect> effects_;
  std::vector<Incident> incidents_;
};

/// A v2c notification on the wire: linkDown, linkUp, coldStart or an OID, and `ifIndex=3`-like
/// varbinds.
std::string trap_packet(const std::string& name,
                        const std::vector<std::pair<std::string, std::string>>& varbinds);

}  // namespace belfry::scenario
