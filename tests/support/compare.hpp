#pragma once
// Runs a random case on the engine and on the reference and makes a failing one smaller.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "generate.hpp"

namespace belfry::testing {

/// How the engine is driven; none of it may change what comes out.
struct Drive {
  std::size_t batch_events_max = 1;
  /// Before the event of that number: through a snapshot, a program that is the same again.
  std::optional<std::size_t> restart_before{}, reload_before{};
};
struct Told {
  std::vector<std::string> lines;  ///< one per change
  std::uint64_t state_hash = 0;
};

struct Compiled {
  std::shared_ptr<const rules::Program> program;
  std::string diagnostics;
};
Compiled compile_case(const RandomCase& c);

Told run_engine(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                const Drive& drive = {});
/// Every `collectors`-th event is filled and matched by a thread of its own; the fold takes them in
/// their order.
Told run_collectors(const RandomCase& c, const std::shared_ptr<const rules::Program>& program,
                    std::size_t collectors);
Told run_reference(const RandomCase& c, const std::shared_ptr<const rules::Program>& program);

/// Empty = both say the same. Else the first line that differs, with some before it.
std::string difference(const std::vector<std::string>& engine,
                       const std::vector<std::string>& reference);
/// Engine against reference, and the engine against itself driven in other ways.
std::string check_case(const RandomCase& c);

/// The smallest case we find that still fails.
RandomCase shrink(RandomCase c, const std::function<bool(const RandomCase&)>& fails);

}  // namespace belfry::testing
