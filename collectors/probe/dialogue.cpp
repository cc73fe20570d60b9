#include "dialogue.hpp"

#include <fmt/format.h>

#include "belfry/base/text.hpp"

namespace belfry::probe {
namespace {

using Kind = Finding::Kind;

std::string shown_line(std::string_view text) {
  text = trim(text);
  return printable(text.substr(0, text.find_first_of("\r\n")), 120);
}

/// A connection that stands, and the banner where one is expected.
class TcpDialogue final : public Dialogue {
 public:
  explicit TcpDialogue(const CheckSpec& spec) : spec_(spec) {}
  Next opened(std::string& out) override {
    if (spec_.expect.empty()) {
      finding = Finding::of(Kind::Good, "connected");
      return Next::Done;
    }
    out = spec_.send;
    return Next::More;
  }
  Next heard(std::string& in, bool ended, std::string&) override {
    if (in.find(spec_.expect) != std::string::npos) {
      finding = Finding::of(Kind::Good, shown_line(in));
      return Next::Done;
    }
    if (ended || in.size() > kHeardMax) {
      finding = Finding::of(Kind::Bad, fmt::format("expected '{}', it said '{}'",
                                                   shown_line(spec_.expect), shown_line(in)));
      return Next::Done;
    }
    return Next::More;
  }
  std::string_view waiting_for() const override { return "its banner"; }

 private:
  const CheckSpec spec_;
};

/// A handshake and nothing more.
class TlsDialogue final : public Dialogue {
 public:
  Next opened(std::string&) override {
    finding = Finding::of(Kind::Good, "");
    return Next::Done;
  }
  Next heard(std::string&, bool, std::string&) override { return Next::Done; }
  std::string_view waiting_for() const override { return "the handshake"; }
};

/// RFC 5321: greeting, EHLO, STARTTLS (RFC 3207) where asked, QUIT. Sends no mail.
class SmtpDialogue final : public Dialogue {
 public:
  explicit SmtpDialogue(const CheckSpec& spec) : spec_(spec) {}
  Next opened(std::string& out) override {
    if (step_ == Step::Secured) {
      out = "EHLO belfry\r\n";
      step_ = Step::Hello;
    }
    return Next::More;
  }
  Next heard(std::string& in, bool ended, std::string& out) override {
    std::string lines;
    while (const auto code = take_reply(in, lines)) {
      const Next next = replied(*code, lines, out);
      if (next != Next::More) {
        return next;
      }
      lines.clear();
    }
    if (ended || in.size() > kHeardMax) {
      return wrong(ended ? "it hung up" : "no end of its lines", in);
    }
    return Next::More;
  }
  std::string_view waiting_for() const override {
    return step_ == Step::Greeting ? "its greeting" : "its reply";
  }

 private:
  enum class Step : std::uint8_t { Greeting, Hello, StartTls, Secured };

  /// A whole reply, all its lines, off the front of `in`.
  static std::optional<int> take_reply(std::string& in, std::string& lines) {
    std::size_t at = 0;
    while (true) {
      const std::size_t end = in.find('\n', at);
      if (end == std::string::npos) {
        return std::nullopt;
      }
      const std::string_view line(in.data() + at, end - at);
      const bool last = line.size() < 4 || line[3] != '-';
      at = end + 1;
      if (last) {
        const auto code = parse_int(line.substr(0, std::min<std::size_t>(line.size(), 3)));
        lines = in.substr(0, at);
        in.erase(0, at);
        return static_cast<int>(code.value_or(0));
      }
    }
  }

  Next replied(int code, const std::string& lines, std::string& out) {
    if (step_ == Step::Greeting) {
      if (code != 220 || lines.find(spec_.expect) == std::string::npos) {
        return wrong("not the greeting that was expected", lines);
      }
      greeting_ = shown_line(lines);
      out = "EHLO belfry\r\n";
      step_ = Step::Hello;
      return Next::More;
    }
    if (step_ == Step::Hello) {
      if (code != 250) {
        return wrong("EHLO was refused", lines);
      }
      if (!spec_.tls || secured_) {
        finding = Finding::of(Kind::Good, greeting_);
        out = "QUIT\r\n";
        return Next::Done;
      }
      if (lines.find("STARTTLS") == std::string::npos) {
        return wrong("it offers no STARTTLS", lines);
      }
      out = "STARTTLS\r\n";
      step_ = Step::StartTls;
      return Next::More;
    }
    if (code != 220) {
      return wrong("STARTTLS was refused", lines);
    }
    secured_ = true;
    step_ = Step::Secured;
    return Next::StartTls;
  }

  Next wrong(std::string_view what, std::string_view said) {
    finding = Finding::of(Kind::Bad, fmt::format("{}: '{}'", what, shown_line(said)));
    return Next::Done;
  }

  const CheckSpec spec_;
  Step step_ = Step::Greeting;
  bool secured_ = false;
  std::string greeting_;
};

}  // namespace

std::unique_ptr<Dialogue> make_dialogue(const ProbeTarget& target) {
  switch (target.check) {
    case ProbeCheck::Http:
      return make_http(target);
    case ProbeCheck::Smtp:
      return std::make_unique<SmtpDialogue>(spec_of(target));
    case ProbeCheck::Tls:
      return std::make_unique<TlsDialogue>();
    default:
      return std::make_unique<TcpDialogue>(spec_of(target));
  }
}

}  // namespace belfry::probe
