// Any bytes as a capture: the reader ends, and gives no more bytes than it was given.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "belfry/intake/pcap.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  auto reader = belfry::CaptureReader::open(file);
  if (!reader) {
    return 0;
  }
  belfry::CapturedItem item;
  std::size_t bytes = 0, items = 0;
  while (reader->next(item)) {
    bytes += item.bytes.size();
    if (bytes > size || ++items > size) {
      std::abort();
    }
  }
  return 0;
}
