#pragma once
// UsmUsers: who may send SNMPv3 (RFC 3414's user table), read from net-snmp's lines:
//
//   createUser [-e ENGINEID] NAME [MD5|SHA|SHA-224|SHA-256|SHA-384|SHA-512 [-m|-l] SECRET
//              [DES|AES|AES-192|AES-256|AES-192-C|AES-256-C [[-m|-l] SECRET]]]
//   authUser TYPES NAME [noauth|auth|priv]     the least level at which NAME is believed
//   disableAuthorization yes                   messages without authentication are taken
//
// Without -e a user speaks from any engine. The least level is `auth` where no line says less.
// Secrets stay inside: nothing here prints, logs or compares them as text. A passphrase is turned
// into its key (1 MiB of hashing, 1 to 3 ms) at its first use or by warm(), and is wiped then.
//
// Thread: any; immutable but for the keys made once. Bounds: kUsersMax users, kUsersBytesMax bytes.
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"

namespace belfry::snmp {

/// Ten times the 5,000 that a carrier with one user per device was seen to have.
inline constexpr std::size_t kUsersMax = 50'000;
inline constexpr std::size_t kUsersBytesMax = 16 * 1024 * 1024;
/// RFC 3411 5: an engine's name has 5 to 32 octets, a user's 1 to 32.
inline constexpr std::size_t kEngineBytesMin = 5, kEngineBytesMax = 32, kUserBytesMax = 32;

class UsmUsers {
 public:
  ~UsmUsers();
  UsmUsers(const UsmUsers&) = delete;
  UsmUsers& operator=(const UsmUsers&) = delete;

  /// `path` names the text in errors; an error never quotes a secret.
  static Result<std::shared_ptr<const UsmUsers>> parse(const std::string& path,
                                                       std::string_view text);
  /// Reads the file. It must be readable by its owner alone (mode 0600) when `private_file`.
  static Result<std::shared_ptr<const UsmUsers>> read(const std::string& path, bool private_file);

  std::size_t size() const;
  struct Name {
    std::string user, engine;  ///< engine: octets; empty = any
  };
  std::vector<Name> names() const;
  /// Users whose protocols are broken ones (MD5, DES): for one line at the start.
  std::size_t weak() const;
  /// Makes the keys of all users ahead of their first message, until `stop`.
  void warm(const std::stop_token& stop) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  UsmUsers();
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry::snmp
