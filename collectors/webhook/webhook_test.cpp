#include "belfry/webhook/webhook.hpp"

#include <gtest/gtest.h>

#include "../../tests/support/fake_port.hpp"

namespace belfry {
namespace {

struct Webhook : ::testing::Test {
  ManualClock clock;
  Ledger ledger;
  Metrics metrics;
  belfry::testing::FakePort port{"webhook"};
  WebhookOptions options;
  std::unique_ptr<WebhookCollector> door;
  std::unique_ptr<EventPost> open(std::string_view body) {
    if (!door) {
      door = std::make_unique<WebhookCollector>(port, clock, ledger, metrics, IntakeOptions{},
                                                options);
    }
    auto post = door->open(body, BodyForm::Json, "192.0.2.7");
    EXPECT_TRUE(post.has_value()) << (post ? "" : post.error().what);
    return post ? *std::move(post) : nullptr;
  }
  static std::string many(int n) {
    std::string body = "[";
    for (int i = 0; i < n; ++i) {
      body += std::string(i == 0 ? "" : ",") + R"({"node":"db-1","n":)" + std::to_string(i) + "}";
    }
    return body + "]";
  }
};

TEST_F(Webhook, IsAnsweredWhenItsLastBatchIsDurable) {
  const auto post = open(many(2500));
  EXPECT_EQ(post->events(), 2500U);
  EXPECT_EQ(post->poll(), EventPost::State::Waiting);
  const auto batches = port.take_all();
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[2]->events.back().attrs[0].value.i, 2499);
  EXPECT_EQ(batches[0]->events[0].node, "db-1");
  EXPECT_EQ(batches[0]->events[0].from, "192.0.2.7");
  EXPECT_EQ(batches[0]->events[0].raw, R"({"node":"db-1","n":0})");
  port.committed_mark = 2;
  EXPECT_EQ(post->poll(), EventPost::State::Waiting);
  port.committed_mark = 3;
  EXPECT_EQ(post->poll(), EventPost::State::Committed);
}

TEST_F(Webhook, AFullRingHoldsThePostBackAndLosesNothing) {
  port.set_capacity(1);
  const auto post = open(many(2500));
  EXPECT_EQ(post->poll(), EventPost::State::Pushing);
  EXPECT_EQ(post->poll(), EventPost::State::Pushing);
  port.set_capacity(100);
  EXPECT_EQ(post->poll(), EventPost::State::Waiting);
  EXPECT_EQ(port.events(), 2500U);
  door->finish();
  EXPECT_EQ(ledger.refused(), 0U);
}

TEST_F(Webhook, ABusyFoldGetsTheEventsWhenTheBatchIsOldEnough) {
  port.fold_idle = false;
  const auto post = open(many(1));
  EXPECT_EQ(post->poll(), EventPost::State::Waiting);
  EXPECT_EQ(port.events(), 0U);
  clock.advance(3ms);
  EXPECT_EQ(post->poll(), EventPost::State::Waiting);
  EXPECT_EQ(port.events(), 1U);
}

TEST_F(Webhook, ABadBodyIsRefusedAsAWholeAndCounted) {
  open(many(1));
  EXPECT_FALSE(door->open(R"([{"node":"a"},{}])", BodyForm::Json, "192.0.2.7").has_value());
  EXPECT_EQ(port.events(), 0U);
  door->finish();
  EXPECT_EQ(ledger.refused(), 1U);
}

TEST_F(Webhook, TypesNobodyDeclaredAreTakenAndNamed) {
  options.declared = [](std::string_view type) { return type == "alert"; };
  const auto post =
      open(R"([{"node":"a","type":"disk_alrt"},{"node":"a"},{"node":"a","type":"disk_alrt"}])");
  EXPECT_EQ(post->unknown_types(), std::vector<std::string>{"disk_alrt"});
}

TEST_F(Webhook, AnIdleCollectorShowsNewVersions) {
  open(many(1))->poll();
  const unsigned before = port.versions_taken;
  port.set_versions(nullptr);
  door->tick();
  EXPECT_GT(port.versions_taken.load(), before);
  port.refuse = true;
  EXPECT_TRUE(door->refusing());
}

}  // namespace
}  // namespace belfry
