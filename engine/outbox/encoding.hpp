#pragma once
// Base64 (RFC 4648 4), private to the outbox.
#include <string>
#include <string_view>

namespace belfry {
std::string base64(std::string_view bytes);
}  // namespace belfry
