#include "replay_command.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/intake/event_namer.hpp"
#include "belfry/inventory/load.hpp"
#include "belfry/replay/rehearsal.hpp"
#include "replay_reader.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

struct Line {
  std::string_view text;
  std::size_t number = 0;  ///< 1-based, in the file
  Instant at{0};
};

Result<std::string> read_all(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      return fail(Code::NotFound, "{}: cannot be read", path);
    }
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  if (text.size() > kReplayFileBytesMax) {
    return fail(Code::Invalid, "{}: {} bytes: expected at most {}", path, text.size(),
                kReplayFileBytesMax);
  }
  return text;
}

/// All lines with their times, in order of `at`; lines of one instant as in the file.
Result<std::vector<Line>> read_lines(const std::string& path, std::string_view text) {
  std::vector<Line> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      continue;
    }
    const auto at = replay_time(line);
    if (!at) {
      return fail(Code::Invalid, "{}:{}: {}", path, number, at.error());
    }
    out.push_back({line, number, *at});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  return out;
}

Result<std::shared_ptr<const Inventory>> inventory_of(const ReplayArguments& arguments,
                                                      const rules::Program& program) {
  if (arguments.inventory.empty()) {
    return InventoryBuilder(program.schema).build(1);
  }
  BELFRY_TRY(const std::vector<InventoryFile> files, read_inventory(arguments.inventory));
  return load_inventory(program.schema, files, 1).result();
}

/// How an incident stands, and what the listing at the end needs of its life.
struct Story {
  Incident last;
  bool told = false;                 ///< else only its symptoms were: it is pending
  std::set<std::uint64_t> symptoms;  ///< all that ever hung under it
  IncidentId cause;                  ///< the first it hung under last; 0 = none
  std::set<std::string> nodes;
};

class Replay {
 public:
  explicit Replay(const ReplayArguments& arguments) : arguments_(arguments) {}

  Result<void> run(std::shared_ptr<const rules::Program> program) {
    BELFRY_TRY(auto inventory, inventory_of(arguments_, *program));
    BELFRY_TRY(const std::string text, read_all(arguments_.events));
    BELFRY_TRY(const std::vector<Line> lines, read_lines(arguments_.events, text));
    const EventNamer namer(program, inventory);
    replay::RehearsalOptions options;
    options.correlator.keep_members = arguments_.incidents;
    replay::Rehearsal rehearsal(
        program, inventory, lines.empty() ? Instant{0} : lines.front().at,
        [this](const replay::RehearsalChange& change) { on_change(change); }, options);
    ids_.emplace_back("0");  // seqs count from 1
    for (const Line& line : lines) {
      Event& event = rehearsal.begin();
      const auto made = replay_event(line.text, *program, line.at, rehearsal.arena(), event);
      if (!made) {
        return fail(Code::Invalid, "{}:{}: {}", arguments_.events, line.number, made.error());
      }
      namer.name(event);
      ids_.push_back(event.id.empty() ? std::to_string(line.number) : std::string(event.id));
      numbered_.push_back(event.id.empty());
      rehearsal.commit(line.at);
    }
    if (!lines.empty()) {
      rehearsal.advance(lines.back().at + arguments_.run_on);
    }
    if (arguments_.incidents) {
      list(rehearsal.correlator().members());
    } else if (!arguments_.json) {
      summary(lines.size(), rehearsal.matches());
    }
    return {};
  }

 private:
  void on_change(const replay::RehearsalChange& change) {
    const Incident& i = change.change.after;
    Story& story = stories_[i.id.value];
    if (!story.told) {
      story.told = true;
      order_.push_back(i.id.value);
    }
    // A closed incident keeps the cause it was explained by.
    if (i.state == IncidentState::Open || i.state == IncidentState::Pending) {
      leave(story, i.id);
    } else if (!i.causes.empty() && i.causes.front() != story.cause) {
      leave(story, i.id);
      story.cause = i.causes.front();
      stories_[story.cause.value].symptoms.insert(i.id.value);
    }
    story.nodes.insert(i.nodes.begin(), i.nodes.end());
    story.last = i;
    if (arguments_.json) {
      print_json(change);
    } else if (!arguments_.incidents) {
      print_text(change);
    }
  }

  void leave(Story& story, IncidentId id) {
    if (story.cause.value != 0) {
      stories_[story.cause.value].symptoms.erase(id.value);
      story.cause = {};
    }
  }

  static void incident_fields(JsonWriter& json, const Incident& i, IncidentId cause) {
    json.field("incident", to_text(i.id)).field("rule", i.rule).key("key").array();
    for (const std::string& part : i.key) {
      json.value(part);
    }
    json.end().field("state", name(i.state)).key("cause");
    if (cause.value == 0) {
      json.null();
    } else {
      json.value(to_text(cause));
    }
  }
  static void nodes_field(JsonWriter& json, const auto& nodes) {
    json.key("nodes").array();
    for (const std::string& node : nodes) {
      json.value(node);
    }
    json.end();
  }

  static void print_json(const replay::RehearsalChange& change) {
    const Incident& i = change.change.after;
    JsonWriter json;
    json.object().field("at", change.at.seconds()).field("at_ns", change.at.ns);
    json.field("seq", change.seq.value);  // the event that led to it, or before which time did
    incident_fields(json, i, i.causes.empty() ? IncidentId{} : i.causes.front());
    json.field("title", i.title).field("severity", name(i.severity));
    nodes_field(json, i.nodes);
    json.field("reason", name(change.change.reason)).field("nth", change.change.nth);
    json.field("count", i.count).field("flaps", i.flaps).field("symptoms", i.symptoms);
    json.key("causes").array();
    for (const IncidentId cause : i.causes) {
      json.value(to_text(cause));
    }
    json.end().end();
    fmt::print("{}\n", json.text());
  }

  static void print_text(const replay::RehearsalChange& change) {
    const Incident& i = change.change.after;
    fmt::print("{}  {:8} {:8} {}({})  {}  [{}]\n", to_rfc3339(change.at), name(i.state),
               name(i.severity), printable(i.rule),
               printable(fmt::format("{}", fmt::join(i.key, ", "))), printable(i.title),
               name(change.change.reason));
  }

  void summary(std::size_t events, std::uint64_t matches) const {
    std::map<std::string_view, std::size_t> by_state;
    for (const auto& [id, story] : stories_) {
      ++by_state[name(story.last.state)];
    }
    std::string states;
    for (const auto& [state, n] : by_state) {
      states += fmt::format(", {} {}", n, state);
    }
    fmt::print("{} events, {} matches -> {} incidents{}\n", events, matches, stories_.size(),
               states);
  }

  /// An id as it came; a line without one by its number.
  void event_ids(JsonWriter& json, std::span<const Seq> seqs) const {
    json.array();
    for (const Seq seq : seqs) {
      const bool known = seq.value > 0 && seq.value < ids_.size();
      if (known && numbered_[seq.value - 1]) {
        json.raw(ids_[seq.value]);
      } else if (known) {
        json.value(ids_[seq.value]);
      }
    }
    json.end();
  }

  void list(const std::vector<IncidentMembers>& members) const {
    std::map<std::uint64_t, const IncidentMembers*> by_id;
    for (const IncidentMembers& m : members) {
      by_id[m.id.value] = &m;
    }
    for (const std::uint64_t id : order_) {
      const Story& story = stories_.at(id);
      JsonWriter json;
      json.object();
      incident_fields(json, story.last, story.cause);
      json.field("title", story.last.title).field("severity", name(story.last.severity));
      json.key("symptoms").array();
      for (const std::uint64_t symptom : story.symptoms) {
        json.value(to_text(IncidentId{symptom}));
      }
      json.end();
      nodes_field(json, story.nodes);
      const auto found = by_id.find(id);
      json.key("members");
      event_ids(json, found == by_id.end() ? std::span<const Seq>()
                                           : std::span<const Seq>(found->second->members));
      json.key("alarms").array();
      if (found != by_id.end()) {
        for (const IncidentMembers::Alarm& alarm : found->second->alarms) {
          event_ids(json, alarm.events);
        }
      }
      json.end();
      json.field("began_at_ns", story.last.began_at.ns);
      json.field("closed_at_ns", story.last.closed_at.ns).end();
      fmt::print("{}\n", json.text());
    }
  }

  const ReplayArguments& arguments_;
  std::map<std::uint64_t, Story> stories_;
  std::vector<std::uint64_t> order_;  ///< as they came
  std::vector<std::string> ids_;      ///< by seq
  std::vector<bool> numbered_;        ///< by seq - 1: it is a line number
};

}  // namespace

int replay_command(const ReplayArguments& arguments) {
  const auto files = read_rules(arguments.rules);
  if (!files) {
    fmt::print(stderr, "belfry replay: {}\n", files.error());
    return 2;
  }
  const auto program = compile_or_print(*files);
  if (program == nullptr) {
    return 2;
  }
  Replay replay(arguments);
  if (const auto done = replay.run(program); !done) {
    fmt::print(stderr, "belfry replay: {}\n", done.error());
    return 2;
  }
  return 0;
}

}  // namespace belfry
