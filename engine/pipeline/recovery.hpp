#pragma once
// Recovery: newest valid snapshot + replay of the tail, by the same folds that ran live. What was
// published is compared by its bytes and never published again.
#include <vector>

#include "context.hpp"
#include "folds.hpp"
#include "sequencer.hpp"

namespace belfry {

/// Sources with their content hashes.
struct NamedSources {
  VersionName name;
  std::string rules, inventory;  ///< encoded
};
NamedSources name_sources(const VersionSources& sources);

struct RecoveryResult {
  Recovered recovered;
  std::vector<IncidentId> differing;  ///< their replayed course differs from the stored one
};

/// REQUIRES: store and journal are open, `folds` is fresh. `given`: what this start was called
/// with, used instead of building it again where the journal names the same.
Result<RecoveryResult> recover(Context& context, Folds& folds, const VersionBuilder& builder,
                               const NamedSources& given_name, const Versions& given);

}  // namespace belfry
