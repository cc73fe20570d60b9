#include "belfry/gateway/tokens.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace belfry {
namespace {

namespace fs = std::filesystem;

struct Tokens : ::testing::Test {
  fs::path dir =
      fs::path(::testing::TempDir()) /
      ("tokens_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  void SetUp() override { fs::remove_all(dir); }
  void TearDown() override { fs::remove_all(dir); }
  static std::string read(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static unsigned mode(const fs::path& path) {
    struct stat about {};
    ::stat(path.c_str(), &about);
    return about.st_mode & 0777U;
  }
  static std::string line(const fs::path& path) {
    std::string text = read(path);
    text.pop_back();
    return text;
  }
};

TEST_F(Tokens, TheFirstStartMakesAnAdminTokenThatOnlyTheOwnerCanRead) {
  auto store = TokenStore::open(dir, Instant{});
  ASSERT_TRUE(store.has_value()) << store.error().what;
  EXPECT_TRUE((*store)->first_start());
  EXPECT_EQ(mode(dir), 0700U);
  EXPECT_EQ(mode(dir / "tokens.json"), 0600U);
  EXPECT_EQ(mode(dir / "admin.token"), 0600U);
  const std::string token = line(dir / "admin.token");
  EXPECT_EQ(read(dir / "tokens.json").find(token), std::string::npos) << "only its hash is stored";
  const auto who = (*store)->find(token);
  ASSERT_TRUE(who.has_value());
  EXPECT_EQ(who->name, "admin");
  EXPECT_TRUE(who->may(Role::Desk));
  EXPECT_FALSE((*store)->find(token + "0").has_value());
  EXPECT_FALSE((*store)->find("").has_value());

  auto again = TokenStore::open(dir, Instant{});
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE((*again)->first_start());
  EXPECT_TRUE((*again)->find(token).has_value());
}

TEST_F(Tokens, RolesAreWhatTheyAreCalled) {
  const Identity desk{"anna", {Role::Desk}}, events{"probe", {Role::Events}};
  EXPECT_TRUE(desk.may(Role::Read));
  EXPECT_FALSE(desk.may(Role::Events));
  EXPECT_FALSE(desk.may(Role::Admin));
  EXPECT_FALSE(events.may(Role::Read));
  EXPECT_FALSE(parse_role("root").has_value());
}

TEST_F(Tokens, MadeAndRemovedButNeverTheLastAdmin) {
  auto store = TokenStore::open(dir, Instant{});
  ASSERT_TRUE(store.has_value());
  const auto token = (*store)->add("anna", {Role::Desk}, Instant{});
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ((*store)->find(*token)->name, "anna");
  EXPECT_EQ((*store)->add("anna", {Role::Read}, Instant{}).error().code, Code::Conflict);
  EXPECT_EQ((*store)->add("no way\n", {Role::Read}, Instant{}).error().code, Code::Invalid);
  EXPECT_EQ((*store)->remove("admin").error().code, Code::Conflict);
  EXPECT_EQ((*store)->remove("nobody").error().code, Code::NotFound);
  EXPECT_TRUE((*store)->remove("anna").has_value());
  EXPECT_FALSE((*store)->find(*token).has_value());
  EXPECT_FALSE((*store)->valid("anna"));
  auto again = TokenStore::open(dir, Instant{});
  EXPECT_EQ((*again)->list().size(), 1U);
}

TEST_F(Tokens, AFileOthersCanReadOrThatIsBrokenIsRefusedWithOneClearLine) {
  ASSERT_TRUE(TokenStore::open(dir, Instant{}).has_value());
  ::chmod((dir / "tokens.json").c_str(), 0640);
  auto store = TokenStore::open(dir, Instant{});
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().what.find("chmod 600"), std::string::npos);
  ::chmod((dir / "tokens.json").c_str(), 0600);
  std::ofstream(dir / "tokens.json")
      << R"({"tokens":[{"name":"x","roles":["root"],"sha256":"00"}]})";
  store = TokenStore::open(dir, Instant{});
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().what.find("64 hex digits"), std::string::npos);
}

}  // namespace
}  // namespace belfry
