#include "belfry/snmp/poller.hpp"

#include <absl/container/flat_hash_map.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "belfry/base/text.hpp"
#include "belfry/intake/socket_address.hpp"
#include "belfry/runtime/log.hpp"
#include "belfry/snmp/sealer.hpp"
#include "belfry/snmp/usm.hpp"
#include "ber.hpp"
#include "if_walk.hpp"
#include "usm_crypto.hpp"
#include "writer.hpp"

namespace belfry {
namespace {

using snmp::IfWalk;

constexpr std::uint8_t kGetBulk = 0xa5, kReportTag = 0xa8;
constexpr int kTickMs = 20;
constexpr std::size_t kDatagramBytesMax = 65'535;
constexpr std::int64_t kPublishNs = 1'000'000'000, kNsPerSecond = 1'000'000'000;
constexpr unsigned kResyncsMax = 2;  // Reports of another time that one walk follows

struct Device {
  std::string node, community, user;  ///< user: v3, else community
  SocketAddress address;
  std::int64_t due_ns = 0;
  bool failing = false;
  bool in_flight = false;
};

/// One device's walk: its last request, and what v3 learnt of its engine.
struct Flight {
  std::string node;
  IfWalk walk;
  std::optional<snmp::Sealer> sealer;
  std::string engine;
  std::uint32_t boots = 0, time = 0;
  std::int64_t time_at_ns = 0;
  std::uint32_t tries = 0;
  unsigned resyncs = 0;
  std::int64_t deadline_ns = 0;
};

std::uint32_t column_of(const TableSchema& table, std::string_view name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == name) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return kNoIndex;
}

std::map<std::string, std::string, std::less<>> read_communities(std::string_view text) {
  std::map<std::string, std::string, std::less<>> out;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    const std::size_t space = line.find_first_of(" \t");
    if (!line.empty() && !line.starts_with('#') && space != std::string_view::npos) {
      out[std::string(line.substr(0, space))] = std::string(trim(line.substr(space)));
    }
  }
  return out;
}

}  // namespace

struct IfPoller::Impl {
  IfPollOptions options;
  std::shared_ptr<PolledPorts> ports;
  Clock& clock;
  Counter& good;
  Counter& silent;
  Counter& refused;
  std::map<std::string, std::string, std::less<>> communities;
  std::optional<snmp::Usm> usm;

  std::mutex mutex;
  std::shared_ptr<const Inventory> next_inventory;
  std::atomic<std::size_t> device_count{0};

  std::map<std::string, Device> devices;                    // by node
  std::set<std::pair<std::int64_t, std::string>> schedule;  // (due, node), not in flight
  absl::flat_hash_map<std::int32_t, Flight> flights;        // by request and message id
  std::int32_t next_id = 0;
  double tokens = 0;
  std::int64_t tokens_at_ns = 0, published_ns = 0;
  int sockets[2] = {-1, -1};  // IPv4, IPv6
  std::string buffer = std::string(kDatagramBytesMax, '\0');
  std::jthread thread;

  ~Impl() {
    for (const int fd : sockets) {
      if (fd >= 0) {
        ::close(fd);
      }
    }
  }

  // ---- whom to ask ------------------------------------------------------------------------------

  void adopt(const Inventory& inventory, std::int64_t now) {
    std::map<std::string, Device> next;
    const std::uint32_t t = inventory.schema().find_table("device");
    if (t != kNoIndex) {
      const TableSchema& table = inventory.schema().tables[t];
      const std::uint32_t role = column_of(table, "role"), ip = column_of(table, "ip"),
                          user = column_of(table, "snmp_user");
      for (std::size_t i = 0; role != kNoIndex && ip != kNoIndex && i < inventory.row_count(t) &&
                              next.size() < kPollDevicesMax;
           ++i) {
        add(inventory.row(t, i), role, ip, user, next);
      }
    }
    const std::int64_t step =
        options.interval.count() / static_cast<std::int64_t>(std::max<std::size_t>(next.size(), 1));
    std::int64_t due = now;
    schedule.clear();
    for (auto& [node, device] : next) {
      const auto known = devices.find(node);
      const bool same = known != devices.end();
      device.due_ns = same ? known->second.due_ns : due;
      device.failing = same && known->second.failing;
      device.in_flight = same && known->second.in_flight;
      due += std::min<std::int64_t>(step, kNsPerSecond);  // the first round is a quick one
      if (!device.in_flight) {
        schedule.emplace(device.due_ns, node);
      }
    }
    devices = std::move(next);
    device_count = devices.size();
    ports->retain([this](const std::string& node) { return devices.contains(node); });
  }

  void add(const Row& row, std::uint32_t role, std::uint32_t ip, std::uint32_t user,
           std::map<std::string, Device>& to) const {
    if (std::ranges::find(options.roles, row.cells[role].text) == options.roles.end()) {
      return;
    }
    const auto address = SocketAddress::parse(std::string(row.cells[ip].text), options.port);
    Device device;
    device.node = std::string(row.key);
    device.user = user != kNoIndex && !row.cells[user].is_none() ? std::string(row.cells[user].text)
                                                                 : options.user;
    auto community = communities.find(device.node);
    community = community == communities.end() ? communities.find("*") : community;
    device.community = community == communities.end() ? std::string() : community->second;
    if (address && ((usm && !device.user.empty()) || !device.community.empty())) {
      device.address = *address;
      to.emplace(device.node, std::move(device));
    }
  }

  // ---- asking -----------------------------------------------------------------------------------

  bool take_token(std::int64_t now) {
    const double rate = options.requests_per_second;
    tokens = std::min(rate / 10 + 1, tokens + rate * static_cast<double>(now - tokens_at_ns) / 1e9);
    tokens_at_ns = now;
    if (tokens < 1) {
      return false;
    }
    tokens -= 1;
    return true;
  }

  void launch(std::int64_t now) {
    while (!schedule.empty() && schedule.begin()->first <= now &&
           flights.size() < options.in_flight_max && take_token(now)) {
      Device& device = devices.at(schedule.begin()->second);
      schedule.erase(schedule.begin());
      device.in_flight = true;
      Flight flight;
      flight.node = device.node;
      send(std::move(flight), now, true);
    }
  }

  std::string message(const Device& device, Flight& flight, std::int32_t id, std::int64_t now) {
    const bool v3 = usm && !device.user.empty();
    if (v3 && !flight.sealer) {
      return snmp::discovery_request(id);
    }
    const std::string pdu = flight.walk.request(id);
    if (!v3) {
      return snmp::put_tlv(snmp::kSequence,
                           snmp::put_int(1) + snmp::put_tlv(snmp::kOctetString, device.community) +
                               snmp::put_tlv(kGetBulk, pdu));
    }
    return flight.sealer->seal(
        {.pdu_tag = kGetBulk,
         .pdu = pdu,
         .id = id,
         .boots = flight.boots,
         .time = flight.time + static_cast<std::uint32_t>((now - flight.time_at_ns) / kNsPerSecond),
         .reportable = true});
  }

  /// The flight goes on with its next request, or the same one again.
  void send(Flight flight, std::int64_t now, bool fresh) {
    const auto device = devices.find(flight.node);
    if (device == devices.end()) {
      return;  // it left the inventory meanwhile
    }
    flight.tries = fresh ? 1 : flight.tries + 1;
    flight.deadline_ns = now + options.timeout.count();
    const std::int32_t id = next_id = next_id >= INT32_MAX - 1 ? 1 : next_id + 1;
    const std::string bytes = message(device->second, flight, id, now);
    const SocketAddress& to = device->second.address;
    const int fd = sockets[to.family() == AF_INET6 ? 1 : 0];
    if (fd >= 0) {
      // What the kernel does not take now is asked again at the deadline.
      static_cast<void>(::sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                 to.get(), to.size()));
    }
    flights.insert_or_assign(id, std::move(flight));
  }

  void finish(Flight& flight, std::int64_t now, Counter& outcome, std::string_view why) {
    outcome.add();
    const auto found = devices.find(flight.node);
    if (found == devices.end()) {
      return;
    }
    Device& device = found->second;
    if (why.empty()) {
      ports->set(device.node, flight.walk.take());
    } else if (!device.failing) {
      log::warn("snmp", "{}: its interfaces' names cannot be read: {}", printable(device.node),
                why);
    }
    device.failing = !why.empty();
    device.in_flight = false;
    device.due_ns = now + options.interval.count();
    schedule.emplace(device.due_ns, device.node);
  }

  void expire(std::int64_t now) {
    std::vector<std::int32_t> late;
    for (const auto& [id, flight] : flights) {
      if (flight.deadline_ns <= now) {
        late.push_back(id);
      }
    }
    for (const std::int32_t id : late) {
      Flight flight = std::move(flights.at(id));
      if (flight.tries > options.retries) {
        flights.erase(id);
        finish(flight, now, silent, "no answer");
      } else if (take_token(now)) {
        flights.erase(id);
        send(std::move(flight), now, false);
      } else {
        flights.at(id) = std::move(flight);
      }
    }
  }

  // ---- answers ----------------------------------------------------------------------------------

  void receive(int fd, std::int64_t now) {
    for (;;) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) {
        return;
      }
      answer({buffer.data(), static_cast<std::size_t>(n)}, from, now);
    }
  }

  /// The flight that waits for `id` from that address.
  Flight* flight_of(std::int64_t id, const sockaddr_storage& from) {
    const auto it =
        id > 0 && id <= INT32_MAX ? flights.find(static_cast<std::int32_t>(id)) : flights.end();
    if (it == flights.end()) {
      return nullptr;
    }
    const auto device = devices.find(it->second.node);
    return device != devices.end() && device->second.address.same(from) ? &it->second : nullptr;
  }

  void answer(std::string_view bytes, const sockaddr_storage& from, std::int64_t now) {
    Arena arena(1024);
    snmp::Ber ber(arena);
    std::string_view in = bytes, body, community, pdu;
    std::int64_t version = 0, id = 0;
    std::uint8_t tag = 0;
    if (!ber.take(in, snmp::kSequence, body) || !ber.take_int(body, version)) {
      return;
    }
    if (version == 3) {
      answer_v3(bytes, arena, from, now);
      return;
    }
    std::string_view peek;
    if (version != 1 || !ber.take(body, snmp::kOctetString, community) ||
        !ber.take_any(body, tag, pdu) || tag != snmp::kResponse) {
      return;
    }
    peek = pdu;
    Flight* flight = ber.take_int(peek, id) ? flight_of(id, from) : nullptr;
    if (flight != nullptr && devices.at(flight->node).community == community) {
      go_on(static_cast<std::int32_t>(id), pdu, now);
    }
  }

  void go_on(std::int32_t id, std::string_view pdu, std::int64_t now) {
    Flight flight = std::move(flights.at(id));
    flights.erase(id);
    switch (flight.walk.on_response(pdu)) {
      case IfWalk::Step::More:
        send(std::move(flight), now, true);
        return;
      case IfWalk::Step::Done:
        finish(flight, now, good, {});
        return;
      case IfWalk::Step::Failed:
        finish(flight, now, refused, "its answer does not read");
        return;
    }
  }

  void answer_v3(std::string_view bytes, Arena& arena, const sockaddr_storage& from,
                 std::int64_t now) {
    if (!usm) {
      return;
    }
    snmp::Usm::Opened opened;
    const snmp::Verdict verdict = usm->open(bytes, arena, opened);
    Flight* waiting = flight_of(opened.id, from);
    if (waiting == nullptr) {
      return;
    }
    const auto id = static_cast<std::int32_t>(opened.id);
    if (!waiting->sealer) {
      discovered(id, opened, now);
      return;
    }
    if (verdict != snmp::Verdict::Ok) {
      // Reports that nobody signed: a wrong user or passphrase, or a forger.
      const bool report = verdict == snmp::Verdict::V3NoAuth;
      Flight flight = std::move(flights.at(id));
      flights.erase(id);
      finish(flight, now, refused, report ? "it refuses our user" : name(verdict));
      return;
    }
    if (opened.engine != waiting->engine) {
      return;
    }
    if (opened.pdu_tag == kReportTag) {
      resync(id, opened, now);
    } else if (opened.pdu_tag == snmp::kResponse) {
      go_on(id, opened.pdu, now);
    }
  }

  void discovered(std::int32_t id, const snmp::Usm::Opened& opened, std::int64_t now) {
    Flight flight = std::move(flights.at(id));
    flights.erase(id);
    const std::string& user = devices.at(flight.node).user;
    auto sealer = snmp::Sealer::make(options.users, user, opened.engine);
    if (opened.engine.size() < snmp::kEngineBytesMin || !sealer) {
      finish(flight, now, refused, sealer ? "it has no engine id" : sealer.error().what);
      return;
    }
    flight.sealer = std::move(*sealer);
    flight.engine = std::string(opened.engine);
    flight.boots = opened.boots;
    flight.time = opened.time;
    flight.time_at_ns = now;
    send(std::move(flight), now, true);
  }

  /// A signed Report: our idea of its clock was wrong.
  void resync(std::int32_t id, const snmp::Usm::Opened& opened, std::int64_t now) {
    Flight flight = std::move(flights.at(id));
    flights.erase(id);
    if (++flight.resyncs > kResyncsMax) {
      finish(flight, now, refused, "its clock does not stand still");
      return;
    }
    flight.boots = opened.boots;
    flight.time = opened.time;
    flight.time_at_ns = now;
    send(std::move(flight), now, false);
  }

  // ---- the thread -------------------------------------------------------------------------------

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting[2] = {{sockets[0], POLLIN, 0}, {sockets[1], POLLIN, 0}};
      ::poll(waiting, 2, kTickMs);
      const std::int64_t now = clock.boot_ns();
      std::shared_ptr<const Inventory> inventory;
      {
        const std::lock_guard lock(mutex);
        inventory = std::exchange(next_inventory, nullptr);
      }
      if (inventory != nullptr) {
        adopt(*inventory, now);
      }
      for (const pollfd& one : waiting) {
        if ((one.revents & POLLIN) != 0) {
          receive(one.fd, now);
        }
      }
      expire(now);
      launch(now);
      if (now - published_ns >= kPublishNs) {
        published_ns = now;
        ports->publish();
      }
    }
  }
};

IfPoller::IfPoller(IfPollOptions options, std::shared_ptr<PolledPorts> ports, Clock& clock,
                   Metrics& metrics) {
  const auto counter = [&](const char* status) -> Counter& {
    return metrics.counter("belfry_if_polls_total", "walks of devices' interface names",
                           {{"status", status}});
  };
  impl_.reset(new Impl{.options = std::move(options),
                       .ports = std::move(ports),
                       .clock = clock,
                       .good = counter("ok"),
                       .silent = counter("timeout"),
                       .refused = counter("refused"),
                       .communities = {},
                       .usm = {},
                       .mutex = {},
                       .next_inventory = {},
                       .devices = {},
                       .schedule = {},
                       .flights = {},
                       .thread = {}});
  impl_->communities = read_communities(impl_->options.communities);
  if (impl_->options.users != nullptr) {
    impl_->usm.emplace(impl_->options.users, nullptr);
  }
}

IfPoller::~IfPoller() { stop(); }

Result<void> IfPoller::start() {
  Impl& m = *impl_;
  m.sockets[0] = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  m.sockets[1] = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (m.sockets[0] < 0 && m.sockets[1] < 0) {
    return fail(Code::Unavailable, "udp socket: {}", std::strerror(errno));
  }
  // From anywhere: an answer from the asked address must also know its request's id.
  const std::string start = snmp::random_bytes(4);
  std::memcpy(&m.next_id, start.data(), sizeof m.next_id);
  m.next_id &= 0x3fffffff;
  m.thread = std::jthread([&m](const std::stop_token& stop) { m.run(stop); });
  return {};
}

void IfPoller::stop() {
  impl_->thread.request_stop();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

void IfPoller::set_inventory(std::shared_ptr<const Inventory> inventory) {
  const std::lock_guard lock(impl_->mutex);
  impl_->next_inventory = std::move(inventory);
}

std::size_t IfPoller::devices() const { return impl_->device_count; }

}  // namespace belfry
