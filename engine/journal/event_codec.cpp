#include "event_codec.hpp"

#include <bit>
#include <cstring>
#include <functional>

#include "belfry/base/bytes.hpp"
#include "belfry/base/check.hpp"
#include "belfry/journal/block.hpp"

namespace belfry {
namespace {

// Text fields that are stored, in the order of the format; `raw` goes first and apart, `community`
// is a secret and never stored.
constexpr std::string_view Event::*kTexts[]{&Event::type,  &Event::node,    &Event::via,
                                            &Event::from,  &Event::ifname,  &Event::why,
                                            &Event::host,  &Event::app,     &Event::pid,
                                            &Event::msgid, &Event::message, &Event::structured_data,
                                            &Event::tag,   &Event::vendor,  &Event::trap_oid,
                                            &Event::agent, &Event::id};
constexpr std::size_t kTextCount = std::size(kTexts);
static_assert(kTextCount < 32);

constexpr std::uint8_t kValid = 1, kInform = 2, kStamp = 4, kLists = 8, kRepeat = 16;
constexpr std::size_t kVarintMax = 10;
constexpr std::size_t kListMax = 65'536;  // varbinds, attributes, items of a set: a frame has fewer
constexpr int kValueDepthMax = 4;         // sets of sets: deeper ones are stored as none
constexpr std::size_t kFixedMax = 96;     // everything of an event but its texts and lists

// Writes into space that was made sure of before: no check per byte.
class Flat {
 public:
  explicit Flat(std::string& buffer) : out_(buffer) {}

  void make_room(std::size_t n) {
    if (used_ + n > out_.size()) {
      out_.resize((used_ + n) * 2);
    }
    at_ = out_.data() + used_;
  }
  std::size_t used() const { return used_; }
  void done() { used_ = static_cast<std::size_t>(at_ - out_.data()); }
  char* at() { return at_; }
  void u8(std::uint8_t v) { *at_++ = static_cast<char>(v); }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      *at_++ = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    *at_++ = static_cast<char>(v);
  }
  void zigzag(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  void raw(const void* data, std::size_t n) {
    if (n != 0) {
      std::memcpy(at_, data, n);
      at_ += n;
    }
  }

 private:
  std::string& out_;
  std::size_t used_ = 0;
  char* at_ = nullptr;
};

// A text as (offset, length) of the event's raw text where it lies in it, else in full.
void put_text(Flat& out, std::string_view text, std::string_view raw) {
  const std::less_equal<const char*> not_after;
  if (!text.empty() && not_after(raw.data(), text.data()) &&
      not_after(text.data() + text.size(), raw.data() + raw.size())) {
    out.varint(text.size() << 1 | 1);
    out.varint(static_cast<std::uint64_t>(text.data() - raw.data()));
    return;
  }
  out.varint(text.size() << 1);
  out.raw(text.data(), text.size());
}

std::size_t value_room(const Value& v, int depth) {
  std::size_t n = 4 * kVarintMax + v.text.size();
  if (v.type == Type::Set && depth < kValueDepthMax) {
    for (const Value& item : v.items()) {
      n += value_room(item, depth + 1);
    }
  }
  return n;
}

void put_value(Flat& out, const Value& v, std::string_view raw, int depth) {
  if (v.type == Type::Set && depth >= kValueDepthMax) {
    out.u8(static_cast<std::uint8_t>(Type::None));
    return;
  }
  out.u8(static_cast<std::uint8_t>(v.type));
  switch (v.type) {
    case Type::None:
      return;
    case Type::Bool:
    case Type::Int:
    case Type::Duration:
    case Type::Time:
      out.zigzag(v.i);
      return;
    case Type::Float:
      out.raw(&v.f, sizeof v.f);
      return;
    case Type::Enum:
      out.varint(v.aux);
      out.zigzag(v.i);
      put_text(out, v.text, raw);
      return;
    case Type::Row:
      out.varint(v.aux);
      put_text(out, v.text, raw);
      return;
    case Type::Set:
      out.varint(v.items().size());
      for (const Value& item : v.items()) {
        put_value(out, item, raw, depth + 1);
      }
      return;
    default:
      put_text(out, v.text, raw);
  }
}

// The raw packet of a trap holds its community: stars instead.
void mask_community(const Event& e, char* stored_raw) {
  if (e.community.empty() || e.raw.empty()) {
    return;
  }
  const std::less_equal<const char*> not_after;
  const char* at = nullptr;
  if (not_after(e.raw.data(), e.community.data()) &&
      not_after(e.community.data() + e.community.size(), e.raw.data() + e.raw.size())) {
    at = e.community.data();
  } else {
    at = static_cast<const char*>(
        ::memmem(e.raw.data(), e.raw.size(), e.community.data(), e.community.size()));
  }
  if (at != nullptr) {
    std::memset(stored_raw + (at - e.raw.data()), '*', e.community.size());
  }
}

std::size_t room_of(const Event& e) {
  std::size_t n = kFixedMax + e.raw.size() + kTextCount * 2 * kVarintMax;
  for (const auto text : kTexts) {
    n += (e.*text).size();
  }
  for (const Varbind& v : e.varbinds) {
    n += v.oid.size() + v.bytes.size() + 6 * kVarintMax;
  }
  for (const Attr& a : e.attrs) {
    n += a.name.size() + 2 * kVarintMax + value_room(a.value, 0);
  }
  return n;
}

void put_texts(Flat& out, const Event& e, const Event* before) {
  std::uint32_t present = 0, same = 0;
  for (std::size_t i = 0; i < kTextCount; ++i) {
    const std::string_view text = e.*kTexts[i];
    if (text.empty()) {
      continue;
    }
    present |= 1U << i;
    if (before != nullptr && before->*kTexts[i] == text) {
      same |= 1U << i;
    }
  }
  out.varint(present);
  out.varint(same);
  for (std::uint32_t left = present & ~same; left != 0; left &= left - 1) {
    put_text(out, e.*kTexts[static_cast<std::size_t>(std::countr_zero(left))], e.raw);
  }
}

void put_lists(Flat& out, const Event& e) {
  out.varint(e.varbinds.size());
  for (const Varbind& v : e.varbinds) {
    out.u8(static_cast<std::uint8_t>(v.type));
    out.zigzag(v.number);
    put_text(out, v.oid, e.raw);
    put_text(out, v.bytes, e.raw);
  }
  out.varint(e.attrs.size());
  for (const Attr& a : e.attrs) {
    put_text(out, a.name, e.raw);
    put_value(out, a.value, e.raw, 0);
  }
}

void put_event(Flat& out, const Event& e, const Event* before, std::int64_t& stamp_before) {
  const bool lists = !e.varbinds.empty() || !e.attrs.empty();
  out.u8(static_cast<std::uint8_t>(e.kind));
  out.u8(static_cast<std::uint8_t>((e.valid ? kValid : 0) | (e.inform ? kInform : 0) |
                                   (e.stamp.ns != 0 ? kStamp : 0) | (lists ? kLists : 0) |
                                   (e.repeat != 1 ? kRepeat : 0)));
  out.u8(e.facility);
  out.u8(e.severity);
  out.u8(e.snmp_version);
  if (e.repeat != 1) {
    out.varint(e.repeat);
  }
  out.varint(e.uptime);
  if (e.stamp.ns != 0) {
    // Differences wrap instead of overflowing: the sender says any number it likes.
    out.zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(e.stamp.ns) -
                                         static_cast<std::uint64_t>(stamp_before)));
    stamp_before = e.stamp.ns;
  }
  out.varint(e.raw.size());
  char* stored_raw = out.at();
  out.raw(e.raw.data(), e.raw.size());
  mask_community(e, stored_raw);
  put_texts(out, e, before);
  if (lists) {
    put_lists(out, e);
  }
}

class EventReader {
 public:
  EventReader(std::string_view plain, Arena& arena) : in_(plain), arena_(arena) {}

  void get(Event& e, const Event* before) {
    const std::uint8_t kind = in_.u8();
    wrong_ = wrong_ || kind > static_cast<std::uint8_t>(EventKind::Alert);
    e.kind = wrong_ ? EventKind::Syslog : static_cast<EventKind>(kind);
    const std::uint8_t flags = in_.u8();
    e.valid = (flags & kValid) != 0;
    e.inform = (flags & kInform) != 0;
    e.facility = in_.u8();
    e.severity = in_.u8();
    e.snmp_version = in_.u8();
    if ((flags & kRepeat) != 0) {
      e.repeat = static_cast<std::uint32_t>(in_.varint());
    }
    e.uptime = static_cast<std::uint32_t>(in_.varint());
    if ((flags & kStamp) != 0) {
      stamp_before_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(stamp_before_) +
                                                static_cast<std::uint64_t>(in_.zigzag()));
      e.stamp.ns = stamp_before_;
    }
    e.raw = in_.string();
    get_texts(e, before);
    if ((flags & kLists) != 0) {
      get_lists(e);
    }
  }
  bool bad() const { return wrong_ || in_.failed(); }
  bool done() const { return in_.done(); }

 private:
  std::string_view text(std::string_view raw) {
    const std::uint64_t head = in_.varint();
    const std::uint64_t size = head >> 1;
    if ((head & 1) == 0) {
      return in_.bytes(size);
    }
    const std::uint64_t offset = in_.varint();
    if (offset > raw.size() || size > raw.size() - offset) {
      wrong_ = true;
      return {};
    }
    return raw.substr(offset, size);
  }

  void get_texts(Event& e, const Event* before) {
    const std::uint64_t present = in_.varint();
    const std::uint64_t same = in_.varint();
    if (present >> kTextCount != 0 || (same & ~present) != 0 || (same != 0 && before == nullptr)) {
      wrong_ = true;
      return;
    }
    for (std::size_t i = 0; i < kTextCount; ++i) {
      if ((same >> i & 1) != 0) {
        e.*kTexts[i] = before->*kTexts[i];
      } else if ((present >> i & 1) != 0) {
        e.*kTexts[i] = text(e.raw);
      }
    }
  }

  /// Length of a list whose items take at least one byte each.
  std::size_t list_size() {
    const std::uint64_t n = in_.varint();
    if (n > in_.left() || n > kListMax) {
      wrong_ = true;
      return 0;
    }
    return n;
  }

  void get_lists(Event& e) {
    const std::span<Varbind> varbinds = arena_.array<Varbind>(list_size());
    for (Varbind& v : varbinds) {
      v.type = static_cast<VarType>(in_.u8());
      v.number = in_.zigzag();
      v.oid = text(e.raw);
      v.bytes = text(e.raw);
      if (bad()) {
        return;
      }
    }
    e.varbinds = varbinds;
    const std::span<Attr> attrs = arena_.array<Attr>(list_size());
    for (Attr& a : attrs) {
      a.name = text(e.raw);
      a.value = value(e.raw, 0);
      if (bad()) {
        return;
      }
    }
    e.attrs = attrs;
  }

  Value value(std::string_view raw, int depth) {
    const std::uint8_t type = in_.u8();
    if (type > static_cast<std::uint8_t>(Type::Set) || depth > kValueDepthMax) {
      wrong_ = true;
      return {};
    }
    Value v;
    v.type = static_cast<Type>(type);
    switch (v.type) {
      case Type::None:
        return v;
      case Type::Bool:
      case Type::Int:
      case Type::Duration:
      case Type::Time:
        v.i = in_.zigzag();
        return v;
      case Type::Float:
        v.f = in_.float64();
        return v;
      case Type::Enum:
        v.aux = static_cast<std::uint32_t>(in_.varint());
        v.i = in_.zigzag();
        v.text = text(raw);
        return v;
      case Type::Row:
        v.aux = static_cast<std::uint32_t>(in_.varint());
        v.text = text(raw);
        return v;
      case Type::Set:
        return set(raw, depth);
      default:
        v.text = text(raw);
        return v;
    }
  }

  Value set(std::string_view raw, int depth) {
    const std::span<Value> items = arena_.array<Value>(list_size());
    for (Value& item : items) {
      item = value(raw, depth + 1);
      if (bad()) {
        return {};
      }
    }
    const std::span<ValueSet> holder = arena_.array<ValueSet>(1);
    holder[0].items = items;
    Value v;
    v.type = Type::Set;
    v.set = holder.data();
    return v;
  }

  ByteReader in_;
  Arena& arena_;
  std::int64_t stamp_before_ = 0;
  bool wrong_ = false;
};
}  // namespace

std::size_t encode_events(const Batch& batch, std::string& buffer) {
  Flat flat(buffer);
  const Event* before = nullptr;
  std::int64_t stamp_before = 0;
  for (const Event& e : batch.events) {
    flat.make_room(room_of(e));
    put_event(flat, e, before, stamp_before);
    flat.done();
    before = &e;
  }
  return flat.used();
}

Result<void> decode_events(std::string_view plain, std::uint32_t count, Batch& out) {
  if (count > kBlockEventsMax) {
    return fail(Code::Corrupt, "block names {} events, at most {} can be", count, kBlockEventsMax);
  }
  EventReader reader(plain, out.arena);
  out.events.resize(count);
  const Event* before = nullptr;
  for (std::uint32_t i = 0; i < count; ++i) {
    reader.get(out.events[i], before);
    if (reader.bad()) {
      return fail(Code::Corrupt, "event {} of {} in a block does not decode", i, count);
    }
    before = &out.events[i];
  }
  if (!reader.done()) {
    return fail(Code::Corrupt, "block has bytes after its {} events", count);
  }
  return {};
}

}  // namespace belfry
