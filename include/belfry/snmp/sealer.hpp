#pragma once
// Sealer: writes the SNMPv3 messages of one user at one engine (the load generator, the poller,
// tests). What Usm opens, from the other side.
//
// Thread: one. Owns its keys; the users outlive it.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/snmp/users.hpp"

namespace belfry::snmp {

class Sealer {
 public:
  /// `engine`: octets of who will be the authority. `level`: noAuthNoPriv, authNoPriv or authPriv;
  /// empty = the most that the user has keys for.
  static Result<Sealer> make(std::shared_ptr<const UsmUsers> users, std::string_view user,
                             std::string_view engine, std::string_view level = {});
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  struct Message {
    std::uint8_t pdu_tag = 0xa7;
    std::string_view pdu;  ///< its content
    std::int64_t id = 1;
    std::uint32_t boots = 1, time = 0;
    bool reportable = false;
    std::string_view context_engine;  ///< empty = the authority's
    std::string_view context_name;
  };
  std::string seal(const Message& message);

 private:
  struct Impl;
  explicit Sealer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The request by which a receiver's engine id is asked for (RFC 3414 4).
std::string discovery_request(std::int64_t id);

}  // namespace belfry::snmp
