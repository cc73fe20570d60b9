#include "test_runner.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "belfry/base/text.hpp"
#include "belfry/intake/event_namer.hpp"
#include "belfry/replay/rehearsal.hpp"
#include "belfry/rules/eval.hpp"
#include "test_explain.hpp"
#include "test_values.hpp"

namespace belfry {
namespace {

using rules::ExpectKind;
using rules::TestExpect;
using rules::TestStep;

std::string call(const Incident& incident) {
  return fmt::format("{}({})", incident.rule, fmt::join(incident.key, ", "));
}

/// One step at one instant: `x N every D` written out.
struct Moment {
  Duration at;
  const TestStep* step = nullptr;
};

std::vector<Moment> moments(const rules::Test& test) {
  std::vector<Moment> out;
  for (const TestStep& step : test.steps) {
    for (std::uint64_t i = 0; i < std::max<std::uint64_t>(step.times, 1); ++i) {
      out.push_back({step.at + step.every * static_cast<std::int64_t>(i), &step});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Moment& a, const Moment& b) {
    // At one instant: what happens, then what is expected.
    return a.at != b.at ? a.at < b.at : (!a.step->is_expect && b.step->is_expect);
  });
  return out;
}

class Runner {
 public:
  Runner(const TestRun& run, const rules::Test& test) : run_(run), test_(test) {
    outcome_.name = test.name;
    outcome_.file = test.place.file < run.program->files.size()
                        ? run.program->files[test.place.file]
                        : std::string("?");
    outcome_.line = test.place.line;
  }

  TestOutcome go() {
    auto inventory = test_inventory(*run_.program, test_);
    if (!inventory) {
      broken(inventory.error().what);
      return std::move(outcome_);
    }
    inventory_ = *inventory;
    namer_ = std::make_unique<EventNamer>(run_.program, inventory_);
    replay::RehearsalOptions options;
    options.batch_events_max = 1;
    rehearsal_ = std::make_unique<replay::Rehearsal>(
        run_.program, inventory_, kTestStart,
        [this](const replay::RehearsalChange& change) { on_change(change); }, options);
    rehearsal_->watch([this](const Event&, std::span<const Match> matches, Seq, Instant) {
      matched_ = !matches.empty();
      for (const Match& match : matches) {
        ++heard_[match.clause];
        if (run_.coverage != nullptr) {
          run_.coverage->clauses.insert(match.clause);
        }
      }
    });
    const std::vector<Moment> all = moments(test_);
    for (std::size_t i = 0; i < all.size();) {
      std::size_t end = i;
      while (end < all.size() && all[end].at == all[i].at) {
        ++end;
      }
      if (!instant(std::span(all).subspan(i, end - i))) {
        return std::move(outcome_);
      }
      i = end;
    }
    if (test_.steps.empty()) {
      broken("the test has no steps");
    }
    for (const auto& [id, incident] : incidents_) {
      // What explained it is no matter once it is over: cause and symptom may clear at one instant.
      outcome_.stood.push_back(fmt::format("{} {}{}", call(incident), name(incident.state),
                                           incident.state == IncidentState::Closed
                                               ? ""
                                               : " cause " + field_text(incident, "cause")));
    }
    std::sort(outcome_.stood.begin(), outcome_.stood.end());
    return std::move(outcome_);
  }

 private:
  void broken(const std::string& what) {
    outcome_.passed = false;
    outcome_.first_failure = what;
    outcome_.timeline.push_back("  " + what);
  }

  bool instant(std::span<const Moment> group) {
    std::vector<const Moment*> events, expects;
    for (const Moment& moment : group) {
      (moment.step->is_expect ? expects : events).push_back(&moment);
    }
    const Instant at = kTestStart + group[0].at;
    for (const Moment* moment : ordered(events)) {
      Event& event = rehearsal_->begin();
      auto made = test_event(*run_.program, moment->step->event, rehearsal_->arena(), event);
      if (!made) {
        broken(fmt::format("line {}: {}", moment->step->place.line, made.error()));
        return false;
      }
      namer_->name(event);
      ++outcome_.events;
      say(*moment, {});
      matched_ = true;
      rehearsal_->commit(at);
      if (!matched_ && !is_raw(moment->step->event.event_type)) {
        outcome_.timeline.back() += "   (matches no line)";
      }
    }
    rehearsal_->advance(at);
    for (const Moment* moment : expects) {
      say(*moment, check(moment->step->expect));
    }
    return true;
  }

  /// Events of one signal key keep their order; between keys any order is as good as another, and
  /// `--shuffle` takes another one.
  std::vector<const Moment*> ordered(const std::vector<const Moment*>& events) {
    if (!run_.shuffle || events.size() < 2) {
      return events;
    }
    std::vector<std::set<std::string>> keys;
    for (const Moment* moment : events) {
      keys.push_back(keys_of(*moment));
    }
    std::vector<const Moment*> out;
    std::vector<bool> placed(events.size(), false);
    while (out.size() < events.size()) {
      std::vector<std::size_t> free;
      for (std::size_t i = 0; i < events.size(); ++i) {
        bool blocked = placed[i];
        for (std::size_t j = 0; j < i && !blocked; ++j) {
          blocked = !placed[j] && std::any_of(keys[j].begin(), keys[j].end(),
                                              [&](const auto& k) { return keys[i].contains(k); });
        }
        if (!blocked) {
          free.push_back(i);
        }
      }
      const std::size_t next = free[random() % free.size()];
      placed[next] = true;
      out.push_back(events[next]);
    }
    return out;
  }

  std::set<std::string> keys_of(const Moment& moment) {
    Batch batch;
    batch.events.emplace_back();
    std::set<std::string> out;
    if (!test_event(*run_.program, moment.step->event, batch.arena, batch.events[0])) {
      return out;
    }
    namer_->name(batch.events[0]);
    rules::Matcher matcher(run_.program, inventory_);
    matcher.match(batch);
    for (const Match& match : batch.matches) {
      out.insert(
          fmt::format("{}:{}", run_.program->clauses[match.clause].signal, key_text(match.key)));
    }
    return out;
  }

  /// splitmix64: neighbouring seeds give other orders from the first draw on.
  std::uint64_t random() {
    random_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  void on_change(const replay::RehearsalChange& change) {
    ++outcome_.changes;
    const Incident& after = change.change.after;
    incidents_[after.id.value] = after;
    if (run_.coverage == nullptr) {
      return;
    }
    const rules::Index rule = run_.program->find_rule(after.rule);
    run_.coverage->rules.insert(rule);
    if (after.state == IncidentState::Open) {
      const GivenPriority given = given_priority(*run_.program, after);
      run_.coverage->policy_lines.emplace(given.policy, given.line);
    }
    for (const IncidentId cause : after.causes) {
      const auto found = incidents_.find(cause.value);
      for (rules::Index i = 0; found != incidents_.end() && i < run_.program->causes.size(); ++i) {
        const rules::Cause& line = run_.program->causes[i];
        if (line.symptom == rule && line.cause == run_.program->find_rule(found->second.rule)) {
          run_.coverage->causes.insert(i);
        }
      }
    }
  }

  // ---- expectations: empty = as expected, else what was there

  static bool is_open(const Incident& i) {
    return i.state == IncidentState::Open ||
           (i.state == IncidentState::Clearing && i.causes.empty());
  }
  static bool is_symptom(const Incident& i) {
    return i.state == IncidentState::Symptom ||
           (i.state == IncidentState::Clearing && !i.causes.empty());
  }

  bool named(const TestExpect& expect, const Incident& incident) const {
    if (expect.rule != rules::kNone && run_.program->rules[expect.rule].name != incident.rule) {
      return false;
    }
    for (std::size_t i = 0; i < expect.key.size(); ++i) {
      if (i >= incident.key.size() || to_text(expect.key[i]) != incident.key[i]) {
        return false;
      }
    }
    return true;
  }

  std::string check(const TestExpect& expect) const {
    std::vector<const Incident*> of;  ///< those it names
    for (const auto& [id, incident] : incidents_) {
      if (named(expect, incident)) {
        of.push_back(&incident);
      }
    }
    const auto in = [&](auto&& state) {
      std::vector<const Incident*> out;
      std::copy_if(of.begin(), of.end(), std::back_inserter(out),
                   [&](const Incident* i) { return state(*i); });
      return out;
    };
    const auto open = in(is_open);
    switch (expect.kind) {
      case ExpectKind::CountOpen:
        return counted(expect, open);
      case ExpectKind::CountClosed:
        return counted(expect,
                       in([](const Incident& i) { return i.state == IncidentState::Closed; }));
      case ExpectKind::CountPlanned:
        return counted(expect,
                       in([](const Incident& i) { return i.state == IncidentState::Planned; }));
      case ExpectKind::CountSymptom:
        return counted(expect, in(is_symptom));
      case ExpectKind::No:
        return open.empty() ? std::string() : fmt::format("got {}", list(open));
      case ExpectKind::Closed: {
        const auto closed = in([](const Incident& i) { return i.state == IncidentState::Closed; });
        const auto lives = in([](const Incident& i) {
          return i.state != IncidentState::Closed && i.state != IncidentState::Pending;
        });
        return closed.empty() || !lives.empty() ? "got " + states(of) : fields(expect, closed);
      }
      case ExpectKind::Open:
        return open.empty() ? "got " + states(of) : fields(expect, open);
      case ExpectKind::Symptom: {
        const auto found = in(is_symptom);
        return found.empty() ? "got " + states(of) : fields(expect, found);
      }
      case ExpectKind::Planned: {
        const auto found = in([](const Incident& i) { return i.state == IncidentState::Planned; });
        return found.empty() ? "got " + states(of) : fields(expect, found);
      }
    }
    return {};
  }

  static std::string counted(const TestExpect& expect, const std::vector<const Incident*>& of) {
    return of.size() == expect.count ? std::string() : fmt::format("got {}", list(of));
  }
  static std::string list(const std::vector<const Incident*>& of) {
    std::string out = fmt::format("{}", of.size());
    for (std::size_t i = 0; i < of.size() && i < 10; ++i) {
      out += (i == 0 ? ": " : ", ") + call(*of[i]);
    }
    return out;
  }
  static std::string states(const std::vector<const Incident*>& of) {
    std::string out;
    for (const Incident* i : of) {
      out +=
          fmt::format("{}{} {}", out.empty() ? "" : ", ",
                      i->state == IncidentState::Pending ? "released" : name(i->state), call(*i));
    }
    return out.empty() ? "none" : out;
  }

  /// One of them must have all fields as said.
  std::string fields(const TestExpect& expect, const std::vector<const Incident*>& of) const {
    std::string got;
    for (const Incident* incident : of) {
      std::string wrong;
      for (const auto& [field, value] : expect.fields) {
        const std::string actual = field_text(*incident, field);
        if (!same(field, actual, value)) {
          wrong += fmt::format("{}{}: \"{}\"", wrong.empty() ? "" : ", ", field, actual);
        }
      }
      if (wrong.empty()) {
        return {};
      }
      got += fmt::format("{}{} {{ {} }}", got.empty() ? "got " : ", ", call(*incident), wrong);
    }
    return got;
  }

  bool same(const std::string& field, const std::string& actual,
            const rules::TestValue& value) const {
    const std::string wanted = test_text(value);
    // `cause: fibre_cut` names the rule alone, `cause: "fibre_cut(S1)"` the incident.
    return actual == wanted || (field == "cause" && actual.starts_with(wanted + "("));
  }

  std::string field_text(const Incident& i, const std::string& field) const {
    if (field == "cause") {
      if (i.causes.empty()) {
        return "";
      }
      const auto found = incidents_.find(i.causes.front().value);
      return found == incidents_.end() ? "?" : call(found->second);
    }
    const std::map<std::string_view, std::string> values{
        {"title", i.title},
        {"severity", std::string(name(i.severity))},
        {"symptoms", std::to_string(i.symptoms)},
        {"count", std::to_string(i.count)},
        {"flaps", std::to_string(i.flaps)},
        {"impact", i.impact},
        {"tier", i.tier},
        {"priority", given_priority(*run_.program, i).word},
        {"runbook", i.runbook},
        {"maintenance", i.maintenance},
        {"escalate", i.escalation},
        {"escalation", i.escalation},
        {"causes", std::to_string(i.causes.size())},
        {"customer", fmt::format("{}", fmt::join(i.customers, ", "))},
        {"customers", fmt::format("{}", fmt::join(i.customers, ", "))},
        {"nodes", fmt::format("{}", fmt::join(i.nodes, ", "))},
        {"state", std::string(name(i.state))}};
    const auto found = values.find(field);
    return found == values.end() ? fmt::format("no field '{}' can be expected", field)
                                 : found->second;
  }

  void say(const Moment& moment, const std::string& wrong) {
    std::string text = line_at(moment.step->place);
    if (moment.step->times > 1) {
      text = fmt::format("+{} {}", to_text(moment.at), text);
    }
    outcome_.timeline.push_back(wrong.empty() ? fmt::format("    {}", text)
                                              : fmt::format("  ! {}   {}", text, wrong));
    if (!wrong.empty()) {
      outcome_.passed = false;
      if (outcome_.first_failure.empty()) {
        outcome_.first_failure =
            fmt::format("line {}: {}: {}", moment.step->place.line, text, wrong);
      }
      say_silent(moment.step->expect);
      const bool told = std::exchange(told_changes_, outcome_.changes) == outcome_.changes;
      for (const auto& [id, incident] : incidents_) {
        if (incident.state != IncidentState::Closed && !told) {
          say_why_not(incident);
          outcome_.timeline.push_back(fmt::format(
              "        {} {} since {}: \"{}\" count {} flaps {} symptoms {}{}{}",
              name(incident.state), call(incident), offset(incident.began_at), incident.title,
              incident.count, incident.flaps, incident.symptoms,
              incident.causes.empty() ? "" : " cause " + field_text(incident, "cause"),
              incident.maintenance.empty() ? "" : " maintenance " + incident.maintenance));
        }
      }
    }
  }

  /// A rule without any incident: what its signals have heard so far.
  void say_silent(const TestExpect& expect) {
    const auto is = [&](const auto& item) { return named(expect, item.second); };
    if (expect.rule == rules::kNone || std::any_of(incidents_.begin(), incidents_.end(), is)) {
      return;
    }
    std::set<rules::Index> seen;
    signals_of(run_.program->rules[expect.rule].patterns, seen);
    for (const rules::Index s : seen) {
      const rules::Signal& signal = run_.program->signals[s];
      std::size_t raised = 0, cleared = 0;
      for (const rules::Index c : signal.clauses) {
        const auto heard = heard_.find(c);
        const bool clear = run_.program->clauses[c].kind == rules::ClauseKind::Clear;
        (clear ? cleared : raised) += heard == heard_.end() ? 0 : heard->second;
      }
      if (!signal.clauses.empty()) {
        outcome_.timeline.push_back(signal.measure
                                        ? fmt::format("        {}: {} samples", signal.name, raised)
                                        : fmt::format("        {}: raised {} times, cleared {}",
                                                      signal.name, raised, cleared));
      }
    }
  }

  /// Of the patterns, and of what derived signals and rules among them are made of.
  void signals_of(const std::vector<const rules::Pattern*>& patterns,
                  std::set<rules::Index>& seen) const {
    for (const rules::Pattern* pattern : patterns) {
      const rules::Index s = pattern->leaf.signal;
      if (s != rules::kNone && seen.insert(s).second) {
        const rules::Signal& signal = run_.program->signals[s];
        signals_of(signal.patterns, seen);
        if (signal.rule != rules::kNone) {
          signals_of(run_.program->rules[signal.rule].patterns, seen);
        }
      }
    }
  }

  bool is_raw(rules::Index type) const {
    return type < run_.program->event_types.size() &&
           raw_.contains(run_.program->event_types[type].name);
  }

  /// Event types that patterns name themselves: their events need no line.
  std::set<std::string> raw_events() const {
    std::set<rules::Index> seen;
    for (const rules::Signal& signal : run_.program->signals) {
      signals_of(signal.patterns, seen);
    }
    for (const rules::Rule& rule : run_.program->rules) {
      signals_of(rule.patterns, seen);
    }
    std::set<std::string> out;
    for (const rules::Index s : seen) {
      const rules::Signal& signal = run_.program->signals[s];
      if (signal.clauses.empty() && signal.patterns.empty() && signal.rule == rules::kNone) {
        out.insert(signal.name);
      }
    }
    return out;
  }

  /// An open incident beside others: the cause lines that could have explained it, and do not.
  void say_why_not(const Incident& b) {
    if (b.state != IncidentState::Open) {
      return;
    }
    for (const rules::Cause& cause : run_.program->causes) {
      if (run_.program->rules[cause.symptom].name != b.rule) {
        continue;
      }
      for (const auto& [id, a] : incidents_) {
        if (id != b.id.value && a.state != IncidentState::Closed &&
            run_.program->rules[cause.cause].name == a.rule) {
          outcome_.timeline.push_back(
              fmt::format("        {} is not explained by {}:", call(b), call(a)));
          why_not(cause, a, b);
        }
      }
    }
  }

  void why_not(const rules::Cause& cause, const Incident& a, const Incident& b) {
    constexpr std::size_t kIndent = 10;
    const std::string margin(kIndent, ' ');
    std::vector<Value> vars;
    for (const rules::CauseVar& var : cause.vars) {
      const bool of_cause = var.cause_part != rules::kNone;
      const bool of_symptom = var.symptom_part != rules::kNone;
      const std::string& text = of_cause ? a.key[var.cause_part] : b.key[var.symptom_part];
      if (of_cause && of_symptom && text != b.key[var.symptom_part]) {
        outcome_.timeline.push_back(margin + line_at(cause.place));
        outcome_.timeline.push_back(fmt::format("{}{} is {} there and {} here", margin, var.name,
                                                text, b.key[var.symptom_part]));
        return;
      }
      Value value = Value::of_text(var.type, text);
      value.aux = var.of;
      vars.push_back(value);
    }
    Arena arena;
    rules::Env env;
    env.program = run_.program.get();
    env.inventory = inventory_.get();
    env.vars = vars;
    env.arena = &arena;
    if (cause.where == nullptr || run_.files == nullptr) {
      outcome_.timeline.push_back(margin + line_at(cause.place));
      return;
    }
    if (cause.where->place.line != cause.place.line) {
      outcome_.timeline.push_back(margin + line_at(cause.place));
    }
    const char* verdict = rules::holds(cause.where, env) ? " -> true" : " -> false";
    for (std::string& line : values_under(*cause.where, env, *run_.files, kIndent, verdict)) {
      outcome_.timeline.push_back(std::move(line));
    }
  }

  static std::string offset(Instant at) { return "+" + to_text(at - kTestStart); }

  std::string line_at(const rules::Place& place) const {
    return run_.files == nullptr ? fmt::format("line {}", place.line)
                                 : source_line(*run_.files, place);
  }

  const TestRun& run_;
  const rules::Test& test_;
  TestOutcome outcome_;
  std::shared_ptr<const Inventory> inventory_;
  std::unique_ptr<EventNamer> namer_;
  std::unique_ptr<replay::Rehearsal> rehearsal_;
  std::map<std::uint64_t, Incident> incidents_;  ///< as they stand now
  std::map<rules::Index, std::size_t> heard_;    ///< matches by clause
  std::set<std::string> raw_ = raw_events();
  std::size_t told_changes_ = SIZE_MAX;  ///< when what stands was told last
  bool matched_ = false;                 ///< the event that was committed last
  std::uint64_t random_ = run_.shuffle.value_or(0);
};

/// What stood only in the order written (-), and only in the other (+).
void difference(const std::vector<std::string>& written, const std::vector<std::string>& other,
                std::vector<std::string>& out) {
  const auto only = [&](const auto& of, const auto& than, char sign) {
    for (const std::string& line : of) {
      if (std::find(than.begin(), than.end(), line) == than.end()) {
        out.push_back(fmt::format("      {} {}", sign, line));
      }
    }
  };
  only(written, other, '-');
  only(other, written, '+');
}

}  // namespace

TestOutcome run_test(const TestRun& run, const rules::Test& test) {
  TestRun plain = run;
  plain.shuffle.reset();
  TestOutcome out = Runner(plain, test).go();
  for (std::uint64_t round = 0; run.shuffle && out.passed && round < kShuffleRounds; ++round) {
    TestRun shuffled = run;
    shuffled.shuffle = *run.shuffle + round;
    shuffled.coverage = nullptr;
    TestOutcome other = Runner(shuffled, test).go();
    if (other.passed && other.stood == out.stood) {
      continue;
    }
    other.passed = false;
    other.first_failure = fmt::format(
        "ends differently in another order of what arrives at one "
        "instant: --shuffle {}",
        *shuffled.shuffle);
    other.timeline.push_back("    " + other.first_failure);
    difference(out.stood, other.stood, other.timeline);
    return other;
  }
  return out;
}

}  // namespace belfry
