#pragma once
// What stands in the payload of records, in snapshots and in the outbox table: written by the
// sequencer, read by recovery. docs/formats/record.md.
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "belfry/model/change.hpp"
#include "belfry/model/command.hpp"
#include "belfry/model/effect.hpp"
#include "belfry/pipeline/pipeline.hpp"

namespace belfry {

/// A pair of rules and inventory as the journal names it.
struct VersionName {
  std::uint64_t number = 0;
  std::string rules, inventory;  ///< content hashes
};
std::string encode(const VersionName& name);
Result<VersionName> decode_version_name(std::string_view bytes);

using SourceTexts = std::vector<std::pair<std::string, std::string>>;
std::string encode(const SourceTexts& texts);
Result<SourceTexts> decode_source_texts(std::string_view bytes);

std::string encode_command_record(const Command& command, const CommandResult& result);
Result<Command> decode_command_record(std::string_view payload);

struct ClockStep {
  Duration before{0}, after{0};
};
std::string encode(const ClockStep& step);
Result<ClockStep> decode_clock_step(std::string_view payload);

struct Deaf {
  Instant from, to;
  std::string why;
};
std::string encode(const Deaf& deaf);
Result<Deaf> decode_deaf(std::string_view payload);

struct DeliveryFailed {
  EffectId effect;
  std::string reason;
};
std::string encode(const DeliveryFailed& failed);
Result<DeliveryFailed> decode_delivery_failed(std::string_view payload);

/// An effect that waits, as it stands in table `outbox` under its id.
struct OutboxRow {
  Seq seq;  ///< with `index`: order of decision
  std::uint32_t index = 0;
  Pipeline::Pending pending;
};
std::string encode(const OutboxRow& row);
Result<OutboxRow> decode_outbox_row(std::string_view bytes);

/// What a snapshot holds beside the folds.
struct SnapshotHead {
  Seq seq;
  Instant at;
  Duration wall_offset{0};
  VersionName versions;
  std::string desk;  ///< desk options, encoded
};
void encode(const SnapshotHead& head, ByteWriter& out);
Result<SnapshotHead> decode_snapshot_head(ByteReader& in);

}  // namespace belfry
