#pragma once
// Journal: the one ordered stream of inputs. Two tables under one seq: `journal` (blocks of events,
// kept by age and bytes) and `record` (everything else, kept for years). One commit writes both.
//
// Thread: append_* and mark on the committer; readers on any thread, each its own; drop and verify
// on a helper. Nothing else in the program knows where a journal lives.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/journal/block.hpp"
#include "belfry/journal/record.hpp"
#include "belfry/journal/snapshot.hpp"
#include "belfry/store/store.hpp"

namespace belfry {

/// Bumped when the same inputs give other changes: a replay then compares and corrects.
inline constexpr std::uint32_t kFoldVersion = 1;

/// How far the store goes: written with every commit.
struct JournalMark {
  Seq seq;  ///< last input
  Instant at{0};
  ChangeNumber change;         ///< last change on the feed
  std::uint64_t versions = 0;  ///< number of the last pair of rules and inventory
  Duration wall_offset{0};     ///< wall clock minus `at`
  ChainHash chain{};
};
void encode(const JournalMark& mark, std::string& out);
Result<JournalMark> decode_mark(std::string_view bytes);

/// One input read back. Exactly one of the two is set; both live until the reader's next step.
struct JournalInput {
  const BlockHeader* block = nullptr;
  Batch* batch = nullptr;          ///< with `block`: its events, no matches
  const Record* record = nullptr;  ///< never of kind Changes
};

class JournalReader {
 public:
  ~JournalReader();
  JournalReader(JournalReader&&) noexcept;
  /// The next input in seq order; nullopt at the end.
  Result<std::optional<JournalInput>> next();

 private:
  friend class Journal;
  struct Impl;
  explicit JournalReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct VerifyReport {
  std::uint64_t blocks = 0, events = 0, records = 0, changes = 0;
  Seq first, last;
  std::vector<std::string> findings;  ///< one line each, at most 100; empty = all is well
};

class Journal {
 public:
  explicit Journal(Store& store);
  ~Journal();

  /// The mark and the epoch; makes the epoch in a new store.
  Result<void> open();
  const JournalMark& mark() const;   ///< as read by open()
  const std::string& epoch() const;  ///< 16 hex digits

  void append_block(Writes& out, const BlockHeader& header, const Batch& batch);
  void append_record(Writes& out, const Record& record, ChainHash& chain);
  void put_mark(Writes& out, const JournalMark& mark);
  /// Retention finds its borders by these; one a minute is enough.
  void put_time_mark(Writes& out, Instant at, Seq seq, std::uint64_t bytes_so_far);
  std::uint64_t block_bytes() const;  ///< appended since open()

  JournalReader read_from(Seq seq) const;
  /// Blocks newest first, for looking at events; `f` returns false to stop.
  Result<void> read_back(const std::function<bool(const BlockHeader&, Batch&)>& f) const;

  /// Texts by content hash, each stored once.
  Result<void> put_source(Writes& out, const std::string& hash, std::string_view bytes);
  Result<std::string> source(const std::string& hash) const;

  /// Last seq that may go: blocks older than `age_limit` or beyond `bytes_max`, but not
  /// `keep_from`.
  Result<Seq> retention_border(Instant age_limit, std::uint64_t bytes_max, Seq keep_from) const;
  Result<void> drop_before(Seq seq);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `belfry store verify`: checksums of all files, every block and record, the chain, the changes.
Result<VerifyReport> verify_store(const std::string& dir);
/// `belfry store backup`: a copy of `store` in `to` (must not exist), with its snapshots. Online.
Result<void> backup_store(const Store& store, const std::string& to);
/// The same for a store that no process holds.
Result<void> backup_store(const std::string& from, const std::string& to);
/// `belfry store restore`: a backup becomes the store in `to` (must not exist or be empty) and
/// starts a new feed epoch.
Result<void> restore_store(const std::string& from, const std::string& to);

}  // namespace belfry
