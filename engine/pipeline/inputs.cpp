#include "inputs.hpp"

namespace belfry {
namespace {
constexpr std::uint8_t kOutboxFormat = 1;
constexpr std::uint8_t kSnapshotFormat = 1;

Result<void> whole(const ByteReader& in, std::string_view what) {
  if (in.failed() || !in.done()) {
    return fail(Code::Corrupt, "stored {} does not decode", what);
  }
  return {};
}
}  // namespace

std::string encode(const VersionName& name) {
  ByteWriter out;
  out.varint(name.number);
  out.string(name.rules);
  out.string(name.inventory);
  return out.take();
}

Result<VersionName> decode_version_name(std::string_view bytes) {
  ByteReader in(bytes);
  VersionName name;
  name.number = in.varint();
  name.rules = std::string(in.string());
  name.inventory = std::string(in.string());
  BELFRY_CHECK_OK(whole(in, "name of a version"));
  return name;
}

std::string encode(const SourceTexts& texts) {
  ByteWriter out;
  out.varint(texts.size());
  for (const auto& [path, text] : texts) {
    out.string(path);
    out.string(text);
  }
  return out.take();
}

Result<SourceTexts> decode_source_texts(std::string_view bytes) {
  ByteReader in(bytes);
  SourceTexts texts;
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    std::string path(in.string());
    texts.emplace_back(std::move(path), in.string());
  }
  BELFRY_CHECK_OK(whole(in, "text of a version"));
  return texts;
}

std::string encode_command_record(const Command& command, const CommandResult& result) {
  ByteWriter stored;
  encode(command, stored);
  ByteWriter out;
  out.string(stored.bytes());
  out.boolean(result.ok);
  out.string(result.ok ? "" : name(result.code));
  out.string(result.message);
  return out.take();
}

Result<Command> decode_command_record(std::string_view payload) {
  ByteReader in(payload);
  return decode_command(in.string());
}

std::string encode(const ClockStep& step) {
  ByteWriter out;
  out.zigzag(step.before.count());
  out.zigzag(step.after.count());
  return out.take();
}

Result<ClockStep> decode_clock_step(std::string_view payload) {
  ByteReader in(payload);
  ClockStep step;
  step.before = Duration(in.zigzag());
  step.after = Duration(in.zigzag());
  BELFRY_CHECK_OK(whole(in, "clock step"));
  return step;
}

std::string encode(const Deaf& deaf) {
  ByteWriter out;
  out.zigzag(deaf.from.ns);
  out.zigzag(deaf.to.ns);
  out.string(deaf.why);
  return out.take();
}

Result<Deaf> decode_deaf(std::string_view payload) {
  ByteReader in(payload);
  Deaf deaf;
  deaf.from.ns = in.zigzag();
  deaf.to.ns = in.zigzag();
  deaf.why = std::string(in.string());
  BELFRY_CHECK_OK(whole(in, "deafness"));
  return deaf;
}

std::string encode(const DeliveryFailed& failed) {
  ByteWriter out;
  out.fixed64(failed.effect.value);
  out.string(failed.reason);
  return out.take();
}

Result<DeliveryFailed> decode_delivery_failed(std::string_view payload) {
  ByteReader in(payload);
  DeliveryFailed failed;
  failed.effect.value = in.fixed64();
  failed.reason = std::string(in.string());
  BELFRY_CHECK_OK(whole(in, "failed delivery"));
  return failed;
}

std::string encode(const OutboxRow& row) {
  ByteWriter effect;
  encode(row.pending.effect, effect);
  ByteWriter out;
  out.u8(kOutboxFormat);
  out.varint(row.seq.value);
  out.varint(row.index);
  out.varint(row.pending.attempts);
  out.zigzag(row.pending.next_attempt.ns);
  out.string(effect.bytes());
  return out.take();
}

Result<OutboxRow> decode_outbox_row(std::string_view bytes) {
  ByteReader in(bytes);
  OutboxRow row;
  if (const std::uint8_t format = in.u8(); format != kOutboxFormat) {
    return fail(Code::Corrupt, "row of the outbox has format {}, this program reads format {}",
                format, kOutboxFormat);
  }
  row.seq.value = in.varint();
  row.index = static_cast<std::uint32_t>(in.varint());
  row.pending.attempts = static_cast<std::uint32_t>(in.varint());
  row.pending.next_attempt.ns = in.zigzag();
  const std::string_view effect = in.string();
  BELFRY_CHECK_OK(whole(in, "row of the outbox"));
  BELFRY_TRY(row.pending.effect, decode_effect(effect));
  return row;
}

void encode(const SnapshotHead& head, ByteWriter& out) {
  out.u8(kSnapshotFormat);
  out.varint(head.seq.value);
  out.zigzag(head.at.ns);
  out.zigzag(head.wall_offset.count());
  out.string(encode(head.versions));
  out.string(head.desk);
}

Result<SnapshotHead> decode_snapshot_head(ByteReader& in) {
  if (const std::uint8_t format = in.u8(); format != kSnapshotFormat) {
    return fail(Code::Corrupt, "snapshot of the folds has format {}, this program reads format {}",
                format, kSnapshotFormat);
  }
  SnapshotHead head;
  head.seq.value = in.varint();
  head.at.ns = in.zigzag();
  head.wall_offset = Duration(in.zigzag());
  BELFRY_TRY(head.versions, decode_version_name(in.string()));
  head.desk = std::string(in.string());
  if (in.failed()) {
    return fail(Code::Corrupt, "head of a snapshot does not decode");
  }
  return head;
}

}  // namespace belfry
