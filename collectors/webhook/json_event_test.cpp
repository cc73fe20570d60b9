#include "belfry/webhook/json_event.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

struct JsonEvents : ::testing::Test {
  Arena arena;
  WebhookOptions options;
  std::vector<Event> good(std::string_view body, BodyForm form = BodyForm::Json) {
    auto events = decode_json_events(body, form, options, arena);
    EXPECT_TRUE(events.has_value()) << (events ? "" : events.error().what);
    return events ? *std::move(events) : std::vector<Event>{};
  }
  std::string bad(std::string_view body, BodyForm form = BodyForm::Json) {
    auto events = decode_json_events(body, form, options, arena);
    return events ? "it was taken" : events.error().what;
  }
  static const Attr* attr(const Event& e, std::string_view name) {
    for (const Attr& a : e.attrs) {
      if (a.name == name) {
        return &a;
      }
    }
    return nullptr;
  }
};

TEST_F(JsonEvents, KnownNamesGoIntoSlotsTheRestBecomesAttributes) {
  const auto events = good(R"({"type":"disk_alert","node":"db-1","level":"major","msg":"91 % used",
      "at":"2026-03-14T22:00:00Z","label":{"mount":"/srv","raid":{"slot":4}},"used":91.5,"n":3,
      "ok":false,"tags":["b","a","b"],"nothing":null})");
  ASSERT_EQ(events.size(), 1U);
  const Event& e = events[0];
  EXPECT_EQ(e.kind, EventKind::Alert);
  EXPECT_EQ(e.type, "disk_alert");
  EXPECT_EQ(e.node, "db-1");
  EXPECT_EQ(severity_of_syslog(e.severity), Severity::Major);
  EXPECT_EQ(e.message, "91 % used");
  EXPECT_EQ(to_rfc3339(e.stamp), "2026-03-14T22:00:00.000Z");
  ASSERT_NE(attr(e, "label.mount"), nullptr);
  EXPECT_EQ(attr(e, "label.mount")->value.text, "/srv");
  EXPECT_EQ(attr(e, "label.raid.slot")->value.i, 4);
  EXPECT_EQ(attr(e, "used")->value.f, 91.5);
  EXPECT_EQ(attr(e, "ok")->value.type, Type::Bool);
  ASSERT_EQ(attr(e, "tags")->value.items().size(), 2U);
  EXPECT_EQ(attr(e, "tags")->value.items()[0].text, "a");
  EXPECT_EQ(attr(e, "nothing"), nullptr);
  EXPECT_TRUE(e.raw.starts_with(R"({"type":"disk_alert")"));
}

TEST_F(JsonEvents, TheTypeDecidesTheKind) {
  const auto events = good(R"([{"type":"beat","node":"p-7","seq":1},{"type":"probe","node":"a"},
      {"type":"syslog","node":"a","msg":"x"},{"type":"trap","node":"a","oid":"1.3.6.1.6.3.1.1.5.3"},
      {"node":"a"}])");
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].kind, EventKind::Beat);
  EXPECT_EQ(events[1].kind, EventKind::Probe);
  EXPECT_EQ(events[2].kind, EventKind::Syslog);
  EXPECT_EQ(events[3].kind, EventKind::Trap);
  EXPECT_FALSE(events[3].trap_oid.empty());
  EXPECT_EQ(events[4].type, "alert");
  EXPECT_EQ(events[4].raw, R"({"node":"a"})");
}

TEST_F(JsonEvents, LinesAreOneEventEach) {
  const auto events = good("{\"node\":\"a\"}\r\n\n{\"node\":\"b\"}", BodyForm::JsonLines);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].node, "b");
  EXPECT_EQ(events[1].raw, "{\"node\":\"b\"}");
  EXPECT_NE(bad("{\"node\":\"a\"}\n{\"node\":", BodyForm::JsonLines).find("line 2"),
            std::string::npos);
}

TEST_F(JsonEvents, ARefusalSaysWhichEventWhichFieldAndWhatWasExpected) {
  EXPECT_EQ(bad(R"([{"node":"a"},{"node":["x"]}])"),
            "event 2: 'node': expected a text, got a list");
  EXPECT_NE(bad(R"({"node":"a","level":"loud"})").find("expected cleared, indeterminate"),
            std::string::npos);
  EXPECT_NE(bad(R"({"msg":"x"})").find("'node' is missing"), std::string::npos);
  EXPECT_NE(bad(R"({"node":"a","type":"no way"})").find("'type'"), std::string::npos);
  EXPECT_NE(bad("{\"node\":\n \"a\" x}").find("line 2, column 6"), std::string::npos)
      << bad("{\"node\":\n \"a\" x}");
  EXPECT_NE(bad("[]").find("no event"), std::string::npos);
  EXPECT_NE(bad("").find("expected JSON"), std::string::npos);
  EXPECT_NE(bad("{\"node\":\"a\"} {\"node\":\"b\"}").find("more after the value"),
            std::string::npos);
  EXPECT_EQ(bad("7"), "event 1: expected an object, got a number");
}

TEST_F(JsonEvents, EveryBoundHolds) {
  options.events_max = 2;
  EXPECT_NE(bad(R"([{"node":"a"},{"node":"a"},{"node":"a"}])").find("more than 2"),
            std::string::npos);
  options.attrs_max = 1;
  EXPECT_NE(bad(R"({"node":"a","x":1,"y":2})").find("at most 1 attributes"), std::string::npos);
  options.event_bytes_max = 8;
  EXPECT_NE(bad(R"({"node":"a","msg":"123456789"})").find("at most 8 bytes"), std::string::npos);
  options = {};
  std::string deep = "1";
  for (int i = 0; i < 12; ++i) {
    deep = "{\"d\":" + deep + "}";
  }
  EXPECT_NE(bad("{\"node\":\"a\",\"x\":" + deep + "}"), "it was taken");
  EXPECT_NE(bad(std::string(100'000, '[')), "it was taken");
}

TEST_F(JsonEvents, ACopyOutlivesTheArenaItCameFrom) {
  Arena other;
  Event copy;
  {
    Arena first;
    auto events = decode_json_events(R"({"node":"a","set":["x","y"],"k":"v"})", BodyForm::Json,
                                     options, first);
    ASSERT_TRUE(events.has_value());
    copy_event((*events)[0], copy, other);
  }
  EXPECT_EQ(copy.node, "a");
  EXPECT_EQ(attr(copy, "set")->value.items()[1].text, "y");
  EXPECT_EQ(attr(copy, "k")->value.text, "v");
}

}  // namespace
}  // namespace belfry
