#include "compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include "belfry/base/text.hpp"
#include "belfry/replay/rehearsal.hpp"
#include "belfry/rules/compile.hpp"
#include "reference.hpp"

namespace belfry::testing {

namespace {

constexpr Instant kStart{1'000'000'000'000};
/// Longer than every duration the generator writes, twice over.
constexpr Duration kAfter = std::chrono::seconds(60);

std::string line_of(Instant at, const IncidentChange& change) {
  const Incident& i = change.after;
  std::string causes;
  for (const IncidentId cause : i.causes) {
    causes += (causes.empty() ? "" : ",") + to_text(cause);
  }
  return fmt::format(
      "+{:.6f}ms {} {}({}) {} {} #{} causes [{}] \"{}\" {} count {} flaps {} symptoms {}{}",
      static_cast<double>(at.ns - kStart.ns) / 1e6, to_text(i.id), i.rule, fmt::join(i.key, ", "),
      name(i.state), name(change.reason), change.nth, causes, i.title, name(i.severity), i.count,
      i.flaps, i.symptoms,
      i.maintenance.empty()
          ? std::string()
          : fmt::format(" during {} until {:.6f}ms", i.maintenance,
                        static_cast<double>(i.planned_until.ns - kStart.ns) / 1e6));
}

/// The incident that `close N` means; 0 = this is an event.
std::size_t close_number(const RandomEvent& e) {
  return e.msg.starts_with("close ") ? static_cast<std::size_t>(e.msg[6] - '0') + 1 : 0;
}

/// `load 73.5`, `octets 1234.5 k1`: a probe with a number.
void fill_sample(const RandomEvent& from, std::string_view check, Arena& arena, Event& out) {
  const std::string_view rest = std::string_view(from.msg).substr(check.size() + 1);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const auto number = parse_float(rest.substr(0, end));
  out.kind = EventKind::Probe;
  out.type = "probe";
  const std::vector<Attr> attrs{
      {"check", Value::string(check)},
      {"value", number ? Value::real(*number) : Value::none()},
      {"label.k", Value::string(rest.substr(std::min(end + 1, rest.size())))},
      {"vantage", Value::string(from.via)}};
  out.attrs = arena.copy(std::span<const Attr>(attrs));
}

/// `alert firing 300`, `alert resolved`: with a number a lease of so many ms.
void fill_alert(const RandomEvent& from, Arena& arena, Event& out) {
  out.kind = EventKind::Alert;
  out.type = "alert";
  const std::string_view rest = std::string_view(from.msg).substr(6);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  std::vector<Attr> attrs{{"name", Value::string("a")},
                          {"state", Value::string(rest.substr(0, end))}};
  if (end < rest.size()) {
    const std::int64_t ms = std::strtoll(std::string(rest.substr(end)).c_str(), nullptr, 10);
    attrs.push_back({"ends", Value::time(Instant{from.at_ns + ms * 1'000'000})});
  }
  out.attrs = arena.copy(std::span<const Attr>(attrs));
}

void fill(const RandomEvent& from, const rules::Program& program, Arena& arena, Event& out) {
  out.kind = EventKind::Syslog;
  out.type = "syslog";
  out.node = from.node;
  out.via = from.via;
  out.from = from.node;
  out.raw = from.msg;
  out.repeat = from.repeat;
  const std::string_view first = std::string_view(from.msg).substr(0, from.msg.find(' '));
  if (first == "load" || first == "octets") {
    fill_sample(from, first, arena, out);
    return;
  }
  if (first == "alert") {
    fill_alert(from, arena, out);
    return;
  }
  if (first != "probe") {
    out.message = from.msg;
    const std::size_t percent = out.message.find('%');
    if (percent != std::string_view::npos) {
      out.tag = out.message.substr(percent + 1, out.message.find(": ", percent) - percent - 1);
    }
    return;
  }
  out.kind = EventKind::Probe;
  out.type = "probe";
  const std::uint32_t status = program.schema->find_enum("status");
  const bool up = from.msg == "probe up";
  const std::vector<Attr> attrs{
      {"check", Value::string("icmp")},
      {"status", Value::enumerator(status, up ? 0 : 2, up ? "up" : "down")},
      {"vantage", Value::string(from.via)}};
  out.attrs = arena.copy(std::span<const Attr>(attrs));
}

}  // namespace

Compiled compile_case(const RandomCase& c) {
  const std::vector<rules::SourceFile> files{{"random.bell", text_of(c)}};
  const rules::Compiled compiled = rules::compile(files);
  return {compiled.program, rules::render(compiled.diagnostics, files, false)};
}

namespace {

/// Both versions of the rules and of the inventory, and which of them is in force.
class Versions {
 public:
  Versions(const RandomCase& c, std::shared_ptr<const rules::Program> program) : case_(c) {
    programs_[0] = std::move(program);
    programs_[1] = c.edits.empty() ? programs_[0] : compile_case(edited(c)).program;
    for (std::size_t i = 0; i < 2; ++i) {
      inventories_[i] = inventory_of(c, *programs_[0], i == 1);
    }
  }
  const std::shared_ptr<const rules::Program>& program() const { return programs_[rules_]; }
  const std::shared_ptr<const Inventory>& inventory() const { return inventories_[rows_]; }
  void change_rules() { rules_ = 1 - rules_; }
  void change_rows() { rows_ = 1 - rows_; }
  /// The same texts compiled anew.
  std::shared_ptr<const rules::Program> again() const {
    return compile_case(rules_ == 0 ? case_ : edited(case_)).program;
  }

 private:
  const RandomCase& case_;
  std::array<std::shared_ptr<const rules::Program>, 2> programs_;
  std::array<std::shared_ptr<const Inventory>, 2> inventories_;
  std::size_t rules_ = 0, rows_ = 0;
};

std::optional<Duration> deafness(const RandomEvent& e) {
  if (!e.msg.starts_with("deaf ")) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(std::strtoll(e.msg.c_str() + 5, nullptr, 10));
}

bool is_event(const RandomEvent& e) {
  return close_number(e) == 0 && !deafness(e) && e.msg != "rules" && e.msg != "rows";
}

std::optional<Command> close_command(const RandomEvent& e, const Correlator& fold) {
  std::vector<Incident> live = fold.live();
  std::erase_if(live, [](const Incident& i) { return i.key.front() == "(overflow)"; });
  if (live.empty()) {
    return std::nullopt;
  }
  Command command;
  command.kind = CommandKind::CloseIncident;
  command.who = "ana";
  command.incident = live[(close_number(e) - 1) % live.size()].id;
  return command;
}

/// What is no event; false when it is one.
bool run_other(const RandomEvent& e, Versions& versions, replay::Rehearsal& rehearsal) {
  const Instant at{e.at_ns};
  if (close_number(e) > 0) {
    rehearsal.advance_before(at);
    if (const auto command = close_command(e, rehearsal.correlator())) {
      rehearsal.command(*command, at);
    }
    return true;
  }
  if (const auto span = deafness(e)) {
    rehearsal.on_deaf(at - *span, at);
    return true;
  }
  if (e.msg == "rules") {
    versions.change_rules();
    rehearsal.set_program(versions.program(), at);
    return true;
  }
  if (e.msg == "rows") {
    versions.change_rows();
    rehearsal.set_inventory(versions.inventory(), at);
    return true;
  }
  return false;
}

}  // namespace

Told run_engine(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                const Drive& drive) {
  Told out;
  replay::RehearsalOptions options;
  options.batch_events_max = drive.batch_events_max;
  Versions versions(c, program);
  replay::Rehearsal rehearsal(
      program, versions.inventory(), kStart,
      [&](const replay::RehearsalChange& change) {
        out.lines.push_back(line_of(change.at, change.change));
      },
      options);
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    if (drive.restart_before == i) {
      if (const auto done = rehearsal.restart_from_snapshot(); !done) {
        out.lines.push_back("restart failed: " + done.error().what);
      }
    }
    if (drive.reload_before == i) {
      rehearsal.set_program(versions.again(), i == 0 ? kStart : Instant{c.events[i - 1].at_ns});
    }
    if (run_other(c.events[i], versions, rehearsal)) {
      continue;
    }
    Event& event = rehearsal.begin();
    fill(c.events[i], *versions.program(), rehearsal.arena(), event);
    rehearsal.commit(Instant{c.events[i].at_ns});
  }
  rehearsal.advance(Instant{c.events.empty() ? kStart.ns : c.events.back().at_ns} + kAfter);
  out.state_hash = rehearsal.correlator().state_hash();
  return out;
}

namespace {

/// The fold behind several collectors, each with a matcher and a batch of its own.
class CollectorsRun {
 public:
  CollectorsRun(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                std::size_t collectors)
      : case_(c), versions_(c, program), batches_(collectors) {
    fold_.set_program(versions_.program(), seq_, kStart, changes_);
    fold_.set_inventory(versions_.inventory(), seq_, kStart, changes_);
    tell(kStart);
  }
  void run() {
    for (std::size_t i = 0; i < case_.events.size();) {
      if (is_event(case_.events[i])) {
        i = run_events(i);
      } else {
        run_other(case_.events[i++]);
      }
    }
    const Instant end{case_.events.empty() ? kStart.ns : case_.events.back().at_ns};
    fire(end + kAfter + Duration(1), next());
  }
  Told told() { return {std::move(lines_), fold_.state_hash()}; }

 private:
  Seq next() const { return Seq{seq_.value + 1}; }

  std::size_t run_events(std::size_t from) {
    std::size_t to = from;
    while (to < case_.events.size() && is_event(case_.events[to])) {
      ++to;
    }
    collect(from, to);
    std::vector<std::size_t> read(batches_.size());
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t c = (i - from) % batches_.size();
      Batch& batch = batches_[c];
      const std::size_t n = (i - from) / batches_.size(), first = read[c];
      while (read[c] < batch.matches.size() && batch.matches[read[c]].event == n) {
        ++read[c];
      }
      const Instant at{case_.events[i].at_ns};
      seq_ = next();
      fire(at, seq_);
      fold_.on_event(batch.events[n],
                     std::span<const Match>(batch.matches).subspan(first, read[c] - first), seq_,
                     at, changes_);
      tell(at);
    }
    return to;
  }

  void collect(std::size_t from, std::size_t to) {
    std::vector<std::thread> threads;
    const rules::Matcher matcher(versions_.program(), versions_.inventory());
    for (std::size_t c = 0; c < batches_.size(); ++c) {
      threads.emplace_back([this, c, from, to, mine = matcher.clone()]() mutable {
        Batch& batch = batches_[c];
        batch.clear();
        for (std::size_t i = from + c; i < to; i += batches_.size()) {
          fill(case_.events[i], *versions_.program(), batch.arena, batch.events.emplace_back());
        }
        mine.match(batch);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }

  void run_other(const RandomEvent& e) {
    const Instant at{e.at_ns};
    const auto span = deafness(e);
    fire(span ? at - *span : at, next());
    if (span) {
      fold_.on_deaf(at - *span, at, next(), changes_);
    } else if (e.msg == "rules") {
      versions_.change_rules();
      fold_.set_program(versions_.program(), next(), at, changes_);
    } else if (e.msg == "rows") {
      versions_.change_rows();
      fold_.set_inventory(versions_.inventory(), next(), at, changes_);
    } else if (const auto command = close_command(e, fold_)) {
      fold_.on_command(*command, next(), at, changes_);
    }
    tell(at);
  }

  void fire(Instant before, Seq seq) {
    for (Instant due = fold_.next_deadline(); due < before; due = fold_.next_deadline()) {
      fold_.advance(due, seq, changes_);
      tell(due);
    }
  }
  void tell(Instant at) {
    for (const IncidentChange& change : changes_) {
      lines_.push_back(line_of(at, change));
    }
    changes_.clear();
  }

  const RandomCase& case_;
  Versions versions_;
  std::vector<Batch> batches_;
  Correlator fold_;
  Seq seq_{0};
  std::vector<IncidentChange> changes_;
  std::vector<std::string> lines_;
};

}  // namespace

Told run_collectors(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                    std::size_t collectors) {
  CollectorsRun run(c, program, collectors);
  run.run();
  return run.told();
}

namespace {

/// The reference with what it said, and its clock.
class ReferenceRun {
 public:
  ReferenceRun(const RandomCase& c, const std::shared_ptr<const rules::Program>& program)
      : versions_(c, program), reference_(program, versions_.inventory(), kStart) {
    reference_.start(changes_);
    tell(kStart);
  }

  void input(const RandomEvent& from) {
    const Instant at{from.at_ns};
    const auto span = deafness(from);
    const std::size_t close = close_number(from);
    const Seq next{seq_.value + 1};
    fire(span ? at - *span : at, next);
    if (is_event(from)) {
      seq_ = next;
      Event filled;
      fill(from, *versions_.program(), arena_, filled);
      reference_.on_event(filled, seq_, at, changes_);
    } else if (span) {
      reference_.deaf(at - *span, at, next, changes_);
    } else if (from.msg == "rules") {
      versions_.change_rules();
      reference_.set_program(versions_.program(), next, at, changes_);
    } else if (from.msg == "rows") {
      versions_.change_rows();
      reference_.set_inventory(versions_.inventory(), next, at, changes_);
    } else if (const std::vector<IncidentId> live = reference_.live(); !live.empty()) {
      reference_.close_by_hand(live[(close - 1) % live.size()], next, at, changes_);
    }
    tell(at);
  }
  void run_on(Instant until) { fire(until + Duration(1), Seq{seq_.value + 1}); }
  std::vector<std::string> lines;

 private:
  void tell(Instant at) {
    for (const IncidentChange& change : changes_) {
      lines.push_back(line_of(at, change));
    }
    changes_.clear();
  }
  void fire(Instant before, Seq seq) {
    for (Instant due = reference_.next_deadline(); due < before; due = reference_.next_deadline()) {
      reference_.advance(due, seq, changes_);
      tell(due);
    }
  }

  Versions versions_;
  Reference reference_;
  Arena arena_;
  std::vector<IncidentChange> changes_;
  Seq seq_{0};
};

}  // namespace

Told run_reference(const RandomCase& c, const std::shared_ptr<const rules::Program>& program) {
  ReferenceRun run(c, program);
  for (const RandomEvent& from : c.events) {
    run.input(from);
  }
  run.run_on(Instant{c.events.empty() ? kStart.ns : c.events.back().at_ns} + kAfter);
  return {std::move(run.lines), 0};
}

std::string difference(const std::vector<std::string>& engine,
                       const std::vector<std::string>& reference) {
  if (engine == reference) {
    return {};
  }
  std::size_t i = 0;
  while (i < engine.size() && i < reference.size() && engine[i] == reference[i]) {
    ++i;
  }
  std::string out;
  for (std::size_t k = i < 6 ? 0 : i - 6; k < i; ++k) {
    out += "  both      " + engine[k] + "\n";
  }
  for (std::size_t k = i; k < i + 4; ++k) {
    if (k < engine.size()) {
      out += "  engine    " + engine[k] + "\n";
    }
  }
  for (std::size_t k = i; k < i + 4; ++k) {
    if (k < reference.size()) {
      out += "  reference " + reference[k] + "\n";
    }
  }
  return out.empty() ? "one of them says more\n" : out;
}

std::string check_case(const RandomCase& c) {
  const Compiled compiled = compile_case(c);
  if (compiled.program == nullptr) {
    return "does not compile:\n" + compiled.diagnostics;
  }
  if (const Compiled other = compile_case(edited(c)); other.program == nullptr) {
    return "the other version does not compile:\n" + other.diagnostics;
  }
  const Told engine = run_engine(c, compiled.program);
  if (const auto d = difference(engine.lines, run_reference(c, compiled.program).lines);
      !d.empty()) {
    return "engine and reference differ:\n" + d;
  }
  const auto equal = [&](const char* what, const Told& other) -> std::string {
    const std::string d = difference(engine.lines, other.lines);
    if (!d.empty()) {
      return fmt::format("{} changes what comes out (as `reference`):\n{}", what, d);
    }
    return other.state_hash == engine.state_hash ? std::string()
                                                 : fmt::format("{} changes the state hash\n", what);
  };
  const auto same = [&](const char* what, const Drive& drive) {
    return equal(what, run_engine(c, compiled.program, drive));
  };
  Rng rng(c.seed ^ 0x5eed);
  const std::size_t place = c.events.empty() ? 0 : rng.below(c.events.size());
  for (const std::string& d :
       {same("running it again", {}),
        same("another batch size", {.batch_events_max = 1 + rng.below(20)}),
        equal("one collector thread", run_collectors(c, compiled.program, 1)),
        equal("three collector threads", run_collectors(c, compiled.program, 3)),
        same("a restart", {.restart_before = place}),
        same("a reload of the same rules", {.reload_before = place})}) {
    if (!d.empty()) {
      return d;
    }
  }
  return {};
}

namespace {

using Fails = std::function<bool(const RandomCase&)>;

bool drop_events(RandomCase& c, const Fails& fails) {
  bool any = false;
  for (std::size_t size = std::max<std::size_t>(c.events.size() / 2, 1); size > 0; size /= 2) {
    for (std::size_t i = 0; i + size <= c.events.size();) {
      RandomCase smaller = c;
      smaller.events.erase(smaller.events.begin() + static_cast<std::ptrdiff_t>(i),
                           smaller.events.begin() + static_cast<std::ptrdiff_t>(i + size));
      if (fails(smaller)) {
        c = std::move(smaller);
        any = true;
      } else {
        i += size;
      }
    }
  }
  return any;
}

/// Leaves out what `without` leaves out for each i below size(c), where it fails without it too.
template <class Size, class Without>
bool drop_each(RandomCase& c, const Fails& fails, Size size, Without without_it) {
  bool any = false;
  for (std::size_t i = 0; i < size(c);) {
    RandomCase smaller = c;
    without_it(smaller, i);
    if (fails(smaller)) {
      c = std::move(smaller);
      any = true;
    } else {
      ++i;
    }
  }
  return any;
}

bool drop_text(RandomCase& c, const Fails& fails) {
  bool any = false;
  for (std::size_t i = 0; i < c.declarations.size();) {
    RandomCase smaller = without(c, c.declarations[i].name);
    if (fails(smaller)) {
      c = std::move(smaller);
      any = true;
      continue;
    }
    any |= drop_each(
        c, fails, [i](const RandomCase& of) { return of.declarations[i].lines.size(); },
        [i](RandomCase& of, std::size_t k) {
          std::vector<std::string>& lines = of.declarations[i].lines;
          lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(k));
        });
    ++i;
  }
  return any;
}

template <class List>
bool drop_pairs(RandomCase& c, List RandomWorld::*list, const Fails& fails) {
  return drop_each(
      c, fails, [&](const RandomCase& of) { return (of.world.*list).size(); },
      [&](RandomCase& of, std::size_t i) {
        const auto pair = (of.world.*list)[i];
        std::erase(of.world.*list, pair);
        std::erase(of.later.*list, pair);
      });
}

bool drop_edits(RandomCase& c, const Fails& fails) {
  return drop_each(
      c, fails, [](const RandomCase& of) { return of.edits.size(); },
      [](RandomCase& of, std::size_t i) {
        of.edits.erase(of.edits.begin() + static_cast<std::ptrdiff_t>(i));
      });
}

}  // namespace

RandomCase shrink(RandomCase c, const std::function<bool(const RandomCase&)>& fails) {
  for (bool more = true; more;) {
    more = drop_events(c, fails);
    more = drop_text(c, fails) || more;
    more = drop_edits(c, fails) || more;
    more = drop_pairs(c, &RandomWorld::behind, fails) || more;
    more = drop_pairs(c, &RandomWorld::near, fails) || more;
    more = drop_pairs(c, &RandomWorld::links, fails) || more;
  }
  return c;
}

}  // namespace belfry::testing
