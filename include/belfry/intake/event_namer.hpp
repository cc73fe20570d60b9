#pragma once
// EventNamer: what intake does to name an event, without a collector: for events that come from a
// file (`belfry replay`). Relays are believed, for who recorded the file did.
//
// Thread: any; immutable. Owns: its indexes; keeps the inventory alive, which the names point into.
#include <memory>

#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

class EventNamer {
 public:
  EventNamer(std::shared_ptr<const rules::Program> program,
             std::shared_ptr<const Inventory> inventory);
  ~EventNamer();

  /// Sets node (as given; else the device of `from`, else what a relay claims: agent, host; else
  /// the sender itself) and ifname. The node is never empty afterwards.
  void name(Event& event) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
