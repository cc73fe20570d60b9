// Snapshot of the desk and the stored form of its options: field by field, versioned, in map order.
#include "belfry/base/bytes.hpp"
#include "state.hpp"

namespace belfry {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kOptionsFormat = 1;

void put_targets(const std::vector<DeskTarget>& targets, ByteWriter& out) {
  out.varint(targets.size());
  for (const DeskTarget& target : targets) {
    out.string(target.channel);
    out.string(target.address);
  }
}

/// A count that the bytes left could hold: a bad count fails the reader instead of allocating.
std::size_t get_count(ByteReader& in) {
  const std::uint64_t n = in.varint();
  if (n > in.left()) {
    while (!in.done()) {
      in.u8();
    }
    in.u8();  // past the end: failed
    return 0;
  }
  return n;
}

std::vector<DeskTarget> get_targets(ByteReader& in) {
  std::vector<DeskTarget> out;
  for (std::size_t n = get_count(in); n > 0; --n) {
    DeskTarget target;
    target.channel = in.string();
    target.address = in.string();
    out.push_back(std::move(target));
  }
  return out;
}

void put_timeline(const TimelineEntry& line, ByteWriter& out) {
  out.zigzag(line.at.ns);
  out.varint(line.seq.value);
  out.string(line.who);
  out.string(line.what);
  out.string(line.text);
}

TimelineEntry get_timeline(ByteReader& in) {
  TimelineEntry line;
  line.at = {in.zigzag()};
  line.seq = {in.varint()};
  line.who = in.string();
  line.what = in.string();
  line.text = in.string();
  return line;
}

void put_entry(const TicketEntry& entry, ByteWriter& out) {
  Change change;
  change.ticket = TicketChange{entry.ticket, {}};
  ByteWriter ticket;
  encode(change, ticket);
  out.string(ticket.bytes());
  out.varint(entry.timeline.size());
  for (const TimelineEntry& line : entry.timeline) {
    put_timeline(line, out);
  }
  const Run& run = entry.run;
  out.string(run.escalation);
  out.fixed64(run.incident.value);
  out.varint(run.episode);
  out.zigzag(run.t0.ns);
  out.varint(run.next);
  out.varint(run.repeat);
  out.boolean(run.running);
  out.boolean(run.page_now);
  out.boolean(entry.mitigated);
  out.varint(entry.merged_into ? entry.merged_into->value : 0);
  out.varint(entry.told.size());
  for (const auto& [channel, address] : entry.told) {
    out.string(channel);
    out.string(address);
  }
  out.varint(entry.member_states.size());
  for (const auto& [id, state] : entry.member_states) {
    out.fixed64(id.value);
    out.u8(static_cast<std::uint8_t>(state));
  }
  out.u8(static_cast<std::uint8_t>(entry.severity));
  out.string(entry.policy);
  out.string(entry.runbook);
  out.string(entry.evidence);
}

Result<TicketEntry> get_entry(ByteReader& in) {
  TicketEntry entry;
  BELFRY_TRY(const Change change, decode_change(in.string()));
  if (!change.ticket) {
    return fail(Code::Corrupt, "desk snapshot: a ticket was expected");
  }
  entry.ticket = change.ticket->after;
  for (std::size_t n = get_count(in); n > 0; --n) {
    entry.timeline.push_back(get_timeline(in));
  }
  Run& run = entry.run;
  run.escalation = in.string();
  run.incident = {in.fixed64()};
  run.episode = static_cast<std::uint32_t>(in.varint());
  run.t0 = {in.zigzag()};
  run.next = static_cast<std::uint32_t>(in.varint());
  run.repeat = static_cast<std::uint32_t>(in.varint());
  run.running = in.boolean();
  run.page_now = in.boolean();
  entry.mitigated = in.boolean();
  if (const std::uint64_t merged = in.varint(); merged != 0) {
    entry.merged_into = TicketId{merged};
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    std::string channel(in.string());
    entry.told.emplace(std::move(channel), in.string());
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    const IncidentId id{in.fixed64()};
    entry.member_states[id] = static_cast<IncidentState>(in.u8());
  }
  entry.severity = static_cast<Severity>(in.u8());
  entry.policy = in.string();
  entry.runbook = in.string();
  entry.evidence = in.string();
  return entry;
}

void put_answer(const CommandResult& r, ByteWriter& out) {
  out.boolean(r.ok);
  out.u8(static_cast<std::uint8_t>(r.code));
  out.string(r.message);
  out.varint(r.ticket.value);
  out.fixed64(r.incident.value);
  out.varint(r.version);
}

CommandResult get_answer(ByteReader& in) {
  CommandResult r;
  r.ok = in.boolean();
  r.code = static_cast<Code>(in.u8());
  r.message = in.string();
  r.ticket = {in.varint()};
  r.incident = {in.fixed64()};
  r.version = in.varint();
  return r;
}

}  // namespace

void Desk::save(ByteWriter& out) const {
  const Impl& d = *impl_;
  out.u8(kFormat);
  ByteWriter options;
  encode(d.options, options);
  out.string(options.bytes());
  out.varint(d.next_ticket);
  out.varint(d.tickets.size());
  for (const auto& [id, entry] : d.tickets) {
    put_entry(entry, out);
  }
  out.varint(d.of_incident.size());
  for (const auto& [incident, ticket] : d.of_incident) {
    out.fixed64(incident.value);
    out.varint(ticket.value);
  }
  out.varint(d.waiting_merge.size());
  for (const auto& [cause, waiting] : d.waiting_merge) {
    out.fixed64(cause.value);
    out.varint(waiting.size());
    for (const TicketId id : waiting) {
      out.varint(id.value);
    }
  }
  out.varint(d.causes.size());
  for (const auto& [symptom, causes] : d.causes) {
    out.fixed64(symptom.value);
    out.varint(causes.size());
    for (const IncidentId id : causes) {
      out.fixed64(id.value);
    }
  }
  out.varint(d.sent.size());
  for (const auto& [effect, ticket] : d.sent) {
    out.fixed64(effect.value);
    out.varint(ticket.value);
  }
  out.varint(d.answer_order.size());
  for (const std::string& key : d.answer_order) {
    out.string(key);
    put_answer(d.answers.at(key), out);
  }
  out.varint(d.timers.size());
  for (const auto& [due, ticket, kind] : d.timers) {
    out.zigzag(due);
    out.varint(ticket);
    out.u8(kind);
  }
}

Result<void> Desk::load(ByteReader& in) {
  Impl& d = *impl_;
  if (const std::uint8_t format = in.u8(); format != kFormat) {
    return fail(Code::Corrupt, "desk snapshot: format {}, expected {}", format, kFormat);
  }
  BELFRY_TRY(d.options, decode_desk_options(in.string()));
  d.next_ticket = in.varint();
  for (std::size_t n = get_count(in); n > 0; --n) {
    BELFRY_TRY(TicketEntry entry, get_entry(in));
    if (is_open(entry.ticket.state)) {
      ++d.open_count[entry.ticket.owner];
    }
    d.tickets.emplace(entry.ticket.id, std::move(entry));
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    const IncidentId incident{in.fixed64()};
    d.of_incident[incident] = TicketId{in.varint()};
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    auto& waiting = d.waiting_merge[IncidentId{in.fixed64()}];
    for (std::size_t k = get_count(in); k > 0; --k) {
      waiting.insert(TicketId{in.varint()});
    }
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    auto& causes = d.causes[IncidentId{in.fixed64()}];
    for (std::size_t k = get_count(in); k > 0; --k) {
      causes.push_back(IncidentId{in.fixed64()});
    }
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    const EffectId effect{in.fixed64()};
    d.sent[effect] = TicketId{in.varint()};
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    std::string key(in.string());
    d.answers.emplace(key, get_answer(in));
    d.answer_order.push_back(std::move(key));
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    const std::int64_t due = in.zigzag();
    const std::uint64_t ticket = in.varint();
    const std::uint8_t kind = in.u8();
    d.timers.emplace(due, ticket, kind);
    d.due_of[{ticket, kind}] = due;
  }
  if (in.failed()) {
    return fail(Code::Corrupt, "desk snapshot: it ends early");
  }
  return {};
}

void encode(const DeskOptions& o, ByteWriter& out) {
  out.u8(kOptionsFormat);
  out.varint(o.teams.size());
  for (const DeskTeam& team : o.teams) {
    out.string(team.name);
    out.varint(team.members.size());
    for (const std::string& member : team.members) {
      out.string(member);
    }
    put_targets(team.notify, out);
    put_targets(team.page, out);
  }
  out.varint(o.people.size());
  for (const auto& [person, targets] : o.people) {
    out.string(person);
    put_targets(targets, out);
  }
  out.varint(o.aliases.size());
  for (const auto& [alias, target] : o.aliases) {
    out.string(alias);
    out.string(target);
  }
  out.string(o.desk_team);
  out.string(o.last_resort);
  out.string(o.default_escalation);
  out.string(o.default_policy);
  out.u8(static_cast<std::uint8_t>(o.open_from));
  for (const Duration d :
       {o.last_resort_every, o.close_after, o.page_repeat_p1, o.page_repeat_p2}) {
    out.zigzag(d.count());
  }
}

Result<DeskOptions> decode_desk_options(std::string_view bytes) {
  ByteReader in(bytes);
  DeskOptions o;
  if (const std::uint8_t format = in.u8(); format != kOptionsFormat) {
    return fail(Code::Corrupt, "desk options: format {}, expected {}", format, kOptionsFormat);
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    DeskTeam team;
    team.name = in.string();
    for (std::size_t k = get_count(in); k > 0; --k) {
      team.members.emplace_back(in.string());
    }
    team.notify = get_targets(in);
    team.page = get_targets(in);
    o.teams.push_back(std::move(team));
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    std::string person(in.string());
    o.people.emplace(std::move(person), get_targets(in));
  }
  for (std::size_t n = get_count(in); n > 0; --n) {
    std::string alias(in.string());
    o.aliases.emplace(std::move(alias), in.string());
  }
  o.desk_team = in.string();
  o.last_resort = in.string();
  o.default_escalation = in.string();
  o.default_policy = in.string();
  o.open_from = static_cast<Severity>(in.u8());
  for (Duration* d : {&o.last_resort_every, &o.close_after, &o.page_repeat_p1, &o.page_repeat_p2}) {
    *d = Duration(in.zigzag());
  }
  if (in.failed() || !in.done()) {
    return fail(Code::Corrupt, "desk options: {} bytes do not hold what they say", bytes.size());
  }
  return o;
}

}  // namespace belfry
