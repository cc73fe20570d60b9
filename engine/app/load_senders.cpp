#include "load_senders.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace belfry {
namespace {

constexpr std::size_t kStreamBytes = 64 * 1024;
constexpr std::size_t kEventBytes = 160;  // about; for the size of bursts only
constexpr int kAnswerWaitMs = 30'000;

Result<std::vector<int>> connect_all(const sockaddr_in& to, std::uint32_t connections) {
  std::vector<int> out;
  for (std::uint32_t i = 0; i < std::max(1U, connections); ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      return fail(Code::Unavailable, "connection {} of {}: {}", i + 1, connections,
                  std::strerror(errno));
    }
    out.push_back(fd);
  }
  return out;
}

Result<void> send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) {
      return fail(Code::Unavailable, "the connection broke: {}", std::strerror(errno));
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return {};
}

class TcpSender final : public Sender {
 public:
  explicit TcpSender(std::vector<int> fds) : fds_(std::move(fds)) {}
  ~TcpSender() override {
    for (const int fd : fds_) {
      close(fd);
    }
  }
  std::size_t burst() const override { return kStreamBytes / (kEventBytes + 1); }
  Result<std::size_t> send(std::span<const char> events, std::size_t event_bytes) override {
    text_.clear();
    for (std::size_t at = 0; at < events.size(); at += event_bytes) {
      text_.append(events.data() + at, event_bytes);
      text_.push_back('\n');
    }
    BELFRY_CHECK_OK(send_all(fds_[turn_++ % fds_.size()], text_));
    return events.size() / event_bytes;
  }

 private:
  std::vector<int> fds_;
  std::size_t turn_ = 0;
  std::string text_;
};

class TlsSender final : public Sender {
 public:
  ~TlsSender() override {
    for (SSL* ssl : sessions_) {
      SSL_shutdown(ssl);
      close(SSL_get_fd(ssl));
      SSL_free(ssl);
    }
    SSL_CTX_free(ctx_);
  }
  Result<void> open(const LoadArguments& a, const sockaddr_in& to) {
    std::signal(SIGPIPE, SIG_IGN);
    ctx_ = SSL_CTX_new(TLS_client_method());
    if (!a.certificate.empty() &&
        (SSL_CTX_use_certificate_chain_file(ctx_, a.certificate.c_str()) != 1 ||
         SSL_CTX_use_PrivateKey_file(ctx_, a.key.c_str(), SSL_FILETYPE_PEM) != 1)) {
      return fail(Code::Invalid, "--certificate {} --key {}: expected PEM files", a.certificate,
                  a.key);
    }
    BELFRY_TRY(const std::vector<int> fds, connect_all(to, a.connections));
    for (const int fd : fds) {
      SSL* ssl = SSL_new(ctx_);
      SSL_set_fd(ssl, fd);
      sessions_.push_back(ssl);
      if (SSL_connect(ssl) != 1) {
        return fail(Code::Unavailable, "the TLS handshake failed");
      }
    }
    return {};
  }
  std::size_t burst() const override { return kStreamBytes / (kEventBytes + 4); }
  Result<std::size_t> send(std::span<const char> events, std::size_t event_bytes) override {
    text_.clear();
    const std::string head = std::to_string(event_bytes) + " ";
    for (std::size_t at = 0; at < events.size(); at += event_bytes) {
      text_ += head;
      text_.append(events.data() + at, event_bytes);
    }
    SSL* ssl = sessions_[turn_++ % sessions_.size()];
    if (!text_.empty() && SSL_write(ssl, text_.data(), static_cast<int>(text_.size())) <= 0) {
      return fail(Code::Unavailable,
                  "the connection broke (does the server ask for --certificate?)");
    }
    return events.size() / event_bytes;
  }

 private:
  SSL_CTX* ctx_ = nullptr;
  std::vector<SSL*> sessions_;
  std::size_t turn_ = 0;
  std::string text_;
};

/// Sends while a connection's window has room, else waits for answers.
class RelpSender final : public Sender {
 public:
  explicit RelpSender(std::uint32_t window) : window_(std::max(2U, window)) {}
  ~RelpSender() override {
    for (const Session& s : sessions_) {
      close(s.fd);
    }
  }
  Result<void> open(const LoadArguments& a, const sockaddr_in& to) {
    BELFRY_TRY(const std::vector<int> fds, connect_all(to, a.connections));
    for (const int fd : fds) {
      sessions_.push_back({fd, 1, 0});
      BELFRY_CHECK_OK(send_all(fd, "1 open 30 relp_version=0\ncommands=syslog\n"));
      std::string answer;
      while (answer.find("commands=syslog\n") == std::string::npos) {
        char byte = 0;
        if (recv(fd, &byte, 1, 0) != 1) {
          return fail(Code::Unavailable, "no RELP answer");
        }
        answer += byte;
      }
    }
    return {};
  }
  std::size_t burst() const override { return window_ / 2; }
  Result<std::size_t> send(std::span<const char> events, std::size_t event_bytes) override {
    const std::size_t n = events.size() / event_bytes;
    for (;;) {
      for (std::size_t i = 0; i < sessions_.size(); ++i) {
        Session& s = sessions_[turn_++ % sessions_.size()];
        if (s.waiting + n <= window_) {
          BELFRY_CHECK_OK(write(s, events, event_bytes));
          return n;
        }
      }
      BELFRY_CHECK_OK(answers());
    }
  }
  Result<void> finish() override {
    while (std::any_of(sessions_.begin(), sessions_.end(),
                       [](const Session& s) { return s.waiting > 0; })) {
      BELFRY_CHECK_OK(answers());
    }
    return {};
  }

 private:
  struct Session {
    int fd;
    std::uint32_t txnr;
    std::size_t waiting;
  };
  Result<void> write(Session& s, std::span<const char> events, std::size_t event_bytes) {
    text_.clear();
    const std::string head = " syslog " + std::to_string(event_bytes) + " ";
    for (std::size_t at = 0; at < events.size(); at += event_bytes) {
      s.txnr = s.txnr == 999'999'999 ? 1 : s.txnr + 1;
      text_ += std::to_string(s.txnr);
      text_ += head;
      text_.append(events.data() + at, event_bytes);
      text_ += '\n';
      ++s.waiting;
    }
    return send_all(s.fd, text_);
  }
  /// Waits until something was answered. An answer is one line.
  Result<void> answers() {
    std::vector<pollfd> waits;
    for (const Session& s : sessions_) {
      waits.push_back({s.fd, static_cast<short>(s.waiting > 0 ? POLLIN : 0), 0});
    }
    if (poll(waits.data(), waits.size(), kAnswerWaitMs) <= 0) {
      return fail(Code::Unavailable, "no answer for {} s", kAnswerWaitMs / 1000);
    }
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (waits[i].revents == 0) {
        continue;
      }
      const ssize_t n = recv(sessions_[i].fd, answers_.data(), answers_.size(), 0);
      if (n <= 0) {
        return fail(Code::Unavailable, "the connection ended with {} messages unanswered",
                    sessions_[i].waiting);
      }
      sessions_[i].waiting -=
          static_cast<std::size_t>(std::count(answers_.data(), answers_.data() + n, '\n'));
    }
    return {};
  }

  const std::size_t window_;
  std::vector<Session> sessions_;
  std::size_t turn_ = 0;
  std::string text_;
  std::array<char, 64 * 1024> answers_{};
};

}  // namespace

Result<std::unique_ptr<Sender>> stream_sender(const LoadArguments& a, const sockaddr_in& to) {
  if (a.transport == "tcp") {
    BELFRY_TRY(std::vector<int> fds, connect_all(to, a.connections));
    return std::make_unique<TcpSender>(std::move(fds));
  }
  if (a.transport == "tls") {
    auto sender = std::make_unique<TlsSender>();
    BELFRY_CHECK_OK(sender->open(a, to));
    return sender;
  }
  if (a.transport == "relp") {
    auto sender = std::make_unique<RelpSender>(a.window);
    BELFRY_CHECK_OK(sender->open(a, to));
    return sender;
  }
  return fail(Code::Invalid, "--transport '{}': expected udp, tcp, tls or relp", a.transport);
}

}  // namespace belfry
