#include "tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <map>

#include "belfry/base/text.hpp"
#include "chars.hpp"

namespace belfry::syslog {
namespace {

constexpr std::size_t kFingerprintDigits = 64;  // SHA-256
constexpr std::size_t kIdentityMax = 255;

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return code == 0 ? "unknown" : std::string(text.data());
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned n = 0;
  if (X509_digest(certificate, EVP_sha256(), bytes.data(), &n) != 1) {
    return {};
  }
  return to_hex({reinterpret_cast<const char*>(bytes.data()), n});
}

/// A host name as it may stand for a device: no wildcard, no NUL that hides a second name.
std::string host_name(const ASN1_STRING* text) {
  const std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                              static_cast<std::size_t>(ASN1_STRING_length(text)));
  return name.size() <= kIdentityMax && all_of(name, kHost) ? std::string(name) : std::string();
}

/// First DNS name of the certificate, else its common name.
std::string subject_name(const X509* certificate) {
  std::string out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names) && out.empty(); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      out = host_name(name->d.dNSName);
    }
  }
  GENERAL_NAMES_free(names);
  if (out.empty()) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) {
      out = host_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    }
  }
  return out;
}

}  // namespace

std::string fingerprint_of_text(std::string_view text) {
  std::string out;
  const std::size_t label = text.find(':');
  if (label != std::string_view::npos && label > 2) {  // `SHA-256:`
    std::string word;
    for (const char c : text.substr(0, label)) {
      word += static_cast<char>(c | 32);
    }
    if (word != "sha-256" && word != "sha256") {
      return {};
    }
    text.remove_prefix(label + 1);
  }
  for (const char c : text) {
    const char small = static_cast<char>(c | 32);
    if (is_digit(c) || (small >= 'a' && small <= 'f')) {
      out += is_digit(c) ? c : small;
    } else if (c != ':') {
      return {};
    }
  }
  return out.size() == kFingerprintDigits ? out : std::string();
}

struct TlsContext::Impl {
  SSL_CTX* ctx = nullptr;
  bool has_issuers = false;
  std::map<std::string, std::string, std::less<>> names;  // by fingerprint
  ~Impl() { SSL_CTX_free(ctx); }

  /// Instead of OpenSSL's own verification: a listed fingerprint is enough, whoever signed it.
  static int verify(X509_STORE_CTX* store, void* self) {
    const auto& me = *static_cast<const Impl*>(self);
    const X509* leaf = X509_STORE_CTX_get0_cert(store);
    if (leaf != nullptr && me.names.contains(fingerprint(leaf))) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    }
    if (me.has_issuers) {
      return X509_verify_cert(store) == 1 ? 1 : 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }

  Result<void> load_issuers(const SyslogTlsOptions& o) {
    if (o.client_ca.empty()) {
      return {};
    }
    if (SSL_CTX_load_verify_locations(ctx, o.client_ca.c_str(), nullptr) != 1) {
      return fail(Code::Invalid, "{}: expected the certificates (PEM) of who signs senders: {}",
                  o.client_ca, openssl_error());
    }
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o.client_ca.c_str()));
    has_issuers = true;
    return {};
  }

  Result<void> load_peers(const SyslogTlsOptions& o) {
    for (const auto& [name, fingerprints] : o.peers) {
      std::string_view rest = fingerprints;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find_first_of(", "), rest.size());
        const std::string_view one = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (one.empty()) {
          continue;
        }
        const std::string digits = fingerprint_of_text(one);
        if (digits.empty()) {
          return fail(Code::Invalid,
                      "peer {}: '{}' is no fingerprint: expected SHA-256 as 64 hex digits", name,
                      printable(one, 120));
        }
        names[digits] = name;
      }
    }
    return {};
  }
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const SyslogTlsOptions& o) {
  auto impl = std::make_unique<Impl>();
  impl->ctx = SSL_CTX_new(TLS_server_method());
  if (impl->ctx == nullptr) {
    return fail(Code::Internal, "OpenSSL gives no context: {}", openssl_error());
  }
  SSL_CTX* ctx = impl->ctx;
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A resumed session would skip the look at the certificate.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_num_tickets(ctx, 0);
  if (SSL_CTX_use_certificate_chain_file(ctx, o.certificate.c_str()) != 1) {
    return fail(Code::Invalid, "{}: expected a certificate (PEM), with its chain: {}",
                o.certificate, openssl_error());
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, o.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(ctx) != 1) {
    return fail(Code::Invalid, "{}: expected the private key (PEM) of {}: {}", o.key, o.certificate,
                openssl_error());
  }
  BELFRY_CHECK_OK(impl->load_issuers(o));
  BELFRY_CHECK_OK(impl->load_peers(o));
  if (!o.anyone) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(ctx, &Impl::verify, impl.get());
  }
  return std::make_shared<const TlsContext>(std::move(impl));
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, int fd)
    : context_(std::move(context)), ssl_(SSL_new(context_->impl().ctx)) {
  if (ssl_ != nullptr) {
    SSL_set_fd(ssl_, fd);
    SSL_set_accept_state(ssl_);
  }
}
TlsSession::~TlsSession() {
  if (ssl_ != nullptr && why_.empty()) {
    SSL_shutdown(ssl_);  // says goodbye when that is possible without waiting
  }
  ERR_clear_error();
  SSL_free(ssl_);
}

TlsSession::Step TlsSession::handshake() {
  if (ssl_ == nullptr) {
    why_ = "tls-handshake";
    return Step::Failed;
  }
  ERR_clear_error();
  const int n = SSL_do_handshake(ssl_);
  if (n == 1) {
    wants_write_ = false;
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    if (certificate != nullptr) {
      const auto& names = context_->impl().names;
      const auto listed = names.find(fingerprint(certificate));
      identity_ = listed != names.end() ? listed->second : subject_name(certificate);
      X509_free(certificate);
    }
    return Step::Done;
  }
  const int error = SSL_get_error(ssl_, n);
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return Step::Again;
  }
  const long verified = SSL_get_verify_result(ssl_);
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (verified != X509_V_OK || reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    why_ = "tls-certificate";
  } else if (error == SSL_ERROR_SSL) {
    why_ = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ? "" : "tls-handshake";
  }
  ERR_clear_error();
  return Step::Failed;
}

ssize_t TlsSession::result(int n) {
  if (n > 0) {
    wants_write_ = false;
    return n;
  }
  const int error = SSL_get_error(ssl_, n);
  ERR_clear_error();
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  if (error == SSL_ERROR_ZERO_RETURN) {
    return 0;
  }
  errno = ECONNRESET;
  return -1;
}

/// A record holds 16 KiB: reads on until the buffer is full or nothing is there.
ssize_t TlsSession::read(char* to, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    ERR_clear_error();
    const ssize_t n = result(SSL_read(ssl_, to + have, static_cast<int>(size - have)));
    if (n <= 0) {
      return have > 0 ? static_cast<ssize_t>(have) : n;
    }
    have += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(have);
}

ssize_t TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  return result(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())));
}

bool TlsSession::pending() const { return SSL_has_pending(ssl_) == 1; }

}  // namespace belfry::syslog
