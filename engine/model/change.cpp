#include "belfry/model/change.hpp"

#include "belfry/base/json.hpp"
#include "codec.hpp"

namespace belfry {
namespace {
using codec::get_instant;
using codec::get_text;
using codec::put;

// Field by field, in the order of the struct: docs/formats/change.md. A new field is a new format.
constexpr std::uint8_t kChangeFormat = 2;
constexpr std::uint8_t kIncidentChange = 1, kTicketChange = 2;

void put_ids(ByteWriter& out, const std::vector<IncidentId>& ids) {
  codec::put_list(out, ids, [&](IncidentId id) { out.fixed64(id.value); });
}
void get_ids(ByteReader& in, std::vector<IncidentId>& ids, bool& wrong) {
  codec::get_list(in, ids, wrong, [&] { return IncidentId{in.fixed64()}; });
}

void put(ByteWriter& out, const Evidence& e) {
  out.varint(e.seq.value);
  put(out, e.at);
  out.string(e.text);
}
Evidence get_evidence(ByteReader& in) {
  Evidence e;
  e.seq.value = in.varint();
  e.at = get_instant(in);
  e.text = get_text(in);
  return e;
}

void put(ByteWriter& out, const Incident& i) {
  out.fixed64(i.id.value);
  out.string(i.rule);
  codec::put_texts(out, i.key);
  out.u8(static_cast<std::uint8_t>(i.state));
  put(out, i.began_at);
  put(out, i.opened_at);
  put(out, i.closed_at);
  out.varint(i.began_seq.value);
  put_ids(out, i.causes);
  out.varint(i.symptoms);
  out.string(i.title);
  out.u8(static_cast<std::uint8_t>(i.severity));
  out.string(i.impact);
  out.string(i.tier);
  codec::put_texts(out, i.customers);
  codec::put_texts(out, i.nodes);
  out.string(i.escalation);
  out.string(i.policy);
  out.string(i.runbook);
  out.string(i.maintenance);
  put(out, i.planned_until);
  out.varint(i.count);
  out.varint(i.flaps);
  codec::put_list(out, i.evidence, [&](const Evidence& e) { put(out, e); });
}
Incident get_incident(ByteReader& in, bool& wrong, std::uint8_t format = kChangeFormat) {
  Incident i;
  i.id.value = in.fixed64();
  i.rule = get_text(in);
  codec::get_texts(in, i.key, wrong);
  i.state = codec::get_enum(in, IncidentState::Closed, wrong);
  i.began_at = get_instant(in);
  i.opened_at = get_instant(in);
  i.closed_at = get_instant(in);
  i.began_seq.value = in.varint();
  get_ids(in, i.causes, wrong);
  i.symptoms = static_cast<std::uint32_t>(in.varint());
  i.title = get_text(in);
  i.severity = codec::get_enum(in, Severity::Critical, wrong);
  i.impact = get_text(in);
  i.tier = get_text(in);
  codec::get_texts(in, i.customers, wrong);
  codec::get_texts(in, i.nodes, wrong);
  i.escalation = get_text(in);
  i.policy = get_text(in);
  i.runbook = get_text(in);
  if (format > 1) {
    i.maintenance = get_text(in);
    i.planned_until = get_instant(in);
  }
  i.count = in.varint();
  i.flaps = in.varint();
  codec::get_list(in, i.evidence, wrong, [&] { return get_evidence(in); });
  return i;
}

void put(ByteWriter& out, const Ticket& t) {
  out.varint(t.id.value);
  out.string(t.kind);
  out.u8(static_cast<std::uint8_t>(t.state));
  out.string(t.title);
  out.string(t.priority);
  out.string(t.tier);
  out.string(t.impact);
  out.string(t.owner);
  out.boolean(t.claimed);
  out.boolean(t.acked);
  out.string(t.acked_by);
  put_ids(out, t.members);
  codec::put_texts(out, t.customers);
  put(out, t.origin);
  put(out, t.updated_at);
  put(out, t.resolved_at);
  out.string(t.escalation);
  out.varint(t.steps_done);
  put(out, t.next_step_at);
  out.varint(t.version);
}
Ticket get_ticket(ByteReader& in, bool& wrong) {
  Ticket t;
  t.id.value = in.varint();
  t.kind = get_text(in);
  t.state = codec::get_enum(in, kLastTicketState, wrong);
  t.title = get_text(in);
  t.priority = get_text(in);
  t.tier = get_text(in);
  t.impact = get_text(in);
  t.owner = get_text(in);
  t.claimed = in.boolean();
  t.acked = in.boolean();
  t.acked_by = get_text(in);
  get_ids(in, t.members, wrong);
  codec::get_texts(in, t.customers, wrong);
  t.origin = get_instant(in);
  t.updated_at = get_instant(in);
  t.resolved_at = get_instant(in);
  t.escalation = get_text(in);
  t.steps_done = static_cast<std::uint32_t>(in.varint());
  t.next_step_at = get_instant(in);
  t.version = in.varint();
  return t;
}

void put(ByteWriter& out, const IncidentChange& c) {
  put(out, c.after);
  out.u8(static_cast<std::uint8_t>(c.before));
  out.u8(static_cast<std::uint8_t>(c.reason));
  out.varint(c.nth);
  out.string(c.note);
}
IncidentChange get_incident_change(ByteReader& in, bool& wrong, std::uint8_t format) {
  IncidentChange c;
  c.after = get_incident(in, wrong, format);
  c.before = codec::get_enum(in, IncidentState::Closed, wrong);
  c.reason = codec::get_enum(in, kLastIncidentReason, wrong);
  c.nth = static_cast<std::uint32_t>(in.varint());
  c.note = get_text(in);
  return c;
}

void put(ByteWriter& out, const TicketChange& c) {
  put(out, c.after);
  put(out, c.entry.at);
  out.varint(c.entry.seq.value);
  out.string(c.entry.who);
  out.string(c.entry.what);
  out.string(c.entry.text);
}
TicketChange get_ticket_change(ByteReader& in, bool& wrong) {
  TicketChange c;
  c.after = get_ticket(in, wrong);
  c.entry.at = get_instant(in);
  c.entry.seq.value = in.varint();
  c.entry.who = get_text(in);
  c.entry.what = get_text(in);
  c.entry.text = get_text(in);
  return c;
}

void time_field(JsonWriter& json, std::string_view key, Instant at) {
  json.key(key);
  if (at.ns == 0 || at == kNever) {
    json.null();
  } else {
    json.value(to_rfc3339(at));
  }
}
void texts_field(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).array();
  for (const std::string& text : texts) {
    json.value(text);
  }
  json.end();
}
void ids_field(JsonWriter& json, std::string_view key, const std::vector<IncidentId>& ids) {
  json.key(key).array();
  for (const IncidentId id : ids) {
    json.value(to_text(id));
  }
  json.end();
}
void text_field(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void fields(JsonWriter& json, const Incident& i) {
  json.field("incident", to_text(i.id)).field("rule", i.rule);
  texts_field(json, "key", i.key);
  json.field("state", name(i.state)).field("title", i.title).field("severity", name(i.severity));
  json.key("cause");
  if (i.causes.empty()) {
    json.null();
  } else {
    json.value(to_text(i.causes.front()));
  }
  ids_field(json, "causes", i.causes);
  json.field("symptoms", i.symptoms);
  texts_field(json, "nodes", i.nodes);
  text_field(json, "impact", i.impact);
  text_field(json, "tier", i.tier);
  texts_field(json, "customers", i.customers);
  time_field(json, "began_at", i.began_at);
  time_field(json, "opened_at", i.opened_at);
  time_field(json, "closed_at", i.closed_at);
  json.field("began_seq", i.began_seq.value).field("count", i.count).field("flaps", i.flaps);
  text_field(json, "escalation", i.escalation);
  text_field(json, "policy", i.policy);
  text_field(json, "runbook", i.runbook);
  text_field(json, "maintenance", i.maintenance);
  time_field(json, "planned_until", i.planned_until);
  json.key("evidence").array();
  for (const Evidence& e : i.evidence) {
    json.object()
        .field("seq", e.seq.value)
        .field("at", to_rfc3339(e.at))
        .field("text", e.text)
        .end();
  }
  json.end();
}

void fields(JsonWriter& json, const Ticket& t) {
  json.field("ticket", to_text(t.id)).field("ticket_kind", t.kind).field("state", name(t.state));
  json.field("title", t.title).field("priority", t.priority);
  text_field(json, "tier", t.tier);
  text_field(json, "impact", t.impact);
  json.field("owner", t.owner).field("claimed", t.claimed).field("acked", t.acked);
  text_field(json, "acked_by", t.acked_by);
  ids_field(json, "members", t.members);
  texts_field(json, "customers", t.customers);
  time_field(json, "origin", t.origin);
  time_field(json, "updated_at", t.updated_at);
  time_field(json, "resolved_at", t.resolved_at);
  text_field(json, "escalation", t.escalation);
  json.field("steps_done", t.steps_done);
  time_field(json, "next_step_at", t.next_step_at);
  json.field("version", t.version);
}
}  // namespace

void encode(const Change& change, ByteWriter& out) {
  out.u8(kChangeFormat);
  out.varint(change.number.value);
  out.varint(change.seq.value);
  put(out, change.at);
  if (change.incident) {
    out.u8(kIncidentChange);
    put(out, *change.incident);
  } else {
    out.u8(kTicketChange);
    put(out, change.ticket ? *change.ticket : TicketChange{});
  }
}

Result<Change> decode_change(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t format = in.u8();
  if (format != 1) {  // format 1 had no windows of maintenance
    BELFRY_CHECK_OK(codec::check_format(format, kChangeFormat, "change"));
  }
  bool wrong = false;
  Change c;
  c.number.value = in.varint();
  c.seq.value = in.varint();
  c.at = get_instant(in);
  switch (in.u8()) {
    case kIncidentChange:
      c.incident = get_incident_change(in, wrong, format);
      break;
    case kTicketChange:
      c.ticket = get_ticket_change(in, wrong);
      break;
    default:
      wrong = true;
  }
  BELFRY_CHECK_OK(codec::finish(in, wrong, "change"));
  return c;
}

void encode(const Incident& incident, ByteWriter& out) { put(out, incident); }
Result<Incident> decode_incident(ByteReader& in) {
  bool wrong = false;
  Incident incident = get_incident(in, wrong);
  if (wrong || in.failed()) {
    return fail(Code::Corrupt,
                "stored incident does not decode: it is cut short or holds an unknown value");
  }
  return incident;
}
void encode(const TicketChange& change, ByteWriter& out) { put(out, change); }
Result<TicketChange> decode_ticket_change(ByteReader& in) {
  bool wrong = false;
  TicketChange change = get_ticket_change(in, wrong);
  if (wrong || in.failed()) {
    return fail(Code::Corrupt,
                "stored ticket does not decode: it is cut short or holds an unknown value");
  }
  return change;
}

std::string to_json(const Change& change) {
  JsonWriter json;
  json.object().field("change", change.number.value).field("seq", change.seq.value);
  json.field("at", to_rfc3339(change.at)).field("at_ns", change.at.ns);
  json.field("kind", change.incident ? "incident" : "ticket");
  if (change.incident) {
    const IncidentChange& c = *change.incident;
    json.field("before", name(c.before)).field("reason", name(c.reason)).field("nth", c.nth);
    text_field(json, "note", c.note);
    fields(json, c.after);
  } else if (change.ticket) {
    const TimelineEntry& e = change.ticket->entry;
    json.field("who", e.who).field("what", e.what).field("text", e.text);
    fields(json, change.ticket->after);
  }
  return json.end().take();
}

std::string to_json(const Incident& incident) {
  JsonWriter json;
  json.object();
  fields(json, incident);
  return json.end().take();
}

std::string to_json(const Ticket& ticket) {
  JsonWriter json;
  json.object();
  fields(json, ticket);
  return json.end().take();
}

}  // namespace belfry
