// What can be read: lists with their change number, single things, history, state of the server.
#include <algorithm>
#include <array>

#include "api.hpp"
#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "feed.hpp"

namespace belfry::gateway {
namespace {

constexpr std::size_t kItemsMax = 10'000;
constexpr std::size_t kEventsMax = 1000;

Response json_response(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

/// Reads the query into typed fields; the first mistake is what the client is told.
class QueryReader {
 public:
  explicit QueryReader(const Query& query) : query_(query) {}

  void text(std::string_view key, std::string& to) {
    if (const std::string* v = find(key)) {
      to = *v;
    }
  }
  void flag(std::string_view key, bool& to) {
    if (const std::string* v = find(key)) {
      if (*v == "true" || *v == "1" || v->empty()) {
        to = true;
      } else if (*v == "false" || *v == "0") {
        to = false;
      } else {
        error_ = fmt::format("'{}': expected true or false", key);
      }
    }
  }
  void limit(std::size_t& to, std::size_t max) {
    if (const std::string* v = find("limit")) {
      const auto n = parse_int(*v);
      if (!n || *n < 1 || static_cast<std::size_t>(*n) > max) {
        error_ = fmt::format("'limit': expected 1 to {}", max);
      } else {
        to = static_cast<std::size_t>(*n);
      }
    }
  }
  /// Unknown names last, so that a typing error does not look like an empty list.
  std::optional<Response> finish() {
    for (const auto& [key, value] : query_) {
      if (error_.empty() && std::find(seen_.begin(), seen_.end(), key) == seen_.end()) {
        const std::string_view near = nearest(key, seen_);
        error_ = fmt::format("unknown parameter '{}'{}", printable(key, 60),
                             near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
      }
    }
    return error_.empty() ? std::nullopt : std::optional(problem(400, error_));
  }

 private:
  const std::string* find(std::string_view key) {
    seen_.push_back(key);
    const auto at = query_.find(key);
    return at == query_.end() ? nullptr : &at->second;
  }
  const Query& query_;
  std::vector<std::string_view> seen_;
  std::string error_;
};

template <class T>
void items(JsonWriter& out, const std::vector<T>& list) {
  out.key("items").array();
  for (const T& one : list) {
    out.raw(to_json(one));
  }
  out.end();
}

void as_of(JsonWriter& out, ChangeNumber number, const std::string& cursor) {
  out.field("as_of", number.value).field("cursor", cursor);
}

void timeline_json(JsonWriter& out, const std::vector<TimelineEntry>& entries) {
  out.key("timeline").array();
  for (const TimelineEntry& e : entries) {
    out.object().field("at", to_rfc3339(e.at)).field("seq", e.seq.value);
    out.field("who", e.who).field("what", e.what).field("text", e.text).end();
  }
  out.end();
}

}  // namespace

std::string Api::cursor(ChangeNumber number) const {
  return to_text(FeedCursor{parts_.backend->epoch(), number});
}

Response Api::incidents(const Request& r) {
  IncidentFilter filter;
  QueryReader query(r.query);
  query.text("rule", filter.rule);
  query.text("state", filter.state);
  query.text("node", filter.node);
  query.text("customer", filter.customer);
  query.text("text", filter.text);
  query.flag("closed", filter.closed);
  query.flag("symptoms", filter.symptoms);
  query.limit(filter.limit, kItemsMax);
  if (auto bad = query.finish()) {
    return *std::move(bad);
  }
  const Listed<Incident> list = parts_.backend->incidents(filter);
  JsonWriter out;
  out.object();
  as_of(out, list.as_of, cursor(list.as_of));
  items(out, list.items);
  return json_response(out.end().take());
}

Response Api::incident(const Request& r) {
  const auto id = parse_incident_id(r.args[0]);
  if (!id) {
    return problem(id.error());
  }
  const ChangeNumber number = parts_.backend->as_of();
  const auto incident = parts_.backend->incident(*id);
  if (!incident) {
    return problem(404, fmt::format("no incident {} (closed ones are listed for an hour)",
                                    belfry::to_text(*id)));
  }
  JsonWriter out;
  out.object();
  as_of(out, number, cursor(number));
  out.key("incident").raw(to_json(*incident));
  out.key("symptoms").array();
  for (const Incident& symptom : parts_.backend->symptoms_of(*id)) {
    out.raw(to_json(symptom));
  }
  out.end();
  const auto ticket = parts_.backend->ticket_of(*id);
  out.key("ticket");
  if (ticket) {
    out.raw(to_json(*ticket));
  } else {
    out.null();
  }
  return json_response(out.end().take());
}

Response Api::tickets(const Request& r) {
  TicketFilter filter;
  QueryReader query(r.query);
  query.text("owner", filter.owner);
  query.text("state", filter.state);
  query.text("priority", filter.priority);
  query.text("text", filter.text);
  query.flag("closed", filter.closed);
  query.limit(filter.limit, kItemsMax);
  if (auto bad = query.finish()) {
    return *std::move(bad);
  }
  const Listed<Ticket> list = parts_.backend->tickets(filter);
  JsonWriter out;
  out.object();
  as_of(out, list.as_of, cursor(list.as_of));
  items(out, list.items);
  return json_response(out.end().take());
}

Response Api::ticket(const Request& r) {
  const auto id = parse_ticket_id(r.args[0]);
  if (!id) {
    return problem(id.error());
  }
  const ChangeNumber number = parts_.backend->as_of();
  const auto ticket = parts_.backend->ticket(*id);
  if (!ticket) {
    return problem(404, fmt::format("no ticket {}", belfry::to_text(*id)));
  }
  const auto timeline = parts_.backend->timeline(*id);
  if (!timeline) {
    return problem(timeline.error());
  }
  JsonWriter out;
  out.object();
  as_of(out, number, cursor(number));
  out.key("ticket").raw(to_json(*ticket));
  timeline_json(out, *timeline);
  return json_response(out.end().take());
}

Response Api::nodes(const Request& r) {
  std::size_t limit = 1000;
  QueryReader query(r.query);
  query.limit(limit, kItemsMax);
  if (auto bad = query.finish()) {
    return *std::move(bad);
  }
  JsonWriter out;
  out.object().key("items").array();
  for (const NodeSeen& node : parts_.backend->nodes(limit)) {
    out.object().field("node", node.node).field("address", node.address);
    out.field("known", node.known).field("events", node.events);
    out.key("last_event");
    if (node.last_event.ns == 0) {
      out.null();
    } else {
      out.value(to_rfc3339(node.last_event));
    }
    out.end();
  }
  return json_response(out.end().end().take());
}

Response Api::ledger(const Request& r) {
  bool samples = false;
  QueryReader query(r.query);
  query.flag("samples", samples);
  if (auto bad = query.finish()) {
    return *std::move(bad);
  }
  JsonWriter out;
  out.object().field("refused", parts_.ledger->refused()).key("items").array();
  for (const LedgerRow& row : parts_.ledger->rows()) {
    out.object().field("collector", row.collector).field("source", row.source);
    out.field("reason", row.reason).field("count", row.count).end();
  }
  out.end();
  if (samples) {
    out.key("samples").array();
    for (const Ledger::Sample& s : parts_.ledger->samples()) {
      out.object().field("collector", s.collector).field("source", s.source);
      out.field("reason", s.reason).field("bytes_hex", to_hex(s.bytes)).end();
    }
    out.end();
  }
  return json_response(out.end().take());
}

Response Api::events(const Request& r) {
  std::string node;
  std::size_t limit = 100;
  QueryReader query(r.query);
  query.text("node", node);
  query.limit(limit, kEventsMax);
  if (auto bad = query.finish()) {
    return *std::move(bad);
  }
  const auto list = parts_.backend->events_json(node, limit);
  if (!list) {
    return problem(list.error());
  }
  JsonWriter out;
  out.object().key("items").array();
  for (const std::string& event : *list) {
    out.raw(event);
  }
  return json_response(out.end().end().take());
}

Response Api::status(const Request&) {
  const ServerStatus s = parts_.backend->status();
  const ChangeNumber number = parts_.backend->as_of();
  JsonWriter out;
  out.object().field("version", s.version).field("epoch", parts_.backend->epoch());
  as_of(out, number, cursor(number));
  out.field("ready", s.ready);
  if (!s.ready) {
    out.field("not_ready_reason", s.not_ready_reason);
  }
  out.field("started_at", to_rfc3339(s.started_at));
  out.key("rules").object().field("version", s.rule_version).field("hash", s.rule_hash).end();
  out.key("inventory").object().field("version", s.inventory_version).end();
  out.key("reload");
  if (s.reload_at.ns == 0) {
    out.null();
  } else {
    out.object().field("at", to_rfc3339(s.reload_at)).field("ok", s.reload_errors.empty());
    out.key("errors").array();
    for (const std::string& error : s.reload_errors) {
      out.value(error);
    }
    out.end().end();
  }
  return json_response(out.end().take());
}

Response Api::openapi(const Request&) { return json_response(std::string(openapi_document())); }

Response Api::metrics(const Request&) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = parts_.metrics->text();
  return response;
}

Response Api::healthz(const Request&) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ok\n";
  return response;
}

Response Api::readyz(const Request&) {
  const ServerStatus s = parts_.backend->status();
  return s.ready ? json_response(R"({"ready":true})") : problem(503, s.not_ready_reason);
}

Response Api::tokens(const Request&) {
  JsonWriter out;
  out.object().key("items").array();
  for (const Identity& identity : tokens_.list()) {
    out.object().field("name", identity.name).key("roles").array();
    for (const Role role : identity.roles) {
      out.value(name(role));
    }
    out.end().end();
  }
  return json_response(out.end().end().take());
}

}  // namespace belfry::gateway
