#include "relp.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace belfry::syslog {
namespace {

std::string frames(std::string_view stream, std::size_t max, std::size_t step) {
  RelpFramer framer(max);
  std::string out, kept;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    kept += stream.substr(at, step);
    std::string_view bytes = kept;
    RelpFrame frame;
    for (;;) {
      const RelpStep result = framer.next(bytes, frame);
      if (result == RelpStep::Broken) {
        return out + "broken";
      }
      if (result == RelpStep::More) {
        break;
      }
      out += fmt::format("{} {} [{}]{};", frame.txnr, frame.command, frame.data,
                         frame.cut ? "cut" : "");
    }
    kept = std::string(bytes);
  }
  return out;
}

TEST(Relp, CutsFramesAtAnyBorder) {
  const std::string stream =
      "1 open 14 relp_version=0\n2 syslog 3 a\nb\n3 syslog 12 0123456789ab\n4 syslog 0\n5 close 0 "
      "\n";
  const std::string expected =
      "1 open [relp_versi]cut;2 syslog [a\nb];3 syslog [0123456789]cut;4 syslog [];5 close [];";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    EXPECT_EQ(frames(stream, 10, step), expected) << step;
  }
}

TEST(Relp, KnowsWhatIsNone) {
  EXPECT_EQ(frames("GET / HTTP/1.1\n", 10, 99), "broken");
  EXPECT_EQ(frames("1234567890 syslog 1 a\n", 10, 99), "broken");
  EXPECT_EQ(frames("1 sys-log 1 a\n", 10, 99), "broken");
  EXPECT_EQ(frames("1 " + std::string(33, 'a') + " 1 a\n", 10, 99), "broken");
  EXPECT_EQ(frames("1 syslog 1234567890 a\n", 10, 99), "broken");
  EXPECT_EQ(frames("1 syslog -1 a\n", 10, 99), "broken");
  EXPECT_EQ(frames("1 syslog 1 ab", 10, 99), "broken");
  EXPECT_EQ(frames("1 syslog 12 0123456789abX", 10, 99), "1 syslog [0123456789]cut;broken");
  EXPECT_EQ(frames("1 syslog 2\n", 10, 99), "broken");
}

TEST(Relp, AnswersOffers) {
  EXPECT_NE(answer_offers("relp_version=0\nrelp_software=x\ncommands=a,syslog"), "");
  EXPECT_EQ(answer_offers("relp_version=0\ncommands=eventlog"), "");
  EXPECT_EQ(answer_offers(""), "");
}

TEST(Relp, ReleasesResponsesByTheCommitMark) {
  RelpAcks acks;
  acks.add(7, 1);
  acks.add(7, 2);
  acks.add(7, 9);
  acks.add(8, 10);
  std::string out;
  EXPECT_EQ(acks.release(6, out), 0U);
  EXPECT_EQ(acks.release(7, out), 3U);
  EXPECT_EQ(out, "1 rsp 6 200 OK\n2 rsp 6 200 OK\n9 rsp 6 200 OK\n");
  EXPECT_FALSE(acks.empty());
  out.clear();
  EXPECT_EQ(acks.release(8, out), 1U);
  EXPECT_TRUE(acks.empty());
}

}  // namespace
}  // namespace belfry::syslog
