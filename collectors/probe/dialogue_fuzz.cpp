// Any bytes from a server: the dialogue ends, and says the same however the bytes were cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dialogue.hpp"

namespace {

using namespace belfry;
using namespace belfry::probe;

std::string speak(const ProbeTarget& target, std::string_view heard, std::size_t piece) {
  const auto dialogue = make_dialogue(target);
  std::string in, out;
  auto next = dialogue->opened(out);
  while (next != Dialogue::Next::Done && !heard.empty()) {
    in += heard.substr(0, piece);
    heard.remove_prefix(std::min(piece, heard.size()));
    next = dialogue->heard(in, false, out);
    if (next == Dialogue::Next::StartTls) {
      return "tls";  // what follows is another stream's
    }
  }
  if (next != Dialogue::Next::Done) {
    next = dialogue->heard(in, true, out);
    if (next == Dialogue::Next::StartTls) {
      return "tls";
    }
  }
  if (next != Dialogue::Next::Done) {
    std::abort();  // an end that is no end
  }
  return std::to_string(static_cast<int>(dialogue->finding.kind));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) {
    return 0;
  }
  const std::string_view heard(reinterpret_cast<const char*>(data) + 2, size - 2);
  CheckSpec spec;
  spec.tls = (data[0] & 4) != 0;
  spec.expect = (data[0] & 8) != 0 ? "ok" : "";
  ProbeTarget target;
  target.address = "192.0.2.1";
  constexpr ProbeCheck kChecks[]{ProbeCheck::Http, ProbeCheck::Smtp, ProbeCheck::Tcp,
                                 ProbeCheck::Http};
  target.check = kChecks[data[0] & 3];
  target.spec = std::make_shared<const CheckSpec>(spec);
  if (speak(target, heard, 1 + data[1]) != speak(target, heard, heard.size() + 1)) {
    std::abort();
  }
  return 0;
}
