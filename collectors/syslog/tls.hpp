#pragma once
// TLS under syslog (RFC 5425) and RELP: OpenSSL, TLS 1.2 and later, who may speak by the
// certificate's issuer or by its fingerprint, and who a certificate says that it is.
//
// Thread: a TlsContext is immutable and shared; a TlsSession belongs to its connection's thread.
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/syslog/options.hpp"

struct ssl_st;

namespace belfry::syslog {

class TlsContext {
 public:
  /// Reads certificate, key and issuers. Says which file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> make(const SyslogTlsOptions& options);
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  ~TlsContext();
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

class TlsSession {
 public:
  enum class Step : unsigned char { Done, Again, Failed };
  TlsSession(std::shared_ptr<const TlsContext> context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step handshake();
  /// After Failed: the ledger's word. Empty: it went away without having said anything.
  std::string_view why() const { return why_; }
  /// After Done: the name that the fingerprint list or the certificate gives; empty = none.
  const std::string& identity() const { return identity_; }
  /// As recv() and send() on a non-blocking socket: -1 and EAGAIN; 0 = end.
  ssize_t read(char* to, std::size_t size);
  ssize_t write(std::string_view bytes);
  /// OpenSSL holds bytes that the socket will not announce any more.
  bool pending() const;
  bool wants_write() const { return wants_write_; }

 private:
  ssize_t result(int n);
  std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_;
  std::string identity_;
  std::string_view why_;
  bool wants_write_ = false;
};

/// `SHA-256:AB:CD...`, `ab:cd...`, `abcd...` as 64 small hex digits; empty = it is none.
std::string fingerprint_of_text(std::string_view text);

}  // namespace belfry::syslog
