#include "csv.hpp"

#include "belfry/base/text.hpp"

namespace belfry::inventory {

Csv::Csv(std::string_view text) : text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) {
    at_ = line_begin_ = 3;  // the byte order mark that spreadsheets write
  }
}

void Csv::report(const char* what) {
  if (problem_.empty()) {
    problem_ = what;
    problem_line_ = line_;
    problem_column_ = column();
  }
}

void Csv::line_end() {
  if (!at_end() && text_[at_] == '\r') {
    ++at_;
  }
  if (!at_end() && text_[at_] == '\n') {
    ++at_;
  }
  line_begin_ = at_;
  ++line_;
}

bool Csv::skip_line_without_cells() {
  std::size_t end = text_.find('\n', at_);
  end = end == std::string_view::npos ? text_.size() : end;
  const std::string_view line = text_.substr(at_, end - at_);
  if (!line.starts_with('#') && !trim(line).empty()) {
    return false;
  }
  at_ = end;
  line_end();
  return true;
}

Cell Csv::quoted_cell() {
  Cell cell{{}, true, line_, column()};
  const std::size_t from = ++at_;
  bool doubled = false;
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '"') {
      if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
        break;
      }
      doubled = true;
      ++at_;
    } else if (c == '\n') {
      ++line_;
      line_begin_ = at_ + 1;
    }
    ++at_;
  }
  cell.text = text_.substr(from, at_ - from);
  if (at_end()) {
    report("the quote is never closed: expected '\"' at the end of the cell");
    problem_line_ = cell.line;
    problem_column_ = cell.column;
    return cell;
  }
  ++at_;
  if (doubled) {
    std::string& plain = unescaped_.emplace_back();
    for (std::size_t i = 0; i < cell.text.size(); ++i) {
      plain.push_back(cell.text[i]);
      i += cell.text[i] == '"' ? 1U : 0U;
    }
    cell.text = plain;
  }
  while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) {
    ++at_;
  }
  if (!at_end() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
    report(
        "text after a closing quote: expected ',' or the end of the line (a quote inside quotes is "
        "doubled)");
    while (!at_end() && text_[at_] != ',' && text_[at_] != '\n') {
      ++at_;
    }
  }
  return cell;
}

Cell Csv::plain_cell() {
  Cell cell{{}, false, line_, column()};
  const std::size_t from = at_;
  while (!at_end() && text_[at_] != ',' && text_[at_] != '\n') {
    ++at_;
  }
  cell.text = trim(text_.substr(from, at_ - from));
  return cell;
}

bool Csv::next(std::vector<Cell>& row) {
  row.clear();
  problem_.clear();
  while (!at_end() && skip_line_without_cells()) {
  }
  if (at_end()) {
    return false;
  }
  while (true) {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) {
      ++at_;
    }
    row.push_back(!at_end() && text_[at_] == '"' ? quoted_cell() : plain_cell());
    if (at_end() || text_[at_] != ',') {
      break;
    }
    ++at_;
  }
  line_end();
  return true;
}

}  // namespace belfry::inventory
