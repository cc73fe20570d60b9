#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/journal/journal.hpp"
#include "belfry/model/change.hpp"

namespace belfry {
namespace {
constexpr std::size_t kFindingsMax = 100;

// One pass over every table that has a meaning, collecting what is wrong instead of stopping at it.
class Verifier {
 public:
  Verifier(const Store& store, const std::string& dir, VerifyReport& report)
      : store_(store), dir_(dir), report_(report) {}

  void run() {
    note(store_.verify_checksums());
    marks();
    blocks();
    records();
    changes();
    snapshots();
  }

 private:
  void find(std::string text) {
    if (report_.findings.size() < kFindingsMax) {
      report_.findings.push_back(std::move(text));
    }
  }
  template <class T>
  bool note(const Result<T>& result) {
    if (!result) {
      find(result.error().what);
    }
    return result.has_value();
  }

  void marks() {
    const auto bytes = store_.get(Table::Meta, "mark");
    if (!note(bytes) || !*bytes) {
      return;
    }
    if (const auto mark = decode_mark(**bytes); note(mark)) {
      mark_ = *mark;
    }
  }

  void blocks() {
    Cursor cursor = store_.cursor(Table::Journal);
    BlockDecoder decoder;
    Batch batch;
    std::uint64_t end = 0;
    for (cursor.seek({}); cursor.valid(); cursor.next()) {
      const std::uint64_t first = from_be64(cursor.key());
      const auto header = decoder.decode(cursor.value(), batch);
      ++report_.blocks;
      if (report_.blocks == 1) {
        report_.first = {first};
      }
      if (!note(header)) {
        continue;
      }
      if (header->first.value != first || first < end) {
        find(fmt::format("block at seq {} overlaps the one before, which ends at {}", first, end));
      }
      end = first + header->count;
      report_.events += header->count;
      report_.last = {end - 1};
    }
    note(cursor.error());
    if (end > mark_.seq.value + 1) {
      find(fmt::format("blocks go to seq {}, the mark to {}", end - 1, mark_.seq.value));
    }
  }

  void records() {
    Cursor cursor = store_.cursor(Table::Record);
    ChainHash chain{};
    for (cursor.seek({}); cursor.valid(); cursor.next()) {
      const auto stored = decode_record(cursor.key(), cursor.value());
      ++report_.records;
      if (!note(stored)) {
        continue;
      }
      // The first one kept has nothing before it to check against.
      const bool checkable = report_.records > 1 || stored->record.seq.value == 1;
      if (checkable && chain_hash(chain, stored->record) != stored->hash) {
        find(fmt::format(
            "record at seq {} ({}) breaks the chain: it or the one before was changed or removed",
            stored->record.seq.value, name(stored->record.kind)));
      }
      chain = stored->hash;
      if (stored->record.kind == RecordKind::Changes) {
        trail(stored->record);
      }
    }
    note(cursor.error());
    if (report_.records != 0 && chain != mark_.chain) {
      find("the last record is not the one that the mark names: records are missing at the end");
    }
  }

  // The audit trail names changes by number and hash.
  void trail(const Record& record) {
    ByteReader in(record.payload);
    std::uint64_t number = in.varint();
    for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n, ++number) {
      const std::uint64_t hash = in.fixed64();
      const auto stored = store_.get(Table::Change, be64(number));
      if (note(stored) && *stored && hash64(**stored) != hash) {
        find(fmt::format("change {} is not what the record at seq {} says it was", number,
                         record.seq.value));
      }
    }
    if (in.failed()) {
      find(fmt::format("the trail of changes at seq {} does not decode", record.seq.value));
    }
  }

  void changes() {
    Cursor cursor = store_.cursor(Table::Change);
    std::uint64_t before = 0;
    for (cursor.seek({}); cursor.valid(); cursor.next()) {
      const std::uint64_t number = from_be64(cursor.key());
      ++report_.changes;
      if (before != 0 && number != before + 1) {
        find(fmt::format("change {} follows {}: some are missing", number, before));
      }
      before = number;
      if (const auto change = decode_change(cursor.value());
          note(change) && change->number.value != number) {
        find(fmt::format("change {} is stored as number {}", change->number.value, number));
      }
    }
    note(cursor.error());
    if (before != mark_.change.value) {
      find(fmt::format("changes go to {}, the mark to {}", before, mark_.change.value));
    }
  }

  void snapshots() {
    const SnapshotFiles files(dir_);
    for (const Seq seq : files.list()) {
      note(files.read(seq));
    }
  }

  const Store& store_;
  const std::string& dir_;
  VerifyReport& report_;
  JournalMark mark_;
};
}  // namespace

Result<VerifyReport> verify_store(const std::string& dir) {
  BELFRY_TRY(const auto store, Store::open({.dir = dir, .create = false, .read_only = true}));
  VerifyReport report;
  Verifier(*store, dir, report).run();
  return report;
}

}  // namespace belfry
