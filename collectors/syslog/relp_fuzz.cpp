// Cut at any border, a RELP stream gives the same frames as in one piece; what is kept is bounded.
#include "relp.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kMax = 40;

std::vector<std::string> frames(std::string_view stream, std::size_t step) {
  using namespace belfry::syslog;
  RelpFramer framer(kMax);
  std::vector<std::string> out;
  std::string kept;
  RelpFrame frame;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    kept += stream.substr(at, step);
    std::string_view bytes = kept;
    for (;;) {
      const RelpStep result = framer.next(bytes, frame);
      if (result == RelpStep::Broken) {
        out.emplace_back("broken");
        return out;
      }
      if (result == RelpStep::More) {
        break;
      }
      if (frame.data.size() > kMax || frame.command.size() > kRelpCommandMax) {
        std::abort();
      }
      out.push_back(std::to_string(frame.txnr) + " " + std::string(frame.command) + " " +
                    std::string(frame.data) + (frame.cut ? " cut" : ""));
      answer_offers(frame.data);
    }
    if (bytes.size() > kMax + kRelpHeadMax) {
      std::abort();
    }
    kept = std::string(bytes);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const auto whole = frames(stream, size == 0 ? 1 : size);
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{41}}) {
    if (frames(stream, step) != whole) {
      std::abort();
    }
  }
  return 0;
}
