#include "test_command.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>

#include "belfry/base/json.hpp"
#include "sources.hpp"
#include "test_report.hpp"
#include "test_runner.hpp"

namespace belfry {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string to_json(const TestOutcome& o) {
  JsonWriter json;
  json.object().field("test", o.name).field("file", o.file).field("line", o.line);
  json.field("passed", o.passed).field("events", std::uint64_t{o.events});
  json.field("changes", std::uint64_t{o.changes});
  if (!o.passed) {
    json.field("failure", o.first_failure).key("timeline").array();
    for (const std::string& line : o.timeline) {
      json.value(line);
    }
    json.end();
  }
  json.end();
  return json.take();
}

void print(const TestOutcome& o, bool timeline) {
  fmt::print("{} {}:{} \"{}\"\n", o.passed ? "ok  " : "FAIL", o.file, o.line, o.name);
  if (timeline || !o.passed) {
    for (const std::string& line : o.timeline) {
      fmt::print("{}\n", line);
    }
  }
}

/// How far a long run is, on a terminal; nothing elsewhere.
class Progress {
 public:
  Progress(std::size_t all, bool wanted)
      : all_(all),
        wanted_(wanted && isatty(STDERR_FILENO) != 0),
        next_(SteadyClock::now() + kStep) {}
  ~Progress() { wipe(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void wipe() {
    if (shown_) {
      fmt::print(stderr, "\r\x1b[K");
      shown_ = false;
    }
  }
  void done(std::size_t tests, std::size_t failed) {
    if (wanted_ && SteadyClock::now() >= next_) {
      fmt::print(stderr, "\r\x1b[K{} of {} tests, {} failed", tests, all_, failed);
      shown_ = true;
      next_ = SteadyClock::now() + kStep;
    }
  }

 private:
  static constexpr std::chrono::milliseconds kStep{500};
  std::size_t all_;
  bool wanted_, shown_ = false;
  SteadyClock::time_point next_;
};

std::vector<const rules::Test*> chosen(const rules::Program& program, const std::string& only) {
  std::vector<const rules::Test*> out;
  for (const auto& test : program.tests) {
    if (test->name.find(only) != std::string::npos) {
      out.push_back(test.get());
    }
  }
  return out;
}

std::size_t run_all(const TestArguments& arguments, const TestRun& run,
                    const std::vector<const rules::Test*>& tests,
                    std::vector<TimedOutcome>& outcomes) {
  Progress progress(tests.size(), !arguments.json);
  std::size_t failed = 0;
  for (const rules::Test* test : tests) {
    const SteadyClock::time_point begin = SteadyClock::now();
    TimedOutcome timed{run_test(run, *test), 0};
    timed.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    failed += timed.outcome.passed ? 0 : 1;
    progress.wipe();
    if (arguments.json) {
      fmt::print("{}\n", to_json(timed.outcome));
    } else {
      print(timed.outcome, arguments.verbose);
    }
    outcomes.push_back(std::move(timed));
    progress.done(outcomes.size(), failed);
  }
  return failed;
}

void print_totals(bool json, std::size_t passed, std::size_t failed) {
  if (!json) {
    fmt::print("{} passed, {} failed\n", passed, failed);
    return;
  }
  JsonWriter out;
  out.object().field("passed", std::uint64_t{passed}).field("failed", std::uint64_t{failed}).end();
  fmt::print("{}\n", out.text());
}

}  // namespace

int test_command(const TestArguments& arguments) {
  const auto files = read_rules(arguments.paths);
  if (!files) {
    fmt::print(stderr, "belfry test: {}\n", files.error());
    return 2;
  }
  const auto program = compile_or_print(*files);
  if (program == nullptr) {
    return 2;
  }
  TestCoverage coverage;
  const TestRun run{program, &*files, arguments.shuffle, &coverage};
  std::vector<TimedOutcome> outcomes;
  const std::size_t failed = run_all(arguments, run, chosen(*program, arguments.only), outcomes);
  if (arguments.coverage) {
    const std::vector<CoveredLine> lines = covered_lines(*program, coverage);
    fmt::print("{}", arguments.json ? coverage_json(lines) : coverage_text(lines));
  }
  if (!arguments.junit.empty()) {
    std::ofstream out(arguments.junit, std::ios::binary);
    out << junit_xml(outcomes);
    out.close();
    if (!out) {
      fmt::print(stderr, "belfry test: {}: cannot be written\n", arguments.junit);
      return 2;
    }
  }
  if (outcomes.empty()) {
    fmt::print(stderr, "belfry test: no test {}\n",
               arguments.only.empty()
                   ? std::string("in these files: expected at least one `test \"...\" { }` block")
                   : fmt::format("has '{}' in its name", arguments.only));
  }
  print_totals(arguments.json, outcomes.size() - failed, failed);
  return failed > 0 || outcomes.empty() ? 1 : 0;
}

}  // namespace belfry
