#pragma once
// The template matcher: literal parts in order, holes between them. Private to rules. The rules for
// authors stand in docs/language.md, "Templates":
//   - A template covers the whole text; blanks, NULs and a full stop behind it do not count.
//   - It begins at the front of the text or right behind a vendor tag (`%FAC-SEV-MNEMONIC: `); one
//     that begins with `%` begins where that stands; one that begins with a hole begins anywhere.
//   - A template that begins with a tag also matches a text without it, when the decoder found that
//     tag elsewhere (Event::tag).
//   - A hole takes the shortest text up to the next literal that lets the rest match; a typed hole
//     must read as its type; a named hole takes at least one byte, and no white space when the
//     literal behind it begins with a blank. `{_}` may take anything. The last hole takes the rest.
#include <array>
#include <span>
#include <string_view>

#include "belfry/rules/program.hpp"

namespace belfry::rules {

inline constexpr std::size_t kHolesMax = 16;
/// Tries of one template on one text: bounds texts made to make us backtrack.
inline constexpr int kTemplateTriesMax = 256;

/// Slices of the text by hole.
using Slices = std::array<std::string_view, kHolesMax>;

/// True when the template matches. `tag` is what the decoder found (Event::tag); may be empty.
bool match_template(std::span<const TemplatePart> parts, std::span<const Hole> holes,
                    std::string_view text, std::string_view tag, Slices& slices);

/// The tag a template begins with: `LINK-3-UPDOWN` of `%LINK-3-UPDOWN: ...`, `SNMP_TRAP_LINK_DOWN`
/// of `SNMP_TRAP_LINK_DOWN: ...` (a word with an underscore); else empty.
std::string_view tag_of(std::span<const TemplatePart> parts);
/// The tags a text shows: at its first `%` or at its front; empty where there is none.
struct TextTags {
  std::string_view percent;   ///< `FAC-SEV-MNEMONIC`
  std::string_view mnemonic;  ///< its part behind the last `-`, when that is a word with `_`
  std::string_view word;      ///< `RPD_BGP_NEIGHBOR_STATE_CHANGED`
};
TextTags tags_in(std::string_view text);
/// The longest literal, the earliest of equal ones; empty when there is none.
std::string_view anchor_of(std::span<const TemplatePart> parts);

}  // namespace belfry::rules
