#include <thread>

#include "belfry/base/check.hpp"
#include "belfry/syslog/collectors.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry {

struct SyslogUdp::Impl {
  struct Lane {
    Intake intake;
    UdpReceiver receiver;
    std::jthread thread;
  };
  SyslogUdpOptions options;
  std::vector<std::unique_ptr<Lane>> lanes;

  static void run(const std::stop_token& stop, Lane& lane) {
    Intake& intake = lane.intake;
    lane.receiver.run(stop, intake, [&intake](const Datagram& d) {
      if (d.bytes.empty()) {
        intake.refuse(d.source, "empty", d.bytes);
        return;
      }
      Event& e = intake.begin();
      syslog::decode(d.bytes, intake.arena(), d.received, e);
      e.from = d.source;
      intake.commit();
    });
  }
};

SyslogUdp::SyslogUdp(SyslogUdpOptions options, std::vector<Port*> ports, Clock& clock,
                     Ledger& ledger, Metrics& metrics)
    : impl_(std::make_unique<Impl>()) {
  BELFRY_CHECK(!ports.empty());
  options.udp.sockets = static_cast<unsigned>(ports.size());
  impl_->options = std::move(options);
  for (Port* port : ports) {
    impl_->lanes.push_back(std::make_unique<Impl::Lane>(
        Impl::Lane{Intake(*port, clock, ledger, metrics, impl_->options.intake),
                   UdpReceiver(impl_->options.udp),
                   {}}));
  }
}

SyslogUdp::~SyslogUdp() { stop(); }

Result<void> SyslogUdp::start() {
  UdpOptions udp = impl_->options.udp;
  for (const auto& lane : impl_->lanes) {
    lane->receiver = UdpReceiver(udp);
    BELFRY_CHECK_OK(lane->receiver.open());
    udp.port = lane->receiver.port();  // port 0: the first socket picks for all
  }
  for (const auto& lane : impl_->lanes) {
    lane->thread = std::jthread([&l = *lane](const std::stop_token& stop) { Impl::run(stop, l); });
  }
  return {};
}

void SyslogUdp::stop() {
  for (const auto& lane : impl_->lanes) {
    lane->thread.request_stop();
  }
  for (const auto& lane : impl_->lanes) {
    if (lane->thread.joinable()) {
      lane->thread.join();
    }
  }
}

std::uint16_t SyslogUdp::port() const { return impl_->lanes[0]->receiver.port(); }

std::vector<SeenNode> SyslogUdp::seen() const {
  std::vector<SeenNode> out;
  for (const auto& lane : impl_->lanes) {
    for (SeenNode& node : lane->intake.seen()) {
      out.push_back(std::move(node));
    }
  }
  return out;
}

}  // namespace belfry
