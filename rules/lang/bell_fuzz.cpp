// Any bytes as a rule file: diagnostics or a program, never a crash; the message is rendered too.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "belfry/rules/compile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry::rules;
  const SourceFile file{"fuzz.bell", std::string(reinterpret_cast<const char*>(data), size)};
  const Compiled out = compile(std::span(&file, 1));
  const std::string text = render(out.diagnostics, std::span(&file, 1), true);
  if ((out.program == nullptr) != (out.errors > 0) || text.empty() != out.diagnostics.empty()) {
    std::abort();
  }
  return 0;
}
