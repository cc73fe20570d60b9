#include <gtest/gtest.h>

#include "belfry/base/bytes.hpp"
#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/base/time.hpp"

namespace belfry {
namespace {

TEST(Time, Rfc3339GoesThereAndBack) {
  const Instant at = from_civil_utc(2026, 3, 14, 22, 0, 5) + 120ms;
  EXPECT_EQ(to_rfc3339(at), "2026-03-14T22:00:05.120Z");
  EXPECT_EQ(parse_rfc3339("2026-03-14T22:00:05.12Z"), at);
  EXPECT_EQ(parse_rfc3339("2026-03-15T00:00:05.12+02:00"), at);
  EXPECT_FALSE(parse_rfc3339("2026-03-14 22:00"));
  EXPECT_FALSE(parse_rfc3339("2026-13-14T22:00:05Z"));
}

TEST(Time, DurationsAreReadAndShown) {
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_FALSE(parse_duration("5"));
  EXPECT_FALSE(parse_duration("99999999999w"));
  EXPECT_EQ(to_text(90min), "1h 30m");
  EXPECT_EQ(to_text(0s), "0s");
  EXPECT_EQ(to_text(86400s + 5s), "1d");
}

TEST(Bytes, AReaderNeverReadsPastTheEnd) {
  ByteWriter out;
  out.varint(300);
  out.zigzag(-5);
  out.string("abc");
  out.fixed64(7);
  ByteReader in(out.bytes());
  EXPECT_EQ(in.varint(), 300U);
  EXPECT_EQ(in.zigzag(), -5);
  EXPECT_EQ(in.string(), "abc");
  EXPECT_EQ(in.fixed64(), 7U);
  EXPECT_TRUE(in.done());
  EXPECT_FALSE(in.failed());
  ByteReader cut(std::string_view(out.bytes()).substr(0, 4));
  cut.varint();
  cut.zigzag();
  EXPECT_EQ(cut.string(), "");
  EXPECT_TRUE(cut.failed());
}

TEST(Json, EscapesAndReplacesWhatIsNotUtf8) {
  JsonWriter json;
  json.object()
      .field("a", "x\"\x1b\xff\n")
      .key("b")
      .array()
      .value(1)
      .value(2.5)
      .value(true)
      .null()
      .end()
      .end();
  EXPECT_EQ(json.text(), "{\"a\":\"x\\\"\\u001b\xEF\xBF\xBD\\n\",\"b\":[1,2.5,true,null]}");
}

TEST(Text, HelpersDoWhatTheirNamesSay) {
  EXPECT_EQ(trim("  a b\t\n"), "a b");
  EXPECT_EQ(edit_distance("if_donw", "if_down"), 1U);
  const std::string_view words[]{"if_down", "bgp_down"};
  EXPECT_EQ(nearest("if_donw", words), "if_down");
  EXPECT_EQ(nearest("completely", words), "");
  EXPECT_EQ(printable("a\x1b[31m\xc2\x9b"), "a\\x1b[31m\\xc2\\x9b");
  EXPECT_EQ(from_hex("0a:FF"), std::string("\x0a\xff", 2));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(parse_int("12x"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
}

}  // namespace
}  // namespace belfry
