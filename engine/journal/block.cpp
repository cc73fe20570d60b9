#include "belfry/journal/block.hpp"

#include <zstd.h>

#include "belfry/base/bytes.hpp"
#include "belfry/base/check.hpp"
#include "belfry/base/hash.hpp"
#include "event_codec.hpp"

namespace belfry {
namespace {

// format, checksum over all that follows, header, size of the events, one zstd frame.
constexpr std::uint8_t kBlockFormat = 1;
constexpr std::size_t kChecksumAt = 1, kBodyAt = 9;
constexpr int kLevel = 1;

void put_header(ByteWriter& out, const BlockHeader& h, std::size_t plain_size) {
  out.varint(h.first.value);
  out.varint(h.count);
  out.zigzag(h.at.ns);
  out.varint(h.versions);
  out.varint(h.rules_version);
  out.varint(h.inventory_version);
  out.varint(h.fold_version);
  out.varint(h.collector.value);
  out.fixed64(h.incarnation);
  out.varint(h.batch);
  out.varint(plain_size);
}

struct Head {
  BlockHeader header;
  std::size_t plain_size = 0;
  std::string_view frame;
};

Result<Head> get_head(std::string_view bytes) {
  ByteReader in(bytes);
  if (const std::uint8_t format = in.u8(); format != kBlockFormat || in.failed()) {
    return fail(Code::Corrupt, "block has format {}, this program reads format {}", format,
                kBlockFormat);
  }
  static_cast<void>(in.fixed64());
  Head head;
  BlockHeader& h = head.header;
  h.first.value = in.varint();
  const std::uint64_t count = in.varint();
  h.at.ns = in.zigzag();
  h.versions = in.varint();
  h.rules_version = in.varint();
  h.inventory_version = in.varint();
  h.fold_version = static_cast<std::uint32_t>(in.varint());
  h.collector.value = static_cast<std::uint32_t>(in.varint());
  h.incarnation = in.fixed64();
  h.batch = in.varint();
  head.plain_size = in.varint();
  if (in.failed() || count > kBlockEventsMax || head.plain_size > kBlockBytesMax) {
    return fail(Code::Corrupt, "header of a block does not decode");
  }
  h.count = static_cast<std::uint32_t>(count);
  head.frame = bytes.substr(bytes.size() - in.left());
  return head;
}
}  // namespace

struct BlockEncoder::Impl {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string plain;  // grows to the largest batch and stays
  std::string frame;
  ByteWriter out;
};

BlockEncoder::BlockEncoder() : impl_(std::make_unique<Impl>()) {}
BlockEncoder::~BlockEncoder() { ZSTD_freeCCtx(impl_->context); }

std::string_view BlockEncoder::encode(const BlockHeader& header, const Batch& batch) {
  BELFRY_CHECK(header.count == batch.events.size() && header.count <= kBlockEventsMax);
  const std::size_t plain_size = encode_events(batch, impl_->plain);
  BELFRY_CHECK(plain_size <= kBlockBytesMax);
  const std::size_t bound = ZSTD_compressBound(plain_size);
  if (impl_->frame.size() < bound) {
    impl_->frame.resize(bound);
  }
  const std::size_t size =
      ZSTD_compressCCtx(impl_->context, impl_->frame.data(), impl_->frame.size(),
                        impl_->plain.data(), plain_size, kLevel);
  BELFRY_CHECK(ZSTD_isError(size) == 0);
  ByteWriter& out = impl_->out;
  out.clear();
  out.u8(kBlockFormat);
  out.fixed64(0);
  put_header(out, header, plain_size);
  out.raw(impl_->frame.data(), size);
  out.set_fixed64(kChecksumAt, hash64(std::string_view(out.bytes()).substr(kBodyAt)));
  return out.bytes();
}

struct BlockDecoder::Impl {
  ZSTD_DCtx* context = ZSTD_createDCtx();
};

BlockDecoder::BlockDecoder() : impl_(std::make_unique<Impl>()) {}
BlockDecoder::~BlockDecoder() { ZSTD_freeDCtx(impl_->context); }

Result<BlockHeader> BlockDecoder::decode(std::string_view bytes, Batch& out) {
  out.clear();
  BELFRY_TRY(const Head head, get_head(bytes));
  ByteReader checksum(bytes.substr(kChecksumAt));
  if (checksum.fixed64() != hash64(bytes.substr(kBodyAt))) {
    return fail(Code::Corrupt, "block at seq {} does not match its checksum",
                head.header.first.value);
  }
  char* plain = out.arena.allocate(head.plain_size);
  const std::size_t size = ZSTD_decompressDCtx(impl_->context, plain, head.plain_size,
                                               head.frame.data(), head.frame.size());
  if (ZSTD_isError(size) != 0 || size != head.plain_size) {
    return fail(Code::Corrupt, "block at seq {} does not decompress to {} bytes",
                head.header.first.value, head.plain_size);
  }
  BELFRY_CHECK_OK(decode_events({plain, size}, head.header.count, out));
  out.collector = head.header.collector;
  out.incarnation = head.header.incarnation;
  out.number = head.header.batch;
  out.program_version = head.header.rules_version;
  out.inventory_version = head.header.inventory_version;
  return head.header;
}

Result<BlockHeader> decode_block_header(std::string_view bytes) {
  BELFRY_TRY(const Head head, get_head(bytes));
  return head.header;
}

}  // namespace belfry
