#include "test_explain.hpp"

#include <algorithm>
#include <map>

#include "belfry/base/text.hpp"
#include "belfry/desk/options.hpp"

namespace belfry {
namespace {

constexpr std::size_t kValueBytesMax = 40;

/// A value and the column of the line below which it stands.
struct Shown {
  std::size_t column = 0;
  std::string text;
};

using ByLine = std::map<std::uint32_t, std::vector<Shown>>;

bool has_a_value_of_its_own(rules::ExprKind kind) {
  switch (kind) {
    case rules::ExprKind::Var:
    case rules::ExprKind::Field:
    case rules::ExprKind::Varbind:
    case rules::ExprKind::Column:
    case rules::ExprKind::RelatedSet:
    case rules::ExprKind::Measured:
    case rules::ExprKind::PolicyCall:
    case rules::ExprKind::Active:
      return true;
    default:
      return false;
  }
}

/// Of `port[node, x].circuit` the node, x, and the circuit below its name; one value per place.
void collect(const rules::Expr& e, const rules::Env& env, ByLine& out) {
  if (has_a_value_of_its_own(e.kind) && e.place.line != 0) {
    std::vector<Shown>& line = out[e.place.line];
    const bool taken = std::any_of(line.begin(), line.end(),
                                   [&](const Shown& s) { return s.column == e.place.column; });
    if (!taken) {
      const Value value = rules::evaluate(e, env);
      line.push_back(
          {e.place.column, value.is_none() ? "none" : printable(to_text(value), kValueBytesMax)});
    }
  }
  for (const rules::Expr* arg : e.args) {
    if (arg != nullptr) {
      collect(*arg, env, out);
    }
  }
}

void put(std::string& row, std::size_t column, const std::string& text) {
  row.resize(std::max(row.size(), column), ' ');
  row += text;
}

/// Rows below a line: bars, then each value as high as there is room left of its neighbour.
std::vector<std::string> rows_of(std::vector<Shown> values) {
  std::sort(values.begin(), values.end(),
            [](const Shown& a, const Shown& b) { return a.column < b.column; });
  std::vector<std::string> out(1);
  for (const Shown& value : values) {
    put(out[0], value.column, "|");
  }
  while (!values.empty()) {
    std::vector<bool> fits(values.size(), false);
    std::size_t right = SIZE_MAX;
    for (std::size_t i = values.size(); i-- > 0; right = values[i].column) {
      fits[i] = right == SIZE_MAX || values[i].column + values[i].text.size() < right;
    }
    std::string row;
    std::vector<Shown> rest;
    for (std::size_t i = 0; i < values.size(); ++i) {
      put(row, values[i].column, fits[i] ? values[i].text : "|");
      if (!fits[i]) {
        rest.push_back(values[i]);
      }
    }
    out.push_back(std::move(row));
    values = std::move(rest);
  }
  return out;
}

std::string_view line_of(std::string_view text, std::uint32_t number) {
  for (std::uint32_t line = 1; line < number && !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string source_line(std::span<const rules::SourceFile> files, const rules::Place& place) {
  return place.file < files.size() ? std::string(trim(line_of(files[place.file].text, place.line)))
                                   : fmt::format("line {}", place.line);
}

std::vector<std::string> values_under(const rules::Expr& expr, const rules::Env& env,
                                      std::span<const rules::SourceFile> files, std::size_t indent,
                                      std::string_view verdict) {
  std::vector<std::string> out;
  ByLine lines;
  collect(expr, env, lines);
  if (expr.place.file >= files.size()) {
    return out;
  }
  lines[expr.place.line];  // also without a value: what is asked
  for (auto& [number, values] : lines) {
    const std::string_view whole = line_of(files[expr.place.file].text, number);
    const std::size_t blanks = std::min(whole.find_first_not_of(" \t"), whole.size());
    out.push_back(std::string(indent, ' ') + std::string(trim(whole)));
    for (Shown& value : values) {
      value.column = indent + (value.column > blanks ? value.column - 1 - blanks : 0);
    }
    const bool last = number == lines.rbegin()->first;
    if (values.empty()) {
      out.back() += last ? verdict : "";
      continue;
    }
    std::vector<std::string> rows = rows_of(std::move(values));
    rows[1] += last ? verdict : "";  // behind the bars: the first row of values
    std::move(rows.begin(), rows.end(), std::back_inserter(out));
  }
  return out;
}

GivenPriority given_priority(const rules::Program& program, const Incident& incident) {
  GivenPriority out;
  const std::string name = incident.policy.empty() ? DeskOptions().default_policy : incident.policy;
  for (rules::Index p = 0; p < program.policies.size(); ++p) {
    const rules::Policy& policy = program.policies[p];
    if (policy.name != name) {
      continue;
    }
    std::vector<Value> args;
    for (const rules::Param& param : policy.params) {
      const auto& enums = program.schema->enums;
      const std::string of = param.of < enums.size() ? enums[param.of].name : std::string();
      // As the desk asks: who is nobody's customer counts as `solution`, no impact as `none`.
      const std::string word = of == "tier"     ? incident.tier.empty() ? "solution" : incident.tier
                               : of == "impact" ? incident.impact.empty() ? "none" : incident.impact
                               : of == "severity" ? std::string(belfry::name(incident.severity))
                                                  : "normal";
      Value arg = Value::none();
      for (std::size_t w = 0; param.of < enums.size() && w < enums[param.of].words.size(); ++w) {
        if (enums[param.of].words[w] == word) {
          arg = Value::enumerator(param.of, static_cast<std::int64_t>(w), enums[param.of].words[w]);
        }
      }
      args.push_back(arg);
    }
    Arena arena;
    rules::Env env;
    env.program = &program;
    env.vars = args;
    env.arena = &arena;
    const auto line = std::find_if(policy.lines.begin(), policy.lines.end(),
                                   [&](const auto& l) { return rules::holds(l.condition, env); });
    if (line != policy.lines.end() && line->value != nullptr) {
      out.policy = p;
      out.line = static_cast<rules::Index>(line - policy.lines.begin());
      out.word = to_text(rules::evaluate(*line->value, env));
    }
  }
  return out;
}

}  // namespace belfry
