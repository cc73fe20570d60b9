#pragma once
// MIB files to a MibTable. net-snmp's parser reads them, in a process of its own, so that a file
// that breaks it breaks nothing else:
//
//   load_mibs ──spawn──> `belfry mibs --raw FOLDER` (limits on memory, time, files)
//             <──pipe─── "F file" before each file, "W text" for what is wrong, nodes, "end N"
//
// A child that dies, hangs or writes nonsense is blamed on the file it named last: that one is left
// out and a new child reads the rest, kRetriesMax times.
//
// Thread: any; load_mibs() waits, at most kMibSecondsMax a child. Bounds: kMibFilesMax files of
// kMibFileBytesMax, kWarningsMax warnings kept; the table as in model/mib_table.hpp.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/mib_table.hpp"

namespace belfry::snmp {

inline constexpr std::size_t kMibFilesMax = 20'000;
inline constexpr std::size_t kMibFileBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kMibWarningsMax = 1000;
/// 500 files take about a second; a child that needs more than that hangs.
inline constexpr int kMibSecondsMax = 60;
inline constexpr std::size_t kMibRetriesMax = 8;

struct LoadedMibs {
  std::shared_ptr<const MibTable> table;
  std::vector<std::string> warnings;  ///< what the parser said, and files left out
  std::size_t files = 0;
  double seconds = 0;
};

/// `program`: whose `mibs --raw` is the child; empty = this one. Fails when there is no such folder
/// or no child can be started; files that do not parse are warnings.
Result<LoadedMibs> load_mibs(const std::string& folder, const std::string& program = {});

/// The child's side: limits itself, reads the folder but for the files in `skip`, writes to `out`.
/// The exit code. net-snmp keeps everything it ever read: once a process.
int compile_mibs(const std::string& folder, const std::vector<std::string>& skip, std::FILE* out);

}  // namespace belfry::snmp
