#pragma once
// Rules and inventory from disk as one pair of versions, with the texts that the journal keeps; and
// back from those texts. Every mistake is collected: `file:line:column: what was expected`.
#include <memory>
#include <string>
#include <vector>

#include "belfry/pipeline/pipeline.hpp"
#include "config.hpp"

namespace belfry {

struct LoadedVersions {
  VersionSources sources;
  Versions versions;  ///< program is nullptr when there are errors
  std::vector<std::string> errors, warnings;
  std::string rendered;  ///< the rules' diagnostics as `belfry check` shows them
};

/// Reads and compiles what the configuration names. Blocking: a helper or the main thread.
LoadedVersions load_versions(const Config& config);
/// From stored texts: what ran then, exactly. For the pipeline's replay.
Result<Versions> build_versions(const VersionSources& sources);

}  // namespace belfry
