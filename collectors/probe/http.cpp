// HTTP/1.1 over whatever connection stands: one GET, its status, and a text in its body. The
// response is read by Boost.Beast's parser; redirections are an answer like others.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "belfry/base/text.hpp"
#include "dialogue.hpp"

namespace belfry::probe {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Kind = Finding::Kind;

// Where the text is looked for. A page that says it later than in its first MiB is no health page.
constexpr std::size_t kBodyMax = 1024 * 1024;
constexpr std::uint32_t kHeaderMax = 64 * 1024;

/// Keeps what a check needs of a response.
class ResponseReader final : public http::basic_parser<false> {
 public:
  ResponseReader() {
    eager(false);  // one piece at a time: see waits_for_chunk()
    header_limit(kHeaderMax);
    body_limit(boost::none);
  }
  /// Beast 1.81 asserts that a body whose first chunk is its last comes with five bytes at least
  /// ("0 CR LF CR LF") when it looks again: it must not see the first of them alone.
  bool waits_for_chunk(std::size_t bytes) {
    return is_header_done() && chunked() && !chunk_seen_ && bytes < 5;
  }
  unsigned status = 0;
  std::uint64_t size = 0;
  std::string body;

 private:
  bool chunk_seen_ = false;
  void on_request_impl(http::verb, boost::beast::string_view, boost::beast::string_view, int,
                       error_code&) override {}
  void on_response_impl(int code, boost::beast::string_view, int, error_code& ec) override {
    status = static_cast<unsigned>(code);
    ec = {};
  }
  void on_field_impl(http::field, boost::beast::string_view, boost::beast::string_view,
                     error_code& ec) override {
    ec = {};
  }
  void on_header_impl(error_code& ec) override { ec = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& ec) override {
    ec = {};
  }
  std::size_t on_body_impl(boost::beast::string_view bytes, error_code& ec) override {
    ec = {};
    size += bytes.size();
    body.append(bytes.data(), std::min(bytes.size(), kBodyMax - body.size()));
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code& ec) override {
    chunk_seen_ = true;
    ec = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes,
                                 error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }
};

class HttpDialogue final : public Dialogue {
 public:
  explicit HttpDialogue(const ProbeTarget& target) : spec_(spec_of(target)) {
    const bool v6 = target.address.find(':') != std::string::npos;
    host_ = !spec_.host.empty() ? spec_.host : v6 ? "[" + target.address + "]" : target.address;
    if (target.port != (spec_.tls ? 443 : 80)) {
      host_ += fmt::format(":{}", target.port);
    }
  }

  Next opened(std::string& out) override {
    out = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Belfry\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
        spec_.path, host_);
    return Next::More;
  }

  Next heard(std::string& in, bool ended, std::string&) override {
    while (!in.empty() && !reader_.is_done() && !reader_.waits_for_chunk(in.size())) {
      error_code ec;
      const std::size_t used = reader_.put(boost::asio::buffer(in), ec);
      in.erase(0, used);
      if (ec == http::error::need_more) {
        break;
      }
      if (ec) {
        return wrong("its answer is no HTTP: " + ec.message());
      }
      if (used == 0) {
        break;
      }
    }
    if (ended && !reader_.is_done()) {
      error_code ec;
      if (reader_.got_some()) {
        reader_.put_eof(ec);
      }
      if (ec || !reader_.is_done()) {
        return wrong(reader_.got_some() ? "it hung up in the middle of its answer"
                                        : "it hung up without an answer");
      }
    }
    const bool enough = reader_.size > kBodyMax;
    return reader_.is_done() || enough ? judged() : Next::More;
  }
  std::string_view waiting_for() const override { return "its answer"; }

 private:
  bool status_wanted() const {
    const std::string code = std::to_string(reader_.status);
    if (spec_.statuses.empty()) {
      return code[0] == '2' || code[0] == '3';
    }
    return std::ranges::any_of(spec_.statuses, [&](const std::string& wanted) {
      return wanted == code ||
             (wanted.size() == 3 && wanted.ends_with("xx") && wanted[0] == code[0]);
    });
  }

  Next judged() {
    std::string text = fmt::format("HTTP {}, {} bytes", reader_.status, reader_.size);
    Kind kind = Kind::Good;
    if (!status_wanted()) {
      kind = Kind::Bad;
    } else if (reader_.body.find(spec_.expect) == std::string::npos) {
      kind = Kind::Bad;
      text += fmt::format(": '{}' is not in it", printable(spec_.expect, 60));
    }
    finding = Finding::of(kind, text);
    finding.extras.push_back({"code", static_cast<double>(reader_.status)});
    finding.extras.push_back({"size", static_cast<double>(reader_.size)});
    return Next::Done;
  }
  Next wrong(std::string text) {
    finding = Finding::of(Kind::Bad, std::move(text));
    return Next::Done;
  }

  const CheckSpec spec_;
  std::string host_;
  ResponseReader reader_;
};

}  // namespace

std::unique_ptr<Dialogue> make_http(const ProbeTarget& target) {
  return std::make_unique<HttpDialogue>(target);
}

}  // namespace belfry::probe
