#pragma once
// RFC 5424 header and structured data.
#include <cstddef>
#include <string_view>

#include "belfry/model/event.hpp"

namespace belfry::syslog {

/// What became of an attempt to read `VERSION SP TIMESTAMP SP ...`.
enum class Rfc5424 : unsigned char {
  NotOne,  ///< does not look like it: an RFC 3164 line
  Valid,   ///< exactly by the RFC
  Loose,   ///< all fields were found, but one breaks the RFC; `why` says which
  Broken,  ///< meant as RFC 5424 but it cannot be taken apart; `why` says why. Fields are untouched
};

/// `text` is what follows `<PRI>`. `version_end`: how many bytes VERSION and its space take.
Rfc5424 read_rfc5424(std::string_view text, Event& out, std::string_view& why,
                     std::size_t& version_end);

/// Length of the structured data at the head of `text` (`[`...`]`...), 0 when it is not one. `why`
/// is set when it breaks the RFC.
std::size_t read_structured_data(std::string_view text, std::string_view& why);

}  // namespace belfry::syslog
