#include "belfry/probe/prober.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "address.hpp"
#include "belfry/runtime/log.hpp"
#include "icmp.hpp"
#include "schedule.hpp"

namespace belfry {
namespace {

using probe::Address;
using probe::Icmp;
using probe::Schedule;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kWaitMax = 1000 * kMillisecond;   // set_inventory() and stop() ring anyway
constexpr std::int64_t kSendAgain = 10 * kMillisecond;   // the socket's buffer was full
constexpr std::int64_t kPendingWait = 2 * kMillisecond;  // a batch is never older (model/batch.hpp)

// epoll_event.data: what rang.
constexpr std::uint64_t kWake = ~std::uint64_t{0}, kIcmp4 = kWake - 1, kIcmp6 = kWake - 2;

/// A check under way.
struct Flight {
  bool active = false;
  std::uint32_t target = 0;
  std::uint32_t generation = 0;
  int fd = -1;  ///< Tcp
  std::int64_t started = 0, deadline = 0;
};

/// Nobody else may guess what our echoes carry.
std::uint64_t new_magic(std::int64_t boot_ns) {
  std::uint64_t magic = 0;
  const auto got = ::getrandom(&magic, sizeof magic, 0);
  return got == sizeof magic ? magic : static_cast<std::uint64_t>(boot_ns);
}

}  // namespace

struct Prober::Impl {
  ProbeOptions options;
  Clock& clock;
  Intake intake;
  Counter& results_up;
  Counter& results_degraded;
  Counter& results_down;
  Gauge& targets_gauge;

  std::mutex mutex;
  std::shared_ptr<const Inventory> next_inventory;  // guarded by mutex
  bool inventory_changed = false;                   // guarded by mutex
  std::atomic<std::size_t> target_count{0};

  Schedule schedule;
  std::vector<Address> addresses;  // by target
  std::vector<Flight> flights;
  std::vector<std::uint32_t> free_slots;
  Icmp icmp4, icmp6;
  int epoll = -1, wake = -1;
  std::jthread thread;

  Impl(ProbeOptions given, Port& port, Clock& given_clock, Ledger& ledger, Metrics& metrics,
       IntakeOptions in)
      : options(std::move(given)),
        clock(given_clock),
        intake(port, given_clock, ledger, metrics, std::move(in)),
        results_up(counter(metrics, "up")),
        results_degraded(counter(metrics, "degraded")),
        results_down(counter(metrics, "down")),
        targets_gauge(metrics.gauge("belfry_probe_targets", "targets under schedule")) {}
  ~Impl() {
    for (const Flight& flight : flights) {
      if (flight.fd >= 0) {
        ::close(flight.fd);
      }
    }
    for (const int fd : {epoll, wake}) {
      if (fd >= 0) {
        ::close(fd);
      }
    }
  }
  static Counter& counter(Metrics& metrics, std::string_view status) {
    return metrics.counter("belfry_probe_results_total", "finished checks", {{"status", status}});
  }

  std::vector<ProbeTarget> all_targets(const Inventory* inventory) const;
  void retarget();
  Result<void> open();
  bool watch(int fd, std::uint32_t events, std::uint64_t data) const;
  void run(const std::stop_token& stop);
  void launch(std::int64_t now);
  bool start_flight(std::uint32_t slot, std::uint32_t target, std::int64_t now);
  bool start_tcp(std::uint32_t slot, std::int64_t now);
  void finish(std::uint32_t slot, bool answered, std::int64_t now);
  void emit(const ProbeTarget& target, Status status, std::int64_t round_trip);
  void wait_and_collect(std::int64_t now);
  void collect_icmp(Icmp& icmp, std::int64_t now);
  void collect_tcp(std::uint32_t slot, std::uint32_t generation, std::int64_t now);
  void expire(std::int64_t now);
  std::int64_t wait_ns(std::int64_t now) const;
  void ring() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake, &one, sizeof one));
  }
};

std::vector<ProbeTarget> Prober::Impl::all_targets(const Inventory* inventory) const {
  std::vector<ProbeTarget> out = options.targets;
  if (inventory != nullptr) {
    for (ProbeTarget& target : role_targets(*inventory, options)) {
      out.push_back(std::move(target));
    }
  }
  const auto bad = std::remove_if(out.begin(), out.end(), [](const ProbeTarget& target) {
    return !Address::parse(target.address, target.port);
  });
  if (bad != out.end()) {
    log::warn("probe", "{} targets have no IP address and are not probed", out.end() - bad);
    out.erase(bad, out.end());
  }
  if (out.size() > options.targets_max) {
    log::warn("probe", "{} targets: only the first {} are probed", out.size(), options.targets_max);
    out.resize(options.targets_max);
  }
  return out;
}

/// Takes over what set_inventory() left. Checks under way are dropped: their targets come again
/// soon.
void Prober::Impl::retarget() {
  std::shared_ptr<const Inventory> inventory;
  {
    const std::lock_guard lock(mutex);
    if (!inventory_changed) {
      return;
    }
    inventory_changed = false;
    inventory = next_inventory;
  }
  free_slots.clear();
  for (std::uint32_t slot = 0; slot < flights.size(); ++slot) {
    if (flights[slot].fd >= 0) {
      ::close(flights[slot].fd);
    }
    flights[slot] = {.generation = flights[slot].generation + 1};
    free_slots.push_back(slot);
  }
  schedule.set_targets(all_targets(inventory.get()), clock.boot_ns());
  addresses.clear();
  for (std::uint32_t i = 0; i < schedule.size(); ++i) {
    const ProbeTarget& target = schedule.target(i);
    addresses.push_back(*Address::parse(target.address, target.port));
  }
  target_count.store(schedule.size());
  targets_gauge.set(static_cast<double>(schedule.size()));
}

bool Prober::Impl::watch(int fd, std::uint32_t events, std::uint64_t data) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

Result<void> Prober::Impl::open() {
  epoll = ::epoll_create1(EPOLL_CLOEXEC);
  wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll < 0 || wake < 0 || !watch(wake, EPOLLIN, kWake)) {
    return fail(Code::Unavailable, "probes: no epoll or eventfd: {}",
                std::system_category().message(errno));
  }
  const bool wants_icmp =
      !options.icmp_roles.empty() ||
      std::any_of(options.targets.begin(), options.targets.end(),
                  [](const ProbeTarget& t) { return t.check == ProbeCheck::Icmp; });
  if (wants_icmp) {
    const std::uint64_t magic = new_magic(clock.boot_ns());
    BELFRY_CHECK_OK(icmp4.open(AF_INET, magic));
    watch(icmp4.fd(), EPOLLIN, kIcmp4);
    if (icmp6.open(AF_INET6, magic)) {  // a host without IPv6 is no reason not to start
      watch(icmp6.fd(), EPOLLIN, kIcmp6);
    }
  }
  flights.resize(std::max<std::size_t>(options.in_flight_max, 1));
  return {};
}

void Prober::Impl::launch(std::int64_t now) {
  while (!free_slots.empty()) {
    const auto target = schedule.take_due(now);
    if (!target) {
      return;
    }
    const std::uint32_t slot = free_slots.back();
    free_slots.pop_back();
    if (!start_flight(slot, *target, now)) {
      free_slots.push_back(slot);
    }
  }
}

/// False: the slot is not in use (it was refused at once, or has to be sent later).
bool Prober::Impl::start_flight(std::uint32_t slot, std::uint32_t target, std::int64_t now) {
  Flight& flight = flights[slot];
  const ProbeTarget& what = schedule.target(target);
  flight = {.target = target,
            .generation = flight.generation + 1,
            .started = now,
            .deadline = now + what.timeout.count()};
  if (what.check == ProbeCheck::Tcp) {
    return start_tcp(slot, now);
  }
  Icmp& icmp = addresses[target].family() == AF_INET ? icmp4 : icmp6;
  const Icmp::Sent sent =
      icmp.fd() < 0 ? Icmp::Sent::Failed : icmp.send(addresses[target], {slot, flight.generation});
  if (sent == Icmp::Sent::Ok) {
    flight.active = true;
    return true;
  }
  if (sent == Icmp::Sent::Later) {
    schedule.later(target, now + kSendAgain);
  } else if (const auto status = schedule.failed(target, now)) {
    emit(what, *status, 0);  // no route counts as no answer
  }
  return false;
}

bool Prober::Impl::start_tcp(std::uint32_t slot, std::int64_t now) {
  Flight& flight = flights[slot];
  const Address& address = addresses[flight.target];
  flight.fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (flight.fd < 0) {
    schedule.later(flight.target,
                   now + kSendAgain);  // out of descriptors says nothing about the target
    return false;
  }
  flight.active = true;
  if (::connect(flight.fd, address.get(), address.size()) == 0) {
    finish(slot, true, now);
    return true;
  }
  const std::uint64_t data = (static_cast<std::uint64_t>(flight.generation) << 32) | slot;
  if (errno != EINPROGRESS || !watch(flight.fd, EPOLLOUT, data)) {
    finish(slot, false, now);
  }
  return true;
}

void Prober::Impl::finish(std::uint32_t slot, bool answered, std::int64_t now) {
  Flight& flight = flights[slot];
  if (flight.fd >= 0) {
    ::close(flight.fd);  // epoll forgets it with the last descriptor
    flight.fd = -1;
  }
  flight.active = false;
  free_slots.push_back(slot);
  const std::uint32_t target = flight.target;
  if (answered) {
    emit(schedule.target(target), schedule.answered(target, now), now - flight.started);
  } else if (const auto status = schedule.failed(target, now)) {
    emit(schedule.target(target), *status, 0);
  }
}

void Prober::Impl::emit(const ProbeTarget& target, Status status, std::int64_t round_trip) {
  (status == Status::Up     ? results_up
   : status == Status::Down ? results_down
                            : results_degraded)
      .add();
  if (intake.must_flush() && !intake.try_flush(false)) {
    intake.shed();
  }
  Event& event = intake.begin();
  Arena& arena = intake.arena();
  event.kind = EventKind::Probe;
  event.type = "probe";
  event.node = arena.copy(target.node);
  event.from = arena.copy(target.address);
  std::array<Attr, 6> attrs;
  std::size_t n = 0;
  const auto add = [&](std::string_view name, Value value) { attrs[n++] = {name, value}; };
  const double ms = static_cast<double>(round_trip) / kMillisecond;
  add("check", Value::string(name(target.check)));
  add("status", Value::string(name(status)));
  add("vantage", Value::string(arena.copy(options.vantage)));
  add("address", Value::string(event.from));
  if (status != Status::Down) {
    add("value", Value::real(ms));
  }
  if (target.check == ProbeCheck::Tcp) {
    add("port", Value::integer(target.port));
  }
  event.attrs = arena.copy(std::span<const Attr>(attrs.data(), n));
  std::array<char, 256> text;
  const auto port = target.check == ProbeCheck::Tcp ? target.port : std::uint16_t{0};
  const auto end =
      status == Status::Down
          ? fmt::format_to_n(text.data(), text.size(), "{} {} port {} down: no answer in {} ms",
                             name(target.check), target.address, port,
                             target.timeout.count() / kMillisecond)
          : fmt::format_to_n(text.data(), text.size(), "{} {} port {} {}: {:.2f} ms",
                             name(target.check), target.address, port, name(status), ms);
  event.raw = arena.copy({text.data(), std::min(end.size, text.size())});
  intake.commit();
}

void Prober::Impl::collect_icmp(Icmp& icmp, std::int64_t now) {
  while (const auto reply = icmp.receive()) {
    const std::uint32_t slot = reply->token.slot;
    if (slot < flights.size() && flights[slot].active &&
        flights[slot].generation == reply->token.generation &&
        addresses[flights[slot].target].same_host(reply->from)) {
      finish(slot, true, now);
    }
  }
}

void Prober::Impl::collect_tcp(std::uint32_t slot, std::uint32_t generation, std::int64_t now) {
  if (slot >= flights.size() || !flights[slot].active || flights[slot].generation != generation) {
    return;
  }
  int error = 0;
  socklen_t size = sizeof error;
  const bool connected =
      ::getsockopt(flights[slot].fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  finish(slot, connected, now);
}

void Prober::Impl::expire(std::int64_t now) {
  for (std::uint32_t slot = 0; slot < flights.size(); ++slot) {
    if (flights[slot].active && flights[slot].deadline <= now) {
      finish(slot, false, now);
    }
  }
}

std::int64_t Prober::Impl::wait_ns(std::int64_t now) const {
  std::int64_t until = now + (intake.pending() > 0 ? kPendingWait : kWaitMax);
  if (!free_slots.empty()) {
    until = std::min(until, schedule.next_due());
  }
  for (const Flight& flight : flights) {
    if (flight.active) {
      until = std::min(until, flight.deadline);
    }
  }
  return std::max<std::int64_t>(until - now, 0);
}

void Prober::Impl::wait_and_collect(std::int64_t now) {
  std::array<epoll_event, 64> events;
  // Rounded up: a wait that ends a little early would turn in circles until the time has come.
  const auto ms = static_cast<int>((wait_ns(now) + kMillisecond - 1) / kMillisecond);
  const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), ms);
  intake.tick();
  const std::int64_t then = clock.boot_ns();
  for (int i = 0; i < n; ++i) {
    const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
    if (data == kWake) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake, &count, sizeof count));
    } else if (data == kIcmp4 || data == kIcmp6) {
      collect_icmp(data == kIcmp4 ? icmp4 : icmp6, then);
    } else {
      collect_tcp(static_cast<std::uint32_t>(data & 0xffffffff),
                  static_cast<std::uint32_t>(data >> 32), then);
    }
  }
  expire(then);
}

void Prober::Impl::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    retarget();
    const std::int64_t now = clock.boot_ns();
    intake.tick();
    launch(now);
    intake.try_flush(true);
    wait_and_collect(now);
    intake.try_flush(true);
  }
  intake.finish();
}

Prober::Prober(ProbeOptions options, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics,
               IntakeOptions intake)
    : impl_(std::make_unique<Impl>(std::move(options), port, clock, ledger, metrics,
                                   std::move(intake))) {
  impl_->inventory_changed = true;  // also without an inventory the configured targets are there
}
Prober::~Prober() { stop(); }

Result<void> Prober::start() {
  BELFRY_CHECK_OK(impl_->open());
  impl_->thread =
      std::jthread([impl = impl_.get()](const std::stop_token& stop) { impl->run(stop); });
  return {};
}

void Prober::stop() {
  if (impl_->thread.joinable()) {
    impl_->thread.request_stop();
    impl_->ring();
    impl_->thread.join();
  }
}

void Prober::set_inventory(std::shared_ptr<const Inventory> inventory) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->next_inventory = std::move(inventory);
    impl_->inventory_changed = true;
  }
  impl_->ring();
}

std::size_t Prober::targets() const { return impl_->target_count.load(); }

}  // namespace belfry
