// `belfry check`: ranges, fixes, JSON, SARIF, what it finds beside the rules, and what they cost.
#include "check_command.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "check_report.hpp"
#include "cost_report.hpp"
#include "table.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kPrelude = R"bell(event syslog { msg: text head, node: device, app: string }
event probe  { check: string head, node: device, status: status, vantage: string }
enum status { up, down }
table device key name { name: string, site: string }
relation behind(device, device) transitive from "up.csv"
defaults { settle 10s  limit 1000 }
signal link_down(node: device, port: string) {
  raise syslog "%LINK-3-UPDOWN: Interface {port}, changed state to down"
  clear syslog "%LINK-3-UPDOWN: Interface {port}, changed state to up"
}
signal host_down(node: device) {
  raise probe "icmp" where status == down
  clear probe "icmp" where status == up
}
rule port_down { when link_down for 20s  open { title "{port}"  severity major  runbook "runbooks/port.md" } }
rule flapping { when flaps(link_down) >= 5 within 10m by node, port  clear quiet 30m  open { title "x"  severity minor } }
rule busy { when count(link_down) >= 1000 within 10m by node  open { title "x"  severity minor } }
rule dead { when host_down for 60s  open { title "x"  severity major } }
cause dead(up) of port_down(node, port) where node.behind(up)
)bell";

rules::Compiled compiled(const std::vector<rules::SourceFile>& files) {
  return rules::compile(files);
}

TEST(CheckCommand, RangesCountCharacters) {
  const std::vector<rules::SourceFile> files{
      {"a.bell", std::string(kPrelude) + "rule é { when link_donw open { title \"x\" } }\n"}};
  const rules::Compiled found =
      compiled({{"a.bell", std::string(kPrelude) + "rule x { when link_donw  # é\n"
                                                   "  open { title \"é {prot}\" } }\n"}});
  ASSERT_EQ(found.errors, 1U);
  const MarkedRange range = range_of(found.diagnostics[0], files);
  EXPECT_EQ(range.column, 15U);
  EXPECT_EQ(range.end_column, 24U);
  EXPECT_EQ(range.line, range.end_line);
  EXPECT_EQ(fix_of(found.diagnostics[0]), "link_down");
}

TEST(CheckCommand, JsonHasAllThatPeopleSee) {
  const std::vector<rules::SourceFile> files{
      {"a.bell", std::string(kPrelude) + "rule x { when link_donw open { title \"x\" } }\n"}};
  const rules::Compiled found = compiled(files);
  ASSERT_EQ(found.errors, 1U);
  const json::object one = json::parse(finding_json(found.diagnostics[0], files)).as_object();
  EXPECT_EQ(one.at("code").as_string(), "B0200");
  EXPECT_EQ(one.at("file").as_string(), "a.bell");
  EXPECT_EQ(one.at("help").as_string(), "did you mean 'link_down'?");
  EXPECT_EQ(one.at("fix").at("replace_with").as_string(), "link_down");
  EXPECT_EQ(one.at("end_column").as_int64() - one.at("column").as_int64(), 9);
  EXPECT_FALSE(one.at("explanation").as_string().empty());
}

TEST(CheckCommand, SarifIsWhatTheSchemaAsks) {
  const std::vector<rules::SourceFile> files{
      {"rules/ä b.bell",
       std::string(kPrelude) + "rule x { when link_donw open { title \"x\" } }\n"}};
  const rules::Compiled found = compiled(files);
  const json::value whole = json::parse(sarif(found.diagnostics, files));
  EXPECT_EQ(whole.at("version").as_string(), "2.1.0");
  const json::value& run = whole.at("runs").at(0);
  const json::array& described = run.at("tool").at("driver").at("rules").as_array();
  ASSERT_FALSE(run.at("results").as_array().empty());
  for (const json::value& result : run.at("results").as_array()) {
    const auto rule = static_cast<std::size_t>(result.at("ruleIndex").as_int64());
    ASSERT_LT(rule, described.size());
    EXPECT_EQ(described[rule].at("id"), result.at("ruleId"));
    const json::value& place = result.at("locations").at(0).at("physicalLocation");
    EXPECT_EQ(place.at("artifactLocation").at("uri").as_string(), "rules/%C3%A4%20b.bell");
    EXPECT_GE(place.at("region").at("startLine").as_int64(), 1);
    EXPECT_GT(place.at("region").at("endColumn").as_int64(),
              place.at("region").at("startColumn").as_int64());
  }
  const json::value& fix = run.at("results").at(0).at("fixes").at(0);
  EXPECT_EQ(fix.at("artifactChanges")
                .at(0)
                .at("replacements")
                .at(0)
                .at("insertedContent")
                .at("text")
                .as_string(),
            "link_down");
  EXPECT_EQ(json::parse(sarif({}, {})).at("runs").at(0).at("results").as_array().size(), 0U);
}

TEST(CheckCommand, ARunbookThatIsNotThere) {
  const fs::path dir = fs::path(testing::TempDir()) / "check_runbooks";
  fs::remove_all(dir);
  fs::create_directories(dir / "pack/sub");
  const std::string file = (dir / "pack/sub/a.bell").string();
  const std::vector<rules::SourceFile> files{{file, kPrelude}};
  const auto missing = [&] {
    rules::Compiled found = compiled(files);
    check_runbooks({(dir / "pack").string()}, files, found);
    return std::count_if(found.diagnostics.begin(), found.diagnostics.end(),
                         [](const rules::Diagnostic& d) { return d.code == "B0811"; });
  };
  EXPECT_EQ(missing(), 1);
  fs::create_directories(dir / "runbooks");
  std::ofstream(dir / "runbooks/port.md") << "x";
  EXPECT_EQ(missing(), 1);  // above what was given
  fs::create_directories(dir / "pack/runbooks");
  std::ofstream(dir / "pack/runbooks/port.md") << "x";
  EXPECT_EQ(missing(), 0);
  fs::remove_all(dir);
}

TEST(CheckCommand, SettleThatIsShorterThanTheCausesProbes) {
  const std::vector<rules::SourceFile> files{{"a.bell", kPrelude}};
  const auto told = [&](Duration interval) {
    rules::Compiled found = compiled(files);
    check_probe_interval(interval, found);
    return std::any_of(found.diagnostics.begin(), found.diagnostics.end(),
                       [](const rules::Diagnostic& d) { return d.code == "B0812"; });
  };
  EXPECT_TRUE(told(std::chrono::seconds(30)));
  EXPECT_FALSE(told(std::chrono::seconds(10)));
}

TEST(CheckCommand, CostSaysStateAndWays) {
  const rules::Compiled found = compiled({{"a.bell", kPrelude}});
  ASSERT_NE(found.program, nullptr);
  const std::string table = cost_table(found.program);
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("  ") != std::string::npos && line.find("a.bell:") == std::string::npos) {
      EXPECT_LE(display_width(line), 80U) << line;
    }
  }
  for (const char* piece :
       {"2 tag", "2 equal", "dead of port_down\n    node: ", "relation behind from node",
        "the newest 64 times in 10m", "10m in 64 slices: off by at most 9s 375ms"}) {
    EXPECT_NE(table.find(piece), std::string::npos) << piece << "\n" << table;
  }
  std::istringstream objects(cost_json(found.program));
  std::size_t n = 0;
  for (std::string line; std::getline(objects, line); ++n) {
    const json::object one = json::parse(line).as_object();
    if (one.at("kind").as_string() != "cause") {
      EXPECT_GT(one.at("bytes_per_key").as_int64(), 50) << line;
      EXPECT_LT(one.at("bytes_per_key").as_int64(), 4000) << line;
    }
  }
  EXPECT_EQ(n, 7U);
}

}  // namespace
}  // namespace belfry
