#include "belfry/snmp/collector.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include "belfry/intake/udp_receiver.hpp"
#include "belfry/snmp/decode.hpp"
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

struct Listener {
  Listener(const TrapOptions& options, std::size_t sockets, Port& port, Clock& clock,
           Ledger& ledger, Metrics& metrics)
      : intake(port, clock, ledger, metrics, options.intake),
        receiver(UdpOptions{.address = options.address,
                            .port = options.port,
                            .sockets = static_cast<unsigned>(sockets),
                            .receive_buffer_bytes = options.receive_buffer_bytes}),
        communities(options.communities),
        answered(metrics.counter("belfry_informs_answered_total",
                                 "informs answered after their commit")),
        unanswered(metrics.counter(
            "belfry_informs_unanswered_total",
            "informs that got no answer: too many waited, or the socket was full")) {}

  void take(const Datagram& datagram) {
    Event& event = intake.begin();
    const snmp::Verdict verdict = snmp::decode(datagram.bytes, intake.arena(), event);
    const bool listed = communities.empty() || std::find(communities.begin(), communities.end(),
                                                         event.community) != communities.end();
    if (verdict != snmp::Verdict::Ok || !listed) {
      intake.drop();
      std::array<char, kSampleBytes> buffer;
      intake.refuse(datagram.source,
                    verdict != snmp::Verdict::Ok ? name(verdict) : "bad-community"sv,
                    masked(datagram.bytes, buffer));
      return;
    }
    event.from = datagram.source;
    hide_community(event, intake.arena());
    const bool inform = event.inform;
    intake.commit();
    if (inform) {
      keep(datagram.bytes);
    }
  }

  void keep(std::string_view inform) {
    std::string response(inform.size(), '\0');
    response.resize(snmp::inform_response(inform, response));
    if (response.empty() ||
        !informs.add(intake.open_batch(), receiver.peer(), std::move(response))) {
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
      return informs.waiting() > 0;
    });
    receiver.run(stop, intake, [this](const Datagram& datagram) { take(datagram); });
    answer();
  }

  Intake intake;
  UdpReceiver receiver;
  snmp::Informs informs;
  const std::vector<std::string>& communities;
  Counter& answered;
  Counter& unanswered;
  std::jthread thread;
};

}  // namespace

struct TrapUdp::Impl {
  TrapOptions options;
  std::vector<Port*> ports;
  Clock& clock;
  Ledger& ledger;
  Metrics& metrics;
  std::vector<std::unique_ptr<Listener>> listeners;
};

TrapUdp::TrapUdp(TrapOptions options, const std::vector<Port*>& ports, Clock& clock, Ledger& ledger,
                 Metrics& metrics)
    : impl_(new Impl{std::move(options), ports, clock, ledger, metrics, {}}) {}
TrapUdp::~TrapUdp() { stop(); }

Result<void> TrapUdp::start() {
  Impl& m = *impl_;
  if (m.ports.empty()) {
    return fail(Code::Internal, "a trap collector needs a port of the pipeline for each thread");
  }
  for (Port* port : m.ports) {
    auto listener =
        std::make_unique<Listener>(m.options, m.ports.size(), *port, m.clock, m.ledger, m.metrics);
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
}

std::uint16_t TrapUdp::port() const { return impl_->listeners.empty() ? 0 : impl_->options.port; }

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
