#include "usm_crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "belfry/base/check.hpp"

namespace belfry::snmp {
namespace {

constexpr std::size_t kPassphraseBytes = 1024 * 1024;  // RFC 3414 A.2.1
constexpr std::size_t kSaltBytes = 8;

/// Fetched once: a fetch by name takes OpenSSL's locks each time.
const EVP_MD* digest_of(AuthProtocol auth) {
  static const std::array<const EVP_MD*, 7> kDigests{nullptr,
                                                     EVP_MD_fetch(nullptr, "MD5", nullptr),
                                                     EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                                     EVP_MD_fetch(nullptr, "SHA2-224", nullptr),
                                                     EVP_MD_fetch(nullptr, "SHA2-256", nullptr),
                                                     EVP_MD_fetch(nullptr, "SHA2-384", nullptr),
                                                     EVP_MD_fetch(nullptr, "SHA2-512", nullptr)};
  const EVP_MD* digest = kDigests[static_cast<std::size_t>(auth)];
  BELFRY_CHECK(digest != nullptr);
  return digest;
}

/// Single DES is in OpenSSL's legacy provider only; triple DES with one key thrice is the same.
const EVP_CIPHER* cipher_of(PrivProtocol priv) {
  static const EVP_CIPHER* const kDes = EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr);
  static const EVP_CIPHER* const kAes128 = EVP_CIPHER_fetch(nullptr, "AES-128-CFB", nullptr);
  static const EVP_CIPHER* const kAes192 = EVP_CIPHER_fetch(nullptr, "AES-192-CFB", nullptr);
  static const EVP_CIPHER* const kAes256 = EVP_CIPHER_fetch(nullptr, "AES-256-CFB", nullptr);
  const EVP_CIPHER* cipher = nullptr;
  switch (priv) {
    case PrivProtocol::None:
      break;
    case PrivProtocol::Des:
      cipher = kDes;
      break;
    case PrivProtocol::Aes128:
      cipher = kAes128;
      break;
    case PrivProtocol::Aes192:
    case PrivProtocol::Aes192Reeder:
      cipher = kAes192;
      break;
    case PrivProtocol::Aes256:
    case PrivProtocol::Aes256Reeder:
      cipher = kAes256;
      break;
  }
  BELFRY_CHECK(cipher != nullptr);
  return cipher;
}

std::size_t privacy_key_bytes(PrivProtocol priv) {
  switch (priv) {
    case PrivProtocol::None:
      return 0;
    case PrivProtocol::Des:
    case PrivProtocol::Aes128:
      return 16;  // DES: key and pre-IV, 8 octets each
    case PrivProtocol::Aes192:
    case PrivProtocol::Aes192Reeder:
      return 24;
    case PrivProtocol::Aes256:
    case PrivProtocol::Aes256Reeder:
      return 32;
  }
  return 0;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

class Digest {
 public:
  explicit Digest(AuthProtocol auth) : context_(EVP_MD_CTX_new()) {
    BELFRY_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, digest_of(auth), nullptr) == 1);
  }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view part) { EVP_DigestUpdate(context_, part.data(), part.size()); }
  Secret finish() {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, out, &size);
    Secret secret(std::string_view(reinterpret_cast<const char*>(out), size));
    OPENSSL_cleanse(out, sizeof out);
    return secret;
  }

 private:
  EVP_MD_CTX* context_;
};

/// A hash state that has taken the key's block, XORed with `pad` (RFC 2104).
EVP_MD_CTX* keyed_state(AuthProtocol auth, std::string_view key, unsigned char pad) {
  const std::size_t block = auth >= AuthProtocol::Sha384 ? 128 : 64;
  std::array<unsigned char, 128> bytes{};
  BELFRY_CHECK(key.size() <= block);
  std::copy(key.begin(), key.end(), bytes.begin());
  for (std::size_t i = 0; i < block; ++i) {
    bytes[i] = static_cast<unsigned char>(bytes[i] ^ pad);
  }
  EVP_MD_CTX* state = EVP_MD_CTX_new();
  BELFRY_CHECK(state != nullptr && EVP_DigestInit_ex(state, digest_of(auth), nullptr) == 1 &&
               EVP_DigestUpdate(state, bytes.data(), block) == 1);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return state;
}

void put_be(char* out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>((value >> (8 * (size - 1 - i))) & 0xff);
  }
}

}  // namespace

std::size_t mac_bytes(AuthProtocol auth) {
  constexpr std::size_t kBytes[]{0, 12, 12, 16, 24, 32, 48};
  return kBytes[static_cast<std::size_t>(auth)];
}

std::size_t hash_bytes(AuthProtocol auth) {
  constexpr std::size_t kBytes[]{0, 16, 20, 28, 32, 48, 64};
  return kBytes[static_cast<std::size_t>(auth)];
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = other.bytes_;
    other.wipe();
  }
  return *this;
}

void wipe(std::string& bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

Secret key_of_passphrase(AuthProtocol auth, std::string_view text) {
  BELFRY_CHECK(!text.empty());
  std::string block;  // whole repetitions, so that the digest takes large pieces
  while (block.size() < 4096) {
    block += text;
  }
  Digest digest(auth);
  std::size_t left = kPassphraseBytes;
  for (; left >= block.size(); left -= block.size()) {
    digest.add(block);
  }
  digest.add(std::string_view(block).substr(0, left));
  OPENSSL_cleanse(block.data(), block.size());
  return digest.finish();
}

Secret key_of_engine(AuthProtocol auth, std::string_view master, std::string_view engine) {
  Digest digest(auth);
  digest.add(master);
  digest.add(engine);
  digest.add(master);
  return digest.finish();
}

Secret privacy_key(AuthProtocol auth, PrivProtocol priv, std::string_view localized,
                   std::string_view engine) {
  const std::size_t wanted = privacy_key_bytes(priv);
  std::string key(localized);
  while (key.size() < wanted) {
    if (priv == PrivProtocol::Aes192Reeder || priv == PrivProtocol::Aes256Reeder) {
      const std::string_view last = std::string_view(key).substr(key.size() - hash_bytes(auth));
      key += key_of_engine(auth, key_of_passphrase(auth, last).view(), engine).view();
    } else {
      Digest digest(auth);
      digest.add(key);
      key += digest.finish().view();
    }
  }
  Secret out(std::string_view(key).substr(0, wanted));
  OPENSSL_cleanse(key.data(), key.size());
  return out;
}

AuthKey::AuthKey(AuthProtocol auth, std::string_view localized)
    : auth_(auth),
      inner_(keyed_state(auth, localized, 0x36)),
      outer_(keyed_state(auth, localized, 0x5c)),
      scratch_(EVP_MD_CTX_new()) {
  BELFRY_CHECK(scratch_ != nullptr);
}

AuthKey::~AuthKey() {
  EVP_MD_CTX_free(inner_);
  EVP_MD_CTX_free(outer_);
  EVP_MD_CTX_free(scratch_);
}

AuthKey::AuthKey(AuthKey&& other) noexcept
    : auth_(other.auth_),
      inner_(std::exchange(other.inner_, nullptr)),
      outer_(std::exchange(other.outer_, nullptr)),
      scratch_(std::exchange(other.scratch_, nullptr)) {}

AuthKey& AuthKey::operator=(AuthKey&& other) noexcept {
  std::swap(auth_, other.auth_);
  std::swap(inner_, other.inner_);
  std::swap(outer_, other.outer_);
  std::swap(scratch_, other.scratch_);
  return *this;
}

std::size_t AuthKey::sign(std::initializer_list<std::string_view> parts,
                          std::span<char, kMacBytesMax> out) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX_copy_ex(scratch_, inner_);
  for (const std::string_view part : parts) {
    EVP_DigestUpdate(scratch_, part.data(), part.size());
  }
  EVP_DigestFinal_ex(scratch_, hash, &size);
  EVP_MD_CTX_copy_ex(scratch_, outer_);
  EVP_DigestUpdate(scratch_, hash, size);
  EVP_DigestFinal_ex(scratch_, hash, &size);
  std::memcpy(out.data(), hash, mac_bytes(auth_));
  return mac_bytes(auth_);
}

bool AuthKey::verify(std::initializer_list<std::string_view> parts, std::string_view mac) {
  std::array<char, kMacBytesMax> expected{};
  const std::size_t size = sign(parts, expected);
  return mac.size() == size && CRYPTO_memcmp(mac.data(), expected.data(), size) == 0;
}

PrivKey::PrivKey(PrivProtocol priv, std::string_view key) : priv_(priv), key_(key) {
  BELFRY_CHECK(key.size() == privacy_key_bytes(priv));
}

PrivKey::~PrivKey() {
  EVP_CIPHER_CTX_free(decrypt_);
  EVP_CIPHER_CTX_free(encrypt_);
}

PrivKey::PrivKey(PrivKey&& other) noexcept
    : priv_(other.priv_),
      key_(std::move(other.key_)),
      decrypt_(std::exchange(other.decrypt_, nullptr)),
      encrypt_(std::exchange(other.encrypt_, nullptr)) {}

PrivKey& PrivKey::operator=(PrivKey&& other) noexcept {
  std::swap(priv_, other.priv_);
  std::swap(key_, other.key_);
  std::swap(decrypt_, other.decrypt_);
  std::swap(encrypt_, other.encrypt_);
  return *this;
}

bool PrivKey::begin(std::string_view salt, std::uint32_t boots, std::uint32_t time, bool encrypt) {
  if (salt.size() != kSaltBytes) {
    return false;
  }
  std::array<char, 16> iv{};
  if (priv_ == PrivProtocol::Des) {
    for (std::size_t i = 0; i < kSaltBytes; ++i) {
      iv[i] = static_cast<char>(key_.view()[8 + i] ^ salt[i]);
    }
  } else {
    put_be(iv.data(), boots, 4);
    put_be(iv.data() + 4, time, 4);
    std::copy(salt.begin(), salt.end(), iv.begin() + 8);
  }
  EVP_CIPHER_CTX*& context = encrypt ? encrypt_ : decrypt_;
  if (context != nullptr) {
    return EVP_CipherInit_ex2(context, nullptr, nullptr, bytes_of({iv.data(), iv.size()}), -1,
                              nullptr) == 1;
  }
  context = EVP_CIPHER_CTX_new();
  std::string key(key_.view());
  if (priv_ == PrivProtocol::Des) {
    key = key.substr(0, 8) + key.substr(0, 8) + key.substr(0, 8);
  }
  const bool good =
      context != nullptr &&
      EVP_CipherInit_ex2(context, cipher_of(priv_), bytes_of(key), bytes_of({iv.data(), iv.size()}),
                         encrypt ? 1 : 0, nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context, 0) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  BELFRY_CHECK(good);
  return true;
}

bool PrivKey::decrypt(std::string_view in, std::string_view salt, std::uint32_t boots,
                      std::uint32_t time, char* out) {
  if (in.empty() || (priv_ == PrivProtocol::Des && in.size() % 8 != 0) ||
      !begin(salt, boots, time, false)) {
    return false;
  }
  int size = 0;
  return EVP_DecryptUpdate(decrypt_, reinterpret_cast<unsigned char*>(out), &size, bytes_of(in),
                           static_cast<int>(in.size())) == 1 &&
         static_cast<std::size_t>(size) == in.size();
}

std::string PrivKey::encrypt(std::string_view in, std::uint64_t salt, std::uint32_t boots,
                             std::uint32_t time, std::string& salt_out) {
  salt_out.assign(kSaltBytes, '\0');
  if (priv_ == PrivProtocol::Des) {
    put_be(salt_out.data(), boots, 4);  // RFC 3414 8.1.1.1
    put_be(salt_out.data() + 4, salt, 4);
  } else {
    put_be(salt_out.data(), salt, kSaltBytes);
  }
  std::string padded(in);
  if (priv_ == PrivProtocol::Des) {
    padded.resize((padded.size() + 7) / 8 * 8, '\0');
  }
  BELFRY_CHECK(begin(salt_out, boots, time, true));
  std::string out(padded.size(), '\0');
  int size = 0;
  EVP_EncryptUpdate(encrypt_, reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(padded),
                    static_cast<int>(padded.size()));
  BELFRY_CHECK(static_cast<std::size_t>(size) == out.size());
  return out;
}

std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  BELFRY_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n)) == 1);
  return out;
}

}  // namespace belfry::snmp
