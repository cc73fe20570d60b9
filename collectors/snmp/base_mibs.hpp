#pragma once
#include <span>
#include <string_view>

namespace belfry::snmp {

struct BaseMib {
  std::string_view name, text;
};
/// SNMPv2-SMI, SNMPv2-TC, IF-MIB and their like.
std::span<const BaseMib> base_mibs();

}  // namespace belfry::snmp
