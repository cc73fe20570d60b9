#include "belfry/probe/prober.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>

#include "attempt.hpp"
#include "belfry/runtime/log.hpp"
#include "events.hpp"
#include "icmp.hpp"
#include "schedule.hpp"

namespace belfry {
namespace {

using probe::Attempt;
using probe::Finding;
using probe::Icmp;
using probe::Schedule;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr double kSecond = 1e9;
constexpr std::int64_t kWaitMax = 1000 * kMillisecond;   // set_inventory() and stop() ring anyway
constexpr std::int64_t kSendAgain = 10 * kMillisecond;   // the socket's buffer was full
constexpr std::int64_t kTryAgain = 500 * kMillisecond;   // no descriptor, no process: give it time
constexpr std::int64_t kPendingWait = 2 * kMillisecond;  // a batch is never older (model/batch.hpp)
// What is due within it is sent together: a hundred wake-ups a second for 1,000 echoes, not a
// thousand.
constexpr std::int64_t kLaunchTick = 10 * kMillisecond;
// Between the echoes of one round: a burst would measure the queue that it makes itself.
constexpr std::int64_t kEchoGap = 20 * kMillisecond;

// epoll_event.data: what rang; others are generation << 32 | slot.
constexpr std::uint64_t kWake = ~std::uint64_t{0}, kIcmp4 = kWake - 1, kIcmp6 = kWake - 2;

/// The echoes of one round.
struct Echoes {
  std::uint32_t wanted = 0, sent = 0, answered = 0;
  double seconds = 0;  ///< of all answers together
  std::array<std::int64_t, kEchoesMax> at{};
  std::uint32_t open = 0;  ///< a bit for each that has no answer yet
};

/// A check under way.
struct Flight {
  bool active = false, asked = false;
  std::uint32_t target = 0;
  std::uint32_t generation = 0;
  std::int64_t deadline = 0;
  std::unique_ptr<Attempt> attempt;  ///< null: icmp
  Echoes echoes;
};

/// When to look at a flight again; old ones are known by their generation.
struct Alarm {
  std::int64_t at;
  std::uint32_t slot, generation;
  bool operator<(const Alarm& other) const { return at > other.at; }
};

/// A bound of checks that hold something dear, and those that wait for it.
struct Room {
  std::size_t max = 0, used = 0;
  std::deque<std::uint32_t> waiting;
  Counter* waited = nullptr;
};

std::uint64_t new_magic(std::int64_t boot_ns) {  // nobody else may guess what our echoes carry
  const std::string random = probe::random_bytes(sizeof(std::uint64_t));
  std::uint64_t magic = static_cast<std::uint64_t>(boot_ns);
  std::memcpy(&magic, random.data(), random.size());
  return magic;
}

std::string ask_key(std::string_view node, std::string_view check) {
  return std::string(node) + '\x1f' + std::string(check);
}

}  // namespace

struct Prober::Impl final : probe::Watch {
  ProbeOptions options;
  Clock& clock;
  probe::Events events;
  probe::Shared shared;
  Gauge& targets_gauge;
  Gauge& in_flight_gauge;

  std::mutex mutex;
  std::shared_ptr<const Inventory> next_inventory;  // guarded by mutex
  bool inventory_changed = true;  // guarded by mutex; configured targets need no inventory
  std::vector<std::string> asks;  // guarded by mutex
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_name;  // guarded by mutex
  std::atomic<std::size_t> target_count{0};

  std::vector<std::shared_ptr<const CheckSpec>> specs;
  Schedule schedule;
  std::vector<SocketAddress> addresses;  // by target
  std::vector<std::uint8_t> asked;       // by target
  std::vector<Flight> flights;
  std::vector<std::uint32_t> free_slots;
  std::priority_queue<Alarm> alarms;
  Room sockets, plugins;
  std::int64_t launched = 0;   ///< when targets were last due
  std::uint32_t watching = 0;  ///< slot whose attempt runs, for watch()
  Icmp icmp4, icmp6;
  int epoll = -1, wake = -1;
  std::jthread thread;

  Impl(ProbeOptions given, Port& port, Clock& given_clock, Ledger& ledger, Metrics& metrics,
       IntakeOptions in);
  ~Impl() override;

  std::vector<ProbeTarget> all_targets(const Inventory* inventory) const;
  void retarget();
  void index_targets();
  Result<void> open();
  Result<void> open_icmp();
  bool wants(ProbeCheck check, bool others) const;
  bool add_watch(int fd, std::uint32_t wanted, std::uint64_t data) const;
  bool watch(int fd, std::uint32_t wanted) override;
  void run(const std::stop_token& stop);
  void launch(std::int64_t now);
  std::optional<std::uint32_t> next_target(std::int64_t now);
  Room* room_of(std::uint32_t target);
  void start_flight(std::uint32_t target, std::int64_t now);
  bool send_echo(std::uint32_t slot, std::int64_t now);
  void finish(std::uint32_t slot, const Finding& finding, std::int64_t now);
  void finish_echoes(std::uint32_t slot, std::int64_t now);
  void take_asks(std::int64_t now);
  void wait_and_collect(std::int64_t now);
  void collect_icmp(Icmp& icmp, std::int64_t now);
  void collect(std::uint32_t slot, std::uint32_t generation, std::int64_t now);
  void ring_alarms(std::int64_t now);
  std::int64_t wait_ns(std::int64_t now);
  void ring() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake, &one, sizeof one));
  }
};

Prober::Impl::Impl(ProbeOptions given, Port& port, Clock& given_clock, Ledger& ledger,
                   Metrics& metrics, IntakeOptions in)
    : options(std::move(given)),
      clock(given_clock),
      events(port, given_clock, ledger, metrics, std::move(in), options.vantage),
      shared{given_clock, options.output_max, nullptr},
      targets_gauge(metrics.gauge("belfry_probe_targets", "targets under schedule")),
      in_flight_gauge(metrics.gauge("belfry_probe_in_flight", "checks under way")) {
  const auto room = [&metrics](std::size_t max, std::string_view bound) {
    return Room{
        std::max<std::size_t>(max, 1),
        0,
        {},
        &metrics.counter("belfry_probe_waited_total",
                         "checks that waited because a bound was reached", {{"bound", bound}})};
  };
  sockets = room(options.sockets_max, "sockets_max");
  plugins = room(options.plugins_max, "plugins_max");
  for (const CheckSpec& spec : options.checks) {
    specs.push_back(std::make_shared<const CheckSpec>(spec));
  }
}

Prober::Impl::~Impl() {
  flights.clear();
  for (const int fd : {epoll, wake}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

std::vector<ProbeTarget> Prober::Impl::all_targets(const Inventory* inventory) const {
  std::vector<ProbeTarget> out = options.targets;
  std::size_t homeless = 0;
  const auto append = [&out](std::vector<ProbeTarget> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  if (inventory != nullptr) {
    append(role_targets(*inventory, options));
  }
  for (const auto& spec : specs) {
    append(spec_targets(inventory, spec, homeless));
  }
  std::erase_if(out, [&homeless](const ProbeTarget& target) {
    const bool bad =
        target.check != ProbeCheck::Plugin && !SocketAddress::parse(target.address, target.port);
    homeless += bad ? 1 : 0;
    return bad;
  });
  if (homeless > 0) {
    log::warn("probe", "{} targets have no IP address and are not probed", homeless);
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
    const std::uint32_t next = flights[slot].generation + 1;
    flights[slot] = {};
    flights[slot].generation = next;
    free_slots.push_back(slot);
  }
  for (Room* room : {&sockets, &plugins}) {
    room->used = 0;
    room->waiting.clear();
  }
  schedule.set_targets(all_targets(inventory.get()), clock.boot_ns());
  index_targets();
  target_count.store(schedule.size());
  targets_gauge.set(static_cast<double>(schedule.size()));
}

void Prober::Impl::index_targets() {
  addresses.clear();
  asked.assign(schedule.size(), 0);
  const std::lock_guard lock(mutex);
  by_name.clear();
  for (std::uint32_t i = 0; i < schedule.size(); ++i) {
    const ProbeTarget& target = schedule.target(i);
    addresses.push_back(
        SocketAddress::parse(target.address, target.port).value_or(SocketAddress{}));
    by_name[ask_key(target.node, target.name())].push_back(i);
  }
}

bool Prober::Impl::add_watch(int fd, std::uint32_t wanted, std::uint64_t data) const {
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = data;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
         (errno == EEXIST && ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
}

bool Prober::Impl::watch(int fd, std::uint32_t wanted) {
  const std::uint64_t generation = flights[watching].generation;
  return add_watch(fd, wanted, generation << 32 | watching);
}

/// Whether there is a target of this check, or (`others`) of any other.
bool Prober::Impl::wants(ProbeCheck check, bool others) const {
  const auto fits = [&](ProbeCheck has) { return (has == check) != others; };
  return (!others && !options.icmp_roles.empty() && check == ProbeCheck::Icmp) ||
         std::ranges::any_of(options.targets, fits, &ProbeTarget::check) ||
         std::ranges::any_of(options.checks, [&](const CheckSpec& spec) {
           return (spec.kind == name(check)) != others;
         });
}

Result<void> Prober::Impl::open_icmp() {
  const std::uint64_t magic = new_magic(clock.boot_ns());
  BELFRY_CHECK_OK(icmp4.open(AF_INET, magic));
  add_watch(icmp4.fd(), EPOLLIN, kIcmp4);
  if (icmp6.open(AF_INET6, magic)) {  // a host without IPv6 is no reason not to start
    add_watch(icmp6.fd(), EPOLLIN, kIcmp6);
  }
  return {};
}

Result<void> Prober::Impl::open() {
  epoll = ::epoll_create1(EPOLL_CLOEXEC);
  wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll < 0 || wake < 0 || !add_watch(wake, EPOLLIN, kWake)) {
    return fail(Code::Unavailable, "probes: no epoll or eventfd: {}",
                std::system_category().message(errno));
  }
  if (wants(ProbeCheck::Icmp, false)) {
    if (auto opened = open_icmp(); !opened) {
      if (!wants(ProbeCheck::Icmp, true)) {
        return opened;
      }
      log::warn("probe", "{}; the other checks run", opened.error());
    }
  }
  flights.resize(std::max<std::size_t>(options.in_flight_max, 1));
  return {};
}

/// What this target's check must find room in; null: nothing but a slot.
Room* Prober::Impl::room_of(std::uint32_t target) {
  const ProbeCheck check = schedule.target(target).check;
  return check == ProbeCheck::Icmp ? nullptr : check == ProbeCheck::Plugin ? &plugins : &sockets;
}

/// Those that wait for room come first, then what is due.
std::optional<std::uint32_t> Prober::Impl::next_target(std::int64_t now) {
  for (Room* room : {&sockets, &plugins}) {
    if (room->used < room->max && !room->waiting.empty()) {
      const std::uint32_t target = room->waiting.front();
      room->waiting.pop_front();
      return target;
    }
  }
  while (const auto target = schedule.take_due(now)) {
    Room* room = room_of(*target);
    if (room == nullptr || room->used < room->max) {
      return target;
    }
    room->waiting.push_back(*target);
    room->waited->add();
  }
  return std::nullopt;
}

void Prober::Impl::launch(std::int64_t now) {
  launched = schedule.next_due() <= now ? now : launched;
  while (!free_slots.empty()) {
    const auto target = next_target(now);
    if (!target) {
      return;
    }
    start_flight(*target, now);
  }
}

void Prober::Impl::start_flight(std::uint32_t target, std::int64_t now) {
  const std::uint32_t slot = free_slots.back();
  free_slots.pop_back();
  Flight& flight = flights[slot];
  const ProbeTarget& what = schedule.target(target);
  flight.active = true;
  flight.target = target;
  ++flight.generation;
  flight.deadline = now + what.timeout.count();
  if (Room* room = room_of(target)) {
    ++room->used;
  }
  if (what.check == ProbeCheck::Icmp) {
    flight.echoes = {};
    flight.echoes.wanted = std::clamp(probe::spec_of(what).echoes, 1U, kEchoesMax);
    if (!send_echo(slot, now)) {
      return;
    }
  } else {
    flight.attempt = probe::make_attempt(what, addresses[target], shared);
    watching = slot;
    if (const auto finding = flight.attempt->start(*this, now)) {
      finish(slot, *finding, now);
      return;
    }
  }
  alarms.push({flight.deadline, slot, flight.generation});
}

/// False: the flight is over.
bool Prober::Impl::send_echo(std::uint32_t slot, std::int64_t now) {
  Flight& flight = flights[slot];
  Echoes& echoes = flight.echoes;
  Icmp& icmp = addresses[flight.target].family() == AF_INET ? icmp4 : icmp6;
  if (icmp.fd() < 0) {
    finish(slot, Finding::of(Finding::Kind::Broken, "ICMP is not allowed here"), now);
    return false;
  }
  const auto sent = icmp.send(addresses[flight.target], {slot, flight.generation, echoes.sent});
  if (sent == Icmp::Sent::Later && echoes.sent == 0) {
    finish(slot, Finding::of(Finding::Kind::Later, ""), now);
    return false;
  }
  echoes.at[echoes.sent] = now;
  echoes.open |= 1U << echoes.sent;  // no route counts as no answer
  ++echoes.sent;
  if (sent == Icmp::Sent::Failed && echoes.wanted == 1) {
    finish_echoes(slot, now);
    return false;
  }
  if (echoes.sent < echoes.wanted) {
    alarms.push({now + kEchoGap, slot, flight.generation});
  }
  return true;
}

void Prober::Impl::finish_echoes(std::uint32_t slot, std::int64_t now) {
  const Flight& flight = flights[slot];
  const Echoes& echoes = flight.echoes;
  probe::Quality& quality = schedule.quality(flight.target);
  for (std::uint32_t lost = echoes.open; lost != 0; lost &= lost - 1) {
    quality.lost();
  }
  Finding finding;
  finding.extras = {{"loss", quality.loss()}, {"jitter", quality.jitter()}};
  if (echoes.answered == 0) {
    finding.kind = Finding::Kind::Bad;
    finding.text = fmt::format("no answer in {} ms",
                               schedule.target(flight.target).timeout.count() / kMillisecond);
  } else {
    finding.kind = Finding::Kind::Good;
    finding.value = echoes.seconds / echoes.answered;
    finding.text = fmt::format("{:.2f} ms, loss {:.0f} %, jitter {:.2f} ms", *finding.value * 1e3,
                               quality.loss(), quality.jitter() * 1e3);
  }
  finish(slot, finding, now);
}

void Prober::Impl::finish(std::uint32_t slot, const Finding& finding, std::int64_t now) {
  Flight& flight = flights[slot];
  const std::uint32_t target = flight.target;
  flight.active = false;
  flight.attempt.reset();
  free_slots.push_back(slot);
  if (Room* room = room_of(target)) {
    --room->used;
  }
  std::optional<Status> status;
  switch (finding.kind) {
    case Finding::Kind::Later: {
      const bool icmp = schedule.target(target).check == ProbeCheck::Icmp;
      schedule.later(target, now + (icmp ? kSendAgain : kTryAgain));
      return;
    }
    case Finding::Kind::Broken:
      schedule.broken(target, now);
      status = Status::Unknown;
      break;
    case Finding::Kind::Bad:
      status = schedule.failed(target, now);
      break;
    case Finding::Kind::Good:
    case Finding::Kind::Warn:
      status = schedule.answered(target, now);
      if (finding.kind == Finding::Kind::Warn) {
        status = Status::Degraded;
      }
      break;
  }
  if (status) {
    events.emit(schedule.target(target), *status, finding, std::exchange(asked[target], 0) != 0);
  }
}

void Prober::Impl::collect_icmp(Icmp& icmp, std::int64_t now) {
  while (const auto reply = icmp.receive()) {
    const std::uint32_t slot = reply->token.slot, index = reply->token.index;
    if (slot >= flights.size() || index >= kEchoesMax || !flights[slot].active ||
        flights[slot].generation != reply->token.generation || flights[slot].attempt != nullptr ||
        !addresses[flights[slot].target].same_host(reply->from)) {
      continue;
    }
    Echoes& echoes = flights[slot].echoes;
    if ((echoes.open & 1U << index) == 0) {
      continue;  // answered twice
    }
    echoes.open &= ~(1U << index);
    const double seconds = static_cast<double>(now - echoes.at[index]) / kSecond;
    echoes.seconds += seconds;
    ++echoes.answered;
    schedule.quality(flights[slot].target).answered(seconds);
    if (echoes.answered == echoes.wanted) {
      finish_echoes(slot, now);
    }
  }
}

void Prober::Impl::collect(std::uint32_t slot, std::uint32_t generation, std::int64_t now) {
  if (slot >= flights.size() || !flights[slot].active || flights[slot].generation != generation ||
      flights[slot].attempt == nullptr) {
    return;
  }
  watching = slot;
  if (const auto finding = flights[slot].attempt->ready(*this, now)) {
    finish(slot, *finding, now);
  }
}

void Prober::Impl::ring_alarms(std::int64_t now) {
  while (!alarms.empty() && alarms.top().at <= now) {
    const Alarm alarm = alarms.top();
    alarms.pop();
    Flight& flight = flights[alarm.slot];
    if (!flight.active || flight.generation != alarm.generation) {
      continue;
    }
    if (flight.deadline > now) {
      send_echo(alarm.slot, now);
    } else if (flight.attempt != nullptr) {
      finish(alarm.slot, flight.attempt->timed_out(now), now);
    } else {
      finish_echoes(alarm.slot, now);
    }
  }
}

void Prober::Impl::take_asks(std::int64_t now) {
  const std::lock_guard lock(mutex);
  for (const std::string& key : asks) {
    const auto found = by_name.find(key);
    if (found != by_name.end()) {
      for (const std::uint32_t target : found->second) {
        asked[target] = 1;
        schedule.hurry(target, now);
      }
    }
  }
  asks.clear();
}

std::int64_t Prober::Impl::wait_ns(std::int64_t now) {
  std::int64_t until = now + (events.intake().pending() > 0 ? kPendingWait : kWaitMax);
  if (!free_slots.empty()) {
    until = std::min(until, std::max(schedule.next_due(), launched + kLaunchTick));
  }
  if (!alarms.empty()) {
    until = std::min(until, alarms.top().at);
  }
  return std::max<std::int64_t>(until - now, 0);
}

void Prober::Impl::wait_and_collect(std::int64_t now) {
  std::array<epoll_event, 64> ready;
  // Rounded up: a wait that ends a little early would turn in circles until the time has come.
  const auto ms = static_cast<int>((wait_ns(now) + kMillisecond - 1) / kMillisecond);
  const int n = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), ms);
  events.intake().tick();
  const std::int64_t then = clock.boot_ns();
  for (int i = 0; i < n; ++i) {
    const std::uint64_t data = ready[static_cast<std::size_t>(i)].data.u64;
    if (data == kWake) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake, &count, sizeof count));
    } else if (data == kIcmp4 || data == kIcmp6) {
      collect_icmp(data == kIcmp4 ? icmp4 : icmp6, then);
    } else {
      collect(static_cast<std::uint32_t>(data & 0xffffffff), static_cast<std::uint32_t>(data >> 32),
              then);
    }
  }
  ring_alarms(then);
}

void Prober::Impl::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "probe");
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);  // TLS writes to a peer that went: an error is enough
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stop.stop_requested()) {
    retarget();
    const std::int64_t now = clock.boot_ns();
    events.intake().tick();
    take_asks(now);
    launch(now);
    in_flight_gauge.set(static_cast<double>(flights.size() - free_slots.size()));
    wait_and_collect(now);
    events.intake().try_flush(false);  // when it is aged: answers that come together go together
  }
  flights.clear();  // children end with their checks
  events.intake().finish();
}

Prober::Prober(ProbeOptions options, Port& port, Clock& clock, Ledger& ledger, Metrics& metrics,
               IntakeOptions intake)
    : impl_(std::make_unique<Impl>(std::move(options), port, clock, ledger, metrics,
                                   std::move(intake))) {}
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

Prober::Asked Prober::ask(std::string_view node, std::string_view check) {
  std::string key = ask_key(node, check);
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->by_name.contains(key)) {
      return Asked::Unknown;
    }
    if (impl_->asks.size() >= kAsksMax) {
      return Asked::Full;
    }
    impl_->asks.push_back(std::move(key));
  }
  impl_->ring();
  return Asked::Queued;
}

std::size_t Prober::targets() const { return impl_->target_count.load(); }

}  // namespace belfry
