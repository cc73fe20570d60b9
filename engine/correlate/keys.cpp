#include "keys.hpp"

#include <fmt/format.h>

#include "belfry/base/text.hpp"

namespace belfry::correlate {

std::optional<std::string_view> part_text(const Value& value, const rules::Param& param,
                                          std::string& scratch) {
  switch (value.type) {
    case Type::None:
    case Type::Set:
      return std::nullopt;
    case Type::String:
    case Type::Enum:
    case Type::Ip:
    case Type::Cidr:
    case Type::Oid:
    case Type::Mac:
    case Type::Row:
      return value.text;
    case Type::Bool:
    case Type::Int:
    case Type::Duration:
    case Type::Time:
      if (param.type == Type::Float) {
        scratch = fmt::format("{}", static_cast<double>(value.i));
      } else if (param.type == Type::String) {
        scratch = to_text(value);
      } else {
        scratch = fmt::format("{}", value.i);
      }
      return scratch;
    case Type::Float:
      scratch = fmt::format("{}", value.f);
      return scratch;
  }
  return std::nullopt;
}

namespace {

Value enum_value(std::string_view text, const rules::Param& param, const Schema* schema) {
  if (schema == nullptr || param.of >= schema->enums.size()) {
    return Value::string(text);
  }
  const std::vector<std::string>& words = schema->enums[param.of].words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) {
      return Value::enumerator(param.of, static_cast<std::int64_t>(i), words[i]);
    }
  }
  return Value::none();
}

}  // namespace

Value part_value(std::string_view text, const rules::Param& param, const Schema* schema) {
  switch (param.type) {
    case Type::Bool:
      return Value::boolean(text == "1");
    case Type::Int:
      return Value::integer(parse_int(text).value_or(0));
    case Type::Duration:
      return Value::duration(Duration(parse_int(text).value_or(0)));
    case Type::Time:
      return Value::time(Instant{parse_int(text).value_or(0)});
    case Type::Float:
      return Value::real(parse_float(text).value_or(0));
    case Type::Enum:
      return enum_value(text, param, schema);
    case Type::Row:
      return Value::row(param.of, text);
    case Type::Ip:
    case Type::Cidr:
    case Type::Oid:
    case Type::Mac:
      return Value::of_text(param.type, text);
    default:
      return Value::string(text);
  }
}

}  // namespace belfry::correlate
