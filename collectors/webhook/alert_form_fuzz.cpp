#include <cstddef>
#include <cstdint>

#include "belfry/webhook/alert_form.hpp"

/// Any bytes, read by every form that is built in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  constexpr belfry::Instant kNow{1'800'000'000'000'000'000};
  for (const belfry::AlertForm& form : belfry::builtin_alert_forms()) {
    belfry::Arena arena;
    const auto events = belfry::decode_alerts(body, form, kNow, {}, arena);
    if (events) {
      for (const belfry::Event& e : *events) {
        if (e.type.empty() || e.raw.empty()) {
          __builtin_trap();
        }
      }
    }
  }
  return 0;
}
