#include "belfry/journal/snapshot.hpp"

#include <zstd.h>

#include <algorithm>
#include <filesystem>

#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/base/text.hpp"
#include "belfry/store/store.hpp"

namespace belfry {
namespace {
constexpr std::string_view kMagic = "belfry snapshot\n";
constexpr std::uint32_t kSnapshotFormat = 1;
constexpr std::string_view kAside = ".new";
constexpr std::size_t kKept = 2;
constexpr std::size_t kFileBytesMax = 16ULL << 30;
constexpr int kLevel = 1;

std::string path_of(const std::string& dir, Seq seq) {
  return fmt::format("{}/{:020}", dir, seq.value);
}
}  // namespace

SnapshotFiles::SnapshotFiles(std::string store_dir) : dir_(std::move(store_dir) + "/snapshots") {}

Result<void> SnapshotFiles::write(Seq seq, std::string_view state) {
  BELFRY_CHECK_OK(write_aside(seq, state));
  return adopt(seq);
}

Result<void> SnapshotFiles::adopt(Seq seq) {
  return rename_durably(path_of(dir_, seq) + std::string(kAside), path_of(dir_, seq));
}

void SnapshotFiles::remove_aside() const {
  std::error_code error;
  for (std::filesystem::directory_iterator it(dir_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.find(kAside) != std::string::npos) {
      std::error_code ignored;
      std::filesystem::remove(it->path(), ignored);
    }
  }
}

Result<void> SnapshotFiles::write_aside(Seq seq, std::string_view state) {
  BELFRY_CHECK_OK(make_private_dir(dir_));
  ByteWriter out;
  out.raw(kMagic.data(), kMagic.size());
  out.fixed32(kSnapshotFormat);
  out.fixed64(seq.value);
  out.fixed64(state.size());
  std::string bytes = out.take();
  const std::size_t head = bytes.size();
  bytes.resize(head + ZSTD_compressBound(state.size()));
  const std::size_t size =
      ZSTD_compress(bytes.data() + head, bytes.size() - head, state.data(), state.size(), kLevel);
  if (ZSTD_isError(size) != 0) {
    return fail(Code::Internal, "cannot compress a snapshot: {}", ZSTD_getErrorName(size));
  }
  bytes.resize(head + size);
  ByteWriter checksum;
  checksum.fixed64(hash64(bytes));
  bytes += checksum.bytes();
  return write_file_durably(path_of(dir_, seq) + std::string(kAside), bytes);
}

std::vector<Seq> SnapshotFiles::list() const {
  std::vector<Seq> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(dir_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const auto seq = parse_int(name);
    if (name.size() == 20 && seq && *seq >= 0) {
      out.push_back({static_cast<std::uint64_t>(*seq)});
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::string> SnapshotFiles::read(Seq seq) const {
  const std::string path = path_of(dir_, seq);
  BELFRY_TRY(const std::string bytes, read_whole_file(path, kFileBytesMax));
  const std::size_t head = kMagic.size() + 20;
  if (bytes.size() < head + 8 || !bytes.starts_with(kMagic)) {
    return fail(Code::Corrupt, "{} is not a snapshot", path);
  }
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 8);
  ByteReader in(covered.substr(kMagic.size()));
  if (const std::uint32_t format = in.fixed32(); format != kSnapshotFormat) {
    return fail(Code::Corrupt, "{} has format {}, this program reads format {}", path, format,
                kSnapshotFormat);
  }
  ByteReader tail(std::string_view(bytes).substr(covered.size()));
  if (tail.fixed64() != hash64(covered)) {
    return fail(Code::Corrupt, "{} does not match its checksum", path);
  }
  const std::uint64_t named = in.fixed64();
  const std::uint64_t size = in.fixed64();
  if (named != seq.value || size > kFileBytesMax) {
    return fail(Code::Corrupt, "{} is a snapshot of seq {}", path, named);
  }
  std::string state(size, '\0');
  const std::size_t got =
      ZSTD_decompress(state.data(), state.size(), covered.data() + head, covered.size() - head);
  if (ZSTD_isError(got) != 0 || got != size) {
    return fail(Code::Corrupt, "{} does not decompress", path);
  }
  return state;
}

SnapshotFiles::Found SnapshotFiles::newest(Seq last) const {
  Found found;
  std::vector<Seq> seqs = list();
  std::reverse(seqs.begin(), seqs.end());
  for (const Seq seq : seqs) {
    if (seq > last) {
      found.skipped.push_back(fmt::format("snapshot {} is ahead of the journal, which ends at {}",
                                          seq.value, last.value));
      continue;
    }
    auto state = read(seq);
    if (state) {
      found.seq = seq;
      found.state = std::move(*state);
      return found;
    }
    found.skipped.push_back(state.error().what);
  }
  return found;
}

void SnapshotFiles::prune() const {
  const std::vector<Seq> seqs = list();
  std::error_code ignored;
  for (std::size_t i = 0; i + kKept < seqs.size(); ++i) {
    std::filesystem::remove(path_of(dir_, seqs[i]), ignored);
  }
}

}  // namespace belfry
