#pragma once
// Keys of one user at one engine, and the message that is sealed with them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "users_impl.hpp"
#include "usm_crypto.hpp"

namespace belfry::snmp {

inline constexpr std::uint8_t kReport = 0xa8;
inline constexpr std::uint8_t kFlagAuth = 1, kFlagPriv = 2, kFlagReportable = 4;
inline constexpr std::int64_t kSecurityModelUsm = 3;

struct Keys {
  const User* user = nullptr;
  std::string engine;
  std::optional<AuthKey> auth;
  std::optional<PrivKey> priv;
  bool used = true;  ///< since the cache's hand passed
};

/// With the key for digests.
Keys make_keys(const User& user, std::string_view engine);
/// And the one for privacy, where the user has one. Reeder's extension hashes 1 MiB for it: only
/// for who has shown a right digest.
void add_privacy(Keys& keys);

struct Sealed {
  std::int64_t id = 0;
  Level level = Level::NoAuth;
  bool reportable = false;
  std::string_view engine, user;
  std::uint32_t boots = 0, time = 0;
  std::string_view scoped;  ///< the scoped PDU, a whole SEQUENCE
};
/// The whole message. `keys` may be nullptr at NoAuth; `salt` is used at Priv alone and must be
/// new.
std::string seal(const Sealed& message, Keys* keys, std::uint64_t salt);

std::string scoped_pdu(std::string_view context_engine, std::string_view context_name,
                       std::uint8_t tag, std::string_view pdu);

}  // namespace belfry::snmp
