#pragma once
// Builds SNMP messages for tests: nested TLVs as strings.
#include <string>
#include <string_view>

#include "belfry/model/oid.hpp"

namespace belfry::snmp::test {

inline std::string tlv(unsigned tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out.push_back(static_cast<char>(content.size()));
  } else {
    out.push_back(static_cast<char>(0x82));
    out.push_back(static_cast<char>(content.size() >> 8));
    out.push_back(static_cast<char>(content.size() & 0xff));
  }
  return out.append(content);
}
inline std::string hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return out;
}
inline std::string integer(std::string_view content_hex) { return tlv(0x02, hex(content_hex)); }
inline std::string oid(std::string_view text) { return tlv(0x06, *oid_from_text(text)); }
inline std::string varbind(std::string_view name, const std::string& value) {
  return tlv(0x30, oid(name) + value);
}
inline std::string message(std::string_view version_hex, unsigned pdu_tag, std::string_view pdu,
                           std::string_view community = "field-team") {
  return tlv(0x30, integer(version_hex) + tlv(0x04, community) + tlv(pdu_tag, pdu));
}
/// linkDown of interface 7 after 1 h 2 m 3 s.
inline std::string v2_pdu(std::string_view trap = "1.3.6.1.6.3.1.1.5.3") {
  return integer("2a") + integer("00") + integer("00") +
         tlv(0x30, varbind("1.3.6.1.2.1.1.3.0", tlv(0x43, hex("05ae3c"))) +
                       varbind("1.3.6.1.6.3.1.1.4.1.0", oid(trap)) +
                       varbind("1.3.6.1.2.1.2.2.1.1.7", integer("07")) +
                       varbind("1.3.6.1.2.1.2.2.1.2.7", tlv(0x04, "et-0/0/7")));
}
inline std::string v1_pdu(std::string_view generic_hex, std::string_view specific_hex,
                          std::string_view varbinds = {}, std::string_view agent_hex = "0a630005") {
  return oid("1.3.6.1.4.1.32473.5") + tlv(0x40, hex(agent_hex)) + integer(generic_hex) +
         integer(specific_hex) + tlv(0x43, hex("64")) + tlv(0x30, varbinds);
}

}  // namespace belfry::snmp::test
