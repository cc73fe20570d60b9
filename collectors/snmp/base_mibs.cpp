// The modules that every MIB imports, as far as that needs: names, numbers and display hints. They
// are read first, so that a folder which brings the whole of one replaces it.
#include "base_mibs.hpp"

namespace belfry::snmp {
namespace {

constexpr std::string_view kSNMPV2SMI = R"(SNMPv2-SMI DEFINITIONS ::= BEGIN
org OBJECT IDENTIFIER ::= { iso 3 }
dod OBJECT IDENTIFIER ::= { org 6 }
internet OBJECT IDENTIFIER ::= { dod 1 }
directory OBJECT IDENTIFIER ::= { internet 1 }
mgmt OBJECT IDENTIFIER ::= { internet 2 }
mib-2 OBJECT IDENTIFIER ::= { mgmt 1 }
transmission OBJECT IDENTIFIER ::= { mib-2 10 }
experimental OBJECT IDENTIFIER ::= { internet 3 }
private OBJECT IDENTIFIER ::= { internet 4 }
enterprises OBJECT IDENTIFIER ::= { private 1 }
security OBJECT IDENTIFIER ::= { internet 5 }
snmpV2 OBJECT IDENTIFIER ::= { internet 6 }
snmpDomains OBJECT IDENTIFIER ::= { snmpV2 1 }
snmpProxys OBJECT IDENTIFIER ::= { snmpV2 2 }
snmpModules OBJECT IDENTIFIER ::= { snmpV2 3 }
zeroDotZero OBJECT IDENTIFIER ::= { 0 0 }
END
)";

constexpr std::string_view kSNMPV2CONF = R"(SNMPv2-CONF DEFINITIONS ::= BEGIN
END
)";

constexpr std::string_view kRFC1212 = R"(RFC-1212 DEFINITIONS ::= BEGIN
END
)";

constexpr std::string_view kRFC1215 = R"(RFC-1215 DEFINITIONS ::= BEGIN
END
)";

constexpr std::string_view kRFC1155SMI = R"(RFC1155-SMI DEFINITIONS ::= BEGIN
org OBJECT IDENTIFIER ::= { iso 3 }
dod OBJECT IDENTIFIER ::= { org 6 }
internet OBJECT IDENTIFIER ::= { dod 1 }
directory OBJECT IDENTIFIER ::= { internet 1 }
mgmt OBJECT IDENTIFIER ::= { internet 2 }
experimental OBJECT IDENTIFIER ::= { internet 3 }
private OBJECT IDENTIFIER ::= { internet 4 }
enterprises OBJECT IDENTIFIER ::= { private 1 }
END
)";

constexpr std::string_view kSNMPV2TC = R"(SNMPv2-TC DEFINITIONS ::= BEGIN
DisplayString ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "255a"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (0..255))
PhysAddress ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "1x:"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING
MacAddress ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "1x:"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (6))
TruthValue ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { true(1), false(2) }
TestAndIncr ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER (0..2147483647)
AutonomousType ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OBJECT IDENTIFIER
InstancePointer ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OBJECT IDENTIFIER
VariablePointer ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OBJECT IDENTIFIER
RowPointer ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OBJECT IDENTIFIER
RowStatus ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { active(1), notInService(2), notReady(3), createAndGo(4), createAndWait(5), destroy(6) }
TimeStamp ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX TimeTicks
TimeInterval ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER (0..2147483647)
DateAndTime ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "2d-1d-1d,1d:1d:1d.1d,1a1d:1d"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (8 | 11))
StorageType ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { other(1), volatile(2), nonVolatile(3), permanent(4), readOnly(5) }
TDomain ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OBJECT IDENTIFIER
TAddress ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (1..255))
END
)";

constexpr std::string_view kSNMPV2MIB = R"(SNMPv2-MIB DEFINITIONS ::= BEGIN
IMPORTS
  mib-2, snmpModules, OBJECT-TYPE, NOTIFICATION-TYPE, MODULE-IDENTITY, Integer32, Counter32, Gauge32, TimeTicks, Counter64 FROM SNMPv2-SMI
  DisplayString, PhysAddress, TruthValue, TimeStamp, TEXTUAL-CONVENTION, AutonomousType FROM SNMPv2-TC;
snmpMIB OBJECT IDENTIFIER ::= { snmpModules 1 }
snmpMIBObjects OBJECT IDENTIFIER ::= { snmpMIB 1 }
system OBJECT IDENTIFIER ::= { mib-2 1 }
snmp OBJECT IDENTIFIER ::= { mib-2 11 }
snmpTrap OBJECT IDENTIFIER ::= { snmpMIBObjects 4 }
snmpTraps OBJECT IDENTIFIER ::= { snmpMIBObjects 5 }
sysDescr OBJECT-TYPE
  SYNTAX DisplayString
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 1 }
sysObjectID OBJECT-TYPE
  SYNTAX OBJECT IDENTIFIER
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 2 }
sysUpTime OBJECT-TYPE
  SYNTAX TimeTicks
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 3 }
sysContact OBJECT-TYPE
  SYNTAX DisplayString
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 4 }
sysName OBJECT-TYPE
  SYNTAX DisplayString
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 5 }
sysLocation OBJECT-TYPE
  SYNTAX DisplayString
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { system 6 }
snmpTrapOID OBJECT-TYPE
  SYNTAX OBJECT IDENTIFIER
  MAX-ACCESS accessible-for-notify
  STATUS current
  DESCRIPTION ""
  ::= { snmpTrap 1 }
snmpTrapEnterprise OBJECT-TYPE
  SYNTAX OBJECT IDENTIFIER
  MAX-ACCESS accessible-for-notify
  STATUS current
  DESCRIPTION ""
  ::= { snmpTrap 3 }
coldStart NOTIFICATION-TYPE
  STATUS current
  DESCRIPTION ""
  ::= { snmpTraps 1 }
warmStart NOTIFICATION-TYPE
  STATUS current
  DESCRIPTION ""
  ::= { snmpTraps 2 }
authenticationFailure NOTIFICATION-TYPE
  STATUS current
  DESCRIPTION ""
  ::= { snmpTraps 5 }
END
)";

constexpr std::string_view kIANAifTypeMIB = R"(IANAifType-MIB DEFINITIONS ::= BEGIN
IMPORTS
  mib-2 FROM SNMPv2-SMI
  TEXTUAL-CONVENTION FROM SNMPv2-TC;
ianaifType OBJECT IDENTIFIER ::= { mib-2 30 }
IANAifType ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { other(1), ethernetCsmacd(6), ppp(23), softwareLoopback(24), sonet(39), propVirtual(53), tunnel(131), l2vlan(135), l3ipvlan(136), mpls(166), ieee8023adLag(161), gpon(250) }
END
)";

constexpr std::string_view kIFMIB = R"(IF-MIB DEFINITIONS ::= BEGIN
IMPORTS
  mib-2, snmpModules, OBJECT-TYPE, NOTIFICATION-TYPE, MODULE-IDENTITY, Integer32, Counter32, Gauge32, TimeTicks, Counter64 FROM SNMPv2-SMI
  DisplayString, PhysAddress, TruthValue, TimeStamp, TEXTUAL-CONVENTION, AutonomousType FROM SNMPv2-TC
  snmpTraps FROM SNMPv2-MIB
  IANAifType FROM IANAifType-MIB;
ifMIB OBJECT IDENTIFIER ::= { mib-2 31 }
ifMIBObjects OBJECT IDENTIFIER ::= { ifMIB 1 }
interfaces OBJECT IDENTIFIER ::= { mib-2 2 }
InterfaceIndex ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d"
  STATUS current
  DESCRIPTION ""
  SYNTAX Integer32 (1..2147483647)
InterfaceIndexOrZero ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d"
  STATUS current
  DESCRIPTION ""
  SYNTAX Integer32 (0..2147483647)
ifNumber OBJECT-TYPE
  SYNTAX Integer32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { interfaces 1 }
ifTable OBJECT-TYPE
  SYNTAX SEQUENCE OF IfEntry
  MAX-ACCESS not-accessible
  STATUS current
  DESCRIPTION ""
  ::= { interfaces 2 }
ifEntry OBJECT-TYPE
  SYNTAX IfEntry
  MAX-ACCESS not-accessible
  STATUS current
  DESCRIPTION ""
  INDEX { ifIndex }
  ::= { ifTable 1 }
ifIndex OBJECT-TYPE
  SYNTAX InterfaceIndex
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 1 }
ifDescr OBJECT-TYPE
  SYNTAX DisplayString (SIZE (0..255))
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 2 }
ifType OBJECT-TYPE
  SYNTAX IANAifType
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 3 }
ifMtu OBJECT-TYPE
  SYNTAX Integer32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 4 }
ifSpeed OBJECT-TYPE
  SYNTAX Gauge32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 5 }
ifPhysAddress OBJECT-TYPE
  SYNTAX PhysAddress
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 6 }
ifAdminStatus OBJECT-TYPE
  SYNTAX INTEGER { up(1), down(2), testing(3) }
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 7 }
ifOperStatus OBJECT-TYPE
  SYNTAX INTEGER { up(1), down(2), testing(3), unknown(4), dormant(5), notPresent(6), lowerLayerDown(7) }
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 8 }
ifLastChange OBJECT-TYPE
  SYNTAX TimeTicks
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 9 }
ifInOctets OBJECT-TYPE
  SYNTAX Counter32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 10 }
ifInErrors OBJECT-TYPE
  SYNTAX Counter32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 14 }
ifOutOctets OBJECT-TYPE
  SYNTAX Counter32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 16 }
ifOutErrors OBJECT-TYPE
  SYNTAX Counter32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifEntry 20 }
ifXTable OBJECT-TYPE
  SYNTAX SEQUENCE OF IfXEntry
  MAX-ACCESS not-accessible
  STATUS current
  DESCRIPTION ""
  ::= { ifMIBObjects 1 }
ifXEntry OBJECT-TYPE
  SYNTAX IfXEntry
  MAX-ACCESS not-accessible
  STATUS current
  DESCRIPTION ""
  INDEX { ifIndex }
  ::= { ifXTable 1 }
ifName OBJECT-TYPE
  SYNTAX DisplayString
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifXEntry 1 }
ifHCInOctets OBJECT-TYPE
  SYNTAX Counter64
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifXEntry 6 }
ifHCOutOctets OBJECT-TYPE
  SYNTAX Counter64
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifXEntry 10 }
ifHighSpeed OBJECT-TYPE
  SYNTAX Gauge32
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifXEntry 15 }
ifAlias OBJECT-TYPE
  SYNTAX DisplayString (SIZE (0..64))
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION ""
  ::= { ifXEntry 18 }
linkDown NOTIFICATION-TYPE
  OBJECTS { ifIndex, ifAdminStatus, ifOperStatus }
  STATUS current
  DESCRIPTION ""
  ::= { snmpTraps 3 }
linkUp NOTIFICATION-TYPE
  OBJECTS { ifIndex, ifAdminStatus, ifOperStatus }
  STATUS current
  DESCRIPTION ""
  ::= { snmpTraps 4 }
END
)";

constexpr std::string_view kRFC1213MIB = R"(RFC1213-MIB DEFINITIONS ::= BEGIN
IMPORTS
  mgmt FROM RFC1155-SMI;
mib-2 OBJECT IDENTIFIER ::= { mgmt 1 }
system OBJECT IDENTIFIER ::= { mib-2 1 }
interfaces OBJECT IDENTIFIER ::= { mib-2 2 }
at OBJECT IDENTIFIER ::= { mib-2 3 }
ip OBJECT IDENTIFIER ::= { mib-2 4 }
icmp OBJECT IDENTIFIER ::= { mib-2 5 }
tcp OBJECT IDENTIFIER ::= { mib-2 6 }
udp OBJECT IDENTIFIER ::= { mib-2 7 }
egp OBJECT IDENTIFIER ::= { mib-2 8 }
transmission OBJECT IDENTIFIER ::= { mib-2 10 }
snmp OBJECT IDENTIFIER ::= { mib-2 11 }
DisplayString ::= OCTET STRING
PhysAddress ::= OCTET STRING
END
)";

constexpr std::string_view kSNMPFRAMEWORKMIB = R"(SNMP-FRAMEWORK-MIB DEFINITIONS ::= BEGIN
IMPORTS
  snmpModules FROM SNMPv2-SMI
  TEXTUAL-CONVENTION FROM SNMPv2-TC;
snmpFrameworkMIB OBJECT IDENTIFIER ::= { snmpModules 10 }
SnmpEngineID ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (5..32))
SnmpSecurityModel ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER (0..2147483647)
SnmpMessageProcessingModel ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER (0..2147483647)
SnmpSecurityLevel ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { noAuthNoPriv(1), authNoPriv(2), authPriv(3) }
SnmpAdminString ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "255t"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (0..255))
END
)";

constexpr std::string_view kINETADDRESSMIB = R"(INET-ADDRESS-MIB DEFINITIONS ::= BEGIN
IMPORTS
  mib-2 FROM SNMPv2-SMI
  TEXTUAL-CONVENTION FROM SNMPv2-TC;
inetAddressMIB OBJECT IDENTIFIER ::= { mib-2 76 }
InetAddressType ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX INTEGER { unknown(0), ipv4(1), ipv6(2), ipv4z(3), ipv6z(4), dns(16) }
InetAddress ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (0..255))
InetAddressIPv4 ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "1d.1d.1d.1d"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (4))
InetAddressIPv6 ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "2x:2x:2x:2x:2x:2x:2x:2x"
  STATUS current
  DESCRIPTION ""
  SYNTAX OCTET STRING (SIZE (16))
InetAddressPrefixLength ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d"
  STATUS current
  DESCRIPTION ""
  SYNTAX Unsigned32 (0..2040)
InetPortNumber ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d"
  STATUS current
  DESCRIPTION ""
  SYNTAX Unsigned32 (0..65535)
InetAutonomousSystemNumber ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d"
  STATUS current
  DESCRIPTION ""
  SYNTAX Unsigned32
END
)";

constexpr std::string_view kHCNUMTC = R"(HCNUM-TC DEFINITIONS ::= BEGIN
IMPORTS
  mib-2 FROM SNMPv2-SMI
  TEXTUAL-CONVENTION FROM SNMPv2-TC;
hcnumTC OBJECT IDENTIFIER ::= { mib-2 78 }
CounterBasedGauge64 ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX Counter64
ZeroBasedCounter64 ::= TEXTUAL-CONVENTION
  STATUS current
  DESCRIPTION ""
  SYNTAX Counter64
END
)";

constexpr BaseMib kBase[]{
    {"SNMPv2-SMI", kSNMPV2SMI},
    {"SNMPv2-CONF", kSNMPV2CONF},
    {"RFC-1212", kRFC1212},
    {"RFC-1215", kRFC1215},
    {"RFC1155-SMI", kRFC1155SMI},
    {"SNMPv2-TC", kSNMPV2TC},
    {"SNMPv2-MIB", kSNMPV2MIB},
    {"IANAifType-MIB", kIANAifTypeMIB},
    {"IF-MIB", kIFMIB},
    {"RFC1213-MIB", kRFC1213MIB},
    {"SNMP-FRAMEWORK-MIB", kSNMPFRAMEWORKMIB},
    {"INET-ADDRESS-MIB", kINETADDRESSMIB},
    {"HCNUM-TC", kHCNUMTC},
};

}  // namespace

std::span<const BaseMib> base_mibs() { return kBase; }

}  // namespace belfry::snmp
