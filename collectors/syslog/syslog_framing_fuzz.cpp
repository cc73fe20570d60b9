// Cut at any border, a stream gives the same frames as in one piece.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/syslog/framing.hpp"

namespace {

std::vector<std::string> frames(std::string_view stream, std::size_t step, std::size_t max) {
  using belfry::syslog::FrameStep;
  belfry::syslog::Framer framer(max);
  std::vector<std::string> out;
  std::string kept;
  std::string_view frame;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    kept += stream.substr(at, step);
    std::string_view bytes = kept;
    for (;;) {
      const FrameStep result = framer.next(bytes, frame);
      if (result == FrameStep::More) {
        break;
      }
      out.emplace_back(result == FrameStep::Frame ? std::string(frame) : "too long");
    }
    if (bytes.size() > max + 8) {
      std::abort();  // more kept than the face says
    }
    kept = std::string(bytes);
  }
  if (framer.last(kept, frame)) {
    out.emplace_back(frame);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const auto whole = frames(stream, size == 0 ? 1 : size, 40);
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{41}}) {
    if (frames(stream, step, 40) != whole) {
      std::abort();
    }
  }
  return 0;
}
