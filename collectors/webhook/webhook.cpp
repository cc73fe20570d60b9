#include "belfry/webhook/webhook.hpp"

#include <set>

#include "belfry/webhook/json_event.hpp"

namespace belfry {

struct WebhookCollector::Impl {
  WebhookOptions options;
  Intake intake;
  Counter& requests;
  Counter& refused;

  Impl(Port& p, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions in, WebhookOptions o)
      : options(std::move(o)),
        intake(p, clock, ledger, metrics, std::move(in)),
        requests(metrics.counter("belfry_webhook_requests_total", "Posts of events")),
        refused(metrics.counter("belfry_webhook_refused_total", "Posts whose body was refused")) {}

  std::vector<std::string> undeclared(const std::vector<Event>& events) const {
    std::set<std::string, std::less<>> out;
    for (const Event& e : events) {
      if (options.declared && !out.contains(e.type) && !options.declared(e.type)) {
        out.emplace(e.type);
      }
    }
    return {out.begin(), out.end()};
  }
};

namespace {

template <class Owner>
class Post final : public EventPost {
 public:
  Post(std::shared_ptr<Owner> owner, std::unique_ptr<Arena> arena, std::vector<Event> events,
       std::vector<std::string> unknown)
      : owner_(std::move(owner)),
        arena_(std::move(arena)),
        events_(std::move(events)),
        count_(events_.size()),
        unknown_(std::move(unknown)) {}

  std::size_t events() const override { return count_; }
  const std::vector<std::string>& unknown_types() const override { return unknown_; }
  State poll() override {
    Intake& intake = owner_->intake;
    intake.tick();
    while (next_ < events_.size()) {
      if (intake.must_flush() && !intake.try_flush(false)) {
        return State::Pushing;
      }
      copy_event(events_[next_], intake.begin(), intake.arena());
      intake.commit();
      batch_ = intake.open_batch();
      ++next_;
    }
    if (arena_) {  // all are in batches: what was decoded is not needed any more
      events_.clear();
      next_ = 0;
      arena_.reset();
    }
    if (intake.committed() >= batch_) {
      return State::Committed;
    }
    // Nothing else is on its way from this request: hand it over as soon as intake finds it due.
    static_cast<void>(intake.try_flush(true));
    return State::Waiting;
  }

 private:
  std::shared_ptr<Owner> owner_;
  std::unique_ptr<Arena> arena_;
  std::vector<Event> events_;
  std::size_t count_;
  std::size_t next_ = 0;
  std::uint64_t batch_ = 0;
  std::vector<std::string> unknown_;
};

}  // namespace

WebhookCollector::WebhookCollector(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics,
                                   IntakeOptions intake, WebhookOptions options)
    : impl_(std::make_shared<Impl>(port, clock, ledger, metrics, std::move(intake),
                                   std::move(options))) {}
WebhookCollector::~WebhookCollector() = default;

void WebhookCollector::tick() { static_cast<void>(impl_->intake.try_flush(true)); }
void WebhookCollector::finish() { static_cast<void>(impl_->intake.finish()); }
bool WebhookCollector::refusing() const { return impl_->intake.refusing(); }

Result<std::unique_ptr<EventPost>> WebhookCollector::open(std::string_view body, BodyForm form,
                                                          std::string_view source) {
  impl_->requests.add();
  impl_->intake.tick();
  auto arena = std::make_unique<Arena>();
  auto events = decode_json_events(body, form, impl_->options, *arena);
  if (!events) {
    impl_->refused.add();
    impl_->intake.refuse(source, "bad-json", body);
    return tl::unexpected(std::move(events).error());
  }
  const std::string_view from = arena->copy(source);
  for (Event& e : *events) {
    e.from = from;
  }
  auto unknown = impl_->undeclared(*events);
  return std::make_unique<Post<Impl>>(impl_, std::move(arena), *std::move(events),
                                      std::move(unknown));
}

}  // namespace belfry
