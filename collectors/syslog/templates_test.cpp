#include "templates.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "belfry/syslog/decode.hpp"

namespace belfry {
namespace {

using syslog::Templates;

constexpr Instant kNow{1'764'042'000'000'000'000};  // 2025-11-25T03:40:00Z

std::string listed(const Event& e) {
  std::string out;
  for (const Attr& a : e.attrs) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", a.name, a.value.text);
  }
  return out;
}

/// `vendor: name=value ...` of one line through the whole decoder.
std::string entities(std::string_view raw) {
  Arena arena;
  Event e;
  syslog::decode(raw, arena, kNow, e);
  return fmt::format("{}: {}", e.vendor, listed(e));
}
std::string host(std::string_view raw) {
  Arena arena;
  Event e;
  syslog::decode(raw, arena, kNow, e);
  return std::string(e.host);
}

/// One template over one body.
std::string fit(std::string_view pattern, std::string_view message) {
  Templates t;
  const auto added = t.add("x.tpl", fmt::format("vendor x\non K\n  {}\n", pattern));
  if (!added) {
    return added.error().what;
  }
  Arena arena;
  Event e;
  e.tag = "K";
  e.message = message;
  t.extract(e, arena, kNow);
  return e.vendor.empty() ? "no" : listed(e);
}

TEST(Templates, EveryFileOfTheProgramIsWellFormed) {
  for (std::size_t i = 0; i < syslog::kTemplateFileCount; ++i) {
    Templates t;
    const auto added = t.add(syslog::kTemplateFiles[i].name, syslog::kTemplateFiles[i].text);
    EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().what);
  }
}

TEST(Templates, HolesTakeWordsRestsAndConstants) {
  EXPECT_EQ(fit("port {p} is {s}", "port 1/2 is up."), "p=1/2 s=up");
  EXPECT_EQ(fit("port {p} is {s}", "port  1/2   is up"), "p=1/2 s=up");
  EXPECT_EQ(fit("port {p} is {s}", "port 1 2 is up"), "no");
  EXPECT_EQ(fit("port {p:joined} is {s}", "port eth 1/2 is up"), "p=eth1/2 s=up");
  EXPECT_EQ(fit("{_...}from {a:port} why {r...}", "x from 10.0.0.1:179 why a b"),
            "a=10.0.0.1 r=a b");
  EXPECT_EQ(fit("{_...}from {a}", "from 10.0.0.1"), "a=10.0.0.1");
  EXPECT_EQ(fit("from {a:port} x", "from 2001:db8::1 x"), "a=2001:db8::1");
  EXPECT_EQ(fit("from {a:port} x", "from 2001:db8::1+179 x"), "a=2001:db8::1");
  EXPECT_EQ(fit("from {a:port} x", "from 2001:db8::1:50179 x"), "a=2001:db8::1");
  EXPECT_EQ(fit("down{s=down}", "down, all of it"), "s=down");
  EXPECT_EQ(fit("a {x} b", "a  b"), "no");
}

TEST(Templates, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(fit("{a}{b}", ""),
            "x.tpl:3: expected some text between two holes; constants stand at the end");
  EXPECT_EQ(fit("{a", ""), "x.tpl:3: '{' without '}'");
  EXPECT_EQ(fit("{a b}", ""), "x.tpl:3: expected a name between { and }");
  Templates t;
  EXPECT_FALSE(t.add("y.tpl", "  early\n").has_value());
  EXPECT_FALSE(t.add("y.tpl", "on @xml\n").has_value());
  EXPECT_FALSE(t.add("y.tpl", "vendor y\non @pairs\n a\n").has_value());
  EXPECT_FALSE(t.add("y.tpl", "colour red\n").has_value());
}

TEST(Templates, CiscoAndArista) {
  EXPECT_EQ(
      entities("<189>7: sw1: Nov 25 03:00:00: %LINEPROTO-5-UPDOWN: Line protocol on Interface "
               "TenGigabitEthernet1/0/3, changed state to down"),
      "cisco: interface=TenGigabitEthernet1/0/3 state=down");
  EXPECT_EQ(entities("<189>7: r1: Nov 25 03:00:00: %OSPF-5-ADJCHG: Process 10, Nbr 10.9.9.9 on "
                     "Vlan12 from FULL to DOWN, Neighbor Down: Dead timer expired"),
            "cisco: process=10 neighbour=10.9.9.9 interface=Vlan12 old_state=FULL state=DOWN "
            "reason=Neighbor Down: Dead timer expired");
  EXPECT_EQ(entities("<189>7: r1: Nov 25 03:00:00: %BGP-5-ADJCHANGE: neighbor 2001:db8::9 Up"),
            "cisco: neighbour=2001:db8::9 state=Up");
  EXPECT_EQ(entities("<189>7: r1: Nov 25 03:00:00: %SYS-5-CONFIG_I: Configured from console by "
                     "eve on vty2 (192.0.2.7)"),
            "cisco: user=eve line=vty2 address=192.0.2.7");
  EXPECT_EQ(
      entities("<164>Nov 25 03:00:00 fw9 %ASA-4-106023: Deny tcp src outside:203.0.113.4/4711 "
               "dst dmz:192.0.2.80/443 by access-group \"acl_out\" [0x0, 0x0]"),
      "cisco: protocol=tcp src_interface=outside src_address=203.0.113.4 src_port=4711 "
      "dst_interface=dmz dst_address=192.0.2.80 dst_port=443 policy=acl_out action=deny");
  EXPECT_EQ(entities("<165>Nov 25 03:00:00 leaf7 Bgp: %BGP-5-ADJCHANGE: peer 192.0.2.9 (VRF red AS "
                     "64999) old state OpenConfirm event RecvKeepAlive new state Established"),
            "arista: neighbour=192.0.2.9 vrf=red as=64999 old_state=OpenConfirm "
            "reason=RecvKeepAlive state=Established");
}

TEST(Templates, CarriersVendors) {
  EXPECT_EQ(entities("<29>Nov 25 03:00:00 mx7 rpd[811]: RPD_OSPF_NBRDOWN: OSPF neighbor 10.4.4.4 "
                     "(realm ospf-v2 xe-1/0/2.0 area 0.0.0.7) state changed from Full to Down due "
                     "to 1Way (event reason: neighbor restarted)"),
            "juniper: neighbour=10.4.4.4 interface=xe-1/0/2.0 area=0.0.0.7 old_state=Full "
            "state=Down cause=1Way reason=neighbor restarted protocol=ospfv2");
  EXPECT_EQ(entities("<165>1 2025-11-25T03:00:00Z srx4 RT_FLOW - RT_FLOW_SESSION_DENY "
                     "[junos@2636.1.1.1.2.40 source-address=\"192.0.2.3\" source-port=\"99\" "
                     "destination-address=\"198.51.100.7\" policy-name=\"p\"] denied"),
            "juniper: src_address=192.0.2.3 src_port=99 dst_address=198.51.100.7 policy=p");
  EXPECT_EQ(entities("<188>Nov 25 2025 03:00:00 ne8 %%01IFNET/4/LINK_STATE(l)[3]:The line protocol "
                     "IP on the interface GigabitEthernet0/2/7 has entered the DOWN state."),
            "huawei: interface=GigabitEthernet0/2/7 state=DOWN");
  EXPECT_EQ(entities("<190>Nov 25 03:00:00 2025 s5 %%10IFNET/3/PHY_UPDOWN: Physical state on the "
                     "interface Ten-GigabitEthernet1/0/9 changed to down."),
            "h3c: interface=Ten-GigabitEthernet1/0/9 state=down");
  EXPECT_EQ(entities("<14>Nov 25 03:00:00 mlx2 System: Interface ethernet 2/4, state up"),
            "brocade: interface=ethernet2/4 state=up");
}

TEST(Templates, TagsInsideTheMessage) {
  EXPECT_EQ(entities("<188>Nov 25 03:00:00 n1 TMNX: 2052 Base BGP-WARNING-bgpBackwardTrans-2002 "
                     "[Peer 1: 192.0.2.1]: (ASN 64999) VR 1: moved from higher state ESTABLISHED "
                     "to lower state IDLE due to event RECV NOTIFY"),
            "nokia: vr=1 neighbour=192.0.2.1 old_state=ESTABLISHED state=IDLE reason=RECV NOTIFY");
  EXPECT_EQ(
      entities("<188>Nov 25 03:00:00 x1 <Warn:vlan.msgs.portLinkStateDown> Port 1:2 link down"),
      "extreme: interface=1:2 state=down");
  EXPECT_EQ(entities("<29>Nov 25 03:00:00 b1 bgpd[7]: %ADJCHANGE: neighbor 192.0.2.8(leaf2) in vrf "
                     "default Up"),
            "cisco: neighbour=192.0.2.8 vrf=default state=Up");
}

TEST(Templates, HeadsOfTheirOwn) {
  EXPECT_EQ(entities("<13>interface,info ether9 link down"),
            "mikrotik: interface=ether9 state=down");
  EXPECT_EQ(
      entities("<30>Nov 25 03:00:00 mt7 system,error,critical login failure for user eve from "
               "192.0.2.6 via ssh"),
      "mikrotik: user=eve address=192.0.2.6 service=ssh");
  EXPECT_EQ(
      entities("<133>Nov 25 03:00:00 big7 notice mcpd[5]: 01070638:5: Pool /Common/web member "
               "/Common/192.0.2.9:80 monitor status down. [ x ]"),
      "f5: pool=/Common/web member=/Common/192.0.2.9:80 state=down");
  EXPECT_EQ(entities("<133>Nov 25 03:00:00 sw5 00076 ports: port 12 is now off-line"),
            "hpe: interface=12 state=off-line");
  EXPECT_EQ(entities("<190>Nov 25 03:00:00 d9 %STKUNIT0-M:CP %IFMGR-5-OSTATE_DN: Changed interface "
                     "state to down: Te 0/9"),
            "dell: state=down interface=Te0/9");
  EXPECT_EQ(entities("<134> 11/25/2025:03:00:00 GMT ns9 0-PPE-0 : default EVENT DEVICEDOWN 77 0 :  "
                     "Device \"server_x(web)\" - State DOWN"),
            "citrix: feature=EVENT event=DEVICEDOWN member=server_x(web) state=DOWN");
  EXPECT_EQ(entities("<187>Nov 25 03:00:00 c3 %%10OSPF/3/OSPF_NBR_CHG: -MDC=1; OSPF 1 Neighbor "
                     "192.0.2.4(Vlan-interface9) changed from FULL to DOWN."),
            "h3c: process=1 neighbour=192.0.2.4 interface=Vlan-interface9 old_state=FULL "
            "state=DOWN");
  EXPECT_EQ(entities("<4>Nov 25 03:00:00 srv1 kernel: [1.2] ixgbe 0000:01:00.0 eth2: NIC Link is "
                     "Down"),
            "linux: interface=eth2 state=Down");
  EXPECT_EQ(entities("<30>Nov 25 03:00:00 e1 bird: peer_as64999: State changed to down"),
            "linux: process=peer_as64999 state=down");
}

TEST(Templates, HostsAndFirewalls) {
  EXPECT_EQ(entities("<86>Nov 25 03:00:00 web1 sshd[7]: Failed password for invalid user bob from "
                     "198.51.100.9 port 4022 ssh2"),
            "linux: method=password user=bob address=198.51.100.9 port=4022");
  EXPECT_EQ(
      entities("<13>Nov 25 03:00:00 rad2 radiusd[4]: Login incorrect (mschap: bad): [ann@isp] "
               "(from client nas4 port 17 cli 00-11-22-33-44-55)"),
      "linux: reason=mschap: bad user=ann@isp client=nas4 port=17 mac=00-11-22-33-44-55");
  EXPECT_EQ(entities("<189>date=2025-11-25 time=03:00:00 devname=fg7 type=traffic srcip=192.0.2.1 "
                     "dstip=192.0.2.2 srcintf=\"port 1\" action=deny"),
            "fortinet: src_address=192.0.2.1 dst_address=192.0.2.2 src_interface=port 1 "
            "action=deny");
  EXPECT_EQ(entities("<14>Nov 25 03:00:00 pa1 1,2025/11/25 03:00:00,0011,TRAFFIC,drop,1,2025/11/25 "
                     "03:00:00,192.0.2.1,192.0.2.2,,,\"deny, all\",isp\\ann"),
            "paloalto: src_address=192.0.2.1 dst_address=192.0.2.2 policy=deny, all user=isp\\ann");
  EXPECT_EQ(
      entities("<14>Nov 25 03:00:00 c1 CEF:0|Acme|Wall|1|7|blocked|5|src=192.0.2.1 act=drop it "
               "dst=192.0.2.2 dpt=22"),
      "Acme: src_address=192.0.2.1 action=drop it dst_address=192.0.2.2 dst_port=22");
  EXPECT_EQ(entities("<14>Nov 25 03:00:00 c1 LEEF:2.0|Acme|Wall|1|7|^|src=192.0.2.1^usrName=ann"),
            "Acme: src_address=192.0.2.1 user=ann");
  EXPECT_EQ(entities("<14>Nov 25 03:00:00 c1 app: @cee: {\"user\":{\"name\":\"ann\"},\"n\":[1,{}],"
                     "\"src_port\":7}"),
            ": user=ann src_port=7");
  EXPECT_EQ(entities("<134>id=firewall sn=00 time=\"2025-11-25 03:00:00\" fw=192.0.2.254 pri=6 "
                     "src=192.0.2.1:99:X0 usr=\"ann\""),
            "sonicwall: address=192.0.2.254 src=192.0.2.1:99:X0 user=ann");
}

TEST(Templates, ABodyNamesItsDevice) {
  EXPECT_EQ(host("<189>17: Nov 25 03:00:00.1 UTC : %UC_DRF-3-Failure: %[AppID=x][NodeID=cm4]: y"),
            "cm4");
  EXPECT_EQ(host("<14>Nov 25 03:00:00 relay9 CEF:0|A|B|1|7|n|5|src=192.0.2.1 dvchost=ids3 x=y"),
            "ids3");
  EXPECT_EQ(host("<14>app: {\"hostname\":\"box5\"}"), "box5");
  EXPECT_EQ(host("<14>Nov 25 03:00:00 real app: {\"hostname\":\"box5\"}"), "real");
  EXPECT_EQ(host("<14>app: {\"hostname\":\"no host at all\"}"), "");
}

TEST(Templates, StayInsideTheirBounds) {
  std::string pairs = "<189>date=2025-11-25 time=03:00:00 devname=fg7";
  std::string json = "<14>a: ";
  for (int i = 0; i < 2000; ++i) {
    pairs += fmt::format(" srcip{}=1", i);
    json += "{\"a\":";
  }
  Arena arena;
  Event e, f;
  syslog::decode(pairs, arena, kNow, e);
  EXPECT_LE(e.attrs.size(), syslog::kEntitiesMax);
  syslog::decode(json, arena, kNow, f);
  EXPECT_TRUE(f.attrs.empty());
}

}  // namespace
}  // namespace belfry
