#include "event_json.hpp"

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/model/mib_table.hpp"
#include "belfry/model/oid.hpp"

namespace belfry {
namespace {

void text(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    json.field(key, value);
  }
}

void value(JsonWriter& json, const Value& v) {
  switch (v.type) {
    case Type::None:
      json.null();
      return;
    case Type::Bool:
      json.value(v.i != 0);
      return;
    case Type::Int:
      json.value(v.i);
      return;
    case Type::Float:
      json.value(v.f);
      return;
    default:
      json.value(to_text(v));
  }
}

void varbind(JsonWriter& json, const Varbind& v, const MibTable& mibs) {
  json.object().field("oid", oid_to_text(v.oid));
  text(json, "name", mibs.named(v.oid));
  switch (v.type) {
    case VarType::Integer:
    case VarType::Counter32:
    case VarType::Gauge32:
    case VarType::TimeTicks:
    case VarType::UInteger32:
      json.field("value", v.number);
      break;
    case VarType::Counter64:
      json.field("value", static_cast<std::uint64_t>(v.number));
      break;
    case VarType::ObjectId:
      json.field("value", oid_to_text(v.bytes));
      break;
    default:
      if (is_utf8(v.bytes)) {
        json.field("value", v.bytes);
      } else {
        json.field("hex", to_hex(v.bytes));
      }
  }
  text(json, "text", mibs.shown(v));
  json.end();
}
}  // namespace

std::string event_json(const Event& e, Seq seq, Instant at, std::string_view collector) {
  JsonWriter json;
  json.object().field("seq", seq.value).field("at", to_rfc3339(at)).field("at_ns", at.ns);
  json.field("kind", name(e.kind)).field("type", e.type).field("node", e.node);
  text(json, "collector", collector);
  text(json, "from", e.from);
  text(json, "via", e.via);
  text(json, "ifname", e.ifname);
  if (!e.valid) {
    json.field("valid", false).field("why", e.why);
  }
  if (e.repeat != 1) {
    json.field("repeat", e.repeat);
  }
  if (e.stamp.ns != 0) {
    json.field("stamp", to_rfc3339(e.stamp));
  }
  text(json, "id", e.id);
  if (e.kind == EventKind::Syslog) {
    if (e.severity != 255) {
      json.field("severity", unsigned{e.severity}).field("facility", unsigned{e.facility});
    }
    text(json, "host", e.host);
    text(json, "app", e.app);
    text(json, "pid", e.pid);
    text(json, "tag", e.tag);
    text(json, "vendor", e.vendor);
  }
  text(json, "message", e.kind == EventKind::Syslog && e.message.empty() ? e.raw : e.message);
  if (e.kind == EventKind::Trap) {
    const std::shared_ptr<const MibTable> mibs = MibTable::current();
    json.field("trap_oid", oid_to_text(e.trap_oid));
    text(json, "trap_name", mibs->named(e.trap_oid));
    json.field("uptime", e.uptime).field("inform", e.inform);
    json.key("varbinds").array();
    for (const Varbind& v : e.varbinds) {
      varbind(json, v, *mibs);
    }
    json.end();
  }
  if (!e.attrs.empty()) {
    json.key("attrs").object();
    for (const Attr& attr : e.attrs) {
      json.key(attr.name);
      value(json, attr.value);
    }
    json.end();
  }
  return json.end().take();
}

}  // namespace belfry
