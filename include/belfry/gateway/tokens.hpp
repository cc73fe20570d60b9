#pragma once
// Tokens: who may ask for what. `tokens.json` in the data folder (mode 0600) holds name, roles and
// the SHA-256 of each token, never a token; `admin.token` (0600) holds the first one, for the
// command line. Tokens are 256 random bits, so a plain hash is enough.
//
// Thread: any. Bounds: 1,000 tokens.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"

namespace belfry {

enum class Role : std::uint8_t { Read, Events, Desk, Rules, Admin };
constexpr std::string_view name(Role role) {
  constexpr std::string_view kNames[]{"read", "events", "desk", "rules", "admin"};
  return kNames[static_cast<std::size_t>(role)];
}
Result<Role> parse_role(std::string_view word);

struct Identity {
  std::string name;  ///< the *who* of a command
  std::vector<Role> roles;
  /// `admin` may do everything; `desk` and `rules` may also read.
  bool may(Role role) const;
};

class TokenStore {
 public:
  /// Opens `dir`/tokens.json; at first start makes the folder (0700), an admin token and both
  /// files. Refuses files that others can read.
  static Result<std::unique_ptr<TokenStore>> open(const std::string& dir, Instant now);
  ~TokenStore();

  /// Constant time in the token and over all that are stored.
  std::optional<Identity> find(std::string_view token) const;
  bool valid(std::string_view name) const;  ///< still there (long-lived feeds ask again)
  std::vector<Identity> list() const;
  /// Blocking (writes the file). Gives the token: the only time it is seen.
  Result<std::string> add(const std::string& name, const std::vector<Role>& roles, Instant now);
  Result<void> remove(const std::string& name);  ///< blocking; the last admin cannot be removed
  const std::string& admin_path() const;         ///< of admin.token
  bool first_start() const;                      ///< open() made the admin token

 private:
  struct Impl;
  explicit TokenStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
