#include "api.hpp"

#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"

namespace belfry::gateway {
namespace {

/// Fits when the path has the pattern's parts; `{..}` takes one part of any text.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& args) {
  const auto want = split(pattern, '/');
  const auto have = split(path, '/');
  if (want.size() != have.size()) {
    return false;
  }
  args.clear();
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].starts_with('{')) {
      if (have[i].empty()) {
        return false;
      }
      args.emplace_back(have[i]);
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  return true;
}

std::string allowed_methods(std::string_view path) {
  std::string allow;
  std::vector<std::string> args;
  for (const Route& route : routes()) {
    if (fits(route.pattern, path, args)) {
      allow += (allow.empty() ? "" : ", ") + std::string(route.method);
    }
  }
  return allow;
}

}  // namespace

std::span<const Route> routes() {
  using K = RouteKind;
  constexpr auto kRead = Role::Read;
  static const std::array kRoutes{
      Route{"GET", "/api/v1/incidents", K::Helper, kRead, &Api::incidents, nullptr},
      Route{"GET", "/api/v1/incidents/{id}", K::Helper, kRead, &Api::incident, nullptr},
      Route{"POST", "/api/v1/incidents/{id}/close", K::Async, Role::Desk, nullptr,
            &Api::close_incident},
      Route{"GET", "/api/v1/tickets", K::Helper, kRead, &Api::tickets, nullptr},
      Route{"GET", "/api/v1/tickets/{id}", K::Helper, kRead, &Api::ticket, nullptr},
      Route{"POST", "/api/v1/tickets/{id}/{move}", K::Async, Role::Desk, nullptr,
            &Api::ticket_command},
      Route{"POST", "/api/v1/silences", K::Async, Role::Desk, nullptr, &Api::silence},
      Route{"POST", "/api/v1/silences/end", K::Async, Role::Desk, nullptr, &Api::unsilence},
      Route{"GET", "/api/v1/events", K::Helper, kRead, &Api::events, nullptr},
      Route{"POST", "/api/v1/events", K::Async, Role::Events, nullptr, &Api::post_events},
      Route{"POST", "/api/v1/alerts/{form}", K::Async, Role::Events, nullptr, &Api::post_alerts},
      Route{"POST", "/api/v2/alerts", K::Async, Role::Events, nullptr, &Api::post_alerts},
      Route{"GET", "/api/v1/feed", K::Feed, kRead, nullptr, nullptr},
      Route{"GET", "/api/v1/nodes", K::Helper, kRead, &Api::nodes, nullptr},
      Route{"GET", "/api/v1/ledger", K::Helper, kRead, &Api::ledger, nullptr},
      Route{"GET", "/api/v1/status", K::Inline, kRead, &Api::status, nullptr},
      Route{"POST", "/api/v1/reload", K::Async, Role::Rules, nullptr, &Api::reload},
      Route{"GET", "/api/v1/tokens", K::Inline, Role::Admin, &Api::tokens, nullptr},
      Route{"POST", "/api/v1/tokens", K::Helper, Role::Admin, &Api::add_token, nullptr},
      Route{"DELETE", "/api/v1/tokens/{name}", K::Helper, Role::Admin, &Api::remove_token, nullptr},
      Route{"GET", "/api/v1/openapi.json", K::Inline, kRead, &Api::openapi, nullptr},
      Route{"GET", "/metrics", K::Helper, kRead, &Api::metrics, nullptr},
      Route{"GET", "/readyz", K::Inline, kRead, &Api::readyz, nullptr},
      Route{"GET", "/healthz", K::Inline, std::nullopt, &Api::healthz, nullptr}};
  return kRoutes;
}

Api::Api(const GatewayOptions& options, GatewayParts parts, TokenStore& tokens, Runner& runner)
    : options_(options),
      parts_(parts),
      tokens_(tokens),
      runner_(runner),
      posts_(options, parts, runner) {}

/// A page of another origin, and a name that was pointed at us (DNS rebinding), are refused here.
std::optional<Response> Api::check_origin(const RequestHead& head) const {
  if (head.host.empty()) {
    return problem(400, "the Host header is missing");
  }
  const std::string host = host_part(head.host);
  const bool ours =
      host == "localhost" || host == to_lower(head.local_address) ||
      std::find(options_.hosts.begin(), options_.hosts.end(), host) != options_.hosts.end();
  if (!ours) {
    return problem(403, "the Host header names none of this server's names");
  }
  if (!head.origin.empty()) {
    const std::string self = (head.secure ? "https://" : "http://") + to_lower(head.host);
    const auto& also = options_.origins;
    if (to_lower(head.origin) != self &&
        std::find(also.begin(), also.end(), head.origin) == also.end()) {
      return problem(403, "pages of this Origin may not ask here");
    }
  } else if (head.fetch_site == "cross-site") {
    return problem(403, "pages of other sites may not ask here");
  }
  return std::nullopt;
}

std::optional<Response> Api::check_type(const RequestHead& head, const Route& route) const {
  if (!head.has_body) {
    return std::nullopt;
  }
  const std::string type = media_type(head.content_type);
  const bool lines = type == "application/x-ndjson" || type == "application/jsonl" ||
                     type == "application/x-jsonlines";
  if (type == "application/json" || (lines && route.start == &Api::post_events)) {
    return std::nullopt;
  }
  return problem(415,
                 "the body has no type that is taken here: expected application/json (events: "
                 "also application/x-ndjson)");
}

Api::Admitted Api::admit(Request& request) const {
  Admitted out;
  const auto refuse = [&](Response response) {
    out.route = nullptr;
    out.refusal = std::move(response);
    return out;
  };
  if (auto bad = check_origin(request.head)) {
    return refuse(std::move(*bad));
  }
  auto target = split_target(request.head.target);
  if (!target) {
    return refuse(problem(target.error()));
  }
  request.path = std::move(target->first);
  request.query = std::move(target->second);
  for (const Route& route : routes()) {
    if (route.method == request.head.method && fits(route.pattern, request.path, request.args)) {
      out.route = &route;
      break;
    }
  }
  if (out.route == nullptr || out.route->role) {
    // Who has no token learns nothing, not even which paths there are.
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view sent = request.head.authorization;
    const bool bearer =
        sent.size() > kBearer.size() && iequals(sent.substr(0, kBearer.size()), kBearer);
    auto who = bearer ? tokens_.find(trim(sent.substr(kBearer.size()))) : std::nullopt;
    if (!who) {
      return refuse(problem(
          401, bearer ? "this token is not known" : "expected a token: Authorization: Bearer ..."));
    }
    request.who = *std::move(who);
  }
  if (out.route == nullptr) {
    const std::string allow = allowed_methods(request.path);
    Response response = allow.empty() ? problem(404, "no such path: see /api/v1/openapi.json")
                                      : problem(405, "expected " + allow);
    if (!allow.empty()) {
      response.headers.emplace_back("Allow", allow);
    }
    return refuse(std::move(response));
  }
  if (out.route->role && !request.who.may(*out.route->role)) {
    return refuse(problem(403, fmt::format("the token '{}' has no role '{}'", request.who.name,
                                           name(*out.route->role))));
  }
  if (auto bad = check_type(request.head, *out.route)) {
    return refuse(std::move(*bad));
  }
  return out;
}

void Api::handle(const Route& route, Request request, Done done) {
  switch (route.kind) {
    case RouteKind::Inline:
      return done((this->*route.answer)(request));
    case RouteKind::Async:
      return (this->*route.start)(std::move(request), std::move(done));
    case RouteKind::Helper:
    case RouteKind::Feed:
      break;
  }
  const auto kept = std::make_shared<std::pair<Request, Done>>(std::move(request), std::move(done));
  const bool taken = runner_.help([this, answer = route.answer, kept] {
    auto response = std::make_shared<Response>((this->*answer)(kept->first));
    runner_.edge([kept, response] { kept->second(std::move(*response)); });
  });
  if (!taken) {
    kept->second(problem(503, "too many requests wait: try again"));
  }
}

}  // namespace belfry::gateway
