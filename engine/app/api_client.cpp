#include "api_client.hpp"

#include <curl/curl.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "belfry/base/text.hpp"
#include "config.hpp"

namespace belfry {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::size_t kAnswerBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kLineBytesMax = 1024 * 1024;
constexpr long kConnectMs = 5'000, kTotalMs = 60'000;
// A feed sends a comment every 15 s: nothing in 50 s means that the connection is dead.
constexpr long kSilenceSeconds = 50;

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, CurlFree>;

List headers(std::initializer_list<std::string> texts) {
  curl_slist* list = nullptr;
  for (const std::string& text : texts) {
    if (!text.empty()) {
      list = curl_slist_append(list, text.c_str());
    }
  }
  return List(list);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return in ? out.str() : std::string();
}

std::string member(const json::value& v, std::string_view key) {
  const json::object* object = v.if_object();
  const json::value* found =
      object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

struct Place {
  std::string server, token_file;
};

/// What the server left in its data folder, or what its configuration says.
Place place_of(const ClientArguments& a) {
  const auto config = load_config(a.config);
  const Config c = config ? *config : Config{};
  Place place;
  json::error_code error;
  const json::value addresses =
      json::parse(read_text(fs::path(c.data_dir) / "addresses.json"), error);
  if (!error && addresses.is_object()) {
    const json::value* api = addresses.get_object().if_contains("api");
    place.server = api == nullptr ? std::string() : member(*api, "url");
    place.token_file = member(addresses, "token_file");
  }
  if (place.server.empty()) {
    place.server = fmt::format("{}://{}:{}", c.tls_certificate.empty() ? "http" : "https",
                               c.api.address, c.api.port);
  }
  if (place.token_file.empty()) {
    place.token_file = (fs::path(c.data_dir) / "admin.token").string();
  }
  return place;
}

std::size_t collect(char* bytes, std::size_t size, std::size_t n, void* to) {
  auto* text = static_cast<std::string*>(to);
  if (text->size() + size * n > kAnswerBytesMax) {
    return 0;
  }
  text->append(bytes, size * n);
  return size * n;
}

struct Stream {
  const std::function<bool(std::string_view)>* sink;
  CURL* curl;
  std::string refusal;  ///< the body of an answer that is no feed
  bool ended_by_sink = false;
};

std::size_t pass_on(char* bytes, std::size_t size, std::size_t n, void* to) {
  auto* stream = static_cast<Stream*>(to);
  long status = 0;
  curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return collect(bytes, size, n, &stream->refusal);
  }
  if (!(*stream->sink)({bytes, size * n})) {
    stream->ended_by_sink = true;
    return 0;
  }
  return size * n;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : "%" + to_hex({&c, 1});
  }
  return out;
}

void ServerSentEvents::feed(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n');
    if (rest_.size() + std::min(end, bytes.size()) > kLineBytesMax) {
      rest_.clear();
    } else {
      rest_.append(bytes.substr(0, end));
    }
    if (end == std::string_view::npos) {
      return;
    }
    bytes.remove_prefix(end + 1);
    line(rest_.ends_with('\r') ? std::string_view(rest_).substr(0, rest_.size() - 1) : rest_);
    rest_.clear();
  }
}

void ServerSentEvents::line(std::string_view text) {
  if (text.empty()) {
    if (has_data_) {
      sink_(event_);
    }
    event_ = {};
    has_data_ = false;
    return;
  }
  const std::size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (field == "event") {
    event_.event = value;
  } else if (field == "id") {
    event_.id = value;
  } else if (field == "data") {
    event_.data += (has_data_ ? "\n" : "") + std::string(value);
    has_data_ = true;
  }
}

struct ApiClient::Impl {
  std::string server, token, ca_file;
  std::unique_ptr<CURL, CurlFree> curl;

  void prepare(const std::string& url) {
    curl_easy_reset(curl.get());
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
    if (!ca_file.empty()) {
      curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
    }
  }
  tl::unexpected<Error> unreachable(CURLcode code) const {
    const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION;
    return fail(Code::Unavailable, "no answer from {}: {}{}", server, curl_easy_strerror(code),
                code == CURLE_COULDNT_CONNECT ? " (does the server run? `belfry run`)"
                : certificate                 ? " (--ca-file FILE names who signed its certificate)"
                                              : "");
  }
};

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient::~ApiClient() = default;
const std::string& ApiClient::server() const { return impl_->server; }

Result<ApiClient> ApiClient::make(const ClientArguments& a) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  auto impl = std::make_unique<Impl>();
  impl->server = a.server.empty() ? environment("BELFRY_SERVER") : a.server;
  std::string token_file = a.token_file.empty() ? environment("BELFRY_TOKEN_FILE") : a.token_file;
  if (impl->server.empty() || token_file.empty()) {
    const Place place = place_of(a);
    impl->server = impl->server.empty() ? place.server : impl->server;
    token_file = token_file.empty() ? place.token_file : token_file;
  }
  while (impl->server.ends_with('/')) {
    impl->server.pop_back();
  }
  impl->token = std::string(trim(read_text(token_file)));
  if (impl->token.empty() || impl->token.find_first_of("\r\n") != std::string::npos) {
    return fail(Code::NotFound,
                "{}: no token there: the server makes it at its first start; else name its file by "
                "--token-file or BELFRY_TOKEN_FILE",
                token_file);
  }
  impl->ca_file = a.ca_file.empty() ? environment("BELFRY_CA") : a.ca_file;
  impl->curl.reset(curl_easy_init());
  if (!impl->curl) {
    return fail(Code::Internal, "libcurl does not start");
  }
  return ApiClient(std::move(impl));
}

Result<ApiClient::Answer> ApiClient::ask(const std::string& path, const std::string* body) {
  CURL* curl = impl_->curl.get();
  impl_->prepare(impl_->server + path);
  const List list = headers({"Authorization: Bearer " + impl_->token,
                             body == nullptr ? "" : "Content-Type: application/json"});
  Answer answer;
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTotalMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  if (body != nullptr) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return impl_->unreachable(code);
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

Result<int> ApiClient::stream(const std::string& path, const std::string& last_event_id,
                              const std::function<bool(std::string_view)>& sink) {
  CURL* curl = impl_->curl.get();
  impl_->prepare(impl_->server + path);
  const List list = headers({"Authorization: Bearer " + impl_->token, "Accept: text/event-stream",
                             last_event_id.empty() ? "" : "Last-Event-ID: " + last_event_id});
  Stream to{&sink, curl, {}, false};
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &pass_on);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &to);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 0 && status != 200) {
    json::error_code error;
    const std::string detail = member(json::parse(to.refusal, error), "detail");
    return fail(status == 503 ? Code::Unavailable : Code::Invalid, "{} says {}: {}", impl_->server,
                status, detail.empty() ? "no reason" : printable(detail));
  }
  if (code == CURLE_COULDNT_CONNECT || status == 0) {
    return impl_->unreachable(code);
  }
  return to.ended_by_sink ? 0 : 1;
}

}  // namespace belfry
