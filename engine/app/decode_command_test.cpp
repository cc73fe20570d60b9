#include "decode_command.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

std::string decoded(const DecodeArguments& arguments, std::string_view input) {
  std::string out;
  const std::string wrong = decode_text(arguments, input, out);
  return wrong.empty() ? out : wrong;
}

TEST(DecodeCommand, PrintsOneObjectALine) {
  EXPECT_EQ(decoded({}, "<30>Nov 25 2025 03:00:00 host1 sshd[7]: Accepted\n\n"),
            "{\"valid\":true,\"facility\":3,\"severity\":6,\"level\":\"indeterminate\",\"host\":"
            "\"host1\",\"app\":"
            "\"sshd\",\"pid\":\"7\",\"msgid\":null,\"timestamp\":1764039600.000000,\"tag\":"
            "\"sshd\",\"vendor\":null,"
            "\"message\":\"Accepted\",\"structured_data\":null}\n"
            "{\"valid\":false,\"why\":\"empty\",\"facility\":null,\"severity\":null,\"host\":null,"
            "\"app\":null,\"pid\":"
            "null,\"msgid\":null,\"timestamp\":null,\"tag\":null,\"vendor\":null,\"message\":\"\","
            "\"structured_data\":"
            "null}\n");
}

TEST(DecodeCommand, TakesJsonLinesAndPassesTheIdThrough) {
  const std::string out = decoded(
      {}, R"({"id":"x/1","n":{"a":["}"]},"raw":"<13>1 - h a - - [e b=\"\u00e9\\\"\"] m\n2"})");
  EXPECT_TRUE(out.starts_with("{\"id\":\"x/1\",\"valid\":true")) << out;
  EXPECT_NE(out.find("\"structured_data\":{\"e\":{\"b\":\"\xc3\xa9\\\"\"}}"), std::string::npos)
      << out;
  EXPECT_NE(out.find("\"message\":\"m\\n2\""), std::string::npos) << out;
  EXPECT_NE(decoded({}, R"({"raw_b64":"PDEzPmhlbGxvIHlvdQ=="})").find("\"message\":\"hello you\""),
            std::string::npos);
  EXPECT_NE(decoded({}, R"({"other":"json line"})").find("no-pri"), std::string::npos);
}

TEST(DecodeCommand, CutsOctetCountedFiles) {
  DecodeArguments octet{.framing = "octet"};
  EXPECT_NE(decoded(octet, "9 <13>a b\nc9 <13>d e\nf\n").find("\"message\":\"a b\\nc\""),
            std::string::npos);
  EXPECT_TRUE(decoded(octet, "99 <13>a").starts_with("byte 0: expected a frame"));
}

TEST(DecodeCommand, RefusesWhatIsNoPacket) {
  DecodeArguments trap{.as = "trap", .hex = true};
  const std::string out = decoded(trap, "3003020105\nzz\n");
  EXPECT_NE(out.find("\"notification\":false"), std::string::npos) << out;
  EXPECT_NE(out.find("not-hex"), std::string::npos) << out;
  EXPECT_EQ(decoded({.pcap = true}, "hello"), "not a capture: expected pcap or pcapng");
  EXPECT_EQ(decoded({.as = "x"}, "hello"), "--as x: expected syslog, trap or plugin");
}

TEST(DecodeCommand, ReadsPluginOutputs) {
  DecodeArguments plugin{.as = "plugin"};
  EXPECT_EQ(
      decoded(plugin, R"({"id":"p/1","exit":1,"stdout":"UPS WARNING | load=81%;80;90 x=U\nlow"})"
                      "\n{\"exit\":0}\n"),
      R"({"id":"p/1","exit":1,"state":"WARNING","status":"degraded","output":"UPS WARNING",)"
      R"("long_output":"low","perfdata":[{"label":"load","value":81,"unit":"%","warn":"80",)"
      R"("crit":"90"},{"label":"x","value":null,"unit":""}],"perfdata_refused":0})"
      "\n{\"refused\":\"expected a JSON object with 'stdout'\"}\n");
  EXPECT_NE(decoded(plugin, "FINE\nmore | a=1\n").find(R"("state":null)"), std::string::npos);
}

}  // namespace
}  // namespace belfry
