#include "test_report.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <tuple>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"

namespace belfry {
namespace {

constexpr std::array<std::string_view, 6> kKinds{"raise", "clear", "measure",
                                                 "rule",  "cause", "policy"};

/// Text as XML; line ends stay, what XML 1.0 does not take is escaped as people read it.
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

std::string_view kind_of(rules::ClauseKind kind) {
  return kind == rules::ClauseKind::Raise   ? "raise"
         : kind == rules::ClauseKind::Clear ? "clear"
                                            : "measure";
}

/// By place, so that lines of one text are one entry.
class Lines {
 public:
  explicit Lines(const rules::Program& program) : program_(program) {}

  void add(const rules::Place& place, std::string_view kind, std::string what, bool hit) {
    CoveredLine& line = lines_[{place.file, place.line, place.column, std::string(kind), what}];
    line.kind = kind;
    line.what = std::move(what);
    line.file = place.file < program_.files.size() ? program_.files[place.file] : "?";
    line.line = place.line;
    line.hit = line.hit || hit;
  }
  std::vector<CoveredLine> take() {
    std::vector<CoveredLine> out;
    for (auto& [place, line] : lines_) {
      out.push_back(std::move(line));
    }
    return out;
  }

 private:
  const rules::Program& program_;
  std::map<std::tuple<rules::Index, std::uint32_t, std::uint32_t, std::string, std::string>,
           CoveredLine>
      lines_;
};

struct Count {
  std::size_t hit = 0, all = 0;
};
std::map<std::string_view, Count> counts_of(const std::vector<CoveredLine>& lines) {
  std::map<std::string_view, Count> out;
  for (const CoveredLine& line : lines) {
    Count& count = out[line.kind];
    count.hit += line.hit ? 1 : 0;
    ++count.all;
  }
  return out;
}

}  // namespace

std::vector<CoveredLine> covered_lines(const rules::Program& program,
                                       const TestCoverage& coverage) {
  Lines lines(program);
  for (rules::Index i = 0; i < program.clauses.size(); ++i) {
    const rules::Clause& clause = program.clauses[i];
    const std::string_view kind = kind_of(clause.kind);
    lines.add(clause.place, kind, program.signals[clause.signal].name,
              coverage.clauses.contains(i));
  }
  for (rules::Index i = 0; i < program.rules.size(); ++i) {
    lines.add(program.rules[i].place, "rule", program.rules[i].name, coverage.rules.contains(i));
  }
  for (rules::Index i = 0; i < program.causes.size(); ++i) {
    const rules::Cause& cause = program.causes[i];
    lines.add(
        cause.place, "cause",
        fmt::format("{} of {}", program.rules[cause.cause].name, program.rules[cause.symptom].name),
        coverage.causes.contains(i));
  }
  for (rules::Index p = 0; p < program.policies.size(); ++p) {
    const rules::Policy& policy = program.policies[p];
    for (rules::Index l = 0; l < policy.lines.size(); ++l) {
      lines.add(policy.lines[l].place, "policy", policy.name,
                coverage.policy_lines.contains({p, l}));
    }
  }
  return lines.take();
}

std::string coverage_text(const std::vector<CoveredLine>& lines) {
  std::string out;
  Count total;
  for (const CoveredLine& line : lines) {
    if (!line.hit) {
      out += fmt::format("not covered  {}:{}  {} {}\n", line.file, line.line, line.kind, line.what);
    }
    total.hit += line.hit ? 1 : 0;
    ++total.all;
  }
  const auto counts = counts_of(lines);
  out += fmt::format("coverage: {} of {} lines", total.hit, total.all);
  const char* before = " (";
  for (const std::string_view kind : kKinds) {
    if (const auto count = counts.find(kind); count != counts.end()) {
      out += fmt::format("{}{} {}/{}", before, kind, count->second.hit, count->second.all);
      before = ", ";
    }
  }
  return out + (counts.empty() ? "\n" : ")\n");
}

std::string coverage_json(const std::vector<CoveredLine>& lines) {
  std::string out;
  for (const CoveredLine& line : lines) {
    JsonWriter json;
    json.object().field("coverage", line.kind).field("of", line.what).field("file", line.file);
    json.field("line", line.line).field("hit", line.hit).end();
    out += json.text() + "\n";
  }
  JsonWriter json;
  json.object().key("coverage_totals").object();
  for (const auto& [kind, count] : counts_of(lines)) {
    json.key(kind).object().field("hit", std::uint64_t{count.hit});
    json.field("of", std::uint64_t{count.all}).end();
  }
  json.end().end();
  return out + json.text() + "\n";
}

std::string junit_xml(const std::vector<TimedOutcome>& outcomes) {
  struct Suite {
    std::string cases;
    std::size_t tests = 0, failures = 0;
    double seconds = 0;
  };
  std::map<std::string, Suite> suites;
  Suite all;
  for (const TimedOutcome& timed : outcomes) {
    const TestOutcome& o = timed.outcome;
    Suite& suite = suites[o.file];
    for (Suite* each : {&suite, &all}) {
      ++each->tests;
      each->failures += o.passed ? 0 : 1;
      each->seconds += timed.seconds;
    }
    suite.cases += fmt::format(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3f}\"",
        xml(o.file), xml(o.name), xml(o.file), o.line, timed.seconds);
    if (o.passed) {
      suite.cases += "/>\n";
      continue;
    }
    suite.cases += fmt::format(">\n      <failure message=\"{}\">", xml(o.first_failure));
    for (const std::string& line : o.timeline) {
      suite.cases += xml(line) + "\n";
    }
    suite.cases += "</failure>\n    </testcase>\n";
  }
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"belfry\" tests=\"{}\" "
      "failures=\"{}\" errors=\"0\" time=\"{:.3f}\">\n",
      all.tests, all.failures, all.seconds);
  for (const auto& [file, suite] : suites) {
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" "
        "time=\"{:.3f}\">\n{}  </testsuite>\n",
        xml(file), suite.tests, suite.failures, suite.seconds, suite.cases);
  }
  return out + "</testsuites>\n";
}

}  // namespace belfry
