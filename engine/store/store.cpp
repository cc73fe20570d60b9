#include "belfry/store/store.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>

namespace belfry {
namespace {

using rocksdb::ColumnFamilyHandle;
using rocksdb::Slice;
using rocksdb::Status;

constexpr std::string_view kFormatKey = "format";

// RocksDB asserts that even an empty slice points somewhere.
Slice slice(std::string_view s) { return {s.data() == nullptr ? "" : s.data(), s.size()}; }
std::string_view view(const Slice& s) { return {s.data(), s.size()}; }

tl::unexpected<Error> failed(std::string_view doing, const Status& status) {
  const Code code = status.IsCorruption() ? Code::Corrupt : Code::Unavailable;
  return fail(code, "store: {}: {}", doing, status.ToString());
}

rocksdb::ColumnFamilyOptions options_of(Table table, const StoreOptions& options) {
  rocksdb::ColumnFamilyOptions cf;
  cf.write_buffer_size = 8 << 20;
  cf.max_write_buffer_number = 3;
  cf.compression = rocksdb::kZSTD;
  cf.level_compaction_dynamic_level_bytes = true;
  if (table == Table::Journal) {
    // Blocks are compressed already, are read rarely and die in order: in blob files, that
    // compaction never copies. The tree holds keys and references only; small files drop well.
    cf.write_buffer_size = options.journal_buffer_bytes;
    cf.enable_blob_files = true;
    cf.min_blob_size = 512;
    cf.blob_file_size = 128ULL << 20;
    cf.blob_compression_type = rocksdb::kNoCompression;
    cf.compression = rocksdb::kNoCompression;
    cf.target_file_size_base = 1 << 20;
  }
  if (table == Table::Record || table == Table::Change) {
    cf.write_buffer_size = 16 << 20;
  }
  return cf;
}

rocksdb::DBOptions db_options(const StoreOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.create;
  db.create_missing_column_families = options.create;
  db.max_total_wal_size = options.wal_bytes_max;
  db.max_background_jobs = 2;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.keep_log_file_num = 3;
  db.max_open_files = 512;
  db.bytes_per_sync = 1 << 20;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return db;
}

tl::unexpected<Error> open_failed(const std::string& dir, const Status& status) {
  const std::string text = status.ToString();
  if (status.IsIOError() && text.find("lock") != std::string::npos) {
    return fail(
        Code::Conflict,
        "store {} is in use by another process: stop it, or give this one another directory", dir);
  }
  if (text.find("does not exist") != std::string::npos ||
      text.find("No such file") != std::string::npos) {
    return fail(Code::NotFound, "there is no store in {}", dir);
  }
  return fail(status.IsCorruption() ? Code::Corrupt : Code::Unavailable, "cannot open store {}: {}",
              dir, text);
}
}  // namespace

void append_be64(std::string& out, std::uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(v >> shift));
  }
}

std::string be64(std::uint64_t v) {
  std::string out;
  append_be64(out, v);
  return out;
}

std::uint64_t from_be64(std::string_view bytes) {
  std::uint64_t v = 0;
  if (bytes.size() >= 8) {
    for (std::size_t i = 0; i < 8; ++i) {
      v = v << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
  }
  return v;
}

struct Writes::Impl {
  struct Step {
    Table table;
    bool is_put;
    std::size_t key_at, key_size, value_size;
  };
  // Steps in one flat buffer: building needs no open store, and clear() keeps the memory.
  std::vector<Step> steps;
  std::string bytes;
};

Writes::Writes() : impl_(std::make_unique<Impl>()) {}
Writes::~Writes() = default;
Writes::Writes(Writes&&) noexcept = default;

void Writes::put(Table table, std::string_view key, std::string_view value) {
  impl_->steps.push_back({table, true, impl_->bytes.size(), key.size(), value.size()});
  impl_->bytes.append(key).append(value);
}

void Writes::erase(Table table, std::string_view key) {
  impl_->steps.push_back({table, false, impl_->bytes.size(), key.size(), 0});
  impl_->bytes.append(key);
}

void Writes::clear() {
  impl_->steps.clear();
  impl_->bytes.clear();
}

std::size_t Writes::count() const { return impl_->steps.size(); }
std::size_t Writes::bytes() const { return impl_->bytes.size(); }

struct Cursor::Impl {
  std::unique_ptr<rocksdb::Iterator> it;
};
Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;
void Cursor::seek(std::string_view key) { impl_->it->Seek(slice(key)); }
void Cursor::seek_before(std::string_view key) { impl_->it->SeekForPrev(slice(key)); }
void Cursor::seek_last() { impl_->it->SeekToLast(); }
void Cursor::next() { impl_->it->Next(); }
void Cursor::prev() { impl_->it->Prev(); }
bool Cursor::valid() const { return impl_->it->Valid(); }
std::string_view Cursor::key() const { return view(impl_->it->key()); }
std::string_view Cursor::value() const { return view(impl_->it->value()); }
Result<void> Cursor::error() const {
  if (const Status status = impl_->it->status(); !status.ok()) {
    return failed("reading", status);
  }
  return {};
}

struct Store::Impl {
  std::string dir;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<ColumnFamilyHandle*> owned;
  std::array<ColumnFamilyHandle*, kTables> tables{};

  ~Impl() {
    for (ColumnFamilyHandle* handle : owned) {
      db->DestroyColumnFamilyHandle(handle);
    }
    if (db) {
      // Unsynced rows of durability `os` must survive a clean end.
      static_cast<void>(db->SyncWAL());
      static_cast<void>(db->Close());
    }
  }
  ColumnFamilyHandle* of(Table table) const { return tables[static_cast<std::size_t>(table)]; }

  Result<void> open(const StoreOptions& options);
  Result<void> check_format(const StoreOptions& options);
};

Result<void> Store::Impl::open(const StoreOptions& options) {
  dir = options.dir;
  const std::string path = dir + "/db";
  const rocksdb::DBOptions db_opts = db_options(options);
  std::vector<std::string> present;
  // Fails on a new store: then there are none. Unknown families are opened too, so that the format
  // can be read and named.
  static_cast<void>(rocksdb::DB::ListColumnFamilies(db_opts, path, &present));
  std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, {}}};
  for (std::size_t i = 0; i < kTables; ++i) {
    const auto table = static_cast<Table>(i);
    families.emplace_back(std::string(name(table)), options_of(table, options));
  }
  for (const std::string& name_present : present) {
    bool known = false;
    for (const auto& family : families) {
      known = known || family.name == name_present;
    }
    if (!known) {
      families.emplace_back(name_present, rocksdb::ColumnFamilyOptions{});
    }
  }
  rocksdb::DB* raw = nullptr;
  const Status status = options.read_only
                            ? rocksdb::DB::OpenForReadOnly(db_opts, path, families, &owned, &raw)
                            : rocksdb::DB::Open(db_opts, path, families, &owned, &raw);
  db.reset(raw);
  if (!status.ok()) {
    owned.clear();
    return open_failed(dir, status);
  }
  for (std::size_t i = 0; i < kTables; ++i) {
    tables[i] = owned[i + 1];
  }
  return check_format(options);
}

Result<void> Store::Impl::check_format(const StoreOptions& options) {
  std::string stored;
  const Status status = db->Get({}, of(Table::Meta), slice(kFormatKey), &stored);
  const std::string want = std::to_string(kStoreFormat);
  if (status.IsNotFound() && options.create && !options.read_only) {
    rocksdb::WriteOptions sync;
    sync.sync = true;
    if (const Status put = db->Put(sync, of(Table::Meta), slice(kFormatKey), slice(want));
        !put.ok()) {
      return failed("writing its format", put);
    }
    return {};
  }
  if (!status.ok()) {
    return failed("reading its format", status);
  }
  if (stored != want) {
    return fail(Code::Invalid,
                "store {} has format {}, this program reads format {}: use the program that wrote "
                "it, or another "
                "directory",
                dir, stored, want);
  }
  return {};
}

Store::Store() : impl_(std::make_unique<Impl>()) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::error_code error;
  if (options.create && !options.read_only) {
    BELFRY_CHECK_OK(make_private_dir(options.dir));
  } else if (!std::filesystem::is_directory(options.dir + "/db", error)) {
    return fail(Code::NotFound, "there is no store in {}", options.dir);
  }
  std::unique_ptr<Store> store(new Store());
  BELFRY_CHECK_OK(store->impl_->open(options));
  return store;
}

Result<void> Store::commit(const Writes& writes, bool sync) {
  rocksdb::WriteBatch batch(writes.impl_->bytes.size() + 32 * writes.impl_->steps.size() + 64);
  const std::string_view bytes = writes.impl_->bytes;
  for (const Writes::Impl::Step& step : writes.impl_->steps) {
    ColumnFamilyHandle* table = impl_->of(step.table);
    const Slice key = slice(bytes.substr(step.key_at, step.key_size));
    const Slice value = slice(bytes.substr(step.key_at + step.key_size, step.value_size));
    const Status status = step.is_put ? batch.Put(table, key, value) : batch.Delete(table, key);
    if (!status.ok()) {
      return failed("building a batch", status);
    }
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (const Status status = impl_->db->Write(options, &batch); !status.ok()) {
    return failed("commit", status);
  }
  return {};
}

Result<std::optional<std::string>> Store::get(Table table, std::string_view key) const {
  std::string value;
  const Status status = impl_->db->Get({}, impl_->of(table), slice(key), &value);
  if (status.IsNotFound()) {
    return std::optional<std::string>{};
  }
  if (!status.ok()) {
    return failed("reading", status);
  }
  return std::optional<std::string>(std::move(value));
}

Cursor Store::cursor(Table table) const {
  auto impl = std::make_unique<Cursor::Impl>();
  impl->it.reset(impl_->db->NewIterator({}, impl_->of(table)));
  return Cursor(std::move(impl));
}

Result<void> Store::drop_range(Table table, std::string_view from, std::string_view to) {
  if (from >= to) {
    return {};
  }
  ColumnFamilyHandle* family = impl_->of(table);
  const Slice begin = slice(from), end = slice(to);
  Status status = rocksdb::DeleteFilesInRange(impl_->db.get(), family, &begin, &end, false);
  if (status.ok()) {
    status = impl_->db->DeleteRange({}, family, begin, end);
  }
  if (status.ok()) {
    // The tree of the journal is small (keys and references): rewriting its old end frees the
    // blobs.
    rocksdb::CompactRangeOptions compact;
    compact.exclusive_manual_compaction = false;
    status = impl_->db->CompactRange(compact, family, &begin, &end);
  }
  if (!status.ok()) {
    return failed("dropping old rows", status);
  }
  return {};
}

std::uint64_t Store::bytes(Table table) const {
  std::uint64_t sum = 0;
  for (const char* property : {"rocksdb.total-sst-files-size", "rocksdb.total-blob-file-size",
                               "rocksdb.cur-size-all-mem-tables"}) {
    std::uint64_t v = 0;
    if (impl_->db->GetIntProperty(impl_->of(table), property, &v)) {
      sum += v;
    }
  }
  return sum;
}

Result<void> Store::verify_checksums() const {
  if (const Status status = impl_->db->VerifyChecksum(); !status.ok()) {
    return failed("verify", status);
  }
  return {};
}

Result<void> Store::checkpoint(const std::string& dir) const {
  rocksdb::Checkpoint* raw = nullptr;
  Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) {
    status = checkpoint->CreateCheckpoint(dir);
  }
  if (!status.ok()) {
    return failed("checkpoint", status);
  }
  return {};
}

const std::string& Store::dir() const { return impl_->dir; }

}  // namespace belfry
