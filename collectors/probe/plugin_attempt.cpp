// The check that is a program: any Nagios or monitoring plugin.
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>

#include "attempt.hpp"
#include "belfry/base/text.hpp"
#include "child.hpp"

namespace belfry::probe {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
}

/// The command with what it may name of its target. Each stays one argument whatever is in it.
std::vector<std::string> arguments_of(const ProbeTarget& target) {
  std::vector<std::string> out = spec_of(target).command;
  for (std::size_t i = 1; i < out.size(); ++i) {
    for (const std::string_view macro : {"$ADDRESS$", "$HOSTADDRESS$"}) {
      replace_all(out[i], macro, target.address);
    }
    for (const std::string_view macro : {"$NODE$", "$HOSTNAME$"}) {
      replace_all(out[i], macro, target.node);
    }
    replace_all(out[i], "$PORT$", std::to_string(target.port));
  }
  return out;
}

class PluginAttempt final : public Attempt {
 public:
  PluginAttempt(const ProbeTarget& target, Shared& shared) : target_(target), shared_(shared) {}

  std::optional<Finding> start(Watch& watch, std::int64_t now_ns) override {
    started_ = now_ns;
    ChildLimits limits;
    limits.output_max = shared_.output_max;
    limits.memory_bytes = std::uint64_t{spec_of(target_).memory_mib} << 20;
    limits.cpu_seconds = static_cast<std::uint64_t>(target_.timeout.count() / kSecond) + 1;
    if (const auto started = child_.start(arguments_of(target_), limits); !started) {
      return Finding::of(Finding::Kind::Later, started.error().what);
    }
    for (const int fd : {child_.output_fd(), child_.error_fd(), child_.process_fd()}) {
      watch.watch(fd, EPOLLIN);
    }
    return std::nullopt;
  }

  std::optional<Finding> ready(Watch&, std::int64_t now_ns) override {
    child_.read_output();
    child_.read_errors();
    const auto code = child_.ended();
    return code ? std::optional(found(*code, now_ns)) : std::nullopt;
  }

  Finding timed_out(std::int64_t) override {
    return Finding::of(Finding::Kind::Broken,
                       fmt::format("no result in {} ms: the plugin was killed",
                                   target_.timeout.count() / 1'000'000));
  }

 private:
  Finding found(int code, std::int64_t now_ns) {
    static constexpr Finding::Kind kKinds[]{Finding::Kind::Good, Finding::Kind::Warn,
                                            Finding::Kind::Bad, Finding::Kind::Broken};
    Finding out;
    out.kind = kKinds[static_cast<std::size_t>(status_of_exit(code))];
    out.output = std::move(child_.output);
    PluginOutput read = parse_plugin_output(out.output);
    out.text = read.first;
    out.perf = std::move(read.perf);
    if (out.text.empty()) {
      const std::string_view said = trim(child_.errors);
      out.text = said.empty() ? "it said nothing" : std::string(said.substr(0, said.find('\n')));
    }
    if (code > 3) {
      out.text += code == 126 || code == 127 ? " (it could not be run)"
                  : code > 128               ? fmt::format(" (ended by signal {})", code - 128)
                                             : fmt::format(" (exit code {})", code);
    }
    out.extras.push_back({"runtime", static_cast<double>(now_ns - started_) / kSecond});
    out.output_cut = child_.cut;
    out.perf_bad = read.bad;
    return out;
  }

  const ProbeTarget target_;  // a copy: the schedule's may be replaced
  Shared& shared_;
  Child child_;
  std::int64_t started_ = 0;
};

}  // namespace

std::unique_ptr<Attempt> make_plugin(const ProbeTarget& target, Shared& shared) {
  return std::make_unique<PluginAttempt>(target, shared);
}

}  // namespace belfry::probe
