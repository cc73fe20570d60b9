// Any bytes: the decoder ends, its slices lie inside the input, structured data can be walked, what
// was extracted can be read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "belfry/syslog/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  Arena arena;
  Event e;
  syslog::decode(raw, arena, Instant{1'764'042'000'000'000'000}, e);
  const auto inside = [&raw](std::string_view part) {
    return part.empty() ||
           (part.data() >= raw.data() && part.data() + part.size() <= raw.data() + raw.size());
  };
  if (!inside(e.host) || !inside(e.app) || !inside(e.pid) || !inside(e.msgid) ||
      !inside(e.message) || !inside(e.tag) || !inside(e.structured_data) ||
      e.valid != e.why.empty()) {
    std::abort();
  }
  std::size_t sum = 0;  // reads every byte of what was extracted: a sanitizer sees where it lies
  for (const Attr& attr : e.attrs) {
    for (const char c : attr.value.text) {
      sum += static_cast<unsigned char>(c);
    }
    if (attr.value.text.empty() || attr.name.empty() || sum > size * 255 * e.attrs.size()) {
      std::abort();
    }
  }
  syslog::SdReader reader(e.structured_data);
  syslog::SdParam param;
  std::size_t steps = 0;
  while (reader.next(param)) {
    if (++steps > size) {
      std::abort();
    }
  }
  return 0;
}
