#pragma once
// Syslog decoder: any bytes in, an Event out. RFC 5424, RFC 3164 and what devices really send.
//
//   <189>117: r1: *May  9 12:49:27.098: %LINK-3-UPDOWN: Interface Gi2, changed state to down
//    pri  seq host stamp                tag              message = from `%LINK` on
//
// Zero-copy and total: every field is a slice of `raw`, nothing is allocated, nothing is thrown.
// What cannot be understood keeps valid = false, the reason word in `why`, and all fields that
// could be read.
//
// Thread: any; no state.
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"

namespace belfry::syslog {

/// Fills `out` (zeroed by the caller) from one message without its framing. REQUIRES: `raw`
/// outlives `out`, in practice it lies in `arena`. `received` gives the year of stamps that have
/// none (the latest one that is at most a day ahead of it).
void decode(std::string_view raw, Arena& arena, Instant received, Event& out);

/// One element of STRUCTURED-DATA after another, for printing and tests.
struct SdParam {
  std::string_view element;  ///< SD-ID
  std::string_view name;     ///< empty: the element itself was met
  std::string_view value;    ///< as written: `\"` `\\` `\]` still escaped
};
/// Walks the text of Event::structured_data; false at its end or at the first byte that is none.
class SdReader {
 public:
  explicit SdReader(std::string_view text) : rest_(text) {}
  bool next(SdParam& out);

 private:
  std::string_view rest_;
  std::string_view element_;
};

}  // namespace belfry::syslog
