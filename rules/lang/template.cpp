#include "template.hpp"

#include "eval_types.hpp"

namespace belfry::rules {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; }

std::string_view strip_front(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

std::string_view strip_back(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

struct Try {
  std::span<const TemplatePart> parts;
  std::span<const Hole> holes;
  std::string_view first;  ///< what counts of the first literal: without the tag that was found
  Slices& slices;
  int left = kTemplateTriesMax;
  bool words = true;  ///< named holes inside the template are one word each

  bool is_hole(std::size_t part) const { return parts[part].literal.empty(); }
  std::string_view literal(std::size_t part) const {
    return part == 0 ? first : std::string_view(parts[part].literal);
  }

  /// Matches the whole template from the first byte of `text` on: with words, else with any text.
  bool whole(std::string_view text) {
    words = true;
    if (from(0, text)) {
      return true;
    }
    words = false;
    return !holes.empty() && left > 0 && from(0, text);
  }

  /// Matches parts[part..] against `text` from its first byte on.
  bool from(std::size_t part, std::string_view text) {
    if (--left < 0) {
      return false;
    }
    while (part < parts.size() && !is_hole(part)) {
      if (!text.starts_with(literal(part))) {
        return false;
      }
      text.remove_prefix(literal(part).size());
      ++part;
    }
    if (part == parts.size()) {
      const std::string_view rest = strip_front(text);
      return rest.empty() || (rest.front() == '.' && strip_front(rest.substr(1)).empty());
    }
    return hole(part, text);
  }

  bool hole(std::size_t part, std::string_view text) {
    const Index index = parts[part].hole;
    if (part + 1 == parts.size()) {
      std::string_view rest = strip_back(strip_front(text));
      if (index < holes.size() && holes[index].type != Type::String && rest.ends_with('.')) {
        rest.remove_suffix(1);
      }
      return take(index, rest, false);
    }
    if (is_hole(part + 1)) {  // two holes side by side: the first takes one word
      const std::string_view word = text.substr(0, text.find(' '));
      return take(index, word, true) && from(part + 1, text.substr(word.size()));
    }
    const std::string_view next = literal(part + 1);
    const bool one_word = words || is_blank(next.front());
    for (std::size_t at = text.find(next, index == kNone ? 0 : 1); at != std::string_view::npos;
         at = text.find(next, at + 1)) {
      if (take(index, text.substr(0, at), one_word)) {
        if (from(part + 1, text.substr(at))) {
          return true;
        }
      } else if (--left < 0) {
        return false;
      }
      if (left < 0) {
        return false;
      }
    }
    return false;
  }

  bool take(Index index, std::string_view text, bool one_word) {
    if (index == kNone) {
      return true;
    }
    if (text.empty() || index >= holes.size() || index >= slices.size() ||
        (one_word && text.find_first_of(" \t") != std::string_view::npos) ||
        !reads_as(text, holes[index].type)) {
      return false;
    }
    slices[index] = text;
    return true;
  }
};

bool is_upper_or_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// `WORD_WITH_UNDERSCORES` that a colon follows, at the front of the text; else empty.
std::string_view word_tag(std::string_view text) {
  std::size_t n = 0;
  bool underscore = false;
  while (n < text.size() && (is_upper_or_digit(text[n]) || text[n] == '_')) {
    underscore = underscore || text[n] == '_';
    ++n;
  }
  return underscore && n > 4 && n < text.size() && text[n] == ':' && text[0] != '_'
             ? text.substr(0, n)
             : std::string_view();
}

/// What stands between a `%` at the front and the next colon, without blanks; else empty.
std::string_view percent_tag(std::string_view text) {
  constexpr std::size_t kTagBytesMax = 96;
  const std::size_t colon = text.substr(0, kTagBytesMax).find_first_of(": \t");
  return text.starts_with('%') && colon != std::string_view::npos && text[colon] == ':'
             ? text.substr(1, colon - 1)
             : std::string_view();
}

/// The text behind `tag:`, as it stands in the text; npos when it does not.
std::size_t behind(std::string_view text, std::string_view tag, bool percent) {
  for (std::size_t at = text.find(tag); at != std::string_view::npos; at = text.find(tag, at + 1)) {
    const std::size_t end = at + tag.size();
    if (end < text.size() && text[end] == ':' && (!percent || (at > 0 && text[at - 1] == '%'))) {
      return end + 1;
    }
  }
  return std::string_view::npos;
}

/// A template that begins with a tag: the tag is found first, the rest is matched behind it.
bool match_tagged(Try attempt, std::string_view own_tag, std::string_view text,
                  std::string_view event_tag) {
  const bool percent = attempt.first.front() == '%';
  attempt.first = strip_front(attempt.first.substr(own_tag.size() + (percent ? 2 : 1)));
  if (const std::size_t at = behind(text, own_tag, percent); at != std::string_view::npos) {
    return attempt.whole(strip_front(text.substr(at)));
  }
  return event_tag == own_tag && attempt.whole(text);
}

}  // namespace

bool match_template(std::span<const TemplatePart> parts, std::span<const Hole> holes,
                    std::string_view text, std::string_view tag, Slices& slices) {
  if (parts.empty()) {
    return true;
  }
  text = strip_front(text);
  Try attempt{parts, holes, parts[0].literal, slices};
  if (attempt.first.empty()) {
    return attempt.whole(text);
  }
  if (const std::string_view own = tag_of(parts); !own.empty()) {
    return match_tagged(attempt, own, text, tag);
  }
  if (attempt.first.front() == '%') {
    const std::size_t at = text.find(attempt.first);
    return at != std::string_view::npos && attempt.whole(text.substr(at));
  }
  if (attempt.whole(text)) {
    return true;
  }
  const std::string_view before = percent_tag(text);
  return !before.empty() && attempt.whole(strip_front(text.substr(before.size() + 2)));
}

std::string_view tag_of(std::span<const TemplatePart> parts) {
  if (parts.empty()) {
    return {};
  }
  const std::string_view literal(parts[0].literal);
  return literal.starts_with('%') ? percent_tag(literal) : word_tag(literal);
}

TextTags tags_in(std::string_view text) {
  TextTags tags;
  text = strip_front(text);
  tags.word = word_tag(text);
  const std::size_t at = text.find('%');
  if (at != std::string_view::npos) {
    tags.percent = percent_tag(text.substr(at));
    const std::size_t dash = tags.percent.rfind('-');
    if (dash != std::string_view::npos && tags.percent.find('_', dash) != std::string_view::npos) {
      tags.mnemonic = tags.percent.substr(dash + 1);
    }
  }
  return tags;
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
