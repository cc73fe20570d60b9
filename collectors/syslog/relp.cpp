#include "relp.hpp"

#include <algorithm>

#include "chars.hpp"

namespace belfry::syslog {
namespace {

/// Digits at bytes[at] up to kRelpDigitsMax; moves `at` behind them. False: none, or too many.
bool number_at(std::string_view bytes, std::size_t& at, std::size_t& value) {
  const std::size_t n = run_of(bytes.substr(at, kRelpDigitsMax + 1), kDigit);
  if (n > kRelpDigitsMax) {
    return false;
  }
  value = n == 0 ? 0 : static_cast<std::size_t>(digits_at(bytes, at, n));
  at += n;
  return n > 0;
}

struct Head {
  std::size_t txnr = 0, command_at = 0, command_bytes = 0, data_at = 0, data_bytes = 0;
};

/// The head up to the first byte of data, or up to the LF when there is none.
RelpStep read_head(std::string_view bytes, Head& head) {
  std::size_t at = 0;
  // What cannot be judged yet because the bytes end here.
  const auto ends = [&bytes, &at] {
    return at == bytes.size() ? RelpStep::More : RelpStep::Broken;
  };
  if (!number_at(bytes, at, head.txnr) || at == bytes.size() || bytes[at] != ' ') {
    return ends();
  }
  head.command_at = ++at;
  head.command_bytes = run_of(bytes.substr(at, kRelpCommandMax + 1), kAlpha);
  at += head.command_bytes;
  if (head.command_bytes > kRelpCommandMax) {
    return RelpStep::Broken;
  }
  if (head.command_bytes == 0 || at == bytes.size() || bytes[at] != ' ') {
    return ends();
  }
  ++at;
  if (!number_at(bytes, at, head.data_bytes) || at == bytes.size()) {
    return ends();
  }
  if (bytes[at] == ' ') {
    head.data_at = at + 1;
    return RelpStep::Frame;
  }
  head.data_at = at;
  return head.data_bytes == 0 && bytes[at] == '\n' ? RelpStep::Frame : RelpStep::Broken;
}

}  // namespace

RelpStep RelpFramer::next(std::string_view& bytes, RelpFrame& frame) {
  if (skip_ > 0) {
    const std::size_t n = std::min(skip_, bytes.size());
    bytes.remove_prefix(n);
    skip_ -= n;
  }
  if (skip_ > 0 || bytes.empty()) {
    return RelpStep::More;
  }
  if (trailer_) {
    if (bytes[0] != '\n') {
      return RelpStep::Broken;
    }
    trailer_ = false;
    bytes.remove_prefix(1);
    if (bytes.empty()) {
      return RelpStep::More;
    }
  }
  Head head;
  const RelpStep step = read_head(bytes, head);
  if (step != RelpStep::Frame) {
    return step;
  }
  frame.cut = head.data_bytes > max_;
  const std::size_t kept = frame.cut ? max_ : head.data_bytes;
  if (bytes.size() - head.data_at < kept + (frame.cut ? 0 : 1)) {
    return RelpStep::More;
  }
  if (!frame.cut && bytes[head.data_at + kept] != '\n') {
    return RelpStep::Broken;
  }
  frame.txnr = static_cast<std::uint32_t>(head.txnr);
  frame.command = bytes.substr(head.command_at, head.command_bytes);
  frame.data = bytes.substr(head.data_at, kept);
  bytes.remove_prefix(head.data_at + kept + (frame.cut ? 0 : 1));
  skip_ = head.data_bytes - kept;
  trailer_ = frame.cut;
  return RelpStep::Frame;
}

void append_response(std::string& out, std::uint32_t txnr, std::string_view data) {
  out += std::to_string(txnr);
  out += " rsp ";
  out += std::to_string(data.size());
  if (!data.empty()) {
    out += ' ';
    out += data;
  }
  out += '\n';
}

std::string answer_offers(std::string_view offers) {
  while (!offers.empty()) {
    const std::string_view line = offers.substr(0, offers.find('\n'));
    offers.remove_prefix(std::min(line.size() + 1, offers.size()));
    constexpr std::string_view kCommands = "commands=";
    if (line.starts_with(kCommands) &&
        ("," + std::string(line.substr(kCommands.size())) + ",").find(",syslog,") !=
            std::string::npos) {
      return "200 OK\nrelp_version=0\nrelp_software=belfry\ncommands=syslog";
    }
  }
  return {};
}

std::size_t RelpAcks::release(std::uint64_t committed, std::string& out) {
  std::size_t n = 0;
  while (!runs_.empty() && runs_.front().batch <= committed) {
    for (std::uint32_t txnr = runs_.front().first;; ++txnr) {
      append_response(out, txnr, "200 OK");
      ++n;
      if (txnr == runs_.front().last) {
        break;
      }
    }
    runs_.pop_front();
  }
  return n;
}

}  // namespace belfry::syslog
