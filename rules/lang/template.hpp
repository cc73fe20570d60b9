#pragma once
// The template matcher: literal parts in order, holes between them. Private to rules.
//
// A template that begins with a literal stands at the start of the text, or right behind a vendor
// tag (`%FAC-SEV-MNEMONIC: `); one that begins with `%` stands where that tag stands; one that
// begins with a hole may start anywhere. A hole takes the shortest text, at least one byte, up to
// the next literal; `{_}` may take nothing. A last named hole takes the rest. What is left behind
// the last literal may only be blank or a full stop: a template that goes on says `{_}`.
#include <array>
#include <span>
#include <string_view>

#include "belfry/rules/program.hpp"

namespace belfry::rules {

inline constexpr std::size_t kHolesMax = 16;
/// Tries of one template on one text: bounds texts made to make us backtrack.
inline constexpr int kTemplateTriesMax = 256;

/// Slices of the text by hole; true when the template matches.
bool match_template(std::span<const TemplatePart> parts, std::string_view text,
                    std::array<std::string_view, kHolesMax>& holes);

/// `LINK-3-UPDOWN` when the template begins with `%LINK-3-UPDOWN:`; else empty.
std::string_view tag_of(std::span<const TemplatePart> parts);
/// The longest literal, the earliest of equal ones; empty when there is none.
std::string_view anchor_of(std::span<const TemplatePart> parts);

}  // namespace belfry::rules
