#include "belfry/snmp/usm.hpp"

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <vector>

#include "belfry/base/check.hpp"
#include "ber.hpp"
#include "engines.hpp"
#include "keys.hpp"
#include "users_impl.hpp"
#include "usm_crypto.hpp"
#include "writer.hpp"

namespace belfry::snmp {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kMessageBytesMin = 484;  // RFC 3412 6.3
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// usmStats (RFC 3414 5), the objects that reports carry; counted for the whole process.
enum class Stat : std::uint8_t {
  None,
  UnsupportedLevels,
  NotInTimeWindows,
  UnknownUsers,
  UnknownEngines,
  WrongDigests,
  DecryptionErrors
};
constexpr std::string_view kUsmStats = "\x2b\x06\x01\x06\x03\x0f\x01\x01"sv;  // 1.3.6.1.6.3.15.1.1

std::uint32_t count(Stat stat) {
  static std::array<std::atomic<std::uint32_t>, 7> counters;
  return counters[static_cast<std::size_t>(stat)].fetch_add(1, std::memory_order_relaxed) + 1;
}

Stat stat_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::V3UnsupportedLevel:
    case Verdict::V3NoAuth:
      return Stat::UnsupportedLevels;
    case Verdict::V3NotInTimeWindow:
      return Stat::NotInTimeWindows;
    case Verdict::V3UnknownUser:
      return Stat::UnknownUsers;
    case Verdict::V3Discovery:
    case Verdict::V3UnknownEngine:
      return Stat::UnknownEngines;
    case Verdict::V3WrongDigest:
      return Stat::WrongDigests;
    case Verdict::V3DecryptionError:
      return Stat::DecryptionErrors;
    default:
      return Stat::None;
  }
}

/// What stands before the scoped PDU.
struct Header {
  std::string_view message;  ///< the whole of it, without what may lie behind
  std::int64_t id = 0;
  std::uint8_t flags = 0;
  std::string_view engine, user, mac, salt;
  std::uint32_t boots = 0, time = 0;
  std::string_view scoped;  ///< the rest: a SEQUENCE, or an OCTET STRING of its encryption
};

/// RFC 3414 2.4: boots and time are 0 to 2^31-1.
bool take_engine_number(Ber& ber, std::string_view& in, std::uint32_t& out) {
  std::int64_t wide = 0;
  if (!ber.take_int(in, wide)) {
    return false;
  }
  if (wide < 0 || wide > kBootsMax) {
    return ber.fail(Verdict::BadInteger);
  }
  out = static_cast<std::uint32_t>(wide);
  return true;
}

bool read_security(Ber& ber, std::string_view parameters, Header& out) {
  std::string_view in;
  if (!ber.take(parameters, kSequence, in) || !ber.take(in, kOctetString, out.engine) ||
      !take_engine_number(ber, in, out.boots) || !take_engine_number(ber, in, out.time) ||
      !ber.take(in, kOctetString, out.user) || !ber.take(in, kOctetString, out.mac) ||
      !ber.take(in, kOctetString, out.salt)) {
    return false;
  }
  return (out.engine.size() <= kEngineBytesMax && out.user.size() <= kUserBytesMax &&
          out.mac.size() <= kMacBytesMax) ||
         ber.fail(Verdict::BadValue);
}

bool read_header(Ber& ber, std::string_view datagram, Header& out) {
  std::string_view in = datagram, body, global, flags, parameters;
  std::int64_t version = 0, size_max = 0, model = 0;
  if (!ber.take(in, kSequence, body)) {
    return false;
  }
  out.message = datagram.substr(0, datagram.size() - in.size());
  if (!ber.take_int(body, version) || !ber.take(body, kSequence, global) ||
      !ber.take_int(global, out.id) || !ber.take_int(global, size_max) ||
      !ber.take(global, kOctetString, flags) || !ber.take_int(global, model)) {
    return false;
  }
  if (model != kSecurityModelUsm) {
    return ber.fail(Verdict::V3UnknownModel);
  }
  if (out.id < 0 || size_max < kMessageBytesMin || flags.size() != 1) {
    return ber.fail(Verdict::BadValue);
  }
  out.flags = static_cast<std::uint8_t>(flags[0]);
  if ((out.flags & (kFlagAuth | kFlagPriv)) == kFlagPriv) {
    return ber.fail(Verdict::V3UnsupportedLevel);  // privacy without authentication
  }
  if (!ber.take(body, kOctetString, parameters) || !read_security(ber, parameters, out)) {
    return false;
  }
  out.scoped = body;
  return true;
}

Level level_of(std::uint8_t flags) {
  return (flags & kFlagPriv) != 0   ? Level::Priv
         : (flags & kFlagAuth) != 0 ? Level::Auth
                                    : Level::NoAuth;
}

/// (user, engine) -> keys. Bounded by a second-chance clock.
class KeyCache {
 public:
  Keys* find(const User& user, std::string_view engine) {
    const auto it = by_pair_.find(pair_of(user, engine));
    Keys* keys = it == by_pair_.end() ? nullptr : &slots_[it->second].keys;
    if (keys == nullptr || keys->user != &user || keys->engine != engine) {
      return nullptr;
    }
    keys->used = true;
    return keys;
  }
  Keys* add(Keys keys) {
    const std::uint64_t pair = pair_of(*keys.user, keys.engine);
    std::size_t at = slots_.size();
    if (const auto same = by_pair_.find(pair); same != by_pair_.end()) {
      at = same->second;
      slots_[at].keys = std::move(keys);
    } else if (slots_.size() < kKeysMax) {
      slots_.push_back({pair, std::move(keys)});
    } else {
      at = coldest();
      by_pair_.erase(slots_[at].pair);
      slots_[at] = {pair, std::move(keys)};
    }
    by_pair_[pair] = at;
    return &slots_[at].keys;
  }
  void clear() {
    by_pair_.clear();
    slots_.clear();
    hand_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t pair;
    Keys keys;
  };
  static std::uint64_t pair_of(const User& user, std::string_view engine) {
    return hash64(engine, reinterpret_cast<std::uintptr_t>(&user));
  }
  std::size_t coldest() {
    for (;; hand_ = (hand_ + 1) % slots_.size()) {
      if (!std::exchange(slots_[hand_].keys.used, false)) {
        return std::exchange(hand_, (hand_ + 1) % slots_.size());
      }
    }
  }
  std::vector<Slot> slots_;
  absl::flat_hash_map<std::uint64_t, std::size_t> by_pair_;
  std::size_t hand_ = 0;
};

}  // namespace

struct Usm::Impl {
  Impl(std::shared_ptr<const UsmUsers> u, Engines* e) : users(std::move(u)), engines(e) {}

  std::shared_ptr<const UsmUsers> users;
  Engines* engines;
  KeyCache cache;
  std::int64_t now_ns = 0;
  std::uint64_t salt = 0;
  std::uint32_t reports_left = kReportsPerSecond;
  std::int64_t reports_second = 0;
  // The message opened or refused last.
  Header header;
  Opened opened;
  Keys* keys = nullptr;
  std::optional<Keys> unproven;  ///< keys of who has shown no right digest yet
  Stat stat = Stat::None;

  bool ours() const { return engines != nullptr && header.engine == engines->id(); }

  Verdict open(std::string_view datagram, Arena& arena, Opened& out) {
    header = {};
    opened = {};
    keys = nullptr;
    unproven.reset();
    stat = Stat::None;
    Ber ber(arena);
    if (!read_header(ber, datagram, header)) {
      return ber.verdict();
    }
    opened.reportable = (header.flags & kFlagReportable) != 0;
    opened.id = header.id;
    opened.boots = header.boots;
    opened.time = header.time;
    opened.user = header.user;
    opened.engine = header.engine;
    const Level level = level_of(header.flags);
    opened.level = snmp::name(level);
    Verdict verdict = identify(level);
    if (verdict == Verdict::Ok && level != Level::NoAuth) {
      verdict = authenticate();
    }
    std::string_view scoped = header.scoped;
    if (verdict == Verdict::Ok && level == Level::Priv) {
      verdict = decrypt(ber, arena, scoped);
    }
    if (verdict == Verdict::Ok && !read_scoped(ber, scoped)) {
      // Noise under a right digest: the privacy key is another one.
      verdict = level == Level::Priv ? Verdict::V3DecryptionError : ber.verdict();
    }
    if (verdict == Verdict::Ok && engines != nullptr && opened.pdu_tag == kInform && !ours()) {
      verdict = Verdict::V3UnknownEngine;  // the receiver of an inform is its authority
    }
    stat = stat_of(verdict);
    out = opened;
    return verdict;
  }

  /// Engine, user, level.
  Verdict identify(Level level) {
    if (header.engine.size() < kEngineBytesMin) {
      return header.engine.empty() && (engines == nullptr || opened.reportable)
                 ? Verdict::V3Discovery
                 : Verdict::V3UnknownEngine;
    }
    if (engines != nullptr && opened.reportable && !ours()) {
      return Verdict::V3UnknownEngine;
    }
    const User* user = users->impl().find(header.user, header.engine);
    if (user == nullptr) {
      return Verdict::V3UnknownUser;
    }
    if (level > user->most()) {
      return Verdict::V3UnsupportedLevel;
    }
    if (level < user->least) {
      return Verdict::V3NoAuth;
    }
    keys = cache.find(*user, header.engine);
    if (keys == nullptr) {
      keys = &unproven.emplace(make_keys(*user, header.engine));
    }
    return Verdict::Ok;
  }

  Verdict authenticate() {
    static constexpr std::array<char, kMacBytesMax> kZeros{};
    const char* const begin = header.message.data();
    const auto at = static_cast<std::size_t>(header.mac.data() - begin);
    if (!keys->auth->verify(
            {header.message.substr(0, at), std::string_view(kZeros.data(), header.mac.size()),
             header.message.substr(at + header.mac.size())},
            header.mac)) {
      keys = nullptr;
      return Verdict::V3WrongDigest;
    }
    if (engines != nullptr) {
      const bool in_window =
          ours() ? engines->ours_in_window(header.boots, header.time, now_ns)
                 : engines->theirs_in_window(header.engine, header.boots, header.time, now_ns);
      if (!in_window) {
        return Verdict::V3NotInTimeWindow;
      }
    }
    if (unproven) {
      keys = cache.add(*std::exchange(unproven, std::nullopt));
    }
    return Verdict::Ok;
  }

  Verdict decrypt(Ber& ber, Arena& arena, std::string_view& scoped) {
    std::string_view cipher;
    if (!ber.take(scoped, kOctetString, cipher)) {
      return ber.verdict();
    }
    add_privacy(*keys);
    char* plain = arena.allocate(cipher.size());
    if (!keys->priv->decrypt(cipher, header.salt, header.boots, header.time, plain)) {
      return Verdict::V3DecryptionError;
    }
    scoped = {plain, cipher.size()};
    return Verdict::Ok;
  }

  bool read_scoped(Ber& ber, std::string_view in) {
    std::string_view scoped;
    return ber.take(in, kSequence, scoped) &&
           ber.take(scoped, kOctetString, opened.context_engine) &&
           ber.take(scoped, kOctetString, opened.context_name) &&
           ber.take_any(scoped, opened.pdu_tag, opened.pdu);
  }

  /// The request-id of a scoped PDU in clear, for who compares it; 0 when it cannot be read.
  std::string_view request_id() const {
    Arena unused(64);
    Ber ber(unused);
    std::string_view in = header.scoped, scoped, skip, pdu, request;
    std::uint8_t tag = 0;
    const bool clear = (header.flags & kFlagPriv) == 0 && ber.take(in, kSequence, scoped) &&
                       ber.take_any(scoped, tag, skip) && ber.take_any(scoped, tag, skip) &&
                       ber.take_any(scoped, tag, pdu) && ber.take(pdu, kInteger, request) &&
                       request.size() <= 4 && !request.empty();
    return clear ? request : "\0"sv;
  }

  bool may_report() {
    const std::int64_t second = now_ns / kNsPerSecond;
    if (second != reports_second) {
      reports_second = second;
      reports_left = kReportsPerSecond;
    }
    if (reports_left == 0) {
      return false;
    }
    --reports_left;
    return true;
  }

  std::string report() {
    if (stat == Stat::None || engines == nullptr || !opened.reportable || !may_report()) {
      return {};
    }
    const std::string oid = std::string(kUsmStats) + static_cast<char>(stat) + std::string(1, '\0');
    const std::string varbind =
        put_tlv(kSequence, put_tlv(kObjectId, oid) + put_unsigned(kCounter32, count(stat)));
    const std::string pdu =
        put_tlv(kInteger, request_id()) + put_int(0) + put_int(0) + put_tlv(kSequence, varbind);
    const std::string scoped = scoped_pdu(engines->id(), opened.context_name, kReport, pdu);
    // Only who is in the wrong minute has shown who it is: its report is signed (RFC 3414 3.2 7a).
    const bool sign = stat == Stat::NotInTimeWindows && keys != nullptr;
    return message(scoped, sign ? Level::Auth : Level::NoAuth);
  }

  std::string response() {
    std::string pdu(opened.pdu);
    if (opened.pdu_tag != kInform || !clear_status(pdu)) {
      return {};
    }
    const std::string scoped =
        scoped_pdu(opened.context_engine, opened.context_name, kResponse, pdu);
    return message(scoped, level_of(header.flags));
  }

  /// A whole message of ours, in answer to the last one.
  std::string message(const std::string& scoped, Level level) {
    return seal({.id = header.id,
                 .level = level,
                 .reportable = false,
                 .engine = engines == nullptr ? header.engine : std::string_view(engines->id()),
                 .user = header.user,
                 .boots = engines == nullptr ? header.boots : engines->boots(),
                 .time = engines == nullptr ? header.time : engines->time(now_ns),
                 .scoped = scoped},
                keys, next_salt());
  }

  std::uint64_t next_salt() {
    if (salt == 0) {
      const std::string start = random_bytes(sizeof salt);
      std::memcpy(&salt, start.data(), sizeof salt);
    }
    return ++salt;
  }
};

Usm::Usm(std::shared_ptr<const UsmUsers> users, Engines* engines)
    : impl_(std::make_unique<Impl>(std::move(users), engines)) {
  BELFRY_CHECK(impl_->users != nullptr);
}
Usm::~Usm() = default;
Usm::Usm(Usm&&) noexcept = default;

void Usm::set_users(std::shared_ptr<const UsmUsers> users) {
  BELFRY_CHECK(users != nullptr);
  impl_->keys = nullptr;
  impl_->cache.clear();
  impl_->users = std::move(users);
}

void Usm::set_now(std::int64_t now_ns) { impl_->now_ns = now_ns; }

Verdict Usm::open(std::string_view datagram, Arena& arena, Opened& out) {
  return impl_->open(datagram, arena, out);
}

std::string Usm::report() { return impl_->report(); }
std::string Usm::response() { return impl_->response(); }
const Usm::Opened& Usm::last() const { return impl_->opened; }

}  // namespace belfry::snmp
