#include "belfry/syslog/decode.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "belfry/base/time.hpp"

namespace belfry {
namespace {

constexpr Instant kNow{1'764'042'000'000'000'000};  // 2025-11-25T03:40:00Z

/// One line in, and what a reader of the event sees, in one text:
/// `facility.severity stamp host|app|pid|msgid|tag|vendor|message` and `!why` when not valid.
std::string seen(std::string_view raw) {
  static Arena arena;
  Event e;
  syslog::decode(raw, arena, kNow, e);
  const std::string pri = e.facility == 255 ? "-" : fmt::format("{}.{}", e.facility, e.severity);
  return fmt::format("{} {} {}|{}|{}|{}|{}|{}|{}{}{}", pri,
                     e.stamp.ns == 0 ? "-" : to_rfc3339(e.stamp), e.host, e.app, e.pid, e.msgid,
                     e.tag, e.vendor, e.message, e.valid ? "" : "!", e.why);
}

TEST(SyslogDecode, ReadsAPlainLine) {
  EXPECT_EQ(seen("<30>Nov 25 03:00:00 host1 sshd[2211]: Accepted publickey for admin"),
            "3.6 2025-11-25T03:00:00.000Z host1|sshd|2211||sshd||Accepted publickey for admin");
  EXPECT_EQ(seen("<13>Nov 25 03:00:00 host1 su: 'su root' failed\r\n"),
            "1.5 2025-11-25T03:00:00.000Z host1|su|||su||'su root' failed");
  EXPECT_EQ(seen("<13>Nov 25 03:00:00 host1 -- MARK --"),
            "1.5 2025-11-25T03:00:00.000Z host1|--|||--||-- MARK --");
}

TEST(SyslogDecode, ReadsRfc5424) {
  EXPECT_EQ(seen("<165>1 2025-10-11T22:14:15.003+02:00 core1 evnt 812 ID47 [ex@32473 a=\"1\"] "
                 "\xEF\xBB\xBFtext"),
            "20.5 2025-10-11T20:14:15.003Z core1|evnt|812|ID47|ID47||text");
  EXPECT_EQ(seen("<0>1 - - - - - -"), "0.0 - ||||||");
}

TEST(SyslogDecode, SaysWhatBreaksRfc5424AndKeepsTheFields) {
  const auto why = [](std::string_view raw) {
    static Arena arena;
    Event e;
    syslog::decode(raw, arena, kNow, e);
    return fmt::format("{}|{}|{}", e.valid ? "valid" : e.why, e.host, e.app);
  };
  EXPECT_EQ(why("<14>1 2025-02-30T00:00:00Z h a - - -"), "timestamp||");
  EXPECT_EQ(why("<14>1 2025-02-28T00:00:00.1234567Z h a - - -"), "timestamp|h|a");
  EXPECT_EQ(why("<14>0 - h a - - -"), "version||");
  EXPECT_EQ(why("<14>1 - h a - - [x p=\"a]b\"] m"), "sd-escape|h|a");
  EXPECT_EQ(why("<14>1 - h a - - [x p=\"a\"  q=\"b\"] m"), "sd-param|h|a");
  EXPECT_EQ(why("<14>1 - h a - - [x ] m"), "sd-param|h|a");
  EXPECT_EQ(why("<14>1 - h a - - [x]m"), "structured-data|h|a");
  EXPECT_EQ(why("<14>1 - h a - - [x][x] m"), "sd-double|h|a");
  EXPECT_EQ(why("<14>1 - h a - - [x p=\"v\""), "sd-open|h|a");
  EXPECT_EQ(why("<14>1 - h\ti a - - - m"), "host|h\ti|a");
  EXPECT_EQ(why("<14>1 - h a - - [ok@1 p=\"\\\"q\\\"\"] m"), "valid|h|a");
}

TEST(SyslogDecode, ReadsCisco) {
  EXPECT_EQ(seen("<189>117: r1: *May  9 12:49:27.098: %LINK-3-UPDOWN: Interface Gi2, changed state "
                 "to down"),
            "23.5 2025-05-09T12:49:27.098Z r1|%LINK-3-UPDOWN|||LINK-3-UPDOWN|cisco|%LINK-3-UPDOWN: "
            "Interface Gi2, "
            "changed state to down");
  EXPECT_EQ(
      seen("<187>Nov 25 03:00:00 10.0.0.1 2211: .Nov 25 02:59:59.123 CET: %SYS-5-CONFIG_I: x"),
      "23.3 2025-11-25T03:00:00.000Z "
      "10.0.0.1|%SYS-5-CONFIG_I|||SYS-5-CONFIG_I|cisco|%SYS-5-CONFIG_I: x");
  EXPECT_EQ(seen("<189>34: 1w2d: %SYS-5-RESTART: System restarted --"),
            "23.5 - |%SYS-5-RESTART|||SYS-5-RESTART|cisco|%SYS-5-RESTART: System restarted --");
  EXPECT_EQ(
      seen("<190>2025 Apr 20 13:15:07 CEST n9k %ETHPORT-5-IF_DOWN: Interface Ethernet1/3 is down"),
      "23.6 2025-04-20T11:15:07.000Z "
      "n9k|%ETHPORT-5-IF_DOWN|||ETHPORT-5-IF_DOWN|cisco|%ETHPORT-5-IF_DOWN: "
      "Interface Ethernet1/3 is down");
  EXPECT_EQ(seen("<190>12: gw1 RP/0/RSP0/CPU0:Nov  1 11:11:24.927 : isis[1006]: "
                 "%ROUTING-ISIS-5-ADJCHANGE : Down"),
            "23.6 2025-11-01T11:11:24.927Z "
            "gw1|isis|1006||ROUTING-ISIS-5-ADJCHANGE|cisco|%ROUTING-ISIS-5-ADJCHANGE : "
            "Down");
  EXPECT_EQ(seen("<166>fw1 : %ASA-6-302014: Teardown TCP connection"),
            "20.6 - fw1|%ASA-6-302014|||ASA-6-302014|cisco|%ASA-6-302014: Teardown TCP connection");
}

TEST(SyslogDecode, ReadsOtherVendors) {
  EXPECT_EQ(
      seen("<165>Nov 20 12:20:55 sw1 Bfd: %BFD-5-STATE_CHANGE: peer (vrf:default) changed state"),
      "20.5 2025-11-20T12:20:55.000Z sw1|Bfd|||BFD-5-STATE_CHANGE|arista|%BFD-5-STATE_CHANGE: peer "
      "(vrf:default) "
      "changed state");
  EXPECT_EQ(
      seen("<28>Jun 21 14:03:12  re0.mx1 rpd[2902]: RPD_OSPF_NBRDOWN: OSPF neighbor 10.1.1.1"),
      "3.4 2025-06-21T14:03:12.000Z mx1|rpd|2902||RPD_OSPF_NBRDOWN|juniper|RPD_OSPF_NBRDOWN: OSPF "
      "neighbor "
      "10.1.1.1");
  EXPECT_EQ(
      seen(
          "<188>Mar  9 2025 14:15:17 ne40 %%01IFNET/4/LINK_STATE(l)[3]:The line protocol is DOWN."),
      "23.4 2025-03-09T14:15:17.000Z "
      "ne40|%%01IFNET/4/LINK_STATE(l)[3]|||IFNET/4/LINK_STATE|huawei|%%01IFNET/4/"
      "LINK_STATE(l)[3]:The line protocol is DOWN.");
  EXPECT_EQ(seen("<190>%Apr 26 12:00:01:123 2025 s5560 %%10IFNET/3/LINK_UPDOWN: GE1/0/1 is DOWN."),
            "23.6 2025-04-26T12:00:01.123Z "
            "s5560|%%10IFNET/3/LINK_UPDOWN|||IFNET/3/LINK_UPDOWN|h3c|%%10IFNET/3/"
            "LINK_UPDOWN: GE1/0/1 is DOWN.");
  EXPECT_EQ(
      seen("<189>date=2025-04-09 time=04:27:29 devname=\"fw01\" type=\"event\" subtype=\"system\""),
      "23.5 2025-04-09T04:27:29.000Z fw01|event|||system|fortinet|date=2025-04-09 time=04:27:29 "
      "devname=\"fw01\" type=\"event\" subtype=\"system\"");
}

TEST(SyslogDecode, RefusesNothingButNamesWhatItCannotRead) {
  EXPECT_EQ(seen(""), "- - ||||||!empty");
  EXPECT_EQ(seen("some text"), "- - ||||||some text!no-pri");
  EXPECT_EQ(seen("<192>Nov 25 03:00:00 h a: x"), "- 2025-11-25T03:00:00.000Z h|a|||a||x!pri");
  EXPECT_EQ(seen("<1234>hello world"), "- - ||||||hello world!pri");
  EXPECT_EQ(seen("<13>lonely"), "1.5 - ||||||lonely!no-header");
  EXPECT_EQ(seen("<13>hello out there"), "1.5 - ||||||hello out there");
}

TEST(SyslogDecode, KeepsNulAndStripsTheEnd) {
  const std::string raw("<13>Nov 25 03:00:00 h a: x\0y\n\0", 30);
  Arena arena;
  Event e;
  syslog::decode(raw, arena, kNow, e);
  EXPECT_EQ(e.message, std::string_view("x\0y", 3));
  EXPECT_EQ(e.raw.size(), raw.size());
}

TEST(SyslogDecode, PutsStampsWithoutYearNearTheReceipt) {
  const auto stamp = [](std::string_view raw, std::string_view now) {
    Arena arena;
    Event e;
    syslog::decode(raw, arena, *parse_rfc3339(now), e);
    return to_rfc3339(e.stamp);
  };
  EXPECT_EQ(stamp("<13>Dec 31 23:59:59 h a: x", "2026-01-01T00:00:05Z"),
            "2025-12-31T23:59:59.000Z");
  EXPECT_EQ(stamp("<13>Jan  1 00:00:05 h a: x", "2025-12-31T23:59:59Z"),
            "2026-01-01T00:00:05.000Z");
  EXPECT_EQ(stamp("<13>Feb 29 10:00:00 h a: x", "2026-03-02T00:00:00Z"),
            "2024-02-29T10:00:00.000Z");
  EXPECT_EQ(stamp("<13>2025-03-09 14:15:17,111 h a: x", "2026-01-01T00:00:05Z"),
            "2025-03-09T14:15:17.111Z");
  EXPECT_EQ(stamp("<13>Mar 09 2025 02:15:52 PM.454 UTC h a: x", "2026-01-01T00:00:05Z"),
            "2025-03-09T14:15:52.454Z");
}

// ---- as it is really sent -----------------------------------------------------------------------

/// The fields that rules and people see, without the numbers of the PRI.
std::string fields(std::string_view raw) {
  const std::string all = seen(raw);
  return all.substr(all.find(' ') + 1);
}

TEST(SyslogReally, PriIsMissingOrOdd) {
  const std::string_view line = "Nov 25 03:00:00 r1 app[7]: text";
  const std::string good = fields(fmt::format("<13>{}", line));
  EXPECT_EQ(good, "2025-11-25T03:00:00.000Z r1|app|7||app||text");
  EXPECT_EQ(fields(line), good);  // a relayed line with and without its PRI is one
  EXPECT_EQ(fields(fmt::format("<013>{}", line)), good + "!pri");
  EXPECT_EQ(fields(fmt::format("<999>{}", line)), good + "!pri");
  EXPECT_EQ(fields(fmt::format("<13> {}", line)), good);
  for (const std::string_view odd : {"<>", "<-1>", "<1", "<1a>", "<99999999999>", "<13", "<"}) {
    Arena arena;
    Event e;
    const std::string raw = fmt::format("{}{}", odd, line);
    syslog::decode(raw, arena, kNow, e);
    EXPECT_EQ(e.raw, raw);
    EXPECT_TRUE(e.facility == 255 || e.valid) << odd;
  }
}

TEST(SyslogReally, NumbersAndMarksStandBeforeStamps) {
  const std::string good =
      "2025-11-25T03:00:00.000Z r1|%SYS-5-RESTART|||SYS-5-RESTART|cisco|%SYS-5-RESTART: x";
  for (const std::string_view head :
       {"117: r1: Nov 25 03:00:00: ", "r1: 117: *Nov 25 03:00:00: ", "r1: .Nov 25 03:00:00.000: ",
        "r1 117: *Nov 25 03:00:00.000 UTC: ", "Nov 25 03:00:00 r1 117: ", "Nov 25 03:00:00 r1 : ",
        "r1: 000117: Nov 25 03:00:00: "}) {
    EXPECT_EQ(fields(fmt::format("<189>{}%SYS-5-RESTART: x", head)), good) << head;
  }
  EXPECT_EQ(fields("<189>117: 1w2d: %SYS-5-RESTART: x"),
            "- |%SYS-5-RESTART|||SYS-5-RESTART|cisco|%SYS-5-RESTART: x");
  EXPECT_EQ(fields("<189>:Nov 25 03:00:00 UTC: %ASA-5-111008: x").substr(0, 24),
            "2025-11-25T03:00:00.000Z");
}

TEST(SyslogReally, StampsComeInEveryDress) {
  const auto stamp = [](std::string_view text) {
    const std::string all = fields(fmt::format("<13>{} r1 app: x", text));
    EXPECT_TRUE(all.ends_with(" r1|app|||app||x")) << all;
    return all.substr(0, all.find(' '));
  };
  const std::string good = "2025-11-25T03:00:00.000Z";
  EXPECT_EQ(stamp("Nov 25 03:00:00"), good);
  EXPECT_EQ(stamp("Nov 25 2025 03:00:00"), good);
  EXPECT_EQ(stamp("2025 Nov 25 03:00:00"), good);
  EXPECT_EQ(stamp("Nov 25 03:00:00 2025"), good);
  EXPECT_EQ(stamp("2025-11-25T03:00:00Z"), good);
  EXPECT_EQ(stamp("2025-11-25T04:00:00+01:00"), good);
  EXPECT_EQ(stamp("2025-11-25 03:00:00"), good);
  EXPECT_EQ(stamp("Nov 25 04:00:00 CET"), good);
  EXPECT_EQ(stamp("Nov 25 03:00:00.000000"), good);
  EXPECT_EQ(fields("<13>Nov  5 03:00:00 r1 app: x").substr(0, 10), "2025-11-05");
}

TEST(SyslogReally, TheHostIsMissing) {
  EXPECT_EQ(fields("<13>Nov 25 03:00:00 app[7]: x"), "2025-11-25T03:00:00.000Z |app|7||app||x");
  EXPECT_EQ(fields("<13>Nov 25 03:00:00 app: x"), "2025-11-25T03:00:00.000Z |app|||app||x");
  EXPECT_EQ(fields("<13>app[7]: x y"), "- |app|7||app||x y");
}

TEST(SyslogReally, RelaysAddTheirOwn) {
  // rsyslog: SyslogProtocol23 frames count the LF, and keep the space before the text.
  EXPECT_EQ(fields("<189>1 2025-11-25T03:00:00Z r1 app 7 - - text\n"),
            "2025-11-25T03:00:00.000Z r1|app|7||app||text");
  EXPECT_EQ(fields("<189>1 2025-11-25T03:00:00Z r1 app 7 - -  text\n"),
            "2025-11-25T03:00:00.000Z r1|app|7||app||text");
  // syslog-ng: its datagrams end in LF. loggen -P and others: a byte order mark before the text, or
  // before all.
  EXPECT_EQ(fields("<189>Nov 25 03:00:00 r1 app: text\n"),
            "2025-11-25T03:00:00.000Z r1|app|||app||text");
  EXPECT_EQ(fields("<189>1 2025-11-25T03:00:00Z r1 app - - [x@1 a=\"b\"] \xEF\xBB\xBFtext"),
            "2025-11-25T03:00:00.000Z r1|app|||app||text");
  EXPECT_EQ(fields("\xEF\xBB\xBF<189>Nov 25 03:00:00 r1 app: text"),
            "2025-11-25T03:00:00.000Z r1|app|||app||text");
  // A counted frame that came in a datagram.
  EXPECT_EQ(fields("33 <189>Nov 25 03:00:00 r1 app: text"),
            "2025-11-25T03:00:00.000Z r1|app|||app||text");
}

TEST(SyslogReally, TextMayHoldAnything) {
  EXPECT_EQ(fields("<13>Nov 25 03:00:00 r1 app: one\n  at two"),
            "2025-11-25T03:00:00.000Z r1|app|||app||one\n  at two");
  EXPECT_EQ(fields("<13>Nov 25 03:00:00 r1 app: {\"a\": \"b: c\"}"),
            "2025-11-25T03:00:00.000Z r1|app|||app||{\"a\": \"b: c\"}");
  EXPECT_EQ(fields("<13>Nov 25 03:00:00 r1 {\"a\":1}"),
            "2025-11-25T03:00:00.000Z r1||||||{\"a\":1}");
  const std::string_view latin(
      "<13>Nov 25 03:00:00 r1 app: gr\xFC\xDF"
      "e",
      32);
  Arena arena;
  Event e;
  syslog::decode(latin, arena, kNow, e);
  EXPECT_TRUE(e.valid);
  EXPECT_EQ(e.raw, latin);
}

TEST(SyslogReally, VendorsOfFirewallsAreNamed) {
  EXPECT_EQ(fields("<14>Nov 25 03:00:00 c1 CEF:0|Acme|Wall|1|7|blocked|5|src=192.0.2.1"),
            "2025-11-25T03:00:00.000Z c1||||7|Acme|CEF:0|Acme|Wall|1|7|blocked|5|src=192.0.2.1");
  EXPECT_EQ(fields("<14>Nov 25 03:00:00 c1 LEEF:1.0|Acme|Wall|1|7|src=192.0.2.1"),
            "2025-11-25T03:00:00.000Z c1||||7|Acme|LEEF:1.0|Acme|Wall|1|7|src=192.0.2.1");
  EXPECT_EQ(fields("<14>Nov 25 03:00:00 p1 1,2025/11/25 03:00:00,0011,THREAT,url,1,x"),
            "2025-11-25T03:00:00.000Z p1||||THREAT|paloalto|1,2025/11/25 "
            "03:00:00,0011,THREAT,url,1,x");
}

TEST(SyslogDecode, WalksStructuredData) {
  syslog::SdReader reader("[ex@1 a=\"1\" b=\"x\\\"y\"][other][broken p=] c=\"2\"");
  syslog::SdParam p;
  std::string out;
  while (reader.next(p)) {
    out += fmt::format("{}.{}={};", p.element, p.name, p.value);
  }
  EXPECT_EQ(out, "ex@1.=;ex@1.a=1;ex@1.b=x\\\"y;other.=;broken.=;broken.c=2;");
}

}  // namespace
}  // namespace belfry
