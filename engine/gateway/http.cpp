#include "http.hpp"

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"

namespace belfry::gateway {

std::string_view status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

int status_of(Code code) {
  switch (code) {
    case Code::Invalid:
      return 400;
    case Code::NotFound:
      return 404;
    case Code::Conflict:
      return 409;
    case Code::Overloaded:
    case Code::Unavailable:
      return 503;
    case Code::Corrupt:
    case Code::Internal:
      break;
  }
  return 500;
}

Response problem(int status, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  JsonWriter out;
  out.object().field("type", "about:blank").field("status", status);
  out.field("title", status_text(status)).field("detail", detail).end();
  response.body = out.take();
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"belfry\"");
  }
  if (status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

Response problem(const Error& error) { return problem(status_of(error.code), error.what); }

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1 || (*byte)[0] == '\0') {
        return std::nullopt;
      }
      out += *byte;
      i += 2;
    }
  }
  return out;
}

Result<std::pair<std::string, Query>> split_target(std::string_view target) {
  constexpr std::size_t kParametersMax = 32;
  const std::size_t mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark), false);
  if (!path || !path->starts_with('/') || !is_utf8(*path)) {
    return fail(Code::Invalid, "the path does not decode: expected UTF-8, %-escaped");
  }
  Query query;
  if (mark != std::string_view::npos) {
    for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
      if (pair.empty()) {
        continue;
      }
      const std::size_t equal = pair.find('=');
      const auto key = percent_decode(pair.substr(0, equal), true);
      const auto value = equal == std::string_view::npos
                             ? std::optional<std::string>("")
                             : percent_decode(pair.substr(equal + 1), true);
      if (!key || !value || !is_utf8(*key) || !is_utf8(*value) || query.size() >= kParametersMax) {
        return fail(Code::Invalid, "the query does not decode: expected name=value, %-escaped");
      }
      query[*key] = *value;
    }
  }
  return std::pair(*path, std::move(query));
}

std::string host_part(std::string_view host) {
  if (host.starts_with('[')) {
    return to_lower(host.substr(1, host.find(']') - 1));
  }
  return to_lower(host.substr(0, host.find(':')));
}

std::string media_type(std::string_view content_type) {
  return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

}  // namespace belfry::gateway
