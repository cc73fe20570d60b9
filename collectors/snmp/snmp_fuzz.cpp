// Any datagram gives an event or a verdict, and the same one twice; what is decoded can be written
// as text and stays inside the datagram or the arena.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Arena arena;
  Event event;
  const snmp::Verdict verdict = snmp::decode(bytes, arena, event);
  const std::string text = snmp::trap_json(event, verdict);
  Arena again_arena;
  Event again;
  if (snmp::decode(bytes, again_arena, again) != verdict ||
      snmp::trap_json(again, verdict) != text) {
    std::abort();
  }
  if (verdict != snmp::Verdict::Ok && (event.valid || !event.varbinds.empty())) {
    std::abort();
  }
  std::string response(size, '\0');
  const std::size_t written = snmp::inform_response(bytes, response);
  if (verdict == snmp::Verdict::Ok && event.inform && written == 0) {
    std::abort();
  }
  static_cast<void>(snmp::find_community(bytes));
  return 0;
}
