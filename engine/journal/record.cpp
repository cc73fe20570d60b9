#include "belfry/journal/record.hpp"

#include <sodium.h>

#include <cstring>

#include "belfry/base/bytes.hpp"
#include "belfry/base/check.hpp"
#include "belfry/store/store.hpp"

namespace belfry {
namespace {
constexpr std::uint8_t kRecordFormat = 1;
constexpr std::size_t kKeyBytes = 12;

// What the chain covers: everything but the hash itself.
std::string body_of(const Record& record) {
  ByteWriter out;
  out.u8(kRecordFormat);
  out.u8(static_cast<std::uint8_t>(record.kind));
  out.zigzag(record.at.ns);
  out.string(record.payload);
  return out.take();
}

ChainHash hash_of(const ChainHash& before, std::string_view key, std::string_view body) {
  const auto bytes = [](std::string_view s) {
    return reinterpret_cast<const unsigned char*>(s.data());
  };
  ChainHash out{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, out.size());
  crypto_generichash_update(&state, before.data(), before.size());
  crypto_generichash_update(&state, bytes(key), key.size());
  crypto_generichash_update(&state, bytes(body), body.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}
}  // namespace

std::string record_key(Seq seq, std::uint32_t index) {
  std::string key = be64(seq.value);
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(index >> shift));
  }
  return key;
}

ChainHash chain_hash(const ChainHash& before, const Record& record) {
  return hash_of(before, record_key(record.seq, record.index), body_of(record));
}

void encode(const Record& record, ChainHash& chain, std::string& out) {
  out = body_of(record);
  chain = hash_of(chain, record_key(record.seq, record.index), out);
  out.append(reinterpret_cast<const char*>(chain.data()), chain.size());
}

Result<StoredRecord> decode_record(std::string_view key, std::string_view value) {
  StoredRecord stored;
  if (key.size() != kKeyBytes || value.size() < stored.hash.size()) {
    return fail(Code::Corrupt, "a record has a key of {} and a value of {} bytes: too short",
                key.size(), value.size());
  }
  Record& r = stored.record;
  r.seq.value = from_be64(key);
  for (const char c : key.substr(8)) {
    r.index = r.index << 8 | static_cast<std::uint8_t>(c);
  }
  const std::string_view body = value.substr(0, value.size() - stored.hash.size());
  std::memcpy(stored.hash.data(), value.data() + body.size(), stored.hash.size());
  ByteReader in(body);
  if (const std::uint8_t format = in.u8(); format != kRecordFormat) {
    return fail(Code::Corrupt, "record at seq {} has format {}, this program reads format {}",
                r.seq.value, format, kRecordFormat);
  }
  const std::uint8_t kind = in.u8();
  r.at.ns = in.zigzag();
  r.payload = std::string(in.string());
  if (in.failed() || !in.done() || kind > static_cast<std::uint8_t>(kLastRecordKind)) {
    return fail(Code::Corrupt, "record at seq {} does not decode", r.seq.value);
  }
  r.kind = static_cast<RecordKind>(kind);
  return stored;
}

}  // namespace belfry
