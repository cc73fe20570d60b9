#include "tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace belfry::probe {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr double kDay = 86'400;

/// Seconds until the certificate ends.
double seconds_left(const X509* certificate, Instant now) {
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> at(
      ASN1_TIME_set(nullptr, static_cast<time_t>(now.ns / kSecond)), &ASN1_TIME_free);
  int days = 0, seconds = 0;
  if (at == nullptr ||
      ASN1_TIME_diff(&days, &seconds, at.get(), X509_get0_notAfter(certificate)) != 1) {
    return 0;
  }
  return days * kDay + seconds;
}

}  // namespace

SslPointer TlsContexts::session(const CheckSpec& spec) {
  auto& context = contexts_[spec.ca_file];
  if (context == nullptr) {
    context.reset(SSL_CTX_new(TLS_client_method()));
    const bool read =
        context != nullptr &&
        (spec.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                              : SSL_CTX_load_verify_file(context.get(), spec.ca_file.c_str()) == 1);
    if (!read) {
      context.reset();
      return nullptr;
    }
    // The handshake goes through whatever the certificate says: what is wrong is what we report.
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  }
  SslPointer ssl(SSL_new(context.get()));
  if (ssl != nullptr && !spec.host.empty()) {
    SSL_set_tlsext_host_name(ssl.get(), spec.host.c_str());
    SSL_set1_host(ssl.get(), spec.host.c_str());
  }
  return ssl;
}

Finding judge_certificate(const SSL* ssl, const CheckSpec& spec, Instant now) {
  using Kind = Finding::Kind;
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) {
    return Finding::of(Kind::Bad, "it showed no certificate");
  }
  const double left = seconds_left(certificate, now);
  const double warn = static_cast<double>(spec.certificate_warn.count()) / kSecond;
  const long verdict = SSL_get_verify_result(ssl);
  Finding out;
  if (left <= 0) {
    out =
        Finding::of(Kind::Bad, fmt::format("its certificate ended {:.1f} days ago", -left / kDay));
  } else if (spec.verify && verdict != X509_V_OK) {
    out = Finding::of(Kind::Bad,
                      fmt::format("its certificate: {}", X509_verify_cert_error_string(verdict)));
  } else {
    out = Finding::of(left < warn ? Kind::Warn : Kind::Good,
                      fmt::format("its certificate ends in {:.1f} days", left / kDay));
  }
  out.extras.push_back({"expires_days", left / kDay});
  return out;
}

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "the connection ended";
}

}  // namespace belfry::probe
