#include "belfry/webhook/json_event.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "json_reader.hpp"

namespace belfry {
namespace {

using namespace webhook;  // json_reader.hpp

EventKind kind_of(std::string_view type) {
  for (const EventKind k :
       {EventKind::Syslog, EventKind::Trap, EventKind::Probe, EventKind::Beat}) {
    if (type == name(k)) {
      return k;
    }
  }
  return EventKind::Alert;
}

bool is_word(std::string_view s) {
  constexpr std::size_t kWordMax = 64;
  if (s.empty() || s.size() > kWordMax || (s[0] >= '0' && s[0] <= '9')) {
    return false;
  }
  return std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Texts that have a slot of their own in Event.
struct Slot {
  std::string_view name;
  std::string_view Event::*slot;
};
constexpr std::array kSlots{
    Slot{"node", &Event::node},       Slot{"via", &Event::via},     Slot{"msg", &Event::message},
    Slot{"message", &Event::message}, Slot{"app", &Event::app},     Slot{"host", &Event::host},
    Slot{"pid", &Event::pid},         Slot{"msgid", &Event::msgid}, Slot{"tag", &Event::tag},
    Slot{"vendor", &Event::vendor},   Slot{"id", &Event::id},       Slot{"ifname", &Event::ifname}};

/// Decodes one object. `fail_` holds the first finding.
class Decoder {
 public:
  Decoder(const WebhookOptions& options, Arena& arena) : options_(options), arena_(arena) {}

  /// Empty when the event is good.
  std::string decode(const json::object& object, Event& e) {
    attrs_.clear();
    bytes_ = 0;
    error_.clear();
    e.type = "alert";
    for (const auto& pair : object) {
      if (!error_.empty()) {
        return error_;
      }
      top(key_of(pair), pair.value(), e);
    }
    if (!error_.empty()) {
      return error_;
    }
    e.kind = kind_of(e.type);
    e.attrs = arena_.copy(std::span<const Attr>(attrs_));
    if (e.node.empty()) {
      e.node = e.host;
    }
    if (e.node.empty()) {
      return "'node' is missing: expected the name of the device the event is about";
    }
    return {};
  }

 private:
  std::string_view keep(std::string_view s) {
    bytes_ += s.size();
    if (bytes_ > options_.event_bytes_max) {
      wrong("the event", fmt::format("at most {} bytes of text", options_.event_bytes_max), "more");
      return {};
    }
    return arena_.copy(s);
  }
  void wrong(std::string_view what, std::string_view expected, std::string_view got) {
    if (error_.empty()) {
      error_ = fmt::format("{}: expected {}, got {}", what, expected, got);
    }
  }
  void wrong_field(std::string_view field, std::string_view expected, const json::value& got) {
    wrong(fmt::format("'{}'", printable(field, 64)), expected,
          got.is_string() ? "'" + printable(text(got.get_string()), 64) + "'"
                          : std::string(kind_word(got)));
  }

  void top(std::string_view field, const json::value& v, Event& e) {
    for (const Slot& slot : kSlots) {
      if (field == slot.name) {
        return slot_text(field, v, e.*slot.slot);
      }
    }
    if (field == "type") {
      return type(v, e);
    }
    if (field == "level" || field == "severity") {
      return level(field, v, e);
    }
    if (field == "at" || field == "stamp" || field == "timestamp" || field == "at_ns") {
      return stamp(field, v, e);
    }
    if (field == "repeat") {
      const auto n = integer(v);
      return n && *n >= 1 && *n <= kRepeatMax ? void(e.repeat = static_cast<std::uint32_t>(*n))
                                              : wrong_field(field, "1 to 1,000,000", v);
    }
    if (field == "facility") {
      const auto n = integer(v);
      return n && *n >= 0 && *n <= 23 ? void(e.facility = static_cast<std::uint8_t>(*n))
                                      : wrong_field(field, "0 to 23", v);
    }
    if (field == "oid") {
      return oid(field, v, e);
    }
    attribute(field, v, 1);
  }

  void slot_text(std::string_view field, const json::value& v, std::string_view& to) {
    if (v.is_string()) {
      to = keep(text(v.get_string()));
    } else if (const auto n = integer(v)) {  // pid, id and the like come as numbers, too
      to = keep(fmt::format("{}", *n));
    } else if (!v.is_null()) {
      wrong_field(field, "a text", v);
    }
  }
  void type(const json::value& v, Event& e) {
    if (v.is_string() && is_word(text(v.get_string()))) {
      e.type = keep(text(v.get_string()));
    } else {
      wrong_field("type", "the name of an event type, as alert or probe", v);
    }
  }
  void level(std::string_view field, const json::value& v, Event& e) {
    if (const auto n = integer(v); n && *n >= 0 && *n <= 7) {
      e.severity = static_cast<std::uint8_t>(*n);
      return;
    }
    if (v.is_string()) {
      if (const auto code = level_code(text(v.get_string()))) {
        e.severity = *code;
        return;
      }
    }
    wrong_field(field, "cleared, indeterminate, warning, minor, major, critical or 0 to 7", v);
  }
  void stamp(std::string_view field, const json::value& v, Event& e) {
    if (field == "at_ns") {
      const auto n = integer(v);
      return n ? void(e.stamp.ns = *n) : wrong_field(field, "whole nanoseconds", v);
    }
    const auto at = instant_of(v);
    return at ? void(e.stamp = *at) : wrong_field(field, "RFC 3339 or epoch seconds", v);
  }
  void oid(std::string_view field, const json::value& v, Event& e) {
    const auto octets = v.is_string() ? oid_from_text(text(v.get_string())) : std::nullopt;
    if (octets) {
      e.trap_oid = keep(*octets);
    } else {
      wrong_field(field, "an OID as 1.3.6.1.6.3.1.1.5.3", v);
    }
  }

  static std::optional<std::int64_t> integer(const json::value& v) {
    if (v.is_int64()) {
      return v.get_int64();
    }
    return std::nullopt;
  }
  std::optional<Value> scalar(const json::value& v) {
    switch (v.kind()) {
      case json::kind::bool_:
        return Value::boolean(v.get_bool());
      case json::kind::int64:
        return Value::integer(v.get_int64());
      case json::kind::uint64:
        return Value::real(static_cast<double>(v.get_uint64()));
      case json::kind::double_:
        return Value::real(v.get_double());
      case json::kind::string:
        return Value::string(keep(text(v.get_string())));
      default:
        return std::nullopt;
    }
  }
  void add(std::string_view field, Value value) {
    if (attrs_.size() == options_.attrs_max) {
      return wrong("the event", fmt::format("at most {} attributes", options_.attrs_max), "more");
    }
    attrs_.push_back({keep(field), value});
  }
  void attribute(std::string_view field, const json::value& v, std::size_t depth) {
    if (!error_.empty() || v.is_null()) {
      return;
    }
    if (depth > options_.depth_max) {
      return wrong_field(field, fmt::format("at most {} levels", options_.depth_max), v);
    }
    if (const json::object* object = v.if_object()) {
      for (const auto& pair : *object) {
        attribute(fmt::format("{}.{}", field, key_of(pair)), pair.value(), depth + 1);
      }
    } else if (const json::array* list = v.if_array()) {
      items(field, *list, depth);
    } else {
      add(field, *scalar(v));
    }
  }
  /// Plain values become a set; a list of objects is flattened by its index.
  void items(std::string_view field, const json::array& list, std::size_t depth) {
    const bool plain = std::none_of(list.begin(), list.end(), [](const json::value& v) {
      return v.is_object() || v.is_array();
    });
    if (!plain) {
      for (std::size_t i = 0; i < list.size() && error_.empty(); ++i) {
        attribute(fmt::format("{}.{}", field, i), list[i], depth + 1);
      }
      return;
    }
    std::vector<Value> values;
    for (const json::value& v : list) {
      if (auto one = scalar(v)) {
        values.push_back(*one);
      }
    }
    bytes_ += values.size() * sizeof(Value);
    std::sort(values.begin(), values.end(), sorts_before);
    values.erase(std::unique(values.begin(), values.end(),
                             [](const Value& a, const Value& b) {
                               return !sorts_before(a, b) && !sorts_before(b, a);
                             }),
                 values.end());
    const std::span<ValueSet> set = arena_.array<ValueSet>(1);
    set[0].items = arena_.copy(std::span<const Value>(values));
    Value value;
    value.type = Type::Set;
    value.set = set.data();
    add(field, value);
  }

  static constexpr std::int64_t kRepeatMax = 1'000'000;
  const WebhookOptions& options_;
  Arena& arena_;
  std::vector<Attr> attrs_;
  std::size_t bytes_ = 0;
  std::string error_;
};

/// Two levels more than an event's own: the list around it, and the object itself.
class Events {
 public:
  Events(const WebhookOptions& options, Arena& arena)
      : options_(options), arena_(arena), decoder_(options, arena) {}

  Result<void> add(const json::value& v, std::string_view raw) {
    const std::size_t n = out_.size() + 1;
    if (n > options_.events_max) {
      return fail(Code::Invalid, "more than {} events: send several requests", options_.events_max);
    }
    const json::object* object = v.if_object();
    if (object == nullptr) {
      return fail(Code::Invalid, "event {}: expected an object, got {}", n, kind_word(v));
    }
    Event& e = out_.emplace_back();
    if (const std::string error = decoder_.decode(*object, e); !error.empty()) {
      return fail(Code::Invalid, "event {}: {}", n, error);
    }
    const std::string again = raw.empty() ? json::serialize(v) : std::string();
    const std::string_view text = raw.empty() ? std::string_view(again) : raw;
    if (text.size() > 2 * options_.event_bytes_max) {
      return fail(Code::Invalid, "event {}: longer than {} bytes", n, options_.event_bytes_max);
    }
    e.raw = arena_.copy(text);
    return {};
  }
  std::vector<Event> take() { return std::move(out_); }
  bool empty() const { return out_.empty(); }

 private:
  const WebhookOptions& options_;
  Arena& arena_;
  Decoder decoder_;
  std::vector<Event> out_;
};

Result<void> add_lines(std::string_view body, const WebhookOptions& options, Events& events) {
  std::size_t number = 0;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    const std::string_view line = trim(body.substr(0, end));
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    ++number;
    if (line.empty()) {
      continue;
    }
    auto value = parse(line, options);
    if (!value) {
      return fail(Code::Invalid, "line {}: {}", number, value.error().what);
    }
    BELFRY_CHECK_OK(events.add(*value, line));
  }
  return {};
}

Value copy_value(const Value& v, Arena& arena) {
  Value out = v;
  out.text = arena.copy(v.text);
  if (v.type == Type::Set) {
    const std::span<Value> items = arena.array<Value>(v.items().size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i] = copy_value(v.items()[i], arena);
    }
    const std::span<ValueSet> set = arena.array<ValueSet>(1);
    set[0].items = items;
    out.set = set.data();
  }
  return out;
}

}  // namespace

Result<std::vector<Event>> decode_json_events(std::string_view body, BodyForm form,
                                              const WebhookOptions& options, Arena& arena) {
  Events events(options, arena);
  if (form == BodyForm::JsonLines) {
    BELFRY_CHECK_OK(add_lines(body, options, events));
  } else {
    BELFRY_TRY(const json::value value, parse(body, options));
    if (const json::array* list = value.if_array()) {
      for (const json::value& one : *list) {
        BELFRY_CHECK_OK(events.add(one, {}));
      }
    } else {
      BELFRY_CHECK_OK(events.add(value, trim(body)));
    }
  }
  if (events.empty()) {
    return fail(Code::Invalid, "no event: expected an object, a list of objects or JSON lines");
  }
  return events.take();
}

void copy_event(const Event& from, Event& to, Arena& arena) {
  to = from;
  for (std::string_view Event::*slot :
       {&Event::type, &Event::node, &Event::via, &Event::from, &Event::ifname, &Event::raw,
        &Event::why, &Event::host, &Event::app, &Event::pid, &Event::msgid, &Event::message,
        &Event::structured_data, &Event::tag, &Event::vendor, &Event::trap_oid, &Event::agent,
        &Event::id}) {
    to.*slot = arena.copy(from.*slot);
  }
  const std::span<Attr> attrs = arena.array<Attr>(from.attrs.size());
  for (std::size_t i = 0; i < attrs.size(); ++i) {
    attrs[i] = {arena.copy(from.attrs[i].name), copy_value(from.attrs[i].value, arena)};
  }
  to.attrs = attrs;
}

}  // namespace belfry
