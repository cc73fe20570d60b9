#include "dialogue.hpp"

#include <gtest/gtest.h>

namespace belfry::probe {
namespace {

using Next = Dialogue::Next;

struct Spoken {
  Finding::Kind kind = Finding::Kind::Broken;  ///< Broken: it waits for more
  std::string text, said;
};

/// Tells `heard` in pieces of `piece` bytes, then ends the connection.
Spoken speak(const ProbeTarget& target, std::string_view heard, std::size_t piece,
             bool ends = true) {
  const auto dialogue = make_dialogue(target);
  Spoken out;
  std::string in, say;
  Next next = dialogue->opened(say);
  while (next != Next::Done && !heard.empty()) {
    in += heard.substr(0, piece);
    heard.remove_prefix(std::min(piece, heard.size()));
    out.said += std::exchange(say, "");
    next = dialogue->heard(in, false, say);
    if (next == Next::StartTls) {
      out.said += std::exchange(say, "") + "(tls)";
      next = dialogue->opened(say);
    }
  }
  if (next != Next::Done && ends) {
    next = dialogue->heard(in, true, say);
  }
  out.said += say;
  if (next == Next::Done) {
    out.kind = dialogue->finding.kind;
    out.text = dialogue->finding.text;
  }
  return out;
}

ProbeTarget target(ProbeCheck check, const CheckSpec& spec, std::uint16_t port = 80) {
  ProbeTarget t;
  t.address = "192.0.2.1";
  t.check = check;
  t.port = port;
  t.spec = std::make_shared<const CheckSpec>(spec);
  return t;
}

void expect(const ProbeTarget& t, std::string_view heard, Finding::Kind kind,
            std::string_view text) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, heard.size() + 1}) {
    const Spoken got = speak(t, heard, piece);
    EXPECT_EQ(got.kind, kind) << heard << " in pieces of " << piece << ": " << got.text;
    EXPECT_EQ(got.text, text) << piece;
  }
}

TEST(Dialogue, HttpStatusAndBody) {
  CheckSpec spec;
  spec.host = "www.isp.example";
  spec.path = "/health";
  const auto plain = target(ProbeCheck::Http, spec, 8080);
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nall fine";
  expect(plain, ok, Finding::Kind::Good, "HTTP 200, 8 bytes");
  EXPECT_EQ(
      speak(plain, ok, 100).said,
      "GET /health HTTP/1.1\r\nHost: www.isp.example:8080\r\nUser-Agent: Belfry\r\nAccept: */*\r\n"
      "Accept-Encoding: identity\r\nConnection: close\r\n\r\n");
  expect(plain, "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
         Finding::Kind::Good, "HTTP 301, 0 bytes");
  expect(plain, "HTTP/1.0 503 Busy\r\n\r\nno", Finding::Kind::Bad, "HTTP 503, 2 bytes");
  expect(plain,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5\r\n fine\r\n0\r\n\r\n",
         Finding::Kind::Good, "HTTP 200, 8 bytes");
  expect(plain, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         Finding::Kind::Good, "HTTP 200, 0 bytes");
  expect(plain, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\x93\r\n",
         Finding::Kind::Bad, "it hung up in the middle of its answer");
  spec.expect = "fine";
  spec.statuses = {"503", "2xx"};
  const auto match = target(ProbeCheck::Http, spec);
  expect(match, ok, Finding::Kind::Good, "HTTP 200, 8 bytes");
  expect(match, "HTTP/1.0 503 Busy\r\n\r\nfine", Finding::Kind::Good, "HTTP 503, 4 bytes");
  expect(match, "HTTP/1.0 200 OK\r\n\r\nnothing", Finding::Kind::Bad,
         "HTTP 200, 7 bytes: 'fine' is not in it");
}

TEST(Dialogue, WhatIsNoHttpIsDown) {
  const auto t = target(ProbeCheck::Http, {});
  expect(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall", Finding::Kind::Bad,
         "it hung up in the middle of its answer");
  EXPECT_EQ(speak(t, "SSH-2.0-OpenSSH\r\n", 99).kind, Finding::Kind::Bad);
  EXPECT_EQ(speak(t, "", 1).kind, Finding::Kind::Bad);
  const std::string big = "HTTP/1.1 200 OK\r\n\r\n" + std::string(2 << 20, 'x');
  EXPECT_EQ(speak(t, big, 4096, false).kind, Finding::Kind::Good) << "a stream without end";
}

TEST(Dialogue, SmtpGreetingHelloAndStartTls) {
  const auto plain = target(ProbeCheck::Smtp, {});
  const std::string hello =
      "220-mx.isp.example\r\n220 ready\r\n250-mx\r\n250-STARTTLS\r\n250 HELP\r\n";
  expect(plain, hello, Finding::Kind::Good, "220-mx.isp.example");
  EXPECT_EQ(speak(plain, hello, 5).said, "EHLO belfry\r\nQUIT\r\n");
  expect(plain, "554 go away\r\n", Finding::Kind::Bad,
         "not the greeting that was expected: '554 go away'");
  expect(plain, "220 hi\r\n421 closing\r\n", Finding::Kind::Bad, "EHLO was refused: '421 closing'");
  expect(plain, "220 hi\r\n", Finding::Kind::Bad, "it hung up: ''");
  CheckSpec spec;
  spec.tls = true;
  const auto tls = target(ProbeCheck::Smtp, spec);
  EXPECT_EQ(speak(tls, hello + "220 go\r\n" + "250 mx\r\n", 1).said,
            "EHLO belfry\r\nSTARTTLS\r\n(tls)EHLO belfry\r\nQUIT\r\n");
  expect(tls, "220 hi\r\n250 mx\r\n", Finding::Kind::Bad, "it offers no STARTTLS: '250 mx'");
}

TEST(Dialogue, TcpBanner) {
  const auto any = target(ProbeCheck::Tcp, {});
  EXPECT_EQ(speak(any, "", 1).kind, Finding::Kind::Good);
  CheckSpec spec;
  spec.send = "PING\r\n";
  spec.expect = "+PONG";
  const auto t = target(ProbeCheck::Tcp, spec);
  expect(t, "+PONG\r\n", Finding::Kind::Good, "+PONG");
  EXPECT_EQ(speak(t, "+PO", 1, false).said, "PING\r\n");
  expect(t, "-ERR \x1b[1m\r\n", Finding::Kind::Bad, "expected '+PONG', it said '-ERR \\x1b[1m'");
}

}  // namespace
}  // namespace belfry::probe
