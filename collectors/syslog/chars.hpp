#pragma once
// Character classes and small cursor helpers of the syslog decoder.
#include <array>
#include <cstdint>
#include <string_view>

namespace belfry::syslog {

inline constexpr std::uint8_t kDigit = 1;      // 0-9
inline constexpr std::uint8_t kAlpha = 2;      // A-Z a-z
inline constexpr std::uint8_t kHost = 4;       // names and addresses of hosts
inline constexpr std::uint8_t kProgram = 8;    // what an application name is made of
inline constexpr std::uint8_t kPrint = 16;     // PRINTUSASCII of RFC 5424: 33-126
inline constexpr std::uint8_t kSdName = 32;    // kPrint but = ] "
inline constexpr std::uint8_t kMnemonic = 64;  // inside %FAC-SEV-MNEMONIC

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  for (unsigned c = 33; c <= 126; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    std::uint8_t v = kPrint;
    if (digit) {
      v |= kDigit;
    }
    if (alpha) {
      v |= kAlpha;
    }
    if (digit || alpha || c == '.' || c == '-' || c == '_' || c == ':') {
      v |= kHost;
    }
    if (c != ':' && c != '[' && c != ',') {
      v |= kProgram;
    }
    if (c != '=' && c != ']' && c != '"') {
      v |= kSdName;
    }
    if (digit || alpha || c == '_' || c == '-') {
      v |= kMnemonic;
    }
    t[c] = v;
  }
  // Host names that people really configure: umlauts and other UTF-8.
  for (unsigned c = 128; c < 256; ++c) {
    t[c] = kProgram;
  }
  return t;
}
inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

inline bool is(char c, std::uint8_t classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}
inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_space(char c) { return c == ' ' || c == '\t'; }

/// Length of the run of `classes` at the head of `text`.
inline std::size_t run_of(std::string_view text, std::uint8_t classes) {
  std::size_t n = 0;
  while (n < text.size() && is(text[n], classes)) {
    ++n;
  }
  return n;
}
inline bool all_of(std::string_view text, std::uint8_t classes) {
  return run_of(text, classes) == text.size();
}
inline std::size_t skip_spaces(std::string_view text, std::size_t from = 0) {
  while (from < text.size() && is_space(text[from])) {
    ++from;
  }
  return from;
}
inline void trim_front(std::string_view& text) { text.remove_prefix(skip_spaces(text)); }
/// The word at the head of `text`: up to a space, tab or line end.
inline std::string_view word_of(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && !is_space(text[n]) && text[n] != '\n' && text[n] != '\r') {
    ++n;
  }
  return text.substr(0, n);
}
/// `n` digits at text[at] as a number, -1 when they are not there.
inline int digits_at(std::string_view text, std::size_t at, std::size_t n) {
  if (at + n > text.size()) {
    return -1;
  }
  int v = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const char c = text[at + i];
    if (!is_digit(c)) {
      return -1;
    }
    v = v * 10 + (c - '0');
  }
  return v;
}

}  // namespace belfry::syslog
