#pragma once
// Small text helpers that more than one module needs. All take and give std::string_view.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

std::string_view trim(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
/// Whole text as a number; nullopt for anything else (empty, sign alone, overflow, rest).
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<double> parse_float(std::string_view text);
/// Length in bytes (1-4) of the UTF-8 sequence at text[i], 0 when the bytes there are not one.
/// REQUIRES: i < text.size().
std::size_t utf8_sequence(std::string_view text, std::size_t i);
/// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool is_utf8(std::string_view text);
/// Bytes that a terminal or a log line must not see (C0, C1, DEL, bad UTF-8) become
/// escapes (`\x1b`, `\n`); the rest stays.
std::string printable(std::string_view text, std::size_t bytes_max = 4096);
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);  ///< spaces and colons are skipped
/// Number of single-character edits between two words, for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The nearest word at a distance that a typing error explains; empty when there is none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace belfry
