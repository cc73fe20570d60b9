#include "belfry/inventory/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "csv.hpp"

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

/// enum tier; site(name, room_limit), device(name, ip, ips, site, pool?, tier, since), port(node,
/// ifname, speed); behind(device, device) transitive, over(device, string) from a column.
std::shared_ptr<const Schema> schema() {
  auto s = std::make_shared<Schema>();
  s->enums.push_back({"tier", {"corporate", "solution", "premium"}});
  s->tables.push_back(
      {"site", {{"name", Type::String}, {"room_limit", Type::Float}}, {0}, "inventory/sites.csv"});
  s->tables.push_back({"device",
                       {{"name", Type::String},
                        {"ip", Type::Ip},
                        {"ips", Type::Ip, kNoIndex, true},
                        {"site", Type::Row, 0},
                        {"pool", Type::String, kNoIndex, false, true},
                        {"tier", Type::Enum, 0},
                        {"since", Type::Time, kNoIndex, false, true}},
                       {0},
                       "devices.csv"});
  s->tables.push_back({"port",
                       {{"node", Type::Row, 1},
                        {"ifname", Type::String},
                        {"speed", Type::Int, kNoIndex, false, true}},
                       {0, 1},
                       "ports.csv"});
  s->tables.push_back({"works", {{"id", Type::String}}, {0}, "feeds/works.csv"});
  s->relations.push_back({"behind", Type::Row, Type::Row, 1, 1, true, "uplinks.csv"});
  s->relations.push_back({"addressed", Type::Row, Type::Ip, 1, kNoIndex, false, "", 1, 2});
  return s;
}

std::vector<InventoryFile> good_files() {
  return {{"sites.csv", "name,room_limit\nPAR1,27\nLYO1,60%\n"},
          {"devices.csv",
           "\xef\xbb\xbf# who we have\r\nname,ip,site,tier,ips,pool\r\n"
           "par1-r1,10.255.1.1,PAR1,premium,10.255.1.2;2001:DB8::0:1,\r\n"
           "\r\n"
           "lyo1-r1, 10.255.2.1 ,LYO1,solution,,\"edge, \"\"north\"\"\"\r\n"},
          {"ports.csv", "node,ifname,speed\npar1-r1,et-0/0/0,100\nlyo1-r1,et-0/0/0,\n"},
          {"uplinks.csv", "device,behind\nlyo1-r1,par1-r1\n"}};
}

std::vector<std::string> texts(const std::vector<InventoryError>& errors) {
  std::vector<std::string> out;
  for (const InventoryError& error : errors) {
    out.push_back(to_text(error));
  }
  return out;
}
std::vector<std::string> errors_with(std::string_view file, std::string text) {
  auto files = good_files();
  for (auto& [path, old] : files) {
    if (path == file) {
      old = std::move(text);
    }
  }
  const LoadedInventory loaded = load_inventory(schema(), files, 1);
  EXPECT_EQ(loaded.inventory == nullptr, !loaded.errors.empty());
  return texts(loaded.errors);
}

TEST(Load, TypedRowsAndRelations) {
  const LoadedInventory loaded = load_inventory(schema(), good_files(), 7);
  ASSERT_TRUE(loaded.inventory) << loaded.result().error().what;
  EXPECT_THAT(texts(loaded.warnings),
              ElementsAre("feeds/works.csv: has not come yet: 'works' has no rows"));
  const Inventory& in = *loaded.inventory;
  EXPECT_EQ(in.version(), 7U);
  EXPECT_EQ(loaded.rows, 6U);
  EXPECT_EQ(loaded.pairs, 1U);
  const Row* par = in.find(1, "par1-r1");
  ASSERT_NE(par, nullptr);
  EXPECT_EQ(to_text(par->cells[1]), "10.255.1.1");
  EXPECT_EQ(to_text(par->cells[2]), "10.255.1.2, 2001:db8::1");
  EXPECT_EQ(par->cells[3].type, Type::Row);
  EXPECT_TRUE(par->cells[4].is_none());
  EXPECT_EQ(par->cells[5].i, 2);
  EXPECT_TRUE(par->cells[6].is_none());  // an optional column may be missing
  const Row* lyo = in.find(1, "lyo1-r1");
  ASSERT_NE(lyo, nullptr);
  EXPECT_EQ(lyo->cells[1].text, "10.255.2.1");
  EXPECT_TRUE(lyo->cells[2].items().empty());
  EXPECT_EQ(lyo->cells[4].text, "edge, \"north\"");
  EXPECT_DOUBLE_EQ(in.find(0, "LYO1")->cells[1].f, 0.6);
  EXPECT_NE(in.find(2,
                    "par1-r1\x1f"
                    "et-0/0/0"),
            nullptr);
  EXPECT_TRUE(in.related(0, Value::row(1, "lyo1-r1"), Value::row(1, "par1-r1")));
  EXPECT_TRUE(in.related(1, Value::row(1, "par1-r1"), Value::of_text(Type::Ip, "2001:db8::1")));
}

TEST(Load, HeaderMistakes) {
  EXPECT_THAT(
      errors_with("sites.csv", "name,rom_limit\nPAR1,27\n"),
      UnorderedElementsAre(
          "sites.csv:1:6: 'site' has no column 'rom_limit', did you mean 'room_limit'?",
          "sites.csv:1: the column 'room_limit' of 'site' is missing: expected a number there"));
  EXPECT_THAT(errors_with("sites.csv", "name,name,room_limit\nPAR1,PAR1,27\nLYO1,LYO1,3"),
              ElementsAre("sites.csv:1:6: the column 'name' is here twice: the first is cell 1"));
  EXPECT_THAT(errors_with("sites.csv", "# nothing\n\n"),
              ElementsAre("sites.csv:1: no header row: expected the columns of 'site'"));
  EXPECT_THAT(errors_with("uplinks.csv", "a,b,c\n"),
              ElementsAre("uplinks.csv:1: 3 columns: expected two, 'behind' relates a row of "
                          "device to a row of device"));
}

TEST(Load, EveryMistakeOfAFileIsTold) {
  EXPECT_THAT(
      errors_with("devices.csv",
                  "name,ip,site,tier,ips,since\n"
                  "par1-r1,10.255.1.300,PAR1,premium,,\n"
                  "lyo1-r1,10.255.2.1,LYO2,premiun,,yesterday\n"
                  "lyo1-r1,10.255.2.2,LYO1,premium,,\n"
                  "mrs1-r1,,PAR1,premium,10.1.1.1;nowhere,\n"
                  "short,10.0.0.1\n"
                  ",10.0.0.2,PAR1,premium,,\n"),
      ElementsAre(
          "devices.csv:2:9: 'ip' is '10.255.1.300': expected an IP address",
          "devices.csv:3:20: there is no site 'LYO2', did you mean 'LYO1'?",
          "devices.csv:3:25: 'tier' is 'premiun': expected one of corporate, solution, premium, "
          "did you mean 'premium'?",
          "devices.csv:3:34: 'since' is 'yesterday': expected a time such as 2026-03-14T22:00:00Z",
          "devices.csv:4: device 'lyo1-r1' is already in line 3",
          "devices.csv:5:9: 'ip' is empty: expected an IP address",
          "devices.csv:5:23: 'ips' is 'nowhere': expected an IP address",
          "devices.csv:6: 2 cells: expected 6, as in the header",
          "devices.csv:7:1: 'name' is empty: expected text"));
}

TEST(Load, ReferencesAndPairs) {
  EXPECT_THAT(
      errors_with(
          "uplinks.csv",
          "device,behind\nlyo1-r1,par1-r2\nlyo1-r1,par1-r1\nlyo1-r1,par1-r1\npar1-r1,par1-r1\nx\n"),
      ElementsAre("uplinks.csv:2:9: there is no device 'par1-r2', did you mean 'par1-r1'?",
                  "uplinks.csv:4: 'lyo1-r1|par1-r1' is already in line 3",
                  "uplinks.csv:5: 'par1-r1' is 'behind' of itself",
                  "uplinks.csv:6: 1 cells: expected two"));
  EXPECT_THAT(
      errors_with("ports.csv", "node,ifname,speed\nlyo1-r1,et-0/0/0,fast\nlyo1-r1,et-0/0/0,10\n"),
      ElementsAre("ports.csv:2:18: 'speed' is 'fast': expected a whole number",
                  "ports.csv:3: port 'lyo1-r1|et-0/0/0' is already in line 2"));
}

TEST(Load, MissingFilesAndOddBytes) {
  auto files = good_files();
  files[0].first = "site.csv";
  EXPECT_THAT(
      texts(load_inventory(schema(), files, 1).errors),
      ElementsAre(
          "sites.csv: no such file: expected the rows of 'site', did you mean 'site.csv'?"));
  EXPECT_THAT(errors_with("sites.csv", "name,room_limit\nPAR1,27\nL\xe9on,3\n"),
              testing::Contains("sites.csv: line 3 is not UTF-8: save the file as UTF-8"));
  EXPECT_THAT(
      errors_with("sites.csv", "name,room_limit\nPAR1,27\nLYO1,12\n\"Nice\nno end,3\n"),
      ElementsAre(
          "sites.csv:4:1: the quote is never closed: expected '\"' at the end of the cell"));
  EXPECT_THAT(
      errors_with("sites.csv", "name,room_limit\nPAR1,27\nLYO1,12\n\"A\"B,3\n"),
      ElementsAre(
          "sites.csv:4:4: text after a closing quote: expected ',' or the end of the line (a quote "
          "inside quotes is doubled)"));
}

TEST(Load, WarnsOfAddressesAndRings) {
  auto files = good_files();
  files[1].second += "par1-r2,10.255.1.2,PAR1,premium,,\n";
  files[3].second = "device,behind\nlyo1-r1,par1-r1\npar1-r1,lyo1-r1\n";
  const LoadedInventory loaded = load_inventory(schema(), files, 1);
  ASSERT_TRUE(loaded.inventory);
  EXPECT_THAT(texts(loaded.warnings),
              ElementsAre("devices.csv:6:9: the address 10.255.1.2 is also that of 'par1-r1' in "
                          "line 3: events from it "
                          "are taken for the first one",
                          "feeds/works.csv: has not come yet: 'works' has no rows",
                          "uplinks.csv: 2 rows of 'behind' are in a ring, or below one, that no "
                          "row without anything "
                          "above it leads to: lyo1-r1, par1-r1"));
}

TEST(Load, OneErrorForThoseWhoWantOne) {
  auto files = good_files();
  files[0].second = "name,room_limit\n";
  for (int i = 0; i < 12; ++i) {
    files[0].second += "PAR1,hot\n";
  }
  const auto result = load_inventory(schema(), files, 1).result();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::Invalid);
  EXPECT_THAT(result.error().what, testing::EndsWith("more"));
  EXPECT_FALSE(read_inventory("/no/such/folder"));
}

TEST(Csv, CellsHavePlaces) {
  inventory::Csv csv("a, b ,\"c\nd\"\ne,,\n");
  std::vector<inventory::Cell> row;
  ASSERT_TRUE(csv.next(row));
  ASSERT_EQ(row.size(), 3U);
  EXPECT_EQ(row[1].text, "b");
  EXPECT_EQ(row[2].text, "c\nd");
  EXPECT_EQ(row[2].column, 7U);
  ASSERT_TRUE(csv.next(row));
  ASSERT_EQ(row.size(), 3U);
  EXPECT_EQ(row[0].line, 3U);
  EXPECT_FALSE(csv.next(row));
}

}  // namespace
}  // namespace belfry
