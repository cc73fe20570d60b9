#pragma once
// Bodies that name their values: pairs, CEF and LEEF extensions, comma separated columns, JSON.
// Each walker calls `take(name, value)` with slices of the text; total, bounded.
#include <cstddef>
#include <string_view>

#include "chars.hpp"

namespace belfry::syslog {

inline constexpr std::size_t kPairsMax = 512;     // names of one message that are looked at
inline constexpr std::size_t kJsonDepthMax = 8;   // objects inside each other
inline constexpr std::size_t kJsonPathMax = 128;  // bytes of a.b.c

/// True when `text` begins with `name=`.
inline bool pairs_at(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && n < 64 && (is(text[n], kMnemonic) || text[n] == '.')) {
    ++n;
  }
  return n > 0 && n < text.size() && text[n] == '=';
}

/// `name=value name="quoted value"`, whatever separates them: space, comma, bar, semicolon, tab.
template <class Take>
void walk_pairs(std::string_view text, Take&& take) {
  for (std::size_t pairs = 0; pairs < kPairsMax && !text.empty(); ++pairs) {
    std::size_t begin = 0;
    while (begin < text.size() && !is(text[begin], kMnemonic)) {
      ++begin;
    }
    text.remove_prefix(begin);
    std::size_t n = 0;
    while (n < text.size() && (is(text[n], kMnemonic) || text[n] == '.')) {
      ++n;
    }
    if (n >= text.size()) {
      return;
    }
    if (text[n] != '=') {  // a word between pairs
      text.remove_prefix(n);
      continue;
    }
    const std::string_view name = text.substr(0, n);
    text.remove_prefix(n + 1);
    std::size_t end = 0;
    if (text.starts_with('"')) {
      end = 1;
      while (end < text.size() && text[end] != '"') {
        end += text[end] == '\\' ? 2 : 1;
      }
      end = end < text.size() ? end : text.size();
      take(name, text.substr(1, end - 1));
      text.remove_prefix(end < text.size() ? end + 1 : end);
      continue;
    }
    while (end < text.size() && !is_space(text[end]) && text[end] != ',' && text[end] != '|' &&
           text[end] != ';') {
      ++end;
    }
    take(name, text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// CEF's extension: values have spaces in them, they end before the next ` name=`; `\=` is text.
template <class Take>
void walk_cef(std::string_view text, Take&& take) {
  std::size_t equals = text.find('=');
  for (std::size_t pairs = 0; pairs < kPairsMax && equals != std::string_view::npos; ++pairs) {
    const std::size_t space = text.substr(0, equals).rfind(' ');
    const std::size_t begin = space == std::string_view::npos ? 0 : space + 1;
    std::size_t next = equals + 1, end = text.size();
    for (;; ++next) {
      next = text.find('=', next);
      if (next == std::string_view::npos) {
        break;
      }
      const std::size_t before = text.substr(0, next).rfind(' ');
      if (text[next - 1] != '\\' && before != std::string_view::npos && before > equals &&
          before + 1 < next) {
        end = before;
        break;
      }
    }
    take(text.substr(begin, equals - begin), text.substr(equals + 1, end - equals - 1));
    equals = next;
  }
}

/// LEEF's attributes, each ended by `delimiter`.
template <class Take>
void walk_leef(std::string_view text, char delimiter, Take&& take) {
  for (std::size_t pairs = 0; pairs < kPairsMax && !text.empty(); ++pairs) {
    const std::string_view pair = text.substr(0, text.find(delimiter));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      take(pair.substr(0, equals), pair.substr(equals + 1));
    }
    text.remove_prefix(pair.size() < text.size() ? pair.size() + 1 : pair.size());
  }
}

/// Columns of a line of comma separated values; quoted ones may hold commas.
template <class Take>
void walk_columns(std::string_view text, Take&& take) {
  for (std::size_t column = 0; column < kPairsMax; ++column) {
    std::size_t end = 0;
    std::string_view value;
    if (text.starts_with('"')) {
      end = text.find('"', 1);
      value = text.substr(1, end == std::string_view::npos ? end : end - 1);
      end = end == std::string_view::npos ? end : text.find(',', end);
    } else {
      end = text.find(',');
      value = text.substr(0, end);
    }
    take(column, value);
    if (end == std::string_view::npos) {
      return;
    }
    text.remove_prefix(end + 1);
  }
}

/// Members of a JSON object: `take("a.b", text)` for strings (still escaped) and numbers. Arrays
/// are stepped over. False: it is not JSON to its end; what came before was given.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}
  template <class Take>
  bool object(Take&& take) {
    return read_object(0, 0, take);
  }

 private:
  void skip() {
    while (at_ < text_.size() &&
           (is_space(text_[at_]) || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take_char(char c) {
    skip();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  bool string(std::string_view& out) {
    if (!take_char('"')) {
      return false;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      return false;
    }
    out = text_.substr(begin, at_ - begin);
    ++at_;
    return true;
  }
  /// Past an array, or an object that is too deep.
  bool step_over() {
    std::size_t depth = 0;
    do {
      skip();
      std::string_view ignored;
      if (at_ >= text_.size()) {
        return false;
      }
      const char c = text_[at_];
      if (c == '"') {
        if (!string(ignored)) {
          return false;
        }
        continue;
      }
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= (c == '}' || c == ']') && depth > 0 ? 1 : 0;
      ++at_;
    } while (depth > 0);
    return true;
  }
  template <class Take>
  bool value(std::size_t depth, std::size_t path, Take& take) {
    skip();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    std::string_view text;
    if (c == '"') {
      if (!string(text)) {
        return false;
      }
    } else if (c == '{' && depth < kJsonDepthMax) {
      return read_object(depth + 1, path, take);
    } else if (c == '{' || c == '[') {
      return step_over();
    } else {
      const std::size_t begin = at_;
      while (at_ < text_.size() &&
             (is(text_[at_], kMnemonic) || text_[at_] == '.' || text_[at_] == '+')) {
        ++at_;
      }
      text = text_.substr(begin, at_ - begin);
      if (text.empty()) {
        return false;
      }
    }
    take(std::string_view(path_, path), text);
    return true;
  }
  template <class Take>
  bool read_object(std::size_t depth, std::size_t path, Take& take) {
    if (!take_char('{')) {
      return false;
    }
    if (take_char('}')) {
      return true;
    }
    do {
      std::string_view name;
      if (!string(name) || !take_char(':')) {
        return false;
      }
      std::size_t end = path;
      if (end + 1 + name.size() < kJsonPathMax) {
        if (end > 0) {
          path_[end++] = '.';
        }
        for (const char c : name) {
          path_[end++] = c;
        }
      }
      if (!value(depth, end, take)) {
        return false;
      }
    } while (take_char(','));
    return take_char('}');
  }

  std::string_view text_;
  std::size_t at_ = 0;
  char path_[kJsonPathMax];
};

}  // namespace belfry::syslog
