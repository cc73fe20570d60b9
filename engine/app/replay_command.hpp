#pragma once
// `belfry replay`: folds a file of events on the virtual clock, as fast as it can.
#include <string>
#include <vector>

#include "belfry/base/time.hpp"

namespace belfry {

/// A file is held in memory to be put in order: 4 GiB at most.
inline constexpr std::uint64_t kReplayFileBytesMax = 4ULL << 30;

struct ReplayArguments {
  std::string events;              ///< JSON lines; `-` = standard input
  std::vector<std::string> rules;  ///< files and folders
  std::string inventory;           ///< folder; empty = no rows
  bool json = false;               ///< every change as one JSON line
  bool incidents = false;          ///< one object per incident at the end
  /// The clock runs on that long after the last event, so that what is pending comes to its end.
  Duration run_on = std::chrono::minutes(5);
};

/// 0 ok, 2 = input that cannot be read (file:line and what was expected).
int replay_command(const ReplayArguments& arguments);

}  // namespace belfry
