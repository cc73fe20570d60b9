#include "client_commands.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <random>
#include <thread>

#include "api_client.hpp"
#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/base/time.hpp"
#include "table.hpp"

namespace belfry {
namespace {

namespace json = boost::json;

int refuse(std::string_view command, std::string_view text) {
  fmt::print(stderr, "belfry {}: {}\n", command, text);
  return 2;
}

std::string text_of(const json::value& v) {
  switch (v.kind()) {
    case json::kind::string:
      return std::string(v.get_string().data(), v.get_string().size());
    case json::kind::int64:
      return fmt::format("{}", v.get_int64());
    case json::kind::uint64:
      return fmt::format("{}", v.get_uint64());
    case json::kind::bool_:
      return v.get_bool() ? "yes" : "no";
    case json::kind::array: {
      std::string out;
      for (const json::value& one : v.get_array()) {
        out += (out.empty() ? "" : ", ") + text_of(one);
      }
      return out;
    }
    default:
      return {};
  }
}

const json::value& at(const json::value& v, std::string_view key) {
  static const json::value kNull;
  const json::object* object = v.if_object();
  const json::value* found =
      object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
  return found == nullptr ? kNull : *found;
}
std::string text_at(const json::value& v, std::string_view key) { return text_of(at(v, key)); }
const json::array& list_at(const json::value& v, std::string_view key) {
  static const json::array kNone;
  const json::array* list = at(v, key).if_array();
  return list == nullptr ? kNone : *list;
}

Tint tint_of(std::string_view word) {
  if (word == "critical" || word == "major" || word == "P1") {
    return Tint::Red;
  }
  if (word == "minor" || word == "warning" || word == "P2") {
    return Tint::Yellow;
  }
  if (word == "closed" || word == "cleared" || word == "resolved") {
    return Tint::Green;
  }
  return word == "symptom" || word == "planned" ? Tint::Dim : Tint::None;
}
Table::Cell tinted_cell(const json::value& v, std::string_view key) {
  std::string text = text_at(v, key);
  const Tint tint = tint_of(text);
  return {std::move(text), tint};
}

/// `2026-03-14T22:00:00.123Z` -> `03-14 22:00:00`
std::string short_time(const std::string& rfc3339) {
  return rfc3339.size() < 19 ? rfc3339 : rfc3339.substr(5, 5) + " " + rfc3339.substr(11, 8);
}

std::string rule_and_key(const json::value& incident) {
  const std::string key = text_at(incident, "key");
  return text_at(incident, "rule") + (key.empty() ? "" : "(" + key + ")");
}

class QueryText {
 public:
  void add(std::string_view key, const std::string& value) {
    if (!value.empty()) {
      text_ += (text_.empty() ? "?" : "&") + std::string(key) + "=" + percent_encode(value);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Asks; says what went wrong in one line. nullopt: `code` is what to exit with.
std::optional<json::value> ask(std::string_view command, const ClientArguments& client,
                               const std::string& path, const std::string* body, int& code) {
  auto api = ApiClient::make(client);
  if (!api) {
    code = refuse(command, api.error().what);
    return std::nullopt;
  }
  auto answer = api->ask(path, body);
  if (!answer) {
    code = refuse(command, answer.error().what);
    return std::nullopt;
  }
  json::error_code error;
  json::value v = json::parse(answer->body, error);
  if (error) {
    code = refuse(command, fmt::format("{} gave no JSON (HTTP {}): is it a Belfry server?",
                                       api->server(), answer->status));
    return std::nullopt;
  }
  const bool problem = answer->status >= 400 && at(v, "ok").is_null();
  if (problem) {
    const std::string detail = text_at(v, "detail");
    code = refuse(command,
                  detail.empty() ? fmt::format("HTTP {}", answer->status) : printable(detail));
    if (client.json) {
      fmt::print("{}\n", answer->body);
    }
    return std::nullopt;
  }
  if (client.json) {
    fmt::print("{}\n", answer->body);
  }
  code = 0;
  return v;
}

void print_incidents(const json::array& items, const Terminal& terminal) {
  Table table({"INCIDENT", "STATE", "SEVERITY", "BEGAN", "RULE", "TITLE", "SYMPTOMS"}, 5);
  for (const json::value& i : items) {
    table.row({{text_at(i, "incident")},
               tinted_cell(i, "state"),
               tinted_cell(i, "severity"),
               {short_time(text_at(i, "began_at"))},
               {text_at(i, "rule")},
               {text_at(i, "title")},
               {text_at(i, "symptoms")}});
  }
  fmt::print("{}", table.text(terminal));
}

void print_tickets(const json::array& items, const Terminal& terminal) {
  Table table({"TICKET", "PRIO", "STATE", "OWNER", "ACKED", "TIER", "TITLE"}, 6);
  for (const json::value& t : items) {
    table.row({{text_at(t, "ticket")},
               tinted_cell(t, "priority"),
               tinted_cell(t, "state"),
               {text_at(t, "owner")},
               {text_at(t, "acked_by").empty() ? text_at(t, "acked") : text_at(t, "acked_by")},
               {text_at(t, "tier")},
               {text_at(t, "title")}});
  }
  fmt::print("{}", table.text(terminal));
}

void print_fields(const json::value& v, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const std::string text = text_at(v, key); !text.empty()) {
      fmt::print("{:<14}{}\n", key, printable(text));
    }
  }
}

void print_incident(const json::value& answer, const Terminal& terminal) {
  const json::value& i = at(answer, "incident");
  fmt::print("{}\n", tinted(printable(text_at(i, "title")), Tint::Bold, terminal));
  print_fields(i, {"incident", "state", "severity", "impact", "tier"});
  fmt::print("{:<14}{}\n", "rule", printable(rule_and_key(i)));
  print_fields(i, {"began_at", "opened_at", "closed_at", "maintenance", "planned_until", "cause",
                   "nodes", "customers", "count", "flaps", "runbook"});
  print_fields(at(answer, "ticket"), {"ticket", "priority", "owner"});
  if (!list_at(i, "evidence").empty()) {
    fmt::print("\nevidence\n");
    for (const json::value& e : list_at(i, "evidence")) {
      fmt::print("  {}  {}\n", short_time(text_at(e, "at")), printable(text_at(e, "text")));
    }
  }
  if (!list_at(answer, "symptoms").empty()) {
    fmt::print("\nsymptoms\n");
    print_incidents(list_at(answer, "symptoms"), terminal);
  }
}

void print_ticket(const json::value& answer, const Terminal& terminal) {
  const json::value& t = at(answer, "ticket");
  fmt::print("{}\n", tinted(printable(text_at(t, "title")), Tint::Bold, terminal));
  print_fields(t, {"ticket", "state", "priority", "owner", "acked_by", "tier", "impact",
                   "customers", "members", "escalation", "next_step_at", "version"});
  fmt::print("\ntimeline\n");
  for (const json::value& e : list_at(answer, "timeline")) {
    fmt::print("  {}  {:<12} {:<14} {}\n", short_time(text_at(e, "at")),
               printable(text_at(e, "who")), printable(text_at(e, "what")),
               printable(text_at(e, "text")));
  }
}

std::string feed_line(const json::value& c, const Terminal& terminal) {
  const std::string when = short_time(text_at(c, "at"));
  const bool ticket = text_at(c, "kind") == "ticket";
  const auto word = [&](std::string_view key, std::size_t width) {
    const std::string text = printable(text_at(c, key), 64);
    const std::string padding(width > text.size() ? width - text.size() : 0, ' ');
    return tinted(text, tint_of(text), terminal) + padding;
  };
  const std::string note = text_at(c, "note");  // "during CHG-77"
  const std::string reason =
      printable(text_at(c, "reason") + (note.empty() ? "" : ": " + note), 200);
  std::string line =
      ticket ? fmt::format("{}  {} {} {} {}: {} {}  {}", when, word("ticket", 16), word("state", 9),
                           word("priority", 8), printable(text_at(c, "who"), 64),
                           printable(text_at(c, "what"), 64), printable(text_at(c, "text"), 200),
                           printable(text_at(c, "title"), 200))
             : fmt::format("{}  {} {} {} {}  {} [{}]", when, word("incident", 16), word("state", 9),
                           word("severity", 8), printable(text_at(c, "title"), 200),
                           printable(rule_and_key(c), 200), reason);
  return line;
}

/// Waits between two tries: doubles to 10 s, with jitter, so that many walls do not come back at
/// once.
class Pause {
 public:
  void reset() { step_ = kFirst; }
  void wait() {
    std::uniform_int_distribution<std::int64_t> jitter(step_.count() / 2, step_.count());
    std::this_thread::sleep_for(std::chrono::milliseconds(jitter(random_)));
    step_ = std::min(step_ * 2, kLast);
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{250}, kLast{10'000};
  std::chrono::milliseconds step_ = kFirst;
  std::minstd_rand random_{std::random_device{}()};
};

/// Prints what comes, keeps the cursor.
class FeedPrinter {
 public:
  FeedPrinter(const ClientArguments& client, const FeedArguments& arguments)
      : client_(client), count_(arguments.count), cursor(arguments.after) {}

  bool take(const ServerSentEvents::Event& event) {
    if (!event.id.empty()) {
      cursor = event.id;
    }
    if (event.event == "resync") {
      json::error_code error;
      const json::value v = json::parse(event.data, error);
      fmt::print(stderr, "belfry feed: resync: {}; lists must be read again; goes on after {}\n",
                 printable(text_at(v, "reason")), printable(cursor));
    }
    if (event.event != "change" || done()) {
      return !done();
    }
    ++seen_;
    if (client_.json) {
      fmt::print("{}\n", event.data);
    } else {
      json::error_code error;
      fmt::print("{}\n", feed_line(json::parse(event.data, error), terminal_));
    }
    std::fflush(stdout);
    return !done();
  }
  bool done() const { return count_ != 0 && seen_ >= count_; }

 private:
  const ClientArguments& client_;
  const std::uint64_t count_;
  std::uint64_t seen_ = 0;
  const Terminal terminal_ = Terminal::of_stdout();

 public:
  std::string cursor;
};

}  // namespace

int incidents_command(const ClientArguments& client, const IncidentsArguments& a) {
  QueryText query;
  query.add("rule", a.rule);
  query.add("state", a.state);
  query.add("node", a.node);
  query.add("customer", a.customer);
  query.add("text", a.text);
  query.add("closed", a.closed ? "true" : "");
  query.add("symptoms", a.no_symptoms ? "false" : "");
  query.add("limit", fmt::format("{}", a.limit));
  const std::string path = a.id.empty() ? "/api/v1/incidents" + query.text()
                                        : "/api/v1/incidents/" + percent_encode(a.id);
  int code = 0;
  const auto answer = ask("incidents", client, path, nullptr, code);
  if (!answer || client.json) {
    return code;
  }
  const Terminal terminal = Terminal::of_stdout();
  if (!a.id.empty()) {
    print_incident(*answer, terminal);
  } else if (list_at(*answer, "items").empty()) {
    fmt::print("no incidents\n");
  } else {
    print_incidents(list_at(*answer, "items"), terminal);
  }
  return 0;
}

int tickets_command(const ClientArguments& client, const TicketsArguments& a) {
  QueryText query;
  query.add("owner", a.owner);
  query.add("state", a.state);
  query.add("priority", a.priority);
  query.add("text", a.text);
  query.add("closed", a.closed ? "true" : "");
  query.add("limit", fmt::format("{}", a.limit));
  const std::string path =
      a.id.empty() ? "/api/v1/tickets" + query.text() : "/api/v1/tickets/" + percent_encode(a.id);
  int code = 0;
  const auto answer = ask("tickets", client, path, nullptr, code);
  if (!answer || client.json) {
    return code;
  }
  const Terminal terminal = Terminal::of_stdout();
  if (!a.id.empty()) {
    print_ticket(*answer, terminal);
  } else if (list_at(*answer, "items").empty()) {
    fmt::print("no tickets\n");
  } else {
    print_tickets(list_at(*answer, "items"), terminal);
  }
  return 0;
}

int feed_command(const ClientArguments& client, const FeedArguments& arguments) {
  auto api = ApiClient::make(client);
  if (!api) {
    return refuse("feed", api.error().what);
  }
  FeedPrinter printer(client, arguments);
  Pause pause;
  bool connected_once = false;
  for (;;) {
    bool heard = false;
    ServerSentEvents events([&](const ServerSentEvents::Event& event) { printer.take(event); });
    const auto ended = api->stream("/api/v1/feed", printer.cursor, [&](std::string_view bytes) {
      heard = true;
      events.feed(bytes);
      return !printer.done();
    });
    if (printer.done()) {
      return 0;
    }
    connected_once = connected_once || heard;
    const bool away = !ended && ended.error().code == Code::Unavailable;
    if (!ended && (!away || !connected_once)) {
      return refuse("feed", ended.error().what);  // wrong token, wrong cursor, nobody there
    }
    if (heard) {
      fmt::print(stderr, "belfry feed: the connection ended; comes back after {}\n",
                 printable(printer.cursor));
      pause.reset();
    }
    pause.wait();
  }
}

int move_command(const ClientArguments& client, const MoveArguments& a) {
  JsonWriter body;
  body.object();
  if (!a.text.empty()) {
    body.field("text", a.text);
  }
  if (!a.person.empty()) {
    body.field("person", a.person);
  }
  if (a.expect != 0) {
    body.field("expect", a.expect);
  }
  const std::string text = body.end().take();
  int code = 0;
  const auto answer = ask(
      a.move, client, "/api/v1/tickets/" + percent_encode(a.ticket) + "/" + percent_encode(a.move),
      &text, code);
  if (answer && !client.json) {
    fmt::print("{}: {} (version {})\n", printable(text_at(*answer, "ticket")), a.move,
               text_at(*answer, "version"));
  }
  return code;
}

int silence_command(const ClientArguments& client, const SilenceArguments& a) {
  if (!a.end && a.last.empty() == a.until.empty()) {
    return refuse("silence", "expected either --for (as 2h) or --until (RFC 3339)");
  }
  JsonWriter body;
  body.object().field("rule", a.rule);
  if (!a.match.empty()) {
    body.key("match").array();
    for (const std::string& part : a.match) {
      body.value(part);
    }
    body.end();
  }
  if (!a.end && !a.last.empty()) {
    body.field("for", a.last);
  } else if (!a.end) {
    body.field("until", a.until);
  }
  const std::string text = body.end().take();
  int code = 0;
  const auto answer =
      ask("silence", client, a.end ? "/api/v1/silences/end" : "/api/v1/silences", &text, code);
  if (answer && !client.json) {
    fmt::print("{} is {}\n", printable(a.rule), a.end ? "heard again" : "silent");
  }
  return code;
}

int reload_command(const ClientArguments& client) {
  const std::string none = "{}";
  int code = 0;
  const auto answer = ask("reload", client, "/api/v1/reload", &none, code);
  if (!answer) {
    return code;
  }
  const bool good = at(*answer, "ok").is_bool() && at(*answer, "ok").get_bool();
  if (client.json) {
    return good ? 0 : 1;
  }
  for (const json::value& error : list_at(*answer, "errors")) {
    fmt::print(stderr, "{}\n", printable(text_of(error)));
  }
  const std::string note = text_at(*answer, "note");
  if (!good) {
    fmt::print(stderr, "belfry reload: refused, the old version stays\n");
  } else {
    fmt::print("{}\n", note.empty() ? "reloaded" : printable(note));
  }
  return good ? 0 : 1;
}

}  // namespace belfry
