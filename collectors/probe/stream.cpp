// Checks over a connection: TCP, TLS, HTTP(S), SMTP. Connect, TLS where asked, then the dialogue.
#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "attempt.hpp"
#include "dialogue.hpp"
#include "tls.hpp"

namespace belfry::probe {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr double kSecond = 1e9;
// Reads of one wake-up (4 KiB each), so that a peer that never stops holds up nobody.
constexpr int kReadsMax = 32;
using Kind = Finding::Kind;

class StreamAttempt final : public Attempt {
 public:
  StreamAttempt(const ProbeTarget& target, const SocketAddress& address, Shared& shared)
      : target_(target),
        spec_(spec_of(target_)),
        address_(address),
        shared_(shared),
        dialogue_(make_dialogue(target_)) {}
  ~StreamAttempt() override {
    ssl_.reset();
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  std::optional<Finding> start(Watch& watch, std::int64_t now_ns) override {
    started_ = now_ns;
    fd_ = open_socket(address_, SOCK_STREAM, spec_);
    if (fd_ < 0) {
      return Finding::of(Kind::Later, "no socket: " + error_text(errno));
    }
    if (::connect(fd_, address_.get(), address_.size()) != 0 && errno != EINPROGRESS) {
      return failed(error_text(errno));
    }
    watch.watch(fd_, EPOLLOUT);
    return std::nullopt;
  }

  std::optional<Finding> ready(Watch& watch, std::int64_t now_ns) override {
    if (step_ == Step::Connecting) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        return failed(error_text(error));
      }
      connected_ = now_ns;
      const bool tls_first =
          target_.check == ProbeCheck::Tls || (spec_.tls && target_.check != ProbeCheck::Smtp);
      if (auto found = tls_first ? begin_tls() : after(dialogue_->opened(out_), now_ns)) {
        return found;
      }
    }
    if (step_ == Step::Handshake) {
      if (auto found = shake_hands(watch, now_ns); found || step_ == Step::Handshake) {
        return found;
      }
    }
    return talk(watch, now_ns);
  }

  Finding timed_out(std::int64_t) override {
    const std::string_view what = step_ == Step::Connecting  ? "the connection"
                                  : step_ == Step::Handshake ? "the handshake"
                                                             : dialogue_->waiting_for();
    return failed(
        fmt::format("{} did not come in {} ms", what, target_.timeout.count() / kMillisecond));
  }

 private:
  enum class Step : std::uint8_t { Connecting, Handshake, Talking };

  Finding failed(const std::string& what) const {
    return Finding::of(Kind::Bad, fmt::format("port {}: {}", target_.port, what));
  }

  std::optional<Finding> begin_tls() {
    if (shared_.tls == nullptr) {
      shared_.tls = std::make_shared<TlsContexts>();
    }
    ssl_ = shared_.tls->session(spec_);
    if (ssl_ == nullptr) {
      return Finding::of(Kind::Broken, "the certificates of authorities cannot be read");
    }
    SSL_set_fd(ssl_.get(), fd_);
    step_ = Step::Handshake;
    return std::nullopt;
  }

  std::optional<Finding> shake_hands(Watch& watch, std::int64_t now_ns) {
    ERR_clear_error();
    const int done = SSL_connect(ssl_.get());
    if (done != 1) {
      const int why = SSL_get_error(ssl_.get(), done);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        watch.watch(fd_, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
        return std::nullopt;
      }
      return failed("TLS: " + tls_error());
    }
    secured_ = now_ns;
    certificate_ = judge_certificate(ssl_.get(), spec_, shared_.clock.wall());
    step_ = Step::Talking;
    return after(dialogue_->opened(out_), now_ns);
  }

  /// Says what is to be said, hears what there is.
  std::optional<Finding> talk(Watch& watch, std::int64_t now_ns) {
    step_ = Step::Talking;
    if (!say()) {
      return failed("it closed the connection");
    }
    const bool ended = !listen();
    if (!in_.empty() && first_byte_ == 0) {
      first_byte_ = now_ns;
    }
    if (!in_.empty() || ended) {
      if (auto found = after(dialogue_->heard(in_, ended, out_), now_ns)) {
        return found;
      }
      if (step_ == Step::Handshake) {
        return shake_hands(watch, now_ns);
      }
      if (ended || !say()) {
        return failed("it closed the connection");
      }
    }
    watch.watch(fd_, out_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
    return std::nullopt;
  }

  std::optional<Finding> after(Dialogue::Next next, std::int64_t now_ns) {
    if (next == Dialogue::Next::StartTls) {
      in_.clear();  // what was said before the handshake is not protected by it (CVE-2011-0411)
      return begin_tls();
    }
    if (next == Dialogue::Next::More) {
      return std::nullopt;
    }
    say();  // a farewell
    return complete(now_ns);
  }

  Finding complete(std::int64_t now_ns) {
    Finding out = std::move(dialogue_->finding);
    if (certificate_) {
      if (certificate_->kind > out.kind || out.text.empty()) {
        out.text = certificate_->text + (out.text.empty() ? "" : "; " + out.text);
        out.kind = std::max(out.kind, certificate_->kind);
      }
      for (const Extra& extra : certificate_->extras) {
        out.extras.push_back(extra);
      }
      out.extras.push_back({"handshake", static_cast<double>(secured_ - connected_) / kSecond});
    }
    out.extras.push_back({"connect", static_cast<double>(connected_ - started_) / kSecond});
    if (first_byte_ != 0) {
      out.extras.push_back({"first_byte", static_cast<double>(first_byte_ - started_) / kSecond});
    }
    out.value = static_cast<double>(now_ns - started_) / kSecond;
    return out;
  }

  /// False: nothing can be sent any more.
  bool say() {
    while (!out_.empty()) {
      ERR_clear_error();
      const int size = static_cast<int>(out_.size());
      const auto sent = ssl_ != nullptr ? SSL_write(ssl_.get(), out_.data(), size)
                                        : ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return would_block(static_cast<int>(sent));
      }
      out_.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// False: nothing more will come.
  bool listen() {
    std::array<char, 4096> bytes;
    // What TLS has decrypted already rings no more: it is taken whole.
    for (int n = 0; n < kReadsMax || (ssl_ != nullptr && SSL_pending(ssl_.get()) > 0); ++n) {
      ERR_clear_error();
      const auto got = ssl_ != nullptr ? SSL_read(ssl_.get(), bytes.data(), bytes.size())
                                       : ::recv(fd_, bytes.data(), bytes.size(), 0);
      if (got <= 0) {
        return would_block(static_cast<int>(got));
      }
      in_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return true;
  }

  bool would_block(int result) const {
    if (ssl_ != nullptr) {
      const int why = SSL_get_error(ssl_.get(), result);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    }
    return result < 0 && (errno == EAGAIN || errno == EINTR);
  }

  const ProbeTarget target_;  // a copy: the schedule's may be replaced
  const CheckSpec& spec_;
  const SocketAddress address_;
  Shared& shared_;
  std::unique_ptr<Dialogue> dialogue_;
  int fd_ = -1;
  SslPointer ssl_;
  Step step_ = Step::Connecting;
  std::string in_, out_;
  std::optional<Finding> certificate_;
  std::int64_t started_ = 0, connected_ = 0, secured_ = 0, first_byte_ = 0;
};

}  // namespace

std::unique_ptr<Attempt> make_stream(const ProbeTarget& target, const SocketAddress& address,
                                     Shared& shared) {
  return std::make_unique<StreamAttempt>(target, address, shared);
}

}  // namespace belfry::probe
