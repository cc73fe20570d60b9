#pragma once
// What usm.cpp sees of the users.
#include <absl/container/flat_hash_map.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "belfry/snmp/users.hpp"
#include "usm_crypto.hpp"

namespace belfry::snmp {

enum class Level : std::uint8_t { NoAuth, Auth, Priv };
constexpr std::string_view name(Level level) {
  constexpr std::string_view kNames[]{"noAuthNoPriv", "authNoPriv", "authPriv"};
  return kNames[static_cast<std::size_t>(level)];
}

/// One of a user's two secrets: as it was given, then as a master key (Ku), unless it is one of an
/// engine (Kul) from the start.
struct UserSecret {
  enum class Form : std::uint8_t { None, Passphrase, Master, Localized };
  Form form = Form::None;
  mutable Secret secret;
  mutable std::once_flag once;  // Passphrase: `secret` becomes Ku
  void make(AuthProtocol auth) const;
  /// Kul at `engine`.
  Secret at(AuthProtocol auth, std::string_view engine) const;
};

struct User {
  std::string name;
  std::string engine;  ///< empty = any
  AuthProtocol auth = AuthProtocol::None;
  PrivProtocol priv = PrivProtocol::None;
  Level least = Level::Auth;
  UserSecret auth_secret, priv_secret;

  Level most() const {
    return priv != PrivProtocol::None   ? Level::Priv
           : auth != AuthProtocol::None ? Level::Auth
                                        : Level::NoAuth;
  }
};

struct UsmUsers::Impl {
  std::deque<User> users;  // stable: keys that were made point into it
  absl::flat_hash_map<std::string_view, std::vector<const User*>> by_name;
  std::size_t weak = 0;

  /// The user of that engine, else the one of any.
  const User* find(std::string_view name, std::string_view engine) const;
};

}  // namespace belfry::snmp
