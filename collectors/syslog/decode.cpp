#include "belfry/syslog/decode.hpp"

#include "chars.hpp"
#include "rfc5424.hpp"
#include "stamp.hpp"
#include "templates.hpp"
#include "vendor.hpp"

namespace belfry::syslog {
namespace {

constexpr int kPriMax = 191;                // local7.debug
constexpr std::size_t kHostBytesMax = 255;  // RFC 1035 2.3.4
constexpr std::size_t kProgramBytesMax = 128;
constexpr std::size_t kPidBytesMax = 64;

/// One RFC 3164 message being taken apart from the left.
class Legacy {
 public:
  Legacy(std::string_view text, Instant received, Event& out)
      : rest_(text), received_(received), out_(out) {}

  void read() {
    trim_front(rest_);
    if (read_pairs()) {
      return;
    }
    skip_number();
    if (take_stamp()) {
      read_host_after_stamp();
    } else {
      read_host_before_stamp();
    }
    skip_device_header();
    if (has_host_ && rest_.starts_with("date=") && read_pairs()) {  // pairs behind a header
      return;
    }
    read_program();
    set_tag(out_, routing_engine_);
  }
  bool has_stamp() const { return has_stamp_; }

 private:
  /// `: `, ` : ` and spaces between parts.
  void skip_colon() {
    trim_front(rest_);
    if (!rest_.empty() && rest_[0] == ':' && (rest_.size() == 1 || is_space(rest_[1]))) {
      rest_.remove_prefix(1);
      trim_front(rest_);
    }
  }

  /// `117: `, `: `: sequence number of Cisco's `service sequence-numbers` and its empty form, which
  /// may touch the stamp (`:Mar 09 14:15:17 UTC: %ASA-...`, EMBLEM).
  void skip_number() {
    const std::size_t n = run_of(rest_, kDigit);
    if (n == 0 && rest_.size() > 1 && rest_[0] == ':' && stamp_at(rest_.substr(1)).length > 0) {
      rest_.remove_prefix(1);
      return;
    }
    if (n < rest_.size() && n <= 12 && rest_[n] == ':' &&
        (n + 1 == rest_.size() || is_space(rest_[n + 1]))) {
      rest_.remove_prefix(n + 1);
      trim_front(rest_);
    }
  }

  /// Length of a stamp at the head of `text` with the `*` or `.` of an unsynchronised clock or the
  /// `%` of Comware in front.
  Stamp stamp_at(std::string_view text) const {
    std::size_t mark = 0;
    if (!text.empty() && (text[0] == '*' || text[0] == '.' || text[0] == '%')) {
      mark = 1;
    }
    Stamp stamp = read_stamp(text.substr(mark), received_);
    stamp.length += stamp.length > 0 ? mark : 0;
    return stamp;
  }

  bool take_stamp() {
    const Stamp stamp = stamp_at(rest_);
    if (stamp.length == 0) {
      return false;
    }
    if (out_.stamp.ns == 0) {
      out_.stamp = stamp.at;
    }
    has_stamp_ = true;
    rest_.remove_prefix(stamp.length);
    skip_colon();
    return true;
  }

  void take_host(std::string_view host, std::size_t consumed) {
    // A Junos routing engine speaks for its chassis: `re0.edge1` is edge1.
    if (host.size() > 4 && (host.starts_with("re0.") || host.starts_with("re1."))) {
      host.remove_prefix(4);
    }
    out_.host = host;
    has_host_ = true;
    rest_.remove_prefix(consumed);
    skip_colon();
  }

  /// The usual line: after the stamp stands the host, unless the word is a program or a tag.
  void read_host_after_stamp() {
    const std::string_view word = word_of(rest_);
    if (word.empty() || word[0] == '%' || word[0] == '[') {
      return;
    }
    constexpr std::string_view kForwarded = "Message forwarded from ";  // AIX
    if (word.size() == 7 && rest_.starts_with(kForwarded)) {
      const std::string_view host = word_of(rest_.substr(kForwarded.size()));
      if (host.ends_with(':')) {
        take_host(host.substr(0, host.size() - 1), kForwarded.size() + host.size());
        return;
      }
    }
    const std::size_t plain = run_of(word, kHost);
    if (plain > kHostBytesMax) {
      return;
    }
    if (plain < word.size()) {
      read_dressed_host(word, plain);
      return;
    }
    if (word.ends_with(':')) {
      // A program, except where a device's own stamp or mnemonic comes next.
      if (device_follows(rest_.substr(word.size()))) {
        take_host(word.substr(0, word.size() - 1), word.size());
      }
      return;
    }
    take_host(word, word.size());
  }

  /// Hosts with something attached: `U7PG2,788a2056b182,v4.0.66.10832:` (UniFi: MAC and version),
  /// `lb1,f5_irule=name,...` and `slot1/lb1` (F5).
  void read_dressed_host(std::string_view word, std::size_t plain) {
    if (plain == 0) {
      return;
    }
    if (word[plain] == ',') {
      if (word.find(",v", plain) == plain + 13) {
        take_host(word.substr(0, plain), word.size() - (word.ends_with(':') ? 1 : 0));
      } else if (word.substr(plain + 1).find('=') < 32) {
        take_host(word.substr(0, plain), plain + 1);
      }
    } else if (word[plain] == '/' && word.starts_with("slot")) {
      const std::string_view host = word.substr(plain + 1);
      if (!host.empty() && all_of(host, kHost) && !host.ends_with(':')) {
        take_host(host, word.size());
      }
    }
  }

  /// True when what follows a `name:` is a sequence number with stamp, a stamp, or a mnemonic.
  bool device_follows(std::string_view text) const {
    trim_front(text);
    if (text.starts_with(": ")) {
      text.remove_prefix(2);
      trim_front(text);
    }
    const std::size_t n = run_of(text, kDigit);
    if (n > 0 && n + 1 < text.size() && text[n] == ':' && is_space(text[n + 1])) {
      text.remove_prefix(n + 1);
      trim_front(text);
    }
    return stamp_at(text).length > 0 || (text.starts_with('%') && !read_mnemonic(text).tag.empty());
  }

  /// `117: ` at the head of `text`.
  static bool numbered(std::string_view text) {
    const std::size_t n = run_of(text.substr(0, 12), kDigit);
    return n > 0 && n + 1 < text.size() && text[n] == ':' && is_space(text[n + 1]);
  }

  /// No stamp in front: `host: [seq: ]stamp: %TAG`, `host RP/0/RSP0/CPU0:stamp`, `host : %TAG`.
  void read_host_before_stamp() {
    const std::string_view word = word_of(rest_);
    if (word.size() < 2 || word.size() > kHostBytesMax || !all_of(word, kHost) ||
        rest_.size() == word.size()) {
      return;
    }
    const std::string_view after = rest_.substr(word.size() + 1);
    if (word.ends_with(':')) {
      if (device_follows(after)) {
        take_host(word.substr(0, word.size() - 1), word.size());
        skip_number();
        take_stamp();
      }
      return;
    }
    if (place_length(after) > 0 ||
        ((after.starts_with(": ") || numbered(after)) && device_follows(after)) ||
        stamp_at(after).length > 0) {
      take_host(word, word.size());
    }
  }

  /// `RP/0/RSP0/CPU0:`, `LC/0/1/CPU0:`: where an IOS XR process runs. 0 = none.
  static std::size_t place_length(std::string_view text) {
    if (text.size() < 10 || text[2] != '/' || !is(text[0], kAlpha) || !is(text[1], kAlpha)) {
      return 0;
    }
    const std::size_t colon = text.substr(0, 32).find(":");
    return colon == std::string_view::npos ||
                   text.substr(0, colon).find("CPU") == std::string_view::npos
               ? 0
               : colon + 1;
  }

  /// What stands between host and program: sequence number, IOS XR place, the device's own stamp.
  void skip_device_header() {
    if (rest_.empty()) {
      return;
    }
    if (is_digit(rest_[0]) || rest_[0] == ':') {
      skip_number();
    }
    if (const std::size_t place = place_length(rest_); place > 0) {
      routing_engine_ = true;
      rest_.remove_prefix(place);
      trim_front(rest_);
    }
    if (!rest_.empty() && (is(rest_[0], kDigit | kAlpha) || rest_[0] == '*' || rest_[0] == '.')) {
      take_stamp();
    }
    if (!rest_.empty() && is_digit(rest_[0])) {
      skip_number();
    }
  }

  /// `program[pid]: text`, `program: text`, `%FAC-3-MNEMONIC: text`, and a program without a colon
  /// when a whole header stands in front.
  void read_program() {
    out_.message = rest_;
    if (rest_.empty() || rest_[0] == '%') {
      if (!rest_.empty() && read_mnemonic(rest_).tag.empty() && has_stamp_) {
        plain_program(word_of(rest_));
      }
      return;
    }
    if (rest_.starts_with("pam_") || rest_.starts_with("CEF:") || rest_.starts_with("LEEF:")) {
      return;
    }
    if ((rest_.starts_with("fpc") && read_packet_engine()) || read_topics()) {
      return;
    }
    skip_level();
    std::size_t n = 0;
    while (n < rest_.size() && n <= kProgramBytesMax && is(rest_[n], kProgram)) {
      ++n;
    }
    if (n == 0 || n > kProgramBytesMax) {
      return;
    }
    const std::string_view name = rest_.substr(0, n);
    if (n < rest_.size() && rest_[n] == '[') {
      if (read_pid(name, n)) {
        return;
      }
    } else if (n < rest_.size() && rest_[n] == ':' && colon_ends_name(name, n)) {
      out_.app = name;
      set_message(n + 1);
      return;
    }
    if (has_host_ && has_stamp_) {
      plain_program(name);
    }
  }

  /// A program that no colon ends: the word names it, the message keeps it.
  void plain_program(std::string_view name) {
    if (!name.empty() && is(name[0], kPrint) && name[0] != '{' && name[0] != '[' &&
        name[0] != '<') {
      out_.app = name;
    }
  }

  bool colon_ends_name(std::string_view name, std::size_t n) const {
    if (n + 1 == rest_.size() || is_space(rest_[n + 1])) {
      return true;
    }
    // `RxSBIF_SEQ_NUM_ERROR:slot=x`, but not `http://`, `a::b`, `12:30`, `2001:db8::1`.
    return name.size() > 3 && rest_[n + 1] != '/' && rest_[n + 1] != ':' && is(name[0], kAlpha) &&
           all_of(name, kMnemonic) && rest_[n + 1] != '\\';
  }

  bool read_pid(std::string_view name, std::size_t open) {
    const std::size_t close = rest_.substr(0, open + kPidBytesMax + 2).find(']', open);
    if (close == std::string_view::npos) {
      return false;
    }
    const std::string_view pid = rest_.substr(open + 1, close - open - 1);
    if (pid.find(' ') != std::string_view::npos) {
      return false;
    }
    const bool colon = close + 1 < rest_.size() && rest_[close + 1] == ':';
    if (!colon && close + 1 < rest_.size() && !is_space(rest_[close + 1])) {
      return false;
    }
    out_.app = name;
    out_.pid = pid;
    set_message(close + (colon ? 2 : 1));
    return true;
  }

  /// `interface,info ether9 link down`: RouterOS says topics, one of them a level.
  bool read_topics() {
    const std::string_view word = word_of(rest_).substr(0, kProgramBytesMax);
    if (word.find(',') == std::string_view::npos || word.size() == rest_.size()) {
      return false;
    }
    bool level = false;
    for (std::string_view left = word; !left.empty();) {
      const std::string_view topic = left.substr(0, left.find(','));
      if (topic.empty() || !all_of(topic, kAlpha)) {
        return false;
      }
      level = level || topic == "info" || topic == "warning" || topic == "error" ||
              topic == "critical" || topic == "debug";
      left.remove_prefix(topic.size() < left.size() ? topic.size() + 1 : topic.size());
    }
    if (level) {
      out_.app = word;
      out_.vendor = "mikrotik";
      set_message(word.size());
    }
    return level;
  }

  /// `err tmm[1]: ...` (BIG-IP writes the level's name in front), `00076 ports: ...` (ProCurve: an
  /// event's number).
  void skip_level() {
    constexpr std::string_view kLevels[]{"emerg",   "alert", "crit",   "err",  "error",
                                         "warning", "warn",  "notice", "info", "debug"};
    const std::string_view word = word_of(rest_);
    bool level = word.size() == 5 && all_of(word, kDigit);
    for (const std::string_view name : kLevels) {
      level = level || word == name;
    }
    if (!level || word.size() == rest_.size()) {
      return;
    }
    const std::string_view next = word_of(rest_.substr(word.size() + 1));
    const std::size_t name = run_of(next, kProgram);
    if (name > 0 && name < next.size() && (next[name] == ':' || next[name] == '[')) {
      rest_.remove_prefix(word.size() + 1);
      out_.message = rest_;
    }
  }

  /// `fpc3 fpc3 dcpfe: JPRDS_NH:...`: a Junos packet engine behind its slot.
  bool read_packet_engine() {
    std::string_view text = rest_;
    for (int words = 0; words < 3; ++words) {
      const std::string_view word = word_of(text);
      if (word.ends_with(':') && words > 0) {
        out_.app = word.substr(0, word.size() - 1);
        rest_ = text;
        set_message(word.size());
        return true;
      }
      if (!word.starts_with("fpc") || text.size() == word.size()) {
        return false;
      }
      text.remove_prefix(word.size() + 1);
    }
    return false;
  }

  void set_message(std::size_t from) { out_.message = rest_.substr(skip_spaces(rest_, from)); }

  /// The value of `name=` in a line of `name=value` or `name="value"` pairs.
  std::string_view pair_value(std::string_view name, char separator) const {
    std::size_t at = 0;
    while (at < rest_.size()) {
      const std::string_view tail = rest_.substr(at);
      if (tail.size() > name.size() && tail.starts_with(name) && tail[name.size()] == '=') {
        std::string_view value = tail.substr(name.size() + 1);
        if (value.starts_with('"')) {
          value.remove_prefix(1);
          return value.substr(0, value.find('"'));
        }
        return value.substr(0, value.find(separator));
      }
      const std::size_t next = rest_.find(separator, at);
      if (next == std::string_view::npos || next > 1024) {  // headers stand in front
        return {};
      }
      at = next + 1;
    }
    return {};
  }

  /// Firewalls that send pairs instead of a header: `date=2019-04-09 time=04:27:29 devname=fw01
  /// ...` (Fortinet), `device="SFW" date=... time=...` (Sophos), `time=1741529717|hostname=fw|...`.
  bool read_pairs() {
    const bool forti = rest_.starts_with("date=") || rest_.starts_with("device=");
    if (!forti && !rest_.starts_with("time=")) {
      return false;
    }
    const char separator = forti ? ' ' : '|';
    const std::string_view date = pair_value("date", separator),
                           time = pair_value("time", separator);
    const std::string_view host = pair_value(forti ? "devname" : "hostname", separator);
    if (host.empty() && (!forti || has_host_)) {
      return false;
    }
    out_.host = host;
    // date and time stand side by side: `2019-04-09 time=04:27:29`. Joined in place they read as
    // ISO.
    char joined[19];
    if (date.size() == 10 && time.size() >= 8) {
      for (std::size_t i = 0; i < 10; ++i) {
        joined[i] = date[i];
      }
      joined[10] = ' ';
      for (std::size_t i = 0; i < 8; ++i) {
        joined[11 + i] = time[i];
      }
      out_.stamp = read_stamp({joined, sizeof joined}, received_).at;
    } else {
      out_.stamp = read_stamp(time, received_).at;
    }
    has_stamp_ = out_.stamp.ns != 0;
    if (forti && !out_.host.empty()) {
      out_.vendor = "fortinet";
    }
    out_.app = pair_value(forti ? "type" : "product", separator);
    out_.tag = pair_value(forti ? "subtype" : "product", separator);
    out_.message = rest_;
    return has_stamp_;
  }

  std::string_view rest_;
  Instant received_;
  Event& out_;
  bool has_stamp_ = false, has_host_ = false, routing_engine_ = false;
};

/// What a sender or its framing put around the message: LF, CR, NUL at the end, a byte order mark
/// or an octet count in front (a counted frame that came in a datagram).
std::string_view strip(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0')) {
    text.remove_suffix(1);
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  if (!text.empty() && is_digit(text[0])) {
    const std::size_t n = run_of(text.substr(0, 6), kDigit);
    if (n + 1 < text.size() && text[n] == ' ' && text[n + 1] == '<') {
      text.remove_prefix(n + 1);
    }
  }
  return text;
}

enum class Pri : std::uint8_t { Good, Missing, Bad };

/// `<0>` to `<191>`; leading zeros only as `<0>`. Bad: it has the shape, but not the value.
Pri read_pri(std::string_view& text, Event& out) {
  if (text.empty() || text[0] != '<') {
    return Pri::Missing;
  }
  const std::size_t digits = run_of(text.substr(1), kDigit);
  if (digits == 0 || digits + 1 >= text.size() || text[digits + 1] != '>') {
    return Pri::Missing;
  }
  int value = kPriMax + 1;
  if (digits <= 3) {
    value = digits_at(text, 1, digits);
  }
  const bool zero_led = digits > 1 && text[1] == '0';
  text.remove_prefix(digits + 2);
  if (value > kPriMax) {
    return Pri::Bad;
  }
  out.facility = static_cast<std::uint8_t>(value >> 3);
  out.severity = static_cast<std::uint8_t>(value & 7);
  return zero_led ? Pri::Bad : Pri::Good;
}

/// A header was understood when there is a stamp, a mnemonic, or at least some words of text. A
/// single word after the PRI tells nothing, nor does text without a PRI and without a stamp or tag.
std::string_view judge_legacy(const Event& e, Pri pri, bool has_stamp) {
  if (pri == Pri::Bad) {
    return "pri";
  }
  const bool mnemonic = !e.tag.empty() && !e.vendor.empty();
  if (has_stamp || mnemonic) {
    return {};
  }
  if (pri == Pri::Missing) {
    return e.raw.empty() ? "empty" : "no-pri";
  }
  const std::size_t space = e.message.find(' ');
  const bool words = space != std::string_view::npos && space + 1 < e.message.size();
  return words || (!e.app.empty() && e.app.size() < e.message.size()) || !e.pid.empty()
             ? std::string_view()
             : "no-header";
}

/// `1741529717.123 MX84 events ...`: Meraki's version 1 with an epoch stamp.
bool epoch_line(std::string_view text) {
  const std::size_t n = run_of(text, kDigit);
  return n >= 9 && n <= 10;
}

}  // namespace

namespace {

/// Header and message; everything is a slice of `raw`.
void read_header(std::string_view raw, Instant received, Event& out) {
  out.kind = EventKind::Syslog;
  out.type = "syslog";
  out.raw = raw;
  std::string_view text = strip(raw);
  const Pri pri = read_pri(text, out);
  std::string_view why;
  if (pri != Pri::Missing) {
    std::size_t version_end = 0;
    const Rfc5424 kind = read_rfc5424(text, out, why, version_end);
    if (kind == Rfc5424::Valid || kind == Rfc5424::Loose) {
      if (pri == Pri::Bad) {
        why = "pri";
      }
      out.valid = why.empty();
      out.why = why;
      trim_front(out.message);  // rsyslog's templates put the space of RFC 3164 in front
      set_tag(out, false);
      return;
    }
    if (kind == Rfc5424::Broken) {
      text.remove_prefix(version_end);
      if (epoch_line(text)) {
        why = {};
      }
    }
  }
  Legacy legacy(text, received, out);
  legacy.read();
  if (why.empty()) {
    why = judge_legacy(out, pri, legacy.has_stamp());
  }
  out.valid = why.empty();
  out.why = why;
}

}  // namespace

void decode(std::string_view raw, Arena& arena, Instant received, Event& out) {
  read_header(raw, received, out);
  builtin_templates().extract(out, arena, received);
}

}  // namespace belfry::syslog
