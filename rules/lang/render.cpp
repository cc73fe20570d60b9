// Diagnostics as people read them: what, where, the line, marks and one help (LANGUAGE 9).
#include <fmt/format.h>

#include <set>

#include "belfry/base/text.hpp"
#include "belfry/rules/compile.hpp"

namespace belfry::rules {

namespace {

/// Characters of a line that are shown: a minified file must not flood the terminal.
constexpr std::size_t kShownMax = 160;

std::string_view line_of(std::string_view text, std::uint32_t line) {
  std::size_t start = 0;
  for (std::uint32_t n = 1; n < line; ++n) {
    const std::size_t next = text.find('\n', start);
    if (next == std::string_view::npos) {
      return {};
    }
    start = next + 1;
  }
  std::string_view out = text.substr(start, text.find('\n', start) - start);
  if (out.ends_with('\r')) {
    out.remove_suffix(1);
  }
  return out;
}

struct Marked {
  std::string line, blanks, marks;
};

/// The line as it can be shown, the blanks up to the mark, and the mark; counted in characters.
Marked mark_line(std::string_view line, std::uint32_t column, std::uint32_t length) {
  Marked out;
  const std::size_t first = column > kShownMax ? column - kShownMax / 2 : 1;
  std::size_t marked_bytes = 0;
  std::size_t shown = 0, character = 1;
  if (first > 1) {
    out.line = "...";
    out.blanks = "   ";
  }
  for (std::size_t i = 0; i < line.size(); ++character) {
    const std::size_t bytes = std::max<std::size_t>(1, utf8_sequence(line, i));
    if (character >= first && shown < kShownMax) {
      ++shown;
      const auto c = static_cast<unsigned char>(line[i]);
      const bool bad = utf8_sequence(line, i) == 0 || (c < 0x20 && c != '\t') || c == 0x7F;
      out.line += bad ? "?" : c == '\t' ? " " : std::string(line.substr(i, bytes));
      if (character < column) {
        out.blanks += ' ';
      } else if (marked_bytes < length) {
        out.marks += '^';
      }
    }
    if (character >= column) {
      marked_bytes += bytes;
    }
    i += bytes;
  }
  while (character < column) {  // the mark stands behind the end of the line
    out.blanks += ' ';
    ++character;
  }
  if (out.marks.empty()) {
    out.marks = "^";
  }
  return out;
}

void render_one(const Diagnostic& d, std::span<const SourceFile> files, bool colour,
                std::string& out) {
  const bool error = d.level == DiagnosticLevel::Error;
  const std::string_view on = !colour ? "" : error ? "\x1b[1;31m" : "\x1b[1;33m";
  const std::string_view off = colour ? "\x1b[0m" : "";
  out += fmt::format("{}{}{}: {}\n", on, error ? "error" : "warning", off, printable(d.message));
  if (d.place.file >= files.size()) {
    if (!d.label.empty()) {
      out += fmt::format("  help: {}\n", printable(d.label));
    }
    return;
  }
  const std::string number = fmt::format("{}", d.place.line);
  const std::string pad(number.size(), ' ');
  out += fmt::format("{}--> {}:{}:{}\n", pad, printable(files[d.place.file].path), d.place.line,
                     d.place.column);
  const Marked marked =
      mark_line(line_of(files[d.place.file].text, d.place.line), d.place.column, d.length);
  out += fmt::format("{} | {}\n", number, marked.line);
  out += fmt::format("{} | {}{}{}{}", pad, marked.blanks, on, marked.marks, off);
  out += d.label.empty() ? "\n" : fmt::format("  {}\n", printable(d.label));
}

}  // namespace

std::string render(std::span<const Diagnostic> diagnostics, std::span<const SourceFile> files,
                   bool colour) {
  std::string out;
  std::set<std::string_view> codes;
  for (const Diagnostic& diagnostic : diagnostics) {
    render_one(diagnostic, files, colour, out);
    codes.insert(diagnostic.code);
  }
  if (!codes.empty()) {
    out += fmt::format("more about {}: belfry help CODE\n", fmt::join(codes, " "));
  }
  return out;
}

}  // namespace belfry::rules
