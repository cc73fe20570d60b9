#include "belfry/syslog/framing.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace belfry::syslog {
namespace {

/// All frames of a stream that arrives in chunks of the sizes that `next_size` gives.
template <class NextSize>
std::vector<std::string> cut(std::string_view stream, std::size_t max, NextSize next_size) {
  Framer framer(max);
  std::vector<std::string> out;
  std::string kept;
  std::string_view frame;
  std::size_t at = 0;
  while (at < stream.size()) {
    const std::size_t n = std::min(next_size(), stream.size() - at);
    kept += stream.substr(at, n);
    at += n;
    std::string_view bytes = kept;
    for (FrameStep step = framer.next(bytes, frame); step != FrameStep::More;
         step = framer.next(bytes, frame)) {
      out.emplace_back(step == FrameStep::Frame ? std::string(frame) : "<too long>");
    }
    kept = std::string(bytes);
  }
  if (framer.last(kept, frame)) {
    out.emplace_back(frame);
  }
  return out;
}
std::vector<std::string> cut(std::string_view stream, std::size_t max = kFrameBytesMax) {
  return cut(stream, max, [&stream] { return stream.size(); });
}
using Frames = std::vector<std::string>;

TEST(SyslogFraming, TellsCountedFramesAndLinesApart) {
  EXPECT_EQ(cut("<1>a\n<2>b\r\n\n<3>c"), (Frames{"<1>a", "<2>b", "<3>c"}));
  EXPECT_EQ(cut("5 <1>ab3 abc\n4 <2>x"), (Frames{"<1>ab", "abc", "<2>x"}));
  EXPECT_EQ(cut("6 <1>a\nb<2>line\n3 xyz"), (Frames{"<1>a\nb", "<2>line", "xyz"}));
  EXPECT_EQ(cut("2025 Apr 20 13:15:07 nx\n9 Mar 2025 x\n4 Mar 20 abc"),
            (Frames{"2025 Apr 20 13:15:07 nx", "9 Mar 2025 x", "4 Mar 20 abc"}));
  EXPECT_EQ(cut("2025-01-01 line\n1234567 line\n0 line\n"),
            (Frames{"2025-01-01 line", "1234567 line", "0 line"}));
}

TEST(SyslogFraming, SkipsFramesBeyondTheLimitAndStaysInStep) {
  EXPECT_EQ(cut("12 abcdefghijkl3 abc", 10), (Frames{"<too long>", "abc"}));
  EXPECT_EQ(cut("abcdefghijkl\nok\n", 10), (Frames{"<too long>", "ok"}));
  EXPECT_EQ(cut("abcdefghij\nok\n", 10), (Frames{"abcdefghij", "ok"}));
}

TEST(SyslogFraming, GivesNoCutFrameAtTheEnd) {
  EXPECT_EQ(cut("10 abc"), Frames{});
  EXPECT_EQ(cut("12"), Frames{});
  EXPECT_EQ(cut("<13>no line end"), Frames{"<13>no line end"});
}

TEST(SyslogFraming, ChunkBordersChangeNothing) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    for (int part = 0; part < 30; ++part) {
      const std::string text(random() % 30, static_cast<char>('a' + random() % 26));
      switch (random() % 4) {
        case 0:
          stream += std::to_string(text.size()) + " " + text;
          break;
        case 1:
          stream += "<13>" + text + "\r\n";
          break;
        case 2:
          stream += text + "\n";
          break;
        default:
          stream += std::string(1, static_cast<char>(random()));
          break;
      }
    }
    const Frames whole = cut(stream, 20);
    ASSERT_EQ(cut(stream, 20, [] { return std::size_t{1}; }), whole);
    ASSERT_EQ(cut(stream, 20, [&random] { return std::size_t{1} + random() % 17; }), whole);
  }
}

}  // namespace
}  // namespace belfry::syslog
