// Any bytes as an answer: the reader ends, and nothing is proved that was not signed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "radius.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry::probe;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RadiusAsk ask;
  ask.secret = "a secret that no input of a fuzzer knows";
  ask.id = size > 1 ? data[1] : 0;
  std::string message;
  const RadiusAnswer answer = read_radius_answer(bytes, ask, message);
  if (answer != RadiusAnswer::Malformed && answer != RadiusAnswer::Forged) {
    std::abort();
  }
  ask.user = ask.password = bytes;  // what a configuration may hold
  const std::string request = radius_request(ask);
  if (request.size() > 4096 || request.size() < 20) {
    std::abort();
  }
  return 0;
}
