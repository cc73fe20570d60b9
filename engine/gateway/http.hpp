#pragma once
// What the API sees of HTTP: plain values, so that routes and checks are tested without a socket.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/gateway/tokens.hpp"

namespace belfry::gateway {

/// The head of a request as far as anything here looks at it.
struct RequestHead {
  std::string method;
  std::string target;  ///< as sent: path and query
  std::string host, origin, fetch_site, authorization, content_type, idempotency_key, last_event_id;
  bool has_body = false;
  bool secure = false;        ///< came over TLS
  std::string local_address;  ///< the address it came to, without port
};

using Query = std::map<std::string, std::string, std::less<>>;

struct Request {
  RequestHead head;
  std::string path;  ///< decoded, without query
  Query query;
  std::vector<std::string> args;  ///< what stood at the route's {..}
  Identity who;
  std::string peer;  ///< address of the client, without port
  std::string body;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};
using Done = std::function<void(Response)>;

/// RFC 9457: `{"type":"about:blank","status":400,"title":"Bad Request","detail":"..."}`.
Response problem(int status, std::string_view detail);
Response problem(const Error& error);
std::string_view status_text(int status);
int status_of(Code code);

/// %-decoding; nullopt on a bad escape or a NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Splits and decodes `path?query`. Invalid when it does not decode.
Result<std::pair<std::string, Query>> split_target(std::string_view target);
/// `a.example:8514` -> `a.example`; `[::1]:80` -> `::1`. Lower case.
std::string host_part(std::string_view host);
/// `application/json; charset=utf-8` -> `application/json`, lower case.
std::string media_type(std::string_view content_type);

}  // namespace belfry::gateway
