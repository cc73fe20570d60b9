#include <thread>

#include "belfry/base/check.hpp"
#include "belfry/syslog/collectors.hpp"
#include "stream_loop.hpp"

namespace belfry {

struct SyslogTcp::Impl {
  struct Lane {
    Lane(const SyslogTcpOptions& options, syslog::StreamShared& shared, Port& port, Clock& clock,
         Ledger& ledger, Metrics& m)
        : intake(port, clock, ledger, m, options.intake),
          metrics(m, port.name()),
          loop(std::make_unique<syslog::StreamLoop>(options, shared, intake, metrics)) {}
    Intake intake;
    syslog::StreamMetrics metrics;
    std::unique_ptr<syslog::StreamLoop> loop;
    std::jthread thread;
  };
  SyslogTcpOptions options;
  syslog::StreamShared shared;
  std::vector<std::unique_ptr<Lane>> lanes;
};

SyslogTcp::SyslogTcp(SyslogTcpOptions options, std::vector<Port*> ports, Clock& clock,
                     Ledger& ledger, Metrics& metrics)
    : impl_(std::make_unique<Impl>()) {
  BELFRY_CHECK(!ports.empty());
  impl_->options = std::move(options);
  for (Port* port : ports) {
    impl_->lanes.push_back(
        std::make_unique<Impl::Lane>(impl_->options, impl_->shared, *port, clock, ledger, metrics));
  }
}

SyslogTcp::~SyslogTcp() { stop(); }

Result<void> SyslogTcp::start() {
  BELFRY_CHECK_OK(reload_tls());
  std::uint16_t port = impl_->options.port;
  for (const auto& lane : impl_->lanes) {
    BELFRY_CHECK_OK(lane->loop->open(port, impl_->lanes.size() > 1));
    port = lane->loop->port();  // port 0: the first socket picks for all
  }
  for (const auto& lane : impl_->lanes) {
    lane->thread =
        std::jthread([&loop = *lane->loop](const std::stop_token& stop) { loop.run(stop); });
  }
  return {};
}

void SyslogTcp::stop() {
  for (const auto& lane : impl_->lanes) {
    lane->thread.request_stop();
  }
  for (const auto& lane : impl_->lanes) {
    if (lane->thread.joinable()) {
      lane->thread.join();
    }
  }
}

std::uint16_t SyslogTcp::port() const { return impl_->lanes[0]->loop->port(); }
std::size_t SyslogTcp::connections() const { return impl_->shared.connections(); }

Result<void> SyslogTcp::reload_tls() {
  if (!impl_->options.tls.certificate.empty()) {
    BELFRY_TRY(auto tls, syslog::TlsContext::make(impl_->options.tls));
    impl_->shared.set_tls(std::move(tls));
  }
  return {};
}

std::vector<SeenNode> SyslogTcp::seen() const {
  std::vector<SeenNode> out;
  for (const auto& lane : impl_->lanes) {
    for (SeenNode& node : lane->intake.seen()) {
      out.push_back(std::move(node));
    }
  }
  return out;
}

}  // namespace belfry
