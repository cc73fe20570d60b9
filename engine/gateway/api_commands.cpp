// What can be done: commands of the desk, posts of events, reload, tokens. Commands are answered
// after their commit.
#include <algorithm>
#include <array>

#include "api.hpp"
#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "body.hpp"

namespace belfry::gateway {
namespace {

constexpr std::size_t kTextBytesMax = 16 * 1024;
constexpr std::size_t kKeyBytesMax = 128;

/// Calls one callback once, whoever comes first: the answer or the time-out. Edge thread only.
class Once {
 public:
  explicit Once(Done done) : done_(std::move(done)) {}
  void operator()(Response response) {
    if (done_) {
      std::exchange(done_, nullptr)(std::move(response));
    }
  }

 private:
  Done done_;
};

struct Move {
  std::string_view word;
  CommandKind kind;
  bool needs_text;
};
constexpr std::array kMoves{
    Move{"claim", CommandKind::Claim, false},    Move{"ack", CommandKind::Ack, false},
    Move{"unack", CommandKind::Unack, false},    Move{"assign", CommandKind::Assign, false},
    Move{"comment", CommandKind::Comment, true}, Move{"mitigate", CommandKind::Mitigate, true},
    Move{"resolve", CommandKind::Resolve, true}, Move{"reopen", CommandKind::Reopen, false},
    Move{"cancel", CommandKind::Cancel, true}};

const Move* find_move(std::string_view word) {
  const auto at = std::find_if(kMoves.begin(), kMoves.end(),
                               [&](const Move& move) { return move.word == word; });
  return at == kMoves.end() ? nullptr : &*at;
}

/// `rule(part, *)`, or the rule alone for all of its keys: what Command::text of a silence holds.
std::string silence_text(const std::string& rule, const std::vector<std::string>& key) {
  if (key.empty()) {
    return rule;
  }
  std::string out = rule + "(";
  for (std::size_t i = 0; i < key.size(); ++i) {
    out += i == 0 ? "" : ", ";
    for (const char c : key[i]) {
      if (c == ',' || c == '\\') {
        out.push_back('\\');
      }
      out.push_back(c);
    }
  }
  return out + ")";
}

/// The fold compares up to the star: one that stands elsewhere would silence more than was meant.
void check_match(Body& body, const std::vector<std::string>& match) {
  for (std::size_t i = 0; i < match.size(); ++i) {
    const std::size_t star = match[i].find('*');
    if (star != std::string::npos && (i + 1 != match.size() || star + 1 != match[i].size())) {
      body.wrong("'match': `*` is possible at the end of the last part only");
    }
  }
}

bool is_rule_name(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Members that every command may have.
void common(Body& body, Command& command) {
  body.text("text", command.text);
  body.number("expect", command.expect);
  body.text("key", command.idempotency_key);
  if (command.text.size() > kTextBytesMax) {
    body.wrong(fmt::format("'text': expected at most {} bytes", kTextBytesMax));
  }
}

}  // namespace

void Api::submit(Command command, const Request& r, Done done) {
  command.who = r.who.name;
  command.from = r.peer;
  if (command.idempotency_key.empty()) {
    command.idempotency_key = r.head.idempotency_key;
  }
  if (command.idempotency_key.size() > kKeyBytesMax) {
    return done(problem(400, "Idempotency-Key: expected at most 128 bytes"));
  }
  // Shared by the answer and the time-out, both on the edge thread; the later of them lets go.
  const auto once = std::make_shared<Once>(std::move(done));
  // The commit may come when the server has stopped: then nobody waits for the answer any more.
  const bool taken = parts_.backend->submit(
      command, [this, runner = runner_.weak(), once, command](const CommandResult& result) {
        if (const auto alive = runner.lock()) {
          alive->edge([this, once, command, result] { (*once)(command_answer(command, result)); });
        }
      });
  if (!taken) {
    return (*once)(problem(503, "too many commands wait: try again"));
  }
  runner_.later(options_.commit_timeout, [once] {
    (*once)(problem(503, "not durable yet, the outcome is unknown: ask again with the same key"));
  });
}

Response Api::command_answer(const Command& command, const CommandResult& result) {
  JsonWriter out;
  Response response;
  if (result.ok) {
    out.object().field("ok", true);
    if (result.ticket.value != 0) {
      out.field("ticket", belfry::to_text(result.ticket)).field("version", result.version);
    }
    if (result.incident.value != 0) {
      out.field("incident", belfry::to_text(result.incident));
    }
    response.body = out.end().take();
    return response;
  }
  response = problem(status_of(result.code), result.message);
  if (response.status != 409) {
    return response;
  }
  // The client sees what it missed: the ticket as it is now.
  out.object().field("type", "about:blank").field("status", 409).field("title", "Conflict");
  out.field("detail", result.message);
  const auto ticket = parts_.backend->ticket(command.ticket);
  if (ticket) {
    out.field("version", ticket->version).key("ticket").raw(to_json(*ticket));
  }
  response.body = out.end().take();
  return response;
}

void Api::ticket_command(Request r, Done done) {
  const auto id = parse_ticket_id(r.args[0]);
  if (!id) {
    return done(problem(id.error()));
  }
  const Move* move = find_move(r.args[1]);
  if (move == nullptr) {
    return done(
        problem(404, fmt::format("no move '{}': expected claim, ack, unack, assign, comment, "
                                 "mitigate, resolve, reopen or cancel",
                                 printable(r.args[1], 40))));
  }
  auto body = Body::read(r.body);
  if (!body) {
    return done(problem(body.error()));
  }
  Command command;
  command.kind = move->kind;
  command.ticket = *id;
  common(*body, command);
  if (move->kind == CommandKind::Assign) {
    std::string person;
    body->text("person", person);
    command.text = person;
    if (person.empty()) {
      body->wrong("'person' is missing: expected who shall own the ticket");
    }
  } else if (move->needs_text && trim(command.text).empty()) {
    body->wrong(fmt::format("'text' is missing: '{}' needs it", move->word));
  }
  if (auto bad = body->finish()) {
    return done(*std::move(bad));
  }
  submit(std::move(command), r, std::move(done));
}

void Api::close_incident(Request r, Done done) {
  const auto id = parse_incident_id(r.args[0]);
  if (!id) {
    return done(problem(id.error()));
  }
  auto body = Body::read(r.body);
  if (!body) {
    return done(problem(body.error()));
  }
  Command command;
  command.kind = CommandKind::CloseIncident;
  command.incident = *id;
  common(*body, command);
  if (auto bad = body->finish()) {
    return done(*std::move(bad));
  }
  submit(std::move(command), r, std::move(done));
}

void Api::silence(Request r, Done done) {
  auto body = Body::read(r.body);
  if (!body) {
    return done(problem(body.error()));
  }
  std::string rule, until, last;
  std::vector<std::string> key;
  Command command;
  command.kind = CommandKind::Silence;
  body->text("rule", rule);
  body->texts("match", key);
  body->text("until", until);
  body->text("for", last);
  body->text("key", command.idempotency_key);
  if (!is_rule_name(rule)) {
    body->wrong("'rule' is missing: expected the name of a rule");
  }
  check_match(*body, key);
  const Instant now = parts_.clock->wall();
  const auto end = parse_rfc3339(until);
  const auto duration = parse_duration(last);
  if (until.empty() == last.empty()) {
    body->wrong("expected either 'until' (RFC 3339) or 'for' (as 2h)");
  } else if (!until.empty() && (!end || *end <= now)) {
    body->wrong("'until': expected a time to come, as 2026-03-14T22:00:00Z");
  } else if (!last.empty() && (!duration || duration->count() <= 0)) {
    body->wrong("'for': expected a time as 30m or 2h");
  }
  if (auto bad = body->finish()) {
    return done(*std::move(bad));
  }
  command.text = silence_text(rule, key);
  command.until = end ? *end : now + *duration;
  submit(std::move(command), r, std::move(done));
}

void Api::unsilence(Request r, Done done) {
  auto body = Body::read(r.body);
  if (!body) {
    return done(problem(body.error()));
  }
  std::string rule;
  std::vector<std::string> key;
  Command command;
  command.kind = CommandKind::Unsilence;
  body->text("rule", rule);
  body->texts("match", key);
  body->text("key", command.idempotency_key);
  if (!is_rule_name(rule)) {
    body->wrong("'rule' is missing: expected the name of a rule");
  }
  check_match(*body, key);
  if (auto bad = body->finish()) {
    return done(*std::move(bad));
  }
  command.text = silence_text(rule, key);
  submit(std::move(command), r, std::move(done));
}

void Api::post_events(Request r, Done done) {
  if (parts_.events == nullptr) {
    return done(problem(404, "this server takes no events by HTTP"));
  }
  posts_.take(std::move(r), {}, std::move(done));
}

void Api::post_alerts(Request r, Done done) {
  if (parts_.events == nullptr) {
    return done(problem(404, "this server takes no events by HTTP"));
  }
  // Alertmanager's own path has no name in it: what Prometheus posts.
  const std::string form = r.args.empty() ? "prometheus" : r.args[0];
  posts_.take(std::move(r), form, std::move(done));
}

void Api::reload(Request, Done done) {
  const auto once = std::make_shared<Once>(std::move(done));
  const bool taken = runner_.help([this, once] {
    const ReloadOutcome outcome = parts_.backend->reload();
    JsonWriter out;
    out.object().field("ok", outcome.ok).key("errors").array();
    for (const std::string& error : outcome.errors) {
      out.value(error);
    }
    Response response;
    response.status = outcome.ok ? 200 : 422;
    response.body = out.end().end().take();
    runner_.edge([once, response] { (*once)(response); });
  });
  if (!taken) {
    return (*once)(problem(503, "too many requests wait: try again"));
  }
  runner_.later(options_.reload_timeout, [once] {
    Response response;
    response.status = 202;
    response.body = R"({"ok":true,"errors":[],"note":"under way: see /api/v1/status"})";
    (*once)(std::move(response));
  });
}

Response Api::add_token(const Request& r) {
  auto body = Body::read(r.body);
  if (!body) {
    return problem(body.error());
  }
  std::string token_name;
  std::vector<std::string> words;
  std::vector<Role> roles;
  body->text("name", token_name);
  body->texts("roles", words);
  for (const std::string& word : words) {
    auto role = parse_role(word);
    if (role) {
      roles.push_back(*role);
    } else {
      body->wrong(role.error().what);
    }
  }
  if (auto bad = body->finish()) {
    return *std::move(bad);
  }
  const auto token = tokens_.add(token_name, roles, parts_.clock->wall());
  if (!token) {
    return problem(token.error());
  }
  Response response;
  JsonWriter out;
  out.object().field("name", token_name).field("token", *token).end();
  response.body = out.take();
  return response;
}

Response Api::remove_token(const Request& r) {
  if (auto removed = tokens_.remove(r.args[0]); !removed) {
    return problem(removed.error());
  }
  Response response;
  response.body = R"({"ok":true})";
  return response;
}

}  // namespace belfry::gateway
