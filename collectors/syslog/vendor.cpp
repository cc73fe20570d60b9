#include "vendor.hpp"

#include <algorithm>
#include <array>

#include "chars.hpp"

namespace belfry::syslog {
namespace {

constexpr std::size_t kTagMax = 64;

/// Junos daemons that devices log under.
constexpr std::array<std::string_view, 22> kJunosDaemons{
    "rpd",     "mgd",    "dcd",   "mib2d", "alarmd", "craftd", "chassisd", "kmd",
    "l2ald",   "lacpd",  "bfdd",  "cosd",  "pfed",   "jddosd", "ppmd",     "dfwd",
    "RT_FLOW", "RT_IDP", "dcpfe", "rmopd", "eswd",   "vrrpd"};

/// Huawei, H3C: `%%01IFNET/4/LINK_STATE(l)[1]:`, `%%10IFNET/3/LINK_UPDOWN:`.
Mnemonic read_comware(std::string_view text) {
  std::size_t at = 2 + run_of(text.substr(2, 2), kDigit);
  const std::size_t begin = at;
  unsigned slashes = 0;
  while (at < text.size() && at < kTagMax && (is(text[at], kMnemonic) || text[at] == '/')) {
    slashes += text[at] == '/' ? 1 : 0;
    ++at;
  }
  if (slashes < 2) {
    return {};
  }
  Mnemonic m;
  m.tag = text.substr(begin, at - begin);
  while (at < text.size() && (text[at] == '(' || text[at] == '[')) {  // (l)[1], (D)
    const std::size_t end = text.find(text[at] == '(' ? ')' : ']', at);
    if (end == std::string_view::npos || end - at > 16) {
      return {};
    }
    at = end + 1;
  }
  at = skip_spaces(text, at);
  m.huawei = text.substr(2, 2) == "01";
  m.comware = !m.huawei;
  m.word = text.substr(0, at);
  m.length = at < text.size() && text[at] == ':' ? at + 1 : at;
  return m;
}

/// `NAME` of `NAME: text` or `NAME:number: text` at the head of a message.
std::string_view leading_word(std::string_view message) {
  if (message.empty() || !is(message[0], kAlpha)) {
    return {};
  }
  std::size_t n = 0;
  while (n < message.size() && n < kTagMax && is(message[n], kMnemonic)) {
    ++n;
  }
  // `Alarm set:`, `Alarm cleared:` (Junos alarmd) are two words.
  if (message.substr(0, n) == "Alarm" && n < message.size() && message[n] == ' ') {
    ++n;
    while (n < message.size() && n < kTagMax && is(message[n], kAlpha)) {
      ++n;
    }
  }
  if (n >= message.size() || message[n] != ':' ||
      (n + 1 < message.size() && message[n + 1] == '/')) {
    return {};
  }
  return message.substr(0, n);
}

/// `pam_unix(sudo:session): ...`, `pam_krb5[sshd:auth]: ...`: the program that asked.
std::string_view pam_program(std::string_view text) {
  if (!text.starts_with("pam_")) {
    return {};
  }
  const std::size_t open = run_of(text, kMnemonic);
  if (open >= text.size() || (text[open] != '(' && text[open] != '[')) {
    return {};
  }
  const std::size_t n = run_of(text.substr(open + 1), kMnemonic);
  const std::size_t end = open + 1 + n;
  return end < text.size() && text[end] == ':' ? text.substr(open + 1, n) : std::string_view();
}

/// n-th field (0 = first) of `a|b|c`.
std::string_view pipe_field(std::string_view text, unsigned n) {
  for (; n > 0; --n) {
    const std::size_t bar = text.find('|');
    if (bar == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(bar + 1);
  }
  return text.substr(0, text.find('|'));
}

bool junos(const Event& e) {
  if (e.app.size() >= 3 && e.app.size() <= 8 &&
      std::ranges::find(kJunosDaemons, e.app) != kJunosDaemons.end()) {
    return true;
  }
  return e.structured_data.starts_with("[junos@");
}

}  // namespace

Mnemonic read_mnemonic(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') {
    return {};
  }
  if (text[1] == '%') {
    return read_comware(text);
  }
  std::size_t at = 1;
  while (at < text.size() && at <= kTagMax && is(text[at], kMnemonic)) {
    ++at;
  }
  std::size_t end = at;  // `%ROUTING-ISIS-5-ADJCHANGE : ` has a space
  while (end < text.size() && text[end] == ' ' && end < at + 2) {
    ++end;
  }
  if (at < 3 || end >= text.size() || text[end] != ':') {
    return {};
  }
  // `%CARD-SEVERITY-MSG:SLOT %FACILITY-SEVERITY-MNEMONIC:` of line cards.
  if (text.substr(end + 1).starts_with("SLOT")) {
    const std::size_t inner = text.find('%', end);
    const Mnemonic m = inner != std::string_view::npos && inner < end + 16
                           ? read_mnemonic(text.substr(inner))
                           : Mnemonic{};
    if (!m.tag.empty()) {
      return {text.substr(1, inner + m.tag.size()), text.substr(0, inner + m.word.size()),
              inner + m.length, false, false};
    }
  }
  return {text.substr(1, at - 1), text.substr(0, at), end + 1, false, false};
}

void set_tag(Event& e, bool routing_engine) {
  if (!e.message.empty() && e.message[0] == '%') {
    const Mnemonic m = read_mnemonic(e.message);
    if (!m.tag.empty()) {
      e.tag = m.tag;
      // Arista's agents log in Cisco's manner under their own name; IOS XR says where it runs.
      const bool own_name = !e.app.empty() && e.app[0] != '%' && e.pid.empty() && !routing_engine;
      e.vendor = m.huawei ? "huawei" : m.comware ? "h3c" : own_name ? "arista" : "cisco";
      if (e.app.empty()) {
        e.app = m.word;
      }
      return;
    }
  }
  if (e.message.starts_with("CEF:") || e.message.starts_with("LEEF:")) {
    e.vendor = pipe_field(e.message, 1);
    e.tag = pipe_field(e.message, 4);
    return;
  }
  if (junos(e)) {
    e.vendor = "juniper";
  }
  if (!e.tag.empty()) {
    return;
  }
  if (!e.msgid.empty()) {
    e.tag = e.msgid;
  } else if (const std::string_view word = leading_word(e.message); !word.empty()) {
    e.tag = word;
  } else if (const std::string_view program = pam_program(e.message); !program.empty()) {
    e.tag = program;
  } else {
    e.tag = e.app;
  }
}

}  // namespace belfry::syslog
