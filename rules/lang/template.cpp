#include "template.hpp"

#include "belfry/base/text.hpp"

namespace belfry::rules {
namespace {

struct Try {
  std::span<const TemplatePart> parts;
  std::array<std::string_view, kHolesMax>& holes;
  int left = kTemplateTriesMax;

  /// Matches parts[part..] against `text` from its first byte on.
  bool from(std::size_t part, std::string_view text) {
    if (--left < 0) {
      return false;
    }
    while (part < parts.size() && !parts[part].literal.empty()) {
      if (!text.starts_with(parts[part].literal)) {
        return false;
      }
      text.remove_prefix(parts[part].literal.size());
      ++part;
    }
    if (part == parts.size()) {
      const std::string_view rest = trim(text);
      return rest.empty() || rest == ".";
    }
    return hole(part, text);
  }

  bool hole(std::size_t part, std::string_view text) {
    const Index index = parts[part].hole;
    const bool named = index != kNone;
    if (part + 1 == parts.size()) {
      const std::string_view rest = trim(text);
      take(index, rest);
      return !named || !rest.empty();
    }
    if (parts[part + 1].literal.empty()) {  // two holes side by side: the first takes one word
      const std::size_t end = text.find(' ');
      take(index, text.substr(0, end));
      return end != std::string_view::npos && from(part + 1, text.substr(end));
    }
    const std::string& next = parts[part + 1].literal;
    for (std::size_t at = text.find(next, named ? 1 : 0); at != std::string_view::npos && left > 0;
         at = text.find(next, at + 1)) {
      take(index, text.substr(0, at));
      if (from(part + 1, text.substr(at))) {
        return true;
      }
    }
    return false;
  }

  void take(Index index, std::string_view text) {
    if (index < holes.size()) {
      holes[index] = text;
    }
  }
};

/// Behind `%FAC-SEV-MNEMONIC: ` if the text has it at its front; else npos.
std::size_t behind_tag(std::string_view text) {
  if (!text.starts_with('%')) {
    return std::string_view::npos;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos ||
      text.substr(0, colon).find(' ') != std::string_view::npos) {
    return std::string_view::npos;
  }
  std::size_t at = colon + 1;
  while (at < text.size() && text[at] == ' ') {
    ++at;
  }
  return at;
}

}  // namespace

bool match_template(std::span<const TemplatePart> parts, std::string_view text,
                    std::array<std::string_view, kHolesMax>& holes) {
  if (parts.empty()) {
    return true;
  }
  Try attempt{parts, holes};
  const std::string& first = parts[0].literal;
  if (first.empty()) {
    return attempt.from(0, text);
  }
  if (first.starts_with('%')) {
    const std::size_t at = text.find(first);
    return at != std::string_view::npos && attempt.from(0, text.substr(at));
  }
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  if (attempt.from(0, text)) {
    return true;
  }
  const std::size_t behind = behind_tag(text);
  return behind != std::string_view::npos && attempt.from(0, text.substr(behind));
}

std::string_view tag_of(std::span<const TemplatePart> parts) {
  if (parts.empty() || !parts[0].literal.starts_with('%')) {
    return {};
  }
  const std::string_view literal(parts[0].literal);
  const std::size_t colon = literal.find(':');
  const std::string_view tag = literal.substr(1, colon == std::string_view::npos ? 0 : colon - 1);
  return tag.find(' ') == std::string_view::npos ? tag : std::string_view();
}

std::string_view anchor_of(std::span<const TemplatePart> parts) {
  std::string_view best;
  for (const TemplatePart& part : parts) {
    if (part.literal.size() > best.size()) {
      best = part.literal;
    }
  }
  return best;
}

}  // namespace belfry::rules
