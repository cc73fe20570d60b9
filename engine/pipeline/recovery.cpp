#include "recovery.hpp"

#include <algorithm>

#include "belfry/base/hash.hpp"
#include "belfry/rules/matcher.hpp"
#include "belfry/runtime/log.hpp"
#include "inputs.hpp"
#include "read_ahead.hpp"

namespace belfry {
namespace {

class Recovery {
 public:
  Recovery(Context& context, Folds& folds, const VersionBuilder& builder,
           const NamedSources& given_name, const Versions& given)
      : context_(context),
        folds_(folds),
        builder_(builder),
        given_name_(given_name),
        given_(given) {}

  Result<RecoveryResult> run() {
    const JournalMark& mark = context_.journal->mark();
    result_.recovered.mark = mark;
    BELFRY_TRY(const Seq from, load_snapshot(mark));
    ReadAhead ahead(*context_.journal, {from.value + 1});
    while (true) {
      ReadAhead::Item input = ahead.next();
      if (input.failed) {
        return tl::unexpected(std::move(input.error));
      }
      if (input.end) {
        break;
      }
      out_.clear();
      if (input.batch) {
        BELFRY_CHECK_OK(replay_block(input.header, *input.batch));
        ahead.give_back(std::move(input.batch));
      } else {
        BELFRY_CHECK_OK(replay_record(input.record));
      }
      context_.metrics.replayed.add();
      BELFRY_CHECK_OK(compare());
    }
    if (folds_.last_change() != mark.change) {
      context_.metrics.corrected.add();
      log::warn("pipeline", "the replay ends at change {}, the feed at {}",
                folds_.last_change().value, mark.change.value);
    }
    folds_.skip_to(mark.change);
    return std::move(result_);
  }

 private:
  /// Seq of the state that was loaded; 0: from the beginning.
  Result<Seq> load_snapshot(const JournalMark& mark) {
    const SnapshotFiles::Found found = SnapshotFiles(context_.store->dir()).newest(mark.seq);
    for (const std::string& why : found.skipped) {
      log::warn("pipeline", "{}: an older state and more of the journal are used", why);
    }
    if (found.seq.value == 0) {
      return Seq{0};
    }
    ByteReader in(found.state);
    BELFRY_TRY(SnapshotHead head, decode_snapshot_head(in));
    BELFRY_CHECK_OK(use(head.versions));
    FoldOut ignored;
    folds_.set_versions(*result_.recovered.pair, true, true, head.seq, head.at, ignored);
    BELFRY_CHECK_OK(folds_.load(in));
    result_.recovered.desk = std::move(head.desk);
    return head.seq;
  }

  /// The pair that the journal names becomes current: given, or built from stored texts.
  Result<void> use(const VersionName& name) {
    Versions versions = given_;
    if (name.rules != given_name_.name.rules || name.inventory != given_name_.name.inventory) {
      BELFRY_TRY(versions, build(name));
    }
    versions.number = name.number;
    result_.recovered.versions = name;
    result_.recovered.pair = std::make_shared<const Versions>(std::move(versions));
    matcher_.emplace(result_.recovered.pair->program, result_.recovered.pair->inventory);
    return {};
  }

  Result<Versions> build(const VersionName& name) {
    VersionSources sources;
    BELFRY_TRY(const std::string rules, context_.journal->source(name.rules));
    BELFRY_TRY(sources.rules, decode_source_texts(rules));
    BELFRY_TRY(const std::string inventory, context_.journal->source(name.inventory));
    BELFRY_TRY(sources.inventory, decode_source_texts(inventory));
    auto built = builder_(sources);
    if (!built) {
      // A newer program may refuse what an older one took. What was published stands all the same.
      log::warn(
          "pipeline",
          "version {} of the journal cannot be built any more ({}): today's is used in its place",
          name.number, built.error());
      return given_;
    }
    return built;
  }

  Result<void> replay_block(const BlockHeader& header, Batch& batch) {
    if (!result_.recovered.pair || header.versions != result_.recovered.versions.number) {
      return fail(Code::Corrupt,
                  "block at seq {} was made with version {}, the journal is at version {}",
                  header.first.value, header.versions, result_.recovered.versions.number);
    }
    matcher_->match(batch);
    folds_.on_batch(batch, header.first, header.at, out_);
    return {};
  }

  Result<void> replay_record(const Record& record) {
    switch (record.kind) {
      case RecordKind::Start:
      case RecordKind::ClockStep:
      case RecordKind::Changes:
        return {};
      case RecordKind::Versions:
        return replay_versions(record);
      case RecordKind::Desk: {
        BELFRY_TRY(const DeskOptions options, decode_desk_options(record.payload));
        result_.recovered.desk = record.payload;
        folds_.set_desk(options, record.seq, record.at, out_);
        return {};
      }
      case RecordKind::Command: {
        BELFRY_TRY(const Command command, decode_command_record(record.payload));
        static_cast<void>(folds_.on_command(command, record.seq, record.at, out_));
        return {};
      }
      case RecordKind::Advance:
        folds_.on_advance(record.seq, record.at, out_);
        return {};
      case RecordKind::Deaf: {
        BELFRY_TRY(const Deaf deaf, decode_deaf(record.payload));
        folds_.on_deaf(deaf.from, deaf.to, record.seq, record.at, out_);
        return {};
      }
      case RecordKind::DeliveryFailed: {
        BELFRY_TRY(const DeliveryFailed failed, decode_delivery_failed(record.payload));
        folds_.on_delivery_failed(failed.effect, failed.reason, record.seq, record.at, out_);
        return {};
      }
    }
    return {};
  }

  Result<void> replay_versions(const Record& record) {
    BELFRY_TRY(const VersionName name, decode_version_name(record.payload));
    const bool first = !result_.recovered.pair;
    const bool rules = first || name.rules != result_.recovered.versions.rules;
    const bool inventory = first || rules || name.inventory != result_.recovered.versions.inventory;
    BELFRY_CHECK_OK(use(name));
    folds_.set_versions(*result_.recovered.pair, rules, inventory, record.seq, record.at, out_);
    return {};
  }

  /// Every stored change stands; where the replay gave another one, its incident is noted.
  Result<void> compare() {
    for (const Change& change : out_.changes) {
      bytes_.clear();
      encode(change, bytes_);
      BELFRY_TRY(const auto stored, context_.store->get(Table::Change, be64(change.number.value)));
      if (stored && *stored == bytes_.bytes()) {
        continue;
      }
      context_.metrics.corrected.add();
      if (change.incident) {
        note(change.incident->after.id);
      }
      if (stored) {
        if (const auto old = decode_change(*stored); old && old->incident) {
          note(old->incident->after.id);
        }
      }
    }
    return {};
  }

  void note(IncidentId id) {
    auto& ids = result_.differing;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      log::warn("pipeline",
                "the replayed course of incident {} differs from the stored one, which stands",
                to_text(id));
      ids.push_back(id);
    }
  }

  Context& context_;
  Folds& folds_;
  const VersionBuilder& builder_;
  const NamedSources& given_name_;
  const Versions& given_;
  RecoveryResult result_;
  std::optional<rules::Matcher> matcher_;
  FoldOut out_;
  ByteWriter bytes_;
};
}  // namespace

NamedSources name_sources(const VersionSources& sources) {
  NamedSources out;
  out.rules = encode(sources.rules);
  out.inventory = encode(sources.inventory);
  out.name.rules = content_hash(out.rules);
  out.name.inventory = content_hash(out.inventory);
  return out;
}

Result<RecoveryResult> recover(Context& context, Folds& folds, const VersionBuilder& builder,
                               const NamedSources& given_name, const Versions& given) {
  return Recovery(context, folds, builder, given_name, given).run();
}

}  // namespace belfry
