#pragma once
// Api: routes, checks and answers, as plain values in and out.
//
// Thread: edge, but what runs through Runner::help. Owns: the table of posts under way.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "belfry/gateway/gateway.hpp"
#include "http.hpp"
#include "posts.hpp"
#include "runner.hpp"

namespace belfry::gateway {

class Api;

/// What a route does with a request.
enum class RouteKind : unsigned char {
  Inline,  ///< answers at once on the edge thread: short and without locks that last
  Helper,  ///< answers on a helper thread: lists, history, files
  Async,   ///< calls back later
  Feed,    ///< the server streams it
};
struct Route {
  std::string_view method, pattern;  ///< `/api/v1/tickets/{id}`
  RouteKind kind = RouteKind::Inline;
  std::optional<Role> role;                           ///< nullopt: nobody is asked who he is
  Response (Api::*answer)(const Request&) = nullptr;  ///< Inline, Helper
  void (Api::*start)(Request, Done) = nullptr;        ///< Async
};
std::span<const Route> routes();

class Api {
 public:
  Api(const GatewayOptions& options, GatewayParts parts, TokenStore& tokens, Runner& runner);

  /// Everything that can be said before the body is read: route, Host, Origin, token, role, type.
  /// On success `request` has path, query, args and who, and the route is returned.
  struct Admitted {
    const Route* route = nullptr;  ///< null: answer with `refusal`
    Response refusal;
  };
  Admitted admit(Request& request) const;
  /// Calls `done` exactly once, on the edge thread. REQUIRES: admitted, and not the feed.
  void handle(const Route& route, Request request, Done done);

 private:
  friend std::span<const Route> routes();
  std::optional<Response> check_origin(const RequestHead& head) const;
  std::optional<Response> check_type(const RequestHead& head, const Route& route) const;

  Response incidents(const Request& r);
  Response incident(const Request& r);
  Response tickets(const Request& r);
  Response ticket(const Request& r);
  Response nodes(const Request& r);
  Response ledger(const Request& r);
  Response events(const Request& r);
  Response status(const Request& r);
  Response openapi(const Request& r);
  Response metrics(const Request& r);
  Response healthz(const Request& r);
  Response readyz(const Request& r);
  Response tokens(const Request& r);
  Response add_token(const Request& r);
  Response remove_token(const Request& r);

  void ticket_command(Request r, Done done);
  void close_incident(Request r, Done done);
  void silence(Request r, Done done);
  void unsilence(Request r, Done done);
  void post_events(Request r, Done done);
  void post_alerts(Request r, Done done);
  void reload(Request r, Done done);
  void submit(Command command, const Request& r, Done done);
  Response command_answer(const Command& command, const CommandResult& result);
  std::string cursor(ChangeNumber as_of) const;

  const GatewayOptions& options_;
  GatewayParts parts_;
  TokenStore& tokens_;
  Runner& runner_;
  Posts posts_;
};

/// The OpenAPI document, as in docs and at /api/v1/openapi.json.
std::string_view openapi_document();

}  // namespace belfry::gateway
