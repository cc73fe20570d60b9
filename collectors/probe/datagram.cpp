// Checks that are one datagram and its answer: DNS, NTP, RADIUS.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "attempt.hpp"
#include "belfry/base/text.hpp"
#include "dns.hpp"
#include "ntp.hpp"
#include "radius.hpp"

namespace belfry::probe {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr double kSecond = 1e9;
// Datagrams of one wake-up, so that a peer that floods holds up nobody.
constexpr int kReadsMax = 16;
using Kind = Finding::Kind;

/// Sockets (the target's, and for some a second one), requests and what answers mean.
class DatagramAttempt : public Attempt {
 public:
  DatagramAttempt(const ProbeTarget& target, const SocketAddress& address, Shared& shared)
      : target_(target), spec_(spec_of(target_)), shared_(shared), peers_{address} {}
  ~DatagramAttempt() override {
    for (const int fd : sockets_) {
      ::close(fd);
    }
  }

  std::optional<Finding> start(Watch& watch, std::int64_t now_ns) override {
    started_ = now_ns;
    const std::string request = prepare();
    if (request.empty()) {
      return Finding::of(Kind::Broken, "the question could not be made");
    }
    sent_ = shared_.clock.wall();
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      const int fd = open_socket(peers_[i], SOCK_DGRAM, spec_);
      if (fd < 0) {
        return Finding::of(Kind::Later, "no socket: " + error_text(errno));
      }
      sockets_.push_back(fd);
      // Connected: the kernel lets only this peer's answers through, and tells its refusals.
      if (::connect(fd, peers_[i].get(), peers_[i].size()) != 0 ||
          ::send(fd, request.data(), request.size(), 0) < 0) {
        return unreachable(i, errno);
      }
      watch.watch(fd, EPOLLIN);
    }
    return std::nullopt;
  }

  std::optional<Finding> ready(Watch&, std::int64_t now_ns) override {
    std::array<char, 4096> bytes;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      for (int n = 0; n < kReadsMax; ++n) {
        const auto got = ::recv(sockets_[i], bytes.data(), bytes.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
          break;
        }
        auto found = got < 0 ? std::optional(unreachable(i, errno))
                             : answered(i, {bytes.data(), static_cast<std::size_t>(got)});
        if (found) {
          if (found->kind == Kind::Good || found->kind == Kind::Warn) {
            found->value = static_cast<double>(now_ns - started_) / kSecond;
          }
          return found;
        }
      }
    }
    return std::nullopt;
  }

  Finding timed_out(std::int64_t) override { return silent(); }

 protected:
  virtual std::string prepare() = 0;
  /// nullopt: not an answer to us, or not all there is to wait for.
  virtual std::optional<Finding> answered(std::size_t peer, std::string_view bytes) = 0;
  virtual Finding unreachable(std::size_t, int error) {
    return Finding::of(Kind::Bad, fmt::format("port {}: {}", target_.port, error_text(error)));
  }
  virtual Finding silent() {
    return Finding::of(Kind::Bad, fmt::format("port {}: no answer in {} ms", target_.port,
                                              target_.timeout.count() / kMillisecond));
  }

  const ProbeTarget target_;  // a copy: the schedule's may be replaced
  const CheckSpec& spec_;
  Shared& shared_;
  std::vector<SocketAddress> peers_;
  Instant sent_{0};

 private:
  std::vector<int> sockets_;
  std::int64_t started_ = 0;
};

class DnsAttempt final : public DatagramAttempt {
 public:
  using DatagramAttempt::DatagramAttempt;

 private:
  std::string prepare() override {
    if (const auto primary = SocketAddress::parse(spec_.primary, target_.port)) {
      peers_.push_back(*primary);
    }
    const std::string id = random_bytes(2);
    const auto type = dns_type(spec_.record);
    if (type && id.size() == 2) {
      request_ = dns_request(spec_.query, *type,
                             static_cast<std::uint16_t>(static_cast<unsigned char>(id[0]) << 8 |
                                                        static_cast<unsigned char>(id[1])));
    }
    return request_;
  }

  std::optional<Finding> answered(std::size_t peer, std::string_view bytes) override {
    const auto answer = read_dns_answer(bytes, request_);
    if (!answer) {
      return std::nullopt;
    }
    if (peer == 1) {
      primary_ = *answer;
    } else {
      own_ = *answer;
      if (auto wrong = judged(*own_); wrong.kind != Kind::Good) {
        return wrong;
      }
    }
    if (peers_.size() == 1) {
      return judged(*own_);
    }
    return own_ && primary_ ? std::optional(compared()) : std::nullopt;
  }

  Finding judged(const DnsAnswer& answer) const {
    const std::string asked = spec_.query + " " + spec_.record;
    if (answer.rcode != 0) {
      return Finding::of(Kind::Bad, fmt::format("{}: {}", asked, dns_rcode(answer.rcode)));
    }
    for (const std::string& wanted : spec_.answers) {
      const bool there = std::ranges::any_of(answer.records, [&](const std::string& record) {
        return dns_name(record) == dns_name(wanted);
      });
      if (!there) {
        return Finding::of(answer.truncated ? Kind::Warn : Kind::Bad,
                           fmt::format("{}: {} is not among the answers: {}", asked, wanted,
                                       fmt::join(answer.records, ", ")));
      }
    }
    if (answer.records.empty()) {
      return Finding::of(answer.truncated ? Kind::Warn : Kind::Bad,
                         asked + (answer.truncated ? ": the answer was cut" : ": no such record"));
    }
    Finding out =
        Finding::of(Kind::Good, fmt::format("{}: {}", asked, fmt::join(answer.records, ", ")));
    if (answer.serial) {
      out.extras.push_back({"serial", static_cast<double>(*answer.serial)});
    }
    return out;
  }

  Finding compared() const {
    Finding out = judged(*own_);
    if (!own_->serial || !primary_->serial) {
      return Finding::of(Kind::Broken, "no serial to compare with: the primary gave none");
    }
    const std::uint32_t own = *own_->serial, theirs = *primary_->serial;
    out.extras.push_back({"behind", static_cast<double>(static_cast<std::int32_t>(theirs - own))});
    if (own != theirs) {
      out.kind = Kind::Warn;
      out.text = fmt::format("{}: serial {} is {} the primary's {}", spec_.query, own,
                             serial_before(own, theirs) ? "behind" : "ahead of", theirs);
    }
    return out;
  }

  /// The primary's silence is another check's business: it says nothing about this server.
  Finding unreachable(std::size_t peer, int error) override {
    return peer == 0 ? DatagramAttempt::unreachable(peer, error)
                     : Finding::of(Kind::Broken, "the primary: " + error_text(error));
  }
  Finding silent() override {
    return own_ ? Finding::of(Kind::Broken, "the primary did not answer")
                : DatagramAttempt::silent();
  }

  std::string request_;
  std::optional<DnsAnswer> own_, primary_;
};

class NtpAttempt final : public DatagramAttempt {
 public:
  using DatagramAttempt::DatagramAttempt;

 private:
  std::string prepare() override {
    nonce_ = random_bytes(8);
    return nonce_.empty() ? nonce_ : ntp_request(nonce_);
  }
  std::optional<Finding> answered(std::size_t, std::string_view bytes) override {
    const auto answer = read_ntp_answer(bytes, nonce_, sent_, shared_.clock.wall());
    if (!answer) {
      return std::nullopt;
    }
    if (answer->stratum == 0) {
      return Finding::of(answer->kiss == "RATE" ? Kind::Broken : Kind::Bad,
                         "it sent us away: " + printable(answer->kiss, 8));
    }
    if (!answer->synchronised || answer->stratum > 15) {
      return Finding::of(Kind::Bad, "its clock is not synchronised");
    }
    const double most = static_cast<double>(spec_.offset_max.count()) / kSecond;
    const bool off = answer->offset > most || answer->offset < -most;
    Finding out =
        Finding::of(off ? Kind::Warn : Kind::Good,
                    fmt::format("stratum {}, offset {:+.6f} s", answer->stratum, answer->offset));
    out.extras.push_back({"offset", answer->offset});
    out.extras.push_back({"stratum", static_cast<double>(answer->stratum)});
    return out;
  }
  std::string nonce_;
};

class RadiusAttempt final : public DatagramAttempt {
 public:
  using DatagramAttempt::DatagramAttempt;

 private:
  std::string prepare() override {
    const std::string random = random_bytes(ask_.authenticator.size() + 1);
    if (random.empty()) {
      return random;
    }
    std::copy_n(random.begin(), ask_.authenticator.size(), ask_.authenticator.begin());
    ask_.id = static_cast<std::uint8_t>(random.back());
    ask_.user = spec_.user;
    ask_.password = spec_.password;
    ask_.secret = spec_.secret;
    return radius_request(ask_);
  }
  std::optional<Finding> answered(std::size_t, std::string_view bytes) override {
    std::string message;
    const RadiusAnswer answer = read_radius_answer(bytes, ask_, message);
    switch (answer) {
      case RadiusAnswer::NotOurs:
        return std::nullopt;
      case RadiusAnswer::Malformed:
        return Finding::of(Kind::Bad, "its answer is malformed");
      case RadiusAnswer::Forged:
        return Finding::of(Kind::Bad, "its answer is not signed with our secret");
      default:
        break;
    }
    const std::string_view word = answer == RadiusAnswer::Accept   ? "accept"
                                  : answer == RadiusAnswer::Reject ? "reject"
                                                                   : "challenge";
    const bool wanted = spec_.reply == "any" || spec_.reply == word;
    return Finding::of(wanted ? Kind::Good : Kind::Bad,
                       fmt::format("{} for {}{}{}", word, spec_.user, message.empty() ? "" : ": ",
                                   printable(message, 120)));
  }
  RadiusAsk ask_;
};

}  // namespace

std::unique_ptr<Attempt> make_datagram(const ProbeTarget& target, const SocketAddress& address,
                                       Shared& shared) {
  if (target.check == ProbeCheck::Dns) {
    return std::make_unique<DnsAttempt>(target, address, shared);
  }
  if (target.check == ProbeCheck::Ntp) {
    return std::make_unique<NtpAttempt>(target, address, shared);
  }
  return std::make_unique<RadiusAttempt>(target, address, shared);
}

}  // namespace belfry::probe
