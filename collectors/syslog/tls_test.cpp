#include "tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "collectors_for_test.hpp"

namespace belfry {
namespace {

using testing::connect_to;
using testing::until;

/// A certificate and its key, signed by itself or by another.
struct Certificate {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();

  Certificate(const char* name, const Certificate* issuer, const char* dns = nullptr) {
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer == nullptr ? x509 : issuer->x509));
    if (issuer == nullptr) {
      extend(NID_basic_constraints, "critical,CA:TRUE");
    }
    if (dns != nullptr) {
      extend(NID_subject_alt_name, dns);
    }
    X509_sign(x509, issuer == nullptr ? key : issuer->key, EVP_sha256());
  }
  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  void extend(int what, const char* value) const {
    X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    X509_add_ext(x509, e, -1);
    X509_EXTENSION_free(e);
  }
  void write(const std::string& certificate_file, const std::string& key_file) const {
    FILE* f = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(f, x509);
    std::fclose(f);
    f = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(f, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(f);
  }
  std::string fingerprint() const {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509_digest(x509, EVP_sha256(), bytes, &n);
    std::string out = "SHA-256";
    for (unsigned i = 0; i < n; ++i) {
      char two[4];
      std::snprintf(two, sizeof two, ":%02X", bytes[i]);
      out += two;
    }
    return out;
  }
};

/// A blocking TLS client.
struct Client {
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  int fd = -1;

  Client(std::uint16_t port, const Certificate* certificate, int max_version = 0) {
    if (certificate != nullptr) {
      SSL_CTX_use_certificate(ctx, certificate->x509);
      SSL_CTX_use_PrivateKey(ctx, certificate->key);
    }
    if (max_version != 0) {
      SSL_CTX_set_security_level(ctx, 0);
      SSL_CTX_set_max_proto_version(ctx, max_version);
    }
    fd = connect_to(SOCK_STREAM, port);
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
  }
  ~Client() {
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// False: refused. A refusal of our certificate comes with the first read (TLS 1.3).
  bool send(std::string_view bytes, bool wait_for_end = false) const {
    if (SSL_connect(ssl) != 1 ||
        SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())) <= 0) {
      return false;
    }
    char byte = 0;
    return !wait_for_end || SSL_read(ssl, &byte, 1) > 0;
  }
};

class Tls : public testing::CollectorTest {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    folder = ::testing::TempDir() + "belfry-tls-" + std::to_string(getpid());
    std::filesystem::create_directory(folder);
    ca.write(folder + "/ca.pem", folder + "/ca.key");
    server.write(folder + "/server.pem", folder + "/server.key");
    options.address = "127.0.0.1";
    options.port = 0;
    options.tls.certificate = folder + "/server.pem";
    options.tls.key = folder + "/server.key";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string nodes() {
    std::string out;
    for (const auto& batch : port.take_all()) {
      for (const Event& e : batch->events) {
        out += std::string(e.node) + " " + std::string(e.message) + ";";
      }
    }
    return out;
  }

  std::string folder;
  SyslogTcpOptions options;
  Certificate ca{"test issuer", nullptr}, other_ca{"other issuer", nullptr};
  Certificate server{"belfry.example", &ca};
};

constexpr std::string_view kLine = "28 <13>Nov 25 03:00:00 h a: one";

TEST_F(Tls, ACertificateSaysWhoSpeaks) {
  options.tls.client_ca = folder + "/ca.pem";
  const Certificate by_dns("ignored", &ca, "DNS:core1.example"), by_name("edge2", &ca);
  const Certificate wild("*.example", &ca), stranger("core1.example", &other_ca);
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  const auto started = tls.start();
  ASSERT_TRUE(started.has_value()) << started.error().what;
  EXPECT_TRUE(Client(tls.port(), &by_dns).send(kLine));
  ASSERT_TRUE(until([&] { return port.events() == 1; }));
  EXPECT_TRUE(Client(tls.port(), &by_name).send(kLine));
  ASSERT_TRUE(until([&] { return port.events() == 2; }));
  EXPECT_TRUE(Client(tls.port(), &wild).send(kLine));
  ASSERT_TRUE(until([&] { return port.events() == 3; }));
  EXPECT_FALSE(Client(tls.port(), &stranger).send(kLine, true));
  EXPECT_FALSE(Client(tls.port(), nullptr).send(kLine, true));
  ASSERT_TRUE(until([&] { return tls.connections() == 0; }));
  tls.stop();
  EXPECT_EQ(nodes(), "core1.example one;edge2 one;127.0.0.1 one;");
  EXPECT_EQ(sum("tls-certificate"), 2U);
  EXPECT_EQ(sum("stored"), 3U);
}

TEST_F(Tls, AListedFingerprintIsEnough) {
  const Certificate own("self", nullptr), unlisted("self", nullptr);
  options.tls.peers = {{"core7", own.fingerprint()}};
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tls.start().has_value());
  EXPECT_TRUE(Client(tls.port(), &own).send(kLine));
  EXPECT_FALSE(Client(tls.port(), &unlisted).send(kLine, true));
  ASSERT_TRUE(until([&] { return port.events() == 1 && tls.connections() == 0; }));
  tls.stop();
  EXPECT_EQ(nodes(), "core7 one;");
}

TEST_F(Tls, OldVersionsAndPlainTextAreRefused) {
  options.tls.anyone = true;
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tls.start().has_value());
  EXPECT_FALSE(Client(tls.port(), nullptr, TLS1_1_VERSION).send(kLine));
  const int plain = connect_to(SOCK_STREAM, tls.port());
  testing::send_all(plain, "<13>Nov 25 03:00:00 h a: plain\n");
  testing::receive(plain, 100);
  close(plain);
  close(connect_to(SOCK_STREAM, tls.port()));  // says nothing: no refusal, a port was looked at
  EXPECT_TRUE(Client(tls.port(), nullptr, TLS1_2_VERSION).send(kLine));
  ASSERT_TRUE(until([&] { return port.events() == 1 && tls.connections() == 0; }));
  tls.stop();
  EXPECT_EQ(sum("tls-handshake"), 2U);
  EXPECT_EQ(sum("received"), 3U);
}

TEST_F(Tls, TakesMuchAcrossRecordsAndBatches) {
  options.tls.anyone = true;
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tls.start().has_value());
  std::string bytes;
  constexpr int kMessages = 20'000;
  for (int i = 0; i < kMessages; ++i) {
    const std::string text = "<13>Nov 25 03:00:00 h a: " + std::to_string(i);
    bytes += std::to_string(text.size()) + " " + text;
  }
  EXPECT_TRUE(Client(tls.port(), nullptr).send(bytes));
  ASSERT_TRUE(until([&] { return port.events() == kMessages; }));
  tls.stop();
  int next = 0;
  for (const auto& batch : port.take_all()) {
    for (const Event& e : batch->events) {
      EXPECT_EQ(e.message, std::to_string(next++));
    }
  }
}

TEST_F(Tls, AHandshakeIsNotWaitedForLong) {
  options.tls.anyone = true;
  options.tls.handshake_max = std::chrono::milliseconds(1);
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tls.start().has_value());
  const int silent = connect_to(SOCK_STREAM, tls.port());
  EXPECT_EQ(testing::receive(silent, 1), "");
  close(silent);
  tls.stop();
  EXPECT_EQ(sum("tls-handshake-timeout"), 1U);
}

TEST_F(Tls, CertificatesAreReadAnew) {
  options.tls.anyone = true;
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  ASSERT_TRUE(tls.start().has_value());
  const auto served = [&] {
    const Client client(tls.port(), nullptr);
    EXPECT_EQ(SSL_connect(client.ssl), 1);
    X509* x509 = SSL_get1_peer_certificate(client.ssl);
    const bool first = x509 != nullptr && X509_cmp(x509, server.x509) == 0;
    X509_free(x509);
    return first;
  };
  EXPECT_TRUE(served());
  std::FILE* f = std::fopen((folder + "/server.pem").c_str(), "w");
  std::fclose(f);
  const auto broken = tls.reload_tls();
  ASSERT_FALSE(broken.has_value());
  EXPECT_NE(broken.error().what.find("server.pem"), std::string::npos);
  EXPECT_TRUE(served());
  const Certificate fresh("belfry.example", &ca);
  fresh.write(folder + "/server.pem", folder + "/server.key");
  ASSERT_TRUE(tls.reload_tls().has_value());
  EXPECT_FALSE(served());
  tls.stop();
}

TEST_F(Tls, SaysWhichFileIsWrong) {
  options.tls.key = folder + "/ca.key";
  SyslogTcp tls(options, {&port}, clock, ledger, metrics);
  const auto started = tls.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().what.find("ca.key: expected the private key"), std::string::npos);
}

TEST(TlsFingerprint, IsReadAsItIsWritten) {
  const std::string digits(64, 'a');
  EXPECT_EQ(syslog::fingerprint_of_text(digits), digits);
  EXPECT_EQ(syslog::fingerprint_of_text("SHA-256:" + std::string(64, 'A')), digits);
  EXPECT_EQ(syslog::fingerprint_of_text("sha-1:" + digits), "");
  EXPECT_EQ(syslog::fingerprint_of_text("aa:bb"), "");
  EXPECT_EQ(syslog::fingerprint_of_text(""), "");
}

}  // namespace
}  // namespace belfry
