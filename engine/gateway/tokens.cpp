#include "belfry/gateway/tokens.hpp"

#include <absl/synchronization/mutex.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kTokensMax = 1000;
constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::size_t kDigestBytes = 32;
constexpr std::string_view kPrefix = "blf_";  // so that secret scanners can find a leaked one
using Digest = std::array<unsigned char, kDigestBytes>;

Digest digest_of(std::string_view token) {
  Digest out{};
  unsigned size = 0;
  EVP_Digest(token.data(), token.size(), out.data(), &size, EVP_sha256(), nullptr);
  return out;
}

Result<std::string> new_token() {
  std::array<unsigned char, kDigestBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return fail(Code::Internal, "the system gives no random bytes for a token");
  }
  return std::string(kPrefix) +
         to_hex({reinterpret_cast<const char*>(random.data()), random.size()});
}

/// Written beside, synced, renamed: a crash leaves the old file or the new one.
Result<void> write_private(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  const int fd =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return fail(Code::Unavailable, "{}: cannot write: {}", beside, std::strerror(errno));
  }
  bool good = ::fchmod(fd, 0600) == 0;
  for (std::size_t at = 0; good && at < text.size();) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    good = n > 0;
    at += good ? static_cast<std::size_t>(n) : 0;
  }
  good = good && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!good || ::rename(beside.c_str(), path.c_str()) != 0) {
    return fail(Code::Unavailable, "{}: cannot write: {}", path,
                std::strerror(good ? errno : error));
  }
  return {};
}

Result<std::string> read_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return fail(errno == ENOENT ? Code::NotFound : Code::Unavailable, "{}: cannot read: {}", path,
                std::strerror(errno));
  }
  struct stat about {};
  std::string text;
  if (::fstat(fd, &about) == 0 && (about.st_mode & 077) != 0) {
    ::close(fd);
    return fail(Code::Invalid, "{}: others can read it: run `chmod 600 {}`", path, path);
  }
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof buffer)) > 0 && text.size() < kFileBytesMax) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

bool is_name(std::string_view s) {
  constexpr std::size_t kNameMax = 64;
  return !s.empty() && s.size() <= kNameMax && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  });
}

std::string_view member(const json::object& object, std::string_view key) {
  const json::value* v = object.if_contains({key.data(), key.size()});
  const json::string* s = v == nullptr ? nullptr : v->if_string();
  return s == nullptr ? std::string_view() : std::string_view(s->data(), s->size());
}

struct Entry {
  Identity identity;
  Digest digest{};
  std::string created;
};

Result<Entry> read_entry(const json::value& v) {
  const json::object* object = v.if_object();
  if (object == nullptr) {
    return fail(Code::Invalid, "expected a list of objects under \"tokens\"");
  }
  Entry entry;
  entry.identity.name = member(*object, "name");
  entry.created = member(*object, "created");
  const auto digest = from_hex(member(*object, "sha256"));
  if (!is_name(entry.identity.name) || !digest || digest->size() != kDigestBytes) {
    return fail(Code::Invalid, "token '{}': expected a name and 64 hex digits of sha256",
                printable(entry.identity.name, 64));
  }
  std::memcpy(entry.digest.data(), digest->data(), kDigestBytes);
  const json::value* roles = object->if_contains("roles");
  if (roles == nullptr || !roles->is_array()) {
    return fail(Code::Invalid, "token '{}': expected a list of roles", entry.identity.name);
  }
  for (const json::value& word : roles->get_array()) {
    BELFRY_TRY(const Role role,
               parse_role(word.is_string()
                              ? std::string_view(word.get_string().data(), word.get_string().size())
                              : std::string_view()));
    entry.identity.roles.push_back(role);
  }
  return entry;
}

}  // namespace

Result<Role> parse_role(std::string_view word) {
  for (const Role role : {Role::Read, Role::Events, Role::Desk, Role::Rules, Role::Admin}) {
    if (word == name(role)) {
      return role;
    }
  }
  return fail(Code::Invalid, "unknown role '{}': expected read, events, desk, rules or admin",
              printable(word, 40));
}

bool Identity::may(Role role) const {
  return std::any_of(roles.begin(), roles.end(), [role](Role have) {
    return have == role || have == Role::Admin ||
           (role == Role::Read && (have == Role::Desk || have == Role::Rules));
  });
}

struct TokenStore::Impl {
  std::string path, admin_path;
  bool first_start = false;
  mutable absl::Mutex mutex;
  std::vector<Entry> entries ABSL_GUARDED_BY(mutex);

  Result<void> write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    JsonWriter out;
    out.object().key("tokens").array();
    for (const Entry& e : entries) {
      out.object().field("name", e.identity.name).key("roles").array();
      for (const Role role : e.identity.roles) {
        out.value(name(role));
      }
      out.end();
      out.field("sha256",
                to_hex({reinterpret_cast<const char*>(e.digest.data()), e.digest.size()}));
      out.field("created", e.created).end();
    }
    out.end().end();
    return write_private(path, out.take() + "\n");
  }
  Result<void> insert(const std::string& name, const std::vector<Role>& roles,
                      std::string_view token, Instant now) ABSL_LOCKS_EXCLUDED(mutex) {
    absl::MutexLock lock(&mutex);
    if (entries.size() >= kTokensMax) {
      return fail(Code::Conflict, "there are {} tokens: remove one first", kTokensMax);
    }
    for (const Entry& e : entries) {
      if (e.identity.name == name) {
        return fail(Code::Conflict, "there is a token '{}': remove it first", name);
      }
    }
    entries.push_back({{name, roles}, digest_of(token), to_rfc3339(now)});
    if (auto written = write(); !written) {
      entries.pop_back();
      return written;
    }
    return {};
  }
  Result<void> read(const std::string& text) ABSL_LOCKS_EXCLUDED(mutex) {
    json::error_code error;
    const json::value root = json::parse({text.data(), text.size()}, error);
    const json::value* tokens =
        !error && root.is_object() ? root.get_object().if_contains("tokens") : nullptr;
    if (tokens == nullptr || !tokens->is_array() || tokens->get_array().size() > kTokensMax) {
      return fail(Code::Invalid, "{}: expected {{\"tokens\": [...]}}", path);
    }
    absl::MutexLock lock(&mutex);
    for (const json::value& v : tokens->get_array()) {
      auto entry = read_entry(v);
      if (!entry) {
        return fail(Code::Invalid, "{}: {}", path, entry.error().what);
      }
      entries.push_back(*std::move(entry));
    }
    return {};
  }
};

TokenStore::TokenStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenStore::~TokenStore() = default;

Result<std::unique_ptr<TokenStore>> TokenStore::open(const std::string& dir, Instant now) {
  std::error_code error;
  if (!fs::exists(dir, error)) {
    fs::create_directories(dir, error);
    if (!error) {
      fs::permissions(dir, fs::perms::owner_all, error);
    }
    if (error) {
      return fail(Code::Unavailable, "{}: cannot make the data folder: {}", dir, error.message());
    }
  }
  auto impl = std::make_unique<Impl>();
  impl->path = (fs::path(dir) / "tokens.json").string();
  impl->admin_path = (fs::path(dir) / "admin.token").string();
  auto text = read_private(impl->path);
  if (text) {
    BELFRY_CHECK_OK(impl->read(*text));
    return std::unique_ptr<TokenStore>(new TokenStore(std::move(impl)));
  }
  if (text.error().code != Code::NotFound) {
    return tl::unexpected(std::move(text).error());
  }
  impl->first_start = true;
  // The token's own file first: a crash in between leaves no tokens.json, and the next start makes
  // both anew.
  BELFRY_TRY(const std::string token, new_token());
  BELFRY_CHECK_OK(write_private(impl->admin_path, token + "\n"));
  BELFRY_CHECK_OK(impl->insert("admin", {Role::Admin}, token, now));
  return std::unique_ptr<TokenStore>(new TokenStore(std::move(impl)));
}

std::optional<Identity> TokenStore::find(std::string_view token) const {
  const Digest digest = digest_of(token);
  absl::ReaderMutexLock lock(&impl_->mutex);
  const Entry* found = nullptr;
  for (const Entry& e : impl_->entries) {  // no early end: the time tells nothing
    if (CRYPTO_memcmp(e.digest.data(), digest.data(), kDigestBytes) == 0) {
      found = &e;
    }
  }
  return found == nullptr ? std::nullopt : std::optional(found->identity);
}

bool TokenStore::valid(std::string_view name) const {
  absl::ReaderMutexLock lock(&impl_->mutex);
  return std::any_of(impl_->entries.begin(), impl_->entries.end(),
                     [&](const Entry& e) { return e.identity.name == name; });
}

std::vector<Identity> TokenStore::list() const {
  absl::ReaderMutexLock lock(&impl_->mutex);
  std::vector<Identity> out;
  for (const Entry& e : impl_->entries) {
    out.push_back(e.identity);
  }
  return out;
}

Result<std::string> TokenStore::add(const std::string& name, const std::vector<Role>& roles,
                                    Instant now) {
  if (!is_name(name)) {
    return fail(Code::Invalid, "'{}' is no name for a token: expected letters, digits, - _ . @",
                printable(name, 64));
  }
  if (roles.empty()) {
    return fail(Code::Invalid, "a token needs a role: read, events, desk, rules or admin");
  }
  BELFRY_TRY(const std::string token, new_token());
  BELFRY_CHECK_OK(impl_->insert(name, roles, token, now));
  return token;
}

Result<void> TokenStore::remove(const std::string& name) {
  absl::MutexLock lock(&impl_->mutex);
  auto& entries = impl_->entries;
  const auto at = std::find_if(entries.begin(), entries.end(),
                               [&](const Entry& e) { return e.identity.name == name; });
  if (at == entries.end()) {
    return fail(Code::NotFound, "there is no token '{}'", printable(name, 64));
  }
  const auto admins = std::count_if(entries.begin(), entries.end(),
                                    [](const Entry& e) { return e.identity.may(Role::Admin); });
  if (at->identity.may(Role::Admin) && admins == 1) {
    return fail(Code::Conflict, "'{}' is the last admin token: add another one first", name);
  }
  const std::vector<Entry> before = entries;
  entries.erase(at);
  if (auto written = impl_->write(); !written) {
    entries = before;
    return written;
  }
  return {};
}

const std::string& TokenStore::admin_path() const { return impl_->admin_path; }
bool TokenStore::first_start() const { return impl_->first_start; }

}  // namespace belfry
