#include "ber.hpp"

#include <limits>

namespace belfry::snmp {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kLengthOctetsMax = 8;
constexpr std::size_t kArcsMax = 127;  // 128 sub-identifiers: the first octets hold two of them

constexpr std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

/// The low 64 bits of a big-endian number that begins with `sign` (all zeros or all ones).
std::uint64_t big_endian(std::string_view content, std::uint64_t sign) {
  std::uint64_t v = sign;
  for (const char c : content) {
    v = (v << 8) | byte(c);
  }
  return v;
}

}  // namespace

bool Ber::length(std::string_view& in, std::uint64_t& length) {
  if (in.empty()) {
    return fail(Verdict::Truncated);
  }
  const std::uint8_t first = byte(in[0]);
  in.remove_prefix(1);
  length = first;
  if (first < 0x80) {
    return true;
  }
  const std::size_t octets = first & 0x7fU;
  if (octets == 0 || octets > kLengthOctetsMax) {
    return fail(Verdict::BadLength);  // 0: the indefinite form, which SNMP forbids (RFC 3417 8)
  }
  if (octets > in.size()) {
    return fail(Verdict::Truncated);
  }
  length = 0;
  for (std::size_t i = 0; i < octets; ++i) {
    length = (length << 8) | byte(in[i]);
  }
  in.remove_prefix(octets);
  return true;
}

bool Ber::take_any(std::string_view& in, std::uint8_t& tag, std::string_view& content) {
  if (in.empty()) {
    return fail(Verdict::Truncated);
  }
  tag = byte(in[0]);
  if ((tag & 0x1fU) == 0x1f) {
    return fail(Verdict::BadTag);  // a tag of more octets: SNMP has none
  }
  in.remove_prefix(1);
  std::uint64_t size = 0;
  if (!length(in, size)) {
    return false;
  }
  if (size > in.size()) {
    return fail(Verdict::Truncated);
  }
  content = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

bool Ber::take_loose(std::string_view& in, std::string_view& content) {
  if (in.empty()) {
    return fail(Verdict::Truncated);
  }
  in.remove_prefix(1);
  std::uint64_t size = 0;
  if (!length(in, size)) {
    return false;
  }
  content = in.substr(0, size);
  in.remove_prefix(content.size());
  return true;
}

bool Ber::signed_content(std::string_view content, std::int64_t& value) {
  if (content.empty() || content.size() > sizeof value) {
    return fail(Verdict::BadInteger);
  }
  const bool negative = (byte(content[0]) & 0x80U) != 0;
  value = static_cast<std::int64_t>(big_endian(content, negative ? ~std::uint64_t{0} : 0));
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
  if (value > kMax) {
    value &= 0xffffffff;
  } else if (value < kMin) {
    value = -(value & 0xffffffff);
  }
  return true;
}

bool Ber::unsigned_content(std::string_view content, std::uint64_t& value) {
  // A 64-bit number whose top bit is set has a zero octet before it.
  if (content.size() > 9 || (content.size() == 9 && content[0] != '\0')) {
    return fail(Verdict::BadInteger);
  }
  value = big_endian(content, 0);  // agents leave the zero octet out: still not a negative number
  return true;
}

bool Ber::take_int(std::string_view& in, std::int64_t& value) {
  std::string_view content;
  return take(in, kInteger, content) && signed_content(content, value);
}

bool Ber::take_unsigned(std::string_view& in, std::uint32_t& value) {
  std::uint8_t tag = 0;
  std::string_view content;
  std::uint64_t wide = 0;
  if (!take_any(in, tag, content)) {
    return false;
  }
  if (tag != kTimeTicks && tag != kCounter32 && tag != kGauge32 && tag != kUInteger32) {
    return fail(Verdict::BadTag);
  }
  if (content.empty()) {
    return fail(Verdict::BadInteger);
  }
  if (!unsigned_content(content, wide)) {
    return false;
  }
  value = static_cast<std::uint32_t>(wide);
  return true;
}

bool Ber::take_string(std::string_view& in, std::string_view& value) {
  std::uint8_t tag = 0;
  if (!take_any(in, tag, value)) {
    return false;
  }
  return tag == kOctetString || tag == kIpAddress || tag == kOpaque || tag == kNsap ||
         fail(Verdict::BadTag);
}

/// The same sub-identifiers without leading 0x80.
std::string_view Ber::shortest(std::string_view content) {
  char* out = arena_.allocate(content.size());
  used_arena_ = true;
  std::size_t n = 0;
  bool at_start = true;
  for (const char c : content) {
    if (at_start && byte(c) == 0x80) {
      continue;
    }
    out[n++] = c;
    at_start = (byte(c) & 0x80U) == 0;
  }
  return {out, n};
}

bool Ber::oid_content(std::string_view content, std::string_view& oid) {
  if (content.empty()) {
    oid = "\0"sv;  // 06 00 is 0.0, as everyone reads it
    return true;
  }
  std::size_t arcs = 0;
  std::uint64_t arc = 0;
  bool at_start = true, padded = false;
  for (const char c : content) {
    const std::uint8_t b = byte(c);
    padded |= at_start && b == 0x80;
    arc = (at_start ? 0 : arc << 7) | (b & 0x7fU);
    if (arc > std::numeric_limits<std::uint32_t>::max()) {
      return fail(Verdict::BadOid);
    }
    at_start = (b & 0x80U) == 0;
    arcs += at_start ? 1U : 0U;
  }
  if (!at_start || arcs > kArcsMax) {
    return fail(Verdict::BadOid);
  }
  oid = padded ? shortest(content) : content;
  return true;
}

bool Ber::take_oid(std::string_view& in, std::string_view& oid) {
  std::string_view content;
  return take(in, kObjectId, content) && oid_content(content, oid);
}

/// An Opaque that wraps another type must hold it well-formed; `end` is where the wrapped one ends.
bool Ber::opaque(std::string_view content, const char*& end) {
  if (content.size() < 3 || byte(content[0]) != kOpaqueWrap) {
    return true;
  }
  const std::uint8_t tag = byte(content[1]);
  if (tag != kWrapCounter64 && (tag < kWrapFloat || tag > kWrapUInt64)) {
    return true;
  }
  content.remove_prefix(2);
  std::uint64_t size = 0;
  if (!length(content, size)) {
    return false;
  }
  if (size > content.size()) {
    return fail(Verdict::Truncated);
  }
  const bool fits = tag == kWrapFloat    ? size == 4
                    : tag == kWrapDouble ? size == 8
                    : tag == kWrapInt64  ? size <= 8
                                         : size <= 8 || (size == 9 && content[0] == '\0');
  end = content.data() + size;
  return fits || fail(Verdict::BadValue);
}

bool Ber::value(std::uint8_t tag, std::string_view content, Varbind& out) {
  out.type = static_cast<VarType>(tag);
  out.bytes = content;
  std::uint64_t wide = 0;
  switch (tag) {
    case kInteger:
      return signed_content(content, out.number);
    case kCounter32:
    case kGauge32:
    case kTimeTicks:
    case kUInteger32:
      if (content.empty()) {
        return fail(Verdict::BadInteger);
      }
      if (!unsigned_content(content, wide)) {
        return false;
      }
      out.number = static_cast<std::uint32_t>(wide);
      return true;
    case kCounter64:
      if (!unsigned_content(content, wide)) {
        return false;
      }
      out.number = static_cast<std::int64_t>(wide);
      return true;
    case kIpAddress:
      return content.size() == 4 || fail(Verdict::BadValue);
    case kObjectId:
      return oid_content(content, out.bytes);
    case kBitString:
      out.type = VarType::OctetString;
      return !content.empty() || fail(Verdict::BadValue);  // its first octet counts unused bits
    case kNsap:
      out.type = VarType::OctetString;
      return true;
    case kOctetString:
    case kOpaque:
    case kNull:
    case kNoSuchObject:
    case kNoSuchInstance:
    case kEndOfMibView:
      return true;
    default:
      return fail(Verdict::BadTag);
  }
}

bool Ber::take_varbind(std::string_view& list, Varbind& out) {
  const char* const list_end = list.data() + list.size();
  std::string_view pair, content;
  std::uint8_t tag = 0;
  if (!take(list, kSequence, pair) || !take_oid(pair, out.oid) || !take_any(pair, tag, content) ||
      !value(tag, content, out)) {
    return false;
  }
  const char* end = content.data() + content.size();
  if (tag == kOpaque && !opaque(content, end)) {
    return false;
  }
  list = {end, static_cast<std::size_t>(list_end - end)};
  return true;
}

}  // namespace belfry::snmp
