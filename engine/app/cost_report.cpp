#include "cost_report.hpp"

#include <fmt/format.h>

#include <vector>

#include "belfry/base/json.hpp"
#include "belfry/correlate/cost.hpp"
#include "belfry/rules/found.hpp"
#include "table.hpp"

namespace belfry {
namespace {

constexpr std::size_t kColumnsMax = 80;

/// A line or a cause: how it is found.
struct Way {
  std::string name;
  rules::FoundBy by;
};

struct Entry {
  std::string what, kind, place;
  StateCost state;
  std::uint64_t limit = 0;
  std::vector<Way> ways;
};

std::string place_text(const rules::Program& program, const rules::Place& place) {
  return fmt::format("{}:{}", place.file < program.files.size() ? program.files[place.file] : "?",
                     place.line);
}

std::vector<Way> ways_of(const rules::Program& program, const rules::Signal& signal) {
  std::vector<Way> out;
  for (const rules::Index c : signal.clauses) {
    const rules::Clause& clause = program.clauses[c];
    const char* kind = clause.kind == rules::ClauseKind::Raise   ? "raise"
                       : clause.kind == rules::ClauseKind::Clear ? "clear"
                                                                 : "from";
    out.push_back({fmt::format("{} {}", kind, clause.event_type), found_by(clause)});
  }
  return out;
}

std::vector<Entry> entries(const std::shared_ptr<const rules::Program>& program) {
  const std::vector<StateCost> costs = state_costs(program);
  std::vector<Entry> out;
  for (std::size_t s = 0; s < program->signals.size(); ++s) {
    const rules::Signal& signal = program->signals[s];
    const bool rule = signal.rule != rules::kNone;
    if (!rule && signal.clauses.empty() && signal.raise_when == nullptr) {
      continue;  // an event type as a pattern: no declaration of the author's
    }
    Entry entry;
    entry.what = signal.name;
    entry.kind = rule ? "rule" : signal.measure ? "measure" : "signal";
    entry.place = place_text(*program, signal.place);
    entry.state = costs[s];
    entry.limit = signal.limit;
    entry.ways = ways_of(*program, signal);
    out.push_back(std::move(entry));
  }
  for (const rules::Cause& cause : program->causes) {
    const std::string name = fmt::format("{} of {}", program->rules[cause.cause].name,
                                         program->rules[cause.symptom].name);
    Entry entry;
    entry.what = name;
    entry.kind = "cause";
    entry.place = place_text(*program, cause.place);
    entry.ways.push_back({name, found_by(cause, *program)});
    out.push_back(std::move(entry));
  }
  return out;
}

std::string bytes_text(const StateCost& cost) {
  return cost.bytes_per_value == 0
             ? std::to_string(cost.bytes_per_key)
             : fmt::format("{}+{}/value", cost.bytes_per_key, cost.bytes_per_value);
}

std::string summary(const Entry& entry) {
  if (entry.ways.empty()) {
    return entry.kind == "rule" ? "its signals" : "what it is derived from";
  }
  const std::string more =
      entry.ways.size() > 1 ? fmt::format(" +{}", entry.ways.size() - 1) : std::string();
  return entry.ways[0].by.words + more;
}

}  // namespace

std::string cost_table(const std::shared_ptr<const rules::Program>& program) {
  const std::vector<Entry> all = entries(program);
  Table table({"WHAT", "KIND", "BYTES/KEY", "TIMERS", "FOUND BY"}, 4);
  std::string notes;
  for (const Entry& entry : all) {
    const bool cause = entry.kind == "cause";
    table.row({{fitted(entry.what, 30)},
               {entry.kind},
               {cause ? "-" : bytes_text(entry.state)},
               {cause ? "-" : std::to_string(entry.state.timers_per_key)},
               {summary(entry)}});
    for (const std::string& window : entry.state.windows) {
      notes += fmt::format("{}  {}: window of {}\n", entry.place, entry.what, window);
    }
    for (const Way& way : entry.ways) {
      if (!way.by.direct) {
        notes += fmt::format("{}  {}: {}\n", entry.place, way.name, way.by.words);
      }
    }
  }
  Terminal terminal;
  terminal.width = kColumnsMax;
  return table.text(terminal) + (notes.empty() ? "" : "\n" + notes) +
         "\nBytes are of a key that is up, with its windows full.\n";
}

std::string cost_json(const std::shared_ptr<const rules::Program>& program) {
  std::string out;
  for (const Entry& entry : entries(program)) {
    JsonWriter json;
    json.object().field("cost", entry.what).field("kind", entry.kind);
    json.field("place", entry.place);
    if (entry.kind != "cause") {
      json.field("bytes_per_key", std::uint64_t{entry.state.bytes_per_key});
      json.field("bytes_per_value", std::uint64_t{entry.state.bytes_per_value});
      json.field("timers_per_key", std::uint64_t{entry.state.timers_per_key});
      json.field("limit", entry.limit).key("windows").array();
      for (const std::string& window : entry.state.windows) {
        json.value(window);
      }
      json.end();
    }
    json.key("found_by").array();
    for (const Way& way : entry.ways) {
      json.object().field("line", way.name).field("by", way.by.words);
      json.field("direct", way.by.direct).end();
    }
    json.end().end();
    out += json.text() + "\n";
  }
  return out;
}

}  // namespace belfry
