#include "fmt_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "belfry/rules/format.hpp"
#include "belfry/store/store.hpp"
#include "sources.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAside = ".fmt-new";

/// Beside, synced, renamed: a crash leaves the old file or the new one. A link stays a link.
Result<void> replace(const std::string& name, const std::string& text) {
  std::error_code error;
  const fs::path path = fs::canonical(name, error);
  const fs::perms mode = error ? fs::perms::none : fs::status(path, error).permissions();
  if (error) {
    return fail(Code::Unavailable, "{}: cannot be written: {}", name, error.message());
  }
  const std::string aside = path.string() + kAside;
  BELFRY_CHECK_OK(write_file_durably(aside, text));
  fs::permissions(aside, mode, error);
  const Result<void> moved = error ? fail(Code::Unavailable, "{}: {}", aside, error.message())
                                   : rename_durably(aside, path.string());
  if (!moved) {
    fs::remove(aside, error);
  }
  return moved;
}

struct Tally {
  std::size_t changed = 0, refused = 0;
};

void one(const rules::SourceFile& file, const FmtArguments& arguments, bool to_stdout,
         Tally& tally) {
  const rules::Formatted made = rules::format(file);
  if (!made.done) {
    ++tally.refused;
    fmt::print(stderr, "{}",
               rules::render(made.diagnostics, std::span(&file, 1), isatty(STDERR_FILENO) != 0));
    return;
  }
  const bool changed = made.text != file.text;
  tally.changed += changed ? 1 : 0;
  if (to_stdout && !arguments.check) {
    fmt::print("{}", made.text);
  } else if (changed && !arguments.check) {
    if (const Result<void> written = replace(file.path, made.text); !written) {
      ++tally.refused;
      fmt::print(stderr, "belfry fmt: {}\n", written.error());
      return;
    }
  }
  if (changed && (!to_stdout || arguments.check)) {
    fmt::print("{}\n", file.path);
  }
}

}  // namespace

int fmt_command(const FmtArguments& arguments) {
  const bool stdin_asked =
      std::find(arguments.paths.begin(), arguments.paths.end(), "-") != arguments.paths.end();
  if (stdin_asked && arguments.paths.size() > 1) {
    fmt::print(stderr, "belfry fmt: '-' stands alone: expected it or files, not both\n");
    return 2;
  }
  const Result<std::vector<rules::SourceFile>> files =
      stdin_asked ? read_standard_input() : read_rules(arguments.paths);
  if (!files) {
    fmt::print(stderr, "belfry fmt: {}\n", files.error());
    return 2;
  }
  Tally tally;
  for (const rules::SourceFile& file : *files) {
    if (stdin_asked || file.path.ends_with(".bell")) {  // not the lists of dates beside them
      one(file, arguments, stdin_asked, tally);
    }
  }
  if (tally.refused > 0) {
    return 2;
  }
  return arguments.check && tally.changed > 0 ? 1 : 0;
}

}  // namespace belfry
