// Over real sockets on loopback: framing, limits, TLS, feeds, a clean stop.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <filesystem>
#include <fstream>

#include "fake_backend.hpp"

namespace belfry::gateway {
namespace {

namespace fs = std::filesystem;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

struct Server : ::testing::Test {
  fs::path dir =
      fs::path(::testing::TempDir()) /
      ("server_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  SystemClock clock;
  Metrics metrics;
  Ledger ledger;
  FakeBackend backend;
  FakeDoor door;
  GatewayOptions options;
  std::unique_ptr<Gateway> gateway;
  std::string token;
  asio::io_context io;

  void SetUp() override {
    fs::remove_all(dir);
    options.port = 0;
    options.data_dir = dir;
    backend.status_.ready = true;
  }
  void TearDown() override {
    gateway.reset();
    fs::remove_all(dir);
  }
  Result<void> start() {
    gateway = std::make_unique<Gateway>(options,
                                        GatewayParts{&backend, &door, &metrics, &ledger, &clock});
    auto started = gateway->start();
    if (started) {
      std::ifstream in(gateway->admin_token_path());
      std::getline(in, token);
    }
    return started;
  }
  tcp::socket connect() {
    tcp::socket socket(io);
    socket.connect({asio::ip::make_address("127.0.0.1"), gateway->port()});
    return socket;
  }
  std::string head(const std::string& line, const std::string& more = "") const {
    return line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n" + more +
           "\r\n";
  }
  /// Writes the text, reads one response.
  template <class Stream>
  http::response<http::string_body> ask(Stream& stream, const std::string& text) {
    asio::write(stream, asio::buffer(text));
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(stream, buffer, response);
    return response;
  }
  /// Reads until the text is there.
  static std::string read_until(tcp::socket& socket, const std::string& text) {
    std::string got;
    asio::read_until(socket, asio::dynamic_buffer(got), text);
    return got;
  }
};

TEST_F(Server, AnswersSeveralRequestsOnOneConnection) {
  ASSERT_TRUE(start().has_value());
  tcp::socket socket = connect();
  EXPECT_EQ(ask(socket, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").body(), "ok\n");
  EXPECT_EQ(ask(socket, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").result_int(), 401U);
  EXPECT_EQ(ask(socket, head("GET /readyz")).result_int(), 200U);
  const auto list = ask(socket, head("GET /api/v1/incidents"));
  EXPECT_EQ(list.result_int(), 200U);
  EXPECT_EQ(list["X-Content-Type-Options"], "nosniff");
  const auto posted = ask(socket, head("POST /api/v1/events",
                                       "Content-Type: application/json\r\nContent-Length: 12\r\n") +
                                      "{\"node\":\"a\"}");
  EXPECT_EQ(posted.result_int(), 200U) << posted.body();
  EXPECT_EQ(door.last_source, "127.0.0.1");
}

TEST_F(Server, LimitsAreAnsweredAndStrangersBodiesAreNotRead) {
  options.body_bytes_max = 1000;
  ASSERT_TRUE(start().has_value());
  tcp::socket large = connect();
  EXPECT_EQ(ask(large, head("POST /api/v1/events",
                            "Content-Type: application/json\r\nContent-Length: 1001\r\n"))
                .result_int(),
            413U);
  tcp::socket stranger = connect();
  EXPECT_EQ(ask(stranger,
                "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\nContent-Length: 900\r\n\r\n")
                .result_int(),
            401U);
  tcp::socket long_head = connect();
  EXPECT_EQ(
      ask(long_head, head("GET /healthz", "X: " + std::string(20'000, 'x') + "\r\n")).result_int(),
      431U);
  tcp::socket garbage = connect();
  EXPECT_EQ(ask(garbage, "\x16\x03\x01 what is this\r\n\r\n").result_int(), 400U);
  tcp::socket waits = connect();
  asio::write(waits, asio::buffer(head("POST /api/v1/events",
                                       "Content-Type: application/json\r\nContent-Length: 2\r\n"
                                       "Expect: 100-continue\r\n")));
  EXPECT_NE(read_until(waits, "\r\n\r\n").find("100 Continue"), std::string::npos);
  EXPECT_EQ(ask(waits, "{}").result_int(), 200U);
}

TEST_F(Server, ASilentConnectionIsCut) {
  options.header_timeout = std::chrono::milliseconds(30);
  ASSERT_TRUE(start().has_value());
  tcp::socket slow = connect();
  asio::write(slow, asio::buffer(std::string("GET /heal")));
  char byte = 0;
  boost::system::error_code error;
  asio::read(slow, asio::buffer(&byte, 1), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(Server, OneConnectionTooManyIsClosed) {
  options.connections_max = 2;
  ASSERT_TRUE(start().has_value());
  tcp::socket first = connect(), second = connect();
  EXPECT_EQ(ask(first, head("GET /readyz")).result_int(), 200U);
  EXPECT_EQ(ask(second, head("GET /readyz")).result_int(), 200U);
  tcp::socket third = connect();
  char byte = 0;
  boost::system::error_code error;
  asio::read(third, asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error);
  EXPECT_EQ(ask(first, head("GET /readyz")).result_int(), 200U);
}

TEST_F(Server, TheFeedReachesEverySubscriberAndAStoppedOneHoldsUpNobody) {
  ASSERT_TRUE(start().has_value());
  std::vector<tcp::socket> subscribers;
  for (int i = 0; i < 100; ++i) {
    subscribers.push_back(connect());
    asio::write(subscribers.back(), asio::buffer(head("GET /api/v1/feed")));
    EXPECT_NE(read_until(subscribers.back(), "event: start\n").find("text/event-stream"),
              std::string::npos);
  }
  constexpr int kChanges = 300;  // 300 x 20 kB is more than what sockets buffer
  for (int i = 0; i < kChanges; ++i) {
    backend.publish("{\"pad\":\"" + std::string(20'000, 'x') + "\"}");
  }
  for (std::size_t i = 1; i < subscribers.size(); i += 10) {  // the first one never reads
    const std::string got = read_until(subscribers[i], "id: 00000000000000ee-300\nevent: change\n");
    std::size_t count = 0;
    for (std::size_t at = 0; (at = got.find("event: change", at)) != std::string::npos; ++at) {
      ++count;
    }
    EXPECT_EQ(count, static_cast<std::size_t>(kChanges));
  }
  gateway->stop();  // with a hundred feeds open
}

TEST_F(Server, AFeedGoesOnFromItsCursorAndARemovedTokenEndsIt) {
  options.heartbeat = std::chrono::milliseconds(20);
  ASSERT_TRUE(start().has_value());
  for (int i = 0; i < 5; ++i) {
    backend.publish("{}");
  }
  tcp::socket feed = connect();
  asio::write(feed, asio::buffer(head("GET /api/v1/feed?after=00000000000000ee-1",
                                      "Last-Event-ID: 00000000000000ee-3\r\n")));
  const std::string got = read_until(feed, ": beat");
  EXPECT_EQ(got.find("ee-3\n"), std::string::npos);
  EXPECT_NE(got.find("id: 00000000000000ee-4\n"), std::string::npos);
  EXPECT_NE(got.find("id: 00000000000000ee-5\n"), std::string::npos);
  tcp::socket other = connect();
  EXPECT_EQ(ask(other, head("GET /api/v1/feed?after=nonsense")).result_int(), 400U);
  const auto made = ask(other, head("POST /api/v1/tokens",
                                    "Content-Type: application/json\r\nContent-Length: 35\r\n") +
                                   R"({"name":"screen","roles":["read"]} )");
  ASSERT_EQ(made.result_int(), 200U) << made.body();
  const std::string admin = token;
  token = made.body().substr(made.body().find("blf_"), 68);
  tcp::socket screen = connect();
  asio::write(screen, asio::buffer(head("GET /api/v1/feed")));
  read_until(screen, ": beat");
  token = admin;
  EXPECT_EQ(ask(other, head("DELETE /api/v1/tokens/screen")).result_int(), 200U);
  std::string rest;
  boost::system::error_code error;
  asio::read(screen, asio::dynamic_buffer(rest), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(Server, BeyondLoopbackOnlyWithTls) {
  options.address = "0.0.0.0";
  auto refused = start();
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().what.find("is not loopback"), std::string::npos);
  options.address = "127.0.0.1";
  options.tls_certificate = "/nowhere.pem";
  EXPECT_FALSE(start().has_value());
  options.tls_key = "/nowhere.key";
  EXPECT_NE(start().error().what.find("/nowhere.pem"), std::string::npos);
  options.tls_certificate = options.tls_key = "";
  ASSERT_TRUE(start().has_value());
  GatewayOptions same = options;
  same.port = gateway->port();
  FakeBackend other_backend;
  Gateway second(same, GatewayParts{&other_backend, nullptr, &metrics, &ledger, &clock});
  EXPECT_NE(second.start().error().what.find("the port is in use"), std::string::npos);
}

/// A self-signed certificate of now, in two files.
void make_certificate(const fs::path& certificate, const fs::path& key_file) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* x509 = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  X509_sign(x509, key, EVP_sha256());
  FILE* out = std::fopen(certificate.c_str(), "w");
  PEM_write_X509(out, x509);
  std::fclose(out);
  out = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(x509);
  EVP_PKEY_free(key);
}

TEST_F(Server, SpeaksTls12AndLaterOnly) {
  fs::create_directories(dir);
  fs::permissions(dir, fs::perms::owner_all);
  make_certificate(dir / "cert.pem", dir / "key.pem");
  options.tls_certificate = dir / "cert.pem";
  options.tls_key = dir / "key.pem";
  const auto started = start();
  ASSERT_TRUE(started.has_value()) << started.error().what;
  EXPECT_TRUE(gateway->url().starts_with("https://"));
  {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket> stream(connect(), tls);
    stream.handshake(asio::ssl::stream_base::client);
    EXPECT_EQ(ask(stream, head("GET /readyz")).result_int(), 200U);
  }
  asio::ssl::context old(asio::ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
  asio::ssl::stream<tcp::socket> stream(connect(), old);
  boost::system::error_code error;
  stream.handshake(asio::ssl::stream_base::client, error);
  EXPECT_TRUE(error);
}

TEST_F(Server, AStopAnswersWhatIsUnderWay) {
  backend.hold_commands = true;
  ASSERT_TRUE(start().has_value());
  tcp::socket idle = connect();
  tcp::socket waits = connect();
  EXPECT_EQ(ask(idle, head("GET /readyz")).result_int(), 200U);
  asio::write(waits, asio::buffer(head("POST /api/v1/tickets/1/ack")));
  EXPECT_EQ(ask(idle, head("GET /readyz")).result_int(), 200U);
  gateway->stop();
  for (const auto& done : backend.held) {
    done(CommandResult{});  // later than the gateway: nothing happens
  }
  char byte = 0;
  boost::system::error_code error;
  asio::read(idle, asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error);
}

}  // namespace
}  // namespace belfry::gateway
