#include "belfry/pipeline/pipeline.hpp"

#include <set>

#include "belfry/base/bytes.hpp"
#include "belfry/journal/journal.hpp"
#include "test_server.hpp"

namespace belfry {
namespace {

class PipelineTest : public PipelineDir {};

std::vector<FeedItem> feed_of(Pipeline& p) { return *p.changes_after({0}, 100'000); }

void expect_no_gaps(Pipeline& p) {
  std::uint64_t next = 1;
  for (const FeedItem& item : feed_of(p)) {
    EXPECT_EQ(item.number.value, next++);
  }
}

TEST_F(PipelineTest, AnEventBecomesAnIncidentATicketAndAnEffect) {
  PipelineOptions options = TestServer::options_of(store_);
  options.durability = Durability::Group;
  TestServer server(options);
  MiniCollector collector(server.pipeline->add_port("syslog"));
  EXPECT_EQ(server.pipeline->not_ready_reason(), "starting");
  EXPECT_TRUE(collector.port().refusing());
  server.start();
  EXPECT_TRUE(server.pipeline->ready());
  EXPECT_FALSE(collector.port().refusing());
  const std::uint64_t n = collector.push({{"n1", "hello"}, {"n1", "link down"}, {"n2", "nothing"}});
  wait_until([&] { return collector.port().committed() >= n; });
  View& view = server.pipeline->view();
  const auto incidents = view.incidents({});
  ASSERT_EQ(incidents.items.size(), 1U);
  EXPECT_EQ(incidents.items[0].rule, "node_down");
  EXPECT_EQ(incidents.items[0].state, IncidentState::Open);
  ASSERT_EQ(view.tickets({}).items.size(), 1U);
  EXPECT_EQ(view.tickets({}).items[0].owner, "ana");
  wait_until([&] { return server.effects_sent() == 1; });
  EXPECT_EQ(server.pipeline->pending_effects().size(), 1U);
  expect_no_gaps(*server.pipeline);
  EXPECT_EQ(feed_of(*server.pipeline).size(), view.as_of().value);
  const auto events = server.pipeline->events_json("n1", 10);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_NE(events->front().find("\"message\":\"link down\""), std::string::npos)
      << events->front();
  EXPECT_NE(events->front().find("\"collector\":\"syslog\""), std::string::npos);
  const auto nodes = view.nodes(100);
  EXPECT_EQ(nodes.size(), 20U);
  server.pipeline->stop();
  EXPECT_FALSE(server.pipeline->ready());
}

TEST_F(PipelineTest, ARestartGivesTheSameStateBySnapshotAndByReplay) {
  std::uint64_t hash = 0, changes = 0;
  {
    TestServer server(store_);
    MiniCollector collector(server.pipeline->add_port("a"));
    server.start();
    for (int i = 0; i < 40; ++i) {
      collector.push(
          {{"n" + std::to_string(i % 7), i % 3 == 2 ? "link up" : "link down"}, {"n9", "noise"}});
      if (i % 10 == 0) {
        server.clock.advance(std::chrono::seconds(30));
      }
    }
    server.command({.kind = CommandKind::Ack, .who = "ana", .ticket = {1}});
    server.pipeline->stop();
    hash = server.pipeline->state_hash();
    changes = server.pipeline->view().as_of().value;
    EXPECT_GT(changes, 10U);
  }
  for (const bool keep_snapshots : {true, false}) {
    if (!keep_snapshots) {
      std::filesystem::remove_all(store_ + "/snapshots");
    }
    TestServer again(store_);
    again.clock.advance(std::chrono::seconds(120));  // no time passed since
    again.pipeline->add_port("a");
    again.start();
    EXPECT_EQ(again.pipeline->state_hash(), hash) << keep_snapshots;
    EXPECT_EQ(again.pipeline->view().as_of().value, changes);
    EXPECT_EQ(again.effects_sent(), 0U);
    EXPECT_EQ(again.built, 0);
    const std::string text = again.metrics.text();
    EXPECT_NE(text.find("belfry_replay_differences_total 0"), std::string::npos) << text;
  }
  const auto report = verify_store(store_);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->findings.empty()) << report->findings.front();
}

TEST_F(PipelineTest, DowntimeIsAnInput) {
  {
    TestServer server(store_);
    server.start();
  }
  TestServer again(store_);
  again.clock.advance(std::chrono::minutes(7));
  again.start();
  again.pipeline.reset();
  auto store = Store::open({.dir = store_});
  Journal journal(**store);
  ASSERT_TRUE(journal.open());
  JournalReader reader = journal.read_from({0});
  std::string kinds;
  while (true) {
    const auto input = reader.next();
    ASSERT_TRUE(input);
    if (!*input) {
      break;
    }
    kinds += std::string(name((*input)->record->kind)) + " ";
  }
  EXPECT_EQ(kinds, "start versions desk advance start deaf advance ");
}

TEST_F(PipelineTest, CommandsAreAnsweredAfterTheCommitAndKept) {
  {
    TestServer server(store_);
    MiniCollector collector(server.pipeline->add_port("a"));
    server.start();
    const std::uint64_t n = collector.push({{"n1", "link down"}});
    wait_until([&] { return collector.port().committed() >= n; });
    const CommandResult ack =
        server.command({.kind = CommandKind::Ack, .who = "ana", .ticket = {1}});
    EXPECT_TRUE(ack.ok) << ack.message;
    EXPECT_TRUE(server.pipeline->view().ticket({1})->acked);
    const CommandResult none =
        server.command({.kind = CommandKind::Ack, .who = "ana", .ticket = {77}});
    EXPECT_FALSE(none.ok);
    EXPECT_EQ(none.code, Code::NotFound);
  }
  TestServer again(store_);
  again.start();
  EXPECT_TRUE(again.pipeline->view().ticket({1})->acked);
  const auto timeline = again.pipeline->timeline({1});
  ASSERT_TRUE(timeline);
  ASSERT_GE(timeline->size(), 2U);
  EXPECT_EQ(timeline->front().what, "opened");
  EXPECT_EQ(timeline->back().who, "ana");
}

TEST_F(PipelineTest, EffectsWaitUntilTheyAreSettled) {
  std::vector<Pipeline::Pending> pending;
  {
    TestServer server(store_);
    MiniCollector collector(server.pipeline->add_port("a"));
    server.start();
    const std::uint64_t n =
        collector.push({{"n1", "link down"}, {"n2", "link down"}, {"n3", "link down"}});
    wait_until([&] { return collector.port().committed() >= n; });
    pending = server.pipeline->pending_effects();
    ASSERT_EQ(pending.size(), 3U);
    server.pipeline->settle(pending[0].effect.id, true, "");
    server.pipeline->retry_later(pending[1].effect.id, 4, {99});
    server.pipeline->settle(pending[2].effect.id, false, "refused by 192.0.2.1");
    wait_until([&] { return server.effects_sent() == 4; });  // the failed one pages at once
  }
  TestServer again(store_);
  again.start();
  const auto left = again.pipeline->pending_effects();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].effect.id, pending[1].effect.id);
  EXPECT_EQ(left[0].attempts, 4U);
  EXPECT_EQ(left[0].next_attempt.ns, 99);
  EXPECT_EQ(left[1].effect.kind, EffectKind::Page);
}

TEST_F(PipelineTest, TimersFireWithoutEvents) {
  TestServer server(store_);
  MiniCollector collector(server.pipeline->add_port("a"));
  server.start();
  const std::uint64_t n = collector.push({{"n1", "link down"}});
  wait_until([&] { return collector.port().committed() >= n; });
  server.clock.advance(std::chrono::minutes(11));
  static_cast<void>(server.pipeline->state_hash());  // wakes the fold
  wait_until([&] { return server.effects_sent() >= 2; });
}

TEST_F(PipelineTest, AClockStepIsRecordedAndMovesNoTimer) {
  TestServer server(store_);
  MiniCollector collector(server.pipeline->add_port("a"));
  server.start();
  server.clock.step_wall(std::chrono::hours(5));
  const std::uint64_t n = collector.push({{"n1", "link down"}});
  wait_until([&] { return collector.port().committed() >= n; });
  wait_until([&] { return server.effects_sent() == 1; });
  EXPECT_EQ(server.pipeline->view().incidents({}).items.at(0).opened_at, kTestStart);
  EXPECT_NE(server.metrics.text().find("belfry_clock_steps_total 1"), std::string::npos);
}

TEST_F(PipelineTest, ANewVersionWaitsForEveryPort) {
  TestServer server(store_);
  MiniCollector a(server.pipeline->add_port("a"));
  MiniCollector b(server.pipeline->add_port("b"));
  server.pipeline->add_port("parked from the start");
  server.start("first");
  a.push({{"n1", "link down"}});
  b.adopt();
  std::atomic<bool> done{false};
  server.pipeline->reload(test_sources("second", 30), test_versions("second", 30),
                          [&] { done = true; });
  wait_until([&] { return a.port().version_changed(); });
  // b has not taken it: a goes on with the new pair, its batch waits, and commands are answered.
  a.push({{"n2", "link down"}});
  EXPECT_TRUE(server.command({.kind = CommandKind::Ack, .who = "ana", .ticket = {1}}).ok);
  EXPECT_FALSE(done);
  const std::uint64_t last_of_b = b.port().committed();
  b.port().park();
  wait_until([&] { return done.load(); });
  const std::uint64_t n = b.push({{"n3", "link down"}});
  wait_until([&] { return b.port().committed() >= n; });
  EXPECT_GT(n, last_of_b);
  const auto incidents = server.pipeline->view().incidents({});
  ASSERT_EQ(incidents.items.size(), 3U);
  EXPECT_EQ(server.pipeline->view().nodes(100).size(), 30U);
  server.pipeline->stop();
  const std::uint64_t hash = server.pipeline->state_hash();
  std::filesystem::remove_all(store_ + "/snapshots");
  server.pipeline.reset();
  TestServer again(store_);
  again.start("second", 30);
  EXPECT_EQ(again.pipeline->state_hash(), hash);
  EXPECT_EQ(again.built, 1) << "the first version is built from its stored texts";
}

TEST_F(PipelineTest, ReloadsUnderLoadMatchNothingTwice) {
  constexpr int kBatches = 150;
  PipelineOptions options = TestServer::options_of(store_);
  options.ring_capacity = 4;
  TestServer server(options);
  Port& port_a = server.pipeline->add_port("a");
  Port& port_b = server.pipeline->add_port("b");
  server.start("v0");
  std::atomic<int> left{2};
  const auto produce = [&](Port& port, const std::string& node) {
    MiniCollector collector(port);
    for (int i = 0; i < kBatches; ++i) {
      collector.push({{node, i % 2 == 0 ? "link down" : "link up"}}, i + 1);
      if (i % 50 == 49) {
        port.park();
      }
    }
    --left;
    while (left > 0 || !server.pipeline->ready()) {
      collector.adopt();
      std::this_thread::yield();
    }
    port.park();
  };
  std::thread a([&] { produce(port_a, "n1"); });
  std::thread b([&] { produce(port_b, "n2"); });
  for (int v = 1; v <= 5; ++v) {
    server.reload("v" + std::to_string(v), 20);
  }
  a.join();
  b.join();
  wait_until([&] { return port_a.committed() == kBatches && port_b.committed() == kBatches; });
  expect_no_gaps(*server.pipeline);
  server.pipeline->stop();
  const std::uint64_t hash = server.pipeline->state_hash();
  server.pipeline.reset();
  std::filesystem::remove_all(store_ + "/snapshots");
  TestServer again(store_);
  again.start("v5");
  EXPECT_EQ(again.pipeline->state_hash(), hash);
}

TEST_F(PipelineTest, ABatchFromBeforeTheStartIsMatchedByTheFold) {
  TestServer server(store_);
  Port& port = server.pipeline->add_port("early");
  std::unique_ptr<Batch> batch = port.take_batch();
  Event e;
  e.type = "syslog";
  e.node = "n1";
  e.message = e.raw = "link down";
  batch->events.push_back(e);
  ASSERT_TRUE(port.try_push(batch));
  server.start();
  wait_until([&] { return port.committed() == 1; });
  EXPECT_EQ(server.pipeline->view().incidents({}).items.size(), 1U);
}

TEST_F(PipelineTest, ASnapshotIsTakenAfterSoManyInputsAndTheTailReplayed) {
  std::uint64_t hash = 0;
  {
    PipelineOptions options = TestServer::options_of(store_);
    options.snapshot_inputs = 10;
    TestServer server(options);
    MiniCollector collector(server.pipeline->add_port("a"));
    server.start();
    const SnapshotFiles files(store_);
    std::uint64_t n = 0;
    for (int i = 0; i < 11 || files.list().empty(); ++i) {
      n = collector.push({{"n" + std::to_string(i % 20), "link down"}});
      wait_until([&] { return collector.port().committed() >= n; });
    }
    n = collector.push({{"n3", "link up"}});
    wait_until([&] { return collector.port().committed() >= n; });
    hash = server.pipeline->state_hash();
#if !defined(__has_feature) || \
    !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
    EXPECT_NE(server.metrics.text().find("belfry_snapshots_in_place_total 0"), std::string::npos);
#endif
    ASSERT_TRUE(server.pipeline->backup(dir_ + "/backup"));  // as a kill would leave it
  }
  ASSERT_TRUE(restore_store(dir_ + "/backup", dir_ + "/killed"));
  TestServer again(dir_ + "/killed");
  again.start();
  EXPECT_EQ(again.pipeline->state_hash(), hash);
  EXPECT_EQ(again.metrics.text().find("belfry_replayed_inputs_total 0\n"), std::string::npos);
  EXPECT_NE(again.metrics.text().find("belfry_replay_differences_total 0"), std::string::npos);
}

TEST_F(PipelineTest, WhatWasPublishedStandsAndIsCorrectedAloud) {
  {
    TestServer server(store_);
    MiniCollector collector(server.pipeline->add_port("a"));
    server.start();
    const std::uint64_t n = collector.push({{"n1", "link down"}, {"n2", "link down"}});
    wait_until([&] { return collector.port().committed() >= n; });
  }
  {
    // As an older program would have told it: another title.
    auto store = Store::open({.dir = store_});
    Change change = *decode_change(**(*store)->get(Table::Change, be64(1)));
    ASSERT_TRUE(change.incident);
    change.incident->after.title = "told otherwise";
    ByteWriter bytes;
    encode(change, bytes);
    Writes writes;
    writes.put(Table::Change, be64(1), bytes.bytes());
    ASSERT_TRUE((*store)->commit(writes, true));
    std::filesystem::remove_all(store_ + "/snapshots");
  }
  TestServer again(store_);
  again.start();
  const std::vector<FeedItem> feed = feed_of(*again.pipeline);
  EXPECT_NE(feed.front().json->find("told otherwise"), std::string::npos);
  EXPECT_NE(feed.back().json->find("\"reason\":\"corrected\""), std::string::npos)
      << *feed.back().json;
  expect_no_gaps(*again.pipeline);
}

TEST_F(PipelineTest, AFullDiskRefusesIntakeAndAnswersCommands) {
  PipelineOptions options = TestServer::options_of(store_);
  options.disk_refuse = 0;
  TestServer server(options);
  MiniCollector collector(server.pipeline->add_port("a"));
  server.start();
  EXPECT_TRUE(collector.port().refusing());
  EXPECT_FALSE(server.pipeline->ready());
  EXPECT_NE(server.pipeline->not_ready_reason().find("intake refuses"), std::string::npos);
  EXPECT_EQ(server.command({.kind = CommandKind::Ack, .who = "ana", .ticket = {9}}).code,
            Code::NotFound);
}

TEST_F(PipelineTest, ASecondProcessIsRefusedInOneLine) {
  TestServer server(store_);
  server.start();
  TestServer second(store_);
  const auto started = second.try_start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().what.find('\n'), std::string::npos);
  EXPECT_NE(started.error().what.find("in use by another process"), std::string::npos);
}

TEST_F(PipelineTest, BackupOfTheRunningStoreStartsElsewhere) {
  TestServer server(store_);
  MiniCollector collector(server.pipeline->add_port("a"));
  server.start();
  const std::uint64_t n = collector.push({{"n1", "link down"}});
  wait_until([&] { return collector.port().committed() >= n; });
  ASSERT_TRUE(server.pipeline->backup(dir_ + "/backup"));
  ASSERT_TRUE(restore_store(dir_ + "/backup", dir_ + "/restored"));
  TestServer other(dir_ + "/restored");
  other.start();
  EXPECT_EQ(other.pipeline->view().incidents({}).items.size(), 1U);
  EXPECT_NE(other.pipeline->epoch(), server.pipeline->epoch());
}

}  // namespace
}  // namespace belfry
