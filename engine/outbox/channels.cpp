// The ways out: a line in the log, SMTP and HTTP by libcurl. One easy handle a channel keeps its
// connection between effects.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "belfry/base/text.hpp"
#include "belfry/outbox/outbox.hpp"
#include "belfry/runtime/log.hpp"
#include "encoding.hpp"

namespace belfry {
namespace {

/// What a target may answer us: more is not read.
constexpr std::size_t kAnswerBytesMax = 64 * 1024;
/// A target may ask us to wait, but not for ever.
constexpr auto kRetryAfterMax = std::chrono::hours(1);

class LogChannel final : public Channel {
 public:
  explicit LogChannel(std::string name) : name_(std::move(name)) {}
  Delivery deliver(const Effect& effect, Instant) override {
    log::info(name_, "{} to {}: {}", name(effect.kind),
              effect.address.empty() ? "-" : effect.address, printable(effect.subject, 300));
    return {Delivery::Outcome::Delivered, {}, {}};
  }

 private:
  std::string name_;
};

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, CurlFree>;
using List = std::unique_ptr<curl_slist, CurlFree>;

void append(List& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (longer != nullptr) {
    static_cast<void>(list.release());
    list.reset(longer);
  }
}

std::size_t count_answer(char*, std::size_t size, std::size_t n, void* seen) {
  auto* total = static_cast<std::size_t*>(seen);
  *total += size * n;
  return *total > kAnswerBytesMax ? 0 : size * n;
}

Delivery later(std::string reason) { return {Delivery::Outcome::Later, std::move(reason), {}}; }
Delivery never(std::string reason) { return {Delivery::Outcome::Never, std::move(reason), {}}; }

/// An address that a mail server may see: no blanks, brackets or control characters.
bool is_mail_address(std::string_view text) {
  if (text.size() > 254 || text.find('@') == std::string_view::npos) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '<' && c != '>' && c != ',' &&
           c != '"';
  });
}

class SmtpChannel final : public Channel {
 public:
  explicit SmtpChannel(const ChannelOptions& options) : o_(options), handle_(curl_easy_init()) {}

  Delivery deliver(const Effect& effect, Instant) override {
    if (!is_mail_address(effect.address)) {
      return never("'" + printable(effect.address, 80) + "' is not a mail address");
    }
    CURL* curl = handle_.get();
    curl_easy_reset(curl);
    const std::string url = fmt::format("smtp://{}:{}", o_.host, o_.port);
    const std::string from = "<" + o_.from + ">";
    List to;
    append(to, "<" + effect.address + ">");
    mail_ = mail_text(effect, o_.from, effect.address);
    sent_ = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &SmtpChannel::read);
    curl_easy_setopt(curl, CURLOPT_READDATA, this);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(o_.timeout.count() / 1'000'000 * 2));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(o_.timeout.count() / 1'000'000));
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     static_cast<long>(o_.starttls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (!o_.starttls) {
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);  // opportunistic: better than plain text
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!o_.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, o_.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, o_.password.c_str());
    }
    const CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    if (code == CURLE_OK) {
      return {Delivery::Outcome::Delivered, {}, {}};
    }
    std::string reason =
        fmt::format("{}:{}: {} (SMTP {})", o_.host, o_.port, curl_easy_strerror(code), answer);
    // A refused sign-in is the channel's trouble, not this mail's: it waits until it is mended.
    const bool sign_in = code == CURLE_LOGIN_DENIED || answer == 530 || answer == 535;
    return answer >= 500 && answer < 600 && !sign_in ? never(std::move(reason))
                                                     : later(std::move(reason));
  }

 private:
  static std::size_t read(char* to, std::size_t size, std::size_t n, void* self) {
    auto* c = static_cast<SmtpChannel*>(self);
    const std::size_t part = std::min(size * n, c->mail_.size() - c->sent_);
    std::memcpy(to, c->mail_.data() + c->sent_, part);
    c->sent_ += part;
    return part;
  }
  ChannelOptions o_;
  Handle handle_;
  std::string mail_;
  std::size_t sent_ = 0;
};

/// Where an IPv6 address carries the IPv4 address that is really called: mapped, compatible, NAT64
/// (64:ff9b::/96), 6to4 (2002::/16); -1 when it is none of them.
int inner_ipv4(const in6_addr& a) {
  constexpr unsigned char kNat64[12]{0x00, 0x64, 0xff, 0x9b};
  if (IN6_IS_ADDR_V4MAPPED(&a) || IN6_IS_ADDR_V4COMPAT(&a) ||
      std::memcmp(a.s6_addr, kNat64, sizeof kNat64) == 0) {
    return 12;
  }
  return a.s6_addr[0] == 0x20 && a.s6_addr[1] == 0x02 ? 2 : -1;
}

/// Loopback, private, link-local, multicast and unspecified addresses: not for calls from inside.
bool is_private(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    const std::uint32_t a = ntohl(in.sin_addr.s_addr);
    const std::uint32_t top = a >> 24;
    return top == 0 || top == 10 || top == 127 || (a >> 20) == 0xAC1 || (a >> 16) == 0xC0A8 ||
           (a >> 16) == 0xA9FE || (a >> 22) == 0x191 || (a >> 8) == 0xC00000 ||
           (a >> 17) == 0x6309 || top >= 224;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    const in6_addr& a = in.sin6_addr;
    if (const int at = inner_ipv4(a); at >= 0) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      std::memcpy(&v4.sin_addr, a.s6_addr + at, 4);
      return is_private(reinterpret_cast<const sockaddr*>(&v4));
    }
    return IN6_IS_ADDR_LOOPBACK(&a) || IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_LINKLOCAL(&a) ||
           IN6_IS_ADDR_MULTICAST(&a) || (a.s6_addr[0] & 0xFEU) == 0xFCU;
  }
  return true;
}

class WebhookChannel final : public Channel {
 public:
  explicit WebhookChannel(const ChannelOptions& options) : o_(options), handle_(curl_easy_init()) {}

  Delivery deliver(const Effect& effect, Instant now) override {
    CURL* curl = handle_.get();
    curl_easy_reset(curl);
    // An address that is a URL goes there; a name is for the receiver to read in the payload.
    const bool elsewhere =
        effect.address.starts_with("http://") || effect.address.starts_with("https://");
    const std::string& url = elsewhere ? effect.address : o_.url;
    const std::string id = to_text(effect.id);
    const std::int64_t stamp = now.ns / 1'000'000'000;
    List headers;
    append(headers, "Content-Type: application/json");
    append(headers, "webhook-id: " + id);
    append(headers, fmt::format("webhook-timestamp: {}", stamp));
    if (!o_.secret.empty()) {
      append(headers, "webhook-signature: " + sign_webhook(o_.secret, id, stamp, effect.json));
    }
    std::size_t seen = 0;
    refused_ = false;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    // No proxy of the environment: open_socket() would judge its address instead of the target's.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(effect.json.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, effect.json.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &count_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &seen);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &WebhookChannel::open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(o_.timeout.count() / 1'000'000));
    const CURLcode code = curl_easy_perform(curl);
    return judge(code);
  }

 private:
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto* c = static_cast<WebhookChannel*>(self);
    if (!c->o_.allow_private && is_private(&address->addr)) {
      c->refused_ = true;
      return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  Delivery judge(CURLcode code) {
    long status = 0;
    curl_off_t wait_seconds = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &wait_seconds);
    if (refused_) {
      return never("its address is in a private network (allow_private is false)");
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      return never(curl_easy_strerror(code));
    }
    if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
      return later(curl_easy_strerror(code));
    }
    if (status >= 200 && status < 300) {
      return {Delivery::Outcome::Delivered, {}, {}};
    }
    const bool temporary = status == 408 || status == 425 || status == 429 || status >= 500;
    Delivery d =
        temporary ? later(fmt::format("HTTP {}", status)) : never(fmt::format("HTTP {}", status));
    d.retry_after = std::min<Duration>(std::chrono::seconds(wait_seconds), kRetryAfterMax);
    return d;
  }

  ChannelOptions o_;
  Handle handle_;
  bool refused_ = false;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(const ChannelOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  switch (options.kind) {
    case ChannelKind::Smtp:
      if (!is_mail_address(options.from)) {
        return fail(Code::Invalid,
                    "channel {}: '{}' is not a mail address: expected a sender in `from`",
                    options.name, printable(options.from, 80));
      }
      return std::make_unique<SmtpChannel>(options);
    case ChannelKind::Webhook:
      return std::make_unique<WebhookChannel>(options);
    case ChannelKind::Log:
      break;
  }
  return std::make_unique<LogChannel>(options.name);
}

std::string sign_webhook(std::string_view secret, std::string_view id, std::int64_t timestamp,
                         std::string_view payload) {
  const std::string text = fmt::format("{}.{}.{}", id, timestamp, payload);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return "v1," + base64({reinterpret_cast<const char*>(mac), size});
}

Result<std::string> parse_webhook_secret(std::string_view text) {
  text = trim(text);
  std::string_view digits = text;
  if (digits.starts_with("whsec_")) {
    digits.remove_prefix(6);
  }
  std::string out(digits.size(), '\0');
  const int n = digits.size() % 4 != 0 || digits.empty()
                    ? -1
                    : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                      reinterpret_cast<const unsigned char*>(digits.data()),
                                      static_cast<int>(digits.size()));
  const auto padding = digits.ends_with("==") ? 2 : digits.ends_with('=') ? 1 : 0;
  if (n - padding < 24 || n - padding > 64) {
    return fail(Code::Invalid, "expected `whsec_` and 24 to 64 bytes in base64");
  }
  out.resize(static_cast<std::size_t>(n - padding));
  return out;
}

}  // namespace belfry
