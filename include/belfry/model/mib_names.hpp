#pragma once
// Names of well-known SNMP notifications, objects and identities: what rules may write as
// `IF-MIB::linkDown` or `var.ifDescr` without any MIB file, and what people see beside numbers.
//
// OIDs are BER content octets (oid.hpp); scalars stand without their `.0`.
// Thread: any. The table is built once, at first use; lookups by OID allocate nothing.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

/// The OID of `module::name`; with an empty module the first one of that name. nullopt: unknown.
std::optional<std::string> mib_oid(std::string_view module, std::string_view name);
/// All trap OIDs under which agents send that notification, the MIB's own first. There are two
/// where the MIB's OID has no 0 before its last arc: an SNMPv1 trap of it is mapped to
/// `enterprise.0.n` (RFC 3584 3.1), e.g. UPS-MIB::upsTrapOnBattery is 1.3.6.1.2.1.33.2.1
/// and 1.3.6.1.2.1.33.2.0.1.
/// BGP4-MIB's two notifications come with those of the other RFC too.
std::vector<std::string> mib_trap_oids(std::string_view module, std::string_view name);
/// That OID, and the one that its SNMPv1 form is mapped to where that is another.
std::vector<std::string> with_v1_form(const std::string& octets);
/// Name of the longest known prefix of `octets` (`ifDescr` for ifDescr.3); empty when none is
/// known. Only the last named arc counts: a bare subtree above it (`mib-2`) has no name.
std::string_view mib_name(std::string_view octets);
/// The same with its module, and how many octets the name covers (the rest is the instance).
struct MibName {
  std::string_view module, name;
  std::size_t octets = 0;
};
std::optional<MibName> mib_find(std::string_view octets);

/// Every known name, sorted, without doubles: for "did you mean".
std::span<const std::string_view> mib_names();
/// The names of one module, sorted; empty when the module is unknown.
std::vector<std::string_view> mib_names(std::string_view module);
std::span<const std::string_view> mib_modules();

}  // namespace belfry
