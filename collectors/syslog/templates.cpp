#include "templates.hpp"

#include <algorithm>

#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"
#include "belfry/syslog/decode.hpp"
#include "bodies.hpp"
#include "chars.hpp"
#include "stamp.hpp"
#include "vendor.hpp"

namespace belfry::syslog {
namespace {

constexpr std::size_t kBodyMax = 16 * 1024;  // of a message that is looked through
constexpr std::size_t kHostBytesMax = 255;

/// Length of `literal` at text[at] where a space stands for any run of them; npos: it is not there.
std::size_t literal_at(std::string_view text, std::size_t at, std::string_view literal) {
  const std::size_t begin = at;
  for (const char c : literal) {
    if (at >= text.size()) {
      return std::string_view::npos;
    }
    if (c == ' ') {
      if (!is_space(text[at])) {
        return std::string_view::npos;
      }
      at = skip_spaces(text, at);
    } else if (text[at++] != c) {
      return std::string_view::npos;
    }
  }
  return at - begin;
}

/// First place of `literal` from `at` on, and its length there.
std::size_t find_literal(std::string_view text, std::size_t at, std::string_view literal,
                         std::size_t& length) {
  const char first = literal[0];
  for (;; ++at) {
    at = text.find(first, at);
    if (at == std::string_view::npos) {
      return at;
    }
    length = literal_at(text, at, literal);
    if (length != std::string_view::npos) {
      return at;
    }
  }
}

std::string_view without_spaces(std::string_view text, Arena& arena) {
  if (text.find(' ') == std::string_view::npos) {
    return text;
  }
  char* const to = arena.allocate(text.size());
  std::size_t n = 0;
  for (const char c : text) {
    if (c != ' ') {
      to[n++] = c;
    }
  }
  return {to, n};
}

/// `10.0.0.1:179`, `10.0.0.1+179`, `2001:db8::1+179` without the port. An IPv6 address with a port
/// behind a colon has eight groups, or `::`, and a last group of five digits.
std::string_view without_port(std::string_view text) {
  const std::size_t mark = text.find_last_of(":+");
  if (mark == std::string_view::npos || mark + 1 == text.size() ||
      !all_of(text.substr(mark + 1), kDigit)) {
    return text;
  }
  const bool v6 = text.find(':') < mark;
  if (text[mark] == '+' || !v6 || text.size() - mark > 5) {
    return text.substr(0, mark);
  }
  return text;
}

std::string_view trim_end(std::string_view text, std::string_view what) {
  while (!text.empty() && what.find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

/// What stands behind the mnemonic (or behind the tag word and its colon).
std::string_view body_of(const Event& e) {
  std::string_view message = e.message.substr(0, kBodyMax);
  const std::string_view tag = e.tag;
  const std::less_equal<const char*> not_after;
  const bool inside = !tag.empty() && not_after(message.data(), tag.data()) &&
                      not_after(tag.data() + tag.size(), message.data() + message.size());
  if (inside && (message[0] == '%' || tag.data() == message.data())) {
    const auto end = static_cast<std::size_t>(tag.data() - message.data()) + tag.size();
    const std::size_t colon = message.substr(0, end + 24).find(':', end);
    if (colon != std::string_view::npos) {
      message.remove_prefix(colon + 1);
    }
  }
  trim_front(message);
  // Comware says first which of its parts speaks: `-MDC=1; `, `-Slot=2; `.
  if (message.starts_with("-MDC=") || message.starts_with("-Slot=") ||
      message.starts_with("-Context=")) {
    const std::size_t end = message.substr(0, 40).find("; ");
    message.remove_prefix(end == std::string_view::npos ? 0 : end + 2);
  }
  return message;
}

/// `UPDOWN` of `LINK-3-UPDOWN`, `LINK_STATE` of `IFNET/4/LINK_STATE`.
std::string_view mnemonic_of(std::string_view tag) {
  for (std::size_t i = 1; i + 2 < tag.size(); ++i) {
    if (is_digit(tag[i]) && tag[i - 1] == tag[i + 1] && (tag[i + 1] == '-' || tag[i + 1] == '/')) {
      return tag.substr(i + 2);
    }
  }
  return {};
}

constexpr std::string_view kFormNames[]{"pairs", "cef", "leef", "json", "sd"};

}  // namespace

// ---- what is kept -------------------------------------------------------------------------------

void Entities::set(const Target& target, std::string_view value) {
  if (value.empty() || value == "-" || value == "N/A") {
    return;
  }
  switch (target.to) {
    case Target::To::Attribute:
      break;
    case Target::To::HostIfNone:
      if (!event_.host.empty()) {
        return;
      }
      [[fallthrough]];
    case Target::To::Host:
      if (value.size() <= kHostBytesMax && all_of(value, kHost)) {
        host_ = value;
      }
      return;
    case Target::To::Stamp:
      if (event_.stamp.ns == 0) {
        event_.stamp = read_stamp(value, received_).at;
      }
      return;
  }
  if (target.name.empty() || count_ == attrs_.size()) {
    return;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (attrs_[i].name == target.name) {
      return;
    }
  }
  attrs_[count_++] = {target.name, Value::string(value)};
}

void Entities::store() {
  if (!host_.empty()) {
    event_.host = host_;
  }
  if (count_ > 0) {
    event_.attrs = arena_.copy(std::span<const Attr>(attrs_.data(), count_));
  }
}

// ---- matching -----------------------------------------------------------------------------------

bool Templates::fits(const Pattern& pattern, std::string_view body, Entities& out) {
  const std::size_t mark = out.mark();
  std::size_t at = 0;
  for (std::size_t i = 0; i < pattern.pieces.size(); ++i) {
    const Piece& piece = pattern.pieces[i];
    if (piece.kind == Piece::Kind::Constant) {
      out.set(piece.target, piece.text);
      continue;
    }
    if (piece.kind == Piece::Kind::Literal) {
      const std::size_t n = literal_at(body, at, piece.text);
      if (n == std::string_view::npos) {
        out.back_to(mark);
        return false;
      }
      at += n;
      continue;
    }
    const bool literal_next =
        i + 1 < pattern.pieces.size() && pattern.pieces[i + 1].kind == Piece::Kind::Literal;
    const bool any = piece.kind == Piece::Kind::Any || piece.kind == Piece::Kind::Joined ||
                     piece.kind == Piece::Kind::Last;
    std::size_t end = body.size(), length = 0;
    if (literal_next) {
      end = find_literal(body, at, pattern.pieces[i + 1].text, length);
    } else if (!any) {
      end = at + word_of(body.substr(at)).size();
    }
    std::string_view value =
        end == std::string_view::npos ? std::string_view() : body.substr(at, end - at);
    const bool starts = any && at == 0 && end == 0;  // nothing in front of what is looked for
    if (!any && value.find(' ') != std::string_view::npos) {
      value = {};
    }
    if (value.empty() && !starts) {
      out.back_to(mark);
      return false;
    }
    at = end;
    value = trim_end(value, literal_next || any ? " \t\r\n" : ".,;:)]'\"\r\n");
    if (piece.kind == Piece::Kind::Joined) {
      value = without_spaces(value, out.arena());
    } else if (piece.kind == Piece::Kind::Last) {
      value = value.substr(value.rfind(' ') + 1);  // npos + 1: all of it
    } else if (piece.kind == Piece::Kind::Port) {
      value = without_port(value);
    }
    out.set(piece.target, value);
  }
  return true;
}

bool Templates::by_key(std::string_view key, std::string_view body, Event& event,
                       Entities& out) const {
  const auto it = by_key_.find(key);
  if (key.empty() || it == by_key_.end()) {
    return false;
  }
  for (const std::size_t index : it->second) {
    const Pattern& pattern = patterns_[index];
    if (fits(pattern, body, out)) {
      if (event.vendor.empty()) {
        event.vendor = vendors_[pattern.vendor].name;
      }
      return true;
    }
  }
  return false;
}

const Templates::Vendor& Templates::vendor_of(const Event& e) const {
  const auto it = by_vendor_.find(e.vendor);
  return vendors_[it == by_vendor_.end() ? 0 : it->second];
}

void Templates::recognise(Event& e, std::string_view body) const {
  if (!e.vendor.empty()) {
    return;
  }
  if (const auto it = by_program_.find(e.app); it != by_program_.end()) {
    e.vendor = vendors_[it->second].name;
    return;
  }
  for (const std::string_view text : {body, e.message}) {
    if (text.empty()) {
      continue;
    }
    for (const auto& [start, vendor] : by_start_[static_cast<unsigned char>(text[0])]) {
      if (text.starts_with(start)) {
        e.vendor = vendors_[vendor].name;
        return;
      }
    }
  }
}

namespace {

/// What stands behind `bars` bars of `text`.
std::string_view behind_bars(std::string_view text, int bars) {
  for (; bars > 0 && !text.empty(); --bars) {
    const std::size_t bar = text.find('|');
    text = bar == std::string_view::npos ? std::string_view() : text.substr(bar + 1);
  }
  return text;
}

auto take_from(const Templates::Fields& names, Entities& out) {
  return [&out, &names](std::string_view name, std::string_view value) {
    if (const auto it = names.find(name); it != names.end()) {
      out.set(it->second, value);
    }
  };
}

}  // namespace

/// CEF and LEEF, which may stand behind some words of a header.
bool Templates::by_bars(Event& e, Entities& out) const {
  constexpr std::size_t kHeadMax = 128;
  const std::string_view head = e.message.substr(0, kHeadMax);
  const std::size_t bar = head.find('|');
  if (bar == std::string_view::npos) {
    return false;
  }
  if (const std::size_t cef = head.substr(0, bar).find("CEF:"); cef != std::string_view::npos) {
    const std::string_view rest = behind_bars(e.message.substr(cef, kBodyMax), 7);
    walk_cef(rest, take_from(vendors_[0].fields[kCef], out));
    return true;
  }
  if (const std::size_t leef = head.substr(0, bar).find("LEEF:"); leef != std::string_view::npos) {
    const std::string_view message = e.message.substr(leef, kBodyMax);
    std::string_view rest = behind_bars(message, 5);
    char delimiter = '\t';
    if (message.starts_with("LEEF:2") && rest.find('|') <= 4) {  // `^|`, `x5E|`, `|`
      delimiter = rest[0] == '|' || rest[0] == 'x' || rest[0] == '0' ? '\t' : rest[0];
      rest.remove_prefix(rest.find('|') + 1);
    }
    walk_leef(rest, delimiter, take_from(vendors_[0].fields[kLeef], out));
    return true;
  }
  return false;
}

void Templates::by_form(Event& e, std::string_view body, Entities& out) const {
  const Vendor& vendor = vendor_of(e);
  if (const Fields& names = vendor.fields[kSd]; !e.structured_data.empty() && !names.empty()) {
    SdReader reader(e.structured_data);
    SdParam p;
    for (std::size_t n = 0; n < kPairsMax && reader.next(p); ++n) {
      take_from(names, out)(p.name, p.value);
    }
  }
  if (by_bars(e, out)) {
    return;
  }
  if (body.starts_with("@cee:")) {
    body.remove_prefix(5);
    trim_front(body);
  }
  if (body.starts_with('{')) {
    static_cast<void>(JsonWalk(body).object(take_from(vendors_[0].fields[kJson], out)));
  } else if (const Fields& names = vendor.fields[kPairs]; !names.empty()) {
    walk_pairs(body, take_from(names, out));
  }
  if (vendor.columns.empty()) {
    return;
  }
  if (const auto it = vendor.columns.find(e.tag); it != vendor.columns.end()) {
    walk_columns(body, [&](std::size_t index, std::string_view value) {
      for (const Column& column : it->second) {
        if (column.index == index) {
          out.set(column.target, value);
        }
      }
    });
  }
}

void Templates::extract(Event& e, Arena& arena, Instant received) const {
  const std::string_view body = body_of(e);
  Entities out(e, arena, received);
  recognise(e, body);
  const std::size_t dash = e.tag.find_first_of("-/");
  if (!by_key(mnemonic_of(e.tag), body, e, out) && !by_key(e.tag, body, e, out) &&
      !(dash != std::string_view::npos && by_key(e.tag.substr(0, dash), body, e, out)) &&
      !by_key(e.app, e.message.substr(0, kBodyMax), e, out) &&
      (e.app == e.tag || !by_key(e.app, body, e, out))) {
    by_form(e, body, out);
  }
  out.store();
}

// ---- reading the files --------------------------------------------------------------------------

struct Templates::Reader {
  Templates& to;
  std::string_view file;
  std::size_t line = 0;
  std::size_t vendor = 0;
  std::vector<std::string_view> keys;  // of the last `on`
  Fields* fields = nullptr;            // of the last `on @form`
  std::vector<Column>* columns = nullptr;

  tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::Invalid, "{}:{}: {}", file, line, what);
  }

  static std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    for (trim_front(text); !text.empty(); trim_front(text)) {
      out.push_back(word_of(text));
      text.remove_prefix(out.back().size());
    }
    return out;
  }

  static Target target(std::string_view name) {
    if (name == "host") {
      return {Target::To::HostIfNone, name};
    }
    if (name == "host!") {
      return {Target::To::Host, name};
    }
    if (name == "stamp") {
      return {Target::To::Stamp, name};
    }
    return {Target::To::Attribute, name == "_" ? std::string_view() : name};
  }

  Result<void> directive(std::string_view text) {
    const std::string_view word = word_of(text);
    const std::string_view rest = text.substr(skip_spaces(text, word.size()));
    if (word == "vendor") {
      vendor = 0;
      if (rest != "any") {
        vendor = to.vendors_.size();
        to.by_vendor_.emplace(rest, vendor);
        to.vendors_.push_back({rest, {}, {}});
      }
    } else if (word == "programs") {
      for (const std::string_view program : words(rest)) {
        to.by_program_.emplace(program, vendor);
      }
    } else if (word == "starts" && !rest.empty()) {
      to.by_start_[static_cast<unsigned char>(rest[0])].emplace_back(rest, vendor);
    } else if (word == "on" && !rest.empty()) {
      return on(rest);
    } else {
      return wrong("expected vendor, programs, starts or on");
    }
    return {};
  }

  Result<void> on(std::string_view rest) {
    keys = words(rest);
    fields = nullptr;
    columns = nullptr;
    if (!rest.starts_with('@')) {
      return {};
    }
    const std::string_view form = rest.substr(1);
    if (form.starts_with("csv:")) {
      columns = &to.vendors_[vendor].columns[form.substr(4)];
      return {};
    }
    const auto* const it = std::ranges::find(kFormNames, form);
    if (it == std::end(kFormNames)) {
      return wrong("expected @pairs, @cef, @leef, @json, @sd or @csv:TYPE");
    }
    fields = &to.vendors_[vendor].fields[static_cast<std::size_t>(it - kFormNames)];
    return {};
  }

  /// `name = attribute` of a form.
  Result<void> field(std::string_view text) {
    const std::vector<std::string_view> parts = words(text);
    if (parts.size() != 3 || parts[1] != "=") {
      return wrong("expected 'name = attribute'");
    }
    if (fields != nullptr) {
      fields->emplace(parts[0], target(parts[2]));
      return {};
    }
    const auto index = parse_int(parts[0]);
    if (!index || *index < 0 || *index > 255) {
      return wrong("expected the number of a column, from 0");
    }
    columns->push_back({static_cast<std::size_t>(*index), target(parts[2])});
    return {};
  }

  Result<Piece> hole(std::string_view text) const {
    Piece piece;
    piece.kind = Piece::Kind::Word;
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
      piece.kind = Piece::Kind::Constant;
      piece.text = text.substr(equals + 1);
      text = text.substr(0, equals);
    } else if (text.ends_with("...")) {
      piece.kind = Piece::Kind::Any;
      text.remove_suffix(3);
    } else if (text.ends_with(":joined")) {
      piece.kind = Piece::Kind::Joined;
      text.remove_suffix(7);
    } else if (text.ends_with(":last")) {
      piece.kind = Piece::Kind::Last;
      text.remove_suffix(5);
    } else if (text.ends_with(":port")) {
      piece.kind = Piece::Kind::Port;
      text.remove_suffix(5);
    }
    if (text.empty() || !all_of(text, kMnemonic)) {
      return wrong("expected a name between { and }");
    }
    piece.target = target(text);
    return piece;
  }

  Result<void> pattern(std::string_view text) {
    Pattern out;
    out.vendor = vendor;
    while (!text.empty()) {
      const std::size_t open = text.find('{');
      if (open != 0) {
        out.pieces.push_back({Piece::Kind::Literal, {}, text.substr(0, open)});
        text.remove_prefix(out.pieces.back().text.size());
        continue;
      }
      const std::size_t close = text.find('}');
      if (close == std::string_view::npos) {
        return wrong("'{' without '}'");
      }
      BELFRY_TRY(const Piece piece, hole(text.substr(1, close - 1)));
      const bool after_hole = !out.pieces.empty() && out.pieces.back().kind != Piece::Kind::Literal;
      const bool nothing = piece.kind == Piece::Kind::Any && piece.target.name.empty();
      if (after_hole && nothing && (close + 1 == text.size() || text[close + 1] == '{')) {
        text.remove_prefix(close + 1);  // whatever follows: said, not needed
        continue;
      }
      if (piece.kind != Piece::Kind::Constant && after_hole) {
        return wrong("expected some text between two holes; constants stand at the end");
      }
      out.pieces.push_back(piece);
      text.remove_prefix(close + 1);
    }
    for (const std::string_view key : keys) {
      to.by_key_[key].push_back(to.patterns_.size());
    }
    to.patterns_.push_back(std::move(out));
    return {};
  }
};

Result<void> Templates::add(std::string_view name, std::string_view text) {
  texts_.push_back(std::make_unique<std::string>(text));
  Reader reader{*this, name, 0, 0, {}, nullptr, nullptr};
  for (std::string_view rest = *texts_.back(); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
    ++reader.line;
    const bool indented = !line.empty() && is_space(line[0]);
    line = trim_end(line, " \t\r");
    trim_front(line);
    if (line.empty() || line[0] == '#') {
      continue;
    }
    if (!indented) {
      BELFRY_CHECK_OK(reader.directive(line));
    } else if (reader.fields != nullptr || reader.columns != nullptr) {
      BELFRY_CHECK_OK(reader.field(line));
    } else if (reader.keys.empty()) {
      return reader.wrong("expected 'on KEY' before a template");
    } else {
      BELFRY_CHECK_OK(reader.pattern(line));
    }
  }
  return {};
}

const Templates& builtin_templates() {
  static const Templates* const kAll = [] {
    auto* all = new Templates();  // lives as long as the program: names of attributes point into it
    for (std::size_t i = 0; i < kTemplateFileCount; ++i) {
      BELFRY_CHECK(all->add(kTemplateFiles[i].name, kTemplateFiles[i].text).has_value());
    }
    return all;
  }();
  return *kAll;
}

}  // namespace belfry::syslog
