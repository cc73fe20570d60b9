#include "cost_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "belfry/base/json.hpp"
#include "belfry/correlate/cost.hpp"
#include "belfry/rules/found.hpp"
#include "table.hpp"

namespace belfry {
namespace {

constexpr std::size_t kColumnsMax = 80;
constexpr std::size_t kNameColumns = 24;

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

/// One way in full, several by kind: "2 OID, 21 tag, 4 text".
std::string summary(const Entry& entry) {
  if (entry.ways.size() == 1) {
    return entry.ways[0].by.words;
  }
  std::vector<std::pair<std::string, std::size_t>> kinds;
  for (const Way& way : entry.ways) {
    const std::string kind = way.by.words.substr(0, way.by.words.find_first_of(" :"));
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const auto& known) { return known.first == kind; });
    if (found == kinds.end()) {
      kinds.emplace_back(kind, 1);
    } else {
      ++found->second;
    }
  }
  std::string out;
  for (const auto& [kind, n] : kinds) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, kind);
  }
  return out.empty() ? "the signals it names" : out;
}

}  // namespace

std::string cost_table(const std::shared_ptr<const rules::Program>& program) {
  Table table({"WHAT", "KIND", "BYTES/KEY", "TIMERS", "FOUND BY"}, 4);
  std::string causes, notes;
  for (const Entry& entry : entries(program)) {
    if (entry.kind == "cause") {
      causes += fmt::format("{}\n    {}\n", entry.what, entry.ways[0].by.words);
    } else {
      table.row({{fitted(entry.what, kNameColumns)},
                 {entry.kind},
                 {bytes_text(entry.state)},
                 {std::to_string(entry.state.timers_per_key)},
                 {summary(entry)}});
    }
    for (const std::string& window : entry.state.windows) {
      notes += fmt::format("{}: window of {}\n", entry.what, window);
    }
    for (const Way& way : entry.ways) {
      if (!way.by.direct) {
        notes += fmt::format("{}  {}: {}\n", entry.place, way.name, way.by.words);
      }
    }
  }
  Terminal terminal;
  terminal.width = kColumnsMax;
  std::string out = table.text(terminal);
  out += causes.empty() ? "" : "\nhow a symptom finds its cause\n" + causes;
  out += notes.empty() ? "" : "\n" + notes;
  return out + "\nBytes are of a key that is up, with its windows full.\n";
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
