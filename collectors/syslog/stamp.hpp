#pragma once
// Time stamps of syslog headers, in every dress that devices give them.
#include <cstddef>
#include <string_view>

#include "belfry/base/time.hpp"

namespace belfry::syslog {

struct Stamp {
  Instant at{0};           ///< 0: a stamp was there, but it names no time of the calendar (uptime)
  std::size_t length = 0;  ///< bytes read; 0 = no stamp here
};

/// A stamp at the head of `text`, with its zone if it has one, without the `:` that may follow.
Stamp read_stamp(std::string_view text, Instant received);

/// TIMESTAMP of RFC 5424 6.2.3, exactly. `at` stays 0 when the year is beyond what an Instant
/// holds.
bool read_rfc5424_stamp(std::string_view token, Instant& at);

/// True when `text` begins with the name of a month (three letters, any case).
bool at_month(std::string_view text);

}  // namespace belfry::syslog
