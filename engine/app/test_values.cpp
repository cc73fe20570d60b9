#include "test_values.hpp"

#include <algorithm>

#include "belfry/model/mib_table.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/snmp/text.hpp"

namespace belfry {
namespace {

using rules::TestValue;

struct Want {
  Type type = Type::String;
  std::uint32_t of = kNoIndex;
};

Result<Value> enum_value(const Schema& schema, std::uint32_t of, const std::string& word) {
  const EnumSchema& e = schema.enums[of];
  for (std::size_t i = 0; i < e.words.size(); ++i) {
    if (e.words[i] == word) {
      return Value::enumerator(of, static_cast<std::int64_t>(i), e.words[i]);
    }
  }
  return fail(Code::Invalid, "'{}' is no {}: expected {}", word, e.name, fmt::join(e.words, ", "));
}

Result<std::string> oid_octets(const std::string& text) {
  const std::size_t colons = text.find("::");
  if (colons != std::string::npos) {
    const auto oids =
        MibTable::current()->trap_oids(text.substr(0, colons), text.substr(colons + 2));
    if (!oids.empty()) {
      return oids.front();
    }
    if (auto oid = MibTable::current()->oid(text.substr(0, colons), text.substr(colons + 2))) {
      return *oid;
    }
  } else if (auto oid = oid_from_text(text)) {
    return *oid;
  }
  return fail(Code::Invalid,
              "'{}' is no OID: expected 1.3.6.1... or a name such as "
              "IF-MIB::linkDown",
              text);
}

Result<Value> typed(const Schema& schema, const TestValue& from, Want want, Arena& arena) {
  const Value& v = from.value;
  if (v.is_none() && !from.is_object) {
    return Value::none();
  }
  switch (want.type) {
    case Type::Float:
      return v.is_number() ? Value::real(v.number()) : v;
    case Type::Int:
    case Type::Bool:
    case Type::Duration:
      if (v.type == want.type) {
        return v;
      }
      return fail(Code::Invalid, "'{}' has another type than the field", to_text(v));
    case Type::Time:
      return v.type == Type::Duration ? Value::time(kTestStart + Duration(v.i)) : v;
    case Type::Enum:
      return v.type == Type::Enum && v.aux == want.of ? Result<Value>(v)
                                                      : enum_value(schema, want.of, to_text(v));
    case Type::Row:
      return Value::row(want.of, arena.copy(to_text(v)));
    case Type::Oid: {
      if (v.type == Type::Oid) {
        return v;
      }
      BELFRY_TRY(const std::string octets, oid_octets(to_text(v)));
      return Value::of_text(Type::Oid, arena.copy(octets));
    }
    case Type::None:
      return v;
    default:
      return Value::of_text(want.type, v.type == want.type ? v.text : arena.copy(to_text(v)));
  }
}

Result<Value> cell(const Schema& schema, const TestValue& from, const ColumnSchema& column,
                   Arena& arena) {
  const Want want{column.type, column.of};
  if (!column.is_set) {
    return typed(schema, from, want, arena);
  }
  std::vector<Value> items;
  if (from.is_object) {
    for (const auto& [name, item] : from.fields) {
      BELFRY_TRY(const Value value, typed(schema, item, want, arena));
      items.push_back(value);
    }
  } else if (from.value.type == Type::Set) {
    for (const Value& item : from.value.items()) {
      TestValue literal;
      literal.value = item;
      BELFRY_TRY(const Value value, typed(schema, literal, want, arena));
      items.push_back(value);
    }
  } else {
    BELFRY_TRY(const Value value, typed(schema, from, want, arena));
    items.push_back(value);
  }
  std::sort(items.begin(), items.end(), sorts_before);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  Value set;
  set.type = Type::Set;
  const std::span<ValueSet> place = arena.array<ValueSet>(1);
  place[0].items = arena.copy(std::span<const Value>(items));
  set.set = place.data();
  return set;
}

Value empty_set(Arena& arena) {
  Value set;
  set.type = Type::Set;
  set.set = arena.array<ValueSet>(1).data();
  return set;
}

Result<Varbind> varbind(const std::string& name, const TestValue& value, Arena& arena) {
  std::string oid = name;
  std::string instance;
  const bool numeric = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (!numeric) {
    const std::size_t colons = name.find("::");
    const std::string module = colons == std::string::npos ? "" : name.substr(0, colons);
    const std::string rest = colons == std::string::npos ? name : name.substr(colons + 2);
    const std::size_t dot = rest.find('.');
    const auto octets = MibTable::current()->oid(module, rest.substr(0, dot));
    if (!octets) {
      return fail(Code::Invalid,
                  "no object is called '{}': expected a name such as ifDescr or "
                  "an OID",
                  name);
    }
    oid = oid_to_text(*octets) + (dot == std::string::npos ? "" : rest.substr(dot));
  } else if (name.find('.') == std::string::npos) {
    oid = "1.3.6.1.4.1.0." + name;  // by position: any OID does
  }
  std::string_view type;
  switch (value.value.type) {
    case Type::Int:
    case Type::Bool:
    case Type::Enum:
      type = "integer";
      break;
    case Type::Ip:
      type = "ip";
      break;
    case Type::Oid:
      type = "oid";
      break;
    default:
      type = "string";
      break;
  }
  const std::string text =
      value.value.type == Type::Enum ? std::to_string(value.value.i) : to_text(value.value);
  const auto out = snmp::varbind_from_text(oid, type, text, arena);
  if (!out) {
    return fail(Code::Invalid, "varbind {}: '{}' is no {}", name, text, type);
  }
  return *out;
}

EventKind kind_of(std::string_view type) {
  for (const EventKind kind :
       {EventKind::Syslog, EventKind::Trap, EventKind::Probe, EventKind::Beat}) {
    if (type == name(kind)) {
      return kind;
    }
  }
  return EventKind::Alert;
}

/// `%LINK-3-UPDOWN: ...` as the syslog decoder cuts it.
std::string_view tag_of(std::string_view message) {
  if (!message.starts_with('%')) {
    return {};
  }
  const std::size_t end = message.find_first_of(": ");
  return end == std::string_view::npos ? std::string_view() : message.substr(1, end - 1);
}

std::uint8_t syslog_code(const Value& level) {
  constexpr std::uint8_t kCodes[]{6, 6, 5, 4, 3, 2};
  return level.i >= 0 && level.i < 6 ? kCodes[level.i] : 255;
}

void text_field(rules::EventField field, std::string_view text, Event& out) {
  switch (field) {
    case rules::EventField::Node:
      out.node = text;
      break;
    case rules::EventField::Via:
      out.via = text;
      break;
    case rules::EventField::From:
      out.from = text;
      break;
    case rules::EventField::Ifname:
      out.ifname = text;
      break;
    case rules::EventField::Raw:
      out.raw = text;
      break;
    case rules::EventField::Msg:
      out.message = text;
      break;
    case rules::EventField::App:
      out.app = text;
      break;
    case rules::EventField::Host:
      out.host = text;
      break;
    case rules::EventField::Pid:
      out.pid = text;
      break;
    case rules::EventField::Msgid:
      out.msgid = text;
      break;
    case rules::EventField::Tag:
      out.tag = text;
      break;
    case rules::EventField::Vendor:
      out.vendor = text;
      break;
    case rules::EventField::Agent:
      out.agent = text;
      break;
    case rules::EventField::Id:
      out.id = text;
      break;
    default:
      break;
  }
}

Result<void> attributes(const Schema& schema, const std::string& name, const TestValue& value,
                        Want want, Arena& arena, std::vector<Attr>& out) {
  if (!value.is_object) {
    BELFRY_TRY(const Value v, typed(schema, value, want, arena));
    out.push_back({arena.copy(name), v});
    return {};
  }
  for (const auto& [part, inner] : value.fields) {  // nested objects are flattened with dots
    BELFRY_CHECK_OK(attributes(schema, name + "." + part, inner, {Type::None}, arena, out));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Inventory>> test_inventory(const rules::Program& program,
                                                        const rules::Test& test) {
  const Schema& schema = *program.schema;
  InventoryBuilder builder(program.schema);
  Arena arena;
  for (const rules::TestGiven& given : test.given) {
    const std::string at =
        fmt::format("{}:{}", program.files.at(given.place.file), given.place.line);
    if (given.relation != rules::kNone) {
      const RelationSchema& relation = schema.relations[given.relation];
      for (const auto& [left, right] : given.fields) {
        TestValue from;
        from.value = Value::string(left);
        BELFRY_TRY(const Value x, typed(schema, from, {relation.left_type, relation.left}, arena));
        BELFRY_TRY(const Value y,
                   typed(schema, right, {relation.right_type, relation.right}, arena));
        builder.add_pair(given.relation, x, y);
      }
      continue;
    }
    const TableSchema& table = schema.tables[given.table];
    std::vector<Value> cells(table.columns.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (table.columns[i].is_set) {
        cells[i] = empty_set(arena);
      }
    }
    for (const auto& [name, value] : given.fields) {
      const auto column = std::find_if(
          table.columns.begin(), table.columns.end(),
          [&, wanted = std::string_view(name)](const ColumnSchema& c) { return c.name == wanted; });
      if (column == table.columns.end()) {
        return fail(Code::Invalid, "{}: table {} has no column '{}'", at, table.name, name);
      }
      auto made = cell(schema, value, *column, arena);
      if (!made) {
        return fail(Code::Invalid, "{}: {}: {}", at, name, made.error());
      }
      cells[static_cast<std::size_t>(column - table.columns.begin())] = *made;
    }
    builder.add_row(given.table, cells);
  }
  return builder.build(1);
}

Result<void> test_event(const rules::Program& program, const rules::TestEvent& from, Arena& arena,
                        Event& out) {
  const rules::EventType& type = program.event_types[from.event_type];
  out.type = type.name;
  out.kind = kind_of(type.name);
  std::vector<Attr> attrs;
  std::vector<Varbind> varbinds;
  for (const auto& [name, value] : from.fields) {
    if (value.is_object && (name == "var" || out.kind == EventKind::Trap)) {
      for (const auto& [object, inner] : value.fields) {
        BELFRY_TRY(const Varbind made, varbind(object, inner, arena));
        varbinds.push_back(made);
      }
      continue;
    }
    const auto field =
        std::find_if(type.fields.begin(), type.fields.end(),
                     [wanted = std::string_view(name)](const auto& f) { return f.name == wanted; });
    if (field == type.fields.end() || field->field == rules::EventField::Attr) {
      const Want want =
          field == type.fields.end() ? Want{Type::None} : Want{field->type, field->of};
      BELFRY_CHECK_OK(attributes(*program.schema, name, value, want, arena, attrs));
      continue;
    }
    if (field->field == rules::EventField::Oid) {
      BELFRY_TRY(const Value oid, typed(*program.schema, value, {Type::Oid}, arena));
      out.trap_oid = oid.text;
    } else if (field->field == rules::EventField::Level) {
      BELFRY_TRY(const Value level,
                 typed(*program.schema, value, {Type::Enum, program.enums.severity}, arena));
      out.severity = syslog_code(level);
    } else if (field->field == rules::EventField::Repeat) {
      out.repeat = static_cast<std::uint32_t>(std::clamp<std::int64_t>(value.value.i, 1, 1 << 30));
    } else {
      text_field(field->field, arena.copy(to_text(value.value)), out);
    }
  }
  if (out.kind == EventKind::Syslog && out.tag.empty()) {
    out.tag = tag_of(out.message);
  }
  if (out.raw.empty()) {
    out.raw = out.message;
  }
  out.attrs = arena.copy(std::span<const Attr>(attrs));
  out.varbinds = arena.copy(std::span<const Varbind>(varbinds));
  return {};
}

std::string test_text(const rules::TestValue& value) {
  if (!value.is_object) {
    return to_text(value.value);
  }
  std::vector<std::string> items;
  for (const auto& [name, item] : value.fields) {
    items.push_back(test_text(item));
  }
  return fmt::format("{}", fmt::join(items, ", "));
}

}  // namespace belfry
