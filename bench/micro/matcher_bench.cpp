// What matching at the door costs per event, with 10 to 5,000 templates: messages that nothing
// matches, messages with a vendor tag, and messages found by a literal anchor.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"

namespace belfry::rules {
namespace {

constexpr std::string_view kPrelude = R"(
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
table device key name { name: string }
)";

/// Half of the templates begin with a vendor tag, half are found by their longest literal.
std::string rules_text(std::int64_t templates) {
  std::string out(kPrelude);
  for (std::int64_t i = 0; i < templates; i += 2) {
    out += fmt::format(R"(
signal s{0}(node: device, port: string) {{
  raise syslog "%UNIT{0}-3-FAULT: Port {{port}} of unit {0} has failed{{_}}"
  clear syslog "supervisor {0} says port {{port}} is healthy again"
}})",
                       i);
  }
  return out;
}

Matcher matcher_of(std::int64_t templates) {
  const SourceFile file{"bench.bell", rules_text(templates)};
  const Compiled compiled = compile(std::span(&file, 1));
  if (!compiled.program) {
    fmt::print(stderr, "{}", render(compiled.diagnostics, std::span(&file, 1), false));
    std::abort();
  }
  InventoryBuilder builder(compiled.program->schema);
  return Matcher(compiled.program, *builder.build(1));
}

Event message(std::string_view text, std::string_view tag = {}) {
  Event e;
  e.type = "syslog";
  e.node = "par2-r1";
  e.message = text;
  e.tag = tag;
  return e;
}

void run(benchmark::State& state, const Event& event, std::size_t matches) {
  constexpr std::size_t kEvents = 256;
  Matcher matcher = matcher_of(state.range(0));
  Batch batch;
  batch.events.assign(kEvents, event);
  for (auto _ : state) {
    batch.arena.clear();
    batch.matches.clear();
    matcher.match(batch);
    benchmark::DoNotOptimize(batch.matches.data());
  }
  if (batch.matches.size() != matches * kEvents) {
    state.SkipWithError("not the matches that were expected");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kEvents) * state.iterations());
}

void no_match(benchmark::State& state) {
  run(state,
      message("pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", "cron"), 0);
}
void by_tag(benchmark::State& state) {
  run(state, message("%UNIT4-3-FAULT: Port 7/3 of unit 4 has failed after 12 ms", "UNIT4-3-FAULT"),
      1);
}
void by_anchor(benchmark::State& state) {
  run(state, message("supervisor 4 says port 7/3 is healthy again"), 1);
}

BENCHMARK(no_match)->Arg(10)->Arg(1000)->Arg(5000);
BENCHMARK(by_tag)->Arg(10)->Arg(1000)->Arg(5000);
BENCHMARK(by_anchor)->Arg(10)->Arg(1000)->Arg(5000);

}  // namespace
}  // namespace belfry::rules
