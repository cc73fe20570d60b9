// Any bytes as events, as a block (its checksum made right, so that what lies behind is reached),
// as a record, a mark and a stored change: an error or a value, never a crash.
#include <cstdint>
#include <string>

#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/journal/journal.hpp"
#include "belfry/model/change.hpp"
#include "belfry/model/command.hpp"
#include "belfry/model/effect.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  Batch batch;
  static_cast<void>(decode_events(bytes, size == 0 ? 0 : data[0], batch));
  static_cast<void>(decode_record(std::string_view(bytes).substr(0, 12), bytes));
  static_cast<void>(decode_mark(bytes));
  static_cast<void>(decode_change(bytes));
  static_cast<void>(decode_effect(bytes));
  static_cast<void>(decode_command(bytes));
  static_cast<void>(decode_block_header(bytes));
  if (size > 9) {
    bytes[0] = 1;
    ByteWriter checksum;
    checksum.fixed64(hash64(std::string_view(bytes).substr(9)));
    bytes.replace(1, 8, checksum.bytes());
    static BlockDecoder decoder;
    static_cast<void>(decoder.decode(bytes, batch));
  }
  return 0;
}
