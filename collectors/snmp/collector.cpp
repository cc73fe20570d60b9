#include "belfry/snmp/collector.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "belfry/base/check.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/base/text.hpp"
#include "belfry/intake/udp_receiver.hpp"
#include "belfry/runtime/log.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/usm.hpp"
#include "engines.hpp"
#include "informs.hpp"

namespace belfry {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSnmpTrapCommunity0 = "\x2b\x06\x01\x06\x03\x12\x01\x04\x00"sv;
constexpr std::size_t kSampleBytes = 256;  // what the ledger keeps

/// A proxy's copy of its sender's community (RFC 3584 4.1.1) is as secret as the message's own.
void hide_community(Event& event, Arena& arena) {
  event.community = {};
  for (const Varbind& varbind : event.varbinds) {
    if (varbind.oid != kSnmpTrapCommunity0) {
      continue;
    }
    const std::span<Varbind> copy = arena.array<Varbind>(event.varbinds.size());
    std::copy(event.varbinds.begin(), event.varbinds.end(), copy.begin());
    for (Varbind& hidden : copy) {
      if (hidden.oid == kSnmpTrapCommunity0) {
        hidden.bytes = {};
      }
    }
    event.varbinds = copy;
    return;
  }
}

/// The first bytes of a refused datagram without its community.
std::string_view masked(std::string_view datagram, std::array<char, kSampleBytes>& buffer) {
  const std::string_view head = datagram.substr(0, kSampleBytes);
  std::copy(head.begin(), head.end(), buffer.begin());
  const std::string_view community = snmp::find_community(datagram);
  if (!community.empty()) {
    const auto at = static_cast<std::size_t>(community.data() - datagram.data());
    for (std::size_t i = at; i < std::min(at + community.size(), head.size()); ++i) {
      buffer[i] = '*';
    }
  }
  return {buffer.data(), head.size()};
}

/// The users, as the last reload left them.
class CurrentUsers {
 public:
  void set(std::shared_ptr<const snmp::UsmUsers> users) {
    const absl::MutexLock lock(&mutex_);
    users_ = std::move(users);
    number_.fetch_add(1, std::memory_order_release);
  }
  /// Grows with each set(): one load per round of a thread.
  std::uint64_t number() const { return number_.load(std::memory_order_acquire); }
  std::shared_ptr<const snmp::UsmUsers> get() const {
    const absl::MutexLock lock(&mutex_);
    return users_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const snmp::UsmUsers> users_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> number_{0};
};

struct Listener {
  Listener(const TrapOptions& options, std::size_t sockets, Port& port, Clock& clock,
           Ledger& ledger, Metrics& metrics, const CurrentUsers& current, snmp::Engines* engines)
      : intake(port, clock, ledger, metrics, options.intake),
        receiver(UdpOptions{.address = options.address,
                            .port = options.port,
                            .sockets = static_cast<unsigned>(sockets),
                            .receive_buffer_bytes = options.receive_buffer_bytes}),
        users(current),
        communities(options.communities),
        answered(metrics.counter("belfry_informs_answered_total",
                                 "informs answered after their commit")),
        unanswered(
            metrics.counter("belfry_informs_unanswered_total",
                            "informs that got no answer: too many waited, or the socket was full")),
        reports(metrics.counter("belfry_snmp_reports_total", "SNMPv3 reports sent")) {
    if (engines != nullptr) {
      usm.emplace(users.get(), engines);
      users_number = users.number();
    }
    intake.on_shed([this](std::span<const char> kept) {
      informs.shed(intake.open_batch(), kept,
                   [this](std::uint64_t sameness) { repeats.remove(sameness); });
    });
  }

  void take(const Datagram& datagram) {
    Event& event = intake.begin();
    if (usm) {
      usm->set_now(intake.boot_ns());
    }
    const snmp::Verdict verdict =
        snmp::decode(datagram.bytes, intake.arena(), event, usm ? &*usm : nullptr);
    const bool listed =
        event.snmp_version == 3 || communities.empty() ||
        std::find(communities.begin(), communities.end(), event.community) != communities.end();
    if (verdict != snmp::Verdict::Ok || !listed) {
      intake.drop();
      refuse(datagram, verdict != snmp::Verdict::Ok ? name(verdict) : "bad-community"sv);
      report();
      return;
    }
    if (event.inform) {
      take_inform(datagram, event);
      return;
    }
    commit(datagram, event);
  }

  void commit(const Datagram& datagram, Event& event) {
    event.from = datagram.source;
    hide_community(event, intake.arena());
    intake.commit();
  }

  void refuse(const Datagram& datagram, std::string_view reason) {
    std::array<char, kSampleBytes> buffer;
    intake.refuse(datagram.source, reason, masked(datagram.bytes, buffer));
  }

  void report() {
    if (usm) {
      if (const std::string bytes = usm->report(); !bytes.empty() && receiver.reply(bytes)) {
        reports.add();
      }
    }
  }

  void take_inform(const Datagram& datagram, Event& event) {
    const bool v3 = event.snmp_version == 3;
    std::string response;
    if (v3) {
      response = usm->response();
    } else {
      response.resize(datagram.bytes.size());
      response.resize(snmp::inform_response(datagram.bytes, response));
    }
    const std::uint64_t sameness =
        hash64(v3 ? usm->last().pdu : datagram.bytes, hash64(datagram.source));
    if (const auto batch = repeats.find(sameness, intake.boot_ns())) {
      intake.drop();
      refuse(datagram, "repeated-inform");
      if (*batch <= intake.committed() && !response.empty()) {
        (receiver.reply(response) ? answered : unanswered).add();
      }  // else the first one's answer is on its way
      return;
    }
    commit(datagram, event);
    repeats.add(sameness, intake.open_batch(), intake.boot_ns());
    if (response.empty() || !informs.add({.batch = intake.open_batch(),
                                          .event = intake.pending() - 1,
                                          .sameness = sameness,
                                          .peer = receiver.peer(),
                                          .response = std::move(response)})) {
      unanswered.add();
    }
  }

  void answer() {
    informs.release(intake.committed(),
                    [this](const UdpReceiver::Peer& peer, std::string_view bytes) {
                      (receiver.send_to(peer, bytes) ? answered : unanswered).add();
                    });
  }

  void run(const std::stop_token& stop) {
    receiver.on_round([this] {
      answer();
      if (usm && users.number() != users_number) {
        users_number = users.number();
        usm->set_users(users.get());
      }
      return informs.waiting() > 0;
    });
    receiver.run(stop, intake, [this](const Datagram& datagram) { take(datagram); });
    answer();
  }

  Intake intake;
  UdpReceiver receiver;
  snmp::Informs informs;
  snmp::Repeats repeats;
  std::optional<snmp::Usm> usm;
  const CurrentUsers& users;
  std::uint64_t users_number = 0;
  const std::vector<std::string>& communities;
  Counter& answered;
  Counter& unanswered;
  Counter& reports;
  std::jthread thread;
};

}  // namespace

struct TrapUdp::Impl {
  TrapOptions options;
  std::vector<Port*> ports;
  Clock& clock;
  Ledger& ledger;
  Metrics& metrics;
  CurrentUsers users;
  std::unique_ptr<snmp::Engines> engines;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::jthread warmer;  ///< makes the users' keys ahead of their first messages

  Result<void> open_engines() {
    if (options.users == nullptr) {
      return {};
    }
    BELFRY_TRY(engines,
               snmp::Engines::open(options.engine_file, options.engine_id, clock.boot_ns()));
    engines->keep_saving();
    set_users(options.users);
    return {};
  }
  void set_users(std::shared_ptr<const snmp::UsmUsers> next) {
    if (next->weak() > 0) {
      log::warn("snmp", "{} SNMPv3 users have MD5 or DES: anybody with time reads their traps",
                next->weak());
    }
    users.set(next);
    warmer = std::jthread([next](const std::stop_token& stop) { next->warm(stop); });
  }
};

TrapUdp::TrapUdp(TrapOptions options, const std::vector<Port*>& ports, Clock& clock, Ledger& ledger,
                 Metrics& metrics)
    : impl_(new Impl{std::move(options), ports, clock, ledger, metrics, {}, {}, {}, {}}) {}
TrapUdp::~TrapUdp() { stop(); }

Result<void> TrapUdp::start() {
  Impl& m = *impl_;
  if (m.ports.empty()) {
    return fail(Code::Internal, "a trap collector needs a port of the pipeline for each thread");
  }
  BELFRY_CHECK_OK(m.open_engines());
  for (Port* port : m.ports) {
    auto listener = std::make_unique<Listener>(m.options, m.ports.size(), *port, m.clock, m.ledger,
                                               m.metrics, m.users, m.engines.get());
    BELFRY_CHECK_OK(listener->receiver.open());
    m.options.port = listener->receiver.port();  // the other threads share what the first one got
    m.listeners.push_back(std::move(listener));
  }
  for (auto& listener : m.listeners) {
    listener->thread =
        std::jthread([l = listener.get()](const std::stop_token& stop) { l->run(stop); });
  }
  return {};
}

void TrapUdp::stop() {
  for (auto& listener : impl_->listeners) {
    listener->thread.request_stop();
  }
  for (auto& listener : impl_->listeners) {
    if (listener->thread.joinable()) {
      listener->thread.join();
    }
  }
  if (impl_->engines) {
    if (const auto saved = impl_->engines->save(); !saved) {
      log::warn("snmp", "{}", saved.error());
    }
  }
}

std::uint16_t TrapUdp::port() const { return impl_->listeners.empty() ? 0 : impl_->options.port; }

void TrapUdp::set_users(std::shared_ptr<const snmp::UsmUsers> users) {
  BELFRY_CHECK(impl_->engines != nullptr && users != nullptr);
  impl_->set_users(std::move(users));
}

std::string TrapUdp::engine_id() const {
  return impl_->engines == nullptr ? std::string() : to_hex(impl_->engines->id());
}

std::vector<SeenNode> TrapUdp::seen() const {
  std::vector<SeenNode> out;
  for (const auto& listener : impl_->listeners) {
    for (SeenNode& node : listener->intake.seen()) {
      out.push_back(std::move(node));
    }
  }
  return out;
}

}  // namespace belfry
