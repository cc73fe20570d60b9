#include "check_report.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
    "sarif-schema-2.1.0.json";

std::string_view level_of(const rules::Diagnostic& d) {
  return d.level == rules::DiagnosticLevel::Error ? "error" : "warning";
}

std::string_view path_of(const rules::Diagnostic& d, std::span<const rules::SourceFile> files) {
  return d.place.file < files.size() ? std::string_view(files[d.place.file].path) : "";
}

/// RFC 3986: what is not unreserved, '/' apart, is percent-encoded.
std::string uri_of(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return path.starts_with("/") ? "file://" + out : out;
}

void region(JsonWriter& json, std::string_view key, const MarkedRange& range) {
  json.key(key).object().field("startLine", range.line).field("startColumn", range.column);
  json.field("endLine", range.end_line).field("endColumn", range.end_column).end();
}

void sarif_rules(JsonWriter& json, const std::vector<std::string>& codes) {
  json.key("rules").array();
  for (const std::string& code : codes) {
    const std::string_view text = rules::explain_code(code);
    const bool warning = text.starts_with("Warning.");
    json.object().field("id", code);
    json.key("shortDescription").object();
    const std::string_view words = text.substr(warning ? 9 : 0);
    json.field("text", words.substr(0, words.find('.'))).end();
    json.key("fullDescription").object().field("text", text).end();
    json.key("help").object().field("text", fmt::format("{}\nbelfry help {}", text, code)).end();
    json.key("defaultConfiguration").object();
    json.field("level", warning ? "warning" : "error").end().end();
  }
  json.end();
}

void sarif_result(JsonWriter& json, const rules::Diagnostic& d, std::size_t rule,
                  std::span<const rules::SourceFile> files) {
  const MarkedRange range = range_of(d, files);
  const std::string uri = uri_of(path_of(d, files));
  json.object().field("ruleId", d.code).field("ruleIndex", std::uint64_t{rule});
  json.field("level", level_of(d)).key("message").object();
  json.field("text", d.label.empty() ? d.message : fmt::format("{} ({})", d.message, d.label));
  json.end().key("locations").array().object().key("physicalLocation").object();
  json.key("artifactLocation").object().field("uri", uri).end();
  region(json, "region", range);
  json.end().end().end();
  if (const std::string fix = fix_of(d); !fix.empty()) {
    json.key("fixes").array().object();
    json.key("description").object().field("text", fmt::format("write {}", fix)).end();
    json.key("artifactChanges").array().object();
    json.key("artifactLocation").object().field("uri", uri).end();
    json.key("replacements").array().object();
    region(json, "deletedRegion", range);
    json.key("insertedContent").object().field("text", fix).end();
    json.end().end().end().end().end().end();
  }
  json.end();
}

/// Constants among what the value can be.
void constants(const rules::Expr* e, std::vector<const rules::Expr*>& out) {
  if (e == nullptr) {
    return;
  }
  if (e->kind == rules::ExprKind::Const && e->value.type == Type::String) {
    out.push_back(e);
  } else if (e->kind == rules::ExprKind::If) {
    constants(e->args[0], out);
    constants(e->args.size() > 2 ? e->args[2] : nullptr, out);
  }
}

/// Beside the rule file, or beside a folder above it, as far up as what was given.
bool is_there(std::string_view name, const std::string& rule_file,
              const std::vector<std::string>& roots) {
  std::error_code none;
  fs::path folder = fs::path(rule_file).parent_path();
  const auto given = [&](const fs::path& path) {
    return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
      return fs::path(root).lexically_normal() == path.lexically_normal() ||
             (fs::path(root) / "").lexically_normal() == (path / "").lexically_normal();
    });
  };
  while (true) {
    if (fs::exists(folder / fs::path(name), none)) {
      return true;
    }
    if (given(folder) || folder.empty() || folder == folder.parent_path()) {
      return false;
    }
    folder = folder.parent_path();
  }
}

/// Kept of each kind, as the compiler keeps a bounded number; all are counted.
constexpr std::size_t kKeptMax = 200;

void add_warnings(rules::Compiled& compiled, std::vector<rules::Diagnostic> found) {
  compiled.warnings += found.size();
  found.resize(std::min(found.size(), kKeptMax));
  for (rules::Diagnostic& d : found) {
    d.level = rules::DiagnosticLevel::Warning;
    compiled.diagnostics.push_back(std::move(d));
  }
  std::stable_sort(compiled.diagnostics.begin(), compiled.diagnostics.end(),
                   [](const rules::Diagnostic& a, const rules::Diagnostic& b) {
                     return std::tie(a.place.file, a.place.line, a.place.column) <
                            std::tie(b.place.file, b.place.line, b.place.column);
                   });
}

}  // namespace

MarkedRange range_of(const rules::Diagnostic& d, std::span<const rules::SourceFile> files) {
  MarkedRange out{d.place.line, d.place.column, d.place.line, d.place.column + 1};
  if (d.place.file >= files.size() || d.place.line == 0) {
    return out;
  }
  std::string_view text = files[d.place.file].text;
  for (std::uint32_t line = 1; line < d.place.line; ++line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  const auto continued = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  std::size_t at = 0;
  for (std::uint32_t column = 1; column < d.place.column && at < text.size(); ++column) {
    for (++at; at < text.size() && continued(text[at]); ++at) {
    }
  }
  out.end_column = d.place.column;
  for (const std::size_t end = std::min<std::size_t>(text.size(), at + d.length); at < end; ++at) {
    if (text[at] == '\n') {
      ++out.end_line;
      out.end_column = 1;
    } else if (!continued(text[at])) {
      ++out.end_column;
    }
  }
  return out;
}

std::string fix_of(const rules::Diagnostic& d) {
  constexpr std::string_view kBegin = "did you mean '", kEnd = "'?";
  const std::string_view label = d.label;
  if (!label.starts_with(kBegin) || !label.ends_with(kEnd)) {
    return {};
  }
  return std::string(label.substr(kBegin.size(), label.size() - kBegin.size() - kEnd.size()));
}

std::string finding_json(const rules::Diagnostic& d, std::span<const rules::SourceFile> files) {
  const MarkedRange range = range_of(d, files);
  JsonWriter json;
  json.object().field("level", level_of(d)).field("code", d.code).field("message", d.message);
  json.field("help", d.label).field("explanation", rules::explain_code(d.code));
  json.field("file", path_of(d, files)).field("line", range.line).field("column", range.column);
  json.field("end_line", range.end_line).field("end_column", range.end_column);
  json.field("length", d.length);
  if (const std::string fix = fix_of(d); !fix.empty()) {
    json.key("fix").object().field("replace_with", fix).end();
  }
  json.end();
  return json.take();
}

std::string sarif(std::span<const rules::Diagnostic> found,
                  std::span<const rules::SourceFile> files) {
  std::set<std::string> used;
  for (const rules::Diagnostic& d : found) {
    used.insert(d.code);
  }
  const std::vector<std::string> codes(used.begin(), used.end());
  JsonWriter json;
  json.object().field("$schema", kSchema).field("version", "2.1.0").key("runs").array().object();
  json.key("tool").object().key("driver").object().field("name", "belfry");
  json.field("version", BELFRY_VERSION);
  sarif_rules(json, codes);
  json.end().end().field("columnKind", "unicodeCodePoints").key("results").array();
  for (const rules::Diagnostic& d : found) {
    const auto rule = std::lower_bound(codes.begin(), codes.end(), d.code) - codes.begin();
    sarif_result(json, d, static_cast<std::size_t>(rule), files);
  }
  json.end().end().end().end();
  return json.take();
}

void check_runbooks(const std::vector<std::string>& roots, std::span<const rules::SourceFile> files,
                    rules::Compiled& compiled) {
  if (compiled.program == nullptr) {
    return;
  }
  std::vector<rules::Diagnostic> found;
  for (const rules::Rule& rule : compiled.program->rules) {
    for (const rules::OpenField& field : rule.open) {
      std::vector<const rules::Expr*> names;
      constants(field.name == "runbook" ? field.value : nullptr, names);
      for (const rules::Expr* name : names) {
        const std::string text(name->value.text);
        const rules::Place place = name->place.line == 0 ? field.place : name->place;
        if (text.empty() || text.find("://") != std::string::npos || place.file >= files.size() ||
            is_there(text, files[place.file].path, roots)) {
          continue;
        }
        rules::Diagnostic d;
        d.code = "B0811";
        d.message = fmt::format("the runbook '{}' is not there", printable(text, 200));
        d.label = "looked for beside the rule file and in the folders above";
        d.place = place;
        d.length = static_cast<std::uint32_t>(text.size() + 2);
        found.push_back(std::move(d));
      }
    }
  }
  add_warnings(compiled, std::move(found));
}

void check_probe_interval(Duration interval, rules::Compiled& compiled) {
  if (compiled.program == nullptr) {
    return;
  }
  const rules::Program& program = *compiled.program;
  std::set<rules::Index> told;
  std::vector<rules::Diagnostic> found;
  for (const rules::Cause& cause : program.causes) {
    const rules::Rule& a = program.rules[cause.cause];
    const rules::Rule& b = program.rules[cause.symptom];
    const bool probed =
        std::any_of(a.patterns.begin(), a.patterns.end(), [&](const rules::Pattern* p) {
          return p->leaf.signal != rules::kNone && program.signals[p->leaf.signal].probe_fed;
        });
    if (!probed || b.settle >= interval || !told.insert(cause.symptom).second) {
      continue;
    }
    rules::Diagnostic d;
    d.code = "B0812";
    d.message = fmt::format("'{}' settles for {}, its cause '{}' is probed every {}", b.name,
                            to_text(b.settle), a.name, to_text(interval));
    d.label = fmt::format("settle {}", to_text(interval));
    d.place = b.place;
    d.length = 4;  // the word `rule`
    found.push_back(std::move(d));
  }
  add_warnings(compiled, std::move(found));
}

}  // namespace belfry
