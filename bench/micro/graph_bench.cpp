// What a change of state costs in a graph of 1,000 nodes and 2,000 links (target: 1 ms): one link
// or node goes down or up through matcher and fold, rules and causes included, while so many per
// cent of everything is down already. Simulated time goes on 100 ms with each.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>

#include "belfry/correlate/correlator.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"

namespace belfry {
namespace {

constexpr std::uint32_t kNodes = 1000, kLinks = 2000;
constexpr double kTargetUs = 1000;

constexpr std::string_view kRules = R"(
event syslog { msg: text head, node: device, app: string }
table device key name { name: string, role: string? }
table link key id { id: string, a: device, b: device }
defaults { settle 1s  hold 10s  recover 10s  reopen within 1m }
signal link_down(l: link)   { raise syslog "link {l} down"  clear syslog "link {l} up" }
signal host_down(n: device) { raise syslog "host {n} down"  clear syslog "host {n} up" }
graph backbone {
  nodes device
  edges link (a, b)
  roots device where role == "vantage"
  down  link_down(l), host_down(n)
}
rule link_failed { when link_down(l)  open { title "link {l.id}" severity major } }
rule node_down {
  when host_down(n)
  open { title "{n.name} down" if backbone.frontier(n) else "{n.name} unreachable" severity critical }
}
cause node_down(n)   of link_failed(l)  where backbone.frontier(n) and (l.a == n or l.b == n)
cause node_down(up)  of node_down(node) where node.cut_off(up)
cause link_failed(l) of node_down(node) where node.cut_off(l)
)";

std::string node(std::uint32_t i) { return fmt::format("n{}", i); }
std::string link(std::uint32_t i) { return fmt::format("l{}", i); }

class Mesh {
 public:
  Mesh() {
    const rules::SourceFile file{"graph.bell", std::string(kRules)};
    const rules::Compiled compiled = rules::compile(std::span(&file, 1));
    if (!compiled.program) {
      fmt::print(stderr, "{}", rules::render(compiled.diagnostics, std::span(&file, 1), false));
      std::abort();
    }
    program_ = compiled.program;
    const std::shared_ptr<const Inventory> inventory = make();
    matcher_ = std::make_unique<rules::Matcher>(program_, inventory);
    fold_.set_program(program_, Seq{1}, Instant{1}, changes_);
    fold_.set_inventory(inventory, Seq{2}, Instant{1}, changes_);
    down_.assign(kNodes + kLinks, false);
  }
  /// Another state of a node (the first numbers) or a link.
  void toggle(std::uint32_t i) {
    down_[i] = !down_[i];
    const std::string text =
        fmt::format("{} {} {}", i < kNodes ? "host" : "link",
                    i < kNodes ? node(i) : link(i - kNodes), down_[i] ? "down" : "up");
    batch_.clear();
    Event& event = batch_.events.emplace_back();
    event.kind = EventKind::Syslog;
    event.type = "syslog";
    event.node = "n0";
    event.message = batch_.arena.copy(text);
    matcher_->match(batch_);
    now_ += 100'000'000;
    fold_.on_event(event, batch_.matches, Seq{++seq_}, Instant{now_}, changes_);
    changes_.clear();
  }
  bool down(std::uint32_t i) const { return down_[i]; }

 private:
  /// A tree with random links across: every node has four on the average.
  std::shared_ptr<const Inventory> make() const {
    InventoryBuilder builder(program_->schema);
    const std::uint32_t device = program_->schema->find_table("device");
    const std::uint32_t links = program_->schema->find_table("link");
    std::mt19937 random(7);
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      const std::string name = node(i);
      builder.add_row(device, std::vector<Value>{Value::string(name),
                                                 Value::string(i < 2 ? "vantage" : "router")});
    }
    for (std::uint32_t i = 0; i < kLinks; ++i) {
      const std::uint32_t a = i + 1 < kNodes ? i + 1 : random() % kNodes;
      const std::uint32_t b = i + 1 < kNodes ? random() % (i + 1) : random() % kNodes;
      const std::string id = link(i), from = node(a), to = node(b);
      builder.add_row(links, std::vector<Value>{Value::string(id), Value::row(device, from),
                                                Value::row(device, to)});
    }
    return *builder.build(1);
  }

  std::shared_ptr<const rules::Program> program_;
  std::unique_ptr<rules::Matcher> matcher_;
  Correlator fold_;
  Batch batch_;
  std::vector<IncidentChange> changes_;
  std::vector<bool> down_;
  std::uint64_t seq_ = 2;
  std::int64_t now_ = 1'000'000'000;
};

void change(benchmark::State& state) {
  Mesh mesh;
  std::mt19937 random(1);
  const auto wanted = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 2; i < kNodes + kLinks; ++i) {
    if (random() % 100 < wanted) {
      mesh.toggle(i);
    }
  }
  std::uint32_t last = 2;
  bool back = false;
  for (auto _ : state) {  // down and up again, so that the share stays
    last = back ? last : 2 + random() % (kNodes + kLinks - 2);
    back = !back;
    mesh.toggle(last);
  }
  state.counters["of_1ms"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kTargetUs / 1e6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(change)
    ->ArgName("percent_down")
    ->Arg(0)
    ->Arg(5)
    ->Arg(20)
    ->Arg(50)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace belfry
