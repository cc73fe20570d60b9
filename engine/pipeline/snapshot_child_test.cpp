#include "snapshot_child.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace belfry {
namespace {

class SnapshotChildTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SnapshotChild::start([] { return Result<void>{}; })) {
      GTEST_SKIP() << "no fork in this build: snapshots are written by the fold thread";
    }
    path_ = ::testing::TempDir() + "snapshot-child-" + std::to_string(::getpid());
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  static Result<void> wait(SnapshotChild& child) {
    while (true) {
      if (auto ended = child.poll(); ended) {
        return *ended;
      }
      std::this_thread::yield();
    }
  }
  std::string path_;
};

TEST_F(SnapshotChildTest, WritesTheStateOfTheForkWhateverComesAfter) {
  std::string state = "before";
  auto child = SnapshotChild::start([&]() -> Result<void> {
    std::ofstream(path_) << state;
    return {};
  });
  ASSERT_TRUE(child);
  state = "after";
  EXPECT_TRUE(wait(*child));
  EXPECT_FALSE(child->running());
  std::string written;
  std::ifstream(path_) >> written;
  EXPECT_EQ(written, "before");
}

TEST_F(SnapshotChildTest, SaysWhatWentWrong) {
  auto child = SnapshotChild::start(
      []() -> Result<void> { return fail(Code::Unavailable, "no space for {}", "it"); });
  ASSERT_TRUE(child);
  const auto ended = wait(*child);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().what, "no space for it");
}

TEST_F(SnapshotChildTest, OneThatIsKilledIsToldApart) {
  auto child = SnapshotChild::start([]() -> Result<void> {
    ::raise(SIGKILL);
    return {};
  });
  ASSERT_TRUE(child);
  const auto ended = wait(*child);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().what, "the process that writes it was ended by signal 9");
}

TEST_F(SnapshotChildTest, CtrlCDoesNotEndItAndLettingGoDoes) {
  {
    auto child = SnapshotChild::start([]() -> Result<void> {
      ::raise(SIGINT);
      ::raise(SIGTERM);
      while (true) {
        ::pause();
      }
    });
    ASSERT_TRUE(child);
    EXPECT_FALSE(child->poll());
    SnapshotChild moved = std::move(*child);
    EXPECT_TRUE(moved.running());
    EXPECT_FALSE(child->running());
  }  // returns only when the child is gone
}

}  // namespace
}  // namespace belfry
