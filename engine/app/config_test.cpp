#include "config.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace belfry {
namespace {

std::string shipped() {
  std::ifstream in(std::string(BELFRY_ROOT) + "/config/belfry.yaml");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Config, WhatShipsIsReadAsItIs) {
  const auto config = parse_config("config/belfry.yaml", shipped());
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->syslog_udp.port, 5514);
  EXPECT_EQ(config->desk.last_resort, "p.head");
  ASSERT_EQ(config->channels.size(), 1U);
  EXPECT_EQ(config->channels[0].kind, "smtp");
  EXPECT_EQ(config->desk.teams.size(), 6U);
  EXPECT_EQ(config->desk.teams[0].notify[0].address, "desk@isp.example");
}

TEST(Config, EverySettingStandsInTheShippedFile) {
  const std::string text = shipped();
  std::istringstream reference(annotated_config());
  std::string line;
  int settings = 0;
  while (std::getline(reference, line)) {
    const std::size_t begin = line.find_first_not_of(' ');
    const std::size_t colon = line.find(':');
    if (begin == std::string::npos || line[begin] == '#' || colon == std::string::npos) {
      continue;
    }
    ++settings;
    const std::string key = line.substr(begin, colon - begin) + ":";
    EXPECT_NE(text.find(key), std::string::npos) << "config/belfry.yaml lacks " << key;
  }
  EXPECT_GT(settings, 40);
}

TEST(Config, TheReferenceIsItselfAConfiguration) {
  const auto config = parse_config("reference", annotated_config());
  EXPECT_TRUE(config) << config.error().what;
}

TEST(Config, EveryMistakeIsToldAtOnceWithItsPlace) {
  const auto config = parse_config("b.yaml",
                                   "log: {levle: info}\n"
                                   "api:\n"
                                   "  port: 99999\n"
                                   "store: {durability: maybe, snapshot_every: 3x}\n"
                                   "desk: {teams: {desk: {notify: [pigeon]}}}\n");
  ASSERT_FALSE(config);
  const std::string& what = config.error().what;
  EXPECT_NE(what.find("b.yaml:1:7: unknown setting 'levle', did you mean 'level'?"),
            std::string::npos)
      << what;
  EXPECT_NE(what.find("b.yaml:3:9: '99999' is not possible for 'port'"), std::string::npos) << what;
  EXPECT_NE(what.find("b.yaml:4:"), std::string::npos) << what;
  EXPECT_NE(what.find("expected one of sync, group, os"), std::string::npos) << what;
  EXPECT_NE(what.find("there is no channel 'pigeon'"), std::string::npos) << what;
  EXPECT_NE(what.find("last_resort"), std::string::npos) << what;
}

TEST(Config, WhatIsNotYamlSaysWhere) {
  const auto config = parse_config("b.yaml", "api: [1, 2\nlog: x\n");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().what.find("b.yaml:"), std::string::npos);
}

}  // namespace
}  // namespace belfry
