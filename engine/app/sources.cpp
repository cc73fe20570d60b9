#include "sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

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

}  // namespace

Result<std::vector<rules::SourceFile>> read_rules(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
           it.increment(error)) {
        if (it->is_regular_file() && it->path().extension() == ".bell") {
          files.push_back(it->path());
        }
      }
    } else if (fs::exists(path, error)) {
      files.emplace_back(path);
    } else {
      return fail(Code::NotFound, "{}: no such file or folder: expected *.bell files", path);
    }
    if (files.size() > kRuleFilesMax) {
      return fail(Code::Invalid, "{}: more than {} rule files", path, kRuleFilesMax);
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  if (files.empty()) {
    return fail(Code::NotFound, "no *.bell file there: expected rule files or folders of them");
  }
  std::vector<rules::SourceFile> out;
  for (const fs::path& file : files) {
    BELFRY_TRY(std::string text, read_file(file));
    out.push_back({file.string(), std::move(text)});
  }
  return out;
}

std::shared_ptr<const rules::Program> compile_or_print(
    const std::vector<rules::SourceFile>& files) {
  const rules::Compiled compiled = rules::compile(files);
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
