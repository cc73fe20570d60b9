#include "decode_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"
#include "belfry/intake/pcap.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/text.hpp"
#include "belfry/snmp/usm.hpp"
#include "belfry/syslog/decode.hpp"
#include "belfry/syslog/framing.hpp"
#include "decode_plugin.hpp"
#include "mibs.hpp"

namespace belfry {
namespace {

constexpr std::size_t kInputBytesMax = std::size_t{4} << 30;  // a file is held in memory
// Where these are found as destination, a capture's other traffic is left out.
constexpr std::array<std::uint16_t, 6> kSyslogPorts{514, 601, 1514, 5514, 10514, 20514};
constexpr std::array<std::uint16_t, 3> kTrapPorts{162, 1162, 10162};

// ---- JSON lines in: the top-level string members of one object ----------------------------------

/// Reads one JSON object far enough to find its top-level strings. Total; false when it is none.
class LineObject {
 public:
  explicit LineObject(std::string_view text) : text_(text) {}

  bool read() {
    skip();
    if (!take('{')) {
      return false;
    }
    skip();
    if (take('}')) {
      return true;
    }
    do {
      std::string name;
      skip();
      if (!read_string(name)) {
        return false;
      }
      skip();
      if (!take(':')) {
        return false;
      }
      skip();
      if (at_ < text_.size() && text_[at_] == '"') {
        std::string value;
        if (!read_string(value)) {
          return false;
        }
        members.insert_or_assign(std::move(name), std::move(value));
      } else if (!skip_value()) {
        return false;
      }
      skip();
    } while (take(','));
    return take('}');
  }
  std::map<std::string, std::string, std::less<>> members;

 private:
  void skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
      ++at_;
    }
  }
  bool take(char c) {
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  std::optional<unsigned> read_hex4() {
    unsigned v = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : 'x';
      const int digit = c >= '0' && c <= '9'                 ? c - '0'
                        : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                             : -1;
      if (digit < 0) {
        return std::nullopt;
      }
      v = v * 16 + static_cast<unsigned>(digit);
    }
    return v;
  }
  static void append_utf8(std::string& out, unsigned v) {
    const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (v < 0x80) {
      put(v);
    } else if (v < 0x800) {
      put(0xc0 | v >> 6);
      put(0x80 | (v & 63));
    } else if (v < 0x10000) {
      put(0xe0 | v >> 12);
      put(0x80 | (v >> 6 & 63));
      put(0x80 | (v & 63));
    } else {
      put(0xf0 | v >> 18);
      put(0x80 | (v >> 12 & 63));
      put(0x80 | (v >> 6 & 63));
      put(0x80 | (v & 63));
    }
  }
  bool read_unicode(std::string& out) {
    auto v = read_hex4();
    if (v && *v >= 0xd800 && *v < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const auto low = read_hex4();
      if (!low || *low < 0xdc00 || *low > 0xdfff) {
        return false;
      }
      v = 0x10000 + ((*v - 0xd800) << 10) + (*low - 0xdc00);
    }
    if (v) {
      append_utf8(out, *v);
    }
    return v.has_value();
  }
  bool read_string(std::string& out) {
    if (!take('"')) {
      return false;
    }
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') {
        return true;
      }
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      const char escape = at_ < text_.size() ? text_[at_++] : '\0';
      switch (escape) {
        case 'n':
          out.push_back('\n');
          break;
        case 't':
          out.push_back('\t');
          break;
        case 'r':
          out.push_back('\r');
          break;
        case 'b':
          out.push_back('\b');
          break;
        case 'f':
          out.push_back('\f');
          break;
        case 'u':
          if (!read_unicode(out)) {
            return false;
          }
          break;
        case '"':
        case '\\':
        case '/':
          out.push_back(escape);
          break;
        default:
          return false;
      }
    }
    return false;
  }
  /// Past a number, word, array or object: strings inside are stepped over, the rest is not judged.
  bool skip_value() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        std::string ignored;
        if (!read_string(ignored)) {
          return false;
        }
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) {
        return true;
      }
      if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        --depth;
      }
      ++at_;
    }
    return false;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  unsigned bits = 0, have = 0;
  for (const char c : text) {
    const unsigned v = c >= 'A' && c <= 'Z'   ? static_cast<unsigned>(c - 'A')
                       : c >= 'a' && c <= 'z' ? static_cast<unsigned>(c - 'a') + 26
                       : c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0') + 52
                       : c == '+'             ? 62
                       : c == '/'             ? 63
                                              : 64;
    if (c == '=') {
      break;
    }
    if (v == 64) {
      return std::nullopt;
    }
    bits = bits << 6 | v;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<char>(bits >> have));
    }
  }
  return out;
}

// ---- messages out -------------------------------------------------------------------------------

/// What stands beside the message itself in an output line.
struct Origin {
  std::optional<std::string> id;
  std::string from;  ///< of a capture
  Instant at{0};
};

void write_origin(JsonWriter& json, const Origin& origin) {
  if (origin.id) {
    json.field("id", *origin.id);
  }
  if (!origin.from.empty()) {
    json.field("from", origin.from);
  }
  if (origin.at.ns != 0) {
    json.field("at_ns", origin.at.ns);
  }
}

std::string unescaped(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() &&
        (value[i + 1] == '"' || value[i + 1] == '\\' || value[i + 1] == ']')) {
      ++i;
    }
    out.push_back(value[i]);
  }
  return out;
}

/// `{"id": {"name": "value"}}`, names sorted.
void write_structured_data(JsonWriter& json, std::string_view text) {
  std::map<std::string, std::map<std::string, std::string>> elements;
  syslog::SdReader reader(text);
  syslog::SdParam p;
  while (reader.next(p)) {
    auto& element = elements[std::string(p.element)];
    if (!p.name.empty()) {
      element[std::string(p.name)] = unescaped(p.value);
    }
  }
  json.key("structured_data").object();
  for (const auto& [id, params] : elements) {
    json.key(id).object();
    for (const auto& [name, value] : params) {
      json.field(name, value);
    }
    json.end();
  }
  json.end();
}

void optional_text(JsonWriter& json, std::string_view name, std::string_view value) {
  if (value.empty()) {
    json.key(name).null();
  } else {
    json.field(name, value);
  }
}

class Printer {
 public:
  Printer(const DecodeArguments& arguments, std::optional<snmp::Usm> usm, std::string& out)
      : usm_(std::move(usm)),
        trap_(arguments.as == "trap"),
        now_{std::chrono::duration_cast<Duration>(
                 std::chrono::system_clock::now().time_since_epoch())
                 .count()},
        out_(out) {}

  void message(std::string_view bytes, const Origin& origin) {
    arena_.clear();
    if (trap_) {
      trap(bytes, origin);
    } else {
      syslog_line(bytes, origin);
    }
    out_ += '\n';
  }
  /// A line that holds no message: still one object, so that lines can be counted.
  void refused(std::string_view reason, const Origin& origin) {
    JsonWriter json;
    json.object();
    write_origin(json, origin);
    json.field(trap_ ? "notification" : "valid", false).field("refused", reason).end();
    out_ += json.text();
    out_ += '\n';
  }
  bool is_trap() const { return trap_; }

 private:
  void trap(std::string_view bytes, const Origin& origin) {
    Event e;
    const snmp::Verdict verdict = snmp::decode(bytes, arena_, e, usm_ ? &*usm_ : nullptr);
    const std::string json = snmp::trap_json(e, verdict, usm_ ? &usm_->last() : nullptr);
    JsonWriter head;
    head.object();
    write_origin(head, origin);
    const std::string& text = head.text();
    out_ += text.size() > 1 && json.size() > 2 ? text + "," + json.substr(1) : json;
  }

  void syslog_line(std::string_view bytes, const Origin& origin) {
    Event e;
    syslog::decode(bytes, arena_, origin.at.ns != 0 ? origin.at : now_, e);
    JsonWriter json;
    json.object();
    write_origin(json, origin);
    json.field("valid", e.valid);
    if (!e.valid) {
      json.field("why", e.why);
    }
    if (e.facility == 255) {
      json.key("facility").null().key("severity").null();
    } else {
      json.field("facility", unsigned{e.facility}).field("severity", unsigned{e.severity});
      json.field("level", name(severity_of_syslog(e.severity)));
    }
    optional_text(json, "host", e.host);
    optional_text(json, "app", e.app);
    optional_text(json, "pid", e.pid);
    optional_text(json, "msgid", e.msgid);
    if (e.stamp.ns == 0) {
      json.key("timestamp").null();
    } else {
      // Microseconds are what a double holds of today's seconds.
      json.key("timestamp")
          .raw(fmt::format("{}.{:06}", e.stamp.ns / 1'000'000'000, e.stamp.ns / 1000 % 1'000'000));
    }
    optional_text(json, "tag", e.tag);
    optional_text(json, "vendor", e.vendor);
    json.field("message", e.message);
    if (e.structured_data.empty()) {
      json.key("structured_data").null();
    } else {
      write_structured_data(json, e.structured_data);
    }
    if (!e.attrs.empty()) {
      json.key("entities").object();
      for (const Attr& attr : e.attrs) {
        json.field(attr.name, attr.value.text);
      }
      json.end();
    }
    json.end();
    out_ += json.text();
  }

  std::optional<snmp::Usm> usm_;
  const bool trap_;
  const Instant now_;
  Arena arena_;
  std::string& out_;
};

// ---- cutting the input --------------------------------------------------------------------------

/// One line: a JSON object that holds a message, hex digits, or the message itself.
void decode_line(const DecodeArguments& arguments, std::string_view line, Printer& printer) {
  Origin origin;
  if (line.starts_with('{')) {
    LineObject object(line);
    if (object.read()) {
      const auto& members = object.members;
      if (const auto id = members.find("id"); id != members.end()) {
        origin.id = id->second;
      }
      const auto raw = members.find("raw"), b64 = members.find("raw_b64"),
                 hex = members.find("packet_hex");
      if (raw != members.end() && !printer.is_trap()) {
        printer.message(raw->second, origin);
        return;
      }
      if (b64 != members.end() || hex != members.end()) {
        const auto bytes = hex != members.end() ? from_hex(hex->second) : from_base64(b64->second);
        bytes ? printer.message(*bytes, origin) : printer.refused("not-hex", origin);
        return;
      }
      origin.id.reset();
    }
  }
  if (arguments.hex) {
    const auto bytes = from_hex(line);
    bytes ? printer.message(*bytes, origin) : printer.refused("not-hex", origin);
    return;
  }
  printer.message(line, origin);
}

void decode_lines(const DecodeArguments& arguments, std::string_view input, Printer& printer) {
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    std::string_view line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    decode_line(arguments, line, printer);
  }
}

/// `LENGTH SP MESSAGE` one after the other, nothing else between them.
std::string decode_octets(std::string_view input, Printer& printer) {
  std::size_t at = 0;
  while (at < input.size()) {
    const std::size_t space = input.find(' ', at);
    const auto count =
        space == std::string_view::npos ? std::nullopt : parse_int(input.substr(at, space - at));
    if (!count || *count < 0 || space - at > syslog::kCountDigitsMax ||
        static_cast<std::size_t>(*count) > input.size() - space - 1) {
      if (input.substr(at).find_first_not_of("\r\n") == std::string_view::npos) {
        break;  // a line end after the last frame
      }
      return fmt::format(
          "byte {}: expected a frame as 'LENGTH MESSAGE' with at most {} digits and that many "
          "bytes",
          at, syslog::kCountDigitsMax);
    }
    printer.message(input.substr(space + 1, static_cast<std::size_t>(*count)), {});
    at = space + 1 + static_cast<std::size_t>(*count);
  }
  return {};
}

/// Destination ports of the capture that are this protocol's own; empty = take everything.
Result<std::set<std::uint16_t>> wanted_ports(std::string_view input,
                                             std::span<const std::uint16_t> well_known) {
  auto reader = CaptureReader::open(input);
  if (!reader) {
    return tl::unexpected(reader.error());
  }
  std::set<std::uint16_t> found;
  CapturedItem item;
  while (reader->next(item)) {
    if (std::ranges::find(well_known, item.destination_port) != well_known.end()) {
      found.insert(item.destination_port);
    }
  }
  return found;
}

struct CapturedStream {
  syslog::Framer framer;
  std::string kept;
};

void decode_stream(CapturedStream& stream, const CapturedItem& item, const Origin& origin,
                   Printer& printer) {
  stream.kept += item.bytes;
  std::string_view bytes = stream.kept, frame;
  for (auto step = stream.framer.next(bytes, frame); step != syslog::FrameStep::More;
       step = stream.framer.next(bytes, frame)) {
    step == syslog::FrameStep::Frame ? printer.message(frame, origin)
                                     : printer.refused("frame-too-long", origin);
  }
  stream.kept = std::string(bytes);
  if (item.kind == CapturedItem::Kind::StreamEnd && stream.framer.last(stream.kept, frame)) {
    printer.message(frame, origin);
  }
}

std::string decode_capture(std::string_view input, Printer& printer) {
  const auto ports =
      printer.is_trap() ? wanted_ports(input, kTrapPorts) : wanted_ports(input, kSyslogPorts);
  if (!ports) {
    return ports.error().what;
  }
  auto reader = CaptureReader::open(input);
  std::map<std::uint64_t, CapturedStream> streams;
  CapturedItem item;
  while (reader && reader->next(item)) {
    if (!ports->empty() && !ports->contains(item.destination_port)) {
      continue;
    }
    const Origin origin{std::nullopt, item.source, item.at};
    if (item.kind == CapturedItem::Kind::Datagram) {
      printer.message(item.bytes, origin);
    } else if (!printer.is_trap()) {
      decode_stream(streams[item.stream], item, origin, printer);
      if (item.kind == CapturedItem::Kind::StreamEnd) {
        streams.erase(item.stream);
      }
    }
  }
  return {};
}

Result<std::string> read_input(const std::string& path) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return fail(Code::NotFound, "{}: cannot be read: no such file, or no permission", path);
  }
  std::string input;
  std::vector<char> chunk(1 << 16);
  std::size_t n = 0;
  while ((n = std::fread(chunk.data(), 1, chunk.size(), file)) > 0 &&
         input.size() <= kInputBytesMax) {
    input.append(chunk.data(), n);
  }
  const bool broken = std::ferror(file) != 0;
  if (file != stdin) {
    std::fclose(file);
  }
  if (broken || input.size() > kInputBytesMax) {
    return fail(Code::Invalid, "{}: {}", path,
                broken ? "cannot be read (is it a folder?)" : "is larger than 4 GiB");
  }
  return input;
}

}  // namespace

std::string decode_text(const DecodeArguments& arguments, std::string_view input,
                        std::string& out) {
  if (arguments.as == "plugin") {
    decode_plugins(input, out);
    return {};
  }
  if (arguments.as != "syslog" && arguments.as != "trap") {
    return fmt::format("--as {}: expected syslog, trap or plugin", printable(arguments.as, 40));
  }
  if (arguments.framing != "line" && arguments.framing != "octet") {
    return fmt::format("--framing {}: expected line or octet", printable(arguments.framing, 40));
  }
  std::optional<snmp::Usm> usm;
  if (!arguments.snmp_users.empty()) {
    const auto users = snmp::UsmUsers::read(arguments.snmp_users, false);
    if (!users) {
      return fmt::format("--snmp-users {}", users.error());
    }
    usm.emplace(*users, nullptr);
  }
  Printer printer(arguments, std::move(usm), out);
  if (arguments.pcap) {
    return decode_capture(input, printer);
  }
  if (arguments.framing == "octet" && !printer.is_trap() && !arguments.hex) {
    return decode_octets(input, printer);
  }
  // A trap's bytes may hold line ends: without --hex and not JSON, the file is one packet.
  if (printer.is_trap() && !arguments.hex && !input.starts_with('{')) {
    printer.message(input, {});
    return {};
  }
  decode_lines(arguments, input, printer);
  return {};
}

int decode_command(const DecodeArguments& arguments) {
  if (!use_mibs(arguments.mibs, "belfry decode")) {
    return 2;
  }
  const auto input = read_input(arguments.path);
  if (!input) {
    fmt::print(stderr, "belfry decode: {}\n", input.error());
    return 2;
  }
  std::string out;
  const std::string wrong = decode_text(arguments, *input, out);
  std::fwrite(out.data(), 1, out.size(), stdout);
  if (!wrong.empty()) {
    fmt::print(stderr, "belfry decode: {}: {}\n",
               arguments.path == "-" ? "standard input" : arguments.path, wrong);
    return 2;
  }
  return 0;
}

}  // namespace belfry
