#pragma once
// What the decoders of this module share: JSON values as texts, words and times. Private to
// webhook.
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "belfry/base/time.hpp"
#include "belfry/webhook/webhook.hpp"

namespace belfry::webhook {

namespace json = boost::json;

inline std::string_view text(const json::string& s) { return {s.data(), s.size()}; }
inline std::string_view key_of(const json::key_value_pair& p) {
  return {p.key().data(), p.key().size()};
}
/// "a text", "a number": for messages.
std::string_view kind_word(const json::value& v);
/// Syslog's code of an X.733 or syslog word, any case.
std::optional<std::uint8_t> level_code(std::string_view word);
/// RFC 3339 text, or epoch seconds.
std::optional<Instant> instant_of(const json::value& v);
/// One value and nothing behind it. Invalid: line, column and what was expected.
Result<json::value> parse(std::string_view body, const WebhookOptions& options);

}  // namespace belfry::webhook
