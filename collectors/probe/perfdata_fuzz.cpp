// Any bytes: the parser ends, the first line lies inside the input, numbers are finite, bounds
// hold.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "belfry/probe/plugin.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const PluginOutput out = parse_plugin_output(text);
  const bool inside =
      out.first.empty() || (out.first.data() >= text.data() &&
                            out.first.data() + out.first.size() <= text.data() + size);
  if (!inside || out.perf.size() > kPerfValuesMax || out.long_text.size() > size ||
      out.first.find('\n') != std::string_view::npos) {
    std::abort();
  }
  for (const PerfValue& one : out.perf) {
    if (one.label.empty() || one.label.size() > kPerfLabelMax || !std::isfinite(one.value)) {
      std::abort();
    }
    static_cast<void>(one.percent());
  }
  return 0;
}
