#pragma once
// Which files of a folder are MIBs to read: regular ones, not hidden, not too large, sorted by
// path; folders below it too.
#include <string>
#include <vector>

namespace belfry::snmp {

/// `skip`: file names to leave out.
std::vector<std::string> mib_files(const std::string& folder, const std::vector<std::string>& skip);

}  // namespace belfry::snmp
