#include "ways_out.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <random>

#include "belfry/base/text.hpp"
#include "belfry/outbox/outbox.hpp"
#include "belfry/runtime/log.hpp"

namespace belfry {
namespace {

Result<ChannelOptions> options_of(const ChannelConfig& c) {
  ChannelOptions o;
  o.name = c.name;
  o.kind = c.kind == "smtp"      ? ChannelKind::Smtp
           : c.kind == "webhook" ? ChannelKind::Webhook
                                 : ChannelKind::Log;
  o.host = c.host;
  o.port = c.port;
  o.from = c.from;
  o.user = c.user;
  o.starttls = c.starttls;
  o.url = c.url;
  o.allow_private = c.allow_private;
  if (!c.password_file.empty()) {
    BELFRY_TRY(o.password, read_secret(c.password_file));
  }
  if (!c.secret_file.empty()) {
    BELFRY_TRY(const std::string text, read_secret(c.secret_file));
    auto secret = parse_webhook_secret(text);
    if (!secret) {
      return fail(Code::Invalid, "{}: {}", c.secret_file, secret.error());
    }
    o.secret = *std::move(secret);
  }
  return o;
}

/// What became of an effect, as an input of the pipeline.
class PipelineSettler final : public EffectSettler {
 public:
  explicit PipelineSettler(Pipeline& pipeline) : pipeline_(pipeline) {}
  void settle(EffectId id, bool delivered, std::string reason) override {
    pipeline_.settle(id, delivered, std::move(reason));
  }
  void retry_later(EffectId id, std::uint32_t attempts, Instant next_attempt) override {
    pipeline_.retry_later(id, attempts, next_attempt);
  }

 private:
  Pipeline& pipeline_;
};

}  // namespace

Result<std::string> read_secret(const std::string& path, std::size_t bytes_max) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return fail(Code::NotFound, "{}: cannot be read: expected a file with the secret", path);
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Code::Invalid, "{}: others may read it: expected mode 0600 (chmod 600 {})", path,
                path);
  }
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in || text.empty() || text.size() > bytes_max) {
    return fail(Code::Invalid, "{}: expected 1 to {} bytes", path, bytes_max);
  }
  return std::string(trim(text));
}

struct WaysOut::Impl {
  Impl(Pipeline& p, Clock& clock, Metrics& metrics)
      : pipeline(p), settler(p), outbox(settler, clock, metrics, std::random_device{}()) {}
  Pipeline& pipeline;
  PipelineSettler settler;
  Outbox outbox;
};

WaysOut::WaysOut(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WaysOut::~WaysOut() = default;

Result<std::unique_ptr<WaysOut>> WaysOut::make(const Config& config, Pipeline& pipeline,
                                               Clock& clock, Metrics& metrics) {
  auto impl = std::make_unique<Impl>(pipeline, clock, metrics);
  for (const ChannelConfig& channel : config.channels) {
    BELFRY_TRY(const ChannelOptions options, options_of(channel));
    BELFRY_TRY(std::unique_ptr<Channel> way, make_channel(options));
    impl->outbox.add_channel(options, std::move(way));
  }
  return std::unique_ptr<WaysOut>(new WaysOut(std::move(impl)));
}

void WaysOut::start() {
  // The sink first, then what is pending: an effect in both is taken once.
  impl_->pipeline.on_effects(
      [this](std::vector<Effect> effects) { impl_->outbox.add(std::move(effects)); });
  std::size_t pending = 0;
  for (Pipeline::Pending& p : impl_->pipeline.pending_effects()) {
    impl_->outbox.restore(std::move(p.effect), p.attempts, p.next_attempt);
    ++pending;
  }
  if (pending > 0) {
    log::info("outbox", "{} effects were pending and are taken up", pending);
  }
  impl_->outbox.start();
}

void WaysOut::stop() { impl_->outbox.stop(); }

}  // namespace belfry
