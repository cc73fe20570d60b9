#include "client_commands.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "../gateway/fake_backend.hpp"
#include "api_client.hpp"
#include "table.hpp"

namespace belfry {
namespace {

TEST(ServerSentEvents, AreTheSameAtEveryCut) {
  const std::string stream =
      ": beat\n\nid: e-1\nevent: change\ndata: {\"a\":1}\n\nid: e-2\r\nevent: resync\r\n"
      "data: x\r\ndata: y\r\n\r\nid: e-3\n\ndata: cut";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    std::vector<std::string> got;
    ServerSentEvents events([&](const ServerSentEvents::Event& e) {
      got.push_back(e.id + "|" + e.event + "|" + e.data);
    });
    events.feed(std::string_view(stream).substr(0, cut));
    events.feed(std::string_view(stream).substr(cut));
    ASSERT_EQ(got, (std::vector<std::string>{"e-1|change|{\"a\":1}", "e-2|resync|x\ny"})) << cut;
  }
}

TEST(Table, FitsTheTerminalAndNothingOfTheNetworkReachesItRaw) {
  Table table({"ID", "TITLE", "STATE"}, 1);
  table.row({{"1"}, {"caf\xC3\xA9 \x1b[31m" + std::string(100, 'x')}, {"open", Tint::Red}});
  Terminal terminal;
  EXPECT_EQ(table.text(terminal).find('\x1b'), std::string::npos);
  EXPECT_NE(table.text(terminal).find("\\x1b[31mxxx"), std::string::npos);
  terminal.width = 40;
  const std::string text = table.text(terminal);
  for (std::size_t from = 0, end = 0; (end = text.find('\n', from)) != std::string::npos;
       from = end + 1) {
    EXPECT_LE(display_width(text.substr(from, end - from)), 40U);
  }
  terminal.colour = true;
  EXPECT_NE(table.text(terminal).find("\x1b[31mopen\x1b[0m"), std::string::npos);
}

TEST(Table, ShortensBetweenCharacters) {
  EXPECT_EQ(fitted("caf\xC3\xA9s", 5), "caf\xC3\xA9s");
  EXPECT_EQ(fitted("caf\xC3\xA9s more", 5), "caf\xC3\xA9\u2026");
}

TEST(ApiClient, SaysWhatToDoWithoutATokenOrAServer) {
  ClientArguments a;
  a.server = "http://127.0.0.1:1";
  a.token_file = "/nowhere/admin.token";
  auto client = ApiClient::make(a);
  ASSERT_FALSE(client.has_value());
  EXPECT_NE(client.error().what.find("/nowhere/admin.token"), std::string::npos);
  EXPECT_EQ(incidents_command(a, {}), 2);
  EXPECT_EQ(percent_encode("a b/\xC3\xA9"), "a%20b%2f%c3%a9");
}

/// A gateway of its own on a port of the system's choice, over a backend that is told what to say.
struct Commands : ::testing::Test {
  std::filesystem::path dir =
      std::filesystem::path(::testing::TempDir()) /
      ("client_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  SystemClock clock;
  Metrics metrics;
  Ledger ledger;
  gateway::FakeBackend backend;
  std::unique_ptr<Gateway> server;
  ClientArguments client;

  void SetUp() override {
    std::filesystem::remove_all(dir);
    start(0);
    client.server = server->url();
    client.token_file = server->admin_token_path();
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(dir);
  }
  void start(std::uint16_t port) {
    GatewayOptions options;
    options.port = port;
    options.data_dir = dir;
    server = std::make_unique<Gateway>(options,
                                       GatewayParts{&backend, nullptr, &metrics, &ledger, &clock});
    const auto started = server->start();
    ASSERT_TRUE(started.has_value()) << started.error().what;
  }
  template <class F>
  std::string shown(F&& command, int code) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(command(), code);
    std::fflush(stdout);
    return ::testing::internal::GetCapturedStdout();
  }
};

TEST_F(Commands, ListsAreTablesOrJson) {
  EXPECT_EQ(shown([&] { return incidents_command(client, {}); }, 0), "no incidents\n");
  Incident incident;
  incident.id.value = 0xab;
  incident.rule = "fibre_cut";
  incident.key = {"PAR-LYO"};
  incident.title = "PAR-LYO is cut \x1b[2J";
  incident.severity = Severity::Critical;
  incident.evidence = {{Seq{1}, Instant{0}, "line protocol down"}};
  backend.incidents_ = {incident};
  const std::string table = shown([&] { return incidents_command(client, {}); }, 0);
  EXPECT_NE(table.find("00000000000000ab"), std::string::npos);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  IncidentsArguments one;
  one.id = "00000000000000ab";
  const std::string detail = shown([&] { return incidents_command(client, one); }, 0);
  EXPECT_NE(detail.find("fibre_cut(PAR-LYO)"), std::string::npos) << detail;
  EXPECT_NE(detail.find("line protocol down"), std::string::npos);
  client.json = true;
  EXPECT_TRUE(shown([&] { return incidents_command(client, {}); }, 0).starts_with("{\"as_of\":0"));
}

TEST_F(Commands, AnAckThatIsRefusedIs2AndAReloadWithErrorsIs1) {
  MoveArguments ack;
  ack.ticket = "T-12";
  backend.command_result.ticket.value = 12;
  backend.command_result.version = 3;
  EXPECT_EQ(shown([&] { return move_command(client, ack); }, 0), "T-12: ack (version 3)\n");
  backend.command_result.ok = false;
  backend.command_result.code = Code::Conflict;
  EXPECT_EQ(shown([&] { return move_command(client, ack); }, 2), "");
  EXPECT_EQ(shown([&] { return reload_command(client); }, 0), "reloaded\n");
  backend.reload_outcome = {false, {"a.bell:1:1: no"}};
  EXPECT_EQ(shown([&] { return reload_command(client); }, 1), "");
  SilenceArguments silence;
  silence.rule = "fibre_cut";
  EXPECT_EQ(silence_command(client, silence), 2) << "no end was given";
}

TEST_F(Commands, TheFeedComesBackWithItsCursorWhenTheServerRestarts) {
  for (int i = 1; i <= 3; ++i) {
    backend.publish("{\"kind\":\"incident\",\"title\":\"change " + std::to_string(i) + "\"}");
  }
  const std::uint16_t port = server->port();
  FeedArguments feed;
  feed.after = backend.epoch() + "-0";
  feed.count = 5;
  client.json = true;
  std::thread restart([&] {
    while (metrics.counter("belfry_feed_frames_total", "Frames written to subscribers").value() <
           3) {
      std::this_thread::yield();
    }
    server.reset();
    backend.add_change("{\"kind\":\"ticket\",\"title\":\"change 4\"}");
    start(port);
    backend.publish("{\"kind\":\"ticket\",\"title\":\"change 5\"}");
  });
  const std::string lines = shown([&] { return feed_command(client, feed); }, 0);
  restart.join();
  std::size_t from = 0;
  for (int i = 1; i <= 5; ++i) {
    from = lines.find("change " + std::to_string(i) + "\"}\n", from);
    ASSERT_NE(from, std::string::npos) << lines;
  }
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 5);
}

}  // namespace
}  // namespace belfry
