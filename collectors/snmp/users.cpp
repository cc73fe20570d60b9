#include "belfry/snmp/users.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "belfry/base/text.hpp"
#include "users_impl.hpp"

namespace belfry::snmp {
namespace {

constexpr std::size_t kPassphraseBytesMin = 8;  // RFC 3414 11.2; net-snmp's USM_LENGTH_P_MIN

struct AuthWord {
  std::string_view word;
  AuthProtocol protocol;
};
constexpr AuthWord kAuthWords[]{
    {"MD5", AuthProtocol::Md5},        {"SHA", AuthProtocol::Sha1},
    {"SHA1", AuthProtocol::Sha1},      {"SHA-1", AuthProtocol::Sha1},
    {"SHA-224", AuthProtocol::Sha224}, {"SHA224", AuthProtocol::Sha224},
    {"SHA-256", AuthProtocol::Sha256}, {"SHA256", AuthProtocol::Sha256},
    {"SHA-384", AuthProtocol::Sha384}, {"SHA384", AuthProtocol::Sha384},
    {"SHA-512", AuthProtocol::Sha512}, {"SHA512", AuthProtocol::Sha512}};
struct PrivWord {
  std::string_view word;
  PrivProtocol protocol;
};
constexpr PrivWord kPrivWords[]{
    {"DES", PrivProtocol::Des},
    {"AES", PrivProtocol::Aes128},
    {"AES128", PrivProtocol::Aes128},
    {"AES-128", PrivProtocol::Aes128},
    {"AES192", PrivProtocol::Aes192},
    {"AES-192", PrivProtocol::Aes192},
    {"AES256", PrivProtocol::Aes256},
    {"AES-256", PrivProtocol::Aes256},
    {"AES192C", PrivProtocol::Aes192Reeder},
    {"AES-192-C", PrivProtocol::Aes192Reeder},
    {"AES256C", PrivProtocol::Aes256Reeder},
    {"AES-256-C", PrivProtocol::Aes256Reeder},
};

/// Words of one line: quotes hold spaces together, a backslash the next character.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::optional<std::string> next() {
    rest_ = trim(rest_);
    if (rest_.empty()) {
      return std::nullopt;
    }
    std::string out;
    char quote = '\0';
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '\\' && i + 1 < rest_.size()) {
        out.push_back(rest_[++i]);
      } else if (quote != '\0' && c == quote) {
        quote = '\0';
      } else if (quote == '\0' && (c == '"' || c == '\'') && out.empty()) {
        quote = c;
      } else if (quote == '\0' && (c == ' ' || c == '\t')) {
        break;
      } else {
        out.push_back(c);
      }
    }
    rest_.remove_prefix(i);
    return out;
  }

 private:
  std::string_view rest_;
};

struct Reader {
  UsmUsers::Impl& out;
  bool no_auth = false;
  std::map<std::string, Level, std::less<>> least;

  /// Empty = good. Never quotes what may be a secret.
  std::string line(std::string_view text);
  std::string create_user(Words& words);
  std::string auth_user(Words& words);
  static std::string secret(Words& words, std::string word, std::size_t key_bytes, UserSecret& to);
};

std::string Reader::secret(Words& words, std::string word, std::size_t key_bytes, UserSecret& to) {
  to.form = UserSecret::Form::Passphrase;
  if (word == "-m" || word == "-l") {
    to.form = word == "-m" ? UserSecret::Form::Master : UserSecret::Form::Localized;
    const auto given = words.next();
    const auto key = given && given->starts_with("0x") ? from_hex(given->substr(2)) : std::nullopt;
    if (!key || key->size() != key_bytes) {
      return fmt::format("{} needs 0x and the key's {} octets in hex", word, key_bytes);
    }
    to.secret = Secret(*key);
    return {};
  }
  if (word.size() < kPassphraseBytesMin) {
    return fmt::format("a passphrase is too short: expected at least {} characters",
                       kPassphraseBytesMin);
  }
  to.secret = Secret(word);
  return {};
}

std::string Reader::create_user(Words& words) {
  auto word = words.next();
  User& user = out.users.emplace_back();
  if (word == "-e") {
    const auto given = words.next();
    const auto engine =
        given && given->starts_with("0x") ? from_hex(given->substr(2)) : std::nullopt;
    if (!engine || engine->size() < kEngineBytesMin || engine->size() > kEngineBytesMax) {
      return fmt::format("-e needs an engine id: expected 0x and {} to {} octets in hex",
                         kEngineBytesMin, kEngineBytesMax);
    }
    user.engine = *engine;
    word = words.next();
  }
  if (!word || word->empty() || word->size() > kUserBytesMax) {
    return fmt::format("expected a user name of 1 to {} octets", kUserBytesMax);
  }
  user.name = *word;
  if (!(word = words.next())) {
    return {};
  }
  const auto* const auth =
      std::ranges::find_if(kAuthWords, [&](const AuthWord& a) { return iequals(a.word, *word); });
  if (auth == std::end(kAuthWords)) {
    return "the word after the user is not an authentication: expected MD5, SHA, SHA-224, SHA-256, "
           "SHA-384 or SHA-512";
  }
  user.auth = auth->protocol;
  if (!(word = words.next())) {
    return "expected a passphrase after the authentication protocol";
  }
  if (auto wrong = secret(words, *word, hash_bytes(user.auth), user.auth_secret); !wrong.empty()) {
    return wrong;
  }
  if (!(word = words.next())) {
    return {};
  }
  const auto* const priv =
      std::ranges::find_if(kPrivWords, [&](const PrivWord& p) { return iequals(p.word, *word); });
  if (priv == std::end(kPrivWords)) {
    return "the word after the passphrase is not a privacy: expected DES, AES, AES-192, AES-256, "
           "AES-192-C or AES-256-C";
  }
  user.priv = priv->protocol;
  if (!(word = words.next())) {  // net-snmp: the same secret for both
    user.priv_secret.form = user.auth_secret.form;
    user.priv_secret.secret = user.auth_secret.secret;
    return {};
  }
  return secret(words, *word, hash_bytes(user.auth), user.priv_secret);
}

std::string Reader::auth_user(Words& words) {
  const auto types = words.next(), user = words.next(), level = words.next();
  if (!types || !user) {
    return "expected 'authUser log NAME [noauth|auth|priv]'";
  }
  const std::string_view word = level ? std::string_view(*level) : std::string_view("auth");
  if (word != "noauth" && word != "auth" && word != "priv") {
    return "the level is not one: expected noauth, auth or priv";
  }
  least[*user] = word == "noauth" ? Level::NoAuth : word == "auth" ? Level::Auth : Level::Priv;
  return {};
}

std::string Reader::line(std::string_view text) {
  Words words(text);
  const auto keyword = words.next();
  if (!keyword || keyword->starts_with('#')) {
    return {};
  }
  if (iequals(*keyword, "createUser")) {
    return create_user(words);
  }
  if (iequals(*keyword, "authUser")) {
    return auth_user(words);
  }
  if (iequals(*keyword, "disableAuthorization")) {
    const auto word = words.next();
    no_auth = word == "yes" || word == "true" || word == "1";
    return {};
  }
  if (iequals(*keyword, "usmUser")) {
    return "usmUser lines are net-snmp's own store: write createUser with -l and the key";
  }
  return "unknown keyword: expected createUser, authUser or disableAuthorization";
}

void finish(Reader& reader) {
  for (User& user : reader.out.users) {
    const auto said = reader.least.find(user.name);
    user.least = said != reader.least.end() ? said->second
                 : reader.no_auth           ? Level::NoAuth
                                            : Level::Auth;
    reader.out.by_name[user.name].push_back(&user);
    reader.out.weak += user.auth == AuthProtocol::Md5 || user.priv == PrivProtocol::Des ? 1U : 0U;
  }
}

}  // namespace

void UserSecret::make(AuthProtocol auth) const {
  if (form == Form::Passphrase) {
    std::call_once(once, [&] { secret = key_of_passphrase(auth, secret.view()); });
  }
}

Secret UserSecret::at(AuthProtocol auth, std::string_view engine) const {
  make(auth);
  return form == Form::Localized ? secret : key_of_engine(auth, secret.view(), engine);
}

const User* UsmUsers::Impl::find(std::string_view name, std::string_view engine) const {
  const auto found = by_name.find(name);
  const User* any = nullptr;
  if (found == by_name.end()) {
    return nullptr;
  }
  for (const User* user : found->second) {
    if (user->engine == engine) {
      return user;
    }
    any = user->engine.empty() ? user : any;
  }
  return any;
}

UsmUsers::UsmUsers() : impl_(new Impl) {}
UsmUsers::~UsmUsers() = default;

Result<std::shared_ptr<const UsmUsers>> UsmUsers::parse(const std::string& path,
                                                        std::string_view text) {
  std::shared_ptr<UsmUsers> out(new UsmUsers());
  Reader reader{*out->impl_, false, {}};
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (const std::string wrong = reader.line(line); !wrong.empty()) {
      return fail(Code::Invalid, "{}:{}: {}", path, number, wrong);
    }
    if (out->impl_->users.size() > kUsersMax) {
      return fail(Code::Invalid, "{}:{}: more than {} users", path, number, kUsersMax);
    }
  }
  finish(reader);
  return std::shared_ptr<const UsmUsers>(std::move(out));
}

Result<std::shared_ptr<const UsmUsers>> UsmUsers::read(const std::string& path, bool private_file) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Code::NotFound, "{}: cannot be read: expected a file of createUser lines", path);
  }
  if (private_file && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Code::Invalid, "{}: others may read the secrets in it: chmod 600 {}", path, path);
  }
  if (static_cast<std::size_t>(info.st_size) > kUsersBytesMax) {
    return fail(Code::Invalid, "{}: {} bytes: expected at most {}", path, info.st_size,
                kUsersBytesMax);
  }
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    return fail(Code::NotFound, "{}: cannot be read", path);
  }
  auto users = parse(path, text);
  wipe(text);
  return users;
}

std::size_t UsmUsers::size() const { return impl_->users.size(); }
std::vector<UsmUsers::Name> UsmUsers::names() const {
  std::vector<Name> out;
  for (const User& user : impl_->users) {
    out.push_back({user.name, user.engine});
  }
  return out;
}
std::size_t UsmUsers::weak() const { return impl_->weak; }

void UsmUsers::warm(const std::stop_token& stop) const {
  for (const User& user : impl_->users) {
    if (stop.stop_requested()) {
      return;
    }
    user.auth_secret.make(user.auth);
    user.priv_secret.make(user.auth);
  }
}

}  // namespace belfry::snmp
