#include "belfry/model/command.hpp"

#include "belfry/base/text.hpp"
#include "codec.hpp"

namespace belfry {
namespace {
constexpr std::uint8_t kCommandFormat = 1;
constexpr std::string_view kCommandWords[]{"claim",   "ack",      "unack",   "assign",
                                           "comment", "mitigate", "resolve", "reopen",
                                           "cancel",  "close",    "silence", "unsilence"};
static_assert(std::size(kCommandWords) == static_cast<std::size_t>(CommandKind::Unsilence) + 1);
}  // namespace

std::string_view name(CommandKind kind) { return kCommandWords[static_cast<std::size_t>(kind)]; }

Result<CommandKind> parse_command_kind(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kCommandWords); ++i) {
    if (kCommandWords[i] == word) {
      return static_cast<CommandKind>(i);
    }
  }
  const std::string_view near = nearest(word, kCommandWords);
  if (near.empty()) {
    return fail(Code::Invalid, "'{}' is not a command", printable(word, 40));
  }
  return fail(Code::Invalid, "'{}' is not a command: did you mean '{}'?", printable(word, 40),
              near);
}

void encode(const Command& command, ByteWriter& out) {
  out.u8(kCommandFormat);
  out.u8(static_cast<std::uint8_t>(command.kind));
  out.string(command.who);
  out.string(command.from);
  out.varint(command.ticket.value);
  out.fixed64(command.incident.value);
  out.string(command.text);
  codec::put(out, command.until);
  out.varint(command.expect);
  out.string(command.idempotency_key);
}

Result<Command> decode_command(std::string_view bytes) {
  ByteReader in(bytes);
  BELFRY_CHECK_OK(codec::check_format(in.u8(), kCommandFormat, "command"));
  bool wrong = false;
  Command c;
  c.kind = codec::get_enum(in, CommandKind::Unsilence, wrong);
  c.who = codec::get_text(in);
  c.from = codec::get_text(in);
  c.ticket.value = in.varint();
  c.incident.value = in.fixed64();
  c.text = codec::get_text(in);
  c.until = codec::get_instant(in);
  c.expect = in.varint();
  c.idempotency_key = codec::get_text(in);
  BELFRY_CHECK_OK(codec::finish(in, wrong, "command"));
  return c;
}

}  // namespace belfry
