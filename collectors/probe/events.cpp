#include "events.hpp"

#include <fmt/format.h>

#include <array>

#include "belfry/base/text.hpp"

namespace belfry::probe {
namespace {

// A finding's one line, as fields of events carry it.
constexpr std::size_t kTextMax = 512;
constexpr std::size_t kAttrsMax = 24;

class Attrs {
 public:
  void add(std::string_view name, Value value) {
    if (n_ < attrs_.size()) {
      attrs_[n_++] = {name, value};
    }
  }
  std::span<const Attr> all() const { return {attrs_.data(), n_}; }

 private:
  std::array<Attr, kAttrsMax> attrs_;
  std::size_t n_ = 0;
};

std::string_view vantage_of(const ProbeTarget& target, const std::string& common) {
  const std::string& own = spec_of(target).vantage;
  return own.empty() ? common : own;
}

}  // namespace

Events::Events(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions in,
               std::string vantage)
    : intake_(port, clock, ledger, metrics, std::move(in)), vantage_(std::move(vantage)) {
  const auto results = [&metrics](std::string_view status) {
    return &metrics.counter("belfry_probe_results_total", "finished checks", {{"status", status}});
  };
  up_ = results("up");
  degraded_ = results("degraded");
  down_ = results("down");
  unknown_ = results("unknown");
  samples_ = &metrics.counter("belfry_probe_samples_total", "numbers of plugins' perfdata");
  cut_ = &metrics.counter("belfry_probe_output_cut_bytes_total",
                          "bytes of plugins' output beyond output_max");
  bad_ = &metrics.counter("belfry_probe_perfdata_bad_total",
                          "pieces of plugins' perfdata that are none");
}

Event& Events::begin(const ProbeTarget& target) {
  if (intake_.must_flush() && !intake_.try_flush(false)) {
    intake_.shed();
  }
  Event& event = intake_.begin();
  Arena& arena = intake_.arena();
  event.kind = EventKind::Probe;
  event.type = "probe";
  event.node = arena.copy(target.node);
  event.from = arena.copy(target.address);
  return event;
}

void Events::emit(const ProbeTarget& target, Status status, const Finding& finding, bool asked) {
  std::array<Counter*, 4>{up_, degraded_, down_, unknown_}[static_cast<std::size_t>(status)]->add();
  Event& event = begin(target);
  Arena& arena = intake_.arena();
  Attrs attrs;
  attrs.add("check", Value::string(arena.copy(target.name())));
  attrs.add("status", Value::string(name(status)));
  attrs.add("vantage", Value::string(arena.copy(vantage_of(target, vantage_))));
  if (!event.from.empty()) {
    attrs.add("address", Value::string(event.from));
  }
  if (finding.value) {
    attrs.add("value", Value::real(*finding.value));
  }
  if (target.port != 0) {
    attrs.add("port", Value::integer(target.port));
  }
  const std::string text = printable(finding.text, kTextMax);
  attrs.add("output", Value::string(arena.copy(text)));
  for (const Extra& extra : finding.extras) {
    attrs.add(extra.name, Value::real(extra.value));
  }
  if (asked) {
    attrs.add("asked", Value::boolean(true));
  }
  event.attrs = arena.copy(attrs.all());
  if (finding.output.empty()) {
    std::array<char, kTextMax + 256> line;
    const auto end = fmt::format_to_n(
        line.data(), line.size(), "{} {}{} {}: {}", target.name(), target.address,
        target.port == 0 ? "" : fmt::format(":{}", target.port), name(status), text);
    event.raw = arena.copy({line.data(), std::min(end.size, line.size())});
  } else {
    event.raw = arena.copy(finding.output);
  }
  intake_.commit();
  if (target.check == ProbeCheck::Plugin) {
    cut_->add(finding.output_cut);
    bad_->add(finding.perf_bad);
    if (status != Status::Unknown) {
      for (const PerfValue& one : finding.perf) {
        sample(target, status, one);
      }
    }
  }
}

void Events::sample(const ProbeTarget& target, Status status, const PerfValue& one) {
  const CheckSpec& spec = spec_of(target);
  const double value = spec.percent ? one.percent().value_or(one.base) : one.base;
  if (!one.known) {
    return;
  }
  samples_->add();
  Event& event = begin(target);
  Arena& arena = intake_.arena();
  const std::string label = printable(one.label, kPerfLabelMax);
  const bool own_head = spec.label.empty();
  const std::string head =
      own_head ? fmt::format("{}.{}", target.name(), label) : std::string(target.name());
  Attrs attrs;
  attrs.add("check", Value::string(arena.copy(head)));
  attrs.add("status", Value::string(name(status)));
  attrs.add("vantage", Value::string(arena.copy(vantage_of(target, vantage_))));
  attrs.add("value", Value::real(value));
  attrs.add("label.name", Value::string(arena.copy(label)));
  attrs.add("label.unit", Value::string(arena.copy(one.unit)));
  if (!own_head && spec.label != "name" && spec.label != "unit") {
    attrs.add(arena.copy("label." + spec.label), Value::string(arena.copy(label)));
  }
  event.attrs = arena.copy(attrs.all());
  event.raw = arena.copy(fmt::format("{} {}={}{}", target.name(), label, one.value, one.unit));
  intake_.commit();
}

}  // namespace belfry::probe
