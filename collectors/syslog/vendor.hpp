#pragma once
// Vendor mnemonics: `%LINK-3-UPDOWN:`, `%%01IFNET/4/LINK_STATE(l)[1]:`, `RPD_OSPF_NBRUP:`, CEF.
#include <cstddef>
#include <string_view>

#include "belfry/model/event.hpp"

namespace belfry::syslog {

struct Mnemonic {
  std::string_view tag;    ///< without `%` and `:`; empty = none here
  std::string_view word;   ///< as written from the `%` on: what stands for the program
  std::size_t length = 0;  ///< with the colon
  bool comware = false, huawei = false, dell = false;
};
/// A mnemonic at the head of `text`, which begins with `%`.
Mnemonic read_mnemonic(std::string_view text);

/// Sets tag and vendor from app, msgid, message and structured_data. `routing_engine`: the line has
/// the place of an IOS XR process in front (`RP/0/RSP0/CPU0:`).
void set_tag(Event& out, bool routing_engine);

}  // namespace belfry::syslog
