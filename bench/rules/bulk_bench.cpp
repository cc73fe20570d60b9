// What one input costs that concerns many keys at once: a version of the inventory in which one row
// is new, a version of the rules, a cause that adopts thousands. `bulk_bench [KEYS]`; one line per
// figure.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "belfry/correlate/correlator.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"

namespace belfry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kDefaultKeys = 100'000;
constexpr std::uint32_t kAdopted = 10'000;
constexpr std::int64_t kSecond = 1'000'000'000;

constexpr std::string_view kRules = R"(
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
enum impact  { none, at_risk, degraded, outage }
table site    key name { name: string }
table circuit key id   { id: string, span: string }
table device  key name { name: string, site: site, role: string }
table port    key node, ifname { node: device, ifname: string, circuit: circuit? }
table works   key id   { id: string, carrier: string }
relation housed(device, site) from device.site
defaults { settle 1s  hold 1s  recover 1s  reopen within 30m  limit 2000000 }

signal if_down(node: device, ifname: string) {
  raise syslog "interface {ifname} down"
  clear syslog "interface {ifname} up"
}
signal host_down(node: device) {
  raise syslog "host down"
  clear syslog "host up"
}
signal site_dark(site: site) {
  raise syslog "site {site} dark"
  clear syslog "site {site} lit"
}
rule interface_down {
  when if_down for 20s
  where node.role == "core" or port[node, ifname].circuit is some
  open { title "{node.name} {ifname} down"  severity minor }
}
rule host_unreachable {
  when host_down
  open { title "{node.name} down"  severity major }
}
rule site_down {
  when site_dark
  open { title "{site.name} dark"  severity critical }
}
cause site_down(site) of host_unreachable(node) where node.housed(site)
)";

class Bench {
 public:
  explicit Bench(std::uint32_t keys) : keys_(keys) {
    program_ = compiled(std::string(kRules));
    fold_.set_program(program_, Seq{seq_}, Instant{now_}, changes_);
    inventory_ = built(0);
    fold_.set_inventory(inventory_, Seq{++seq_}, Instant{now_}, changes_);
    matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
  }

  void run() {
    for (std::uint32_t i = 0; i < keys_; ++i) {
      send(i, "interface et-0/0/0 down");
    }
    for (std::uint32_t i = 0; i < kAdopted; ++i) {
      send(i, "host down");
    }
    now_ += 60 * kSecond;
    fold_.advance(Instant{now_}, Seq{++seq_}, changes_);
    fmt::print("incidents_open {}\n", fold_.live().size());

    for (const bool works : {true, false}) {
      inventory_ = built(works ? 1 : 2);
      now_ += kSecond;
      timed(works ? "inventory_works_row_new_ms" : "inventory_device_row_new_ms",
            [&] { fold_.set_inventory(inventory_, Seq{++seq_}, Instant{now_}, changes_); });
      matcher_ = std::make_unique<rules::Matcher>(program_, inventory_);
    }
    timed("adoption_of_10000_ms", [&] {
      send(0, "site s0 dark");
      now_ += 3 * kSecond;
      fold_.advance(Instant{now_}, Seq{++seq_}, changes_);
    });
    std::string text(kRules);
    text.replace(text.find("severity minor"), 14, "severity major");
    program_ = compiled(text);
    now_ += kSecond;
    timed("rules_version_ms",
          [&] { fold_.set_program(program_, Seq{++seq_}, Instant{now_}, changes_); });
  }

 private:
  static std::shared_ptr<const rules::Program> compiled(const std::string& text) {
    const rules::SourceFile file{"bulk.bell", text};
    rules::Compiled out = rules::compile(std::span(&file, 1));
    if (!out.program) {
      fmt::print(stderr, "{}", rules::render(out.diagnostics, std::span(&file, 1), false));
      std::exit(2);
    }
    return out.program;
  }

  /// `more` rows that only this version has.
  std::shared_ptr<const Inventory> built(int more) {
    const std::shared_ptr<const Schema> schema = program_->schema;
    InventoryBuilder builder(schema);
    const std::uint32_t site = schema->find_table("site"), device = schema->find_table("device");
    const auto add = [&](std::string_view table, std::vector<Value> cells) {
      builder.add_row(schema->find_table(table), cells);
    };
    add("site", {Value::string("s0")});
    for (std::uint32_t i = 0; i < keys_; ++i) {
      const std::string name = node(i);
      add("device", {Value::string(name), Value::row(site, "s0"), Value::string("core")});
      add("port", {Value::row(device, name), Value::string("et-0/0/0"), Value::none()});
    }
    if (more >= 1) {
      add("works", {Value::string("CHG-1"), Value::string("carrier")});
    }
    if (more >= 2) {
      add("device", {Value::string("new"), Value::row(site, "s0"), Value::string("edge")});
    }
    return *builder.build(static_cast<std::uint64_t>(more + 1));
  }

  static std::string node(std::uint32_t i) { return fmt::format("r{:06}", i); }

  void send(std::uint32_t i, std::string_view text) {
    batch_.arena.clear();
    batch_.events.clear();
    batch_.matches.clear();
    const std::string name = node(i);
    Event event;
    event.type = "syslog";
    event.node = name;
    event.message = text;
    batch_.events.push_back(event);
    matcher_->match(batch_);
    now_ += 10'000;
    fold_.on_event(batch_.events[0], batch_.matches, Seq{++seq_}, Instant{now_}, changes_);
    changes_.clear();
  }

  template <class Do>
  void timed(std::string_view name, Do what) {
    changes_.clear();
    const auto from = Clock::now();
    what();
    const std::chrono::duration<double, std::milli> took = Clock::now() - from;
    fmt::print("{} {:.1f} ({} changes)\n", name, took.count(), changes_.size());
  }

  std::uint32_t keys_;
  std::shared_ptr<const rules::Program> program_;
  std::shared_ptr<const Inventory> inventory_;
  std::unique_ptr<rules::Matcher> matcher_;
  Correlator fold_;
  Batch batch_;
  std::vector<IncidentChange> changes_;
  std::uint64_t seq_ = 1;
  std::int64_t now_ = kSecond;
};

}  // namespace
}  // namespace belfry

int main(int argc, char** argv) {
  const long keys = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  belfry::Bench(keys > 0 ? static_cast<std::uint32_t>(keys) : belfry::kDefaultKeys).run();
  return 0;
}
