#pragma once
// For tests: a backend that is told what to answer, a runner in virtual time, a door for events.
#include <deque>
#include <map>
#include <mutex>

#include "belfry/gateway/gateway.hpp"
#include "belfry/runtime/clock.hpp"
#include "runner.hpp"

namespace belfry::gateway {

class FakeBackend : public GatewayBackend {
 public:
  // Feed: `all` is what the store has, from `store_first` on; memory holds the newest memory_max.
  std::vector<FeedItem> all;
  std::uint64_t store_first = 1;
  std::size_t memory_max = 1'000'000;
  std::string epoch_ = "00000000000000ee";
  mutable std::mutex mutex;  // the server test reads from its threads
  std::function<void()> wake;

  std::vector<Incident> incidents_;
  std::vector<Ticket> tickets_;
  IncidentFilter last_filter_;
  std::vector<Command> commands;
  CommandResult command_result;
  bool ring_full = false;
  bool hold_commands = false;
  std::vector<std::function<void(const CommandResult&)>> held;
  ReloadOutcome reload_outcome;
  ServerStatus status_;

  void add_change(const std::string& json) {
    const std::lock_guard lock(mutex);
    all.push_back(
        {ChangeNumber{all.size() + 1}, "incident", std::make_shared<const std::string>(json)});
  }
  void publish(const std::string& json) {
    add_change(json);
    if (wake) {
      wake();
    }
  }

  std::string epoch() const override { return epoch_; }
  ChangeNumber as_of() const override {
    const std::lock_guard lock(mutex);
    return ChangeNumber{all.size()};
  }
  ServerStatus status() const override { return status_; }
  Listed<Incident> incidents(const IncidentFilter& filter) const override {
    const_cast<FakeBackend*>(this)->last_filter_ = filter;
    return {as_of(), incidents_};
  }
  std::optional<Incident> incident(IncidentId id) const override {
    for (const Incident& i : incidents_) {
      if (i.id == id) {
        return i;
      }
    }
    return std::nullopt;
  }
  std::vector<Incident> symptoms_of(IncidentId) const override { return {}; }
  Listed<Ticket> tickets(const TicketFilter&) const override { return {as_of(), tickets_}; }
  std::optional<Ticket> ticket(TicketId id) const override {
    for (const Ticket& t : tickets_) {
      if (t.id == id) {
        return t;
      }
    }
    return std::nullopt;
  }
  std::optional<Ticket> ticket_of(IncidentId) const override { return std::nullopt; }
  std::vector<NodeSeen> nodes(std::size_t) const override {
    return {{"r1", "10.0.0.1", true, {}, 3}};
  }
  std::optional<std::vector<FeedItem>> changes_in_memory(ChangeNumber after,
                                                         std::size_t max) const override {
    const std::lock_guard lock(mutex);
    const std::size_t first = all.size() > memory_max ? all.size() - memory_max : 0;
    if (after.value < first) {
      return std::nullopt;
    }
    return slice(after.value, max);
  }
  void on_change(std::function<void()> w) override { wake = std::move(w); }
  bool submit(Command command, std::function<void(const CommandResult&)> done) override {
    if (ring_full) {
      return false;
    }
    commands.push_back(std::move(command));
    if (hold_commands) {
      held.push_back(std::move(done));
    } else {
      done(command_result);
    }
    return true;
  }
  Result<std::vector<FeedItem>> changes_in_store(ChangeNumber after,
                                                 std::size_t max) const override {
    const std::lock_guard lock(mutex);
    if (after.value + 1 < store_first) {
      return fail(Code::NotFound, "dropped");
    }
    return slice(after.value, max);
  }
  Result<std::vector<std::string>> events_json(std::string_view, std::size_t) const override {
    return std::vector<std::string>{R"({"node":"r1"})"};
  }
  Result<std::vector<TimelineEntry>> timeline(TicketId) const override {
    return std::vector<TimelineEntry>{{Instant{1}, Seq{7}, "anna", "comment", "looking"}};
  }
  ReloadOutcome reload() override { return reload_outcome; }

 private:
  std::vector<FeedItem> slice(std::size_t after, std::size_t max) const {
    std::vector<FeedItem> out;
    for (std::size_t i = after; i < all.size() && out.size() < max; ++i) {
      out.push_back(all[i]);
    }
    return out;
  }
};

/// Runs by hand: helpers and the edge when drain() says so, timers when the clock was moved.
class FakeRunner : public Runner {
 public:
  explicit FakeRunner(ManualClock& clock) : clock_(clock) {}
  bool full = false;
  bool help(std::function<void()> work) override {
    if (full) {
      return false;
    }
    work_.push_back(std::move(work));
    return true;
  }
  std::weak_ptr<Runner> weak() override { return self_; }
  void edge(std::function<void()> work) override { work_.push_back(std::move(work)); }
  void later(Duration delay, std::function<void()> work) override {
    timers_.emplace(clock_.boot_ns() + delay.count(), std::move(work));
  }
  void drain() {
    while (!work_.empty()) {
      const auto work = std::move(work_.front());
      work_.pop_front();
      work();
    }
  }
  void advance(Duration d) {
    const std::int64_t until = clock_.boot_ns() + d.count();
    drain();
    while (!timers_.empty() && timers_.begin()->first <= until) {
      auto timer = timers_.extract(timers_.begin());
      clock_.advance(Duration(timer.key() - clock_.boot_ns()));
      timer.mapped()();
      drain();
    }
    clock_.advance(Duration(until - clock_.boot_ns()));
  }

 private:
  ManualClock& clock_;
  std::shared_ptr<Runner> self_{this, [](Runner*) {}};
  std::deque<std::function<void()>> work_;
  std::multimap<std::int64_t, std::function<void()>> timers_;
};

class FakeDoor : public EventDoor {
 public:
  bool refuse = false;
  bool committed = true;
  int opened = 0;
  std::string last_body, last_source;
  BodyForm last_form = BodyForm::Json;

  bool refusing() const override { return refuse; }
  void tick() override {}
  void finish() override {}
  std::string last_alert_form;
  Result<std::unique_ptr<EventPost>> open_alerts(std::string_view body, std::string_view form,
                                                 std::string_view source) override {
    if (form == "nobody") {
      return fail(Code::NotFound, "no form of alerts is called 'nobody'");
    }
    last_alert_form = form;
    return open(body, BodyForm::Json, source);
  }
  Result<std::unique_ptr<EventPost>> open(std::string_view body, BodyForm form,
                                          std::string_view source) override {
    if (body.find("bad") != std::string_view::npos) {
      return fail(Code::Invalid, "event 1: bad");
    }
    ++opened;
    last_body = body;
    last_source = source;
    last_form = form;
    struct Post : EventPost {
      FakeDoor* door = nullptr;
      std::vector<std::string> unknown;
      std::size_t events() const override { return 1; }
      const std::vector<std::string>& unknown_types() const override { return unknown; }
      State poll() override { return door->committed ? State::Committed : State::Waiting; }
    };
    auto post = std::make_unique<Post>();
    post->door = this;
    return post;
  }
};

}  // namespace belfry::gateway
