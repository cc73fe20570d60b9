#include "posts.hpp"

#include <algorithm>

#include "belfry/base/hash.hpp"
#include "belfry/base/json.hpp"

namespace belfry::gateway {
namespace {

// How often a post asks for its commit. A group commit lasts 1 to 5 ms: half of that is lost at
// most.
constexpr Duration kPollEvery = std::chrono::milliseconds(2);
constexpr std::size_t kKeyBytesMax = 128;

std::string answer_of(const EventPost& post) {
  JsonWriter out;
  out.object().field("events", static_cast<std::uint64_t>(post.events()));
  if (!post.unknown_types().empty()) {
    out.key("unknown_types").array();
    for (const std::string& type : post.unknown_types()) {
      out.value(type);
    }
    out.end();
  }
  return out.end().take();
}

Response good(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

BodyForm form_of(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type.find("ndjson") != std::string::npos || type.find("jsonl") != std::string::npos
             ? BodyForm::JsonLines
             : BodyForm::Json;
}

}  // namespace

Posts::Posts(const GatewayOptions& options, GatewayParts parts, Runner& runner)
    : options_(options), parts_(parts), runner_(runner) {}

void Posts::take(Request request, std::string_view form, Done done) {
  forget();
  // A key belongs to its token: two clients may use the same one.
  const std::string& sent = request.head.idempotency_key;
  if (sent.size() > kKeyBytesMax) {
    return done(problem(400, "Idempotency-Key: expected at most 128 bytes"));
  }
  const std::string key = sent.empty() ? sent : request.who.name + "/" + sent;
  const std::uint64_t hash = hash64(request.body);
  if (!key.empty() && known_key(key, hash, done)) {
    return;
  }
  if (parts_.events->refusing()) {
    return done(
        problem(503, "no events are taken now (disk nearly full, or stopping): see /readyz"));
  }
  if (under_way_.size() >= options_.posts_max) {
    return done(problem(503, "too many posts wait for their commit: try again"));
  }
  auto post = form.empty() ? parts_.events->open(request.body, form_of(request.head.content_type),
                                                 request.peer)
                           : parts_.events->open_alerts(request.body, form, request.peer);
  if (!post) {
    return done(problem(post.error()));
  }
  if (!key.empty()) {
    if (keys_.insert_or_assign(key, Known{hash, now(), false, answer_of(**post)}).second) {
      key_order_.push_back(key);
    }
  }
  Under under;
  under.post = *std::move(post);
  under.key = key;
  under.waiters.push_back({std::move(done), now() + options_.commit_timeout});
  under_way_.push_back(std::move(under));
  poll();
}

/// True when the key was seen: answered, or waiting with the first request.
bool Posts::known_key(const std::string& key, std::uint64_t body_hash, Done& done) {
  const auto known = keys_.find(key);
  if (known == keys_.end()) {
    return false;
  }
  if (known->second.body_hash != body_hash) {
    done(problem(422, "this Idempotency-Key came with another body before"));
    return true;
  }
  if (known->second.committed) {
    done(good(known->second.answer));
    return true;
  }
  for (Under& under : under_way_) {
    if (under.key == key) {
      under.waiters.push_back({std::move(done), now() + options_.commit_timeout});
      return true;
    }
  }
  return false;
}

void Posts::poll() {
  for (auto under = under_way_.begin(); under != under_way_.end();) {
    const bool committed = under->post->poll() == EventPost::State::Committed;
    const Instant at = now();
    if (committed) {
      const std::string answer = answer_of(*under->post);
      for (Waiter& waiter : under->waiters) {
        waiter.done(good(answer));
      }
      if (const auto known = keys_.find(under->key); known != keys_.end()) {
        known->second.committed = true;
      }
      under = under_way_.erase(under);
      continue;
    }
    for (Waiter& waiter : under->waiters) {
      if (waiter.until <= at) {
        waiter.done(problem(503,
                            "not durable yet, the outcome is unknown: ask again with the same "
                            "Idempotency-Key"));
        waiter.done = nullptr;
      }
    }
    std::erase_if(under->waiters, [](const Waiter& waiter) { return !waiter.done; });
    ++under;
  }
  schedule();
}

void Posts::schedule() {
  if (under_way_.empty() || scheduled_) {
    return;
  }
  scheduled_ = true;
  runner_.later(kPollEvery, [this] {
    scheduled_ = false;
    poll();
  });
}

void Posts::forget() {
  while (!key_order_.empty()) {
    const auto oldest = keys_.find(key_order_.front());
    if (oldest != keys_.end()) {
      if (key_order_.size() <= options_.idempotency_keys_max &&
          now() - oldest->second.at < options_.idempotency_age) {
        return;
      }
      keys_.erase(oldest);
    }
    key_order_.pop_front();
  }
}

}  // namespace belfry::gateway
