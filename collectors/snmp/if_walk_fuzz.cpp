// Whatever an agent answers, a walk ends, and keeps no more than it may.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "if_walk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry::snmp;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  IfWalk walk;
  std::size_t requests = 0;
  auto step = IfWalk::Step::More;
  while (step == IfWalk::Step::More) {
    if (walk.request(1).empty() || ++requests > kWalkRequestsMax) {
      std::abort();
    }
    // Every other answer is cut, so that one input is several.
    step = walk.on_response(requests % 2 == 0 ? bytes.substr(0, size / 2) : bytes);
  }
  for (const belfry::PolledPort& port : walk.take()) {
    if (port.ifindex < 0 || port.name.size() > kPortTextBytesMax) {
      std::abort();
    }
  }
  return 0;
}
