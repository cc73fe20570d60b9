#include "compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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
      "+{:.6f}ms {} {}({}) {} {} #{} causes [{}] \"{}\" {} count {} flaps {} symptoms {}",
      static_cast<double>(at.ns - kStart.ns) / 1e6, to_text(i.id), i.rule, fmt::join(i.key, ", "),
      name(i.state), name(change.reason), change.nth, causes, i.title, name(i.severity), i.count,
      i.flaps, i.symptoms);
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

Told run_engine(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                const Drive& drive) {
  Told out;
  replay::RehearsalOptions options;
  options.batch_events_max = drive.batch_events_max;
  replay::Rehearsal rehearsal(
      program, inventory_of(c, *program), kStart,
      [&](const replay::RehearsalChange& change) {
        out.lines.push_back(line_of(change.at, change.change));
      },
      options);
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    const Instant at{c.events[i].at_ns};
    if (drive.restart_before == i) {
      if (const auto done = rehearsal.restart_from_snapshot(); !done) {
        out.lines.push_back("restart failed: " + done.error().what);
      }
    }
    if (drive.reload_before == i) {
      rehearsal.set_program(compile_case(c).program,
                            i == 0 ? kStart : Instant{c.events[i - 1].at_ns});
    }
    if (const std::size_t n = close_number(c.events[i]); n > 0) {
      rehearsal.advance_before(at);
      const std::vector<Incident> live = rehearsal.correlator().live();
      if (!live.empty()) {
        Command command;
        command.kind = CommandKind::CloseIncident;
        command.who = "ana";
        command.incident = live[(n - 1) % live.size()].id;
        rehearsal.command(command, at);
      }
      continue;
    }
    Event& event = rehearsal.begin();
    fill(c.events[i], *program, rehearsal.arena(), event);
    rehearsal.commit(at);
  }
  rehearsal.advance(Instant{c.events.empty() ? kStart.ns : c.events.back().at_ns} + kAfter);
  out.state_hash = rehearsal.correlator().state_hash();
  return out;
}

Told run_reference(const RandomCase& c, const std::shared_ptr<const rules::Program>& program) {
  Told out;
  Arena arena;
  Reference reference(program, inventory_of(c, *program));
  std::vector<IncidentChange> changes;
  const auto tell = [&](Instant at) {
    for (const IncidentChange& change : changes) {
      out.lines.push_back(line_of(at, change));
    }
    changes.clear();
  };
  const auto fire = [&](Instant before, Seq seq) {
    for (Instant due = reference.next_deadline(); due < before; due = reference.next_deadline()) {
      reference.advance(due, seq, changes);
      tell(due);
    }
  };
  Seq seq{0};
  Instant at = kStart;
  for (const RandomEvent& from : c.events) {
    at = Instant{from.at_ns};
    if (const std::size_t n = close_number(from); n > 0) {
      fire(at, Seq{seq.value + 1});
      const std::vector<IncidentId> live = reference.live();
      if (!live.empty()) {
        reference.close_by_hand(live[(n - 1) % live.size()], Seq{seq.value + 1}, at, changes);
        tell(at);
      }
      continue;
    }
    ++seq.value;
    fire(at, seq);
    Event event;
    fill(from, *program, arena, event);
    reference.on_event(event, seq, at, changes);
    tell(at);
  }
  fire(at + kAfter + Duration(1), Seq{seq.value + 1});
  return out;
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
  const Told engine = run_engine(c, compiled.program);
  if (const auto d = difference(engine.lines, run_reference(c, compiled.program).lines);
      !d.empty()) {
    return "engine and reference differ:\n" + d;
  }
  const auto same = [&](const char* what, const Drive& drive) -> std::string {
    const Told other = run_engine(c, compiled.program, drive);
    const std::string d = difference(engine.lines, other.lines);
    if (!d.empty()) {
      return fmt::format("{} changes what comes out (as `reference`):\n{}", what, d);
    }
    return other.state_hash == engine.state_hash ? std::string()
                                                 : fmt::format("{} changes the state hash\n", what);
  };
  Rng rng(c.seed ^ 0x5eed);
  const std::size_t place = c.events.empty() ? 0 : rng.below(c.events.size());
  for (const std::string& d :
       {same("running it again", {}),
        same("another batch size",
             {.batch_events_max = 1 + rng.below(20), .restart_before = {}, .reload_before = {}}),
        same("a restart", {.batch_events_max = 1, .restart_before = place, .reload_before = {}}),
        same("a reload of the same rules",
             {.batch_events_max = 1, .restart_before = {}, .reload_before = place})}) {
    if (!d.empty()) {
      return d;
    }
  }
  return {};
}

namespace {

/// Without declaration i and whatever names it.
RandomCase without(const RandomCase& c, std::size_t i) {
  RandomCase out = c;
  std::set<std::string> gone{c.declarations[i].name};
  for (bool more = true; more;) {
    more = false;
    for (const Declaration& d : c.declarations) {
      const bool uses = std::any_of(d.uses.begin(), d.uses.end(),
                                    [&](const std::string& name) { return gone.contains(name); });
      more = (uses && gone.insert(d.name).second) || more;
    }
  }
  std::erase_if(out.declarations, [&](const Declaration& d) { return gone.contains(d.name); });
  return out;
}

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

bool drop_text(RandomCase& c, const Fails& fails) {
  bool any = false;
  for (std::size_t i = 0; i < c.declarations.size();) {
    RandomCase smaller = without(c, i);
    if (fails(smaller)) {
      c = std::move(smaller);
      any = true;
      continue;
    }
    for (std::size_t k = 0; k < c.declarations[i].lines.size();) {
      smaller = c;
      smaller.declarations[i].lines.erase(smaller.declarations[i].lines.begin() +
                                          static_cast<std::ptrdiff_t>(k));
      if (fails(smaller)) {
        c = std::move(smaller);
        any = true;
      } else {
        ++k;
      }
    }
    ++i;
  }
  return any;
}

template <class List>
bool drop_pairs(RandomCase& c, List RandomWorld::*list, const Fails& fails) {
  bool any = false;
  for (std::size_t i = 0; i < (c.world.*list).size();) {
    RandomCase smaller = c;
    (smaller.world.*list).erase((smaller.world.*list).begin() + static_cast<std::ptrdiff_t>(i));
    if (fails(smaller)) {
      c = std::move(smaller);
      any = true;
    } else {
      ++i;
    }
  }
  return any;
}

}  // namespace

RandomCase shrink(RandomCase c, const std::function<bool(const RandomCase&)>& fails) {
  for (bool more = true; more;) {
    more = drop_events(c, fails);
    more = drop_text(c, fails) || more;
    more = drop_pairs(c, &RandomWorld::behind, fails) || more;
    more = drop_pairs(c, &RandomWorld::near, fails) || more;
  }
  return c;
}

}  // namespace belfry::testing
