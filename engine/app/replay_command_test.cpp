// `belfry replay`: every form of input line, the two outputs, and what it says of a bad line.
#include "replay_command.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace belfry {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kRules =
    R"bell(event trap   { oid: oid head, node: device, var: varbinds, via: string }
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
event probe  { check: string head, node: device, status: status, vantage: string, label: labels }
event door   { site: string, open: bool }
enum status  { up, degraded, down }
table device key name { name: string, ip: ip }                          from "devices.csv"
table port   key node, ifname { node: device, ifname: string, ifindex: int? } from "ports.csv"
defaults { settle 10s  hold 2m  recover 2m  reopen within 30m }
signal if_down(node: device, ifname: string) {
  raise trap IF-MIB::linkDown
  clear trap IF-MIB::linkUp
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  clear syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to up"
}
signal host_down(node: device) {
  raise probe "icmp" where status == down
  clear probe "icmp" where status == up
}
signal door_open(site: string) {
  raise door where open
  clear door where not open
}
rule interface_down { when if_down for 20s  open { title "{node.name} {ifname} down" severity critical } }
rule unreachable { when host_down  open { title "{node.name} unreachable" severity major } }
rule door { when door_open  open { title "door of {site} open" severity warning } }
cause unreachable(node) of interface_down(node, ifname)
)bell";

class ReplayCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("belfry-replay-test-" + std::to_string(getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_ / "inventory");
    write("rules.bell", kRules);
    write("inventory/devices.csv", "name,ip\nr1,192.0.2.1\nr2,192.0.2.2\n");
    write("inventory/ports.csv", "node,ifname,ifindex\nr1,et-0/0/0,7\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  int run(const std::string& events, bool as_json, bool incidents) {
    write("events.jsonl", events);
    ReplayArguments a;
    a.events = (folder_ / "events.jsonl").string();
    a.rules = {(folder_ / "rules.bell").string()};
    a.inventory = (folder_ / "inventory").string();
    a.json = as_json;
    a.incidents = incidents;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = replay_command(a);
    std::fflush(stdout);
    std::fflush(stderr);
    out_ = ::testing::internal::GetCapturedStdout();
    error_ = ::testing::internal::GetCapturedStderr();
    return code;
  }
  std::vector<json::object> objects() const {
    std::vector<json::object> all;
    std::istringstream in(out_);
    for (std::string line; std::getline(in, line);) {
      all.push_back(json::parse(line).as_object());
    }
    return all;
  }

  fs::path folder_;
  std::string out_, error_;
};

/// One link goes down (raw syslog by address, decoded trap by ifindex), comes back; a probe and an
/// event type of the rules' own.
constexpr const char* kEvents =
    R"({"at":1000000000.5,"from":"192.0.2.1","raw":"<187>Jan  1 00:00:00 r1 %LINK-3-UPDOWN: Interface et-0/0/0, changed state to down","id":"a"}
{"at_ns":1000000001000000000,"node":"r1","trap_oid":"1.3.6.1.6.3.1.1.5.3","varbinds":[{"oid":"1.3.6.1.2.1.2.2.1.1.7","type":"integer","value":7}]}
{"at":1000000300,"from":"192.0.2.1","message":"%LINK-3-UPDOWN: Interface et-0/0/0, changed state to up","id":"c"}

{"at":"2001-09-09T01:55:00Z","type":"probe","node":"r2","check":"icmp","status":"down","vantage":"v","label":{"x":1}}
{"at":1000000200,"type":"door","node":"hall","site":"PAR","open":true}
)";

TEST_F(ReplayCommand, TellsEveryChangeAsOneLine) {
  ASSERT_EQ(run(kEvents, true, false), 0) << error_;
  const auto lines = objects();
  ASSERT_EQ(lines.size(), 4U) << out_;
  EXPECT_EQ(lines[0].at("rule"), "interface_down");
  EXPECT_EQ(json::serialize(lines[0].at("key")), R"(["r1","et-0/0/0"])");
  EXPECT_EQ(lines[0].at("state"), "open");
  EXPECT_EQ(lines[0].at("severity"), "critical");
  EXPECT_EQ(lines[0].at("title"), "r1 et-0/0/0 down");
  EXPECT_TRUE(lines[0].at("cause").is_null());
  EXPECT_EQ(lines[0].at("count"), 2) << "syslog and trap are one fact";
  // Down at .5 s, `for 20s`, settle 10s.
  EXPECT_EQ(lines[0].at("at_ns").to_number<std::int64_t>(), 1'000'000'030'500'000'000);
  EXPECT_EQ(lines[1].at("rule"), "door");
  EXPECT_EQ(lines[2].at("state"), "closed");
  EXPECT_EQ(lines[3].at("rule"), "unreachable");
}

TEST_F(ReplayCommand, ListsIncidentsWithTheirEvents) {
  ASSERT_EQ(run(kEvents, false, true), 0) << error_;
  const auto list = objects();
  ASSERT_EQ(list.size(), 3U) << out_;
  EXPECT_EQ(list[0].at("rule"), "interface_down");
  EXPECT_EQ(list[0].at("state"), "closed");
  EXPECT_EQ(json::serialize(list[0].at("members")), R"(["a",2,"c"])");
  EXPECT_EQ(json::serialize(list[0].at("alarms")), R"([["a",2,"c"]])");
  EXPECT_EQ(json::serialize(list[0].at("nodes")), R"(["r1"])");
  EXPECT_EQ(json::serialize(list[0].at("symptoms")), "[]");
}

TEST_F(ReplayCommand, ASymptomNamesItsCause) {
  const std::string events =
      R"({"at":10,"type":"probe","node":"r1","check":"icmp","status":"down","vantage":"v"}
{"at":11,"node":"r1","message":"%LINK-3-UPDOWN: Interface et-0/0/0, changed state to down"}
)";
  ASSERT_EQ(run(events, false, true), 0) << error_;
  const auto list = objects();
  ASSERT_EQ(list.size(), 2U) << out_;
  EXPECT_EQ(list[0].at("rule"), "unreachable");
  EXPECT_EQ(list[1].at("state"), "symptom");
  EXPECT_EQ(list[1].at("cause"), list[0].at("incident"));
  EXPECT_EQ(list[0].at("symptoms").as_array().at(0), list[1].at("incident"));
}

TEST_F(ReplayCommand, ABadLineIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{\"at\":1,\"node\":\"a\"}", "what kind of event is it?"},
      {"{\"raw\":\"x\"}", "no time: expected `at`"},
      {"[1]", "expected a JSON object"},
      {"nonsense", "not JSON"},
      {"{\"at\":1,\"type\":\"nope\"}", "no event type is called 'nope'"},
      {"{\"at\":1,\"packet_hex\":\"30\"}", "packet_hex: refused"},
      {"{\"at\":1,\"packet_hex\":\"zz\"}", "packet_hex: expected hexadecimal digits"},
      {"{\"at\":1e99,\"raw\":\"x\"}", "at: expected epoch seconds"},
      {"{\"at\":1,\"trap_oid\":\"1.3.x\"}", "is no OID"}};
  for (const auto& [line, what] : cases) {
    EXPECT_EQ(run("{\"at\":1,\"node\":\"a\",\"message\":\"fine\"}\n" + line + "\n", false, false),
              2)
        << line;
    EXPECT_NE(error_.find("events.jsonl:2: "), std::string::npos) << error_;
    EXPECT_NE(error_.find(what), std::string::npos) << error_;
  }
}

}  // namespace
}  // namespace belfry
