#pragma once
// IfPoller: asks devices what their interfaces are called, so that a trap's ifIndex becomes a name
// where the inventory has none. GETBULK over v2c, or v3 where the device has a user.
//
//   inventory ──devices of `roles`──> a walk each `interval`, spread over it ──> PolledPorts
//
// A device that does not answer keeps the names it had. It is asked again after the interval.
// Thread: one of its own between start() and stop(); set_inventory() any.
// Bounds: requests_per_second, in_flight_max walks at a time, kPollDevicesMax devices; of a device
// what if_walk.hpp says. Only answers from the asked address with an open request's id are read.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/intake/polled_ports.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/runtime/clock.hpp"
#include "belfry/runtime/metrics.hpp"
#include "belfry/snmp/users.hpp"

namespace belfry {

inline constexpr std::size_t kPollDevicesMax = 50'000;

struct IfPollOptions {
  std::vector<std::string> roles;  ///< every device of these roles is asked
  std::uint16_t port = 161;
  Duration interval = std::chrono::minutes(10);
  Duration timeout = std::chrono::seconds(2);
  std::uint32_t retries = 2;
  std::uint32_t requests_per_second = 200;
  std::uint32_t in_flight_max = 64;
  /// Lines `NODE COMMUNITY`; `*` = the others. Text of a file that only its owner reads.
  std::string communities;
  std::string user;  ///< v3: the name that devices without an `snmp_user` of their own take
  std::shared_ptr<const snmp::UsmUsers> users;
};

class IfPoller {
 public:
  IfPoller(IfPollOptions options, std::shared_ptr<PolledPorts> ports, Clock& clock,
           Metrics& metrics);
  ~IfPoller();  ///< stops
  Result<void> start();
  void stop();
  /// Which devices there are, from the next round on.
  void set_inventory(std::shared_ptr<const Inventory> inventory);
  std::size_t devices() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
