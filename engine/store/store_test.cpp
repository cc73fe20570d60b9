#include "belfry/store/store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace belfry {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "belfry-store-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::unique_ptr<Store> open() {
    auto store = Store::open({.dir = dir_ + "/s"});
    EXPECT_TRUE(store) << store.error().what;
    return store ? std::move(*store) : nullptr;
  }
  std::string dir_;
};

TEST_F(StoreTest, RowsSurviveReopenInKeyOrder) {
  {
    auto store = open();
    Writes w;
    for (const std::uint64_t i : {300U, 2U, 70000U, 1U}) {
      w.put(Table::Record, be64(i), std::to_string(i));
    }
    w.put(Table::Meta, "a", "b");
    ASSERT_TRUE(store->commit(w, true));
    w.clear();
    w.erase(Table::Meta, "a");
    ASSERT_TRUE(store->commit(w, false));
  }
  auto store = open();
  Cursor c = store->cursor(Table::Record);
  std::string seen;
  for (c.seek({}); c.valid(); c.next()) {
    EXPECT_EQ(std::to_string(from_be64(c.key())), c.value());
    seen += std::string(c.value()) + " ";
  }
  EXPECT_TRUE(c.error());
  EXPECT_EQ(seen, "1 2 300 70000 ");
  EXPECT_FALSE((*store->get(Table::Meta, "a")).has_value());
  c.seek_before(be64(299));
  EXPECT_EQ(c.value(), "2");
}

TEST_F(StoreTest, DirectoryIsPrivate) {
  auto store = open();
  struct stat info {};
  ASSERT_EQ(::stat((dir_ + "/s").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(StoreTest, SecondOpenIsOneClearLine) {
  auto store = open();
  const auto second = Store::open({.dir = dir_ + "/s"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what,
            "store " + dir_ +
                "/s is in use by another process: stop it, or give this one another directory");
}

TEST_F(StoreTest, OtherFormatIsOneClearLine) {
  {
    auto store = open();
    Writes w;
    w.put(Table::Meta, "format", "77");
    ASSERT_TRUE(store->commit(w, true));
  }
  const auto again = Store::open({.dir = dir_ + "/s"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().what,
            "store " + dir_ +
                "/s has format 77, this program reads format 1: use the program that wrote "
                "it, or another directory");
}

TEST_F(StoreTest, MissingStoreIsSaidWhenNotCreating) {
  const auto store = Store::open({.dir = dir_ + "/none", .create = false});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().what, "there is no store in " + dir_ + "/none");
}

TEST_F(StoreTest, DropRangeKeepsTheRestAndCheckpointOpens) {
  auto store = open();
  Writes w;
  const std::string value(5000, 'v');
  for (std::uint64_t i = 0; i < 1000; ++i) {
    w.put(Table::Journal, be64(i), value);
  }
  ASSERT_TRUE(store->commit(w, true));
  ASSERT_TRUE(store->drop_range(Table::Journal, {}, be64(600)));
  Cursor c = store->cursor(Table::Journal);
  c.seek({});
  ASSERT_TRUE(c.valid());
  EXPECT_EQ(from_be64(c.key()), 600U);
  EXPECT_EQ(c.value(), value);
  ASSERT_TRUE(make_private_dir(dir_ + "/b"));
  ASSERT_TRUE(store->checkpoint(dir_ + "/b/db"));
  const auto copy = Store::open({.dir = dir_ + "/b", .create = false, .read_only = true});
  ASSERT_TRUE(copy) << copy.error().what;
  EXPECT_EQ(**(*copy)->get(Table::Journal, be64(999)), value);
  EXPECT_TRUE((*copy)->verify_checksums());
}

TEST_F(StoreTest, FilesAreWrittenWholeAndRead) {
  ASSERT_TRUE(write_file_durably(dir_ + "/f", "one"));
  ASSERT_TRUE(write_file_durably(dir_ + "/f", "two"));
  EXPECT_EQ(*read_whole_file(dir_ + "/f", 10), "two");
  EXPECT_FALSE(read_whole_file(dir_ + "/f", 2));
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/f.tmp"));
  EXPECT_GT(disk_space(dir_)->total, 0U);
}

}  // namespace
}  // namespace belfry
