// Any bytes as a rule file: fmt leaves it alone or gives its canonical form, which it keeps.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "belfry/rules/format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry::rules;
  const SourceFile file{"fuzz.bell", std::string(reinterpret_cast<const char*>(data), size)};
  const Formatted once = format(file);
  if (!once.done) {
    if (once.text != file.text || once.diagnostics.empty()) {
      std::abort();
    }
    return 0;
  }
  const Formatted twice = format({"fuzz.bell", once.text});
  if (!twice.done || twice.text != once.text || !once.diagnostics.empty()) {
    std::abort();
  }
  return 0;
}
