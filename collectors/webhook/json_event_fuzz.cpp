// Any body gives events or a refusal; what was taken survives a copy.
#include <cstddef>
#include <cstdint>

#include "belfry/webhook/json_event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto form : {belfry::BodyForm::Json, belfry::BodyForm::JsonLines}) {
    belfry::Arena arena;
    const belfry::WebhookOptions options;
    const auto events = belfry::decode_json_events(body, form, options, arena);
    if (events) {
      for (const belfry::Event& e : *events) {
        belfry::Event copy;
        belfry::copy_event(e, copy, arena);
      }
    }
  }
  return 0;
}
