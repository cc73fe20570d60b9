#pragma once
// Naming: which device an address is, which port an ifindex or an alias is, for one pair of
// versions.
//
// Thread: immutable; shared by the collector threads. Owns: nothing but its indexes; every view
// points into the inventory, which it keeps alive.
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "belfry/intake/polled_ports.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/pipeline/port.hpp"

namespace belfry::intake {

class Naming {
 public:
  explicit Naming(std::shared_ptr<const Versions> versions);
  /// The same for every caller with the same pair: indexes of a large inventory are built once.
  static std::shared_ptr<const Naming> of(const std::shared_ptr<const Versions>& versions);

  /// Key of the device that has this address; empty = none.
  std::string_view node_of_address(std::string_view address) const;
  /// Key of the device of this name: the name itself, or its first label; empty = none.
  std::string_view node_of_name(std::string_view name) const;
  /// The device that a trusted sender means by a name or an address; the name itself when it is
  /// none of ours.
  std::string_view canonical_node(std::string_view name) const;
  /// Name of the port; empty = not in the table.
  std::string_view port_by_index(std::string_view node, std::int64_t ifindex) const;
  std::string_view port_by_name(std::string_view node, std::string_view name_or_alias) const;
  bool has_ports() const { return has_ports_; }

 private:
  struct PortKey {
    std::string_view node;
    std::string_view name;  // or
    std::int64_t index = -1;
    bool operator==(const PortKey&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const PortKey& k) {
      return H::combine(std::move(h), k.node, k.name, k.index);
    }
  };
  void index_nodes(const Inventory& inventory, std::uint32_t table);
  void index_ports(const Inventory& inventory, std::uint32_t table);

  std::shared_ptr<const Versions> versions_;
  absl::flat_hash_map<std::string_view, std::string_view> by_address_;
  absl::flat_hash_map<PortKey, std::string_view> ports_;
  bool has_ports_ = false;
};

/// The ifindex a notification speaks of: its ifIndex varbind, or the instance of another column of
/// ifTable or ifXTable. -1 = none.
std::int64_t ifindex_of(const Event& event);
/// The text of ifName, else ifDescr; empty = none.
std::string_view ifname_varbind(const Event& event);
/// `Gi0/1` in `Interface Gi0/1, changed state to down`, `ifName xe-0/0/0`; empty = none.
std::string_view ifname_in_text(std::string_view message);
/// Sets ifname, if it is not: from the ifindex, a varbind or the text; `polled`, where there is
/// one, knows interfaces that the inventory does not. Its names are copied into `arena`.
void name_port(const Naming& naming, Event& event, const PolledPorts::View* polled = nullptr,
               Arena* arena = nullptr);

}  // namespace belfry::intake
