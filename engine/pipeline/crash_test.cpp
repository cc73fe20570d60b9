// The process is killed at every crash point, started again, killed again: what was acknowledged is
// there, the feed has no gap and no double, no effect is lost or made twice.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "belfry/journal/journal.hpp"
#include "test_server.hpp"

extern char** environ;

namespace belfry {
namespace {

constexpr int kBatches = 20;

void say(const std::string& path, const std::string& line) {
  std::ofstream(path, std::ios::app) << line << std::endl;
}

// Not a test of its own: what the killed process runs. Pushes one incident a batch and says what it
// was told, as a collector, a subscriber and an outbox would.
TEST(CrashChild, Run) {
  const char* dir = std::getenv("BELFRY_TEST_CHILD");
  if (dir == nullptr) {
    GTEST_SKIP() << "run by CrashTest";
  }
  const std::string said = std::string(dir) + "/said";
  PipelineOptions options = TestServer::options_of(std::string(dir) + "/store");
  options.snapshot_inputs = 7;  // some points are passed with a snapshot, some without
  TestServer server(options);
  server.clock.advance(std::chrono::seconds(std::atoi(std::getenv("BELFRY_TEST_SECONDS"))));
  MiniCollector collector(server.pipeline->add_port("a"));
  server.pipeline->view().on_change(
      [&](ChangeNumber n) { say(said, "change " + std::to_string(n.value)); });
  server.pipeline->on_effects([&](std::vector<Effect> effects) {
    for (const Effect& e : effects) {
      say(said, "effect " + std::to_string(e.id.value));
    }
  });
  server.start();
  const int from = std::atoi(std::getenv("BELFRY_TEST_FROM"));
  for (int i = from; i < kBatches; ++i) {
    const std::uint64_t n =
        collector.push({{"n" + std::to_string(i), "link down"}, {"n0", "noise"}});
    wait_until([&] { return collector.port().committed() >= n; });
    say(said, "ack " + std::to_string(i));
  }
}

struct Said {
  std::set<int> acked;
  std::uint64_t change = 0;
  std::map<std::uint64_t, int> effects;
};

Said read_said(const std::string& dir) {
  Said out;
  std::ifstream file(dir + "/said");
  std::string word;
  std::uint64_t n = 0;
  while (file >> word >> n) {
    if (word == "ack") {
      out.acked.insert(static_cast<int>(n));
    } else if (word == "change") {
      out.change = std::max(out.change, n);
    } else {
      out.effects[n] += 1;
    }
  }
  return out;
}

/// Exit status of the child; 9 = killed at the point.
int run_child(const std::string& dir, const std::string& crash_at, int from, int seconds) {
  std::vector<std::string> env{"BELFRY_TEST_CHILD=" + dir, "BELFRY_CRASH_AT=" + crash_at,
                               "BELFRY_TEST_FROM=" + std::to_string(from),
                               "BELFRY_TEST_SECONDS=" + std::to_string(seconds)};
  std::vector<char*> envp;
  for (std::string& text : env) {
    envp.push_back(text.data());
  }
  for (char** e = environ; *e != nullptr; ++e) {
    envp.push_back(*e);
  }
  envp.push_back(nullptr);
  std::string self = "/proc/self/exe", filter = "--gtest_filter=CrashChild.Run";
  char* argv[]{self.data(), filter.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, self.c_str(), &actions, nullptr, argv, envp.data()), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class CrashTest : public PipelineDir, public testing::WithParamInterface<const char*> {};

TEST_P(CrashTest, NothingAcknowledgedIsLostAndNothingComesTwice) {
  // Twice killed at the same place: the second time with a journal to recover from.
  int from = 0;
  for (int round = 1; round <= 2; ++round) {
    ASSERT_EQ(run_child(dir_, GetParam(), from, 10 * round), 9) << "round " << round;
    const Said said = read_said(dir_);
    while (said.acked.count(from) != 0) {
      ++from;
    }
  }
  const Said said = read_said(dir_);
  TestServer server(store_);
  server.clock.advance(std::chrono::seconds(60));
  MiniCollector collector(server.pipeline->add_port("a"));
  server.start();
  EXPECT_NE(server.metrics.text().find("belfry_replay_differences_total 0"), std::string::npos);
  EXPECT_GE(server.pipeline->view().as_of().value, said.change);
  for (int i = from; i < kBatches; ++i) {
    collector.push({{"n" + std::to_string(i), "link down"}});
  }
  wait_until(
      [&] { return collector.port().committed() == static_cast<std::uint64_t>(kBatches - from); });
  const std::uint64_t hash = server.pipeline->state_hash();

  // One incident, one ticket and one effect per node, and a feed without gap or double.
  EXPECT_EQ(server.pipeline->view().incidents({}).items.size(), static_cast<std::size_t>(kBatches));
  std::uint64_t next = 1;
  std::map<std::string, int> opened;
  const auto feed = server.pipeline->changes_after({0}, 100'000);
  ASSERT_TRUE(feed);
  for (const FeedItem& item : *feed) {
    EXPECT_EQ(item.number.value, next++);
    const std::size_t at = item.json->find("\"incident\":\"");
    if (item.kind == "incident" && item.json->find("\"reason\":\"due\"") != std::string::npos) {
      opened[item.json->substr(at, 28)] += 1;
    }
  }
  EXPECT_EQ(opened.size(), static_cast<std::size_t>(kBatches));
  for (const auto& [incident, times] : opened) {
    EXPECT_EQ(times, 1) << incident;
  }
  const auto pending = server.pipeline->pending_effects();
  std::set<std::uint64_t> ids;
  for (const Pipeline::Pending& p : pending) {
    ids.insert(p.effect.id.value);
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kBatches));
  for (const auto& [id, times] : said.effects) {
    EXPECT_EQ(times, 1);
    EXPECT_EQ(ids.count(id), 1U) << "an effect was handed out that the store does not know";
  }
  server.pipeline->stop();
  EXPECT_EQ(server.pipeline->state_hash(), hash);
  server.pipeline.reset();
  const auto report = verify_store(store_);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->findings.empty()) << report->findings.front();
}

INSTANTIATE_TEST_SUITE_P(Points, CrashTest,
                         testing::Values("after-fold:1", "after-fold:6", "before-commit:1",
                                         "before-commit:2", "before-commit:8", "after-commit:1",
                                         "after-commit:8", "after-publish:3", "after-publish:8"));

}  // namespace
}  // namespace belfry
