#include "belfry/model/ids.hpp"

#include <charconv>

#include "belfry/base/text.hpp"

namespace belfry {

std::string to_text(IncidentId id) { return fmt::format("{:016x}", id.value); }
std::string to_text(TicketId id) { return fmt::format("T-{}", id.value); }
std::string to_text(EffectId id) { return fmt::format("{:016x}", id.value); }

Result<IncidentId> parse_incident_id(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with("INC-")) {
    digits.remove_prefix(4);
  }
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v, 16);
  if (digits.size() != 16 || error != std::errc{} || end != digits.data() + digits.size()) {
    return fail(Code::Invalid, "'{}' is not an incident id: expected 16 hex digits",
                printable(text, 40));
  }
  return IncidentId{v};
}

Result<TicketId> parse_ticket_id(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with("T-")) {
    digits.remove_prefix(2);
  }
  const auto v = parse_int(digits);
  if (!v || *v <= 0) {
    return fail(Code::Invalid, "'{}' is not a ticket id: expected T- and a number, as T-12",
                printable(text, 40));
  }
  return TicketId{static_cast<std::uint64_t>(*v)};
}

}  // namespace belfry
