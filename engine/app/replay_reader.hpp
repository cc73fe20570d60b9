#pragma once
// Lines of `belfry replay --events`: one JSON object becomes one event. What `belfry decode`
// prints, raw syslog (`raw`), raw SNMP (`packet_hex`), or any object with `type` (a Bell event
// type).
#include <cstdint>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

inline constexpr std::size_t kReplayLineBytesMax = 1024 * 1024;
/// Dots in names of flattened objects; deeper is refused.
inline constexpr std::size_t kReplayDepthMax = 16;

/// When the event of that line was received: `at_ns`, `at`, else the sender's own stamp.
Result<Instant> replay_time(std::string_view line);
/// Fills a zeroed event from the line; everything it points to lies in the arena. A refused packet
/// is an error too: it says why.
Result<void> replay_event(std::string_view line, const rules::Program& program, Instant at,
                          Arena& arena, Event& out);

}  // namespace belfry
