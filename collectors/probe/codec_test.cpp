// DNS and NTP: what is asked and what answers are worth.
#include <gtest/gtest.h>

#include "belfry/base/text.hpp"
#include "dns.hpp"
#include "ntp.hpp"

namespace belfry::probe {
namespace {

using namespace std::string_literals;

std::string number(unsigned v, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i-- > 0;) {
    out.push_back(static_cast<char>(v >> (8 * i) & 0xff));
  }
  return out;
}

/// An answer to `request` with these records, whose names point at the question.
std::string reply(const std::string& request,
                  const std::vector<std::pair<unsigned, std::string>>& records,
                  unsigned flags = 0x8180) {
  // The question ends before the OPT record, the last 11 bytes of the request.
  std::string out = request.substr(0, 2) + number(flags, 2) + number(1, 2) +
                    number(static_cast<unsigned>(records.size()), 2) + number(0, 4) +
                    request.substr(12, request.size() - 12 - 11);
  for (const auto& [type, data] : records) {
    out += number(0xc00c, 2) + number(type, 2) + number(1, 2) + number(300, 4) +
           number(static_cast<unsigned>(data.size()), 2) + data;
  }
  return out;
}

TEST(Dns, ReadsTheRecordsThatWereAskedFor) {
  const std::string a = dns_request("www.example.net", 1, 0x1234);
  ASSERT_GT(a.size(), 30U);
  auto answer = read_dns_answer(reply(a, {{5, std::string("\3web\xc0\x10", 6)},
                                          {1, "\xc0\x00\x02\x07"s},
                                          {1, "\xc6\x33\x64\x01"}}),
                                a);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records, (std::vector<std::string>{"192.0.2.7", "198.51.100.1"}));
  const std::string mx = dns_request("example.net", 15, 7);
  answer = read_dns_answer(reply(mx, {{15, number(10, 2) + "\2Mx\xc0\x0c"}}), mx);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records, (std::vector<std::string>{"10 mx.example.net"}));
  const std::string txt = dns_request("example.net", 16, 7);
  answer = read_dns_answer(reply(txt, {{16, "\5hello\6 world"}}), txt);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records, (std::vector<std::string>{"hello world"}));
  const std::string soa = dns_request("example.net", 6, 7);
  answer = read_dns_answer(reply(soa, {{6, "\2ns\xc0\x0c\4host\xc0\x0c" + number(2026112501, 4) +
                                               std::string(16, '\0')}}),
                           soa);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->serial, 2026112501U);
  EXPECT_EQ(answer->records, (std::vector<std::string>{"ns.example.net 2026112501"}));
}

TEST(Dns, AnswersToOthersAndBrokenOnesAreNone) {
  const std::string request = dns_request("www.example.net", 1, 0x1234);
  const std::string good = reply(request, {{1, "\xc0\x00\x02\x07"s}});
  ASSERT_TRUE(read_dns_answer(good, request));
  EXPECT_FALSE(read_dns_answer(good, dns_request("www.example.net", 1, 0x1235)));
  EXPECT_FALSE(read_dns_answer(good, dns_request("wwx.example.net", 1, 0x1234)));
  EXPECT_FALSE(read_dns_answer(good, dns_request("www.example.net", 28, 0x1234)));
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(read_dns_answer(good.substr(0, n), request)) << n;
  }
  EXPECT_FALSE(read_dns_answer(reply(request, {{1, "\xc0\x00\x02"s}}), request)) << "three bytes";
  EXPECT_EQ(read_dns_answer(reply(request, {}, 0x8183), request)->rcode, 3U);
  EXPECT_TRUE(read_dns_answer(reply(request, {}, 0x8380), request)->truncated);
}

TEST(Dns, NamesAndSerials) {
  EXPECT_EQ(dns_name("WWW.Example.NET."), "www.example.net");
  EXPECT_EQ(dns_name("."), ".");
  EXPECT_EQ(dns_type("SOA"), 6);
  EXPECT_FALSE(dns_type("ANY"));
  EXPECT_TRUE(dns_request(std::string(300, 'x'), 1, 1).empty());
  EXPECT_TRUE(serial_before(1, 2));
  EXPECT_TRUE(serial_before(0xfffffff0U, 5));
  EXPECT_FALSE(serial_before(5, 0xfffffff0U));
  EXPECT_FALSE(serial_before(7, 7));
}

constexpr Instant kNow{1'795'000'000'500'000'000};  // 2026-11-18

/// A server's answer whose clock is `ahead` seconds (of eighths) ahead.
std::string ntp_answer(std::string_view nonce, double ahead, unsigned first = 0x24,
                       unsigned stratum = 2) {
  std::string out(48, '\0');
  out[0] = static_cast<char>(first);
  out[1] = static_cast<char>(stratum);
  out.replace(12, 4, "DENY");
  out.replace(24, 8, nonce);
  const double seconds = 1'795'000'000.5 + ahead + 2'208'988'800.0;
  const auto whole = static_cast<std::uint64_t>(seconds);
  const auto part = static_cast<unsigned>((seconds - static_cast<double>(whole)) * 4294967296.0);
  const std::string stamp = number(static_cast<unsigned>(whole & 0xffffffff), 4) + number(part, 4);
  out.replace(32, 8, stamp);
  out.replace(40, 8, stamp);
  return out;
}

TEST(Ntp, OffsetStratumAndRefusals) {
  const std::string nonce = "12345678";
  EXPECT_EQ(ntp_request(nonce).size(), 48U);
  EXPECT_EQ(ntp_request(nonce).substr(40), nonce);
  auto answer = read_ntp_answer(ntp_answer(nonce, 0.25), nonce, kNow, kNow);
  ASSERT_TRUE(answer);
  EXPECT_NEAR(answer->offset, 0.25, 1e-6);
  EXPECT_EQ(answer->stratum, 2U);
  EXPECT_TRUE(answer->synchronised);
  // We waited a second for it and the server answered in the middle of it.
  answer = read_ntp_answer(ntp_answer(nonce, 0), nonce, kNow - 500ms, kNow + 500ms);
  EXPECT_NEAR(answer->offset, 0, 1e-6);
  EXPECT_FALSE(read_ntp_answer(ntp_answer(nonce, 0, 0xe4), nonce, kNow, kNow)->synchronised);
  EXPECT_EQ(read_ntp_answer(ntp_answer(nonce, 0, 0x24, 0), nonce, kNow, kNow)->kiss, "DENY");
  EXPECT_FALSE(read_ntp_answer(ntp_answer("87654321", 0), nonce, kNow, kNow));
  EXPECT_FALSE(read_ntp_answer(ntp_answer(nonce, 0, 0x23), nonce, kNow, kNow)) << "a client";
  EXPECT_FALSE(read_ntp_answer("short", nonce, kNow, kNow));
}

TEST(Ntp, StampsTurnOverIn2036) {
  const Instant later{2'100'000'000LL * 1'000'000'000};  // 2036-07
  std::string out = ntp_answer("12345678", 0);
  const auto seconds = static_cast<unsigned>((2'100'000'000LL + 2'208'988'800LL) & 0xffffffff);
  out.replace(32, 8, number(seconds, 4) + number(0, 4));
  out.replace(40, 8, number(seconds, 4) + number(0, 4));
  EXPECT_NEAR(read_ntp_answer(out, "12345678", later, later)->offset, 0, 1e-6);
}

}  // namespace
}  // namespace belfry::probe
