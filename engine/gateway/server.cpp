// The sockets: accepts, reads heads and bodies, streams the feed. All coroutines run on the edge
// thread; each owns what it uses.
#include "belfry/gateway/gateway.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <thread>
#include <unordered_set>

#include "api.hpp"
#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"
#include "belfry/runtime/log.hpp"
#include "feed.hpp"

namespace belfry {
namespace gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::use_awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Token = asio::redirect_error_t<asio::use_awaitable_t<>>;

Token into(error_code& error) { return asio::redirect_error(use_awaitable, error); }

constexpr std::size_t kDrainBytesMax = 256 * 1024;
constexpr Duration kDrainTimeout = std::chrono::seconds(2);
constexpr Duration kHandshakeTimeout = std::chrono::seconds(10);
constexpr Duration kStopGrace = std::chrono::seconds(2);
// New rules wait until every collector has shown their marker: an idle one must not hold them up.
constexpr Duration kTickEvery = std::chrono::milliseconds(20);
constexpr Duration kWakeEvery = std::chrono::milliseconds(2);  // commits within it are one wake

struct Counters {
  Counter &connections, &connections_refused, &requests, &denied, &feeds_opened, &changes_sent;
  Gauge &open, &feeds;
  explicit Counters(Metrics& m)
      : connections(m.counter("belfry_api_connections_total", "Connections taken")),
        connections_refused(m.counter("belfry_api_connections_refused_total",
                                      "Connections closed because too many were open")),
        requests(m.counter("belfry_api_requests_total", "Requests answered")),
        denied(
            m.counter("belfry_api_denied_total", "Requests without a good token, Host or Origin")),
        feeds_opened(m.counter("belfry_feed_subscribers_total", "Feeds opened")),
        changes_sent(m.counter("belfry_feed_frames_total", "Frames written to subscribers")),
        open(m.gauge("belfry_api_connections", "Connections open")),
        feeds(m.gauge("belfry_feed_subscribers", "Feeds open")) {}
};

/// The edge thread's and helpers' side of Runner. Outlives Core's callbacks by shared ownership.
class AsioRunner final : public Runner {
 public:
  AsioRunner(asio::io_context& io, asio::thread_pool& helpers, std::size_t waiting_max)
      : io_(io), helpers_(helpers), waiting_max_(waiting_max) {}
  bool help(std::function<void()> work) override {
    if (waiting_.fetch_add(1) >= waiting_max_) {
      waiting_.fetch_sub(1);
      return false;
    }
    asio::post(helpers_, [this, work = std::move(work)] {
      work();
      waiting_.fetch_sub(1);
    });
    return true;
  }
  std::weak_ptr<Runner> weak() override { return std::shared_ptr<Runner>(owner_.lock(), this); }
  void owned_by(std::weak_ptr<void> owner) { owner_ = std::move(owner); }
  void edge(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void later(Duration delay, std::function<void()> work) override {
    if (stopped_) {
      return;
    }
    // Shared with its own handler, which lets go when the time has come.
    auto timer = std::make_shared<asio::steady_timer>(io_, delay);
    timers_.insert(timer);
    timer->async_wait([this, timer, work = std::move(work)](error_code) {
      timers_.erase(timer);
      if (!stopped_) {
        work();
      }
    });
  }
  /// Nothing waits any more, nothing will.
  void stop() {
    stopped_ = true;
    for (const auto& timer : timers_) {
      timer->cancel();
    }
  }

 private:
  asio::io_context& io_;
  asio::thread_pool& helpers_;
  std::size_t waiting_max_;
  std::weak_ptr<void> owner_;  ///< Core, of which this is a part
  std::atomic<std::size_t> waiting_{0};
  bool stopped_ = false;
  std::unordered_set<std::shared_ptr<asio::steady_timer>> timers_;
};

/// One connection, as far as stopping the server has to know it.
struct AnySession {
  bool idle = false;  ///< between two requests
  virtual ~AnySession() = default;
  virtual void close() = 0;
};

}  // namespace

/// All that sessions share. Kept alive by Gateway::Impl and by every session.
class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(GatewayOptions o, GatewayParts p, std::unique_ptr<TokenStore> t)
      : options(std::move(o)),
        parts(p),
        tokens(std::move(t)),
        helpers(2),
        runner(io, helpers, options.helper_queue_max),
        api(options, parts, *tokens, runner),
        count(*parts.metrics) {}

  GatewayOptions options;
  GatewayParts parts;
  std::unique_ptr<TokenStore> tokens;
  asio::io_context io{1};
  asio::thread_pool helpers;
  AsioRunner runner;
  Api api;
  Counters count;
  std::optional<asio::ssl::context> tls;
  tcp::acceptor acceptor{io};
  std::unique_ptr<FeedHub> hub;
  std::size_t feeds = 0;
  bool stopping = false;
  std::unordered_set<AnySession*> sessions;  ///< each takes itself out when it ends
  std::unordered_set<asio::steady_timer*> waiting_feeds, waiting_answers;  ///< the same
  asio::steady_timer grace{io};
  std::atomic<bool> wake_posted{false};

  /// From any thread, after a commit: many commits become one refresh.
  void wake() {
    if (!wake_posted.exchange(true)) {
      asio::post(io, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->runner.later(kWakeEvery, [core = self.get()] { core->refresh(); });
        }
      });
    }
  }
  void refresh() {
    wake_posted.store(false);
    hub->refresh();
    cancel(waiting_feeds);
  }
  void tick() {
    parts.events->tick();
    runner.later(kTickEvery, [this] { tick(); });
  }
  /// Edge thread: no new connection, idle ones end, the others may finish what they do.
  void stop() {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    cancel(waiting_feeds);
    for (AnySession* session : sessions) {
      if (session->idle) {
        session->close();
      }
    }
    grace.expires_after(kStopGrace);
    grace.async_wait([this](error_code) { finish(); });
    session_ended();
  }
  void session_ended() {
    if (stopping && sessions.empty()) {
      grace.cancel();  // whose handler finishes
    }
  }

 private:
  static void cancel(const std::unordered_set<asio::steady_timer*>& timers) {
    for (asio::steady_timer* timer : timers) {
      timer->cancel();
    }
  }
  /// After it nothing keeps the edge thread: run() returns.
  void finish() {
    if (parts.events != nullptr) {
      parts.events->finish();
    }
    runner.stop();
    cancel(waiting_answers);
    for (AnySession* session : sessions) {
      session->close();
    }
  }
};

namespace {

using CorePtr = std::shared_ptr<Core>;

beast::tcp_stream& lowest(beast::tcp_stream& stream) { return stream; }
beast::tcp_stream& lowest(beast::ssl_stream<beast::tcp_stream>& stream) {
  return stream.next_layer();
}

template <class Stream>
struct Session final : AnySession {
  CorePtr core;
  Stream stream;
  std::string peer, local;
  beast::flat_buffer buffer;
  static constexpr bool kSecure = !std::is_same_v<Stream, beast::tcp_stream>;

  template <class... A>
  explicit Session(CorePtr c, A&&... stream_arguments)
      : core(std::move(c)),
        stream(std::forward<A>(stream_arguments)...),
        buffer(core->options.header_bytes_max + core->options.body_bytes_max) {
    core->sessions.insert(this);
    core->count.open.set(static_cast<double>(core->sessions.size()));
  }
  ~Session() override {
    core->sessions.erase(this);
    core->count.open.set(static_cast<double>(core->sessions.size()));
    core->session_ended();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  void close() override {
    error_code ignored;
    lowest(stream).socket().close(ignored);
  }
  void deadline(Duration d) { lowest(stream).expires_after(d); }
};
/// Shared by the coroutines of one connection; the outermost lets go last.
template <class Stream>
using SessionPtr = std::shared_ptr<Session<Stream>>;

/// A value that one side sets on the edge thread and a coroutine waits for. It may outlive the
/// server in a callback of the backend: nothing in it belongs to Asio, the timer is the
/// coroutine's.
template <class T>
class Answer {
 public:
  void set(T value) {
    value_.emplace(std::move(value));
    if (waiting_ != nullptr) {
      waiting_->cancel();
    }
  }
  /// nullopt: the server stops.
  static awaitable<std::optional<T>> wait(std::shared_ptr<Answer> self, CorePtr core) {
    if (!self->value_) {
      asio::steady_timer timer(core->io, asio::steady_timer::time_point::max());
      self->waiting_ = &timer;
      core->waiting_answers.insert(&timer);
      error_code error;
      co_await timer.async_wait(into(error));
      core->waiting_answers.erase(&timer);
      self->waiting_ = nullptr;
    }
    co_return std::move(self->value_);
  }

 private:
  asio::steady_timer* waiting_ = nullptr;
  std::optional<T> value_;
};

std::string address_text(asio::ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

std::string field(const http::fields& fields, http::field name) {
  const auto at = fields.find(name);
  return at == fields.end() ? std::string() : std::string(at->value().data(), at->value().size());
}
std::string field(const http::fields& fields, beast::string_view name) {
  const auto at = fields.find(name);
  return at == fields.end() ? std::string() : std::string(at->value().data(), at->value().size());
}

using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;
using Parser = http::request_parser<http::string_body>;

RequestHead head_of(const HttpRequest& message, bool body, bool secure, std::string local) {
  RequestHead head;
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  head.host = field(message, http::field::host);
  head.origin = field(message, http::field::origin);
  head.fetch_site = field(message, "Sec-Fetch-Site");
  head.authorization = field(message, http::field::authorization);
  head.content_type = field(message, http::field::content_type);
  head.idempotency_key = field(message, "Idempotency-Key");
  head.last_event_id = field(message, "Last-Event-ID");
  head.has_body = body;
  head.secure = secure;
  head.local_address = std::move(local);
  return head;
}

void common_headers(http::fields& fields) {
  fields.set(http::field::server, "belfry");
  fields.set(http::field::cache_control, "no-store");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

HttpResponse to_http(Response response, unsigned version, bool keep_alive) {
  HttpResponse out(static_cast<http::status>(response.status), version);
  common_headers(out);
  out.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) {
    out.set(name, value);
  }
  out.body() = std::move(response.body);
  out.keep_alive(keep_alive);
  out.prepare_payload();
  return out;
}

void end_session(const std::exception_ptr& failure) {
  try {
    if (failure) {
      std::rethrow_exception(failure);
    }
  } catch (const std::exception& e) {
    log::warn("gateway", "a connection ended: {}", printable(e.what(), 200));
  }
}

template <class Stream>
awaitable<bool> write(SessionPtr<Stream> s, HttpResponse response) {
  error_code error;
  const bool keep = response.keep_alive();
  s->deadline(s->core->options.write_timeout);
  co_await http::async_write(s->stream, response, into(error));
  s->core->count.requests.add();
  co_return !error && keep;
}

/// Reads on for a moment after a refusal, so that the answer is not lost to a reset.
template <class Stream>
awaitable<void> drain(SessionPtr<Stream> s) {
  error_code error;
  lowest(s->stream).socket().shutdown(tcp::socket::shutdown_send, error);
  s->deadline(kDrainTimeout);
  std::array<char, 4096> sink{};
  const auto buffer = asio::buffer(sink);
  for (std::size_t got = 0; got < kDrainBytesMax && !error;) {
    got += co_await lowest(s->stream).async_read_some(buffer, into(error));
  }
}

/// Counts a feed for as long as it lives and lets refresh() wake it.
class FeedGuard {
 public:
  FeedGuard(CorePtr core, asio::steady_timer& timer) : core_(std::move(core)), timer_(timer) {
    core_->waiting_feeds.insert(&timer_);
    core_->count.feeds.set(static_cast<double>(++core_->feeds));
    core_->count.feeds_opened.add();
  }
  ~FeedGuard() {
    core_->waiting_feeds.erase(&timer_);
    core_->count.feeds.set(static_cast<double>(--core_->feeds));
  }
  FeedGuard(const FeedGuard&) = delete;
  FeedGuard& operator=(const FeedGuard&) = delete;

 private:
  CorePtr core_;
  asio::steady_timer& timer_;
};

template <class Stream>
awaitable<bool> write_frames(SessionPtr<Stream> s, std::vector<Frame> frames) {
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(frames.size());
  for (const Frame& frame : frames) {
    buffers.emplace_back(asio::buffer(*frame));
  }
  error_code error;
  s->deadline(s->core->options.write_timeout);
  co_await asio::async_write(s->stream, buffers, into(error));
  s->core->count.changes_sent.add(frames.size());
  co_return !error;
}

using FeedItems = Result<std::vector<FeedItem>>;

/// A helper reads a page of the store and hands it to `answer` on the edge thread; false: all
/// helpers are busy.
bool ask_store(const CorePtr& core, const std::shared_ptr<Answer<FeedItems>>& answer,
               ChangeNumber after) {
  return core->runner.help([core, answer, after] {
    auto items = core->parts.backend->changes_in_store(after, FeedReader::kPage);
    core->runner.edge([answer, items = std::move(items)] { answer->set(items); });
  });
}

awaitable<FeedStep> from_store(CorePtr core, std::shared_ptr<FeedReader> reader) {
  const auto answer = std::make_shared<Answer<FeedItems>>();
  if (!ask_store(core, answer, reader->page_after())) {  // a moment later, never a gap
    asio::steady_timer pause(core->io, std::chrono::milliseconds(50));
    error_code error;
    co_await pause.async_wait(into(error));
    co_return FeedStep{};
  }
  const std::optional<FeedItems> items = co_await Answer<FeedItems>::wait(answer, core);
  co_return items ? reader->stored(*items) : FeedStep{};
}

/// The response's head, then frames until the client or the server leaves.
template <class Stream>
awaitable<void> feed(SessionPtr<Stream> s, Request request, std::optional<FeedCursor> cursor) {
  const CorePtr core = s->core;
  http::response<http::empty_body> head(http::status::ok, 11);
  common_headers(head);
  head.set(http::field::content_type, "text/event-stream");
  head.set(http::field::connection, "close");
  head.set("X-Accel-Buffering", "no");
  error_code error;
  http::response_serializer<http::empty_body> serializer(head);
  s->deadline(core->options.write_timeout);
  co_await http::async_write_header(s->stream, serializer, into(error));
  core->count.requests.add();

  asio::steady_timer timer(core->io);
  const FeedGuard guard(core, timer);
  const auto reader = std::make_shared<FeedReader>(*core->hub, std::move(cursor));
  static const Frame kBeat = std::make_shared<const std::string>(": beat\n\n");
  while (!error && !core->stopping) {
    FeedStep step = reader->step();
    if (step.kind == FeedStep::Kind::Store) {
      step = co_await from_store(core, reader);
      if (step.kind != FeedStep::Kind::Send) {
        continue;
      }
    }
    if (step.kind == FeedStep::Kind::Wait) {
      timer.expires_after(core->options.heartbeat);
      error_code woken;
      co_await timer.async_wait(into(woken));
      if (woken) {  // a commit
        continue;
      }
      if (!core->tokens->valid(request.who.name)) {
        break;  // the token was removed meanwhile
      }
      step.frames.push_back(kBeat);
    }
    const bool written = co_await write_frames(s, std::move(step.frames));
    if (!written) {
      break;
    }
  }
}

/// Last-Event-ID wins over ?after=: it is what a browser sends when it comes back.
Result<std::optional<FeedCursor>> cursor_of(const Request& request) {
  std::string text = request.head.last_event_id;
  if (const auto after = request.query.find("after");
      text.empty() && after != request.query.end()) {
    text = after->second;
  }
  if (text.empty()) {
    return std::optional<FeedCursor>();
  }
  BELFRY_TRY(FeedCursor cursor, parse_cursor(text));
  return std::optional(std::move(cursor));
}

/// True: the connection may serve another request.
template <class Stream>
awaitable<bool> serve_one(SessionPtr<Stream> s, std::shared_ptr<Parser> parser, Request request,
                          Api::Admitted admitted) {
  const CorePtr core = s->core;
  const HttpRequest& message = parser->get();
  const unsigned version = message.version();
  const bool keep = message.keep_alive() && !core->stopping;
  if (admitted.route == nullptr) {
    HttpResponse response = to_http(std::move(admitted.refusal), version, keep);
    co_return co_await write(s, std::move(response));
  }
  if (admitted.route->kind == RouteKind::Feed) {
    auto cursor = cursor_of(request);
    const bool full = core->feeds >= core->options.feeds_max;
    if (!cursor || full) {
      HttpResponse response = to_http(
          full ? problem(503, "too many feeds are open") : problem(cursor.error()), version, keep);
      co_return co_await write(s, std::move(response));
    }
    co_await feed(s, std::move(request), *std::move(cursor));
    co_return false;
  }
  request.body = std::move(parser->get().body());
  const auto answer = std::make_shared<Answer<Response>>();
  core->api.handle(*admitted.route, std::move(request),
                   [answer](Response response) { answer->set(std::move(response)); });
  std::optional<Response> plain = co_await Answer<Response>::wait(answer, core);
  if (!plain) {
    plain = problem(503, "the server stops");
  }
  HttpResponse response = to_http(*std::move(plain), version, keep && !core->stopping);
  co_return co_await write(s, std::move(response));
}

/// A head that cannot be read gets an answer where the client can still read one.
template <class Stream>
awaitable<void> refuse_head(SessionPtr<Stream> s, error_code error) {
  int status = 0;
  if (error == http::error::header_limit) {
    status = 431;
  } else if (error == http::error::body_limit) {
    status = 413;
  } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
    status = 400;
  }
  if (status == 0) {
    co_return;
  }
  const std::string detail =
      status == 413
          ? fmt::format("the body is larger than {} bytes", s->core->options.body_bytes_max)
      : status == 431
          ? fmt::format("the header is larger than {} bytes", s->core->options.header_bytes_max)
          : fmt::format("this is no HTTP request: {}", error.message());
  HttpResponse response = to_http(problem(status, detail), 11, false);
  static_cast<void>(co_await write(s, std::move(response)));
  co_await drain(s);
}

/// Reads the body. False: the connection is of no use any more.
template <class Stream>
awaitable<bool> read_body(SessionPtr<Stream> s, std::shared_ptr<Parser> parser) {
  error_code error;
  if (beast::iequals(field(parser->get(), http::field::expect), "100-continue")) {
    HttpResponse go_on(http::status::continue_, 11);
    co_await http::async_write(s->stream, go_on, into(error));
  }
  s->deadline(s->core->options.body_timeout);
  co_await http::async_read(s->stream, s->buffer, *parser, into(error));
  if (error) {
    co_await refuse_head(s, error);
  }
  co_return !error;
}

template <class Stream>
awaitable<void> requests(SessionPtr<Stream> s) {
  const CorePtr core = s->core;
  for (bool first = true; !core->stopping; first = false) {
    const auto parser = std::make_shared<Parser>();
    parser->header_limit(static_cast<std::uint32_t>(core->options.header_bytes_max));
    parser->body_limit(core->options.body_bytes_max);
    s->deadline(first ? core->options.header_timeout : core->options.idle_timeout);
    error_code error;
    s->idle = true;
    co_await http::async_read_header(s->stream, s->buffer, *parser, into(error));
    s->idle = false;
    if (error) {
      co_await refuse_head(s, error);
      break;
    }
    Request request;
    request.peer = s->peer;
    request.head = head_of(parser->get(), !parser->is_done(), Session<Stream>::kSecure, s->local);
    Api::Admitted admitted = core->api.admit(request);
    if (admitted.route == nullptr) {
      core->count.denied.add();
    }
    if (admitted.route == nullptr && !parser->is_done()) {
      // A stranger's body is not read.
      HttpResponse response = to_http(std::move(admitted.refusal), parser->get().version(), false);
      static_cast<void>(co_await write(s, std::move(response)));
      co_await drain(s);
      break;
    }
    if (!parser->is_done()) {
      const bool read = co_await read_body(s, parser);
      if (!read) {
        break;
      }
    }
    const bool again = co_await serve_one(s, parser, std::move(request), std::move(admitted));
    if (!again) {
      break;
    }
  }
}

awaitable<void> serve(SessionPtr<beast::tcp_stream> s) {
  co_await requests(s);
  error_code ignored;
  s->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

awaitable<void> serve(SessionPtr<beast::ssl_stream<beast::tcp_stream>> s) {
  error_code error;
  s->deadline(kHandshakeTimeout);
  co_await s->stream.async_handshake(asio::ssl::stream_base::server, into(error));
  if (error) {
    co_return;
  }
  co_await requests(s);
  s->deadline(kDrainTimeout);
  co_await s->stream.async_shutdown(into(error));
}

template <class Stream>
void begin(SessionPtr<Stream> s, const tcp::endpoint& remote, const tcp::endpoint& local) {
  s->peer = address_text(remote.address());
  s->local = address_text(local.address());
  const CorePtr core = s->core;
  asio::co_spawn(core->io, serve(std::move(s)), end_session);
}

awaitable<void> accept(CorePtr core) {
  while (!core->stopping) {
    error_code error;
    tcp::socket socket = co_await core->acceptor.async_accept(into(error));
    if (error) {
      if (core->stopping || error == asio::error::operation_aborted) {
        break;
      }
      // Out of file descriptors, most likely: others must end first.
      asio::steady_timer pause(core->io, std::chrono::milliseconds(100));
      co_await pause.async_wait(into(error));
      continue;
    }
    if (core->sessions.size() >= core->options.connections_max) {
      core->count.connections_refused.add();
      continue;
    }
    core->count.connections.add();
    error_code gone;
    socket.set_option(tcp::no_delay(true), gone);
    const auto remote = socket.remote_endpoint(gone);
    const auto local = gone ? remote : socket.local_endpoint(gone);
    if (gone) {
      continue;
    }
    if (core->tls) {
      begin(std::make_shared<Session<beast::ssl_stream<beast::tcp_stream>>>(core, std::move(socket),
                                                                            *core->tls),
            remote, local);
    } else {
      begin(std::make_shared<Session<beast::tcp_stream>>(core, std::move(socket)), remote, local);
    }
  }
}

Result<asio::ssl::context> make_tls(const GatewayOptions& options) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  error_code error;
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_compression |
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE,
                  error);
  tls.use_certificate_chain_file(options.tls_certificate, error);
  if (error) {
    return fail(Code::Invalid, "{}: expected a certificate in PEM: {}", options.tls_certificate,
                error.message());
  }
  tls.use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error) {
    return fail(Code::Invalid, "{}: expected the certificate's key in PEM: {}", options.tls_key,
                error.message());
  }
  return tls;
}

Result<void> listen(Core& core) {
  const GatewayOptions& o = core.options;
  error_code error;
  const auto address = asio::ip::make_address(o.address, error);
  if (error) {
    return fail(Code::Invalid, "api: '{}' is no address to listen on: expected an IP address",
                printable(o.address, 80));
  }
  if (o.tls_certificate.empty() != o.tls_key.empty()) {
    return fail(Code::Invalid, "api: expected both tls_certificate and tls_key, or neither");
  }
  if (!address.is_loopback() && o.tls_certificate.empty()) {
    return fail(Code::Invalid,
                "api: {} is not loopback: set tls_certificate and tls_key to listen there",
                o.address);
  }
  if (!o.tls_certificate.empty()) {
    BELFRY_TRY(core.tls, make_tls(o));
  }
  const tcp::endpoint at(address, o.port);
  core.acceptor.open(at.protocol(), error);
  if (!error) {
    core.acceptor.set_option(asio::socket_base::reuse_address(true), error);
    core.acceptor.bind(at, error);
  }
  if (!error) {
    core.acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return fail(Code::Unavailable, "api: cannot listen on {}:{}: {}", o.address, o.port,
                error == asio::error::address_in_use ? "the port is in use" : error.message());
  }
  return {};
}

}  // namespace
}  // namespace gateway

struct Gateway::Impl {
  GatewayOptions options;
  GatewayParts parts;
  std::shared_ptr<gateway::Core> core;  ///< shared with sessions; the edge thread lets go last
  std::thread edge;
  std::uint16_t port = 0;
  std::string admin_path;
  bool first_start = false;
};

Gateway::Gateway(GatewayOptions options, GatewayParts parts) : impl_(std::make_unique<Impl>()) {
  BELFRY_CHECK(parts.backend != nullptr && parts.metrics != nullptr && parts.ledger != nullptr &&
               parts.clock != nullptr);
  impl_->options = std::move(options);
  impl_->parts = parts;
}

Gateway::~Gateway() { stop(); }

Result<void> Gateway::start() {
  Impl& g = *impl_;
  BELFRY_TRY(auto tokens, TokenStore::open(g.options.data_dir, g.parts.clock->wall()));
  g.admin_path = tokens->admin_path();
  g.first_start = tokens->first_start();
  auto core = std::make_shared<gateway::Core>(g.options, g.parts, std::move(tokens));
  core->runner.owned_by(core);
  BELFRY_CHECK_OK(gateway::listen(*core));
  g.port = core->acceptor.local_endpoint().port();
  core->hub = std::make_unique<gateway::FeedHub>(*g.parts.backend);
  g.parts.backend->on_change([weak = std::weak_ptr(core)] {
    if (const auto alive = weak.lock()) {
      alive->wake();
    }
  });
  if (g.parts.events != nullptr) {
    core->runner.later({}, [core = core.get()] { core->tick(); });
  }
  boost::asio::co_spawn(core->io, gateway::accept(core), gateway::end_session);
  g.core = core;
  g.edge = std::thread([core] { core->io.run(); });
  return {};
}

void Gateway::stop() {
  Impl& g = *impl_;
  if (!g.core) {
    return;
  }
  const auto core = std::move(g.core);
  boost::asio::post(core->io, [core] { core->stop(); });
  g.edge.join();
  core->helpers.join();
}

std::uint16_t Gateway::port() const { return impl_->port; }
std::string Gateway::url() const {
  const std::string& address = impl_->options.address;
  return fmt::format("{}://{}:{}", impl_->options.tls_certificate.empty() ? "http" : "https",
                     address.find(':') == std::string::npos ? address : "[" + address + "]",
                     impl_->port);
}
std::string Gateway::admin_token_path() const { return impl_->admin_path; }
bool Gateway::first_start() const { return impl_->first_start; }

}  // namespace belfry
