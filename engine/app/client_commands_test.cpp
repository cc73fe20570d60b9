#include "client_commands.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace belfry
