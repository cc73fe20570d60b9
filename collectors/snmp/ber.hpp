#pragma once
// Ber: reads one BER object after the other from a slice. The first failure is kept as the verdict;
// every taker returns false from then on. Content is never copied, but for OIDs in a form that is
// not the shortest one (leading 0x80): those are rewritten, so that equal OIDs have equal octets.
#include <cstdint>
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/snmp/decode.hpp"

namespace belfry::snmp {

inline constexpr std::uint8_t kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04, kNull = 0x05,
                              kObjectId = 0x06, kSequence = 0x30, kIpAddress = 0x40,
                              kCounter32 = 0x41, kGauge32 = 0x42, kTimeTicks = 0x43, kOpaque = 0x44,
                              kNsap = 0x45, kCounter64 = 0x46, kUInteger32 = 0x47,
                              kNoSuchObject = 0x80, kNoSuchInstance = 0x81, kEndOfMibView = 0x82;
inline constexpr std::uint8_t kResponse = 0xa2, kTrapV1 = 0xa4, kInform = 0xa6, kTrapV2 = 0xa7;

/// Opaque values that wrap another type (net-snmp, RFC draft-perkins-opaque-01): content 9f TAG
/// len.
inline constexpr std::uint8_t kOpaqueWrap = 0x9f;
inline constexpr std::uint8_t kWrapCounter64 = 0x76, kWrapFloat = 0x78, kWrapDouble = 0x79,
                              kWrapInt64 = 0x7a, kWrapUInt64 = 0x7b;

class Ber {
 public:
  explicit Ber(Arena& arena) : arena_(arena) {}

  Verdict verdict() const { return verdict_; }
  bool used_arena() const { return used_arena_; }
  bool fail(Verdict why) {
    verdict_ = why;
    return false;
  }

  /// The next object of any type; `in` goes on behind it.
  bool take_any(std::string_view& in, std::uint8_t& tag, std::string_view& content);
  bool take(std::string_view& in, std::uint8_t tag, std::string_view& content) {
    std::uint8_t got = 0;
    return take_any(in, got, content) && (got == tag || fail(Verdict::BadTag));
  }
  /// Any type, and a content that is cut short is given as far as it goes.
  bool take_loose(std::string_view& in, std::string_view& content);
  /// INTEGER of up to 64 bits; what is above 32 bits is cut as net-snmp cuts it.
  bool take_int(std::string_view& in, std::int64_t& value);
  /// Counter32, Gauge32, TimeTicks, UInteger32.
  bool take_unsigned(std::string_view& in, std::uint32_t& value);
  /// OCTET STRING, or another type with octets in it (IpAddress, Opaque, NSAP).
  bool take_string(std::string_view& in, std::string_view& value);
  bool take_oid(std::string_view& in, std::string_view& oid);
  /// SEQUENCE { name, value }. `list` goes on behind the value, not behind the sequence.
  bool take_varbind(std::string_view& list, Varbind& out);

 private:
  bool length(std::string_view& in, std::uint64_t& length);
  bool signed_content(std::string_view content, std::int64_t& value);
  bool unsigned_content(std::string_view content, std::uint64_t& value);
  bool oid_content(std::string_view content, std::string_view& oid);
  bool value(std::uint8_t tag, std::string_view content, Varbind& out);
  bool opaque(std::string_view content, const char*& end);
  std::string_view shortest(std::string_view content);

  Arena& arena_;
  Verdict verdict_ = Verdict::Ok;
  bool used_arena_ = false;
};

}  // namespace belfry::snmp
