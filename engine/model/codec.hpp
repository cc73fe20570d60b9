#pragma once
// Small helpers of the stored forms. Private to model.
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/bytes.hpp"
#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"

namespace belfry::codec {

inline constexpr std::uint64_t kItemsMax = 1'000'000;  ///< of any list in a stored record

inline void put(ByteWriter& out, Instant at) { out.zigzag(at.ns); }
inline Instant get_instant(ByteReader& in) { return {in.zigzag()}; }
inline std::string get_text(ByteReader& in) { return std::string(in.string()); }

/// Reads an enum of `count` words; anything else marks the record as wrong.
template <class E>
E get_enum(ByteReader& in, E last, bool& wrong) {
  const std::uint8_t v = in.u8();
  if (v > static_cast<std::uint8_t>(last)) {
    wrong = true;
    return E{};
  }
  return static_cast<E>(v);
}

/// A list: its length, then each item. A length that the rest cannot hold fails at once.
template <class T, class F>
void put_list(ByteWriter& out, const std::vector<T>& items, F&& put_item) {
  out.varint(items.size());
  for (const T& item : items) {
    put_item(item);
  }
}
template <class T, class F>
void get_list(ByteReader& in, std::vector<T>& items, bool& wrong, F&& get_item) {
  const std::uint64_t n = in.varint();
  if (n > in.left() || n > kItemsMax) {
    wrong = true;
    return;
  }
  items.reserve(n);
  for (std::uint64_t i = 0; i < n && !in.failed(); ++i) {
    items.push_back(get_item());
  }
}

inline void put_texts(ByteWriter& out, const std::vector<std::string>& items) {
  put_list(out, items, [&](const std::string& s) { out.string(s); });
}
inline void get_texts(ByteReader& in, std::vector<std::string>& items, bool& wrong) {
  get_list(in, items, wrong, [&] { return get_text(in); });
}

/// What every decode ends with.
inline Result<void> finish(const ByteReader& in, bool wrong, std::string_view what) {
  if (in.failed() || wrong) {
    return fail(Code::Corrupt,
                "stored {} does not decode: it is cut short or holds an unknown value", what);
  }
  if (!in.done()) {
    return fail(Code::Corrupt, "stored {} does not decode: {} bytes are left over", what,
                in.left());
  }
  return {};
}
inline Result<void> check_format(std::uint8_t have, std::uint8_t want, std::string_view what) {
  if (have != want) {
    return fail(Code::Corrupt, "stored {} has format {}, this program reads format {}", what, have,
                want);
  }
  return {};
}

}  // namespace belfry::codec
