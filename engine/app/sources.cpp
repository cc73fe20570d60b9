#include "sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "mibs.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(Code::NotFound, "{}: cannot be read", path.string());
  }
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > rules::kFileBytesMax) {
    return fail(Code::Invalid, "{}: {} bytes: expected at most {}", path.string(), text.size(),
                rules::kFileBytesMax);
  }
  return text;
}

bool is_rule_file(const fs::path& path) { return path.extension() == ".bell"; }

/// `calendars/NAME.csv` or `.txt`: days that a calendar excepts.
bool is_list(const fs::path& path) {
  return (path.extension() == ".csv" || path.extension() == ".txt") &&
         path.parent_path().filename() == "calendars";
}

/// Rule files, and the lists beside them.
template <class Iterator>
void collect(Iterator it, std::error_code& error, bool rules, std::vector<fs::path>& files,
             std::vector<fs::path>& lists) {
  for (const Iterator end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file()) {
      continue;
    }
    if (rules && is_rule_file(it->path())) {
      files.push_back(it->path());
    } else if (is_list(it->path())) {
      lists.push_back(it->path());
    }
  }
}

void sort_unique(std::vector<fs::path>& files) {
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
}

}  // namespace

Result<std::vector<rules::SourceFile>> read_rules(const std::vector<std::string>& paths) {
  std::vector<fs::path> files, lists;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      collect(fs::recursive_directory_iterator(path, error), error, true, files, lists);
    } else if (fs::exists(path, error)) {
      files.emplace_back(path);
      std::error_code none;  // there need not be any
      collect(fs::directory_iterator(fs::path(path).parent_path() / "calendars", none), none, false,
              files, lists);
    } else {
      return fail(Code::NotFound, "{}: no such file or folder: expected *.bell files", path);
    }
    if (files.size() + lists.size() > kRuleFilesMax) {
      return fail(Code::Invalid, "{}: more than {} rule files", path, kRuleFilesMax);
    }
  }
  sort_unique(files);
  if (files.empty()) {
    return fail(Code::NotFound, "no *.bell file there: expected rule files or folders of them");
  }
  sort_unique(lists);
  files.insert(files.end(), lists.begin(), lists.end());
  std::vector<rules::SourceFile> out;
  for (const fs::path& file : files) {
    BELFRY_TRY(std::string text, read_file(file));
    out.push_back({file.string(), std::move(text)});
  }
  return out;
}

Result<std::vector<rules::SourceFile>> read_standard_input() {
  std::vector<rules::SourceFile> out(1);
  out[0].path = "<stdin>";
  std::vector<char> buffer(64 * 1024);
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    out[0].text.append(buffer.data(), n);
    if (out[0].text.size() > rules::kFileBytesMax) {
      return fail(Code::Invalid, "<stdin>: expected at most {} bytes", rules::kFileBytesMax);
    }
  }
  return out;
}

std::shared_ptr<const rules::Program> compile_or_print(
    const std::vector<rules::SourceFile>& files) {
  const MibNames mibs(MibTable::current());
  const rules::Compiled compiled = rules::compile(files, &mibs);
  std::vector<rules::Diagnostic> errors;
  for (const rules::Diagnostic& d : compiled.diagnostics) {
    if (d.level == rules::DiagnosticLevel::Error) {
      errors.push_back(d);
    }
  }
  if (!errors.empty()) {
    fmt::print(stderr, "{}", rules::render(errors, files, isatty(STDERR_FILENO) != 0));
  }
  return compiled.program;
}

}  // namespace belfry
