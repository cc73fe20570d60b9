#pragma once
// TLS of checks: contexts that are kept, and what a certificate is worth at a given time.
#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>

#include "attempt.hpp"
#include "belfry/base/time.hpp"

namespace belfry::probe {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPointer = std::unique_ptr<SSL, FreeSsl>;

/// One context for each file of authorities: reading the system's takes milliseconds.
class TlsContexts {
 public:
  /// A client session that asks for spec.host. Null: the authorities cannot be read.
  SslPointer session(const CheckSpec& spec);

 private:
  std::map<std::string, std::unique_ptr<SSL_CTX, FreeSsl>> contexts_;
};

/// After the handshake: chain, name and end of the peer's certificate, with `expires_days`.
Finding judge_certificate(const SSL* ssl, const CheckSpec& spec, Instant now);
/// Why the last TLS call failed.
std::string tls_error();

}  // namespace belfry::probe
