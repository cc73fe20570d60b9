#include "belfry/webhook/webhook.hpp"

#include <algorithm>
#include <set>

#include "belfry/base/text.hpp"
#include "belfry/webhook/alert_form.hpp"
#include "belfry/webhook/json_event.hpp"

namespace belfry {

struct WebhookCollector::Impl {
  WebhookOptions options;
  Clock& clock;
  Intake intake;
  Counter& requests;
  Counter& refused;

  Impl(Port& p, Clock& c, Ledger& ledger, Metrics& metrics, IntakeOptions in, WebhookOptions o)
      : options(std::move(o)),
        clock(c),
        intake(p, c, ledger, metrics, std::move(in)),
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

  const AlertForm* form(std::string_view name) const {
    const auto named = [name](const AlertForm& f) { return f.name == name; };
    const auto own = std::find_if(options.forms.begin(), options.forms.end(), named);
    if (own != options.forms.end()) {
      return &*own;
    }
    const auto built_in = builtin_alert_forms();
    const auto known = std::find_if(built_in.begin(), built_in.end(), named);
    return known == built_in.end() ? nullptr : &*known;
  }
  std::string forms() const {
    std::string out;
    for (const auto& list : {std::span<const AlertForm>(options.forms), builtin_alert_forms()}) {
      for (const AlertForm& f : list) {
        out += (out.empty() ? "" : ", ") + f.name;
      }
    }
    return out;
  }
  /// What was decoded, on its way; or why it is refused.
  Result<std::unique_ptr<EventPost>> post(std::shared_ptr<Impl> self, std::unique_ptr<Arena> arena,
                                          Result<std::vector<Event>> events, std::string_view body,
                                          std::string_view source);
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

Result<std::unique_ptr<EventPost>> WebhookCollector::Impl::post(std::shared_ptr<Impl> self,
                                                                std::unique_ptr<Arena> arena,
                                                                Result<std::vector<Event>> events,
                                                                std::string_view body,
                                                                std::string_view source) {
  requests.add();
  if (!events) {
    refused.add();
    intake.refuse(source, "bad-json", body);
    return tl::unexpected(std::move(events).error());
  }
  const std::string_view from = arena->copy(source);
  for (Event& e : *events) {
    e.from = from;
  }
  auto unknown = undeclared(*events);
  return std::make_unique<Post<Impl>>(std::move(self), std::move(arena), *std::move(events),
                                      std::move(unknown));
}

Result<std::unique_ptr<EventPost>> WebhookCollector::open(std::string_view body, BodyForm form,
                                                          std::string_view source) {
  impl_->intake.tick();
  auto arena = std::make_unique<Arena>();
  auto events = decode_json_events(body, form, impl_->options, *arena);
  return impl_->post(impl_, std::move(arena), std::move(events), body, source);
}

Result<std::unique_ptr<EventPost>> WebhookCollector::open_alerts(std::string_view body,
                                                                 std::string_view form,
                                                                 std::string_view source) {
  const AlertForm* known = impl_->form(form);
  if (known == nullptr) {
    return fail(Code::NotFound, "no form of alerts is called '{}': expected one of {}",
                printable(form, 64), impl_->forms());
  }
  impl_->intake.tick();
  auto arena = std::make_unique<Arena>();
  auto events = decode_alerts(body, *known, impl_->clock.wall(), impl_->options, *arena);
  return impl_->post(impl_, std::move(arena), std::move(events), body, source);
}

}  // namespace belfry
