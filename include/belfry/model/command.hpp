#pragma once
// Command: something a person or an API client did. It is an input like an event: journalled in the
// `record` stream, folded, and answered after the commit.
#include <cstdint>
#include <string>

#include "belfry/base/bytes.hpp"
#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

enum class CommandKind : std::uint8_t {
  Claim,          ///< ticket: owner = who, acks
  Ack,            ///< ticket
  Unack,          ///< ticket
  Assign,         ///< ticket: text = person
  Comment,        ///< ticket: text
  Mitigate,       ///< ticket: text = note
  Resolve,        ///< ticket: text = what was done
  Reopen,         ///< ticket
  Cancel,         ///< ticket: text = reason
  CloseIncident,  ///< incident, by hand (LANGUAGE 6.9)
  Silence,        ///< text = rule and key pattern; until = end
  Unsilence,      ///< text
};
std::string_view name(CommandKind kind);
Result<CommandKind> parse_command_kind(std::string_view word);

struct Command {
  CommandKind kind = CommandKind::Comment;
  std::string who;   ///< name of the token; in the audit log
  std::string from;  ///< address of the client
  TicketId ticket;
  IncidentId incident;
  std::string text;
  Instant until{0};
  std::uint64_t expect = 0;     ///< ticket version last seen; 0 = any. Stale: 409
  std::string idempotency_key;  ///< same key, same answer; empty = none
};

/// What the fold answers; goes back to the client after the commit.
struct CommandResult {
  bool ok = true;
  Code code = Code::Internal;  ///< when !ok: Conflict, NotFound, Invalid
  std::string message;         ///< when !ok: what, and the moves that are allowed
  TicketId ticket;
  IncidentId incident;
  std::uint64_t version = 0;
};

void encode(const Command& command, ByteWriter& out);
Result<Command> decode_command(std::string_view bytes);

}  // namespace belfry
