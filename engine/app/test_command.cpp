#include "test_command.hpp"

#include <fstream>
#include <map>
#include <tuple>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "sources.hpp"
#include "test_runner.hpp"

namespace belfry {
namespace {

std::string place_text(const rules::Program& program, const rules::Place& place) {
  return fmt::format("{}:{}", place.file < program.files.size() ? program.files[place.file] : "?",
                     place.line);
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : printable(text, 64 * 1024)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool write_junit(const std::string& path, const std::vector<TestOutcome>& outcomes,
                 std::size_t failed) {
  std::ofstream out(path, std::ios::binary);
  out << fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"belfry\" tests=\"{}\" "
      "failures=\"{}\">\n",
      outcomes.size(), failed);
  for (const TestOutcome& o : outcomes) {
    out << fmt::format("  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                       xml(o.file), xml(o.name), xml(o.file), o.line);
    if (o.passed) {
      out << "/>\n";
      continue;
    }
    out << fmt::format(">\n    <failure message=\"{}\">", xml(o.first_failure));
    for (const std::string& line : o.timeline) {
      out << xml(line) << "\n";
    }
    out << "</failure>\n  </testcase>\n";
  }
  out << "</testsuite>\n";
  return out.good();
}

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

struct Line {
  std::string what, place;
  bool hit = false;
};

/// One entry per line of text: a MIB name with two OIDs is two clauses, `any(...)` several causes.
std::vector<Line> coverage_lines(const rules::Program& program, const TestCoverage& coverage) {
  std::map<std::tuple<rules::Index, std::uint32_t, std::uint32_t, std::string>, Line> lines;
  const auto add = [&](const rules::Place& place, std::string what, bool hit) {
    Line& line = lines[{place.file, place.line, place.column, what}];
    line.hit = line.hit || hit;
    line.place = place_text(program, place);
    line.what = std::move(what);
  };
  for (rules::Index i = 0; i < program.clauses.size(); ++i) {
    const rules::Clause& clause = program.clauses[i];
    add(clause.place,
        fmt::format("{} {}",
                    clause.kind == rules::ClauseKind::Raise   ? "raise"
                    : clause.kind == rules::ClauseKind::Clear ? "clear"
                                                              : "measure",
                    program.signals[clause.signal].name),
        coverage.clauses.contains(i));
  }
  for (rules::Index i = 0; i < program.rules.size(); ++i) {
    add(program.rules[i].place, "rule " + program.rules[i].name, coverage.rules.contains(i));
  }
  for (rules::Index i = 0; i < program.causes.size(); ++i) {
    const rules::Cause& cause = program.causes[i];
    add(cause.place,
        fmt::format("cause {} of {}", program.rules[cause.cause].name,
                    program.rules[cause.symptom].name),
        coverage.causes.contains(i));
  }
  std::vector<Line> out;
  for (auto& [place, line] : lines) {
    out.push_back(std::move(line));
  }
  return out;
}

void report_coverage(const rules::Program& program, const TestCoverage& coverage, bool json) {
  const std::vector<Line> lines = coverage_lines(program, coverage);
  std::size_t hit = 0;
  for (const Line& line : lines) {
    hit += line.hit ? 1 : 0;
    if (json) {
      JsonWriter out;
      out.object().field("coverage", line.what).field("place", line.place);
      out.field("hit", line.hit).end();
      fmt::print("{}\n", out.text());
    } else if (!line.hit) {
      fmt::print("not covered  {}  {}\n", line.place, line.what);
    }
  }
  if (!json) {
    fmt::print("coverage: {} of {} lines (raise, clear, measure, rule, cause)\n", hit,
               lines.size());
  }
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
  std::vector<TestOutcome> outcomes;
  std::size_t failed = 0;
  for (const auto& test : program->tests) {
    if (test->name.find(arguments.only) == std::string::npos) {
      continue;
    }
    outcomes.push_back(run_test(run, *test));
    failed += outcomes.back().passed ? 0 : 1;
    if (arguments.json) {
      fmt::print("{}\n", to_json(outcomes.back()));
    } else {
      print(outcomes.back(), arguments.verbose);
    }
  }
  if (arguments.coverage) {
    report_coverage(*program, coverage, arguments.json);
  }
  if (!arguments.junit.empty() && !write_junit(arguments.junit, outcomes, failed)) {
    fmt::print(stderr, "belfry test: {}: cannot be written\n", arguments.junit);
    return 2;
  }
  if (outcomes.empty()) {
    fmt::print(stderr, "belfry test: no test {}\n",
               arguments.only.empty()
                   ? std::string("in these files: expected at least one `test \"...\" { }` block")
                   : fmt::format("has '{}' in its name", arguments.only));
  }
  if (arguments.json) {
    JsonWriter json;
    json.object().field("passed", std::uint64_t{outcomes.size() - failed});
    json.field("failed", std::uint64_t{failed}).end();
    fmt::print("{}\n", json.text());
  } else {
    fmt::print("{} passed, {} failed\n", outcomes.size() - failed, failed);
  }
  return failed > 0 || outcomes.empty() ? 1 : 0;
}

}  // namespace belfry
