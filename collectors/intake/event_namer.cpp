#include "belfry/intake/event_namer.hpp"

#include "naming.hpp"

namespace belfry {

struct EventNamer::Impl {
  intake::Naming naming;
};

EventNamer::EventNamer(std::shared_ptr<const rules::Program> program,
                       std::shared_ptr<const Inventory> inventory)
    : impl_(new Impl{intake::Naming(std::make_shared<const Versions>(
          Versions{std::move(program), std::move(inventory), 1}))}) {}

EventNamer::~EventNamer() = default;

void EventNamer::name(Event& event) const {
  const intake::Naming& naming = impl_->naming;
  if (!event.node.empty() && event.kind == EventKind::Alert) {
    event.node = naming.canonical_node(event.node);
  }
  if (event.node.empty() && !event.from.empty()) {
    event.node = naming.node_of_address(event.from);
  }
  if (event.node.empty()) {
    const std::string_view claimed = !event.agent.empty() ? event.agent : event.host;
    if (!claimed.empty()) {
      const std::string_view by_address = naming.node_of_address(claimed);
      const std::string_view by_name = naming.node_of_name(claimed);
      event.node = !by_address.empty() ? by_address : !by_name.empty() ? by_name : claimed;
      if (event.via.empty()) {
        event.via = event.from;
      }
    }
  }
  if (event.node.empty()) {
    event.node = event.from.empty() ? std::string_view("unknown") : event.from;
  }
  intake::name_port(naming, event);
}

}  // namespace belfry
