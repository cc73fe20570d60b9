#pragma once
// The Bell compiler: texts in, diagnostics and an immutable Program out. No I/O of its own.
//
// Any text at all gives diagnostics, never a crash or a hang: the parser has fuel, the nesting
// depth is bounded (kNestingMax), a file is at most kFileBytesMax.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/rules/program.hpp"

namespace belfry::rules {

inline constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kNestingMax = 200;

/// A rule file; `*.csv` and `*.txt` are lists of dates that calendars name (`except`).
struct SourceFile {
  std::string path;
  std::string text;
};

enum class DiagnosticLevel : std::uint8_t { Error, Warning };

struct Diagnostic {
  DiagnosticLevel level = DiagnosticLevel::Error;
  std::string code;          ///< "B0123"; `belfry help B0123` explains
  std::string message;       ///< lower case: what, and what was expected
  std::string label;         ///< under the marked text: the one help; may be empty
  Place place;               ///< file, line, column (1-based)
  std::uint32_t length = 1;  ///< marked bytes
};

struct Compiled {
  std::shared_ptr<const Program> program;  ///< nullptr when there are errors
  std::vector<Diagnostic> diagnostics;     ///< in file order
  std::size_t errors = 0, warnings = 0;
};

/// Where `IF-MIB::linkDown` and `var.ifDescr` get their OIDs. This one knows the built-in names
/// (model/mib_names.hpp); one that also reads MIB files overrides it. Thread: any, it only reads.
class MibResolver {
 public:
  virtual ~MibResolver() = default;
  /// Octets of `module::name`; an empty module takes the first that has the name.
  virtual std::optional<std::string> oid(std::string_view module, std::string_view name) const;
  /// All OIDs under which agents send that notification.
  virtual std::vector<std::string> trap_oids(std::string_view module, std::string_view name) const;
  /// For "did you mean": the names of a module, of all when it is empty.
  virtual std::vector<std::string_view> names(std::string_view module) const;
};

/// `mibs`: nullptr = the built-in names.
Compiled compile(std::span<const SourceFile> files, const MibResolver* mibs = nullptr);

/// The diagnostics as LANGUAGE 9 shows them: message, `-->` file:line:column, the line, marks,
/// help.
std::string render(std::span<const Diagnostic> diagnostics, std::span<const SourceFile> files,
                   bool colour);
/// One long text per code; empty for an unknown one.
std::string_view explain_code(std::string_view code);

}  // namespace belfry::rules
