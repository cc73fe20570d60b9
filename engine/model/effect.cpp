#include "belfry/model/effect.hpp"

#include "codec.hpp"

namespace belfry {
namespace {
constexpr std::uint8_t kEffectFormat = 1;
}

void encode(const Effect& effect, ByteWriter& out) {
  out.u8(kEffectFormat);
  out.fixed64(effect.id.value);
  out.u8(static_cast<std::uint8_t>(effect.kind));
  codec::put(out, effect.at);
  out.string(effect.target);
  out.string(effect.address);
  out.fixed64(effect.incident.value);
  out.varint(effect.ticket.value);
  out.string(effect.subject);
  out.string(effect.body);
  out.string(effect.json);
}

Result<Effect> decode_effect(std::string_view bytes) {
  ByteReader in(bytes);
  BELFRY_CHECK_OK(codec::check_format(in.u8(), kEffectFormat, "effect"));
  bool wrong = false;
  Effect e;
  e.id.value = in.fixed64();
  e.kind = codec::get_enum(in, EffectKind::Closing, wrong);
  e.at = codec::get_instant(in);
  e.target = codec::get_text(in);
  e.address = codec::get_text(in);
  e.incident.value = in.fixed64();
  e.ticket.value = in.varint();
  e.subject = codec::get_text(in);
  e.body = codec::get_text(in);
  e.json = codec::get_text(in);
  BELFRY_CHECK_OK(codec::finish(in, wrong, "effect"));
  return e;
}

}  // namespace belfry
