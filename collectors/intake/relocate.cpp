#include "relocate.hpp"

#include <algorithm>

namespace belfry::intake {
namespace {

/// Slices of `raw` move with it; the rest is copied.
struct Mover {
  std::string_view old_raw, new_raw;
  Arena& to;

  bool inside(std::string_view text) const {
    return !text.empty() && text.data() >= old_raw.data() &&
           text.data() + text.size() <= old_raw.data() + old_raw.size();
  }
  void slice_only(std::string_view& text) const {
    if (inside(text)) {
      text = new_raw.substr(static_cast<std::size_t>(text.data() - old_raw.data()), text.size());
    }
  }
  void move(std::string_view& text) {
    if (inside(text)) {
      slice_only(text);
    } else {
      text = to.copy(text);
    }
  }
  // Sets hold sets only as far as the language nests them, one level.
  void move(Value& value) {
    if (value.type == Type::Set && value.set != nullptr) {
      const std::span<Value> items = to.array<Value>(value.set->items.size());
      std::copy(value.set->items.begin(), value.set->items.end(), items.begin());
      for (Value& item : items) {
        if (item.type != Type::Set) {
          move(item);
        }
      }
      const std::span<ValueSet> set = to.array<ValueSet>(1);
      set[0].items = items;
      value.set = set.data();
    }
    move(value.text);
  }
};

}  // namespace

void relocate(Event& e, Arena& to) {
  Mover m{e.raw, to.copy(e.raw), to};
  for (std::string_view* literal : {&e.type, &e.why, &e.vendor}) {
    m.slice_only(*literal);
  }
  for (std::string_view* text :
       {&e.node, &e.via, &e.from, &e.ifname, &e.host, &e.app, &e.pid, &e.msgid, &e.message,
        &e.structured_data, &e.tag, &e.community, &e.trap_oid, &e.agent, &e.id}) {
    m.move(*text);
  }
  const std::span<Varbind> varbinds = to.array<Varbind>(e.varbinds.size());
  std::copy(e.varbinds.begin(), e.varbinds.end(), varbinds.begin());
  for (Varbind& v : varbinds) {
    m.move(v.oid);
    m.move(v.bytes);
  }
  e.varbinds = varbinds;
  const std::span<Attr> attrs = to.array<Attr>(e.attrs.size());
  std::copy(e.attrs.begin(), e.attrs.end(), attrs.begin());
  for (Attr& a : attrs) {
    m.move(a.name);
    m.move(a.value);
  }
  e.attrs = attrs;
  e.raw = m.new_raw;
}

void relocate(Match& match, Arena& to) {
  Mover m{{}, {}, to};
  const std::span<Value> key = to.array<Value>(match.key.size());
  std::copy(match.key.begin(), match.key.end(), key.begin());
  for (Value& v : key) {
    m.move(v);
  }
  match.key = key;
}

}  // namespace belfry::intake
