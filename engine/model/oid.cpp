#include "belfry/model/oid.hpp"

#include <charconv>

#include "belfry/base/text.hpp"

namespace belfry {
namespace {

constexpr std::size_t kArcsMax = 128;  // RFC 3416 2: at most 128 sub-identifiers

void append_base128(std::string& out, std::uint64_t v) {
  char buffer[10];
  std::size_t n = 0;
  do {
    buffer[n++] = static_cast<char>(v & 0x7f);
    v >>= 7;
  } while (v != 0);
  while (n > 0) {
    --n;
    out.push_back(static_cast<char>(static_cast<unsigned char>(buffer[n]) | (n > 0 ? 0x80U : 0U)));
  }
}

}  // namespace

std::optional<std::string> oid_from_text(std::string_view text) {
  if (text.starts_with('.')) {
    text.remove_prefix(1);
  }
  std::string out;
  std::uint64_t first = 0;
  std::size_t arcs = 0;
  for (const std::string_view part : split(text, '.')) {
    const auto v = parse_int(part);
    if (!v || *v < 0 || *v > 0xffffffffLL || ++arcs > kArcsMax) {
      return std::nullopt;
    }
    const auto arc = static_cast<std::uint64_t>(*v);
    if (arcs == 1) {
      if (arc > 2) {
        return std::nullopt;
      }
      first = arc;
    } else if (arcs == 2) {
      if (first < 2 && arc > 39) {
        return std::nullopt;
      }
      append_base128(out, first * 40 + arc);
    } else {
      append_base128(out, arc);
    }
  }
  return arcs >= 2 ? std::optional(out) : std::nullopt;
}

std::string oid_to_text(std::string_view octets) {
  std::string out;
  std::uint64_t arc = 0;
  bool first = true;
  const auto append = [&out](std::uint64_t v) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    if (!out.empty()) {
      out.push_back('.');
    }
    out.append(buffer, end);
  };
  for (const char c : octets) {
    const auto byte = static_cast<unsigned char>(c);
    arc = (arc << 7) | (byte & 0x7f);
    if ((byte & 0x80) != 0) {
      continue;
    }
    if (first) {
      const std::uint64_t head = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      append(head);
      append(arc - head * 40);
      first = false;
    } else {
      append(arc);
    }
    arc = 0;
  }
  return out;
}

std::int64_t oid_single_arc(std::string_view octets) {
  constexpr std::size_t kArcBytesMax = 5;  // 32 bits, seven a byte
  std::int64_t v = 0;
  if (octets.empty() || octets.size() > kArcBytesMax) {
    return -1;
  }
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto byte = static_cast<unsigned char>(octets[i]);
    v = v << 7 | (byte & 0x7f);
    if ((byte < 0x80) != (i + 1 == octets.size())) {
      return -1;
    }
  }
  return v;
}

}  // namespace belfry
