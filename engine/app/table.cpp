#include "table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "belfry/base/text.hpp"

namespace belfry {
namespace {

constexpr std::size_t kGivingMin = 12;
constexpr std::string_view kGap = "  ";

}  // namespace

Terminal Terminal::of_stdout() {
  Terminal out;
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0) {
    return out;
  }
  out.colour = std::getenv("NO_COLOR") == nullptr;
  constexpr std::size_t kUsualWidth = 80;
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  out.width = known ? size.ws_col : kUsualWidth;
  return out;
}

std::string tinted(std::string_view text, Tint tint, const Terminal& terminal) {
  constexpr std::string_view kCodes[]{"", "1", "2", "31", "33", "32"};
  if (!terminal.colour || tint == Tint::None) {
    return std::string(text);
  }
  return "\x1b[" + std::string(kCodes[static_cast<std::size_t>(tint)]) + "m" + std::string(text) +
         "\x1b[0m";
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string fitted(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  std::size_t bytes = 0;
  for (std::size_t columns = 0; columns + 1 < width && bytes < text.size(); ++columns) {
    bytes += std::max<std::size_t>(1, utf8_sequence(text, bytes));
  }
  return std::string(text.substr(0, bytes)) + "\u2026";
}

Table::Table(std::vector<std::string> titles, std::size_t giving)
    : titles_(std::move(titles)), giving_(giving) {}

void Table::row(std::vector<Cell> cells) {
  for (Cell& cell : cells) {
    cell.text = printable(cell.text);
  }
  cells.resize(titles_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  for (const std::string& title : titles_) {
    widths.push_back(display_width(title));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  std::size_t total = kGap.size() * (widths.size() - 1);
  for (const std::size_t width : widths) {
    total += width;
  }
  if (terminal.width != 0 && total > terminal.width) {
    const std::size_t over = total - terminal.width;
    widths[giving_] = widths[giving_] > over + kGivingMin ? widths[giving_] - over : kGivingMin;
  }
  std::string out;
  const auto write = [&](std::size_t i, std::string_view cell, Tint tint) {
    const std::string shown = fitted(cell, widths[i]);
    out += tinted(shown, tint, terminal);
    if (i + 1 < widths.size()) {
      out.append(widths[i] - display_width(shown), ' ');
      out += kGap;
    }
  };
  const auto end_line = [&out] {
    while (out.ends_with(' ')) {
      out.pop_back();
    }
    out += "\n";
  };
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    write(i, titles_[i], Tint::Bold);
  }
  end_line();
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      write(i, row[i].text, row[i].tint);
    }
    end_line();
  }
  return out;
}

}  // namespace belfry
