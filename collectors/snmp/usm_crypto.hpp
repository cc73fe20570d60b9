#pragma once
// The cryptography of USM over OpenSSL: keys from passphrases (RFC 3414 A.2), keys of one engine,
// HMACs cut to their length (RFC 3414 6, 7; RFC 7860) and DES-CBC / AES-CFB (RFC 3414 8, RFC 3826;
// the longer AES keys as Blumenthal's and Reeder's drafts extend them).
//
// Contexts of a key are made once and reused: an HMAC costs two copies of a hash state, a cipher
// one new IV. Thread: free functions any; AuthKey and PrivKey one at a time.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;
struct evp_cipher_ctx_st;

namespace belfry::snmp {

enum class AuthProtocol : std::uint8_t { None, Md5, Sha1, Sha224, Sha256, Sha384, Sha512 };
enum class PrivProtocol : std::uint8_t {
  None,
  Des,
  Aes128,
  Aes192,
  Aes256,
  Aes192Reeder,
  Aes256Reeder
};
inline constexpr std::size_t kMacBytesMax = 48;  // SHA-512's cut
inline constexpr std::size_t kKeyBytesMax = 64;  // SHA-512's output

/// Octets of the cut HMAC on the wire; 0 for None.
std::size_t mac_bytes(AuthProtocol auth);
std::size_t hash_bytes(AuthProtocol auth);

void wipe(std::string& bytes);

/// A secret that wipes itself.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret& other) = default;
  Secret& operator=(const Secret& other) = default;
  ~Secret() { wipe(); }
  std::string_view view() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void wipe() { snmp::wipe(bytes_); }

 private:
  std::string bytes_;
};

/// Ku: the digest of 1 MiB of the passphrase, repeated. REQUIRES: auth != None, text not empty.
Secret key_of_passphrase(AuthProtocol auth, std::string_view text);
/// Kul: H(Ku engine Ku).
Secret key_of_engine(AuthProtocol auth, std::string_view master, std::string_view engine);
/// Kul as long as the cipher needs it. Reeder's form hashes 1 MiB more.
Secret privacy_key(AuthProtocol auth, PrivProtocol priv, std::string_view localized,
                   std::string_view engine);

class AuthKey {
 public:
  AuthKey(AuthProtocol auth, std::string_view localized);
  ~AuthKey();
  AuthKey(AuthKey&&) noexcept;
  AuthKey& operator=(AuthKey&&) noexcept;
  /// The cut HMAC of the parts, one after the other.
  std::size_t sign(std::initializer_list<std::string_view> parts,
                   std::span<char, kMacBytesMax> out);
  /// Constant time, at full length: `mac` must have exactly the octets of the protocol.
  bool verify(std::initializer_list<std::string_view> parts, std::string_view mac);

 private:
  AuthProtocol auth_;
  evp_md_ctx_st* inner_ = nullptr;
  evp_md_ctx_st* outer_ = nullptr;
  evp_md_ctx_st* scratch_ = nullptr;
};

class PrivKey {
 public:
  PrivKey(PrivProtocol priv, std::string_view key);
  ~PrivKey();
  PrivKey(PrivKey&&) noexcept;
  PrivKey& operator=(PrivKey&&) noexcept;
  /// `out` has the size of `in`. False: the salt or the length does not fit the cipher.
  bool decrypt(std::string_view in, std::string_view salt, std::uint32_t boots, std::uint32_t time,
               char* out);
  /// Encrypts under a salt that was never used with this key; DES pads. The salt goes beside it.
  std::string encrypt(std::string_view in, std::uint64_t salt, std::uint32_t boots,
                      std::uint32_t time, std::string& salt_out);

 private:
  bool begin(std::string_view salt, std::uint32_t boots, std::uint32_t time, bool encrypt);
  PrivProtocol priv_;
  Secret key_;
  evp_cipher_ctx_st* decrypt_ = nullptr;
  evp_cipher_ctx_st* encrypt_ = nullptr;
};

/// Octets nobody can guess (engine ids, the first salt).
std::string random_bytes(std::size_t n);

}  // namespace belfry::snmp
