#include "vendor.hpp"

#include "chars.hpp"

namespace belfry::syslog {
namespace {

constexpr std::size_t kTagMax = 64;

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

/// `1,2025/03/09 14:15:53,007200001056,TRAFFIC,...`: PAN-OS; its type, or nothing.
std::string_view panos_type(std::string_view text) {
  const std::size_t n = run_of(text.substr(0, 4), kDigit);
  if (n == 0 || n + 20 > text.size() || text[n] != ',' || text[n + 5] != '/' ||
      text[n + 8] != '/' || text[n + 14] != ':') {
    return {};
  }
  for (int column = 0; column < 3; ++column) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(comma + 1);
  }
  const std::size_t end = run_of(text, kMnemonic);
  return end > 2 && end < text.size() && text[end] == ',' ? text.substr(0, end)
                                                          : std::string_view();
}

/// Mnemonics that stand inside the message: `<Warn:vlan.msgs.portLinkStateDown> ...` of EXOS, `2052
/// Base BGP-WARNING-bgpEstablished-2001 [Peer 1: 10.0.0.1]: ...` of SR OS.
bool set_by_place(Event& e) {
  const std::string_view text = e.message;
  if (text.size() > 8 && text[0] == '<' && text[5] == ':') {
    const std::size_t end = text.substr(0, kTagMax + 6).find('>');
    const std::string_view tag =
        end == std::string_view::npos ? std::string_view() : text.substr(6, end - 6);
    if (!tag.empty() && tag.find(' ') == std::string_view::npos) {
      e.vendor = "extreme";
      e.tag = tag;
      return true;
    }
  }
  const std::size_t number = run_of(text.substr(0, 10), kDigit);
  if (number == 0 || number >= text.size() || text[number] != ' ') {
    return false;
  }
  const std::string_view router = word_of(text.substr(number + 1));
  if (number + router.size() + 2 >= text.size()) {
    return false;
  }
  const std::string_view tag = word_of(text.substr(number + router.size() + 2));
  constexpr std::string_view kLevels[]{"-WARNING-",  "-MINOR-",   "-MAJOR-",
                                       "-CRITICAL-", "-CLEARED-", "-INDETERMINATE-"};
  for (const std::string_view level : kLevels) {
    if (tag.size() <= kTagMax && tag.find(level) != std::string_view::npos) {
      e.vendor = "nokia";
      e.tag = tag;
      return true;
    }
  }
  return false;
}

/// CEF and LEEF at the head of the message, or behind some words.
bool set_by_bars(Event& e) {
  constexpr std::size_t kHeadMax = 128;
  const std::string_view head = e.message.substr(0, kHeadMax);
  const std::string_view first = head.substr(0, head.find('|'));
  if (first.size() == head.size()) {
    return false;
  }
  std::size_t at = first.rfind("CEF:");
  at = at == std::string_view::npos ? first.rfind("LEEF:") : at;
  if (at == std::string_view::npos || first.size() - at > 9) {
    return false;
  }
  e.vendor = pipe_field(e.message, 1);
  e.tag = pipe_field(e.message, 4);
  return true;
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
  // `%STKUNIT0-M:CP %IFMGR-5-OSTATE_DN:` of Dell: a unit in front of the mnemonic.
  if (const std::size_t inner = text.substr(0, end + 8).find(" %", end);
      inner != std::string_view::npos && all_of(text.substr(end + 1, inner - end - 1), kMnemonic)) {
    Mnemonic m = read_mnemonic(text.substr(inner + 1));
    if (!m.tag.empty() && !m.comware) {
      m.dell = true;
      m.length += inner + 1;
      return m;
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
      const bool severity = m.tag.find('-') != std::string_view::npos;  // FRR's tags have none
      e.vendor = m.dell                 ? "dell"
                 : m.huawei             ? "huawei"
                 : m.comware            ? "h3c"
                 : own_name && severity ? "arista"
                 : own_name             ? ""
                                        : "cisco";
      if (e.app.empty()) {
        e.app = m.word;
      }
      return;
    }
  }
  if (set_by_bars(e) || set_by_place(e)) {
    return;
  }
  if (e.structured_data.starts_with("[junos@")) {
    e.vendor = "juniper";
  } else if (const std::string_view type = panos_type(e.message); !type.empty()) {
    e.vendor = "paloalto";
    e.app = {};
    e.tag = type;
    return;
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
