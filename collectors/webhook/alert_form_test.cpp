#include "belfry/webhook/alert_form.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

constexpr Instant kNow{1'800'000'000'000'000'000};  // 2027-01-15T08:00:00Z

struct Alerts : ::testing::Test {
  Arena arena;
  WebhookOptions options;
  static const AlertForm& form(std::string_view name) {
    for (const AlertForm& f : builtin_alert_forms()) {
      if (f.name == name) {
        return f;
      }
    }
    ADD_FAILURE() << "no form " << name;
    return builtin_alert_forms()[0];
  }
  std::vector<Event> good(const AlertForm& f, std::string_view body) {
    auto events = decode_alerts(body, f, kNow, options, arena);
    EXPECT_TRUE(events.has_value()) << (events ? "" : events.error().what);
    return events ? *std::move(events) : std::vector<Event>{};
  }
  std::string bad(const AlertForm& f, std::string_view body) {
    auto events = decode_alerts(body, f, kNow, options, arena);
    return events ? "it was taken" : events.error().what;
  }
  static std::string attr(const Event& e, std::string_view name) {
    for (const Attr& a : e.attrs) {
      if (a.name == name) {
        return a.value.type == Type::String ? std::string(a.value.text) : to_text(a.value);
      }
    }
    return "-";
  }
};

constexpr std::string_view kPrometheus = R"([
 {"annotations":{"summary":"disk of db-1"},"startsAt":"2027-01-15T07:55:00.5Z",
  "endsAt":"2027-01-15T08:04:00Z","generatorURL":"http://prom/graph",
  "labels":{"alertname":"DiskFull","instance":"db-1:9100","severity":"page","mount":"/srv","empty":""}},
 {"annotations":{},"startsAt":"2027-01-15T07:00:00Z","endsAt":"2027-01-15T07:59:59Z",
  "labels":{"alertname":"Up","node":"sw-4","instance":"10.0.0.1:9100"}}])";

TEST_F(Alerts, PrometheusSaysUntilWhenAnAlertHolds) {
  const auto events = good(form("prometheus"), kPrometheus);
  ASSERT_EQ(events.size(), 2U);
  const Event& e = events[0];
  EXPECT_EQ(e.kind, EventKind::Alert);
  EXPECT_EQ(e.type, "alert");
  EXPECT_EQ(e.node, "db-1");
  EXPECT_EQ(e.message, "disk of db-1");
  EXPECT_EQ(to_rfc3339(e.stamp), "2027-01-15T07:55:00.500Z");
  EXPECT_EQ(severity_of_syslog(e.severity), Severity::Critical);
  EXPECT_EQ(attr(e, "name"), "DiskFull");
  EXPECT_EQ(attr(e, "state"), "firing");
  EXPECT_EQ(attr(e, "label.mount"), "/srv");
  EXPECT_EQ(attr(e, "label.empty"), "-") << "an empty label is no label";
  EXPECT_EQ(attr(e, "source"), "prometheus");
  EXPECT_EQ(attr(e, "ends"), to_text(Value::time(kNow + std::chrono::minutes(4))));
  EXPECT_EQ(events[1].node, "sw-4") << "a label `node` counts more than the instance";
  EXPECT_EQ(attr(events[1], "state"), "resolved") << "its end is past";
  EXPECT_EQ(attr(events[1], "ends"), "-");
}

TEST_F(Alerts, TheSameAlertHasTheSameIdWhicheverWayItCame) {
  // FNV-1a by hand: the basis over nothing, and over one pair.
  EXPECT_EQ(alert_fingerprint({}), "cbf29ce484222325");
  const auto direct =
      good(form("prometheus"),
           R"([{"labels":{"b":"2","a":"1","alertname":"X"},"startsAt":"2027-01-15T07:00:00Z"}])");
  const auto again = good(form("prometheus"), R"([{"labels":{"alertname":"X","a":"1","b":"2"}}])");
  EXPECT_EQ(direct[0].id, again[0].id);
  EXPECT_EQ(direct[0].id.size(), 16U);
  const auto other = good(form("prometheus"), R"([{"labels":{"alertname":"X","a":"1","b":"3"}}])");
  EXPECT_NE(direct[0].id, other[0].id);
}

TEST_F(Alerts, AlertmanagersWebhookHasAStatusAndNoEnd) {
  const auto events =
      good(form("alertmanager"), R"({"version":"4","receiver":"noc","status":"firing",
    "alerts":[{"status":"firing","labels":{"alertname":"A","device":"r1"},"annotations":{},
               "startsAt":"2027-01-15T07:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"00ff00ff00ff00ff"},
              {"status":"resolved","labels":{"alertname":"B","device":"r2"},"annotations":{"message":"m"},
               "startsAt":"2027-01-15T07:00:00Z","endsAt":"2027-01-15T07:30:00Z","fingerprint":"01"}]})");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(attr(events[0], "state"), "firing");
  EXPECT_EQ(attr(events[0], "ends"), "-");
  EXPECT_EQ(events[0].id, "00ff00ff00ff00ff");
  EXPECT_EQ(attr(events[1], "state"), "resolved");
  EXPECT_EQ(events[1].message, "m");
  EXPECT_NE(bad(form("alertmanager"), R"({"alerts":[{"status":"asleep"}]})").find("alert 1"),
            std::string::npos);
  EXPECT_NE(bad(form("alertmanager"), R"([])").find("'/alerts' is missing"), std::string::npos);
}

TEST_F(Alerts, ZabbixIcingaLibreNmsAndPassiveResults) {
  const auto zabbix =
      good(form("zabbix"),
           R"({"host":"core-1","trigger_name":"Link down","trigger_id":"231","event_value":"1",
      "event_nseverity":"4","alert_message":"since 08:00"})");
  EXPECT_EQ(zabbix[0].node, "core-1");
  EXPECT_EQ(attr(zabbix[0], "state"), "firing");
  EXPECT_EQ(severity_of_syslog(zabbix[0].severity), Severity::Major);
  EXPECT_EQ(zabbix[0].id, "231");
  const auto icinga =
      good(form("icinga2"),
           R"({"type":"StateChange","host":"web","service":"http","state":2.0,"state_type":1.0,
      "timestamp":1799999990.25,"check_result":{"output":"HTTP CRITICAL","exit_status":2}})");
  EXPECT_EQ(attr(icinga[0], "name"), "http");
  EXPECT_EQ(severity_of_syslog(icinga[0].severity), Severity::Critical);
  EXPECT_EQ(icinga[0].message, "HTTP CRITICAL");
  const auto libre = good(
      form("librenms"),
      R"({"hostname":"ap-3","name":"Device down","severity":"critical","state":0,"msg":"up again"})");
  EXPECT_EQ(attr(libre[0], "state"), "resolved");
  const auto passive = good(
      form("passive"),
      R"([{"host":"a","service":"disk","code":2,"output":"DISK CRITICAL"},{"host":"a","service":"x","code":3}])");
  EXPECT_EQ(passive[0].kind, EventKind::Probe);
  EXPECT_EQ(attr(passive[0], "check"), "disk");
  EXPECT_EQ(attr(passive[0], "status"), "down");
  EXPECT_EQ(attr(passive[1], "status"), "-") << "a check that does not know says nothing";
}

TEST_F(Alerts, AFormOfOnesOwn) {
  AlertForm f;
  f.name = "acme";
  f.list = "/data/alarms";
  f.node = {"/dev/0", "^/site"};
  f.alert = {"/code"};
  f.state = {"/st"};
  f.states = {{"OPEN", "firing"}, {"CLOSED", "resolved"}};
  f.level = {"/p"};
  f.levels = {{"P1", "critical"}};
  f.labels = {"/more"};
  EXPECT_EQ(check_alert_form(f), "");
  const auto events = good(f, R"({"site":"par2","data":{"alarms":[
      {"dev":["r9"],"code":77,"st":"open","p":"P1","more":{"slot":4,"deep":{"x":1}}},
      {"code":"E2","st":"CLOSED"}]}})");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].node, "r9");
  EXPECT_EQ(attr(events[0], "name"), "77");
  EXPECT_EQ(attr(events[0], "label.slot"), "4");
  EXPECT_EQ(attr(events[0], "label.deep"), "-");
  EXPECT_EQ(events[1].node, "par2");
  EXPECT_EQ(attr(events[1], "state"), "resolved");
  EXPECT_EQ(bad(f, R"({"data":{"alarms":[{"code":"x","st":"half"}]}})"),
            "alert 1: '/st': expected one of CLOSED, OPEN, got 'half'");
  f.states["X"] = "maybe";
  EXPECT_NE(check_alert_form(f).find("expected firing or resolved"), std::string::npos);
  f.node = {"host"};
  EXPECT_NE(check_alert_form(f).find("expected a JSON pointer"), std::string::npos);
}

TEST_F(Alerts, TargetsLoseSchemePortAndPath) {
  const auto node = [&](std::string_view instance) {
    const auto events =
        good(form("prometheus"), "[{\"labels\":{\"instance\":\"" + std::string(instance) + "\"}}]");
    return events.empty() ? "" : std::string(events[0].node);
  };
  EXPECT_EQ(node("https://shop.example/login?x=1"), "shop.example");
  EXPECT_EQ(node("[2001:db8::7]:9100"), "2001:db8::7");
  EXPECT_EQ(node("2001:db8::7"), "2001:db8::7");
  EXPECT_EQ(node("10.1.2.3"), "10.1.2.3");
}

TEST_F(Alerts, EveryBoundHolds) {
  options.events_max = 1;
  EXPECT_NE(bad(form("prometheus"), "[{},{}]").find("more than 1"), std::string::npos);
  EXPECT_TRUE(good(form("prometheus"), "[]").empty());
  options.attrs_max = 3;
  EXPECT_NE(
      bad(form("prometheus"), R"([{"labels":{"a":"1","b":"2","c":"3"}}])").find("more than 3"),
      std::string::npos);
  options = {};
  options.event_bytes_max = 20;
  EXPECT_NE(bad(form("prometheus"), R"([{"labels":{"alertname":"a name that is long"}}])"),
            "it was taken");
  EXPECT_NE(bad(form("prometheus"), "{"), "it was taken");
  EXPECT_NE(bad(form("prometheus"), "[7]"), "it was taken");
  EXPECT_NE(bad(form("prometheus"), R"([{"startsAt":"soon"}])").find("'/startsAt'"),
            std::string::npos);
}

}  // namespace
}  // namespace belfry
