#pragma once
// PolledPorts: what devices say their interfaces are called (ifName, ifDescr, ifAlias by ifIndex),
// as a poller last read it. Intake names ports by it where the inventory does not.
//
// Thread: any. Readers take a view, which never changes; the writer changes what the next publish()
// makes visible. Bounds: nodes and ports as its writer bounds them.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct PolledPort {
  std::int64_t ifindex = 0;
  std::string name, descr, alias;
  bool operator==(const PolledPort&) const = default;
};

class PolledPorts {
 public:
  using Ports = std::vector<PolledPort>;  // sorted by ifindex
  struct View {
    std::map<std::string, std::shared_ptr<const Ports>, std::less<>> nodes;
    /// nullptr: not known.
    const PolledPort* find(std::string_view node, std::int64_t ifindex) const;
  };

  /// The ports of one device, from the next publish() on; none = it is forgotten.
  void set(const std::string& node, Ports ports);
  /// Forgets devices that `keep` does not want.
  void retain(const std::function<bool(const std::string& node)>& keep);
  /// True when there was something to publish.
  bool publish();
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  std::shared_ptr<const View> view() const;

 private:
  mutable std::mutex mutex_;
  View next_;
  bool changed_ = false;
  std::shared_ptr<const View> view_ = std::make_shared<const View>();
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace belfry
