#include "belfry/intake/polled_ports.hpp"

#include <algorithm>

namespace belfry {

const PolledPort* PolledPorts::View::find(std::string_view node, std::int64_t ifindex) const {
  const auto it = nodes.find(node);
  if (it == nodes.end()) {
    return nullptr;
  }
  const auto port = std::ranges::lower_bound(*it->second, ifindex, {}, &PolledPort::ifindex);
  return port == it->second->end() || port->ifindex != ifindex ? nullptr : &*port;
}

void PolledPorts::set(const std::string& node, Ports ports) {
  std::ranges::sort(ports, {}, &PolledPort::ifindex);
  const std::lock_guard lock(mutex_);
  const auto it = next_.nodes.find(node);
  const bool same = it == next_.nodes.end() ? ports.empty() : *it->second == ports;
  if (same) {
    return;
  }
  changed_ = true;
  if (ports.empty()) {
    next_.nodes.erase(it);
  } else {
    next_.nodes.insert_or_assign(node, std::make_shared<const Ports>(std::move(ports)));
  }
}

void PolledPorts::retain(const std::function<bool(const std::string&)>& keep) {
  const std::lock_guard lock(mutex_);
  changed_ |= std::erase_if(next_.nodes, [&](const auto& one) { return !keep(one.first); }) > 0;
}

bool PolledPorts::publish() {
  const std::lock_guard lock(mutex_);
  if (!changed_) {
    return false;
  }
  changed_ = false;
  view_ = std::make_shared<const View>(next_);
  version_.fetch_add(1, std::memory_order_release);
  return true;
}

std::shared_ptr<const PolledPorts::View> PolledPorts::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace belfry
