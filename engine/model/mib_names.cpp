#include "belfry/model/mib_names.hpp"

#include <algorithm>
#include <deque>

#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"

namespace belfry {
namespace {

// One line: module, base OID, names with the arcs below the base. A module may have many lines.
// Only what the published MIB (RFC or vendor) says; where two RFCs differ, both are here.
constexpr std::string_view kTable = R"(
SNMPv2-MIB 1.3.6.1.2.1.1 sysDescr=1 sysObjectID=2 sysUpTime=3 sysContact=4 sysName=5 sysLocation=6
SNMPv2-MIB 1.3.6.1.2.1.1 sysServices=7
SNMPv2-MIB 1.3.6.1.6.3.1.1.4 snmpTrapOID=1 snmpTrapEnterprise=3
SNMPv2-MIB 1.3.6.1.6.3.1.1.5 coldStart=1 warmStart=2 authenticationFailure=5
RFC1213-MIB 1.3.6.1.6.3.1.1.5 egpNeighborLoss=6
RFC1213-MIB 1.3.6.1.2.1.8.5.1 egpNeighAddr=2
SNMP-COMMUNITY-MIB 1.3.6.1.6.3.18.1 snmpTrapAddress=3 snmpTrapCommunity=4
IF-MIB 1.3.6.1.6.3.1.1.5 linkDown=3 linkUp=4
IF-MIB 1.3.6.1.2.1.2 ifNumber=1
IF-MIB 1.3.6.1.2.1.2.2.1 ifIndex=1 ifDescr=2 ifType=3 ifMtu=4 ifSpeed=5 ifPhysAddress=6
IF-MIB 1.3.6.1.2.1.2.2.1 ifAdminStatus=7 ifOperStatus=8 ifLastChange=9
IF-MIB 1.3.6.1.2.1.2.2.1 ifInOctets=10 ifInUcastPkts=11 ifInDiscards=13 ifInErrors=14 ifOutOctets=16
IF-MIB 1.3.6.1.2.1.2.2.1 ifOutUcastPkts=17 ifOutDiscards=19 ifOutErrors=20
IF-MIB 1.3.6.1.2.1.31.1.1.1 ifName=1 ifHCInOctets=6 ifHCOutOctets=10 ifLinkUpDownTrapEnable=14
IF-MIB 1.3.6.1.2.1.31.1.1.1 ifHighSpeed=15 ifPromiscuousMode=16 ifConnectorPresent=17 ifAlias=18
IP-MIB 1.3.6.1.2.1.4.20.1 ipAdEntAddr=1 ipAdEntIfIndex=2
BGP4-MIB 1.3.6.1.2.1.15 bgpVersion=1 bgpLocalAs=2 bgpIdentifier=4
BGP4-MIB 1.3.6.1.2.1.15.3.1 bgpPeerIdentifier=1 bgpPeerState=2 bgpPeerAdminStatus=3
BGP4-MIB 1.3.6.1.2.1.15.3.1 bgpPeerNegotiatedVersion=4 bgpPeerLocalAddr=5 bgpPeerLocalPort=6
BGP4-MIB 1.3.6.1.2.1.15.3.1 bgpPeerRemoteAddr=7 bgpPeerRemotePort=8 bgpPeerRemoteAs=9
BGP4-MIB 1.3.6.1.2.1.15.3.1 bgpPeerLastError=14 bgpPeerFsmEstablishedTransitions=15
BGP4-MIB 1.3.6.1.2.1.15.3.1 bgpPeerFsmEstablishedTime=16
BGP4-MIB 1.3.6.1.2.1.15.7 bgpEstablished=1 bgpBackwardTransition=2
BGP4-MIB 1.3.6.1.2.1.15.0 bgpEstablishedNotification=1 bgpBackwardTransNotification=2
OSPF-MIB 1.3.6.1.2.1.14.1 ospfRouterId=1
OSPF-MIB 1.3.6.1.2.1.14.4.1 ospfLsdbAreaId=1 ospfLsdbType=2 ospfLsdbLsid=3 ospfLsdbRouterId=4
OSPF-MIB 1.3.6.1.2.1.14.7.1 ospfIfIpAddress=1 ospfAddressLessIf=2 ospfIfAreaId=3 ospfIfType=4
OSPF-MIB 1.3.6.1.2.1.14.7.1 ospfIfState=12
OSPF-MIB 1.3.6.1.2.1.14.9.1 ospfVirtIfAreaId=1 ospfVirtIfNeighbor=2 ospfVirtIfState=7
OSPF-MIB 1.3.6.1.2.1.14.10.1 ospfNbrIpAddr=1 ospfNbrAddressLessIndex=2 ospfNbrRtrId=3 ospfNbrState=6
OSPF-MIB 1.3.6.1.2.1.14.11.1 ospfVirtNbrArea=1 ospfVirtNbrRtrId=2 ospfVirtNbrState=5
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.1 ospfSetTrap=1 ospfConfigErrorType=2 ospfPacketType=3
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.1 ospfPacketSrc=4
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfVirtIfStateChange=1 ospfNbrStateChange=2
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfVirtNbrStateChange=3 ospfIfConfigError=4
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfVirtIfConfigError=5
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfIfAuthFailure=6 ospfVirtIfAuthFailure=7 ospfIfRxBadPacket=8
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfVirtIfRxBadPacket=9 ospfTxRetransmit=10
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfVirtIfTxRetransmit=11 ospfOriginateLsa=12 ospfMaxAgeLsa=13
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfLsdbOverflow=14 ospfLsdbApproachingOverflow=15
OSPF-TRAP-MIB 1.3.6.1.2.1.14.16.2 ospfIfStateChange=16
ISIS-MIB 1.3.6.1.2.1.138.0 isisDatabaseOverload=1 isisAreaMismatch=12 isisRejectedAdjacency=13
ISIS-MIB 1.3.6.1.2.1.138.0 isisAdjacencyChange=17
BFD-STD-MIB 1.3.6.1.2.1.222.0 bfdSessUp=1 bfdSessDown=2
MPLS-TE-STD-MIB 1.3.6.1.2.1.10.166.3.0 mplsTunnelUp=1 mplsTunnelDown=2 mplsTunnelRerouted=3
MPLS-TE-STD-MIB 1.3.6.1.2.1.10.166.3.0 mplsTunnelReoptimized=4
MPLS-LDP-STD-MIB 1.3.6.1.2.1.10.166.4.0 mplsLdpInitSessionThresholdExceeded=1
MPLS-LDP-STD-MIB 1.3.6.1.2.1.10.166.4.0 mplsLdpPathVectorLimitMismatch=2 mplsLdpSessionUp=3
MPLS-LDP-STD-MIB 1.3.6.1.2.1.10.166.4.0 mplsLdpSessionDown=4
MPLS-L3VPN-STD-MIB 1.3.6.1.2.1.10.166.11.0 mplsL3VpnVrfUp=1 mplsL3VpnVrfDown=2
VRRP-MIB 1.3.6.1.2.1.68.0 vrrpTrapNewMaster=1 vrrpTrapAuthFailure=2
VRRP-MIB 1.3.6.1.2.1.68.1.3.1 vrrpOperVrId=1 vrrpOperState=3 vrrpOperMasterIpAddr=7
BRIDGE-MIB 1.3.6.1.2.1.17.0 newRoot=1 topologyChange=2
BRIDGE-MIB 1.3.6.1.2.1.17.1.4.1 dot1dBasePort=1 dot1dBasePortIfIndex=2
RMON-MIB 1.3.6.1.2.1.16.0 risingAlarm=1 fallingAlarm=2
RMON-MIB 1.3.6.1.2.1.16.3.1.1 alarmIndex=1 alarmInterval=2 alarmVariable=3 alarmSampleType=4
RMON-MIB 1.3.6.1.2.1.16.3.1.1 alarmValue=5 alarmStartupAlarm=6 alarmRisingThreshold=7
RMON-MIB 1.3.6.1.2.1.16.3.1.1 alarmFallingThreshold=8
LLDP-MIB 1.0.8802.1.1.2.0.0 lldpRemTablesChange=1
ENTITY-MIB 1.3.6.1.2.1.47.2.0 entConfigChange=1
ENTITY-MIB 1.3.6.1.2.1.47.1.1.1.1 entPhysicalIndex=1 entPhysicalDescr=2 entPhysicalVendorType=3
ENTITY-MIB 1.3.6.1.2.1.47.1.1.1.1 entPhysicalContainedIn=4 entPhysicalClass=5 entPhysicalName=7
ENTITY-MIB 1.3.6.1.2.1.47.1.1.1.1 entPhysicalHardwareRev=8 entPhysicalSerialNum=11
ENTITY-MIB 1.3.6.1.2.1.47.1.1.1.1 entPhysicalMfgName=12 entPhysicalModelName=13 entPhysicalAlias=14
DISMAN-EVENT-MIB 1.3.6.1.2.1.88.2.0 mteTriggerFired=1 mteTriggerRising=2 mteTriggerFalling=3
DISMAN-EVENT-MIB 1.3.6.1.2.1.88.2.0 mteTriggerFailure=4 mteEventSetFailure=5
DISMAN-EVENT-MIB 1.3.6.1.2.1.88.2.1 mteHotTrigger=1 mteHotTargetName=2 mteHotContextName=3
DISMAN-EVENT-MIB 1.3.6.1.2.1.88.2.1 mteHotOID=4 mteHotValue=5 mteFailedReason=6
DISMAN-PING-MIB 1.3.6.1.2.1.80.0 pingProbeFailed=1 pingTestFailed=2 pingTestCompleted=3
UPS-MIB 1.3.6.1.2.1.33.2 upsTrapOnBattery=1 upsTrapTestCompleted=2 upsTrapAlarmEntryAdded=3
UPS-MIB 1.3.6.1.2.1.33.2 upsTrapAlarmEntryRemoved=4
UPS-MIB 1.3.6.1.2.1.33.1.1 upsIdentManufacturer=1 upsIdentModel=2 upsIdentName=5
UPS-MIB 1.3.6.1.2.1.33.1.2 upsBatteryStatus=1 upsSecondsOnBattery=2 upsEstimatedMinutesRemaining=3
UPS-MIB 1.3.6.1.2.1.33.1.2 upsEstimatedChargeRemaining=4 upsBatteryVoltage=5 upsBatteryCurrent=6
UPS-MIB 1.3.6.1.2.1.33.1.2 upsBatteryTemperature=7
UPS-MIB 1.3.6.1.2.1.33.1.4 upsOutputSource=1
UPS-MIB 1.3.6.1.2.1.33.1.6 upsAlarmsPresent=1
UPS-MIB 1.3.6.1.2.1.33.1.6.2.1 upsAlarmId=1 upsAlarmDescr=2 upsAlarmTime=3
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmBatteryBad=1 upsAlarmOnBattery=2 upsAlarmLowBattery=3
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmDepletedBattery=4 upsAlarmTempBad=5 upsAlarmInputBad=6
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmOutputBad=7 upsAlarmOutputOverload=8 upsAlarmOnBypass=9
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmBypassBad=10 upsAlarmChargerFailed=13 upsAlarmUpsOutputOff=14
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmUpsSystemOff=15 upsAlarmFanFailure=16 upsAlarmFuseFailure=17
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmGeneralFault=18 upsAlarmCommunicationsLost=20
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmAwaitingPower=21
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmShutdownPending=22 upsAlarmShutdownImminent=23
UPS-MIB 1.3.6.1.2.1.33.1.6.3 upsAlarmTestInProgress=24
UPS-MIB 1.3.6.1.2.1.33.1.9 upsConfigLowBattTime=7
PowerNet-MIB 1.3.6.1.4.1.318.0 communicationLost=1 upsOverload=2 upsDiagnosticsFailed=3
PowerNet-MIB 1.3.6.1.4.1.318.0 upsDischarged=4 upsOnBattery=5 smartBoostOn=6 lowBattery=7
PowerNet-MIB 1.3.6.1.4.1.318.0 communicationEstablished=8 powerRestored=9 upsDiagnosticsPassed=10
PowerNet-MIB 1.3.6.1.4.1.318.0 returnFromLowBattery=11 upsTurnedOff=12 upsSleeping=13 upsWokeUp=14
PowerNet-MIB 1.3.6.1.4.1.318.2.3 mtrapargsInteger=1 mtrapargsString=3
NET-SNMP-AGENT-MIB 1.3.6.1.4.1.8072.4.0 nsNotifyStart=1 nsNotifyShutdown=2 nsNotifyRestart=3
NET-SNMP-EXAMPLES-MIB 1.3.6.1.4.1.8072.2.3.0 netSnmpExampleHeartbeatNotification=1
NET-SNMP-EXAMPLES-MIB 1.3.6.1.4.1.8072.2.3.2 netSnmpExampleHeartbeatRate=1
CISCOTRAP-MIB 1.3.6.1.4.1.9.0 reload=0 tcpConnectionClose=1
OLD-CISCO-INTERFACES-MIB 1.3.6.1.4.1.9.2.2.1.1 locIfReason=20
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonShutdownNotification=1
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonVoltageNotification=2
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonTemperatureNotification=3
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonFanNotification=4
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonRedundantSupplyNotification=5
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonVoltStatusChangeNotif=6
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonTempStatusChangeNotif=7
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonFanStatusChangeNotif=8
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.3.0 ciscoEnvMonSuppStatusChangeNotif=9
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.3.1 ciscoEnvMonTemperatureStatusDescr=2
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.3.1 ciscoEnvMonTemperatureStatusValue=3
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.3.1 ciscoEnvMonTemperatureThreshold=4
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.3.1 ciscoEnvMonTemperatureState=6
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.4.1 ciscoEnvMonFanStatusDescr=2 ciscoEnvMonFanState=3
CISCO-ENVMON-MIB 1.3.6.1.4.1.9.9.13.1.5.1 ciscoEnvMonSupplyStatusDescr=2 ciscoEnvMonSupplyState=3
CISCO-SYSLOG-MIB 1.3.6.1.4.1.9.9.41.2.0 clogMessageGenerated=1
CISCO-SYSLOG-MIB 1.3.6.1.4.1.9.9.41.1.2.3.1 clogHistFacility=2 clogHistSeverity=3 clogHistMsgName=4
CISCO-SYSLOG-MIB 1.3.6.1.4.1.9.9.41.1.2.3.1 clogHistMsgText=5 clogHistTimestamp=6
CISCO-CONFIG-MAN-MIB 1.3.6.1.4.1.9.9.43.2.0 ciscoConfigManEvent=1 ccmCLIRunningConfigChanged=2
CISCO-CONFIG-MAN-MIB 1.3.6.1.4.1.9.9.43.1.1.6.1 ccmHistoryEventCommandSource=3
CISCO-CONFIG-MAN-MIB 1.3.6.1.4.1.9.9.43.1.1.6.1 ccmHistoryEventConfigSource=4
CISCO-CONFIG-MAN-MIB 1.3.6.1.4.1.9.9.43.1.1.6.1 ccmHistoryEventConfigDestination=5
CISCO-CONFIG-MAN-MIB 1.3.6.1.4.1.9.9.43.1.1.6.1 ccmHistoryEventTerminalType=6
CISCO-ENTITY-SENSOR-MIB 1.3.6.1.4.1.9.9.91.2.0 entSensorThresholdNotification=1
CISCO-HSRP-MIB 1.3.6.1.4.1.9.9.106.2.0 cHsrpStateChange=1
CISCO-HSRP-MIB 1.3.6.1.4.1.9.9.106.1.2.1.1 cHsrpGrpStandbyState=15
CISCO-PROCESS-MIB 1.3.6.1.4.1.9.9.109.2.0 cpmCPURisingThreshold=1 cpmCPUFallingThreshold=2
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.2.0 cefcModuleStatusChange=1
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.2.0 cefcPowerStatusChange=2 cefcFRUInserted=3
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.2.0 cefcFRURemoved=4
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.1.1.2.1 cefcFRUPowerAdminStatus=1
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.1.1.2.1 cefcFRUPowerOperStatus=2
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.1.2.1.1 cefcModuleAdminStatus=1
CISCO-ENTITY-FRU-CONTROL-MIB 1.3.6.1.4.1.9.9.117.1.2.1.1 cefcModuleOperStatus=2
CISCO-BGP4-MIB 1.3.6.1.4.1.9.9.187.0 cbgpFsmStateChange=1 cbgpBackwardTransition=2
CISCO-BGP4-MIB 1.3.6.1.4.1.9.9.187.0 cbgpPrefixThresholdExceeded=3 cbgpPrefixThresholdClear=4
CISCO-BGP4-MIB 1.3.6.1.4.1.9.9.187.1.2.1.1 cbgpPeerLastErrorTxt=7 cbgpPeerPrevState=8
CISCO-IF-EXTENSION-MIB 1.3.6.1.4.1.9.9.276.0 cieLinkDown=1 cieLinkUp=2
CISCO-PORT-SECURITY-MIB 1.3.6.1.4.1.9.9.315.0.0 cpsSecureMacAddrViolation=1
CISCO-UNIFIED-COMPUTING-MIB 1.3.6.1.4.1.9.9.719.0 cucsFaultActiveNotif=1 cucsFaultClearNotif=2
JUNIPER-MIB 1.3.6.1.4.1.2636.4.1 jnxPowerSupplyFailure=1 jnxFanFailure=2 jnxOverTemperature=3
JUNIPER-MIB 1.3.6.1.4.1.2636.4.1 jnxRedundancySwitchover=4 jnxFruRemoval=5 jnxFruInsertion=6
JUNIPER-MIB 1.3.6.1.4.1.2636.4.1 jnxFruPowerOff=7 jnxFruPowerOn=8 jnxFruFailed=9 jnxFruOffline=10
JUNIPER-MIB 1.3.6.1.4.1.2636.4.1 jnxFruOnline=11 jnxFruCheck=12
JUNIPER-MIB 1.3.6.1.4.1.2636.4.2 jnxPowerSupplyOK=1 jnxFanOK=2 jnxTemperatureOK=3
JUNIPER-MIB 1.3.6.1.4.1.2636.3.1.8.1 jnxContentsContainerIndex=1 jnxContentsL1Index=2
JUNIPER-MIB 1.3.6.1.4.1.2636.3.1.8.1 jnxContentsL2Index=3 jnxContentsL3Index=4 jnxContentsDescr=6
JUNIPER-MIB 1.3.6.1.4.1.2636.3.1.13.1 jnxOperatingDescr=5 jnxOperatingState=6 jnxOperatingTemp=7
JUNIPER-CFGMGMT-MIB 1.3.6.1.4.1.2636.4.5.0 jnxCmCfgChange=1 jnxCmRescueChange=2
JUNIPER-CFGMGMT-MIB 1.3.6.1.4.1.2636.3.18.1.7.1 jnxCmCfgChgEventTime=2 jnxCmCfgChgEventDate=3
JUNIPER-CFGMGMT-MIB 1.3.6.1.4.1.2636.3.18.1.7.1 jnxCmCfgChgEventSource=4 jnxCmCfgChgEventUser=5
JUNIPER-DOM-MIB 1.3.6.1.4.1.2636.4.18.0 jnxDomAlarmSet=1 jnxDomAlarmCleared=2
JUNIPER-LDP-MIB 1.3.6.1.4.1.2636.4.4.0 jnxLdpSesUp=3 jnxLdpSesDown=4
JUNIPER-VPN-MIB 1.3.6.1.4.1.2636.3.26.0 jnxVpnIfUp=1 jnxVpnIfDown=2 jnxVpnPwUp=3 jnxVpnPwDown=4
BGP4-V2-MIB-JUNIPER 1.3.6.1.4.1.2636.5.1.1.1.0 jnxBgpM2Established=1 jnxBgpM2BackwardTransition=2
BGP4-V2-MIB-JUNIPER 1.3.6.1.4.1.2636.5.1.1.2.1.1.1 jnxBgpM2PeerState=2 jnxBgpM2PeerLocalAddr=7
BGP4-V2-MIB-JUNIPER 1.3.6.1.4.1.2636.5.1.1.2.1.1.1 jnxBgpM2PeerRemoteAddr=11
HUAWEI-LDT-MIB 1.3.6.1.4.1.2011.5.25.174.3 hwLdtPortLoopDetect=3 hwLdtPortLoopDetectRecovery=4
)";

// The same notification under two names: RFC 1657's and RFC 4273's. Agents send either, and SNMPv1
// ones the second OID, whatever their manual says.
struct Same {
  std::string_view old_name, new_name;
};
constexpr Same kSame[]{{"bgpEstablished", "bgpEstablishedNotification"},
                       {"bgpBackwardTransition", "bgpBackwardTransNotification"}};

struct Entry {
  std::string_view module, name;
  std::string octets;
};

struct Table {
  std::deque<Entry> entries;              // table order
  std::vector<const Entry*> by_octets;    // sorted by octets
  std::vector<const Entry*> by_name;      // sorted by name, stable: table order within a name
  std::vector<std::string_view> names;    // sorted, unique
  std::vector<std::string_view> modules;  // sorted, unique
};

void add_line(Table& table, std::string_view line) {
  const auto words = split(line, ' ');
  BELFRY_CHECK(words.size() >= 3);
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    BELFRY_CHECK(equals != std::string_view::npos);
    auto octets =
        oid_from_text(std::string(words[1]) + "." + std::string(words[i].substr(equals + 1)));
    BELFRY_CHECK(octets.has_value());
    table.entries.push_back({words[0], words[i].substr(0, equals), std::move(*octets)});
  }
}

std::vector<std::string_view> sorted_unique(std::vector<std::string_view> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

const Table& table() {
  static const Table kBuilt = [] {
    Table t;
    for (const std::string_view line : split(kTable, '\n')) {
      if (!line.empty()) {
        add_line(t, line);
      }
    }
    for (const Entry& entry : t.entries) {
      t.by_octets.push_back(&entry);
      t.by_name.push_back(&entry);
      t.names.push_back(entry.name);
      t.modules.push_back(entry.module);
    }
    std::stable_sort(t.by_octets.begin(), t.by_octets.end(),
                     [](const Entry* a, const Entry* b) { return a->octets < b->octets; });
    std::stable_sort(t.by_name.begin(), t.by_name.end(),
                     [](const Entry* a, const Entry* b) { return a->name < b->name; });
    t.names = sorted_unique(std::move(t.names));
    t.modules = sorted_unique(std::move(t.modules));
    return t;
  }();
  return kBuilt;
}

const Entry* find_name(std::string_view module, std::string_view name) {
  const auto& sorted = table().by_name;
  auto it = std::lower_bound(sorted.begin(), sorted.end(), name,
                             [](const Entry* e, std::string_view n) { return e->name < n; });
  for (; it != sorted.end() && (*it)->name == name; ++it) {
    if (module.empty() || (*it)->module == module) {
      return *it;
    }
  }
  return nullptr;
}

/// Where the last sub-identifier of `octets` begins.
std::size_t last_arc(std::string_view octets) {
  std::size_t i = octets.empty() ? 0 : octets.size() - 1;
  while (i > 0 && (static_cast<unsigned char>(octets[i - 1]) & 0x80U) != 0) {
    --i;
  }
  return i;
}

const Entry* find_prefix(std::string_view octets) {
  const auto& sorted = table().by_octets;
  while (!octets.empty()) {
    const auto it =
        std::lower_bound(sorted.begin(), sorted.end(), octets,
                         [](const Entry* e, std::string_view o) { return e->octets < o; });
    if (it != sorted.end() && (*it)->octets == octets) {
      return *it;
    }
    octets.remove_suffix(octets.size() - last_arc(octets));
  }
  return nullptr;
}

}  // namespace

std::optional<std::string> mib_oid(std::string_view module, std::string_view name) {
  const Entry* entry = find_name(module, name);
  return entry == nullptr ? std::nullopt : std::optional(entry->octets);
}

std::vector<std::string> with_v1_form(const std::string& octets) {
  std::vector<std::string> out{octets};
  // snmpTraps (1.3.6.1.6.3.1.1.5) are the v1 generic traps: those map to themselves.
  static const std::string kSnmpTraps = oid_from_text("1.3.6.1.6.3.1.1.5").value_or("");
  const std::size_t last = last_arc(octets);
  const bool zero_before = last > 0 && octets[last - 1] == '\0';
  if (!zero_before && !oid_under(octets, kSnmpTraps)) {
    std::string with_zero = octets;
    with_zero.insert(last, 1, '\0');
    out.push_back(std::move(with_zero));
  }
  return out;
}

std::vector<std::string> mib_trap_oids(std::string_view module, std::string_view name) {
  std::vector<std::string> out;
  const Entry* entry = find_name(module, name);
  if (entry == nullptr) {
    return out;
  }
  out = with_v1_form(entry->octets);
  for (const Same& same : kSame) {
    const bool is_old = same.old_name == name;
    if (is_old || same.new_name == name) {
      for (std::string& other :
           with_v1_form(find_name({}, is_old ? same.new_name : same.old_name)->octets)) {
        out.push_back(std::move(other));
      }
    }
  }
  return out;
}

std::optional<MibName> mib_find(std::string_view octets) {
  const Entry* entry = find_prefix(octets);
  if (entry == nullptr) {
    return std::nullopt;
  }
  return MibName{entry->module, entry->name, entry->octets.size()};
}

std::string_view mib_name(std::string_view octets) {
  const Entry* entry = find_prefix(octets);
  return entry == nullptr ? std::string_view{} : entry->name;
}

std::span<const std::string_view> mib_names() { return table().names; }

std::vector<std::string_view> mib_names(std::string_view module) {
  std::vector<std::string_view> out;
  for (const Entry& entry : table().entries) {
    if (entry.module == module) {
      out.push_back(entry.name);
    }
  }
  return sorted_unique(std::move(out));
}

std::span<const std::string_view> mib_modules() { return table().modules; }

}  // namespace belfry
