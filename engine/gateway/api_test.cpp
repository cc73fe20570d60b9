#include "api.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "belfry/base/text.hpp"
#include "fake_backend.hpp"

namespace belfry::gateway {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

struct ApiTest : ::testing::Test {
  fs::path dir =
      fs::path(::testing::TempDir()) /
      ("api_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  ManualClock clock;
  Metrics metrics;
  Ledger ledger;
  FakeBackend backend;
  FakeDoor door;
  FakeRunner runner{clock};
  GatewayOptions options;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<Api> api;
  std::map<std::string, std::string> token;  // by role

  void SetUp() override {
    fs::remove_all(dir);
    tokens = *TokenStore::open(dir, Instant{});
    for (const Role role : {Role::Read, Role::Events, Role::Desk, Role::Rules, Role::Admin}) {
      token[std::string(name(role))] =
          *tokens->add("a-" + std::string(name(role)), {role}, Instant{});
    }
    api = std::make_unique<Api>(options, GatewayParts{&backend, &door, &metrics, &ledger, &clock},
                                *tokens, runner);
  }
  void TearDown() override { fs::remove_all(dir); }

  Request request(const std::string& method, const std::string& target, const std::string& role,
                  const std::string& body = "") {
    Request r;
    r.head.method = method;
    r.head.target = target;
    r.head.host = "localhost:8514";
    r.head.local_address = "127.0.0.1";
    r.head.authorization = role.empty() ? "" : "Bearer " + token[role];
    r.head.has_body = !body.empty();
    r.head.content_type = body.empty() ? "" : "application/json";
    r.body = body;
    r.peer = "127.0.0.1";
    return r;
  }
  /// nullopt: no answer yet.
  std::shared_ptr<std::optional<Response>> begin(Request r) {
    auto out = std::make_shared<std::optional<Response>>();
    Api::Admitted admitted = api->admit(r);
    if (admitted.route == nullptr) {
      *out = std::move(admitted.refusal);
    } else {
      api->handle(*admitted.route, std::move(r), [out](Response response) {
        EXPECT_FALSE(out->has_value()) << "answered twice";
        *out = std::move(response);
      });
    }
    runner.drain();
    return out;
  }
  Response ask(Request r) {
    const auto out = begin(std::move(r));
    EXPECT_TRUE(out->has_value());
    return out->value_or(Response{});
  }
  Response ask(const std::string& method, const std::string& target, const std::string& role,
               const std::string& body = "") {
    return ask(request(method, target, role, body));
  }
};

TEST_F(ApiTest, EveryRequestButHealthzNeedsAToken) {
  EXPECT_EQ(ask("GET", "/healthz", "").status, 200);
  for (const Route& route : routes()) {
    if (route.pattern != "/healthz") {
      EXPECT_EQ(ask(std::string(route.method), std::string(route.pattern), "").status, 401)
          << route.pattern;
    }
  }
  EXPECT_EQ(ask("GET", "/nowhere", "").status, 401) << "a stranger learns no paths";
  Request wrong = request("GET", "/api/v1/status", "read");
  wrong.head.authorization += "x";
  EXPECT_EQ(ask(wrong).status, 401);
  wrong.head.authorization = "Basic YTpi";
  EXPECT_EQ(ask(wrong).status, 401);
}

TEST_F(ApiTest, ARoleOpensItsRoutesAndNoOthers) {
  EXPECT_EQ(ask("GET", "/api/v1/incidents", "read").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/incidents", "desk").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/incidents", "events").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/tickets/1/claim", "read").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/reload", "desk").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/reload", "rules").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "rules").status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "admin").status, 200);
}

TEST_F(ApiTest, AWrongHostAndAForeignOriginAreForbidden) {
  Request r = request("GET", "/healthz", "");
  for (const char* good : {"localhost", "LOCALHOST:1", "127.0.0.1:8514"}) {
    r.head.host = good;
    EXPECT_EQ(ask(r).status, 200) << good;
  }
  for (const char* bad : {"evil.example", "127.0.0.1.evil.example", "10.0.0.1"}) {
    r.head.host = bad;
    EXPECT_EQ(ask(r).status, 403) << bad;
  }
  r.head.host = "";
  EXPECT_EQ(ask(r).status, 400);
  r.head.host = "[::1]:8514";
  EXPECT_EQ(ask(r).status, 403);
  r.head.local_address = "::1";
  EXPECT_EQ(ask(r).status, 200);

  r = request("GET", "/healthz", "");
  r.head.origin = "http://localhost:8514";
  EXPECT_EQ(ask(r).status, 200);
  r.head.origin = "https://localhost:8514";
  EXPECT_EQ(ask(r).status, 403);
  r.head.origin = "null";
  EXPECT_EQ(ask(r).status, 403);
  r.head.origin = "https://noc.example";
  options.origins = {"https://noc.example"};
  EXPECT_EQ(ask(r).status, 200);
  r.head.origin = "";
  r.head.fetch_site = "cross-site";
  EXPECT_EQ(ask(r).status, 403);
  options.hosts = {"belfry.example"};
  r = request("GET", "/healthz", "");
  r.head.host = "belfry.example";
  EXPECT_EQ(ask(r).status, 200);
}

TEST_F(ApiTest, PathsMethodsTypesAndParametersAreChecked) {
  EXPECT_EQ(ask("GET", "/api/v1/nothing", "read").status, 404);
  const Response wrong = ask("DELETE", "/api/v1/events", "read");
  EXPECT_EQ(wrong.status, 405);
  ASSERT_FALSE(wrong.headers.empty());
  EXPECT_EQ(wrong.headers[0].second, "GET, POST");
  Request r = request("POST", "/api/v1/tickets/1/comment", "desk", "text=1");
  r.head.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(ask(r).status, 415);
  r.head.content_type = "Application/JSON; charset=utf-8";
  EXPECT_EQ(ask(r).status, 400);
  EXPECT_NE(ask("GET", "/api/v1/incidents?stat=open", "read").body.find("did you mean 'state'"),
            std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/incidents?limit=0", "read").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/incidents?closed=maybe", "read").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/incidents?rule=%zz", "read").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/incidents/xyz", "read").status, 400);
}

TEST_F(ApiTest, ListsCarryTheChangeTheyShowAndTheCursorToGoOnFrom) {
  backend.add_change("{}");
  backend.add_change("{}");
  Incident incident;
  incident.id.value = 0xabc;
  incident.rule = "link_down";
  backend.incidents_ = {incident};
  const Response list = ask("GET", "/api/v1/incidents?node=par%2Dr1&closed=1&limit=7", "read");
  EXPECT_EQ(list.status, 200);
  EXPECT_TRUE(list.body.starts_with(R"({"as_of":2,"cursor":"00000000000000ee-2","items":[{)"))
      << list.body;
  EXPECT_EQ(backend.last_filter_.node, "par-r1");
  EXPECT_TRUE(backend.last_filter_.closed);
  EXPECT_EQ(backend.last_filter_.limit, 7U);
  const Response one = ask("GET", "/api/v1/incidents/0000000000000abc", "read");
  EXPECT_EQ(one.status, 200);
  EXPECT_NE(one.body.find("\"ticket\":null"), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/incidents/0000000000000abd", "read").status, 404);
}

TEST_F(ApiTest, ACommandCarriesWhoAndIsAnsweredAfterItsCommit) {
  backend.hold_commands = true;
  const auto answer = begin(request("POST", "/api/v1/tickets/T-12/comment", "desk",
                                    R"({"text":"looking","expect":4,"key":"k1"})"));
  EXPECT_FALSE(answer->has_value());
  ASSERT_EQ(backend.commands.size(), 1U);
  const Command& c = backend.commands[0];
  EXPECT_EQ(c.kind, CommandKind::Comment);
  EXPECT_EQ(c.who, "a-desk");
  EXPECT_EQ(c.from, "127.0.0.1");
  EXPECT_EQ(c.ticket.value, 12U);
  EXPECT_EQ(c.expect, 4U);
  EXPECT_EQ(c.idempotency_key, "k1");
  CommandResult result;
  result.ticket.value = 12;
  result.version = 5;
  backend.held[0](result);
  runner.drain();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->body, R"({"ok":true,"ticket":"T-12","version":5})");
  runner.advance(options.commit_timeout * 2);  // the time-out answers nothing more
}

TEST_F(ApiTest, AConflictShowsTheTicketAsItIs) {
  Ticket ticket;
  ticket.id.value = 12;
  ticket.version = 9;
  backend.tickets_ = {ticket};
  backend.command_result.ok = false;
  backend.command_result.code = Code::Conflict;
  backend.command_result.message = "the ticket is resolved: possible are reopen, comment";
  const Response conflict = ask("POST", "/api/v1/tickets/12/claim", "desk", R"({"expect":4})");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_NE(conflict.body.find("possible are reopen"), std::string::npos);
  EXPECT_NE(conflict.body.find("\"version\":9"), std::string::npos);
}

TEST_F(ApiTest, WhatACommandLacksIsSaid) {
  const auto post = [&](const char* move, const char* body) {
    return ask("POST", "/api/v1/tickets/12/"s + move, "desk", body);
  };
  EXPECT_NE(post("resolve", "{}").body.find("'resolve' needs it"), std::string::npos);
  EXPECT_NE(post("assign", R"({"text":"anna"})").body.find("'person' is missing"),
            std::string::npos);
  EXPECT_NE(post("ack", R"({"expct":1})").body.find("did you mean 'expect'"), std::string::npos);
  EXPECT_NE(post("ack", R"({"expect":-1})").body.find("whole number"), std::string::npos);
  EXPECT_EQ(post("explode", "{}").status, 404);
  EXPECT_EQ(post("ack", "[]").status, 400);
  EXPECT_TRUE(backend.commands.empty());
  EXPECT_EQ(ask("POST", "/api/v1/tickets/12/ack", "desk").status, 200) << "no body is needed";
}

TEST_F(ApiTest, AFullRingAndAnUnknownOutcomeAre503) {
  backend.ring_full = true;
  EXPECT_EQ(ask("POST", "/api/v1/tickets/1/ack", "desk").status, 503);
  backend.ring_full = false;
  backend.hold_commands = true;
  const auto answer = begin(request("POST", "/api/v1/tickets/1/ack", "desk"));
  runner.advance(options.commit_timeout);
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->status, 503);
  backend.held[0](CommandResult{});  // too late: nobody is told twice
  runner.drain();
  runner.full = true;
  EXPECT_EQ(ask("GET", "/api/v1/incidents", "read").status, 503);
}

TEST_F(ApiTest, SilencesNameARuleAndAnEnd) {
  EXPECT_EQ(ask("POST", "/api/v1/silences", "desk",
                R"({"rule":"link_down","match":["par-r1","*"],"for":"2h"})")
                .status,
            200);
  ASSERT_EQ(backend.commands.size(), 1U);
  EXPECT_EQ(backend.commands[0].text, "link_down(par-r1, *)");
  EXPECT_EQ(backend.commands[0].until - clock.wall(), Duration(2h));
  EXPECT_EQ(ask("POST", "/api/v1/silences", "desk",
                R"({"rule":"link_down","match":["*","ge-0/0/1"],"for":"2h"})")
                .status,
            400);
  EXPECT_EQ(ask("POST", "/api/v1/silences", "desk", R"({"rule":"x"})").status, 400);
  EXPECT_EQ(
      ask("POST", "/api/v1/silences", "desk", R"({"rule":"x","until":"2001-01-01T00:00:00Z"})")
          .status,
      400);
  EXPECT_EQ(ask("POST", "/api/v1/silences", "desk", R"({"for":"2h"})").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/silences/end", "desk", R"({"rule":"link_down"})").status, 200);
  EXPECT_EQ(backend.commands[1].kind, CommandKind::Unsilence);
}

TEST_F(ApiTest, EventsAreAnsweredAfterTheCommitOnly) {
  door.committed = false;
  Request r = request("POST", "/api/v1/events", "events", "{\"node\":\"a\"}\n");
  r.head.content_type = "application/x-ndjson";
  const auto answer = begin(r);
  EXPECT_EQ(door.last_form, BodyForm::JsonLines);
  EXPECT_EQ(door.last_source, "127.0.0.1");
  runner.advance(5ms);
  EXPECT_FALSE(answer->has_value());
  door.committed = true;
  runner.advance(5ms);
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->body, R"({"events":1})");
  EXPECT_EQ(ask("POST", "/api/v1/events", "events", R"({"bad":1})").status, 400);
  door.refuse = true;
  const Response refused = ask("POST", "/api/v1/events", "events", "{}");
  EXPECT_EQ(refused.status, 503);
  ASSERT_FALSE(refused.headers.empty());
  EXPECT_EQ(refused.headers[0].first, "Retry-After");
}

TEST_F(ApiTest, AnIdempotencyKeyAppliesOnce) {
  Request r = request("POST", "/api/v1/events", "events", R"({"node":"a"})");
  r.head.idempotency_key = "k1";
  door.committed = false;
  const auto first = begin(r);
  const auto second = begin(r);
  EXPECT_EQ(door.opened, 1);
  Request other = r;
  other.body = R"({"node":"b"})";
  EXPECT_EQ(ask(other).status, 422);
  runner.advance(options.commit_timeout);
  ASSERT_TRUE(first->has_value() && second->has_value());
  EXPECT_EQ((*first)->status, 503);
  door.committed = true;
  runner.advance(10ms);
  EXPECT_EQ(ask(r).status, 200);
  EXPECT_EQ(door.opened, 1) << "it was under way all the time";
  Request another_token = request("POST", "/api/v1/events", "admin", R"({"node":"a"})");
  another_token.head.idempotency_key = "k1";
  EXPECT_EQ(ask(another_token).status, 200);
  EXPECT_EQ(door.opened, 2) << "a key belongs to its token";
  runner.advance(options.idempotency_age * 2);
  EXPECT_EQ(ask(r).status, 200);
  EXPECT_EQ(door.opened, 3) << "forgotten after a day";
}

TEST_F(ApiTest, PostsAndRememberedKeysAreBounded) {
  options.posts_max = 2;
  options.idempotency_keys_max = 3;
  door.committed = false;
  const auto a = begin(request("POST", "/api/v1/events", "events", "{}"));
  const auto b = begin(request("POST", "/api/v1/events", "events", "{}"));
  EXPECT_EQ(ask("POST", "/api/v1/events", "events", "{}").status, 503);
  door.committed = true;
  runner.advance(10ms);
  EXPECT_TRUE(a->has_value() && b->has_value());
  for (int i = 0; i < 20; ++i) {
    Request r = request("POST", "/api/v1/events", "events", "{}");
    r.head.idempotency_key = "k" + std::to_string(i);
    EXPECT_EQ(ask(r).status, 200);
  }
  Request r = request("POST", "/api/v1/events", "events", "{}");
  r.head.idempotency_key = "k0";
  const int before = door.opened;
  EXPECT_EQ(ask(r).status, 200);
  EXPECT_EQ(door.opened, before + 1);
}

TEST_F(ApiTest, AFailedReloadTellsEveryErrorAndALongOneIsUnderWay) {
  backend.reload_outcome = {false, {"a.bell:3:5: expected a pattern", "b.bell:1:1: what is this"}};
  const Response failed = ask("POST", "/api/v1/reload", "rules");
  EXPECT_EQ(failed.status, 422);
  EXPECT_NE(failed.body.find("b.bell:1:1"), std::string::npos);
}

TEST_F(ApiTest, StateOfTheServer) {
  backend.status_.version = "0.1";
  backend.status_.not_ready_reason = "recovering";
  EXPECT_EQ(ask("GET", "/readyz", "read").status, 503);
  backend.status_.ready = true;
  EXPECT_EQ(ask("GET", "/readyz", "read").status, 200);
  backend.status_.reload_at = Instant{1};
  backend.status_.reload_errors = {"x.bell:1:1: no"};
  const Response status = ask("GET", "/api/v1/status", "read");
  EXPECT_NE(status.body.find("x.bell:1:1"), std::string::npos);
  ledger.add("syslog-udp", "10.0.0.1", "ring-full", 3);
  EXPECT_NE(ask("GET", "/api/v1/ledger", "read").body.find("\"refused\":3"), std::string::npos);
  EXPECT_NE(ask("GET", "/api/v1/nodes", "read").body.find("\"node\":\"r1\""), std::string::npos);
  EXPECT_NE(ask("GET", "/api/v1/events?node=r1", "read").body.find("r1"), std::string::npos);
  metrics.counter("belfry_x_total", "x").add();
  EXPECT_NE(ask("GET", "/metrics", "read").body.find("belfry_x_total 1"), std::string::npos);
}

TEST_F(ApiTest, TokensAreMadeShownOnceAndRemoved) {
  const Response made =
      ask("POST", "/api/v1/tokens", "admin", R"({"name":"anna","roles":["desk"]})");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::size_t at = made.body.find("blf_");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", "admin").body.find("blf_"), std::string::npos);
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/anna", "admin").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/anna", "admin").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/tokens", "admin", R"({"name":"x","roles":["root"]})").status, 400);
}

TEST_F(ApiTest, TheDocumentDescribesExactlyTheRoutes) {
  const auto document = boost::json::parse({openapi_document().data(), openapi_document().size()});
  const auto& paths = document.at("paths").as_object();
  std::size_t described = 0;
  for (const auto& path : paths) {
    described += path.value().as_object().size();
  }
  EXPECT_EQ(described, routes().size());
  for (const Route& route : routes()) {
    const auto* path = paths.if_contains({route.pattern.data(), route.pattern.size()});
    ASSERT_NE(path, nullptr) << route.pattern;
    const std::string method = to_lower(route.method);
    const auto* operation = path->as_object().if_contains({method.data(), method.size()});
    ASSERT_NE(operation, nullptr) << route.method << " " << route.pattern;
    if (route.role) {
      EXPECT_EQ(operation->at("x-role").as_string(), name(*route.role).data()) << route.pattern;
    }
  }
}

}  // namespace
}  // namespace belfry::gateway
