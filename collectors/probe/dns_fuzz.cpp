// Any bytes as an answer to one question (its head is put in front, so that records are reached),
// and as they are.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry::probe;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto type = static_cast<std::uint16_t>(size > 0 ? data[0] : 1);
  const std::string request = dns_request("a.example", type, 7);
  if (request.empty()) {
    std::abort();
  }
  static_cast<void>(read_dns_answer(bytes, request));
  std::string reply = request.substr(0, request.size() - 11);
  reply[2] = static_cast<char>(0x81);
  reply.replace(6, 6, std::string("\0\4\0\0\0\0", 6));
  const auto answer = read_dns_answer(reply + bytes, request);
  if (answer && answer->records.size() > 4) {
    std::abort();
  }
  return 0;
}
