#include "server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "backend.hpp"
#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/gateway/gateway.hpp"
#include "belfry/probe/prober.hpp"
#include "belfry/runtime/log.hpp"
#include "belfry/snmp/collector.hpp"
#include "belfry/snmp/poller.hpp"
#include "belfry/syslog/collectors.hpp"
#include "verifier.hpp"
#include "ways_out.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCommunitiesBytesMax = 4 * 1024 * 1024;  // 50,000 devices with their own

Durability durability_of(const std::string& word) {
  return word == "sync" ? Durability::Sync : word == "os" ? Durability::Os : Durability::Group;
}

PipelineOptions pipeline_options(const Config& c) {
  PipelineOptions o;
  o.store_dir = c.data_dir + "/store";
  o.durability = durability_of(c.durability);
  o.ring_capacity = c.ring_batches;
  o.snapshot_every = c.snapshot_every;
  o.retention_age = c.retention_age;
  return o;
}

UdpOptions udp_options(const ListenConfig& c) {
  UdpOptions o;
  o.address = c.address;
  o.port = c.port;
  o.sockets = c.threads;
  return o;
}

SyslogTcpOptions stream_options(const ListenConfig& c, const StreamConfig& limits,
                                const SyslogTlsConfig* tls, StreamProtocol protocol,
                                const IntakeOptions& intake) {
  SyslogTcpOptions o;
  o.address = c.address;
  o.port = c.port;
  o.intake = intake;
  o.connections_max = limits.connections;
  o.connections_per_source_max = limits.connections_per_source;
  o.idle_max = limits.idle;
  o.protocol = protocol;
  if (tls != nullptr) {
    o.tls = {.certificate = tls->certificate,
             .key = tls->key,
             .client_ca = tls->client_ca,
             .peers = tls->peers,
             .anyone = tls->anyone,
             .handshake_max = tls->handshake};
  }
  return o;
}

ProbeOptions probe_options(const ProbeConfig& c) {
  ProbeOptions o;
  o.vantage = c.vantage;
  o.icmp_roles = c.icmp_roles;
  o.interval = c.interval;
  o.timeout = c.timeout;
  o.retries = c.retries;
  o.recoveries = c.recoveries;
  o.in_flight_max = c.in_flight_max;
  o.sockets_max = c.sockets_max;
  o.plugins_max = c.plugins_max;
  o.output_max = c.output_max;
  o.checks = c.checks;
  return o;
}

}  // namespace

struct Server::Impl {
  Impl(const Config& c, LoadedVersions l)
      : config(c),
        loaded(std::move(l)),
        pipeline(pipeline_options(c), clock, metrics, ledger, build_versions) {
    loaded.versions.number = 1;
    intake.relays = c.relays;
  }

  const Config& config;
  LoadedVersions loaded;
  SystemClock clock;
  Metrics metrics;
  Ledger ledger;
  Pipeline pipeline;
  IntakeOptions intake;
  std::unique_ptr<ServerBackend> backend;
  std::unique_ptr<SyslogUdp> syslog_udp;
  std::unique_ptr<SyslogTcp> syslog_tcp, syslog_tls, syslog_relp;
  std::unique_ptr<SyslogUnix> syslog_unix;
  std::unique_ptr<TrapUdp> traps;
  std::unique_ptr<Prober> prober;
  std::unique_ptr<IfPoller> if_poller;
  std::unique_ptr<WebhookCollector> webhook;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<WaysOut> ways_out;
  std::string recovered;
  bool stopped = false;
  std::jthread verifying;  ///< last: it uses what stands above

  std::vector<Port*> ports(const std::string& name, const ListenConfig& listen) {
    std::vector<Port*> out;
    for (std::uint32_t t = 0; t < listen.threads; ++t) {
      out.push_back(&pipeline.add_port(name));
    }
    return out;
  }

  Result<void> make_traps() {
    TrapOptions o;
    o.address = config.trap_udp.address;
    o.port = config.trap_udp.port;
    o.communities = config.communities;
    o.intake = intake;
    o.engine_file = config.data_dir + "/snmp-engines";
    if (!config.snmp_engine_id.empty()) {
      const std::string_view hex = config.snmp_engine_id;
      const auto id = from_hex(hex.substr(hex.starts_with("0x") ? 2 : 0));
      if (!id || id->size() < snmp::kEngineBytesMin || id->size() > snmp::kEngineBytesMax) {
        return fail(Code::Invalid, "trap_udp.engine_id: expected 0x and {} to {} octets in hex",
                    snmp::kEngineBytesMin, snmp::kEngineBytesMax);
      }
      o.engine_id = *id;
    }
    if (!config.snmp_users_file.empty()) {
      BELFRY_TRY(o.users, snmp::UsmUsers::read(config.snmp_users_file, true));
    }
    traps =
        std::make_unique<TrapUdp>(o, ports("trap-udp", config.trap_udp), clock, ledger, metrics);
    return {};
  }

  /// A file that is wrong leaves the users as they are.
  void reload_users() {
    if (!traps || config.snmp_users_file.empty()) {
      return;
    }
    if (auto users = snmp::UsmUsers::read(config.snmp_users_file, true)) {
      log::info("snmp", "{} SNMPv3 users", (*users)->size());
      traps->set_users(std::move(*users));
    } else {
      log::error("snmp", "the old users stay: {}", users.error());
    }
  }

  std::unique_ptr<SyslogTcp> stream(const std::string& name, const ListenConfig& listen,
                                    const StreamConfig& limits, const SyslogTlsConfig* tls,
                                    StreamProtocol protocol) {
    if (!listen.enabled) {
      return nullptr;
    }
    return std::make_unique<SyslogTcp>(stream_options(listen, limits, tls, protocol, intake),
                                       ports(name, listen), clock, ledger, metrics);
  }

  void make_streams() {
    syslog_tcp = stream("syslog-tcp", config.syslog_tcp, config.syslog_tcp_stream, nullptr,
                        StreamProtocol::Syslog);
    syslog_tls = stream("syslog-tls", config.syslog_tls, config.syslog_tls_stream,
                        &config.syslog_tls_certificates, StreamProtocol::Syslog);
    syslog_relp = stream("syslog-relp", config.syslog_relp, config.syslog_relp_stream,
                         &config.syslog_relp_certificates, StreamProtocol::Relp);
    if (config.syslog_unix.enabled) {
      syslog_unix = std::make_unique<SyslogUnix>(
          SyslogUnixOptions{.path = config.syslog_unix.path, .intake = intake},
          pipeline.add_port("syslog-unix"), clock, ledger, metrics);
    }
  }

  void make_collectors() {
    if (config.syslog_udp.enabled) {
      SyslogUdpOptions o;
      o.udp = udp_options(config.syslog_udp);
      o.intake = intake;
      syslog_udp = std::make_unique<SyslogUdp>(o, ports("syslog-udp", config.syslog_udp), clock,
                                               ledger, metrics);
    }
    make_streams();
    WebhookOptions o;
    o.declared = [this](std::string_view type) {  // the backend is there before the first request
      const Versions now = backend->versions();
      return std::any_of(now.program->event_types.begin(), now.program->event_types.end(),
                         [type](const rules::EventType& known) { return known.name == type; });
    };
    o.forms = config.alerts;
    webhook = std::make_unique<WebhookCollector>(pipeline.add_port("http"), clock, ledger, metrics,
                                                 intake, std::move(o));
  }

  Result<void> make_if_poller() {
    const IfPollConfig& c = config.if_poll;
    if (!c.enabled) {
      return {};
    }
    IfPollOptions o;
    o.roles = c.roles;
    o.port = c.port;
    o.interval = c.interval;
    o.timeout = c.timeout;
    o.retries = c.retries;
    o.requests_per_second = c.requests_per_second;
    o.user = c.user;
    if (!c.communities_file.empty()) {
      BELFRY_TRY(o.communities, read_secret(c.communities_file, kCommunitiesBytesMax));
    }
    if (!config.snmp_users_file.empty()) {
      BELFRY_TRY(o.users, snmp::UsmUsers::read(config.snmp_users_file, true));
    }
    auto ports = std::make_shared<PolledPorts>();
    intake.polled_ports = ports;
    if_poller = std::make_unique<IfPoller>(std::move(o), ports, clock, metrics);
    if_poller->set_inventory(loaded.versions.inventory);
    return {};
  }

  Result<void> make_prober() {
    if (!config.probes.enabled) {
      return {};
    }
    ProbeOptions o = probe_options(config.probes);
    for (const std::string& text : config.probes.tcp) {
      BELFRY_TRY(ProbeTarget target, parse_tcp_target(text, o));
      o.targets.push_back(std::move(target));
    }
    for (CheckSpec& check : o.checks) {
      if (!check.secret_file.empty()) {
        BELFRY_TRY(check.secret, read_secret(check.secret_file));
      }
      if (!check.password_file.empty()) {
        BELFRY_TRY(check.password, read_secret(check.password_file));
      }
    }
    prober =
        std::make_unique<Prober>(o, pipeline.add_port("probe"), clock, ledger, metrics, intake);
    prober->set_inventory(loaded.versions.inventory);
    return {};
  }

  /// Alarms whose clear may have been lost are checked (verifier.hpp); between looks it sleeps.
  void verify_alarms(const std::stop_token& stop) {
    constexpr Duration kSoonest = 1s, kLatest = 1min;
    const Duration every = std::clamp<Duration>(config.probes.verify_after / 4, kSoonest, kLatest);
    const auto asked = [this](std::string_view answer) {
      return &metrics.counter("belfry_probe_asked_total", "checks of doubted alarms",
                              {{"answer", answer}});
    };
    const std::array<Counter*, 3> counters{asked("queued"), asked("no-such-check"), asked("full")};
    Verifier verifier(config.probes.verify_after);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any ring;
    while (!ring.wait_for(lock, stop, every, [] { return false; }) && !stop.stop_requested()) {
      const Versions versions = backend->versions();
      const auto open = [this](const std::string& rule) {
        return backend->incidents({.rule = rule}).items;
      };
      for (const Verifier::Ask& ask : verifier.due(*versions.program, open, clock.wall())) {
        counters[static_cast<std::size_t>(prober->ask(ask.node, ask.check))]->add();
      }
    }
  }

  Result<void> start_collectors() {
    if (syslog_udp) {
      BELFRY_CHECK_OK(syslog_udp->start());
    }
    for (SyslogTcp* stream : {syslog_tcp.get(), syslog_tls.get(), syslog_relp.get()}) {
      if (stream != nullptr) {
        BELFRY_CHECK_OK(stream->start());
      }
    }
    if (syslog_unix) {
      BELFRY_CHECK_OK(syslog_unix->start());
    }
    if (traps) {
      BELFRY_CHECK_OK(traps->start());
    }
    if (if_poller) {
      BELFRY_CHECK_OK(if_poller->start());
    }
    if (prober) {
      if (const auto started = prober->start(); !started) {
        // No reason to stay dark: everything else hears. It says what is missing and goes on.
        log::warn("probes", "off: {}", started.error());
        prober.reset();
      } else if (config.probes.verify_after.count() > 0) {
        verifying = std::jthread([this](const std::stop_token& stop) { verify_alarms(stop); });
      }
    }
    return {};
  }

  Result<void> start_gateway() {
    GatewayOptions o;
    o.address = config.api.address;
    o.port = config.api.port;
    o.tls_certificate = config.tls_certificate;
    o.tls_key = config.tls_key;
    o.data_dir = config.data_dir;
    gateway = std::make_unique<Gateway>(
        o, GatewayParts{backend.get(), webhook.get(), &metrics, &ledger, &clock});
    return gateway->start();
  }

  std::vector<std::pair<std::string, std::uint16_t>> listening() const {
    std::vector<std::pair<std::string, std::uint16_t>> out;
    if (syslog_udp) {
      out.emplace_back("syslog-udp", syslog_udp->port());
    }
    if (syslog_tcp) {
      out.emplace_back("syslog-tcp", syslog_tcp->port());
    }
    if (syslog_tls) {
      out.emplace_back("syslog-tls", syslog_tls->port());
    }
    if (syslog_relp) {
      out.emplace_back("syslog-relp", syslog_relp->port());
    }
    if (traps) {
      out.emplace_back("trap-udp", traps->port());
    }
    return out;
  }

  /// Where everything listens, for the command line, drills and tests; replaced whole.
  Result<void> write_addresses() const {
    JsonWriter json;
    json.object().field("pid", static_cast<std::int64_t>(getpid()));
    json.key("api")
        .object()
        .field("url", gateway->url())
        .field("port", static_cast<unsigned>(gateway->port()));
    json.field("address", config.api.address).end();
    json.field("token_file", fs::absolute(gateway->admin_token_path()).string());
    json.key("collectors").object();
    for (const auto& [name, port] : listening()) {
      json.field(name, static_cast<unsigned>(port));
    }
    json.end().end();
    const std::string path = config.data_dir + "/addresses.json";
    const std::string draft = path + ".new";
    std::ofstream(draft) << json.text() << "\n";
    std::error_code error;
    fs::rename(draft, path, error);
    if (error) {
      return fail(Code::Unavailable, "{}: cannot be written: {}", path, error.message());
    }
    return {};
  }
};

Server::Server(const Config& config, LoadedVersions loaded)
    : impl_(std::make_unique<Impl>(config, std::move(loaded))) {}

Server::~Server() { stop(); }

Result<void> Server::start() {
  Impl& s = *impl_;
  std::error_code error;
  fs::create_directories(s.config.data_dir, error);
  if (error) {
    return fail(Code::Unavailable, "data_dir {}: cannot be made: {}", s.config.data_dir,
                error.message());
  }
  fs::permissions(s.config.data_dir, fs::perms::owner_all, error);
  for (const std::string& warning : s.loaded.warnings) {
    log::warn("load", "{}", warning);
  }
  BELFRY_CHECK_OK(s.make_if_poller());  // before the collectors: they name by it
  if (s.config.trap_udp.enabled) {
    BELFRY_CHECK_OK(s.make_traps());
  }
  s.make_collectors();
  BELFRY_CHECK_OK(s.make_prober());
  BELFRY_TRY(s.ways_out, WaysOut::make(s.config, s.pipeline, s.clock, s.metrics));
  BELFRY_CHECK_OK(s.pipeline.start(s.loaded.sources, s.loaded.versions, s.config.desk));
  s.backend = std::make_unique<ServerBackend>(s.config, s.pipeline, s.clock, s.loaded.versions);
  s.backend->on_versions([&s](const Versions& versions) {
    if (s.prober) {
      s.prober->set_inventory(versions.inventory);
    }
    if (s.if_poller) {
      s.if_poller->set_inventory(versions.inventory);
    }
    s.reload_users();
  });
  BELFRY_CHECK_OK(s.start_gateway());
  s.ways_out->start();
  BELFRY_CHECK_OK(s.start_collectors());
  return s.write_addresses();
}

void Server::stop() {
  Impl& s = *impl_;
  if (s.stopped) {
    return;
  }
  s.stopped = true;
  if (s.verifying.joinable()) {
    s.verifying.request_stop();
    s.verifying.join();
  }
  if (s.if_poller) {
    s.if_poller->stop();
  }
  if (s.prober) {
    s.prober->stop();
  }
  if (s.traps) {
    s.traps->stop();
  }
  for (SyslogTcp* stream : {s.syslog_tcp.get(), s.syslog_tls.get(), s.syslog_relp.get()}) {
    if (stream != nullptr) {
      stream->stop();
    }
  }
  if (s.syslog_unix) {
    s.syslog_unix->stop();
  }
  if (s.syslog_udp) {
    s.syslog_udp->stop();
  }
  if (s.gateway) {
    s.gateway->stop();
  }
  if (s.ways_out) {
    s.ways_out->stop();
  }
  s.pipeline.stop();
}

void Server::reload() {
  for (SyslogTcp* stream : {impl_->syslog_tls.get(), impl_->syslog_relp.get()}) {
    if (stream != nullptr) {
      if (const auto loaded = stream->reload_tls(); !loaded) {
        log::error("syslog", "certificates: {}; the old ones stay", loaded.error());
      }
    }
  }
  if (impl_->backend) {
    impl_->backend->reload();
  }
}

std::string Server::summary() const {
  const Impl& s = *impl_;
  const auto& program = *s.loaded.versions.program;
  std::string text =
      fmt::format("Belfry {}: {} rules, {} signals, {} causes; data in {}\n", BELFRY_VERSION,
                  program.rules.size(), program.signals.size() - program.rules.size(),
                  program.causes.size(), s.config.data_dir);
  for (const auto& [name, port] : s.listening()) {
    text += fmt::format("  {:<11} port {}\n", name, port);
  }
  if (s.traps && !s.traps->engine_id().empty()) {
    text += fmt::format("  {:<11} engine id 0x{}\n", "snmpv3", s.traps->engine_id());
  }
  if (s.prober) {
    text += fmt::format("  {:<11} {} targets\n", "probes", s.prober->targets());
  }
  text += fmt::format("  {:<11} {}/api/v1   token: {}{}\n", "api", s.gateway->url(),
                      s.gateway->admin_token_path(),
                      s.gateway->first_start() ? " (made just now)" : "");
  return text;
}

}  // namespace belfry
