#include "feed.hpp"

#include <gtest/gtest.h>

#include <random>

#include "fake_backend.hpp"

namespace belfry::gateway {
namespace {

/// Reads frames as a client does: the id of the last one is where it comes back.
struct Client {
  std::string cursor;
  std::vector<std::uint64_t> seen;  ///< numbers of the changes, in order
  int resyncs = 0;

  void read(const FeedStep& step) {
    for (const Frame& frame : step.frames) {
      const std::string& text = *frame;
      ASSERT_TRUE(text.starts_with("id: "));
      ASSERT_TRUE(text.ends_with("\n\n"));
      cursor = text.substr(4, text.find('\n') - 4);
      if (text.find("\nevent: change\n") != std::string::npos) {
        seen.push_back(parse_cursor(cursor)->change.value);
      } else if (text.find("\nevent: resync\n") != std::string::npos) {
        ++resyncs;
      }
    }
  }
  std::optional<FeedCursor> at() const {
    return cursor.empty() ? std::nullopt : std::optional(*parse_cursor(cursor));
  }
};

struct Feed : ::testing::Test {
  FakeBackend backend;
  void grow(int n) {
    for (int i = 0; i < n; ++i) {
      backend.add_change("{\"n\":" + std::to_string(backend.all.size() + 1) + "}");
    }
  }
  /// Steps until there is nothing more.
  void run(FeedReader& reader, Client& client, int steps_max = 1'000'000) {
    while (steps_max-- > 0) {
      FeedStep step = reader.step();
      if (step.kind == FeedStep::Kind::Store) {
        step = reader.stored(backend.changes_in_store(reader.page_after(), FeedReader::kPage));
      }
      if (step.kind == FeedStep::Kind::Wait) {
        return;
      }
      client.read(step);
    }
  }
};

TEST_F(Feed, ACursorIsAnEpochAndANumber) {
  EXPECT_EQ(parse_cursor("00ee-12")->change.value, 12U);
  EXPECT_EQ(parse_cursor("00ee-12")->epoch, "00ee");
  for (const char* bad :
       {"", "12", "-12", "00ee-", "00ee-x", "00ee--1", "00ee-99999999999999999999"}) {
    EXPECT_FALSE(parse_cursor(bad).has_value() && parse_cursor(bad)->epoch != "00ee-") << bad;
  }
}

TEST_F(Feed, WithoutACursorItStartsNowAndNamesOne) {
  grow(5);
  FeedHub hub(backend);
  FeedReader reader(hub, std::nullopt);
  Client client;
  run(reader, client);
  EXPECT_TRUE(client.seen.empty());
  EXPECT_EQ(client.cursor, "00000000000000ee-5");
  grow(2);
  hub.refresh();
  run(reader, client);
  EXPECT_EQ(client.seen, (std::vector<std::uint64_t>{6, 7}));
}

TEST_F(Feed, AFrameIsWhatServerSentEventsAskFor) {
  FeedHub hub(backend);
  FeedReader reader(hub, std::nullopt);
  reader.step();
  grow(1);
  hub.refresh();
  EXPECT_EQ(*reader.step().frames.at(0),
            "id: 00000000000000ee-1\nevent: change\ndata: {\"n\":1}\n\n");
}

TEST_F(Feed, ExactlyOnceInOrderOverReconnectsAndRestarts) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    backend.all.clear();
    backend.memory_max = 1 + random() % 300;
    auto hub = std::make_unique<FeedHub>(backend, 1 + random() % 50, 100'000);
    Client client;
    client.cursor = "00000000000000ee-0";
    while (backend.all.size() < 800) {
      FeedReader reader(*hub, client.at());
      for (int i = 0; i < 5; ++i) {
        grow(static_cast<int>(random() % 90));
        if (random() % 2 == 0) {
          hub->refresh();
        }
        run(reader, client, static_cast<int>(random() % 6));  // it may stop reading anywhere
      }
      if (random() % 4 == 0) {
        hub =
            std::make_unique<FeedHub>(backend, 1 + random() % 50, 100'000);  // the server restarts
      }
    }
    hub->refresh();
    FeedReader reader(*hub, client.at());
    run(reader, client);
    ASSERT_EQ(client.seen.size(), backend.all.size()) << "round " << round;
    for (std::size_t i = 0; i < client.seen.size(); ++i) {
      ASSERT_EQ(client.seen[i], i + 1);
    }
    ASSERT_EQ(client.resyncs, 0);
  }
}

TEST_F(Feed, AnUnknownEpochAFutureCursorAndADroppedRangeAreAnsweredByResync) {
  grow(10);
  FeedHub hub(backend);
  for (const char* cursor : {"00000000000000aa-3", "00000000000000ee-11"}) {
    FeedReader reader(hub, *parse_cursor(cursor));
    Client client;
    run(reader, client);
    EXPECT_EQ(client.resyncs, 1) << cursor;
    EXPECT_TRUE(client.seen.empty());
    EXPECT_EQ(client.cursor, "00000000000000ee-10");
  }
  backend.memory_max = 2;
  backend.store_first = 5;
  FeedReader reader(hub, *parse_cursor("00000000000000ee-2"));
  Client client;
  run(reader, client);
  EXPECT_EQ(client.resyncs, 1);
  EXPECT_EQ(client.cursor, "00000000000000ee-10");
  grow(1);
  hub.refresh();
  run(reader, client);
  EXPECT_EQ(client.seen, (std::vector<std::uint64_t>{11}));
}

TEST_F(Feed, AHoleInTheStoreIsNeverPassedOver) {
  grow(10);
  FeedHub hub(backend);
  backend.memory_max = 1;
  FeedReader reader(hub, *parse_cursor("00000000000000ee-2"));
  ASSERT_EQ(reader.step().kind, FeedStep::Kind::Store);
  Client client;
  client.read(reader.stored(std::vector<FeedItem>{backend.all[2], backend.all[5]}));
  EXPECT_EQ(client.seen, (std::vector<std::uint64_t>{3}));
  client.read(reader.stored(std::vector<FeedItem>{backend.all[5]}));
  EXPECT_EQ(client.resyncs, 1);
}

TEST_F(Feed, AStepIsBounded) {
  FeedHub hub(backend);
  FeedReader reader(hub, *parse_cursor("00000000000000ee-0"));
  for (int i = 0; i < 40; ++i) {
    backend.add_change("{\"pad\":\"" + std::string(10'000, 'x') + "\"}");
  }
  hub.refresh();
  std::size_t bytes = 0;
  for (const Frame& frame : reader.step().frames) {
    bytes += frame->size();
  }
  EXPECT_GT(bytes, 0U);
  EXPECT_LE(bytes, 64U * 1024U);
}

TEST_F(Feed, AHubThatFellBehindMemoryStartsANewTail) {
  FeedHub hub(backend);
  backend.memory_max = 10;
  FeedReader reader(hub, *parse_cursor("00000000000000ee-0"));
  grow(100);
  hub.refresh();
  EXPECT_EQ(hub.last().value, 100U);
  Client client;
  run(reader, client);
  EXPECT_EQ(client.seen.size(), 100U);
}

}  // namespace
}  // namespace belfry::gateway
