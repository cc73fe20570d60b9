#pragma once
// JsonWriter: appends JSON to a string; the way out for `--json`, the API and the feed. Strings are
// escaped, bytes that are not UTF-8 become U+FFFD. It does not check nesting: `end()` closes what
// the last `object()`/`array()` opened. Reading JSON is the edges' business (Boost.JSON).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter& object() { return open('{', '}'); }
  JsonWriter& array() { return open('[', ']'); }
  JsonWriter& end();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool v);
  JsonWriter& value(std::int64_t v);
  JsonWriter& value(std::uint64_t v);
  JsonWriter& value(int v) { return value(static_cast<std::int64_t>(v)); }
  JsonWriter& value(unsigned v) { return value(static_cast<std::uint64_t>(v)); }
  JsonWriter& value(double v);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  ///< already JSON
  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }
  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char begin, char end);
  void comma();
  std::string out_;
  std::vector<char> ends_;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace belfry
