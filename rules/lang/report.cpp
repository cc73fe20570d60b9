#include "report.hpp"

#include <algorithm>

#include "belfry/base/text.hpp"

namespace belfry::rules {

namespace {

/// Characters, not bytes: people count what they see.
std::uint32_t characters(std::string_view text) {
  std::uint32_t n = 0;
  for (const char c : text) {
    n += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  return n;
}

}  // namespace

Report::Report(std::span<const SourceFile> files) : files_(files) {
  lines_.resize(files.size());
  for (std::size_t f = 0; f < files.size(); ++f) {
    lines_[f].push_back(0);
    const std::string& text = files[f].text;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
      lines_[f].push_back(static_cast<std::uint32_t>(at + 1));
    }
  }
}

void Report::error(Mark mark, std::string_view code, std::string message, std::string label) {
  ++errors_;
  add(DiagnosticLevel::Error, mark, code, std::move(message), std::move(label));
}

void Report::warning(Mark mark, std::string_view code, std::string message, std::string label) {
  ++warnings_;
  add(DiagnosticLevel::Warning, mark, code, std::move(message), std::move(label));
}

bool Report::first_time(std::string_view kind, std::string_view name) {
  return told_.insert(fmt::format("{} {}", kind, name)).second;
}

void Report::add(DiagnosticLevel level, Mark mark, std::string_view code, std::string message,
                 std::string label) {
  const bool error = level == DiagnosticLevel::Error;
  // Errors have room of their own: a flood of warnings must not hide the first error.
  const auto same =
      static_cast<std::size_t>(std::count_if(items_.begin(), items_.end(), [&](const Item& item) {
        return (item.diagnostic.level == DiagnosticLevel::Error) == error;
      }));
  if (same >= kDiagnosticsMax) {
    return;
  }
  Item item;
  item.mark = mark;
  item.diagnostic.level = level;
  item.diagnostic.code = code;
  item.diagnostic.message = std::move(message);
  item.diagnostic.label = std::move(label);
  items_.push_back(std::move(item));
}

void Report::mend_examples(std::string_view wrong, std::string_view right) {
  const std::string call = fmt::format("({}", wrong);
  for (Item& item : items_) {
    std::string& label = item.diagnostic.label;
    const std::size_t at = label.starts_with("e.g. ") ? label.find(call) : std::string::npos;
    const std::size_t end = at + call.size();
    if (at != std::string::npos && end < label.size() && (label[end] == ')' || label[end] == '.')) {
      label.replace(at + 1, wrong.size(), right);
    }
  }
}

Place Report::place(Mark mark) const {
  if (mark.file >= files_.size()) {
    return {};
  }
  const std::vector<std::uint32_t>& lines = lines_[mark.file];
  const auto next = std::upper_bound(lines.begin(), lines.end(), mark.offset);
  const std::size_t line = static_cast<std::size_t>(next - lines.begin());
  const std::uint32_t start = lines[line - 1];
  const std::string_view text = files_[mark.file].text;
  Place place;
  place.file = mark.file;
  place.line = static_cast<std::uint32_t>(line);
  place.column = 1 + characters(text.substr(start, mark.offset - start));
  return place;
}

void Report::finish(Compiled& out) {
  std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return a.mark.file != b.mark.file ? a.mark.file < b.mark.file : a.mark.offset < b.mark.offset;
  });
  for (Item& item : items_) {
    item.diagnostic.place = place(item.mark);
    item.diagnostic.length = std::max<std::uint32_t>(1, item.mark.length);
    out.diagnostics.push_back(std::move(item.diagnostic));
  }
  out.errors = errors_;
  out.warnings = warnings_;
  items_.clear();
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words,
                         std::string_view fallback) {
  // Of a word of one or two letters everything short is near: no help.
  const std::string_view best = word.size() < 3 ? std::string_view{} : nearest(word, words);
  return best.empty() ? std::string(fallback) : fmt::format("did you mean '{}'?", best);
}

std::string join_or(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace belfry::rules
