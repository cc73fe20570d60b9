#include "keys.hpp"

#include <array>
#include <cstring>

#include "belfry/base/check.hpp"
#include "belfry/snmp/sealer.hpp"
#include "ber.hpp"
#include "writer.hpp"

namespace belfry::snmp {
namespace {

constexpr std::int64_t kVersion3 = 3;
constexpr std::int64_t kMessageBytesMax = 65507;  // of a UDP datagram

}  // namespace

Keys make_keys(const User& user, std::string_view engine) {
  Keys keys{&user, std::string(engine), std::nullopt, std::nullopt, true};
  if (user.auth != AuthProtocol::None) {
    keys.auth.emplace(user.auth, user.auth_secret.at(user.auth, engine).view());
  }
  return keys;
}

void add_privacy(Keys& keys) {
  const User& user = *keys.user;
  if (user.priv != PrivProtocol::None && !keys.priv) {
    const Secret localized = user.priv_secret.at(user.auth, keys.engine);
    keys.priv.emplace(user.priv,
                      privacy_key(user.auth, user.priv, localized.view(), keys.engine).view());
  }
}

std::string scoped_pdu(std::string_view context_engine, std::string_view context_name,
                       std::uint8_t tag, std::string_view pdu) {
  return put_tlv(kSequence, put_tlv(kOctetString, context_engine) +
                                put_tlv(kOctetString, context_name) + put_tlv(tag, pdu));
}

std::string seal(const Sealed& m, Keys* keys, std::uint64_t salt) {
  BELFRY_CHECK(m.level == Level::NoAuth || (keys != nullptr && keys->auth));
  std::string salt_text, payload(m.scoped);
  if (m.level == Level::Priv) {
    add_privacy(*keys);
    BELFRY_CHECK(keys->priv.has_value());
    payload =
        put_tlv(kOctetString, keys->priv->encrypt(m.scoped, salt, m.boots, m.time, salt_text));
  }
  const std::size_t mac_size = m.level == Level::NoAuth ? 0 : mac_bytes(keys->user->auth);
  const std::string security =
      put_tlv(kSequence, put_tlv(kOctetString, m.engine) + put_int(m.boots) + put_int(m.time) +
                             put_tlv(kOctetString, m.user) +
                             put_tlv(kOctetString, std::string(mac_size, '\0')) +
                             put_tlv(kOctetString, salt_text));
  const unsigned level_flags = m.level == Level::Priv   ? kFlagAuth | kFlagPriv
                               : m.level == Level::Auth ? kFlagAuth
                                                        : 0U;
  const char flags = static_cast<char>(level_flags | (m.reportable ? kFlagReportable : 0U));
  const std::string global =
      put_tlv(kSequence, put_int(m.id) + put_int(kMessageBytesMax) +
                             put_tlv(kOctetString, {&flags, 1}) + put_int(kSecurityModelUsm));
  std::string out =
      put_tlv(kSequence, put_int(kVersion3) + global + put_tlv(kOctetString, security) + payload);
  if (mac_size > 0) {
    std::array<char, kMacBytesMax> mac{};
    keys->auth->sign({out}, mac);
    // From the end: payload, the salt's object, then the digest.
    const std::size_t at = out.size() - payload.size() - (2 + salt_text.size()) - mac_size;
    std::memcpy(out.data() + at, mac.data(), mac_size);
  }
  return out;
}

struct Sealer::Impl {
  std::shared_ptr<const UsmUsers> users;
  Keys keys;
  Level level = Level::NoAuth;
  std::uint64_t salt = 0;
};

Sealer::Sealer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

Result<Sealer> Sealer::make(std::shared_ptr<const UsmUsers> users, std::string_view user,
                            std::string_view engine, std::string_view level) {
  const User* known = users->impl().find(user, engine);
  if (known == nullptr) {
    return fail(Code::NotFound, "there is no SNMPv3 user '{}' for that engine", user);
  }
  Level wanted = known->most();
  for (const Level l : {Level::NoAuth, Level::Auth, Level::Priv}) {
    wanted = name(l) == level ? l : wanted;
  }
  if (wanted > known->most()) {
    return fail(Code::Invalid, "SNMPv3 user '{}' has no keys for {}", user, level);
  }
  auto impl = std::make_unique<Impl>();
  impl->keys = make_keys(*known, engine);
  impl->users = std::move(users);
  impl->level = wanted;
  const std::string start = random_bytes(sizeof impl->salt);
  std::memcpy(&impl->salt, start.data(), sizeof impl->salt);
  return Sealer(std::move(impl));
}

std::string Sealer::seal(const Message& m) {
  const std::string_view engine = impl_->keys.engine;
  const std::string scoped = scoped_pdu(m.context_engine.empty() ? engine : m.context_engine,
                                        m.context_name, m.pdu_tag, m.pdu);
  return snmp::seal({.id = m.id,
                     .level = impl_->level,
                     .reportable = m.reportable,
                     .engine = engine,
                     .user = impl_->keys.user->name,
                     .boots = m.boots,
                     .time = m.time,
                     .scoped = scoped},
                    &impl_->keys, ++impl_->salt);
}

std::string discovery_request(std::int64_t id) {
  constexpr std::uint8_t kGet = 0xa0;
  const std::string pdu = put_int(id) + put_int(0) + put_int(0) + put_tlv(kSequence, {});
  const std::string scoped = scoped_pdu({}, {}, kGet, pdu);
  return seal({.id = id, .reportable = true, .scoped = scoped}, nullptr, 0);
}

}  // namespace belfry::snmp
