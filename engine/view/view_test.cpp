#include "belfry/view/view.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace belfry {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

Change incident_change(std::uint64_t number, std::uint64_t id, IncidentState state,
                       Instant at = kStart, std::vector<IncidentId> causes = {}) {
  Change c;
  c.number = {number};
  c.at = at;
  IncidentChange i;
  i.after.id = {id};
  i.after.rule = "r";
  i.after.key = {"Node-" + std::to_string(id)};
  i.after.title = "title " + std::to_string(id);
  i.after.state = state;
  i.after.began_at = kStart + std::chrono::seconds(id);
  i.after.nodes = {"n" + std::to_string(id)};
  i.after.causes = std::move(causes);
  if (state == IncidentState::Closed) {
    i.after.closed_at = at;
  }
  c.incident = std::move(i);
  return c;
}

Change ticket_change(std::uint64_t number, std::uint64_t id, std::string priority,
                     std::string tier = "solution", TicketState state = TicketState::New) {
  Change c;
  c.number = {number};
  c.at = kStart;
  TicketChange t;
  t.after.id = {id};
  t.after.priority = std::move(priority);
  t.after.tier = std::move(tier);
  t.after.owner = "ana";
  t.after.state = state;
  t.after.origin = kStart;
  t.entry.what = "opened";
  c.ticket = std::move(t);
  return c;
}

std::vector<Change> one(Change c) {
  std::vector<Change> out;
  out.push_back(std::move(c));
  return out;
}

TEST(View, ListsFilterAndShowTheirChangeNumber) {
  View view;
  view.apply(one(incident_change(1, 2, IncidentState::Open)));
  view.apply(one(incident_change(2, 1, IncidentState::Symptom, kStart, {{2}})));
  view.apply(one(incident_change(3, 3, IncidentState::Closed)));
  auto listed = view.incidents({});
  EXPECT_EQ(listed.as_of.value, 3U);
  ASSERT_EQ(listed.items.size(), 2U);
  EXPECT_EQ(listed.items[0].id.value, 1U);  // began first
  EXPECT_EQ(view.incidents({.symptoms = false}).items.size(), 1U);
  EXPECT_EQ(view.incidents({.closed = true}).items.size(), 3U);
  EXPECT_EQ(view.incidents({.state = "closed"}).items.size(), 1U);
  EXPECT_EQ(view.incidents({.node = "n2"}).items.size(), 1U);
  EXPECT_EQ(view.incidents({.text = "NODE-2"}).items.size(), 1U);
  EXPECT_EQ(view.incidents({.text = "zebra"}).items.size(), 0U);
  EXPECT_EQ(view.incidents({.limit = 1}).items.size(), 1U);
  ASSERT_EQ(view.symptoms_of({2}).size(), 1U);
  EXPECT_EQ(view.incident({1})->state, IncidentState::Symptom);
  EXPECT_FALSE(view.incident({9}));
}

TEST(View, TicketsComeInQueueOrder) {
  View view;
  view.apply(one(ticket_change(1, 1, "P2")));
  view.apply(one(ticket_change(2, 2, "P1")));
  view.apply(one(ticket_change(3, 3, "P2", "premium")));
  view.apply(one(ticket_change(4, 4, "P1", "solution", TicketState::Closed)));
  const auto listed = view.tickets({});
  ASSERT_EQ(listed.items.size(), 3U);
  EXPECT_EQ(listed.items[0].id.value, 2U);
  EXPECT_EQ(listed.items[1].id.value, 3U);
  EXPECT_EQ(listed.items[2].id.value, 1U);
  EXPECT_EQ(view.tickets({.closed = true}).items.size(), 4U);
  EXPECT_EQ(view.tickets({.priority = "P2"}).items.size(), 2U);
  EXPECT_EQ(view.timeline({3}).size(), 1U);
}

TEST(View, FeedGoesOnFromANumberAndSaysWhenItCannot) {
  View view(3);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    view.apply(one(incident_change(n, n, IncidentState::Open)));
  }
  EXPECT_FALSE(view.changes_after({1}, 10));
  const auto items = view.changes_after({2}, 10);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 3U);
  EXPECT_EQ(items->front().number.value, 3U);
  EXPECT_EQ(view.changes_after({2}, 2)->size(), 2U);
  EXPECT_TRUE(view.changes_after({5}, 2)->empty());
}

TEST(View, AfterARestartOlderChangesAreAskedOfTheStore) {
  View view;
  view.reset({40}, {}, {});
  EXPECT_EQ(view.as_of().value, 40U);
  EXPECT_FALSE(view.changes_after({39}, 10));
  EXPECT_TRUE(view.changes_after({40}, 10)->empty());
  view.apply(one(incident_change(41, 1, IncidentState::Open)));
  EXPECT_EQ(view.changes_after({40}, 10)->size(), 1U);
}

TEST(View, ClosedIncidentsLeaveAfterAnHour) {
  View view;
  view.apply(one(incident_change(1, 1, IncidentState::Closed)));
  view.apply(one(incident_change(2, 2, IncidentState::Closed)));
  view.apply(one(incident_change(3, 2, IncidentState::Open)));  // reopened
  view.apply(one(incident_change(4, 3, IncidentState::Open, kStart + std::chrono::minutes(61))));
  EXPECT_FALSE(view.incident({1}));
  EXPECT_TRUE(view.incident({2}));
}

TEST(View, ManyReadersNeverSeeHalfAStep) {
  View view(64);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> woken{0};
  view.on_change([&](ChangeNumber n) { woken = n.value; });
  std::latch reading(3);
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      std::uint64_t before = 0;
      reading.arrive_and_wait();
      while (!stop) {
        // Each step opens one incident: the list has exactly as many as its number says.
        const auto listed = view.incidents({});
        EXPECT_EQ(listed.items.size(), listed.as_of.value);
        EXPECT_GE(listed.as_of.value, before);
        before = listed.as_of.value;
        if (const auto items = view.changes_after({before > 10 ? before - 10 : 0}, 100);
            items && !items->empty()) {
          EXPECT_EQ(items->back().number.value - items->front().number.value + 1, items->size());
        }
      }
    });
  }
  reading.arrive_and_wait();
  for (std::uint64_t n = 1; n <= 300; ++n) {
    view.apply(one(incident_change(n, n, IncidentState::Open)));
  }
  stop = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(woken, 300U);
}

TEST(View, NodesAreReplacedByName) {
  View view;
  view.apply_nodes({{.node = "a", .events = 1}, {.node = "b", .events = 2}});
  view.apply_nodes({{.node = "a", .known = true, .events = 5}});
  const auto nodes = view.nodes(10);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].events, 5U);
  EXPECT_TRUE(nodes[0].known);
}

}  // namespace
}  // namespace belfry
