#include "load_command.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

#include "belfry/base/json.hpp"
#include "belfry/base/result.hpp"
#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/snmp/sealer.hpp"
#include "belfry/snmp/users.hpp"
#include "load_senders.hpp"

namespace belfry {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kLineBytes = 160;  ///< every line has this length, so that GSO can cut them
constexpr std::size_t kBurst = 64;       ///< messages a sendmmsg call
constexpr std::size_t kGsoSegments =
    31;  ///< 31 x 160 B stays below 64 KiB and the kernel's 64 segments

/// xorshift64*: good enough to spread keys, and the same in every run.
struct Random {
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;
  std::uint64_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1DULL;
  }
};

/// Writes `v` with leading zeros so that it fills [at, at + width).
void put_digits(char* at, std::size_t width, std::uint64_t v) {
  for (std::size_t i = width; i-- > 0;) {
    at[i] = static_cast<char>('0' + v % 10);
    v /= 10;
  }
}

/// What a run of events looks like: which key, which state, or noise.
class Script {
 public:
  Script(std::uint64_t keys, double duplicates, bool storm)
      : down_(keys, false), duplicates_(duplicates), storm_(storm) {}
  struct Step {
    std::uint64_t key = 0;
    bool link = false;
    bool down = false;
  };
  Step next() {
    Step step;
    step.key = random_.next() % down_.size();
    step.link = storm_ || random_.next() % 10 == 0;
    if (step.link) {
      const bool repeat = static_cast<double>(random_.next() % 1000) < duplicates_ * 10;
      if (!repeat) {
        down_[step.key] = !down_[step.key];
      }
      step.down = down_[step.key];
    }
    return step;
  }

 private:
  std::vector<bool> down_;
  double duplicates_;
  bool storm_;
  Random random_;
};

/// Makes events of one constant length, each with its number in it.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual std::size_t size() const = 0;
  virtual void write(char* out, const Script::Step& step, std::uint64_t number) = 0;
};

class SyslogWriter final : public Writer {
 public:
  explicit SyslogWriter(std::time_t now) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &utc);
    for (std::size_t kind = 0; kind < kBodies.size(); ++kind) {
      std::string& line = lines_[kind];
      const std::string head = fmt::format("<{}>{} r000000 ", kind < 2 ? 187 : 190, stamp);
      host_at_ = kind < 2 ? head.size() - 7 : host_at_;
      const std::string_view body = kBodies[kind];
      // A Cisco sequence number in front carries ours; its zeros make all lines one length.
      const std::size_t digits = kLineBytes - head.size() - 2 - body.size();
      line = head + std::string(digits, '0') + ": " + std::string(body);
      number_at_[kind] = head.size();
      digits_[kind] = digits;
      port_at_[kind] = line.find("xe-");
    }
  }
  std::size_t size() const override { return kLineBytes; }
  void write(char* out, const Script::Step& step, std::uint64_t number) override {
    const std::size_t kind = step.link ? (step.down ? 0 : 1) : 2 + number % (kBodies.size() - 2);
    std::memcpy(out, lines_[kind].data(), kLineBytes);
    put_digits(out + host_at_ + 0, 6, step.key / 48);
    put_digits(out + number_at_[kind], digits_[kind], number);
    if (port_at_[kind] != std::string::npos) {
      put_digits(out + port_at_[kind] + 7, 2, step.key % 48);
    }
  }

 private:
  static constexpr std::array<std::string_view, 6> kBodies{
      "%LINK-3-UPDOWN: Interface xe-0/0/00, changed state to down",
      "%LINK-3-UPDOWN: Interface xe-0/0/00, changed state to up",
      "%SYS-5-CONFIG_I: Configured from console by ops on vty0 (192.0.2.17)",
      "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ops] [Source: 192.0.2.17]",
      "%OSPF-6-AREACHG: 198.51.100.0/24 changed from area 0 to area 1 in process 10",
      "%DHCPD-6-LEASE: address 203.0.113.77 leased to 02:00:5e:10:00:01 for 3600 s"};
  std::array<std::string, 6> lines_;
  std::array<std::size_t, 6> number_at_{}, digits_{}, port_at_{};
  std::size_t host_at_ = 0;
};

/// A TLV with a short or one-byte-long length: enough for a trap.
std::string tlv(unsigned char tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() >= 128) {
    out.push_back(static_cast<char>(0x81));
  }
  out.push_back(static_cast<char>(content.size()));
  return out + content;
}

std::string oid_tlv(std::string_view dotted) {
  return tlv(0x06, oid_from_text(dotted).value_or(""));
}

class TrapWriter final : public Writer {
 public:
  TrapWriter() {
    for (const bool down : {false, true}) {
      const std::string uptime = tlv(0x43, std::string(4, '\x01'));
      const std::string vb =
          tlv(0x30, oid_tlv("1.3.6.1.2.1.1.3.0") + uptime) +
          tlv(0x30, oid_tlv("1.3.6.1.6.3.1.1.4.1.0") +
                        oid_tlv(down ? "1.3.6.1.6.3.1.1.5.3" : "1.3.6.1.6.3.1.1.5.4")) +
          tlv(0x30, oid_tlv("1.3.6.1.2.1.2.2.1.1.1") + tlv(0x02, "\x01")) +
          tlv(0x30, oid_tlv("1.3.6.1.2.1.2.2.1.2.1") + tlv(0x04, "r000000-xe-0/0/00"));
      const std::string pdu = tlv(0x02, std::string(4, '\x01')) + tlv(0x02, std::string(1, '\0')) +
                              tlv(0x02, std::string(1, '\0')) + tlv(0x30, vb);
      packets_[down ? 1 : 0] = tlv(0x30, tlv(0x02, "\x01") + tlv(0x04, "public") + tlv(0xA7, pdu));
    }
    const std::string& p = packets_[0];
    request_at_ = p.find(std::string("\x02\x04\x01\x01\x01\x01", 6)) + 2;
    uptime_at_ = p.find(std::string("\x43\x04\x01\x01\x01\x01", 6)) + 2;
    port_at_ = p.find("r000000-xe");
  }
  std::size_t size() const override { return packets_[0].size(); }
  void write(char* out, const Script::Step& step, std::uint64_t number) override {
    const std::string& packet = packets_[step.down ? 1 : 0];
    std::memcpy(out, packet.data(), packet.size());
    const auto n = static_cast<std::uint32_t>(number & 0x7fffffff);
    for (std::size_t i = 0; i < 4; ++i) {
      const char byte = static_cast<char>(n >> (24 - 8 * i));
      out[request_at_ + i] = byte;
      out[uptime_at_ + i] = byte;
    }
    put_digits(out + port_at_ + 1, 6, step.key / 48);
    put_digits(out + port_at_ + 15, 2, step.key % 48);
  }

 private:
  std::array<std::string, 2> packets_;
  std::size_t request_at_ = 0, uptime_at_ = 0, port_at_ = 0;
};

/// The traps of TrapWriter, sealed ahead: a digest cannot be made at the rate that is measured. The
/// users take turns, each from the engine that its line names.
class V3Writer final : public Writer {
 public:
  static Result<std::unique_ptr<V3Writer>> make(const LoadArguments& a, std::time_t now) {
    BELFRY_TRY(auto users, snmp::UsmUsers::read(a.snmp_users, false));
    auto out = std::make_unique<V3Writer>();
    Script script(a.keys, a.duplicates, true);
    TrapWriter plain;
    std::string packet(plain.size(), '\0');
    const std::vector<snmp::UsmUsers::Name> names = users->names();
    if (names.empty()) {
      return fail(Code::Invalid, "{}: there are no users in it", a.snmp_users);
    }
    std::vector<snmp::Sealer> sealers;
    for (const auto& [user, engine] : names) {
      BELFRY_TRY(auto sealer, snmp::Sealer::make(users, user, engine.empty() ? kEngine : engine));
      sealers.push_back(std::move(sealer));
    }
    const std::size_t ring = std::max(kRing, names.size());
    for (std::size_t i = 0; i < ring; ++i) {
      plain.write(packet.data(), script.next(), i + 1);
      out->packets_.push_back(sealers[i % sealers.size()].seal(
          {.pdu = pdu_of(packet),
           .id = static_cast<std::int64_t>(kFirstId + i),
           // A run later is a boot later: never behind what an earlier one said.
           .boots = static_cast<std::uint32_t>(now & 0x7fffffff),
           .time = kEngineTime}));
      if (out->packets_.back().size() != out->packets_.front().size()) {
        return fail(Code::Invalid,
                    "{}: load needs users whose names and protocols are of one length",
                    a.snmp_users);
      }
    }
    return out;
  }
  std::size_t size() const override { return packets_[0].size(); }
  void write(char* out, const Script::Step&, std::uint64_t number) override {
    const std::string& packet = packets_[number % packets_.size()];
    std::memcpy(out, packet.data(), packet.size());
  }

 private:
  static constexpr std::size_t kRing = 8192, kFirstId = 1'000'000;
  static constexpr std::uint32_t kEngineTime = 100;
  static inline const std::string kEngine{"\x80\x00\x7e\xd9\x04load", 9};
  static std::string_view pdu_of(std::string_view packet) {
    const std::size_t at = packet.find("public") + 7;  // behind the PDU's tag
    return packet.substr(at + (packet[at] == '\x81' ? 2 : 1));
  }
  std::vector<std::string> packets_;
};

Result<sockaddr_in> parse_target(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(text.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535 ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    return fail(Code::Invalid,
                "--target '{}': expected an IPv4 address and a port, as 127.0.0.1:5514", text);
  }
  if ((ntohl(address.sin_addr.s_addr) >> 24) != 127) {
    return fail(Code::Invalid, "--target '{}': load goes to loopback (127.0.0.0/8) only", text);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(*port));
  return address;
}

class UdpSender final : public Sender {
 public:
  explicit UdpSender(bool gso) : gso_(gso) {}
  ~UdpSender() override { close(fd_); }
  Result<void> open(const sockaddr_in& to) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 || connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      return fail(Code::Unavailable, "udp socket: {}", std::strerror(errno));
    }
    const int bytes = 4 * 1024 * 1024;
    setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return {};
  }
  std::size_t burst() const override { return gso_ ? kGsoSegments * 8 : kBurst; }
  Result<std::size_t> send(std::span<const char> events, std::size_t event_bytes) override {
    const std::size_t per_message = gso_ ? kGsoSegments * event_bytes : event_bytes;
    std::size_t n = 0;
    for (std::size_t at = 0; at < events.size() && n < messages_.size(); at += per_message, ++n) {
      iov_[n] = {const_cast<char*>(events.data() + at), std::min(per_message, events.size() - at)};
      messages_[n].msg_hdr = {};
      messages_[n].msg_hdr.msg_iov = &iov_[n];
      messages_[n].msg_hdr.msg_iovlen = 1;
      if (gso_) {
        set_segment(n, static_cast<std::uint16_t>(event_bytes));
      }
    }
    for (std::size_t done = 0; done < n;) {
      const int sent = sendmmsg(fd_, messages_.data() + done, static_cast<unsigned>(n - done), 0);
      if (sent < 0 && errno != EINTR && errno != ENOBUFS && errno != ECONNREFUSED) {
        return fail(Code::Unavailable, "sendmmsg: {}", std::strerror(errno));
      }
      if (sent < 0 && errno == ECONNREFUSED) {
        return fail(Code::Unavailable, "nobody listens there");
      }
      done += static_cast<std::size_t>(std::max(sent, 0));
    }
    return events.size() / event_bytes;
  }

 private:
  void set_segment(std::size_t n, std::uint16_t bytes) {
    msghdr& header = messages_[n].msg_hdr;
    header.msg_control = control_[n].data();
    header.msg_controllen = control_[n].size();
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof bytes);
    std::memcpy(CMSG_DATA(c), &bytes, sizeof bytes);
  }
  bool gso_;
  int fd_ = -1;
  std::array<mmsghdr, kBurst> messages_{};
  std::array<iovec, kBurst> iov_{};
  struct alignas(cmsghdr) Control : std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> {};
  std::array<Control, kBurst> control_{};
};

/// Every connection is a descriptor; most shells allow 1,024.
void raise_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

struct Outcome {
  std::uint64_t sent = 0;
  double seconds = 0;
};

/// Sends until the time or the count is reached, keeping to the rate by sleeping between bursts.
Result<Outcome> run(const LoadArguments& a, Writer& writer, Sender& sender) {
  Script script(a.keys, a.duplicates, a.mix == "storm" || a.kind == "trap");
  std::vector<char> buffer(sender.burst() * writer.size());
  const auto start = SteadyClock::now();
  const auto elapsed = [&start] {
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
  };
  Outcome outcome;
  for (;;) {
    outcome.seconds = elapsed();
    if (outcome.seconds >= a.seconds || (a.count != 0 && outcome.sent >= a.count)) {
      BELFRY_CHECK_OK(sender.finish());
      outcome.seconds = elapsed();
      return outcome;
    }
    std::size_t n = sender.burst();
    if (a.count != 0) {
      n = std::min<std::size_t>(n, a.count - outcome.sent);
    }
    if (a.rate > 0) {
      const double due = a.rate * outcome.seconds - static_cast<double>(outcome.sent);
      if (due < 1) {
        usleep(200);
        continue;
      }
      n = std::min(n, static_cast<std::size_t>(due));
    }
    for (std::size_t i = 0; i < n; ++i) {
      writer.write(buffer.data() + i * writer.size(), script.next(), outcome.sent + i + 1);
    }
    BELFRY_TRY(const std::size_t sent,
               sender.send({buffer.data(), n * writer.size()}, writer.size()));
    outcome.sent += sent;
  }
}

Result<Outcome> load(const LoadArguments& a) {
  BELFRY_TRY(const sockaddr_in to, parse_target(a.target));
  if (a.kind != "syslog" && a.kind != "trap") {
    return fail(Code::Invalid, "'{}' cannot be sent: expected syslog or trap", a.kind);
  }
  if (a.keys == 0 || a.seconds <= 0 || a.seconds > 3600 || a.rate < 0) {
    return fail(Code::Invalid,
                "expected --keys >= 1, --seconds above 0 and at most 3600, --rate >= 0");
  }
  SyslogWriter lines(std::time(nullptr));
  TrapWriter traps;
  std::unique_ptr<V3Writer> sealed;
  if (!a.snmp_users.empty()) {
    BELFRY_TRY(sealed, V3Writer::make(a, std::time(nullptr)));
  }
  Writer& writer = sealed             ? static_cast<Writer&>(*sealed)
                   : a.kind == "trap" ? static_cast<Writer&>(traps)
                                      : lines;
  if (a.transport != "udp") {
    if (a.kind == "trap") {
      return fail(Code::Invalid, "traps go over udp");
    }
    raise_descriptors();
    BELFRY_TRY(const std::unique_ptr<Sender> sender, stream_sender(a, to));
    return run(a, writer, *sender);
  }
  UdpSender sender(a.gso);
  BELFRY_CHECK_OK(sender.open(to));
  return run(a, writer, sender);
}

}  // namespace

int load_command(const LoadArguments& arguments) {
  const Result<Outcome> outcome = load(arguments);
  if (!outcome) {
    fmt::print(stderr, "belfry load: {}\n", outcome.error());
    return outcome.error().code == Code::Invalid ? 2 : 1;
  }
  const double rate =
      outcome->seconds > 0 ? static_cast<double>(outcome->sent) / outcome->seconds : 0;
  if (arguments.json) {
    JsonWriter json;
    json.object()
        .field("sent", outcome->sent)
        .field("seconds", outcome->seconds)
        .field("rate", rate)
        .end();
    fmt::print("{}\n", json.text());
  } else {
    fmt::print("sent {} {} events in {:.2f} s: {:.0f}/s\n", outcome->sent, arguments.kind,
               outcome->seconds, rate);
  }
  return 0;
}

}  // namespace belfry
