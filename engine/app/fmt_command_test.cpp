// `belfry fmt`: which files are written, what it prints, how it exits.
#include "fmt_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace belfry {
namespace {

namespace fs = std::filesystem;

class FmtCommand : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(testing::TempDir()) /
           ("fmt_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ / name, std::ios::binary) << text;
    return (dir_ / name).string();
  }
  static std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  int run(const std::vector<std::string>& paths, bool check = false) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = fmt_command({paths, check});
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  fs::path dir_;
  std::string out_, err_;
};

constexpr const char* kLoose = "use   \"b.bell\"\n\n\nenum a{x y}";
constexpr const char* kCanonical = "use \"b.bell\"\n\nenum a { x, y }\n";

TEST_F(FmtCommand, WritesWhatChangesAndNamesIt) {
  const std::string loose = write("loose.bell", kLoose), fine = write("fine.bell", kCanonical);
  const auto before = fs::last_write_time(fine);
  fs::permissions(loose, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  EXPECT_EQ(run({dir_.string()}), 0);
  EXPECT_EQ(out_, loose + "\n");
  EXPECT_EQ(read(loose), kCanonical);
  EXPECT_EQ(fs::last_write_time(fine), before);
  EXPECT_EQ(fs::status(loose).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 2);
  EXPECT_EQ(run({dir_.string()}), 0);
  EXPECT_EQ(out_, "");
}

TEST_F(FmtCommand, CheckChangesNothing) {
  const std::string loose = write("loose.bell", kLoose);
  EXPECT_EQ(run({loose}, true), 1);
  EXPECT_EQ(out_, loose + "\n");
  EXPECT_EQ(read(loose), kLoose);
  EXPECT_EQ(run({write("fine.bell", kCanonical)}, true), 0);
}

TEST_F(FmtCommand, AFileWithErrorsIsLeftAloneAndTheOthersAreNot) {
  const std::string loose = write("b.bell", kLoose);
  const std::string broken = write("a.bell", "rule x {\n  whne y\n}\n");
  EXPECT_EQ(run({dir_.string()}), 2);
  EXPECT_EQ(read(broken), "rule x {\n  whne y\n}\n");
  EXPECT_EQ(read(loose), kCanonical);
  EXPECT_NE(err_.find("did you mean 'when'?"), std::string::npos) << err_;
  EXPECT_NE(err_.find("a.bell:2:3"), std::string::npos) << err_;
}

TEST_F(FmtCommand, ALinkStaysALink) {
  const std::string loose = write("loose.bell", kLoose);
  fs::create_directory(dir_ / "links");
  fs::create_symlink(loose, dir_ / "links" / "l.bell");
  EXPECT_EQ(run({(dir_ / "links").string()}), 0);
  EXPECT_TRUE(fs::is_symlink(dir_ / "links" / "l.bell"));
  EXPECT_EQ(read(loose), kCanonical);
}

TEST_F(FmtCommand, WhatIsNotThereIsAUsageError) {
  EXPECT_EQ(run({(dir_ / "none").string()}), 2);
  EXPECT_EQ(run({"-", "x.bell"}), 2);
}

}  // namespace
}  // namespace belfry
