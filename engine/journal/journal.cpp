#include "belfry/journal/journal.hpp"

#include <sys/random.h>
#include <zstd.h>

#include <filesystem>

#include "belfry/base/bytes.hpp"
#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"

namespace belfry {
namespace {
constexpr std::uint8_t kMarkFormat = 1;
constexpr std::string_view kMarkKey = "mark";
constexpr std::string_view kEpochKey = "epoch";
constexpr std::string_view kSourcePrefix = "source/";
constexpr std::string_view kTimePrefix = "t";  // in table index: t + at -> seq, bytes so far
constexpr std::size_t kSourceBytesMax = 1ULL << 30;

Result<std::string> new_epoch() {
  char bytes[8];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
    return fail(Code::Unavailable, "cannot read random bytes for the feed's epoch");
  }
  return to_hex({bytes, sizeof bytes});
}
}  // namespace

void encode(const JournalMark& mark, std::string& out) {
  ByteWriter w;
  w.u8(kMarkFormat);
  w.varint(mark.seq.value);
  w.zigzag(mark.at.ns);
  w.varint(mark.change.value);
  w.varint(mark.versions);
  w.zigzag(mark.wall_offset.count());
  w.raw(mark.chain.data(), mark.chain.size());
  out = w.take();
}

Result<JournalMark> decode_mark(std::string_view bytes) {
  ByteReader in(bytes);
  JournalMark mark;
  const std::uint8_t format = in.u8();
  mark.seq.value = in.varint();
  mark.at.ns = in.zigzag();
  mark.change.value = in.varint();
  mark.versions = in.varint();
  mark.wall_offset = Duration(in.zigzag());
  const std::string_view chain = in.bytes(mark.chain.size());
  if (format != kMarkFormat || in.failed() || !in.done()) {
    return fail(Code::Corrupt, "the journal's mark does not decode (format {})", format);
  }
  std::copy(chain.begin(), chain.end(), mark.chain.begin());
  return mark;
}

struct Journal::Impl {
  Store& store;
  JournalMark mark;
  std::string epoch;
  BlockEncoder encoder;
  std::string scratch;
  std::uint64_t block_bytes = 0;
};

Journal::Journal(Store& store) : impl_(new Impl{store, {}, {}, {}, {}, 0}) {}
Journal::~Journal() = default;

Result<void> Journal::open() {
  BELFRY_TRY(const auto mark, impl_->store.get(Table::Meta, kMarkKey));
  if (mark) {
    BELFRY_TRY(impl_->mark, decode_mark(*mark));
  }
  BELFRY_TRY(const auto epoch, impl_->store.get(Table::Meta, kEpochKey));
  if (epoch) {
    impl_->epoch = *epoch;
    return {};
  }
  BELFRY_TRY(impl_->epoch, new_epoch());
  Writes writes;
  writes.put(Table::Meta, kEpochKey, impl_->epoch);
  return impl_->store.commit(writes, true);
}

const JournalMark& Journal::mark() const { return impl_->mark; }
const std::string& Journal::epoch() const { return impl_->epoch; }
std::uint64_t Journal::block_bytes() const { return impl_->block_bytes; }

void Journal::append_block(Writes& out, const BlockHeader& header, const Batch& batch) {
  const std::string_view bytes = impl_->encoder.encode(header, batch);
  impl_->block_bytes += bytes.size();
  out.put(Table::Journal, be64(header.first.value), bytes);
}

void Journal::append_record(Writes& out, const Record& record, ChainHash& chain) {
  encode(record, chain, impl_->scratch);
  out.put(Table::Record, record_key(record.seq, record.index), impl_->scratch);
}

void Journal::put_mark(Writes& out, const JournalMark& mark) {
  encode(mark, impl_->scratch);
  out.put(Table::Meta, kMarkKey, impl_->scratch);
}

void Journal::put_time_mark(Writes& out, Instant at, Seq seq, std::uint64_t bytes_so_far) {
  std::string key(kTimePrefix);
  append_be64(key, static_cast<std::uint64_t>(at.ns));
  std::string value = be64(seq.value);
  append_be64(value, bytes_so_far);
  out.put(Table::Index, key, value);
}

Result<void> Journal::put_source(Writes& out, const std::string& hash, std::string_view bytes) {
  const std::string key = std::string(kSourcePrefix) + hash;
  BELFRY_TRY(const auto present, impl_->store.get(Table::Meta, key));
  if (present) {
    return {};
  }
  ByteWriter head;
  head.varint(bytes.size());
  std::string packed = head.take();
  const std::size_t at = packed.size();
  packed.resize(at + ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress(packed.data() + at, packed.size() - at, bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(size) != 0) {
    return fail(Code::Internal, "cannot compress a source: {}", ZSTD_getErrorName(size));
  }
  packed.resize(at + size);
  out.put(Table::Meta, key, packed);
  return {};
}

Result<std::string> Journal::source(const std::string& hash) const {
  BELFRY_TRY(const auto packed, impl_->store.get(Table::Meta, std::string(kSourcePrefix) + hash));
  if (!packed) {
    return fail(Code::Corrupt, "the journal names a version {} that is not stored", hash);
  }
  ByteReader in(*packed);
  const std::uint64_t size = in.varint();
  if (in.failed() || size > kSourceBytesMax) {
    return fail(Code::Corrupt, "stored version {} does not decode", hash);
  }
  std::string out(size, '\0');
  const std::size_t got = ZSTD_decompress(out.data(), out.size(),
                                          packed->data() + (packed->size() - in.left()), in.left());
  if (ZSTD_isError(got) != 0 || got != size) {
    return fail(Code::Corrupt, "stored version {} does not decompress", hash);
  }
  return out;
}

struct JournalReader::Impl {
  explicit Impl(const Store& store)
      : blocks(store.cursor(Table::Journal)), records(store.cursor(Table::Record)) {}
  Cursor blocks;
  Cursor records;
  BlockDecoder decoder;
  BlockHeader header;
  Batch batch;
  Record record;
};

JournalReader::JournalReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JournalReader::~JournalReader() = default;
JournalReader::JournalReader(JournalReader&&) noexcept = default;

JournalReader Journal::read_from(Seq seq) const {
  auto impl = std::make_unique<JournalReader::Impl>(impl_->store);
  impl->blocks.seek(be64(seq.value));
  impl->records.seek(be64(seq.value));
  return JournalReader(std::move(impl));
}

Result<std::optional<JournalInput>> JournalReader::next() {
  Impl& d = *impl_;
  while (true) {
    if (!d.blocks.valid() && !d.records.valid()) {
      BELFRY_CHECK_OK(d.blocks.error());
      BELFRY_CHECK_OK(d.records.error());
      return std::optional<JournalInput>{};
    }
    const bool is_block =
        d.blocks.valid() &&
        (!d.records.valid() || from_be64(d.blocks.key()) < from_be64(d.records.key()));
    if (is_block) {
      BELFRY_TRY(d.header, d.decoder.decode(d.blocks.value(), d.batch));
      if (d.header.first.value != from_be64(d.blocks.key())) {
        return fail(Code::Corrupt, "block at seq {} says it starts at {}",
                    from_be64(d.blocks.key()), d.header.first.value);
      }
      d.blocks.next();
      return std::optional(JournalInput{.block = &d.header, .batch = &d.batch});
    }
    BELFRY_TRY(StoredRecord stored, decode_record(d.records.key(), d.records.value()));
    d.record = std::move(stored.record);
    d.records.next();
    if (d.record.kind != RecordKind::Changes) {
      return std::optional(JournalInput{.record = &d.record});
    }
  }
}

Result<void> Journal::read_back(const std::function<bool(const BlockHeader&, Batch&)>& f) const {
  Cursor cursor = impl_->store.cursor(Table::Journal);
  BlockDecoder decoder;
  Batch batch;
  for (cursor.seek_last(); cursor.valid(); cursor.prev()) {
    BELFRY_TRY(const BlockHeader header, decoder.decode(cursor.value(), batch));
    if (!f(header, batch)) {
      return {};
    }
  }
  return cursor.error();
}

Result<Seq> Journal::retention_border(Instant age_limit, std::uint64_t bytes_max,
                                      Seq keep_from) const {
  const std::uint64_t bytes = impl_->store.bytes(Table::Journal);
  const std::uint64_t excess = bytes > bytes_max ? bytes - bytes_max : 0;
  Cursor cursor = impl_->store.cursor(Table::Index);
  Seq border{0};
  std::uint64_t first_bytes = 0;
  bool first = true;
  for (cursor.seek(kTimePrefix); cursor.valid() && cursor.key().starts_with(kTimePrefix);
       cursor.next()) {
    const auto at = static_cast<std::int64_t>(from_be64(cursor.key().substr(kTimePrefix.size())));
    const Seq seq{from_be64(cursor.value())};
    const std::uint64_t so_far =
        cursor.value().size() < 16 ? 0 : from_be64(cursor.value().substr(8));
    if (first) {
      first_bytes = so_far;
      first = false;
    }
    // Bytes are counted per run of the program: a lower count than the first is a new run.
    const bool too_much =
        so_far >= first_bytes ? so_far - first_bytes <= excess && excess != 0 : false;
    if ((at < age_limit.ns || too_much) && seq <= keep_from) {
      border = seq;
    } else {
      break;
    }
  }
  BELFRY_CHECK_OK(cursor.error());
  return border;
}

Result<void> Journal::drop_before(Seq seq) {
  BELFRY_CHECK_OK(impl_->store.drop_range(Table::Journal, {}, be64(seq.value)));
  Cursor cursor = impl_->store.cursor(Table::Index);
  Writes writes;
  for (cursor.seek(kTimePrefix); cursor.valid() && cursor.key().starts_with(kTimePrefix);
       cursor.next()) {
    if (from_be64(cursor.value()) >= seq.value) {
      break;
    }
    writes.erase(Table::Index, cursor.key());
  }
  return impl_->store.commit(writes, false);
}

Result<void> backup_store(const Store& store, const std::string& to) {
  std::error_code error;
  if (std::filesystem::exists(to, error)) {
    return fail(Code::Invalid, "{} exists: a backup wants a new directory", to);
  }
  BELFRY_CHECK_OK(make_private_dir(to + "/snapshots"));
  // Snapshots first: what the checkpoint holds then goes at least as far as they do.
  const SnapshotFiles snapshots(store.dir());
  for (const Seq seq : snapshots.list()) {
    const std::string name = fmt::format("/snapshots/{:020}", seq.value);
    BELFRY_TRY(const std::string bytes, read_whole_file(store.dir() + name, SIZE_MAX));
    BELFRY_CHECK_OK(write_file_durably(to + name, bytes));
  }
  return store.checkpoint(to + "/db");
}

Result<void> backup_store(const std::string& from, const std::string& to) {
  BELFRY_TRY(const auto store, Store::open({.dir = from, .create = false}));
  return backup_store(*store, to);
}

Result<void> restore_store(const std::string& from, const std::string& to) {
  std::error_code error;
  if (std::filesystem::exists(to, error) && !std::filesystem::is_empty(to, error)) {
    return fail(Code::Invalid,
                "{} is not empty: restore into a new directory, then point `store:` at it", to);
  }
  if (!std::filesystem::is_directory(from + "/db", error)) {
    return fail(Code::NotFound, "there is no backup in {}", from);
  }
  BELFRY_CHECK_OK(make_private_dir(to));
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
  if (error) {
    return fail(Code::Unavailable, "cannot copy {} to {}: {}", from, to, error.message());
  }
  BELFRY_TRY(const auto store, Store::open({.dir = to, .create = false}));
  BELFRY_TRY(const std::string epoch, new_epoch());
  Writes writes;
  writes.put(Table::Meta, kEpochKey, epoch);
  return store->commit(writes, true);
}

}  // namespace belfry
