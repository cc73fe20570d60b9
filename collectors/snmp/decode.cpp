#include "belfry/snmp/decode.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "belfry/snmp/usm.hpp"
#include "ber.hpp"
#include "writer.hpp"

namespace belfry::snmp {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSysUpTime0 = "\x2b\x06\x01\x02\x01\x01\x03\x00"sv;
constexpr std::string_view kSnmpTrapOid0 = "\x2b\x06\x01\x06\x03\x01\x01\x04\x01\x00"sv;
constexpr std::string_view kSnmpTrapAddress0 = "\x2b\x06\x01\x06\x03\x12\x01\x03\x00"sv;
constexpr std::string_view kSnmpTraps = "\x2b\x06\x01\x06\x03\x01\x01\x05"sv;

constexpr std::int64_t kVersion1 = 0, kVersion2c = 1, kVersion3 = 3;
constexpr std::int64_t kEnterpriseSpecific = 6;  // RFC 1157 4.1.6: generic-trap
// Smallest varbind that is taken: 30 04 06 00 05 00.
constexpr std::size_t kVarbindBytesMin = 6;
constexpr std::size_t kArcOctetsMax = 5;  // of a 32-bit sub-identifier

/// `value` as a sub-identifier; the number of octets written.
std::size_t put_arc(char* out, std::uint32_t value) {
  std::size_t n = 1;
  for (std::uint32_t rest = value >> 7; rest != 0; rest >>= 7) {
    ++n;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t bits = (value >> (7 * (n - 1 - i))) & 0x7f;
    out[i] = static_cast<char>(i + 1 < n ? bits | 0x80U : bits);
  }
  return n;
}

std::string_view dotted(std::string_view four, Arena& arena) {
  char text[16];
  char* at = text;
  for (const char c : four) {
    if (at != text) {
      *at++ = '.';
    }
    at = std::to_chars(at, text + sizeof text, static_cast<unsigned>(static_cast<unsigned char>(c)))
             .ptr;
  }
  return arena.copy({text, static_cast<std::size_t>(at - text)});
}

class Decoder {
 public:
  Decoder(Arena& arena, Event& out, Usm* usm) : ber_(arena), arena_(arena), out_(out), usm_(usm) {}

  Verdict run(std::string_view datagram) {
    if (message(datagram)) {
      return Verdict::Ok;
    }
    const Verdict why = ber_.verdict() == Verdict::Ok ? Verdict::Truncated : ber_.verdict();
    out_.valid = false;
    out_.why = name(why);
    out_.varbinds = {};
    return why;
  }

  /// What has to be written into the arena after the varbinds have their final place.
  void finish() {
    if (address_.size() == 4 && address_ != "\0\0\0\0"sv) {
      out_.agent = dotted(address_, arena_);
    }
  }

 private:
  bool message(std::string_view datagram) {
    std::string_view in = datagram, body, pdu;
    std::int64_t version = 0;
    if (!ber_.take(in, kSequence, body) || !ber_.take_int(body, version)) {
      return false;
    }
    if (version == kVersion3) {
      return message_v3(datagram);
    }
    if (version != kVersion1 && version != kVersion2c) {
      return ber_.fail(Verdict::UnknownVersion);
    }
    out_.snmp_version = static_cast<std::uint8_t>(version);
    std::uint8_t tag = 0;
    if (!ber_.take_string(body, out_.community)) {
      return false;
    }
    if (out_.community.size() > kCommunityBytesMax) {
      return ber_.fail(Verdict::CommunityTooLong);
    }
    if (!ber_.take_any(body, tag, pdu)) {
      return false;
    }
    if (tag == kTrapV1) {
      is_v1_ = true;
      return trap_v1(pdu);
    }
    return notification(tag, pdu);
  }

  bool message_v3(std::string_view datagram) {
    out_.snmp_version = 3;
    if (usm_ == nullptr) {
      return ber_.fail(Verdict::V3NotConfigured);
    }
    Usm::Opened opened;
    if (const Verdict verdict = usm_->open(datagram, arena_, opened); verdict != Verdict::Ok) {
      return ber_.fail(verdict);
    }
    return notification(opened.pdu_tag, opened.pdu);
  }

  bool notification(std::uint8_t tag, std::string_view pdu) {
    if (tag != kInform && tag != kTrapV2) {
      return ber_.fail(Verdict::NotANotification);
    }
    out_.inform = tag == kInform;
    return trap_v2(pdu);
  }

  bool trap_v1(std::string_view in) {
    std::string_view enterprise, address;
    std::int64_t generic = 0, specific = 0;
    std::uint32_t uptime = 0;
    if (!ber_.take_oid(in, enterprise) || !ber_.take_string(in, address)) {
      return false;
    }
    if (address.size() > 4) {
      return ber_.fail(Verdict::BadValue);
    }
    if (!ber_.take_int(in, generic) || !ber_.take_int(in, specific) ||
        !ber_.take_unsigned(in, uptime) || !varbinds(in)) {
      return false;
    }
    out_.uptime = uptime;
    out_.trap_oid = generic == kEnterpriseSpecific
                        ? joined(enterprise, static_cast<std::uint32_t>(specific), true)
                        : joined(kSnmpTraps, static_cast<std::uint32_t>(generic + 1), false);
    if (address_.empty()) {
      address_ =
          address;  // an snmpTrapAddress among the varbinds is the first relay's word: it wins
    }
    return true;
  }

  /// RFC 3584 3.1: enterprise.0.specific; or snmpTraps.(generic + 1).
  std::string_view joined(std::string_view base, std::uint32_t last, bool zero) {
    char* at = arena_.allocate(base.size() + 1 + kArcOctetsMax);
    std::memcpy(at, base.data(), base.size());
    std::size_t n = base.size();
    if (zero) {
      at[n++] = '\0';
    }
    n += put_arc(at + n, last);
    return {at, n};
  }

  bool trap_v2(std::string_view in) {
    std::int64_t request = 0, status = 0, index = 0;
    if (!ber_.take_int(in, request) || !ber_.take_int(in, status) || !ber_.take_int(in, index)) {
      return false;
    }
    return varbinds(in);
  }

  bool varbinds(std::string_view in) {
    std::string_view list;
    if (!ber_.take(in, kSequence, list)) {
      return false;
    }
    const std::size_t room = std::min(list.size() / kVarbindBytesMin, kVarbindsMax);
    if (list.empty()) {
      return true;
    }
    char* memory = arena_.allocate((room + 1) * sizeof(Varbind));
    auto* slots = reinterpret_cast<Varbind*>(memory);
    std::size_t n = 0;
    bool ok = true;
    while (!list.empty()) {
      if (n == room && n == kVarbindsMax) {
        ok = ber_.fail(Verdict::TooManyVarbinds);
        break;
      }
      Varbind* slot = new (slots + n) Varbind();
      if (!ber_.take_varbind(list, *slot)) {
        ok = false;
        break;
      }
      n += keep(*slot) ? 1U : 0U;
    }
    // OIDs that had to be rewritten (ber.hpp) lie behind the slots: then there is nothing to give
    // back.
    if (!ber_.used_arena()) {
      arena_.shrink_last(memory, n * sizeof(Varbind));
    }
    out_.varbinds = {slots, n};
    return ok;
  }

  /// False for the two varbinds that are fields of the event.
  bool keep(const Varbind& varbind) {
    if (varbind.oid == kSnmpTrapAddress0 && varbind.bytes.size() == 4) {
      address_ = varbind.bytes;
    }
    if (is_v1_) {
      return true;
    }
    if (varbind.oid == kSysUpTime0 && varbind.type == VarType::TimeTicks && !uptime_seen_) {
      uptime_seen_ = true;
      out_.uptime = static_cast<std::uint32_t>(varbind.number);
      return false;
    }
    if (varbind.oid == kSnmpTrapOid0 && varbind.type == VarType::ObjectId &&
        out_.trap_oid.empty()) {
      out_.trap_oid = varbind.bytes;
      return false;
    }
    return true;
  }

  Ber ber_;
  Arena& arena_;
  Event& out_;
  Usm* usm_;
  bool is_v1_ = false;
  bool uptime_seen_ = false;
  std::string_view address_;
};

/// Message, version and community of a v1 or v2c message; the PDU's tag and content.
bool open_message(std::string_view datagram, Ber& ber, std::string_view& community,
                  std::uint8_t& tag, std::string_view& pdu) {
  std::string_view body;
  std::int64_t version = 0;
  return ber.take(datagram, kSequence, body) && ber.take_int(body, version) &&
         (version == kVersion1 || version == kVersion2c) && ber.take_string(body, community) &&
         ber.take_any(body, tag, pdu);
}

}  // namespace

Verdict decode(std::string_view datagram, Arena& arena, Event& out, Usm* usm) {
  out.kind = EventKind::Trap;
  out.type = "trap";
  out.valid = true;
  out.inform = false;
  out.snmp_version = 0;
  out.uptime = 0;
  out.why = out.trap_oid = out.agent = out.community = {};
  out.varbinds = {};
  Decoder decoder(arena, out, usm);
  const Verdict verdict = decoder.run(datagram);
  if (verdict == Verdict::Ok) {
    decoder.finish();
  }
  return verdict;
}

bool clear_status(std::string& pdu) {
  Arena unused(64);
  Ber ber(unused);
  std::string_view in = pdu, request, status, index;
  if (!ber.take(in, kInteger, request) || !ber.take(in, kInteger, status) ||
      !ber.take(in, kInteger, index)) {
    return false;
  }
  for (const std::string_view zeroed : {status, index}) {
    std::memset(pdu.data() + (zeroed.data() - pdu.data()), 0, zeroed.size());
  }
  return true;
}

std::size_t inform_response(std::string_view inform, std::span<char> out) {
  Arena unused(64);
  Ber ber(unused);
  std::string_view community, pdu;
  std::uint8_t tag = 0;
  if (!open_message(inform, ber, community, tag, pdu) || tag != kInform) {
    return 0;
  }
  std::string_view message = inform, body;
  static_cast<void>(ber.take(message, kSequence, body));
  const auto size = static_cast<std::size_t>(message.data() - inform.data());
  if (size > out.size()) {
    return 0;
  }
  std::memcpy(out.data(), inform.data(), size);
  // The PDU's tag is the first byte after the community; everything keeps its length.
  const auto tag_at = static_cast<std::size_t>(community.data() + community.size() - inform.data());
  out[tag_at] = static_cast<char>(kResponse);
  std::string_view request, status, index;
  if (!ber.take(pdu, kInteger, request) || !ber.take(pdu, kInteger, status) ||
      !ber.take(pdu, kInteger, index)) {
    return 0;
  }
  for (const std::string_view zeroed : {status, index}) {
    std::memset(out.data() + (zeroed.data() - inform.data()), 0, zeroed.size());
  }
  return size;
}

std::string_view find_community(std::string_view datagram) {
  Arena unused(64);
  Ber ber(unused);
  std::string_view body, community;
  std::int64_t version = 0;
  if (!ber.take_loose(datagram, body) || !ber.take_int(body, version) ||
      !ber.take_loose(body, community)) {
    return {};
  }
  return version == kVersion3 ? std::string_view{} : community;
}

}  // namespace belfry::snmp
