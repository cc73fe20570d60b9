#include "belfry/outbox/outbox.hpp"

#include <absl/synchronization/mutex.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace belfry {
namespace {

/// Remembers what became of effects; wait_for() blocks until so many are settled.
class Settler final : public EffectSettler {
 public:
  void settle(EffectId id, bool delivered, std::string reason) override {
    const absl::MutexLock lock(&mutex_);
    settled_.push_back({id, delivered, std::move(reason)});
  }
  void retry_later(EffectId id, std::uint32_t attempts, Instant) override {
    const absl::MutexLock lock(&mutex_);
    retries_.emplace_back(id, attempts);
  }
  struct Settled {
    EffectId id;
    bool delivered;
    std::string reason;
  };
  std::vector<Settled> wait_for(std::size_t n) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, n] { return settled_.size() >= n; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30)));
    return settled_;
  }
  std::size_t retries() {
    const absl::MutexLock lock(&mutex_);
    return retries_.size();
  }

 private:
  absl::Mutex mutex_;
  std::vector<Settled> settled_;
  std::vector<std::pair<EffectId, std::uint32_t>> retries_;
};

/// Answers from a script, then delivers; writes down the order.
class ScriptedChannel final : public Channel {
 public:
  explicit ScriptedChannel(std::vector<Delivery> script, std::vector<std::uint64_t>& order)
      : script_(std::move(script)), order_(order) {}
  Delivery deliver(const Effect& effect, Instant) override {
    if (next_ < script_.size()) {
      return script_[next_++];
    }
    order_.push_back(effect.id.value);
    return {Delivery::Outcome::Delivered, {}, {}};
  }

 private:
  std::vector<Delivery> script_;
  std::vector<std::uint64_t>& order_;
  std::size_t next_ = 0;
};

Effect effect(std::uint64_t id, std::uint64_t incident, EffectKind kind = EffectKind::Notify) {
  Effect e;
  e.id = {id};
  e.incident = {incident};
  e.kind = kind;
  e.target = "mail";
  e.address = "desk@isp.example";
  return e;
}

ChannelOptions quick() {
  ChannelOptions o;
  o.name = "mail";
  o.retry.first = 1ms;
  o.retry.max = 60ms;
  return o;
}

class OutboxTest : public testing::Test {
 protected:
  void open(std::vector<Delivery> script) {
    outbox_.add_channel(quick(), std::make_unique<ScriptedChannel>(std::move(script), order_));
    outbox_.start();
  }
  SystemClock clock_;
  Metrics metrics_;
  Settler settler_;
  std::vector<std::uint64_t> order_;
  Outbox outbox_{settler_, clock_, metrics_, 7};
};

TEST_F(OutboxTest, AFailureIsTriedAgainAndKeepsTheOrderOfItsIncident) {
  open({{Delivery::Outcome::Later, "busy", {}}, {Delivery::Outcome::Later, "busy", {}}});
  Effect first = effect(1, 100);
  first.at = clock_.wall();
  Effect second = effect(2, 100);
  second.at = first.at;
  outbox_.add({first, second});
  const auto settled = settler_.wait_for(2);
  outbox_.stop();
  EXPECT_EQ(order_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(settler_.retries(), 2U);
  EXPECT_TRUE(settled[0].delivered && settled[1].delivered);
}

TEST_F(OutboxTest, WhatIsRefusedForGoodIsSettledAsFailedAndTheNextGoesOn) {
  open({{Delivery::Outcome::Never, "no such mailbox", {}}});
  outbox_.add({effect(1, 100), effect(2, 100)});
  const auto settled = settler_.wait_for(2);
  EXPECT_FALSE(settled[0].delivered);
  EXPECT_EQ(settled[0].reason, "no such mailbox");
  EXPECT_TRUE(settled[1].delivered);
}

TEST_F(OutboxTest, APageIsGivenUpAfterSoManyTriesSoThatTheNextStepCanFire) {
  open(std::vector<Delivery>(100, {Delivery::Outcome::Later, "down", {}}));
  Effect page = effect(1, 100, EffectKind::Page);
  page.at = clock_.wall();
  outbox_.add({page});
  const auto settled = settler_.wait_for(1);
  EXPECT_FALSE(settled[0].delivered);
  EXPECT_EQ(settler_.retries(), quick().retry.page_attempts_max - 1);
}

TEST_F(OutboxTest, AnUnknownChannelIsAnAnswerNotASilence) {
  open({});
  Effect lost = effect(1, 100);
  lost.target = "pigeon";
  outbox_.add({lost});
  EXPECT_FALSE(settler_.wait_for(1)[0].delivered);
}

TEST_F(OutboxTest, AnEffectThatIsHandedOverTwiceIsSentOnce) {
  open({});
  outbox_.restore(effect(1, 100), 0, clock_.wall() + 30ms);
  outbox_.add({effect(1, 100), effect(2, 200)});
  settler_.wait_for(2);
  outbox_.stop();
  EXPECT_EQ(order_.size(), 2U);
}

TEST(BackOff, DoublesWithFullJitterUpToItsCeiling) {
  const RetryPolicy policy;
  EXPECT_EQ(back_off(1, policy, 0), 50ms);
  EXPECT_LE(back_off(1, policy, UINT64_MAX), 1s);
  EXPECT_GT(back_off(5, policy, UINT64_MAX), 15s);
  EXPECT_LE(back_off(5, policy, UINT64_MAX), 16s);
  EXPECT_LE(back_off(4'000'000'000U, policy, UINT64_MAX), policy.max);
}

TEST(Webhook, SignsAsStandardWebhooksSays) {
  const auto secret = parse_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(secret);
  // The vector of the Standard Webhooks specification.
  EXPECT_EQ(
      sign_webhook(*secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_FALSE(parse_webhook_secret("whsec_c2hvcnQ="));
  EXPECT_FALSE(parse_webhook_secret("whsec_not base64!"));
}

TEST(Webhook, PrivateAddressesAreNotCalledWhateverTheyAreWrittenAs) {
  ChannelOptions options;
  options.name = "hook";
  options.kind = ChannelKind::Webhook;
  setenv("http_proxy", "http://192.0.2.1:9", 1);  // would hide the address from the guard
  const auto channel = make_channel(options);
  ASSERT_TRUE(channel);
  for (const char* host :
       {"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "192.168.0.1", "169.254.169.254",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00::1]", "0.0.0.0", "0x7f000001"}) {
    Effect e = effect(1, 1);
    e.address = std::string("http://") + host + ":9/hook";
    const Delivery delivery = (*channel)->deliver(e, Instant{0});
    EXPECT_EQ(delivery.outcome, Delivery::Outcome::Never) << host << ": " << delivery.reason;
    EXPECT_NE(delivery.reason.find("private"), std::string::npos) << host;
  }
  unsetenv("http_proxy");
}

TEST(Mail, NothingInAnEffectCanAddAHeader) {
  Effect e = effect(0x1234, 5);
  e.ticket = {7};
  e.subject = "down\r\nBcc: everyone@isp.example";
  e.body = "line one\n.\nline \x1b[31mthree";
  const std::string text = mail_text(e, "belfry@isp.example", "desk@isp.example");
  EXPECT_EQ(text.find("\r\nBcc:"), std::string::npos);
  EXPECT_NE(text.find("Message-ID: <0000000000001234@isp.example>\r\n"), std::string::npos);
  EXPECT_NE(text.find("References: <ticket-7@isp.example>\r\n"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\r\n\r\nline one\r\n.\r\n"), std::string::npos);
}

TEST(Mail, ASubjectInUtf8IsSplitIntoWordsBetweenCharacters) {
  Effect e = effect(1, 1);
  e.subject = std::string("caf\xC3\xA9 ") + std::string(60, 'x') + "\xE2\x80\x94 fin";
  const std::string text = mail_text(e, "belfry@isp.example", "desk@isp.example");
  EXPECT_NE(text.find("Subject: =?UTF-8?B?Y2Fmw6kg"), std::string::npos);
  for (std::size_t at = 0, end = 0; (end = text.find("\r\n", at)) != std::string::npos;
       at = end + 2) {
    EXPECT_LE(end - at, 120U);
  }
}

}  // namespace
}  // namespace belfry
