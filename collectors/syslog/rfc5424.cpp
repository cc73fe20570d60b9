#include "rfc5424.hpp"

#include <array>

#include "belfry/syslog/decode.hpp"
#include "chars.hpp"
#include "stamp.hpp"

namespace belfry::syslog {
namespace {

// RFC 5424 6: lengths of the header's fields.
constexpr std::size_t kHostMax = 255, kAppMax = 48, kPidMax = 128, kMsgidMax = 32, kSdNameMax = 32;
/// More elements than this in one message are not checked for being double.
constexpr std::size_t kElementsChecked = 32;

void note(std::string_view& why, std::string_view reason) {
  if (why.empty()) {
    why = reason;
  }
}

/// One field up to the next space; `-` is the empty one. False: no space follows or nothing is
/// there.
bool read_field(std::string_view& text, std::size_t bytes_max, std::string_view& field,
                std::string_view reason, std::string_view& why) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    note(why, reason);
    return false;
  }
  const std::string_view token = text.substr(0, space);
  if (token.empty() || token.size() > bytes_max || !all_of(token, kPrint)) {
    note(why, reason);
  }
  field = token == "-" ? std::string_view() : token;
  text.remove_prefix(space + 1);
  return true;
}

/// From the quote at text[0] past the closing one; 0 when there is none.
std::size_t read_param_value(std::string_view text, std::string_view& why) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    if (text[at] == '\\') {
      if (at + 1 < text.size() && text[at + 1] != '"' && text[at + 1] != '\\' &&
          text[at + 1] != ']') {
        note(why, "sd-escape");
      } else {
        ++at;
      }
    } else if (text[at] == ']') {
      note(why, "sd-escape");
    }
    ++at;
  }
  return at < text.size() ? at + 1 : 0;
}

/// One `[id name="value" ...]` at the head of text; 0 when its end is not found.
std::size_t read_element(std::string_view text, std::string_view& why) {
  std::size_t at = 1 + run_of(text.substr(1), kSdName);
  if (at == 1 || at - 1 > kSdNameMax) {
    note(why, "sd-id");
  }
  while (at < text.size() && text[at] != ']') {
    if (text[at] != ' ') {  // `[=]`, `["x"]`: skip to what ends the element
      note(why, "sd-param");
      at = text.find(']', at);
      return at == std::string_view::npos ? 0 : at + 1;
    }
    const std::size_t next = skip_spaces(text, at);
    if (next > at + 1) {
      note(why, "sd-param");  // exactly one space
    }
    at = next;
    const std::size_t name = run_of(text.substr(at), kSdName);
    if (name == 0 || name > kSdNameMax) {
      note(why, "sd-param");
    }
    at += name;
    if (at >= text.size()) {
      break;
    }
    if (text[at] != '=') {
      note(why, "sd-param");  // a name without a value
      if (name == 0 && text[at] != ']') {
        ++at;
      }
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == ' ') {
      note(why, "sd-param");
      at = skip_spaces(text, at);
    }
    if (at >= text.size() || text[at] != '"') {
      note(why, "sd-param");
      continue;
    }
    const std::size_t value = read_param_value(text.substr(at), why);
    if (value == 0) {
      // An unpaired quote: the element ends at the first `]`, or never.
      note(why, "sd-escape");
      at = text.find(']', at);
      return at == std::string_view::npos ? 0 : at + 1;
    }
    at += value;
  }
  return at < text.size() ? at + 1 : 0;
}

}  // namespace

std::size_t read_structured_data(std::string_view text, std::string_view& why) {
  std::array<std::string_view, kElementsChecked> ids;
  std::size_t count = 0;
  std::size_t at = 0;
  while (at < text.size() && text[at] == '[') {
    const std::size_t n = read_element(text.substr(at), why);
    if (n == 0) {
      note(why, "sd-open");
      return at;
    }
    const std::string_view id = text.substr(at + 1, run_of(text.substr(at + 1), kSdName));
    for (std::size_t i = 0; i < count; ++i) {
      if (ids[i] == id) {
        note(why, "sd-double");
      }
    }
    if (count < ids.size()) {
      ids[count++] = id;
    }
    at += n;
  }
  return at;
}

Rfc5424 read_rfc5424(std::string_view text, Event& out, std::string_view& why,
                     std::size_t& version_end) {
  const std::size_t digits = run_of(text, kDigit);
  if (digits == 0 || digits + 1 > text.size() || text[digits] != ' ') {
    return Rfc5424::NotOne;
  }
  version_end = digits + 1;
  std::string_view rest = text.substr(version_end);
  if (at_month(rest) ||
      digits > 5) {  // `2018 Apr 20 ...` (NX-OS), `9 Mar 2025 ...`, `1741529717 ...`
    return Rfc5424::NotOne;
  }
  if (digits > 3 || text[0] == '0') {
    why = "version";
    return Rfc5424::Broken;
  }
  const std::string_view stamp = word_of(rest);
  Instant at;
  if (stamp != "-" && !read_rfc5424_stamp(stamp, at)) {
    why = "timestamp";
    return Rfc5424::Broken;
  }
  if (rest.size() <= stamp.size() || rest[stamp.size()] != ' ') {
    why = "host";
    return Rfc5424::Broken;
  }
  rest.remove_prefix(stamp.size() + 1);
  std::string_view host, app, pid, msgid;
  if (!read_field(rest, kHostMax, host, "host", why) ||
      !read_field(rest, kAppMax, app, "app", why) || !read_field(rest, kPidMax, pid, "pid", why) ||
      !read_field(rest, kMsgidMax, msgid, "msgid", why)) {
    return Rfc5424::Broken;
  }
  std::size_t sd = 0;
  if (!rest.empty() && rest[0] == '-' && (rest.size() == 1 || rest[1] == ' ')) {
    sd = 1;
  } else {
    sd = read_structured_data(rest, why);
    if (sd == 0 && !rest.starts_with('[')) {
      note(why, "structured-data");
      return Rfc5424::Broken;
    }
    out.structured_data = rest.substr(0, sd);
  }
  std::string_view message = rest.substr(sd);
  if (sd > 0 && !message.empty() && message[0] != ' ') {
    note(why, "structured-data");
  } else if (sd > 0 && !message.empty()) {
    message.remove_prefix(1);
  }
  if (message.starts_with("\xEF\xBB\xBF")) {
    message.remove_prefix(3);
  }
  out.stamp = at;
  out.host = host;
  out.app = app;
  out.pid = pid;
  out.msgid = msgid;
  out.message = message;
  return why.empty() ? Rfc5424::Valid : Rfc5424::Loose;
}

bool SdReader::next(SdParam& out) {
  for (;;) {
    if (rest_.empty()) {
      return false;
    }
    const char c = rest_[0];
    if (c == ' ' || c == ']') {
      rest_.remove_prefix(1);
      continue;
    }
    if (c == '[') {
      rest_.remove_prefix(1);
      element_ = rest_.substr(0, run_of(rest_, kSdName));
      rest_.remove_prefix(element_.size());
      out = {element_, {}, {}};
      return true;
    }
    const std::string_view name = rest_.substr(0, run_of(rest_, kSdName));
    rest_.remove_prefix(name.size());
    if (rest_.empty() || rest_[0] != '=') {
      if (name.empty() && !rest_.empty()) {
        rest_.remove_prefix(1);  // a byte that belongs nowhere
      }
      continue;
    }
    rest_.remove_prefix(1 + skip_spaces(rest_.substr(1)));
    std::string_view ignored;
    const std::size_t n = rest_.empty() || rest_[0] != '"' ? 0 : read_param_value(rest_, ignored);
    if (n == 0) {
      continue;
    }
    out = {element_, name, rest_.substr(1, n - 2)};
    rest_.remove_prefix(n);
    return true;
  }
}

}  // namespace belfry::syslog
