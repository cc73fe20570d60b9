#include <fmt/format.h>
#include <gtest/gtest.h>

#include "belfry/probe/plugin.hpp"

namespace belfry {
namespace {

/// `label=value unit;warn;crit;min;max` of each number, `U` for unknown ones.
std::string shown(std::string_view text) {
  const PluginOutput out = parse_plugin_output(text);
  std::string all;
  for (const PerfValue& one : out.perf) {
    all += fmt::format("{}{}={}{};{};{};{};{}", all.empty() ? "" : " ", one.label,
                       one.known ? fmt::format("{}", one.value) : "U", one.unit, one.warn, one.crit,
                       one.min, one.max);
  }
  return out.bad == 0 ? all : fmt::format("{} +{} bad", all, out.bad);
}

TEST(PluginOutput, FirstLineLongTextAndNumbersOfBoth) {
  const PluginOutput out = parse_plugin_output(
      "RAID OK - 2 of 2 disks | disks=2;;1:;0;2\n"
      "sda: fine\r\n"
      "sdb: fine | temp=41;50;60\n"
      "wear=7% spare=99%\n");
  EXPECT_EQ(out.first, "RAID OK - 2 of 2 disks");
  EXPECT_EQ(out.long_text, "sda: fine\nsdb: fine");
  ASSERT_EQ(out.perf.size(), 4U);
  EXPECT_EQ(out.perf[0].crit, "1:");
  EXPECT_EQ(out.perf[1].label, "temp");
  EXPECT_EQ(out.perf[3].label, "spare");
  EXPECT_EQ(out.perf[3].unit, "%");
  EXPECT_EQ(out.bad, 0U);
}

TEST(PluginOutput, NothingIsAlsoAnOutput) {
  for (const char* text : {"", "\n", "|", " | \n"}) {
    const PluginOutput out = parse_plugin_output(text);
    EXPECT_EQ(out.first, "");
    EXPECT_TRUE(out.perf.empty());
    EXPECT_EQ(out.bad, 0U);
  }
  EXPECT_EQ(parse_plugin_output("no numbers here").first, "no numbers here");
}

TEST(PluginOutput, EmptyFieldsUnitsAndUnknownValues) {
  EXPECT_EQ(shown("x| a=1 b=2s;;; c=3%;80;90;;100 d=4c;;5"),
            "a=1;;;; b=2s;;;; c=3%;80;90;;100 d=4c;;5;;");
  EXPECT_EQ(shown("x|a=U b=U;1;2"), "a=U;;;; b=U;1;2;;");
  EXPECT_EQ(shown("x|r=5;@1:2;~:7;0;10"), "r=5;@1:2;~:7;0;10");
  EXPECT_EQ(shown("x|neg=-1.5e-3s plus=+2 big=1e+06B"),
            "neg=-0.0015s;;;; plus=2;;;; big=1000000B;;;;");
  EXPECT_EQ(shown("x|comma=0,25s;1,5"), "comma=0.25s;1,5;;;");
}

TEST(PluginOutput, LabelsWithQuotesBlanksAndEqualSigns) {
  EXPECT_EQ(shown("x|'C:\\ used'=7GB;8;9;0;10 '/'=1B"), "C:\\ used=7GB;8;9;0;10 /=1B;;;;");
  EXPECT_EQ(shown("x|'it''s'=1 'a=b'=2"), "it's=1;;;; a=b=2;;;;");
  EXPECT_EQ(shown("x|used space=5% 'open=1"), "used space=5%;;;; 'open=1;;;;");
  EXPECT_EQ(shown("x|''=1 =2 ok=3"), "ok=3;;;; +2 bad");
}

TEST(PluginOutput, WhatIsNoNumberIsCountedAndTheRestStays) {
  EXPECT_EQ(shown("x|a=red b=1 c= d=1.2.3 rest"), "b=1;;;; +4 bad");
  EXPECT_EQ(shown("x|a=inf b=nan c=1e999 d=2"), "d=2;;;; +3 bad");
  std::string many = "x|";
  for (std::size_t i = 0; i < kPerfValuesMax + 3; ++i) {
    many += fmt::format("v{}=1 ", i);
  }
  const PluginOutput out = parse_plugin_output(many + std::string(kPerfLabelMax + 1, 'l') + "=1");
  EXPECT_EQ(out.perf.size(), kPerfValuesMax);
  EXPECT_EQ(out.bad, 4U);
}

TEST(PluginOutput, NumbersInUnitsOfRules) {
  const PluginOutput out =
      parse_plugin_output("x|t=250ms disk=2KB;;;0;8 share=42% up=3;;;1;5 odd=7parsec half=1;;;;");
  EXPECT_DOUBLE_EQ(out.perf[0].base, 0.25);
  EXPECT_DOUBLE_EQ(out.perf[1].base, 2048);
  EXPECT_DOUBLE_EQ(*out.perf[1].percent(), 25);
  EXPECT_DOUBLE_EQ(*out.perf[2].percent(), 42);
  EXPECT_DOUBLE_EQ(*out.perf[3].percent(), 50);
  EXPECT_DOUBLE_EQ(out.perf[4].base, 7);
  EXPECT_FALSE(out.perf[5].percent());
}

TEST(PluginOutput, ExitCodes) {
  EXPECT_EQ(status_of_exit(0), Status::Up);
  EXPECT_EQ(status_of_exit(1), Status::Degraded);
  EXPECT_EQ(status_of_exit(2), Status::Down);
  for (const int code : {3, 4, 126, 127, 255, -1}) {
    EXPECT_EQ(status_of_exit(code), Status::Unknown) << code;
  }
  EXPECT_EQ(plugin_state(Status::Degraded), "WARNING");
}

}  // namespace
}  // namespace belfry
